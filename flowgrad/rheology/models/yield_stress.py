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
    MixingExponent,
    Model,
    Plateau,
    Rate,
    Regularisation,
    Stress,
    Time,
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


@dataclass(frozen=True)
class HeinzCasson(Capped, name="heinz-casson", citation="Heinz 1959, Materialprüfung 1, 311; Casson 1959"):
    """τ^n = τ0^n + (η γ̇)^n, within [eta_min, eta_max]: Casson's law at n = 1/2, Heinz's at 2/3, Bingham's at 1."""

    tau0: Stress
    eta: Viscosity
    n: MixingExponent
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """((τ0/γ̇)^n + η^n)^(1/n)."""
        return ((self.tau0 / rate) ** self.n + self.eta**self.n) ** (1 / self.n)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of n, with the τ0^n and η^n that suit the data best."""
        for n in (0.4, 0.5, 2 / 3, 1.0, 1.4):
            start, slope = coefficients(stress**n, np.ones_like(rate), rate**n)
            yield float(start ** (1 / n)), float(slope ** (1 / n)), n


@dataclass(frozen=True)
class RobertsonStiff(Capped, name="robertson-stiff", citation="Robertson & Stiff 1976, SPE J. 16, 31", ranked=False):
    """τ = K (γ̇ + γ̇_0)^n, within [eta_min, eta_max]: a power law of the rate with a yield stress K γ̇_0^n. Herschel
    and Bulkley's curves are so near that it is ranked only where it is named."""

    K: Consistency
    rate_0: Rate
    n: FlowIndex
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    @property
    def yield_stress(self) -> float:
        """K γ̇_0^n."""
        return float(self.K * self.rate_0**self.n)

    def yielded(self, rate: FloatArray) -> FloatArray:
        """That of the Herschel–Bulkley curve with the same stress, slope and curvature there, τ γ̇_0/(γ̇_0 + nγ̇), for
        K γ̇_0^n itself may lie far below the rates."""
        return self.law(rate) * rate * self.rate_0 / (self.rate_0 + self.n * rate)

    def law(self, rate: FloatArray) -> FloatArray:
        """K (γ̇ + γ̇_0)^n/γ̇."""
        return self.K * (rate + self.rate_0) ** self.n / rate

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of γ̇_0 and n, with the K that suits the data best."""
        rate_0, n = grid(1 / times(rate), _INDICES)
        yield from rows(*coefficients(stress, (rate + rate_0) ** n), rate_0, n)


@dataclass(frozen=True)
class Vocadlo(Capped, name="vocadlo", citation="Parzonka & Vočadlo 1968, Rheol. Acta 7, 260", ranked=False):
    """τ = (τ0^(1/n) + K^(1/n) γ̇)^n, within [eta_min, eta_max]; K in the units of a consistency. The curves are those
    of Robertson and Stiff, γ̇_0 = (τ0/K)^(1/n)."""

    tau0: Stress
    K: Consistency
    n: FlowIndex
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """(τ0^(1/n) + K^(1/n) γ̇)^n/γ̇."""
        return (self.tau0 ** (1 / self.n) + self.K ** (1 / self.n) * rate) ** self.n / rate

    def yielded(self, rate: FloatArray) -> FloatArray:
        """As Robertson and Stiff's."""
        return RobertsonStiff(self.K, (self.tau0 / self.K) ** (1 / self.n), self.n).yielded(rate)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """Those of Robertson and Stiff."""
        for K, rate_0, n in RobertsonStiff.guesses(rate, stress):
            yield K * rate_0**n, K, n


@dataclass(frozen=True)
class DeKee(Model, name="de-kee", citation="De Kee & Turcotte 1980, Chem. Eng. Commun. 6, 273"):
    """η = τ0/γ̇ + η∞ + η1 exp(−t1 γ̇): their law, beside it the plateau without which its stress would fall."""

    tau0: Stress
    eta1: Viscosity
    t1: Time
    eta_inf: Plateau

    def law(self, rate: FloatArray) -> FloatArray:
        """τ0/γ̇ + η∞ + η1 exp(−t1 γ̇)."""
        return self.tau0 / rate + self.eta_inf + self.eta1 * np.exp(-self.t1 * rate)

    def admissible(self) -> Any:
        """dτ/dγ̇ is least at t1γ̇ = 2, and there η∞ − η1/e²."""
        fall = self.eta1 * np.exp(-2.0)
        return (self.eta_inf - fall) / (self.eta_inf + fall)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of t1, with the τ0, η1 and η∞ that suit the data best."""
        (t1,) = grid(times(rate))
        tau0, eta1, eta_inf = coefficients(stress, np.ones_like(rate), rate * np.exp(-t1 * rate), rate)
        yield from rows(tau0, eta1, t1, np.maximum(eta_inf, 0.2 * eta1))


class Regularised(Model):
    """A yield stress that grows in with the shear rate, τ0 (1 − exp(−mγ̇))."""

    tau0: float
    m: float

    def yielded(self, rate: FloatArray) -> FloatArray:
        """τ0 (1 − exp(−mγ̇))."""
        return _regularised(self.tau0, self.m, rate) * rate


@dataclass(frozen=True)
class PapanastasiouBingham(
    Regularised, name="papanastasiou-bingham", citation="Papanastasiou 1987, J. Rheol. 31, 385; Bingham 1922"
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
    Regularised,
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
