"""Velocity field that particles move through, at any position and time; interpolants between the values of a mesh."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.flow import Flow
from flowgrad.paths.dormand_prince import NODES, DenseOutput, deform, step, weights_within
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


class Advance(NamedTuple):
    """Particles after a step: states ``y`` (m, 3), or (m, 12) with F, their ``rates`` dy/dt, the ``error`` (m, c) of
    the step, the largest ``speed`` at its stages (m,), who was ``inside`` at all (m,), and positions on the ``way``
    (m, k, 3) at the field's ``watched`` fractions. What it says of others means nothing."""

    y: FloatArray
    rates: FloatArray
    error: FloatArray
    speed: FloatArray
    inside: BoolArray
    way: FloatArray


class Stages(NamedTuple):
    """The ``stages`` (from, to) of a step of states ``y`` (m, 3 or 12) with their ``rates``, by ``h`` (1 or m,): 1 to 7
    are a whole step, 0 to 1 the rates at the states themselves. ``within`` (w, 7) are the weights of the rates in its
    dense output."""

    y: FloatArray
    rates: FloatArray
    h: FloatArray
    stages: tuple[int, int]
    within: FloatArray

    def made(self) -> Advance:
        """Room for what they make of the states."""
        y, count = self.y, len(self.y)
        way = np.empty((count, len(self.within), 3))
        return Advance(np.empty_like(y), np.empty_like(y), np.empty_like(y), np.empty(count), np.ones(count, bool), way)


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

    def rates(self, time: float | FloatArray, y: FloatArray, cells: IntArray, inside: BoolArray) -> FloatArray:
        """dy/dt (m, 3 or 12) of states, the velocity and L F, at one time or a time for each (m, 1); ``inside`` (m,) is
        set to False for those that are not, whose rates are zero, and ``cells`` as in :meth:`sample`."""
        found = self.sample(
            np.ascontiguousarray(y[:, :3]), time if np.ndim(time) == 0 else np.ravel(time), cells, y.shape[1] > 3
        )
        np.logical_and(inside, found.inside, out=inside)
        derivatives = np.zeros_like(y)
        deform_all(found.velocity, found.L, found.inside, y, derivatives)
        return derivatives

    def advance(
        self, t: float | FloatArray, y: FloatArray, rates: FloatArray, h: float | FloatArray, cells: IntArray
    ) -> Advance:
        """A Runge–Kutta step of states with these rates, from time t by h: numbers, or (m, 1) where each has its own;
        ``cells`` as in :meth:`sample`."""
        inside = np.ones(len(y), bool)
        made = step(lambda time, own: self.rates(time, own, cells, inside), t, y, h, rates)
        way = DenseOutput.of_step(made, y, t, h, self.watched).positions
        speed = np.max([np.abs(each[:, :3]).max(axis=1) for each in made.rates], axis=0)
        return Advance(made.y, made.rates[-1], made.error(h), speed, inside, way)

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """Set ``inside`` (m,) to False for particles that meet a wall or a hole on their way between the ends of a
        step, which both are inside; ``cells`` (m,) are where they start. Not called where nothing is watched."""
        raise NotImplementedError

    def leg(self, start: float, end: float) -> float:
        """Make ready to integrate from one time towards another: up to which time the field is smooth (``end``, or
        before), and may be sampled until the next leg."""
        return end


@kernel()
def deform_all(velocity, L, inside, y, rates):  # type: ignore[no-untyped-def]
    """dy/dt (m, 3 or 12) of those inside."""
    for p in range(len(y)):
        if inside[p]:
            deform(velocity[p], L[p], y[p], rates[p])


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
    def advance(self, nodal: FloatArray, weights: FloatArray, step: Stages, cells: IntArray) -> Advance:
        """Stages of a step of particles through the field whose nodal values are Σ weights[s] nodal[s].

        ``nodal`` (k, …) stacks what :meth:`nodal` returns for k steps (1 or up to 4); ``weights`` is (1, stages, k), or
        (m, stages, k) where every particle has its own. ``cells``, and the threads, as in :meth:`Field.sample`.
        """

    def sample(self, nodal: FloatArray, weights: FloatArray, positions: FloatArray, cells: IntArray) -> Sample:
        """The field at positions (m, 3), weights (1 or m, k): the rates of states whose F is the identity."""
        y = np.hstack([positions, np.tile(np.eye(3).ravel(), (len(positions), 1))])
        step = Stages(y, y, np.zeros(1), (0, 1), np.empty((0, 7)))
        made = self.advance(nodal, weights[:, None], step, cells)
        v, L = np.split(made.rates, [3], axis=1)
        return Sample(np.ascontiguousarray(v), np.ascontiguousarray(L).reshape(-1, 3, 3), made.inside)

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

    @abstractmethod
    def weights(self, time: FloatArray) -> FloatArray:
        """Those of the steps at some times (m,): (m, k)."""

    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """The field at positions (m, 3) and a time of the leg."""
        return self.interpolant.sample(self._nodal, self.weights(np.atleast_1d(time)), positions, cells)

    def advance(
        self, t: float | FloatArray, y: FloatArray, rates: FloatArray, h: float | FloatArray, cells: IntArray
    ) -> Advance:
        """All stages of one particle after the other, compiled."""
        times = np.reshape(t, (-1, 1)) + np.reshape(h, (-1, 1)) * NODES[1:]
        weights = self.weights(times.ravel()).reshape(*times.shape, -1)
        whole = Stages(y, rates, np.ravel(np.asarray(h, float)), (1, len(NODES)), weights_within(self.watched))
        return self.interpolant.advance(self._nodal, weights, whole, cells)

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """By the interpolant, through what no step leaves open."""
        self.interpolant.trace(self._nodal, way.positions, cells, inside)


class SteadyField(InterpolatedField):
    """One flow, at rest in time."""

    def __init__(self, interpolant: Interpolant, flow: Flow) -> None:
        super().__init__(interpolant)
        self._nodal = interpolant.nodal(flow)[None]
        self.notes = interpolant.notes

    def weights(self, time: FloatArray) -> FloatArray:
        """One, whatever the time."""
        return np.ones((len(time), 1))
