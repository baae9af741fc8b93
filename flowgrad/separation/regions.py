"""Regions of a flow by what its fluid does there: a plug that does not yield, plateaus of the viscosity, and the rest.

The rules, with the margin m = ±5 % of the verdict:

- plug: |τ| = √(½ τ:τ) is at most (1 + m) τ0, τ0 the yield stress that was found or given, and γ̇ at most a tenth of
  its root mean square over the flow (regularised laws creep below the yield stress);
- low-rate and high-rate plateau: η is within m of what the law tends to at rest or at infinite rate; a plateau
  that the flow does not reach has no cells;
- sheared: all else that deforms; undetermined: what does not, or is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.rheology.model import Model
from flowgrad.rheology.thresholds import LOG_MARGIN, MARGIN
from flowgrad.rheology.verdict import Verdict
from flowgrad.typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from flowgrad.separation.separation import Separation

REGIONS = ("undetermined", "plug", "low-rate plateau", "sheared", "high-rate plateau")

# A plug deforms at most at this part of the flow's rms shear rate.
_PLUG_RATE = 0.1
# Rates so far beyond the flow's show what a law tends to.
_FAR = 1e9


def region_of(separation: Separation) -> NDArray[np.uint8]:
    """The region (n,) of each tensor, a code that indexes ``REGIONS``."""
    rate, eta, law = separation.gradient["shear_rate"], separation.eta, _law(separation)
    low, high = (np.nan, np.nan) if law is None else _plateaus(law, rate)
    with np.errstate(invalid="ignore"):
        deforms = separation.moving & (eta > 0)
    plug = np.zeros(len(rate), bool) if law is None else _plug(separation, law.yield_stress)
    codes = np.select([plug, ~deforms, _near(eta, low), _near(eta, high)], [1, 0, 2, 4], default=3)
    return codes.astype(np.uint8)


def shares_of_regions(separation: Separation) -> dict[str, tuple[float, float]]:
    """Part of the volume, and of the dissipation Σ V |τ:D|, in each of the ``REGIONS``."""
    weights = separation.gradient.weights
    measures = (weights, np.nan_to_num(weights * np.abs(separation.power)))
    sums = np.array([np.bincount(separation.region, each, minlength=len(REGIONS)) for each in measures])
    totals = sums.sum(axis=1, keepdims=True)
    parts = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
    return {name: (float(volume), float(power)) for name, (volume, power) in zip(REGIONS, parts.T, strict=True)}


def _law(separation: Separation) -> Model | None:
    """The law that was given, or the fitted one where it agrees with the verdict."""
    fit, verdict = separation.fit, separation.verdict
    if fit is None or verdict in (Verdict.NOT_DECIDED, Verdict.VISCOELASTIC):
        return None
    if verdict is Verdict.YIELD_STRESS:
        return next((each.model for each in separation.fits if each.model.yield_stress), fit.model)
    return None if fit.model.yield_stress else fit.model


def _plug(separation: Separation, yield_stress: float) -> BoolArray:
    rate = separation.gradient["shear_rate"]
    if not yield_stress:
        return np.zeros(len(rate), bool)
    size = tensors.norm(tensors.deviator(separation.stress)) / np.sqrt(2)
    known = np.where(np.isfinite(rate), separation.weights, 0.0)
    mean_square = separation.integral(rate**2) / max(float(known.sum()), 1e-300)
    with np.errstate(invalid="ignore"):
        slow = rate <= _PLUG_RATE * np.sqrt(mean_square)
        return np.asarray((size <= (1 + MARGIN) * yield_stress) & slow)


def _plateaus(law: Model, rate: FloatArray) -> tuple[float, float]:
    """η at rest and at infinite rate, NaN where they are the same to the margin or none."""
    largest = float(np.max(rate, where=np.isfinite(rate), initial=0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = law.viscosity(np.array([largest / _FAR, largest * _FAR]))
    if law.yield_stress:
        low = np.nan
    return (np.nan, np.nan) if _near(np.array([low]), high)[0] else (float(low), float(high))


def _near(viscosity: FloatArray, plateau: float) -> BoolArray:
    if not (np.isfinite(plateau) and plateau > 0):
        return np.zeros(len(viscosity), bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(np.log(viscosity / plateau)) <= LOG_MARGIN)
