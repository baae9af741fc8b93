"""Evidence for a verdict: a record for every number that one may rest on.

A number is added by its record here and by the line that gives its value; tables, the glossary, the sentences and the
summaries read the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf


@dataclass(frozen=True)
class EvidenceRecord:
    """A number of the evidence: its ``name`` in tables, its ``meaning`` for a reader who did not run the program,
    ``symbol`` in mathtext, ``dimension`` (powers of M, L and T; empty for none) and ``form`` (``number``, ``percent``
    or ``count``). Values below ``least`` or above ``most`` say nothing; what is not
    ``shown`` has no row in the report."""

    name: str
    meaning: str = ""
    symbol: str = ""
    dimension: str = ""
    form: str = "number"
    least: float = -inf
    most: float = inf
    shown: bool = True


_VISCOSITY = "M/(L T) or L²/T"
_rate = partial(EvidenceRecord, symbol=r"\dot\gamma", dimension="1/T")
_viscosity = partial(EvidenceRecord, symbol=r"\eta", dimension=_VISCOSITY)
_change = partial(EvidenceRecord, least=1.0005)
_percent = partial(EvidenceRecord, form="percent")
_count = partial(EvidenceRecord, form="count")
_departure = partial(_percent, least=5e-4, most=1.0)

# In the order of the report's table.
EVIDENCE: dict[str, EvidenceRecord] = {
    "rate_min": _rate(
        "lowest shear rate", "the shear rate is how fast neighbouring layers of fluid slide past each other"
    ),
    "rate_max": _rate("highest shear rate"),
    "eta_first": _viscosity(
        "viscosity at the lowest rate", "the viscosity is stress over shear rate, the resistance to sliding"
    ),
    "eta_last": _viscosity("viscosity at the highest rate"),
    "eta_mean": _viscosity("mean viscosity (of its logarithm)"),
    "eta_newtonian": EvidenceRecord(
        "Newtonian viscosity (by dissipation)",
        "the one viscosity that dissipates as much energy as the whole flow does",
        symbol=r"\eta_N",
        dimension=_VISCOSITY,
    ),
    "fall_factor": _change(
        "fall of the viscosity beyond its scatter, factor", "how many times lower it gets, what may be chance left out"
    ),
    "rise_factor": _change(
        "rise of the viscosity beyond its scatter, factor", "how many times higher it gets, what may be chance left out"
    ),
    "departure_least": _departure(
        "departure of η from its mean, at least",
        "how far the viscosity certainly is from constant; Newtonian is within ±5 %",
    ),
    "departure_most": _departure(
        "departure of η from its mean, at most", "how far it may be from constant; Newtonian is within ±5 %"
    ),
    "scatter": _percent(
        "scatter of η within a bin (10–90 %)", "of cells that have nearly the same shear rate", least=5e-4
    ),
    "place_factor": _change(
        "viscosity at equal shear rates, from place to place, factor",
        "how many times it certainly differs where the shear rate is the same, errors left out; a law η(γ̇) has none",
    ),
    "stress_fall_factor": _change(
        "fall of the stress with the shear rate, factor",
        "how many times lower it certainly gets where the fluid is sheared faster; in a steady flow no law η(γ̇) has it",
    ),
    "misfit": _percent(
        "misfit of the law", "how far the law of the verdict, or the best where none suits, is off, on average"
    ),
    "misfit_over_scatter": EvidenceRecord(
        "misfit over the scatter of the points",
        "about 1 for a law that follows the points as closely as they scatter; far above, the law is not theirs",
    ),
    "runs": _count(
        "runs of one sign among its residuals",
        "how often the points change from one side of the law to the other, and one more; few where the law is bent "
        "otherwise than the points",
    ),
    "runs_probability": _percent("probability of so few runs by chance"),
    "residual_correlation": EvidenceRecord(
        "correlation of neighbouring residuals",
        "how far points miss the laws on the same side as the point before; 0 or little, then not shown, where each "
        "misses them by itself. The weights of the laws reckon with it",
    ),
    "flow_index": EvidenceRecord(
        "flow index d log τ/d log γ̇",
        "τ grows as this power of the shear rate: 1 Newtonian, less thinning, more thickening",
        symbol="n",
    ),
    "low_rate_slope": EvidenceRecord(
        "slope of log τ at the lowest rates",
        "1 for a viscosity that levels off at low rates, near 0 for a yield stress",
    ),
    "yield_stress": EvidenceRecord(
        "yield stress",
        "the stress below which the fluid does not flow",
        symbol=r"\tau_0",
        dimension="M/(L T²) or L²/T²",
    ),
    "unexplained": _percent(
        "stress that no viscosity explains",
        "the part of the stress that is not along the rate of deformation; elastic fluids have it",
    ),
    "coherence": _percent(
        "part of it that keeps one direction to the motion",
        "from 0 (any direction, as errors have) to 100 % (one direction, as elastic stress has)",
    ),
    "relaxation_time": EvidenceRecord(
        "relaxation time N1/(2ηγ̇²), median",
        "how long an elastic stress lasts; N1 is the first normal stress difference",
        symbol=r"\lambda",
        dimension="T",
    ),
    "weissenberg_max": EvidenceRecord(
        "highest Weissenberg number",
        "relaxation time times shear rate: elastic effects matter above about 1",
        symbol="Wi",
    ),
    "balance_viscosity": _viscosity(
        "viscosity that the momentum balance needs besides",
        "such as a solvent's: with it the forces on each cell balance best",
        symbol=r"\eta_s",
    ),
    "balance_low": _viscosity("the same, at least (95 %)", symbol=r"\eta_s"),
    "balance_high": _viscosity("the same, at most (95 %)", symbol=r"\eta_s"),
    "balance_share": _percent("its share of the whole viscosity"),
    "balance_unbalanced": _percent("forces left unbalanced with it", "of all forces on the cells"),
    "balance_without": _percent("forces left unbalanced without it"),
    "plug_volume": _percent(
        "plug (stress below the yield stress), of the volume", "where the fluid moves like a solid"
    ),
    "low_plateau_volume": _percent(
        "low-rate plateau of η, of the volume", "where the viscosity has reached its value at rest, within the margin"
    ),
    "low_plateau_dissipation": _percent("low-rate plateau of η, of the dissipation"),
    "high_plateau_volume": _percent(
        "high-rate plateau of η, of the volume",
        "where the viscosity has reached its value at the highest rates, within the margin",
    ),
    "high_plateau_dissipation": _percent("high-rate plateau of η, of the dissipation"),
    "gradient_error": _percent(
        "error of η by that of the gradient, median", "as estimated by comparing two schemes", least=5e-6
    ),
    "bins": _count(
        "bins of the flow curve", "cells of similar shear rate form a bin, whose median is one point of the curve"
    ),
    "cells": _count("cells in them"),
    # Summaries and sentences only.
    "margin": _percent("margin of a constant viscosity", shown=False),
    "eta_min": _viscosity("lowest viscosity", shown=False),
    "eta_max": _viscosity("highest viscosity", shown=False),
    "fall_rate_low": _rate("shear rate from which the viscosity falls", shown=False),
    "fall_rate_high": _rate("shear rate to which the viscosity falls", shown=False),
    "rise_rate_low": _rate("shear rate from which the viscosity rises", shown=False),
    "rise_rate_high": _rate("shear rate to which the viscosity rises", shown=False),
    "stress_span": EvidenceRecord("largest median stress over the smallest", shown=False),
    "law_yield_stress": EvidenceRecord("yield stress of the best law", shown=False),
    "law_yield_share": _percent("its part of the stress at the lowest shear rate", shown=False),
    "nonpositive": _percent("dissipation where η is not positive", shown=False),
    "plug_dissipation": _percent("plug, of the dissipation", shown=False),
    "balance_tests": _count("test functions of the momentum balance", shown=False),
    "points": _count("points used", shown=False),
    "noise": _percent("noise of the points", shown=False),
    "noise_needed": _percent("noise that would decide", shown=False),
    "points_needed": _count("points of this noise that would decide", shown=False),
    "equations": _count("equations of the momentum balance", shown=False),
    "unbalanced": _percent("momentum left unbalanced", shown=False),
    "unbalanced_constant": _percent("the same with a constant viscosity", shown=False),
    "improvement": EvidenceRecord("imbalance of a constant viscosity over this one's", shown=False),
    "inertia": _percent("inertia in the momentum balance", shown=False),
    "smoothing": EvidenceRecord("smoothing of log η", shown=False),
    "coarse_unbalanced": _percent("work of the stress left unbalanced in large parts of the flow", shown=False),
    "coarse_growth": EvidenceRecord("what is left there over what is left in small parts", shown=False),
    "coarse_improvement": EvidenceRecord("imbalance there of a constant viscosity over this one's", shown=False),
    "beside_place": _percent("squares left where η may differ from place to place", shown=False),
    "of_place": _percent("standard deviation of η from place to place, which leaves so much", shown=False),
}

# What a flow curve, or a measured one, leaves out and counts, in the order of the report.
EXCLUDED: dict[str, EvidenceRecord] = {
    f"excluded_{reason}": _count("left out", meaning=meaning, least=1, shown=False)
    for reason, meaning in {
        "invalid": "without a gradient or a stress",
        "negligible_rate": "at rest (negligible shear rate)",
        "nonpositive_viscosity": "whose viscosity is not positive",
        "unknown_rate": "whose shear rate may be wrong by more than half (noise or error of the gradient)",
        "one_sided": "whose gradient is one-sided (an open boundary without values)",
        "missing": "without a number",
        "nonpositive_rate": "with a shear rate that is not positive",
        "nonpositive_stress": "with a stress that is not positive",
        "nonpositive_sigma": "with a standard deviation that is not positive",
        "repeated_row": "that repeat another one",
    }.items()
}
EVIDENCE |= EXCLUDED
