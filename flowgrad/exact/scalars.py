"""Exact scalars, functions in closed form: the value, its gradient and its Hessian."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import pi
from math import sqrt as root
from typing import ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.exact.flow import Array, Correlation, Parameters, Positive, Real, exp, stack
from flowgrad.typing import FloatArray

# Name → function; every one can be made without giving a parameter.
EXACT_SCALARS: dict[str, type[ExactScalar]] = {}


class ExactScalar(Parameters, ABC):
    """A scalar function of positions (..., d): NumPy arrays, dual numbers, torch tensors or JAX arrays.

    It is called as a function, ``f(x)``, which is its value (...).
    """

    name: ClassVar[str]
    dimension: ClassVar[int] = 2

    def __init_subclass__(cls, name: str = "") -> None:
        super().__init_subclass__()
        if name:
            cls.name = name
            EXACT_SCALARS[name] = cls

    def __call__(self, x: Array) -> Array:
        """Values (...) at positions x (..., d). OptionError for positions of another shape."""
        x = np.asarray(x, float) if isinstance(x, (list, tuple)) else x
        if not x.ndim or x.shape[-1] != self.dimension:
            expected = f"(..., {self.dimension})"
            raise OptionError(f"{type(self).__name__}: positions of shape {tuple(x.shape)}: give {expected}")
        return self.value(x)

    @abstractmethod
    def value(self, positions: Array) -> Array:
        """Values (...) at positions (..., d)."""

    @abstractmethod
    def gradient(self, positions: Array) -> Array:
        """Gradients (..., d)."""

    @abstractmethod
    def hessian(self, positions: Array) -> Array:
        """Second derivatives (..., d, d), symmetric."""

    def samples(self, count: int, seed: int = 0) -> FloatArray:
        """Random positions (count, d) between −2 and 2."""
        return np.random.default_rng(seed).uniform(-2, 2, size=(count, self.dimension))


@dataclass(frozen=True)
class BivariateNormal(ExactScalar, name="bivariate-normal"):
    """p = exp(−½ (x − m)·Σ⁻¹(x − m))/(2π √det Σ), Σ = [[σ_x², ρσ_xσ_y], [ρσ_xσ_y, σ_y²]], any −1 < ρ < 1; gradient
    −pΣ⁻¹(x − m). Petersen & Pedersen 2012, The Matrix Cookbook, §8.1.1."""

    mean_x: Real = 0.0
    mean_y: Real = 0.0
    sigma_x: Positive = 1.0
    sigma_y: Positive = 1.0
    rho: Correlation = 0.0

    def value(self, positions: Array) -> Array:
        """The density (...)."""
        u = (positions[..., 0] - self.mean_x) / self.sigma_x
        v = (positions[..., 1] - self.mean_y) / self.sigma_y
        rest = (1 - self.rho) * (1 + self.rho)
        # u² − 2ρuv + v² without cancellation
        square = (u - self.rho * v) ** 2 / rest + v * v
        return exp(-0.5 * square) / (2 * pi * self.sigma_x * self.sigma_y * root(rest))

    def gradient(self, positions: Array) -> Array:
        """−pΣ⁻¹(x − m), (..., 2)."""
        p = self.value(positions)
        a, b = self._pull(positions)
        return stack([-p * a, -p * b], -1)

    def hessian(self, positions: Array) -> Array:
        """p [Σ⁻¹(x − m)(x − m)·Σ⁻¹ − Σ⁻¹], (..., 2, 2)."""
        p = self.value(positions)
        a, b = self._pull(positions)
        rest = (1 - self.rho) * (1 + self.rho)
        xx, yy = 1 / (self.sigma_x**2 * rest), 1 / (self.sigma_y**2 * rest)
        mixed = p * (a * b + self.rho / (self.sigma_x * self.sigma_y * rest))
        return stack([stack([p * (a * a - xx), mixed], -1), stack([mixed, p * (b * b - yy)], -1)], -2)

    def _pull(self, positions: Array) -> tuple[Array, Array]:
        """Σ⁻¹(x − m)."""
        u = (positions[..., 0] - self.mean_x) / self.sigma_x
        v = (positions[..., 1] - self.mean_y) / self.sigma_y
        rest = (1 - self.rho) * (1 + self.rho)
        return (u - self.rho * v) / (self.sigma_x * rest), (v - self.rho * u) / (self.sigma_y * rest)


@dataclass(frozen=True)
class GaussianHill(ExactScalar, name="gaussian-hill"):
    """h exp(−|x|²/(2σ²)) in space: ``height`` h and ``width`` σ (L), as a passive scalar or a temperature starts in
    tests of advection. Staniforth & Côté 1991, Mon. Weather Rev. 119, 2206."""

    height: Real = 1.0
    width: Positive = 1.0
    dimension = 3

    def value(self, positions: Array) -> Array:
        """The height (...)."""
        return self.height * exp(-0.5 / self.width**2 * sum(positions[..., i] ** 2 for i in range(3)))

    def gradient(self, positions: Array) -> Array:
        """−f x/σ², (..., 3)."""
        scaled = -self.value(positions) / self.width**2
        return stack([scaled * positions[..., i] for i in range(3)], -1)

    def hessian(self, positions: Array) -> Array:
        """f (x x/σ² − I)/σ², (..., 3, 3)."""
        scaled = self.value(positions) / self.width**2
        x = [positions[..., i] for i in range(3)]
        rows = [[scaled * (x[i] * x[j] / self.width**2 - (i == j)) for j in range(3)] for i in range(3)]
        return stack([stack(row, -1) for row in rows], -2)


@dataclass(frozen=True)
class Rosenbrock(ExactScalar, name="rosenbrock"):
    """(a − x)² + b (y − x²)², a curved valley, lowest at (a, a²) for b > 0. Rosenbrock 1960, Comput. J. 3, 175."""

    a: Real = 1.0
    b: Real = 100.0

    def value(self, positions: Array) -> Array:
        """The height (...)."""
        x, y = positions[..., 0], positions[..., 1]
        return (self.a - x) ** 2 + self.b * (y - x * x) ** 2

    def gradient(self, positions: Array) -> Array:
        """Gradients (..., 2)."""
        x, y = positions[..., 0], positions[..., 1]
        rise = 2 * self.b * (y - x * x)
        return stack([2 * (x - self.a) - 2 * x * rise, rise], -1)

    def hessian(self, positions: Array) -> Array:
        """Second derivatives (..., 2, 2)."""
        x, y = positions[..., 0], positions[..., 1]
        mixed = -4 * self.b * x
        first = stack([2 - 4 * self.b * (y - 3 * x * x), mixed], -1)
        return stack([first, stack([mixed, 2 * self.b + 0 * x], -1)], -2)
