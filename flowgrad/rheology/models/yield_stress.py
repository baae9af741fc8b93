"""Viscosity models of yield-stress fluids, or of what looks like one: η tends to τ0/γ̇ towards rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.rheology.model import (
    Cap,
    Capped,
    Consistency,
    FlowIndex,
    Model,
    Plateau,
    Rate,
    Regularisation,
    Stress,
    Viscosity,
)
from flowgrad.rheology.models.basic import coefficients, grid, rows, times
from flowgrad.typing import FloatArray

_INDICES = (0.3, 0.6, 1.0, 1.5)


@dataclass(frozen=True)
class Casson(Capped, name="casson", citation="Casson 1959, in Mill (ed.), Rheology of Disperse Systems, 84"):
    """η = (√(τ0/γ̇) + √η_c)², within [eta_min, eta_max]; ``eta`` is Casson's η_c."""

    tau0: Stress
    eta: Viscosity
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """(√(τ0/γ̇) + √η_c)²."""
        return np.square(np.sqrt(self.tau0 / rate) + np.sqrt(self.eta))

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """The straight line through √τ against √γ̇."""
        root0, root = coefficients(np.sqrt(stress), np.ones_like(rate), np.sqrt(rate))
        yield float(root0**2), float(root**2)


@dataclass(frozen=True)
class ThreeComponent(
    Capped, name="three-component", citation="Caggioni, Trappe & Spicer 2020, J. Rheol. 64, 413 (three component model)"
):
    """η = τ0/γ̇ + τ0/√(γ̇_c γ̇) + η_bg, within [eta_min, eta_max]: elastic, plastic and viscous dissipation."""

    tau0: Stress
    eta_bg: Plateau
    rate_c: Rate
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0/γ̇ (1 + √(γ̇/γ̇_c)) + η_bg."""
        return self.tau0 / rate * (1 + np.sqrt(rate / self.rate_c)) + self.eta_bg

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """The τ0, τ0/√γ̇_c and η_bg that suit the data best, where those are positive; and a grid of γ̇_c."""
        tau0, plastic, eta_bg = coefficients(stress, np.ones_like(rate), np.sqrt(rate), rate)
        if tau0 > 0 and plastic > 0:
            yield float(tau0), float(eta_bg), float((tau0 / plastic) ** 2)
        (rate_c,) = grid(1 / times(rate))
        yield from rows(*coefficients(stress, 1 + np.sqrt(rate / rate_c), rate), rate_c)


class _Regularised(Model):
    """A yield stress that grows in with the shear rate, τ0 (1 − exp(−mγ̇))."""

    tau0: float
    m: float

    def yielded(self, rate: FloatArray) -> FloatArray:
        """τ0 (1 − exp(−mγ̇))."""
        return _regularised(self.tau0, self.m, rate) * rate


@dataclass(frozen=True)
class PapanastasiouBingham(
    _Regularised, name="papanastasiou-bingham", citation="Papanastasiou 1987, J. Rheol. 31, 385; Bingham 1922"
):
    """η = τ0 (1 − exp(−mγ̇))/γ̇ + η_p (``eta``): Bingham's law with the finite viscosity mτ0 + η_p at rest."""

    tau0: Stress
    eta: Plateau
    m: Regularisation

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0 (1 − exp(−mγ̇))/γ̇ + η_p."""
        return _regularised(self.tau0, self.m, rate) + self.eta

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of m, with the τ0 and η_p that suit the data best."""
        (m,) = grid(np.append(times(rate), 100 / rate.min()))
        yield from rows(*coefficients(stress, -np.expm1(-m * rate), rate), m)


@dataclass(frozen=True)
class PapanastasiouHerschelBulkley(
    _Regularised,
    Capped,
    name="papanastasiou-herschel-bulkley",
    citation="Papanastasiou 1987, J. Rheol. 31, 385; Herschel & Bulkley 1926",
):
    """η = τ0 (1 − exp(−mγ̇))/γ̇ + K γ̇^(n−1), within [eta_min, eta_max]."""

    tau0: Stress
    K: Consistency
    n: FlowIndex
    m: Regularisation
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0 (1 − exp(−mγ̇))/γ̇ + K γ̇^(n−1)."""
        return _regularised(self.tau0, self.m, rate) + self.K * rate ** (self.n - 1)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of m and n, with the τ0 and K that suit the data best."""
        m, n = grid(np.append(times(rate), 100 / rate.min()), _INDICES)
        yield from rows(*coefficients(stress, -np.expm1(-m * rate), rate**n), n, m)


def _regularised(tau0: Any, m: Any, rate: FloatArray) -> Any:
    """τ0 (1 − exp(−mγ̇))/γ̇."""
    return -np.expm1(-m * rate) / rate * tau0
