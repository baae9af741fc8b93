"""What the words of a report mean, for a reader who did not run the program."""

from __future__ import annotations

VERDICTS = {
    "newtonian": "the viscosity is the same however fast the fluid is sheared, as in water or honey",
    "shear-thinning": "the faster the fluid is sheared, the lower its viscosity, as in paint or blood",
    "shear-thickening": "the faster the fluid is sheared, the higher its viscosity, as in corn starch in water",
    "yield-stress": "the fluid stays solid until the stress exceeds a threshold, the yield stress, as toothpaste does",
    "viscoelastic": "the stress depends on how the fluid was deformed before, as in polymer solutions; no viscosity "
    "alone describes it",
    "mixed": "the viscosity falls at some shear rates and rises at others",
    "not-decided": "the data do not suffice for a verdict; the sentence says what is missing",
    "no-stress-known": "the file holds the motion only; without a stress or a viscosity nothing can be said of the "
    "fluid",
    "failed": "the file could not be analysed; the reason is given",
}

# Kinds of failure, as the manifest has them.
FAILURES = {
    "refused": "cannot be analysed as it is",
    "access": "could not be opened or written",
    "dependency": "needs a package that is not installed",
    "memory": "needed more memory than was allowed",
    "timeout": "took longer than was allowed",
    "signal": "ended the process that worked on it",
    "lost": "the machine that worked on it was lost",
    "disk": "its results could not be stored",
}

# Key of the evidence → what the number is, in words.
EVIDENCE = {
    "rate_min": "the shear rate is how fast neighbouring layers of fluid slide past each other",
    "eta_first": "the viscosity is stress over shear rate, the resistance to sliding",
    "eta_newtonian": "the one viscosity that dissipates as much energy as the whole flow does",
    "fall_factor": "how many times lower it gets, what may be chance left out",
    "rise_factor": "how many times higher it gets, what may be chance left out",
    "departure_least": "how far the viscosity certainly is from constant; Newtonian is within ±5 %",
    "departure_most": "how far it may be from constant; Newtonian is within ±5 %",
    "scatter": "of cells that have nearly the same shear rate",
    "flow_index": "τ grows as this power of the shear rate: 1 Newtonian, less thinning, more thickening",
    "low_rate_slope": "1 for a viscosity that levels off at low rates, near 0 for a yield stress",
    "yield_stress": "the stress below which the fluid does not flow",
    "unexplained": "the part of the stress that is not along the rate of deformation; elastic fluids have it",
    "coherence": "from 0 (any direction, as errors have) to 100 % (one direction, as elastic stress has)",
    "relaxation_time": "how long an elastic stress lasts; N1 is the first normal stress difference",
    "weissenberg_max": "relaxation time times shear rate: elastic effects matter above about 1",
    "balance_viscosity": "such as a solvent's: with it the forces on each cell balance best",
    "balance_unbalanced": "of all forces on the cells",
    "plug_volume": "where the fluid moves like a solid",
    "low_plateau_volume": "where the viscosity has reached its value at rest, within the margin",
    "high_plateau_volume": "where the viscosity has reached its value at the highest rates, within the margin",
    "gradient_error": "as estimated by comparing two schemes",
    "bins": "cells of similar shear rate form a bin, whose median is one point of the curve",
}
