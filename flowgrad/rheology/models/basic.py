"""Viscosity models of the first textbooks, simplest first, and the grids from which fits start.

η is the viscosity of τ = 2ηD, which in shear is τ = ηγ̇.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from flowgrad.rheology.model import (
    Cap,
    Capped,
    Consistency,
    Exponent,
    FlowIndex,
    Model,
    Plateau,
    Stress,
    Time,
    Viscosity,
)
from flowgrad.typing import FloatArray

FLOW_INDICES = (0.1, 0.35, 0.65, 0.9, 1.5)


def times(rate: FloatArray) -> FloatArray:
    """Times whose inverses span the rates of the data."""
    return np.geomspace(1 / rate.max(), 1 / rate.min(), 6)


def grid(*axes: Iterable[float]) -> list[FloatArray]:
    """Columns (g, 1) of all combinations of the values of each axis."""
    return [column[:, None] for column in np.array(list(product(*axes))).T]


def coefficients(target: FloatArray, *basis: FloatArray) -> list[FloatArray]:
    """Non-negative c (k, …) for which Σ c_i basis_i is nearest to the target (n,), relatively; basis (…, n) each.

    Of the best solutions with some c_i = 0 the one with the least misfit (Lawson & Hanson 1974, chapter 23).
    """
    matrix = np.stack(np.broadcast_arrays(*basis), axis=-2) / target
    size = np.maximum(np.abs(matrix).max(axis=-1), 1e-300)
    matrix = matrix / size[..., None]
    normal, right = matrix @ matrix.swapaxes(-1, -2), matrix.sum(axis=-1)
    count = len(basis)
    best, gain = np.zeros(right.shape), np.zeros(right.shape[:-1])
    for chosen in (list(each) for size in range(1, count + 1) for each in combinations(range(count), size)):
        among = np.zeros(count, bool)
        among[chosen] = True
        part = normal[..., chosen, :][..., chosen]
        part = part + 1e-14 * np.eye(len(chosen)) * part.max(axis=(-1, -2), keepdims=True)
        found = np.linalg.solve(part, right[..., chosen, None])[..., 0]
        lowered = np.sum(found * right[..., chosen], axis=-1)
        better = (lowered > gain) & (found >= 0).all(axis=-1)
        best[better] = 0.0
        best[better[..., None] & among] = found[better].ravel()
        gain = np.where(better, lowered, gain)
    return list(np.moveaxis(best / size, -1, 0))


def rows(*columns: FloatArray) -> Iterator[tuple[float, ...]]:
    """Guesses from the columns of their parameters, (g,) or (g, 1) each."""
    yield from zip(*(np.ravel(column).tolist() for column in columns), strict=True)


# Grids from which fits start; the linear parameters follow from the data at each node.
_CROSS_EXPONENTS = (0.4, 0.8, 1.5, 3.0)
_SHARPNESS = (0.7, 2.0, 5.0)


@dataclass(frozen=True)
class Newtonian(Model, name="newtonian", citation="Newton 1687, Principia, Book II, Section IX"):
    """η constant, the slope of stress against shear rate."""

    eta: Viscosity

    def law(self, rate: FloatArray) -> FloatArray:
        """η at shear rates."""
        return np.where(np.isnan(rate), np.nan, self.eta)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """The log-mean."""
        yield (float(np.exp(np.mean(np.log(stress / rate)))),)


@dataclass(frozen=True)
class PowerLaw(Capped, name="power-law", citation="Ostwald 1925, Kolloid-Z. 36, 99; de Waele 1923"):
    """η = K γ̇^(n−1), within [eta_min, eta_max] as in OpenFOAM's powerLaw."""

    K: Consistency
    n: FlowIndex
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """K γ̇^(n−1)."""
        return self.K * rate ** (self.n - 1)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """The straight line through log τ against log γ̇."""
        n, intercept = np.polyfit(np.log(rate), np.log(stress), 1)
        yield float(np.exp(intercept)), float(max(n, 0.01))


@dataclass(frozen=True)
class Cross(Model, name="cross", citation="Cross 1965, J. Colloid Sci. 20, 417"):
    """η = η∞ + (η0 − η∞)/(1 + (λγ̇)^n); OpenFOAM's CrossPowerLaw calls λ m."""

    eta0: Plateau
    eta_inf: Plateau
    lam: Time
    n: Exponent

    def law(self, rate: FloatArray) -> FloatArray:
        """η∞ + (η0 − η∞)/(1 + (λγ̇)^n)."""
        return self.eta_inf + (self.eta0 - self.eta_inf) / (1 + (self.lam * rate) ** self.n)

    def admissible(self) -> Any:
        """dτ/dγ̇ is least where (λγ̇)^n = (n + 1)/(n − 1), and there η∞ − (η0 − η∞)(n − 1)²/(4n)."""
        # The roots of both sides, in which the bound is nearly straight.
        fall = np.maximum(self.n - 1, 0.0) * np.sqrt(np.maximum(self.eta0 - self.eta_inf, 0.0) / (4 * self.n))
        return (np.sqrt(self.eta_inf) - fall) / (np.sqrt(self.eta_inf) + fall)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of λ and n, with the plateaus that suit the data best."""
        lam, n = grid(times(rate), _CROSS_EXPONENTS)
        share = 1 / (1 + (lam * rate) ** n)
        yield from rows(*coefficients(stress / rate, share, 1 - share), lam, n)


@dataclass(frozen=True)
class Carreau(Model, name="carreau", citation="Carreau 1972, Trans. Soc. Rheol. 16, 99; Bird et al. 1987, eq. 4.1-9"):
    """η = η∞ + (η0 − η∞)(1 + (λγ̇)²)^((n−1)/2)."""

    eta0: Plateau
    eta_inf: Plateau
    lam: Time
    n: FlowIndex

    def law(self, rate: FloatArray) -> FloatArray:
        """η∞ + (η0 − η∞)(1 + (λγ̇)²)^((n−1)/2)."""
        return _carreau_yasuda(rate, self.eta0, self.eta_inf, self.lam, self.n, 2.0)

    def admissible(self) -> Any:
        """η would fall below zero where n > 1 beside η∞ > η0; the stress rises in all other cases."""
        return np.maximum(1 - self.n, 1 - self.eta_inf / self.eta0)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of λ and n, with the plateaus that suit the data best."""
        lam, n = grid(times(rate), FLOW_INDICES)
        share = _carreau_yasuda(rate, 1.0, 0.0, lam, n, 2.0)
        yield from rows(*coefficients(stress / rate, share, 1 - share), lam, n)


@dataclass(frozen=True)
class CarreauYasuda(Model, name="carreau-yasuda", citation="Yasuda, Armstrong & Cohen 1981, Rheol. Acta 20, 163"):
    """η = η∞ + (η0 − η∞)(1 + (λγ̇)^a)^((n−1)/a); a = 2 is Carreau's law."""

    eta0: Plateau
    eta_inf: Plateau
    lam: Time
    n: FlowIndex
    a: Exponent = 2.0

    def law(self, rate: FloatArray) -> FloatArray:
        """η∞ + (η0 − η∞)(1 + (λγ̇)^a)^((n−1)/a)."""
        return _carreau_yasuda(rate, self.eta0, self.eta_inf, self.lam, self.n, self.a)

    def admissible(self) -> Any:
        """η would fall below zero where n > 1 beside η∞ > η0; the stress rises in all other cases."""
        return np.maximum(1 - self.n, 1 - self.eta_inf / self.eta0)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of λ, n and a, with the plateaus that suit the data best."""
        lam, n, a = grid(times(rate), FLOW_INDICES, _SHARPNESS)
        share = _carreau_yasuda(rate, 1.0, 0.0, lam, n, a)
        yield from rows(*coefficients(stress / rate, share, 1 - share), lam, n, a)


@dataclass(frozen=True)
class Bingham(Capped, name="bingham", citation="Bingham 1922, Fluidity and Plasticity"):
    """η = τ0/γ̇ + η_p (``eta``, the plastic viscosity), within [eta_min, eta_max]."""

    tau0: Stress
    eta: Plateau
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0/γ̇ + η_p."""
        return self.tau0 / rate + self.eta

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """The straight line through τ against γ̇."""
        yield from rows(*coefficients(stress, np.ones_like(rate), rate))


@dataclass(frozen=True)
class HerschelBulkley(Capped, name="herschel-bulkley", citation="Herschel & Bulkley 1926, Kolloid-Z. 39, 291"):
    """η = τ0/γ̇ + K γ̇^(n−1), within [eta_min, eta_max] (OpenFOAM's nu0 is eta_max)."""

    tau0: Stress
    K: Consistency
    n: FlowIndex
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0/γ̇ + K γ̇^(n−1)."""
        return self.tau0 / rate + self.K * rate ** (self.n - 1)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of n, with the τ0 and K that suit the data best."""
        (n,) = grid((0.25, 0.5, 0.75, 1.0, 1.5))
        yield from rows(*coefficients(stress, np.ones_like(rate), rate**n), n)


def _carreau_yasuda(rate: FloatArray, eta0: Any, eta_inf: Any, lam: Any, n: Any, a: Any) -> Any:
    return eta_inf + (eta0 - eta_inf) * (1 + (lam * rate) ** a) ** ((n - 1) / a)
