"""What an exact flow is: the velocity and its exact gradient at any position and time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.exact.arrays import Array, sin, stack, where
from flowgrad.exact.parameters import Parameters
from flowgrad.typing import FloatArray

Components = tuple[Array, Array, Array]
Rows = tuple[Components, Components, Components]

# Beyond a wall by more than this fraction of the squared size of the vessel there is no fluid.
BEYOND_WALL = 1e-12

# Name → flow; every one is divergence-free and can be made without giving a parameter.
EXACT_FLOWS: dict[str, type[NamedFlow]] = {}


class ExactFlow(ABC):
    """A velocity that is known everywhere, with its gradient L_ij = ∂v_i/∂x_j.

    Positions are NumPy arrays, dual numbers, torch tensors or JAX arrays, and so are the results. A flow
    is called as a function, ``flow(x)`` or ``flow(x, time)``; a steady one makes no use of the time.
    """

    @abstractmethod
    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3) at positions (..., 3) and a time (0 if not given)."""

    @abstractmethod
    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3) at positions (..., 3) and a time (0 if not given)."""

    def __call__(self, x: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3) at positions x (..., 3). OptionError for positions of another shape."""
        x = np.asarray(x, float) if isinstance(x, (list, tuple)) else x
        if not x.ndim or x.shape[-1] != 3:
            raise OptionError(f"{type(self).__name__}: positions of shape {tuple(x.shape)}: give x, y, z, (..., 3)")
        return self.velocity(x, time)


class Formula(ExactFlow):
    """A flow written as formulas for the components in x, y, z and t."""

    @abstractmethod
    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """u, v, w: arrays, or numbers where they are the same everywhere; one at least an array."""

    @abstractmethod
    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """The rows of L: ∂u/∂x, ∂u/∂y, ∂u/∂z, then those of v and w."""

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Where there is fluid; NaN stands elsewhere. A wall belongs to the fluid."""
        return True

    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3)."""
        return self._vectors(positions, self.components(*_coordinates(positions, time)))[0]

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3)."""
        return stack(self._vectors(positions, *self.rows(*_coordinates(positions, time))), -2)

    def _vectors(self, positions: Array, *rows: Components) -> list[Array]:
        """Rows of components (..., 3), NaN where there is no fluid."""
        vectors = [_filled(row, positions[..., 0]) for row in rows]
        x, y, z = (positions[..., i : i + 1] for i in range(3))
        fluid = self.fluid(x, y, z)
        if fluid is True:
            return vectors
        # NaN in a function of all three, so that every derivative is NaN too, in forward and in reverse mode.
        void = sin(x + y + z) * where(fluid, 0.0, np.nan)
        return [vector + void for vector in vectors]


class NamedFlow(Parameters, Formula):
    """A flow of the literature, in ``EXACT_FLOWS`` under its name."""

    name: ClassVar[str]
    times: ClassVar[tuple[float, ...]] = (0.0,)

    def __init_subclass__(cls, name: str = "") -> None:
        super().__init_subclass__()
        if name:
            cls.name = name
            EXACT_FLOWS[name] = cls

    @property
    def box(self) -> tuple[Components, Components]:
        """Lowest and highest x, y, z of the part worth looking at."""
        return (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)

    def samples(self, count: int, seed: int = 0) -> FloatArray:
        """Random positions (count, 3) in the fluid within the box."""
        points = np.random.default_rng(seed).uniform(*self.box, size=(20 * count, 3))
        inside = np.broadcast_to(self.fluid(*points.T), len(points))
        return points[inside][:count]


def _coordinates(positions: Array, time: Array | None) -> tuple[Array, Array, Array, Array]:
    """x, y, z and t."""
    return positions[..., 0], positions[..., 1], positions[..., 2], 0.0 if time is None else time


def _filled(components: Components, x: Array) -> Array:
    """Components along a last axis, each in the shape of ``x``."""
    return stack([each + 0 * x if isinstance(each, (int, float)) else each for each in components], -1)
