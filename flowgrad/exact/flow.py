"""Exact flows: velocity and gradient in closed form at any position and time, the checks of their parameters, and the
functions that formulas need for whatever array they are given (NumPy, dual numbers, torch or JAX).

Functions are written so that every derivative is right where the plain formula reads 0/0 or inf·0: the branch that is
not taken gets a harmless argument, so that it carries no NaN into reverse mode.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Annotated, Any, ClassVar, get_type_hints

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.typing import FloatArray


@dataclass(frozen=True)
class Range:
    """Which numbers are possible, in words and as a test."""

    words: str
    holds: Callable[[float], bool]


Real = Annotated[float, Range("finite", math.isfinite)]
Positive = Annotated[float, Range("finite and positive", lambda value: 0 < value < math.inf)]
NotNegative = Annotated[float, Range("finite and not negative", lambda value: 0 <= value < math.inf)]
Correlation = Annotated[float, Range("above −1 and below 1", lambda value: -1 < value < 1)]


@dataclass(frozen=True)
class Parameters:
    """A frozen dataclass whose annotated fields are checked and kept as floats.

    Raises OptionError for a parameter that is not a number or lies out of its range.
    """

    def __post_init__(self) -> None:
        for key, allowed in self.ranges().items():
            object.__setattr__(self, key, _checked(type(self).__name__, key, allowed, getattr(self, key)))

    @classmethod
    def ranges(cls) -> dict[str, Range]:
        """What each parameter may be, in the order of the fields."""
        hints = get_type_hints(cls, include_extras=True)
        kinds = {field.name: getattr(hints[field.name], "__metadata__", ()) for field in dataclasses.fields(cls)}
        return {key: kind[0] for key, kind in kinds.items() if kind}


def _checked(owner: str, key: str, allowed: Range, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{owner}: {key} = {value!r} is not a number: write {key}=1.0") from None
    if not allowed.holds(number):
        raise OptionError(f"{owner}: {key} = {number:g} is impossible: give one that is {allowed.words}")
    return number


# A NumPy array, a dual number, a torch tensor, a JAX array, or a tracer of either.
Array = Any


def namespace(x: Array) -> ModuleType:
    """The module whose functions take ``x``: torch, jax.numpy, or numpy for all else; imports neither of the two."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    if jax is not None and isinstance(x, jax.Array):
        return sys.modules["jax.numpy"]
    return np


def like(x: Array, constants: np.ndarray) -> Array:
    """Constants as an array of the kind, precision and device of ``x``."""
    module = namespace(x)
    if module is np:
        return constants
    on_device = {"device": x.device} if module.__name__ == "torch" else {}
    return module.asarray(constants, dtype=x.dtype, **on_device)


def _function(name: str) -> Callable[[Array], Array]:
    # Numbers are Python's own, which mix with every kind of array.
    return lambda x: getattr(math if isinstance(x, (int, float)) else namespace(x), name)(x)


sin, cos, exp, expm1, sqrt = (_function(name) for name in ("sin", "cos", "exp", "expm1", "sqrt"))


def where(condition: Array, chosen: Array, other: Array) -> Array:
    """The one or the other."""
    if isinstance(condition, (bool, np.bool_)):
        return chosen if condition else other
    return namespace(condition).where(condition, chosen, other)


def stack(parts: Sequence[Array], axis: int) -> Array:
    """Along a new axis; parts that are numbers take the shape of those that are arrays."""
    full = next((part for part in parts if not isinstance(part, (int, float))), 0.0)
    parts = [part + 0 * full if isinstance(part, (int, float)) else part for part in parts]
    return namespace(full).stack(parts, axis)


# Below this the series is summed; its 16th term is then less than rounding.
_SMALL = 0.5
_SERIES = [(-1) ** k / math.factorial(k + 1) for k in range(16)]
# Whole powers below this one are products.
_PRODUCT = 9
_SLOPE_SERIES = [k * c for k, c in enumerate(_SERIES)][1:]


def relative_decay(q: Array) -> Array:
    """(1 − e^−q)/q, which is 1 at q = 0."""
    small = q < _SMALL
    near, far = where(small, q, 0.0), where(small, 1.0, q)
    return where(small, _polynomial(_SERIES, near), -expm1(-far) / far)


def relative_decay_slope(q: Array) -> Array:
    """Derivative of (1 − e^−q)/q, which is −1/2 at q = 0."""
    small = q < _SMALL
    near, far = where(small, q, 0.0), where(small, 1.0, q)
    return where(small, _polynomial(_SLOPE_SERIES, near), (exp(-far) + expm1(-far) / far) / far)


def excess_power(square: Array, start: float, exponent: float) -> Array:
    """(r − start)^exponent beyond r = √square = ``start``, 0 below, for an exponent above 1."""
    if start == 0:
        return _power(square, exponent / 2)
    excess = sqrt(where(square > 0, square, start**2)) - start
    return _positive_power(excess, exponent)


def excess_power_slope(square: Array, start: float, exponent: float) -> Array:
    """Derivative of ``excess_power`` with respect to ``square``; 0 at r = 0, where it only ever meets r."""
    if start == 0:
        return exponent / 2 * _power(square, exponent / 2 - 1)
    r = sqrt(where(square > 0, square, start**2))
    return exponent / 2 * _positive_power(r - start, exponent - 1) / r


def _polynomial(coefficients: list[float], x: Array) -> Array:
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _power(base: Array, exponent: float) -> Array:
    """A whole power as a product, differentiable at 0 as often as one likes."""
    if exponent.is_integer() and exponent < _PRODUCT:
        return math.prod([base] * int(exponent), start=1.0)
    return _positive_power(base, exponent)


def _positive_power(base: Array, exponent: float) -> Array:
    """A power of a positive base, 0 elsewhere."""
    positive = base > 0
    return where(positive, where(positive, base, 1.0) ** exponent, 0.0)


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


class FlowFormula(ExactFlow):
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
        x, y, z = (positions[..., i] for i in range(3))
        components = self.components(x, y, z, 0.0 if time is None else time)
        return self._vectors(positions, components)[0]

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3)."""
        x, y, z = (positions[..., i] for i in range(3))
        rows = self.rows(x, y, z, 0.0 if time is None else time)
        return stack(self._vectors(positions, *rows), -2)

    def _vectors(self, positions: Array, *rows: Components) -> list[Array]:
        """Rows of components (..., 3), NaN where there is no fluid."""
        full = 0 * positions[..., 0]
        vectors = [stack([c + full if isinstance(c, (int, float)) else c for c in row], -1) for row in rows]
        x, y, z = (positions[..., i : i + 1] for i in range(3))
        fluid = self.fluid(x, y, z)
        if fluid is True:
            return vectors
        # NaN in a function of all three, so that every derivative is NaN too, in forward and in reverse mode.
        void = sin(x + y + z) * where(fluid, 0.0, np.nan)
        return [vector + void for vector in vectors]


class NamedFlow(Parameters, FlowFormula):
    """A flow of the literature, in ``EXACT_FLOWS`` under its name; ``box`` has the lowest and the highest x, y, z of
    the part worth looking at."""

    name: ClassVar[str]
    times: ClassVar[tuple[float, ...]] = (0.0,)
    box: tuple[Components, Components] = (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)

    def __init_subclass__(cls, name: str = "") -> None:
        super().__init_subclass__()
        if name:
            cls.name = name
            EXACT_FLOWS[name] = cls

    def samples(self, count: int, seed: int = 0) -> FloatArray:
        """Random positions (count, 3) in the fluid within the box."""
        points = np.random.default_rng(seed).uniform(*self.box, size=(20 * count, 3))
        inside = np.broadcast_to(self.fluid(*points.T), len(points))
        return points[inside][:count]
