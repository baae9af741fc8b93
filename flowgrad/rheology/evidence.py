"""Evidence for a verdict: what a flow curve and its trend show, as named numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowgrad.rheology.flow_curve import Change, FlowCurve, Trend
from flowgrad.rheology.verdict import low_rate_slope

Numbers = Iterator[tuple[str, float]]


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
