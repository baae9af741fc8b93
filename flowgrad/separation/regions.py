"""Regions of a flow: a plug that does not yield, plateaus of the viscosity, the rest; the evidence beside a curve.

The rules, with the margin m = ±5 % of the verdict:

- plug: |τ| = √(½ τ:τ) is at most (1 + m) τ0, τ0 the yield stress that was found or given, and γ̇ at most a tenth of
  its root mean square over the flow (regularised models creep below the yield stress);
- low-rate and high-rate plateau: η is within m of what the model tends to at rest or at infinite rate; a plateau
  that the flow does not reach has no cells;
- sheared: all else that deforms; undetermined: what does not, or is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.momentum.solvent import MomentumBalance
from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.finding import Finding
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import Numbers
from flowgrad.rheology.model import Model
from flowgrad.rheology.thresholds import LOG_MARGIN, MARGIN
from flowgrad.typing import BoolArray, FloatArray

REGIONS = ("undetermined", "plug", "low-rate plateau", "sheared", "high-rate plateau")

# A plug deforms at most at this part of the flow's rms shear rate.
_PLUG_RATE = 0.1
# Rates so far beyond the flow's show what a model tends to.
_FAR = 1e9


def regions_of(
    rate: FloatArray,
    eta: FloatArray,
    moving: BoolArray,
    model: Model | None,
    stress: FloatArray | None,
    weights: FloatArray,
) -> NDArray[np.uint8]:
    """The region (n,) of each tensor, a code that indexes ``REGIONS``, by its shear rate, viscosity, whether it is
    ``moving``, and the model of the fluid; for a yield stress by its ``stress`` (n, 3, 3) and weight, too."""
    with np.errstate(invalid="ignore"):
        deforms = moving & (eta > 0)
    plug, low, high = np.zeros(len(rate), bool), np.nan, np.nan
    if model is not None:
        largest = float(np.max(rate, where=np.isfinite(rate), initial=0.0))
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = model.viscosity(np.array([largest / _FAR, largest * _FAR]))
        if stress is not None and model.yield_stress:
            plug, low = _plug(rate, stress, weights, model.yield_stress), np.nan
        if _near(np.array([low]), high)[0]:
            low, high = np.nan, np.nan
    codes = np.select([plug, ~deforms, _near(eta, low), _near(eta, high)], [1, 0, 2, 4], default=3)
    return codes.astype(np.uint8)


def model_for_regions(finding: Finding, fit: Fit | None) -> Model | None:
    """The model that was given, or the fitted one where it agrees with the verdict."""
    if fit is None or finding.verdict in (Verdict.NOT_DECIDED, Verdict.NON_NEWTONIAN, Verdict.VISCOELASTIC):
        return None
    # A yield stress too small to show at the rates of the flow tells no plug.
    return None if fit.model.yield_stress and finding.verdict is not Verdict.YIELD_STRESS else fit.model


def _plug(rate: FloatArray, stress: FloatArray, weights: FloatArray, yield_stress: float) -> BoolArray:
    size = tensors.norm(tensors.deviator(stress)) / np.sqrt(2)
    known = np.where(np.isfinite(rate), weights, 0.0)
    mean_square = float(np.nansum(weights * rate**2)) / max(float(known.sum()), 1e-300)
    with np.errstate(invalid="ignore"):
        slow = rate <= _PLUG_RATE * np.sqrt(mean_square)
        return np.asarray((size <= (1 + MARGIN) * yield_stress) & slow)


def _near(viscosity: FloatArray, plateau: float) -> BoolArray:
    if not (np.isfinite(plateau) and plateau > 0):
        return np.zeros(len(viscosity), bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(np.log(viscosity / plateau)) <= LOG_MARGIN)


def of_elasticity(N1: FloatArray, eta: FloatArray, rate: FloatArray, moving: BoolArray) -> Numbers:
    """Relaxation time and Weissenberg number, by the first normal stress difference where the fluid deforms."""
    known = moving & (eta > 0) & np.isfinite(N1)
    if known.any():
        ratio = N1[known] / (2 * eta[known] * rate[known] ** 2)
        yield "relaxation_time", np.median(ratio)
        yield "weissenberg_max", np.max(ratio * rate[known])


def of_regions(shares: Mapping[str, tuple[float, float]]) -> Numbers:
    """The parts of the volume and the dissipation in a plug and on plateaus, where there are any."""
    keys = {"plug": "plug", "low-rate plateau": "low_plateau", "high-rate plateau": "high_plateau"}
    for name, key in keys.items():
        volume, dissipation = shares[name]
        if volume:
            yield f"{key}_volume", volume
            yield f"{key}_dissipation", dissipation


def of_balance(balance: MomentumBalance, eta_newtonian: float) -> Numbers:
    """What the balance of momentum needs beside a stress of this Newtonian viscosity."""
    yield "balance_tests", balance.tests
    if balance.is_determined:
        yield "balance_viscosity", balance.viscosity
        yield "balance_low", balance.interval[0]
        yield "balance_high", balance.interval[1]
        yield "balance_share", balance.viscosity / (balance.viscosity + eta_newtonian)
        yield "balance_unbalanced", balance.unbalanced
        yield "balance_without", balance.without
