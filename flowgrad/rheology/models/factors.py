"""Shift factors and relative viscosities: what temperature or a volume fraction multiplies viscosities by.

A liquid whose times and viscosities all scale with temperature by one factor a_T is thermorheologically simple:
η(γ̇, T) = a_T η(a_T γ̇, T_ref) (Ferry 1980, Viscoelastic Properties of Polymers, chapter 11).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray

GAS_CONSTANT = 8.314462618
"""R in J/(mol K) (CODATA 2018)."""

FACTORS: dict[str, type[Factor]] = {}


@dataclass(frozen=True)
class Factor(ABC):
    """A dimensionless multiplier of viscosities, 1 in a reference state.

    A frozen dataclass ``class Arrhenius(Factor, name="arrhenius", citation="…")`` with ``law`` is all it takes to add
    one. Raises OptionError for a name that another factor has and for a parameter that is not finite and positive.
    """

    name: ClassVar[str]
    citation: ClassVar[str]

    def __init_subclass__(cls, name: str = "", citation: str = "") -> None:
        if not name:
            return
        if FACTORS.get(name, cls).__qualname__ != cls.__qualname__:
            raise OptionError(f"the factor '{name}' is taken by {FACTORS[name].__qualname__}: choose another name")
        cls.name, cls.citation = name, citation
        FACTORS[name] = cls

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if not (isinstance(value, (int, float)) and 0 < value < np.inf):
                raise OptionError(f"{self.name}: {each.name} = {value!r} is impossible: give a positive, finite number")
            object.__setattr__(self, each.name, float(value))

    @abstractmethod
    def law(self, state: FloatArray) -> FloatArray:
        """The factor at temperatures in K or volume fractions, any shape."""

    def __call__(self, state: ArrayLike) -> FloatArray:
        """The factor at temperatures in K or volume fractions, any shape; NaN where the law does not reach."""
        with np.errstate(all="ignore"):
            return self.law(np.asarray(state, float))

    def __str__(self) -> str:
        return unparse(self.name, self)


@dataclass(frozen=True)
class Arrhenius(Factor, name="arrhenius", citation="Arrhenius 1889, Z. Phys. Chem. 4, 226; Andrade 1930"):
    """a_T = exp(E/R (1/T − 1/T_ref)), E the activation energy of flow in J/mol, T in K."""

    E: float
    T_ref: float

    def law(self, state: FloatArray) -> FloatArray:
        """exp(E/R (1/T − 1/T_ref)); NaN at T ≤ 0."""
        return np.exp(self.E / GAS_CONSTANT * (1 / np.where(state > 0, state, np.nan) - 1 / self.T_ref))

    @classmethod
    def fitted(cls, T: ArrayLike, a: ArrayLike, T_ref: float, sigma: ArrayLike | None = None) -> Self:
        """Weighted least squares of log a_T (m,) against 1/T (m,), 1 at T_ref; ``sigma`` (m,) are standard errors of
        log a_T. OptionError where a_T does not fall with the temperature."""
        x = 1 / np.asarray(T, float) - 1 / T_ref
        w = _weights(x, a, sigma)
        slope = np.sum(w * x * np.log(np.asarray(a, float))) / max(np.sum(w * x * x), 1e-300)
        if slope <= 0:
            raise OptionError(f"the shift factors {a!r} do not fall with the temperature: that is no Arrhenius")
        return cls(float(GAS_CONSTANT * slope), T_ref)


@dataclass(frozen=True)
class WLF(Factor, name="wlf", citation="Williams, Landel & Ferry 1955, J. Am. Chem. Soc. 77, 3701"):
    """log10 a_T = −c1 (T − T_ref)/(c2 + T − T_ref), c2 and T in K."""

    c1: float
    c2: float
    T_ref: float

    def law(self, state: FloatArray) -> FloatArray:
        """10^(−c1 (T − T_ref)/(c2 + T − T_ref)); NaN at and below T_ref − c2, where the law diverges."""
        above = self.c2 + state - self.T_ref
        return np.power(10.0, -self.c1 * (state - self.T_ref) / np.where(above > 0, above, np.nan))

    @classmethod
    def fitted(cls, T: ArrayLike, a: ArrayLike, T_ref: float, sigma: ArrayLike | None = None) -> Self:
        """Weighted least squares of log a_T (m,), 1 at T_ref; ``sigma`` (m,) are standard errors of log a_T.

        For each c2 the best c1 is linear; c2 is looked for from what keeps all temperatures above T_ref − c2 to
        10⁴ K, where the law is a straight line. OptionError for fewer than three temperatures (T_ref among them or
        not) and where a_T does not fall with the temperature.
        """
        x, y = np.asarray(T, float) - T_ref, np.log10(np.asarray(a, float))
        w = _weights(x, a, sigma)
        if np.unique(x[x != 0]).size < 2:
            raise OptionError("two temperatures beside the reference at least make c1 and c2: use an Arrhenius factor")

        def best(c2: float) -> tuple[float, float]:
            basis = -x / (c2 + x)
            c1 = float(np.sum(w * basis * y) / max(np.sum(w * basis**2), 1e-300))
            return c1, float(np.sum(w * (y - c1 * basis) ** 2))

        least = max(0.0, -float(x.min()))
        gap = _minimum(lambda log_gap: best(least + float(np.exp(log_gap)))[1], np.log(0.1), np.log(1e4))
        c2 = least + float(np.exp(gap))
        c1, _ = best(c2)
        if c1 <= 0:
            raise OptionError(f"the shift factors {a!r} do not fall with the temperature: that is no WLF")
        return cls(c1, c2, T_ref)


@dataclass(frozen=True)
class KriegerDougherty(
    Factor, name="krieger-dougherty", citation="Krieger & Dougherty 1959, Trans. Soc. Rheol. 3, 137"
):
    """η_r = (1 − φ/φ_m)^(−[η]φ_m) of a suspension with the volume fraction φ; ``intrinsic`` is [η], 2.5 for spheres
    (Einstein 1906)."""

    phi_m: float
    intrinsic: float = 2.5

    def law(self, state: FloatArray) -> FloatArray:
        """(1 − φ/φ_m)^(−[η]φ_m): infinite at φ_m and above, NaN for negative fractions."""
        left = np.where(state < 0, np.nan, np.maximum(1 - state / self.phi_m, 0.0))
        return left ** (-self.intrinsic * self.phi_m)


def parse_factor(text: str) -> Factor:
    """The factor of a text such as ``arrhenius(E=40e3, T_ref=298.15)``; OptionError for what is none."""
    return parse(text, FACTORS, "factor")


def _weights(x: FloatArray, a: ArrayLike, sigma: ArrayLike | None) -> FloatArray:
    """1/σ² (m,) of the logarithms of positive factors (m,)."""
    factors = np.asarray(a, float)
    if factors.shape != x.shape or not (np.isfinite(x) & (factors > 0)).all():
        raise OptionError(f"{x.shape} temperatures and {factors.shape} factors: give finite (m,) and positive (m,)")
    return np.ones_like(x) if sigma is None else np.asarray(sigma, float) ** -2.0


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function of one variable is least: on a grid, then between its neighbours."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(low, high, 60)
    k = int(np.argmin([function(each) for each in grid]))
    ends = grid[max(k - 1, 0)], grid[min(k + 1, 59)]
    return float(minimize_scalar(function, bounds=ends, method="bounded", options={"xatol": 1e-10}).x)
