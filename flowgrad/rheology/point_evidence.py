"""The numbers behind the verdict on a measured flow curve, and how much more it would take to decide."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import of_curve, of_trend
from flowgrad.rheology.point_trend import bound_quantile, certain_quantile, degree_of, law_departure
from flowgrad.rheology.trend import departure
from flowgrad.rheology.verdict import Verdict, rate_factor

if TYPE_CHECKING:
    from flowgrad.rheology.flow_curve_fit import FlowCurveFit

Numbers = Iterator[tuple[str, float]]

# Advice is for a little more than what would just do.
_SLACK = 0.9


def numbers(found: FlowCurveFit) -> dict[str, float]:
    """The range, the trend, the noise, the classes' weights, the points left out, and what is missing."""
    known: dict[str, float] = {"margin": found.margin, "points": len(found.rate), "noise": found.noise.size}
    known |= dict(of_curve(found.curve)) | dict(of_trend(found.trend))
    known |= {f"weight_{name.replace('-', '_')}": weight for name, weight in found.weights.items()}
    known |= {f"excluded_{reason}": count for reason, count in found.excluded.items()}
    if found.verdict is Verdict.YIELD_STRESS:
        known["yield_stress"] = found.best.model.yield_stress or float(found.best.model.stress(found.rate[0]))
    if found.verdict is Verdict.NOT_DECIDED:
        known |= dict(_missing(found))
    return {name: float(value) for name, value in known.items() if np.isfinite(value)}


def _missing(found: FlowCurveFit) -> Numbers:
    """How much less noise, or how many points of this noise, would tell whether η leaves the margin."""
    log_margin, freedom = np.log1p(found.margin), found.noise.freedom
    if rate_factor(found.curve) < thresholds.RANGE_FACTOR or found.trend.at_least > log_margin:
        return
    degree, bound = degree_of(found.curve), bound_quantile(freedom)
    bare = departure(found.curve, 0.0, degree)
    spread = (departure(found.curve, bound, degree) - bare) / bound
    estimate = max(bare, law_departure(found.curve, found.contrary))
    inside = estimate < log_margin
    # With more points the quantiles are those of a known noise.
    allowed = (log_margin - estimate) / bound_quantile(np.inf) if inside else estimate - log_margin
    allowed /= 1.0 if inside else certain_quantile(np.inf)
    factor = _SLACK * min(1.0, allowed / max(spread, 1e-300))
    yield "noise_needed", found.noise.size * factor
    yield "points_needed", np.ceil(len(found.rate) / max(factor, 1e-3) ** 2)
