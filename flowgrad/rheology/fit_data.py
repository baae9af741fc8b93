"""The shear rates and stresses that laws are fitted to, and what a law misses of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.autodiff.dual import Dual, is_at, next_level
from flowgrad.errors import OptionError
from flowgrad.rheology.least_squares import Residuals
from flowgrad.rheology.model import Model
from flowgrad.typing import FloatArray

# Two parameters (viscosity and scatter) and AICc's correction need this many points at least.
MIN_POINTS = 4
RESIDUALS = ("log", "relative")
# A law may turn negative far from the data (Carreau with n > 1 and η∞ > η0): misfit, not NaN.
_LEAST_RATIO = 1e-300


@dataclass(frozen=True, eq=False)
class FitData:
    """Points (n,) with the standard deviations of their stresses as parts of them, ``relative_sigma`` (n,):
    ``absolute`` ones, or only their ratios. ``known_to`` is the relative error that the data have besides."""

    rate: FloatArray
    stress: FloatArray
    relative_sigma: FloatArray
    residual: str
    known_to: float
    absolute: bool = False

    @property
    def scale(self) -> FloatArray:
        """By which deviations (n,) are divided: σ where it is absolute, else with 1 for the mean of 1/scale²."""
        if self.absolute:
            return self.relative_sigma
        return self.relative_sigma * np.sqrt(np.mean(self.relative_sigma**-2.0))

    def deviations(self, stress: FloatArray) -> FloatArray:
        """What a law's stresses (…, n) miss of each stress, as a fraction of it."""
        ratio = stress / self.stress
        return np.log(np.maximum(ratio, _LEAST_RATIO)) if self.residual == "log" else ratio - 1

    def mean_square(self, deviations: FloatArray) -> FloatArray:
        """Mean of the squared deviations (…, n), each with the weight 1/σ²."""
        with np.errstate(over="ignore"):
            return np.average(deviations**2, axis=-1, weights=self.relative_sigma**-2.0)

    def residuals(self, kind: type[Model]) -> Residuals:
        """Scaled deviations and their derivatives by the logarithms of the law's parameters."""
        return partial(self._residuals, kind)

    def _residuals(self, kind: type[Model], logs: FloatArray) -> tuple[FloatArray, FloatArray]:
        stress, slopes = stress_and_slopes(kind, logs, self.rate)
        part = stress if self.residual == "log" else np.broadcast_to(self.stress, stress.shape)
        slopes = np.where((stress > _LEAST_RATIO * self.stress)[:, None], slopes / part[:, None, :], 0.0)
        return self.deviations(stress) / self.scale, slopes / self.scale

    def variance(self, cost: float, freedom: int) -> float:
        """Of the scatter of scaled residuals whose squares sum to 2 ``cost``, not below what data are known to."""
        return 1.0 if self.absolute else max(2 * cost / freedom, self.known_to**2)

    def aicc(self, cost: float, parameters: int) -> float:
        """Akaike's criterion, corrected (Hurvich & Tsai 1989); the scatter is a parameter where it is estimated."""
        count = len(self.rate)
        k = parameters if self.absolute else parameters + 1
        misfit = 2 * cost if self.absolute else count * np.log(self.variance(cost, count))
        return float(misfit + 2 * k + 2 * k * (k + 1) / (count - k - 1))


def stress_and_slopes(kind: type[Model], logs: FloatArray, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Stresses (b, n) of b sets of parameters, given by their logarithms (b, p), and derivatives (b, p, n) by these."""
    names = tuple(kind.free())
    level, count = next_level(), len(names)
    shape = (len(logs), len(rate))
    values = np.broadcast_to(np.exp(logs).T[:, :, None], (count, *shape))
    carried = {name: Dual(values[k], values[k][None], level, (k,), count) for k, name in enumerate(names)}
    viscosity = with_parameters(kind, carried).law(np.broadcast_to(rate, shape))
    if not is_at(viscosity, level):
        raise TypeError(f"the law {kind.name} depends on none of its parameters")
    return viscosity.value * rate, viscosity.derivative.transpose(1, 0, 2) * rate  # type: ignore[attr-defined]


def stresses(kind: type[Model], logs: FloatArray, rate: FloatArray) -> FloatArray:
    """Stresses (b, n) of b sets of parameters, given by their logarithms (b, p)."""
    columns = dict(zip(kind.free(), np.exp(logs).T[:, :, None], strict=True))
    with np.errstate(all="ignore"):
        return with_parameters(kind, columns).law(rate[None, :]) * rate


def with_parameters(kind: type[Model], values: Mapping[str, Any]) -> Model:
    """A law whose parameters are arrays or dual numbers, without caps."""
    law = object.__new__(kind)
    for key, value in values.items():
        object.__setattr__(law, key, value)
    return law


def checked(
    rate: ArrayLike, stress: ArrayLike, sigma: ArrayLike | None, residual: str, known_to: float, absolute: bool
) -> FitData:
    """The data of a fit; OptionError for what cannot be fitted."""
    if residual not in RESIDUALS:
        raise OptionError(f"residual '{residual}' is unknown: choose one of {', '.join(RESIDUALS)}")
    if absolute and sigma is None:
        raise OptionError("absolute standard deviations were asked for, but none are given: give sigma (n,)")
    rates, stresses = np.asarray(rate, float), np.asarray(stress, float)
    deviations = stresses if sigma is None else np.asarray(sigma, float)
    named = {"shear rates": rates, "stresses": stresses, "sigma": deviations}
    shapes = {name: values.shape for name, values in named.items()}
    if rates.ndim != 1 or len(set(shapes.values())) != 1:
        raise OptionError(f"a fit needs arrays of one length, but the shapes are {shapes}: give (n,) each")
    if len(rates) < MIN_POINTS:
        raise OptionError(f"{len(rates)} points cannot tell one law from another: give at least {MIN_POINTS}")
    for name, values in named.items():
        bad = int(np.sum(~(np.isfinite(values) & (values > 0))))
        if bad:
            raise OptionError(f"{bad} of {len(values)} {name} are not positive and finite: leave them out")
    return FitData(rates, stresses, deviations / stresses, residual, known_to, absolute)
