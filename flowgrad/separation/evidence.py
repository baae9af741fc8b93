"""Evidence for the verdict on a flow: its flow curve, parts of the stress, regions and momentum balance in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import Numbers, of_curve, of_trend
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.rheology.verdict import Verdict, law_curve

if TYPE_CHECKING:
    from flowgrad.separation.separation import Separation


def numbers(separation: Separation) -> dict[str, float]:
    """What is known: the curve's ends, its trend, the parts of the stress, the cells left out."""
    curve = separation.curve
    found = {"margin": thresholds.MARGIN, "eta_newtonian": separation.eta_newtonian}
    found |= {f"excluded_{name}": count for name, count in curve.excluded.items()}
    if len(curve):
        law = separation.given.law
        shown = law_curve(law, curve) if law else curve
        found |= dict(_of_bins(curve)) | dict(of_curve(shown)) | dict(of_trend(separation.trend))
    if separation.given.stress is not None and separation.moving.any():
        found |= {"unexplained": separation.unexplained, "coherence": separation.coherence}
    if separation.nonpositive:
        found["nonpositive"] = separation.nonpositive
    if separation.verdict is Verdict.YIELD_STRESS and separation.fit is not None:
        found["yield_stress"] = separation.fit.model.yield_stress
    if separation.verdict is Verdict.VISCOELASTIC:
        found |= dict(_of_elasticity(separation))
    found |= dict(_of_regions(separation)) | dict(_of_balance(separation))
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _of_bins(curve: FlowCurve) -> Numbers:
    yield "bins", len(curve)
    yield "cells", int(curve.count.sum())
    yield "scatter", np.median(curve.high / curve.low) - 1
    if curve.rate_error is not None:
        yield "gradient_error", np.median(curve.rate_error)


def _of_regions(separation: Separation) -> Numbers:
    """The parts of the volume in a plug and on plateaus, where there are any."""
    keys = {"plug": "plug", "low-rate plateau": "low_plateau", "high-rate plateau": "high_plateau"}
    for name, key in keys.items():
        volume, dissipation = separation.region_shares[name]
        if volume:
            yield f"{key}_volume", volume
            yield f"{key}_dissipation", dissipation


def _of_balance(separation: Separation) -> Numbers:
    balance = separation.balance
    if balance is None:
        return
    yield "balance_tests", balance.tests
    if balance.is_determined:
        yield "balance_viscosity", balance.viscosity
        yield "balance_low", balance.interval[0]
        yield "balance_high", balance.interval[1]
        yield "balance_share", balance.viscosity / (balance.viscosity + separation.eta_newtonian)
        yield "balance_unbalanced", balance.unbalanced
        yield "balance_without", balance.without


def _of_elasticity(separation: Separation) -> Numbers:
    rate = separation.gradient["shear_rate"]
    moving = separation.moving & (separation.eta > 0) & np.isfinite(separation.N1)
    if moving.any():
        ratio = separation.N1[moving] / (2 * separation.eta[moving] * rate[moving] ** 2)
        yield "relaxation_time", np.median(ratio)
        yield "weissenberg_max", np.max(ratio * rate[moving])
