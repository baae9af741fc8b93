"""Velocity field that particles move through, at any position and time; interpolants between the values of a mesh."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from flowgrad.flow import Flow
from flowgrad.paths.dormand_prince import DenseOutput
from flowgrad.paths.plane import PathPlane
from flowgrad.typing import BoolArray, FloatArray, IntArray

RTOL = 1e-7

# Fractions of a step between which the path is taken as straight.
POLYLINE = (0.0, 0.25, 0.5, 0.75, 1.0)


class Sample(NamedTuple):
    """Velocities (m, 3), their gradients L (m, 3, 3), and which positions are inside (m,): the values of the
    others mean nothing."""

    velocity: FloatArray
    L: FloatArray
    inside: BoolArray


class Field(ABC):
    """A velocity field in space and time.

    ``plane`` is that of a planar flow, in which its particles stay (velocities across it and derivatives across it are
    zero); None where the flow has three dimensions. ``rtol`` is the relative error of a step that suits the field.
    ``watched`` are the fractions of a step at which :meth:`trace` looks at the path. ``notes`` say what the user should
    know of the field.
    """

    plane: PathPlane | None = None
    notes: tuple[str, ...] = ()
    rtol: float = RTOL
    watched: tuple[float, ...] = ()
    # Particles that share a step size, small enough for a core's cache, and whether threads may share the work.
    chunk: int = 1024
    threaded: bool = True
    # The fraction of them that may need smaller steps than the others.
    outliers: float = 0.05

    @abstractmethod
    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """The field at positions (m, 3), at one time or at a time for each (m,).

        ``cells`` (m,) is where each particle was found last, −1 where that is not known; it is brought up to date in
        place for those inside and stays as it is for the others. L is the derivative of the very velocity that is
        given; without ``need_L`` it may hold anything. Called from several threads at once, with other particles.
        """

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """Set ``inside`` (m,) to False for particles that meet a wall or a hole on their way between the ends of a
        step, which both are inside; ``cells`` (m,) are where they start. Not called where nothing is watched."""
        raise NotImplementedError

    def leg(self, start: float, end: float) -> float:
        """Make ready to integrate from one time towards another: up to which time the field is smooth (``end``, or
        before), and may be sampled until the next leg."""
        return end


class Interpolant(ABC):
    """Interpolant of a velocity that is known at the points or cells of a mesh.

    It is linear in the data, so that what is interpolated in time are the ``nodal`` arrays of the steps. ``notes`` say
    what the user should know of those that have been made.
    """

    plane: PathPlane | None = None
    notes: tuple[str, ...] = ()
    # The relative error of a step that suits the interpolant: smaller steps are lost on one with kinks.
    rtol: float = RTOL

    @abstractmethod
    def nodal(self, flow: Flow) -> FloatArray:
        """What is interpolated, of one step: an array of the same shape for all steps."""

    @abstractmethod
    def sample(self, nodal: FloatArray, weights: FloatArray, positions: FloatArray, cells: IntArray) -> Sample:
        """The field whose nodal values are Σ weights[s] nodal[s], at positions (m, 3).

        ``nodal`` (k, …) stacks what :meth:`nodal` returns for k steps (1 or up to 4); ``weights`` is (1, k), or
        (m, k) where every particle has its own. ``cells``, and the threads, as in :meth:`Field.sample`.
        """

    @abstractmethod
    def trace(self, nodal: FloatArray, way: FloatArray, cells: IntArray, inside: BoolArray) -> None:
        """Set ``inside`` (m,) to False for particles that leave the mesh or meet a hole on their ``way`` (m, k, 3), a
        polyline."""


class InterpolatedField(Field):
    """An interpolant with the nodal values ``_nodal`` (k, …) of one or several steps."""

    watched = POLYLINE
    _nodal: FloatArray

    def __init__(self, interpolant: Interpolant) -> None:
        self.interpolant = interpolant
        self.plane, self.rtol = interpolant.plane, interpolant.rtol

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """By the interpolant, through what no step leaves open."""
        self.interpolant.trace(self._nodal, way.positions, cells, inside)


class SteadyField(InterpolatedField):
    """One flow, at rest in time."""

    def __init__(self, interpolant: Interpolant, flow: Flow) -> None:
        super().__init__(interpolant)
        self._nodal = interpolant.nodal(flow)[None]
        self.notes = interpolant.notes
        self._weights = np.ones((1, 1))

    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """The field at positions (m, 3), whatever the time."""
        return self.interpolant.sample(self._nodal, self._weights, positions, cells)
