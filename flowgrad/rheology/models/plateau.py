"""Viscosity models with a Newtonian plateau at low rates, at high rates, or at both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.autodiff.dual import plain
from flowgrad.rheology.model import (
    Cap,
    Capped,
    Consistency,
    CriticalStress,
    FlowIndex,
    Model,
    Plateau,
    Steepness,
    StressModel,
    Time,
    Viscosity,
)
from flowgrad.rheology.models.basic import FLOW_INDICES, coefficients, grid, rows, times
from flowgrad.typing import FloatArray

_STEEPNESSES = (1.3, 2.0, 3.5, 8.0)
# Below it sinh⁻¹(x)/x is 1 to rounding.
_SMALL = 1e-8


@dataclass(frozen=True)
class Sisko(Capped, name="sisko", citation="Sisko 1958, Ind. Eng. Chem. 50, 1789"):
    """η = η∞ + K γ̇^(n−1), within [eta_min, eta_max]."""

    eta_inf: Plateau
    K: Consistency
    n: FlowIndex
    eta_min: Cap = 0.0
    eta_max: Cap = np.inf

    def law(self, rate: FloatArray) -> FloatArray:
        """η∞ + K γ̇^(n−1)."""
        return self.eta_inf + self.K * rate ** (self.n - 1)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of n, with the η∞ and K that suit the data best."""
        (n,) = grid((0.02, *FLOW_INDICES, 2.0))
        yield from rows(*coefficients(stress, rate, rate**n), n)


@dataclass(frozen=True)
class PowellEyring(Model, name="powell-eyring", citation="Powell & Eyring 1944, Nature 154, 427"):
    """η = η∞ + (η0 − η∞) sinh⁻¹(λγ̇)/(λγ̇)."""

    eta0: Plateau
    eta_inf: Plateau
    lam: Time

    def law(self, rate: FloatArray) -> FloatArray:
        """η∞ + (η0 − η∞) sinh⁻¹(λγ̇)/(λγ̇)."""
        return self.eta_inf + (self.eta0 - self.eta_inf) * _eyring(self.lam * rate)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of λ, with the plateaus that suit the data best."""
        (lam,) = grid(np.append(times(rate), 100 / rate.min()))
        share = _eyring(lam * rate)
        yield from rows(*coefficients(stress / rate, share, 1 - share), lam)


@dataclass(frozen=True)
class Quemada(Model, name="quemada", citation="Quemada 1978, Rheol. Acta 17, 632"):
    """1/√η = (1/√η0 + √(λγ̇)/√η∞)/(1 + √(λγ̇)): Quemada's (1 − kφ/2)/√η_F with its limits η0 and η∞."""

    eta0: Viscosity
    eta_inf: Viscosity
    lam: Time

    def law(self, rate: FloatArray) -> FloatArray:
        """((1 + √(λγ̇))/(1/√η0 + √(λγ̇)/√η∞))²."""
        root = np.sqrt(self.lam * rate)
        return np.square((1 + root) / (1 / np.sqrt(self.eta0) + root / np.sqrt(self.eta_inf)))

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of λ, with the plateaus that suit the data best."""
        (lam,) = grid(times(rate))
        share = 1 / (1 + np.sqrt(lam * rate))
        zero, infinite = coefficients(np.sqrt(rate / stress), share, 1 - share)
        with np.errstate(divide="ignore"):
            yield from rows(zero**-2.0, infinite**-2.0, lam)


@dataclass(frozen=True)
class Ellis(StressModel, name="ellis", citation="Matsuhisa & Bird 1965, AIChE J. 11, 588"):
    """η = η0/(1 + (τ/τ½)^(α−1)) with τ = ηγ̇, solved for η at each rate; η is η0/2 at τ½ (``tau_half``)."""

    eta0: Viscosity
    tau_half: CriticalStress
    alpha: Steepness

    def log_viscosity(self, log_stress: Any) -> Any:
        """log η0 − log(1 + (τ/τ½)^(α−1))."""
        return np.log(self.eta0) - np.logaddexp(0.0, (self.alpha - 1) * (log_stress - np.log(self.tau_half)))

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of τ½ and α, with the log-mean of the η0 that each point gives."""
        tau_half, alpha = grid(np.geomspace(stress.min(), stress.max(), 6), _STEEPNESSES)
        eta0 = stress / rate * (1 + (stress / tau_half) ** (alpha - 1))
        yield from rows(np.exp(np.mean(np.log(eta0), axis=1)), tau_half, alpha)


@dataclass(frozen=True)
class Meter(StressModel, name="meter", citation="Meter 1964, AIChE J. 10, 878"):
    """η = η∞ + (η0 − η∞)/(1 + (τ/τ_m)^(α−1)) with τ = ηγ̇, solved for η at each rate; Ellis's law with η∞."""

    eta0: Plateau
    eta_inf: Plateau
    tau_m: CriticalStress
    alpha: Steepness

    def log_viscosity(self, log_stress: Any) -> Any:
        """log(η∞ + (η0 − η∞)/(1 + (τ/τ_m)^(α−1)))."""
        ratio = np.exp((self.alpha - 1) * (log_stress - np.log(self.tau_m)))
        return np.log(self.eta_inf + (self.eta0 - self.eta_inf) / (1 + ratio))

    def admissible(self) -> Any:
        """d log η/d log τ is at most (α − 1)(√η∞ − √η0)/(√η∞ + √η0), and has to be below 1."""
        first, last = np.sqrt(self.eta0), np.sqrt(self.eta_inf)
        return 1 - (self.alpha - 1) * np.maximum((last - first) / (last + first), 0.0)

    @classmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterator[tuple[float, ...]]:
        """A grid of τ_m and α, with the plateaus that suit the data best."""
        tau_m, alpha = grid(np.geomspace(stress.min(), stress.max(), 6), _STEEPNESSES)
        share = 1 / (1 + (stress / tau_m) ** (alpha - 1))
        yield from rows(*coefficients(stress / rate, share, 1 - share), tau_m, alpha)


def _eyring(x: FloatArray) -> FloatArray:
    """sinh⁻¹(x)/x."""
    y = np.where(plain(x) < _SMALL, _SMALL, x)
    return np.where(plain(x) < _SMALL, 1.0, np.arcsinh(y) / y)
