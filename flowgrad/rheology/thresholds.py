"""Thresholds of the verdict, every one, and why it is where it is."""

from __future__ import annotations

import numpy as np

# Newtonian: η stays within ±5 % of its log-mean. Two values may then differ by twice the margin.
MARGIN = 0.05
LOG_MARGIN = float(np.log1p(MARGIN))

# A range of shear rates narrower than this factor shows no model: η ∝ γ̇^−0.1 would be within the margin.
RANGE_FACTOR = 2.0

# Part of the stress that no scalar viscosity explains. A Maxwell fluid in shear has 0.2 at a
# Weissenberg number of 0.2. Gradients of two schemes on one mesh differ so much that they leave 0.02
# (fine hexahedra) to 0.35 (coarse tetrahedra), but in no preferred direction: a coherence of 0.1 to
# 0.25, where Maxwell fluids in vortices, strained and chaotic flows show 0.6 to 1.
UNEXPLAINED = 0.2
SUSPECT = 0.05
COHERENT = 0.4

# Systematic error of log η where η = τ:D/(2 D:D) comes from a stress and our gradient: in wall cells
# two schemes differ by up to 20 %, all in one direction. A lesser change is no evidence.
GRADIENT_ERROR = 0.2

# The same where the stress is weakly elastic: its memory bends the apparent viscosity most where the
# fluid hardly deforms (by 0.55 at most in a Maxwell fluid in vortices with 0.05 to 0.2 unexplained).
ELASTIC_ERROR = 0.7

# Relative error of a bin's median viscosity beside its scatter: what two gradients of one flow leave.
# Laws that fit closer are equally good.
CURVE_ERROR = 0.02

# Standard errors by which two medians must differ. Four, because the most different pair of some
# thirty bins is looked at, and because errors of neighbouring cells are not independent.
CERTAIN = 4.0

# Standard errors of the bound on how far a curve departs from its mean: 95 %.
BOUND = 2.0

# A class of fluids is certain where its models hold this Akaike weight together. The best model alone is not
# enough: for one in five Newtonian samples that is another one.
CLASS_WEIGHT = 0.99

# A law that is off by more than this, on average, and by more than so many times the scatter of the points, or in runs
# of one sign that chance makes this rarely, decides nothing: two values of a constant viscosity may differ by twice
# the margin, and measured curves are seldom followed closer than a few percent by any law.
MISFIT = 0.1
OVER_SCATTER = 1.6
RUNS = 1e-3

# Yield stress: τ0 is at least this part of the stress at the lowest rate, and there log τ rises with
# log γ̇ no faster than this.
YIELD_SHARE = 0.5
YIELD_SLOPE = 0.5

# A stress that rises more slowly than these powers of the shear rate is level (12 % in a decade), or flat
# enough for a yield stress beside it.
LEVEL_SLOPE = 0.05
FLAT_SLOPE = 0.2

# Part of Σ V |τ:D| in cells whose η is not positive, above which the rest of the cells prove no model.
NONPOSITIVE = 0.05

# A stress whose isotropic part is larger than its deviator is a whole one, −pI + τ: that of an extra stress, all along
# one direction at most, is 0.71 of its deviator.
ISOTROPIC = 1.0

# A flow whose volumes change by more than this part of |D| (root mean squares, |tr D|/√3) may be compressed: coarse
# meshes of incompressible flows leave 0.02 to 0.4, so that the trace of the stress has to tell.
COMPRESSED = 0.05

# The stress has the wrong sign, and not just noise, where Σ V τ:D is below −1e-3 of Σ V |τ||D|.
WRONG_SIGN = 1e-3

# One-sided gradients are left out as long as the others hold this part of the volume.
TWO_SIDED = 0.25

# Where more than this part of what cancels in the balance is left over, no η(γ̇) explains the motion: flows that a
# solver resolves leave 0.005 at most, with noise of 1 % 0.06; those too coarse, whose η is wrong by 10 %, 0.15.
UNBALANCED = 0.1
# Of such a curve no more is said than that the viscosity is within this factor: in a nozzle measured with 10 % of noise
# it was wrong by 3.4, where the equations by their number claimed a tenth.
UNTOLD = 10.0
# A stress that falls with the shear rate by more than this (log τ) is no fluid's in a steady flow, which would break up
# into bands (Yerushalmi, Katz & Shinnar 1970, Chem. Eng. Sci. 25, 1891). A balance that knows too little is closed by
# one that leaves all work to where the fluid hardly deforms.
FALLING = float(np.log(1.2))

# What is left of the balance in the larger half of the balls over that in the smaller half: noise averages out over
# large balls, and 0.03 to 1.6 is left, at 1 to 5 %; where the viscosity differs from place to place it is 2 to 40.
# Beyond GROWN times, and where more than COARSE of the work is left there, something else than noise is wrong.
GROWING = 2.0
GROWN = 5.0
COARSE = 1e-3
# A viscosity that differs from place to place explains what η(γ̇) leaves where it takes the sum of squares down to less
# than BESIDE_PLACE, and closes the balance below CLOSED_BY_PLACE; the Newtonian fluids with η(x) that were tried leave
# 0.12 to 1.9, so that they stay undecided.
BESIDE_PLACE = 0.6
CLOSED_BY_PLACE = 0.1
# A viscosity that varies is believed where a constant one leaves so many times as much in the larger balls: fluids that
# thin leave 5 to 10000 times as much, Newtonian ones under false assumptions 1 to 3.6.
EXPLAINED = 4.0
