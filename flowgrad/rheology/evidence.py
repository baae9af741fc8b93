"""The numbers behind a verdict, named for summaries and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.curve import FlowCurve
from flowgrad.rheology.trend import Change, Trend
from flowgrad.rheology.verdict import Verdict, law_curve, low_rate_slope

if TYPE_CHECKING:
    from flowgrad.rheology.separation import Separation

Numbers = Iterator[tuple[str, float]]


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


def of_curve(curve: FlowCurve) -> Numbers:
    """The ends of a curve, its extremes and slopes."""
    yield "rate_min", curve.rate[0]
    yield "rate_max", curve.rate[-1]
    yield "eta_first", curve.viscosity[0]
    yield "eta_last", curve.viscosity[-1]
    yield "eta_min", curve.viscosity.min()
    yield "eta_max", curve.viscosity.max()
    yield "eta_mean", np.exp(np.mean(np.log(curve.viscosity)))
    if len(curve) > 2:
        yield "low_rate_slope", low_rate_slope(curve)
        yield "flow_index", np.polyfit(np.log(curve.rate), np.log(curve.stress), 1)[0]


def of_trend(trend: Trend) -> Numbers:
    """How far from constant the viscosity is, and its certain changes."""
    yield "departure_least", np.expm1(trend.at_least)
    yield "departure_most", np.expm1(trend.at_most)
    yield from _of_change("fall", trend.fall)
    yield from _of_change("rise", trend.rise)


def _of_change(name: str, change: Change) -> Numbers:
    yield f"{name}_factor", np.exp(change.size)
    if change.size:
        yield f"{name}_rate_low", change.low
        yield f"{name}_rate_high", change.high


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
