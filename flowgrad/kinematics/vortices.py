"""Vortex criteria, from the eigenvalues of L and from the balance of D and W.

The eigenvalues come from the real Schur form T of L (``tensors.real_schur``). Its first vector is the real
eigenvector r; T_11 = λ_r, and where the other eigenvalues λ_cr ± i λ_ci are complex, λ_cr = T_22 = T_33 and
λ_ci² = −T_23 T_32, with T_23 and T_32 the flow in the plane across r.
"""

from __future__ import annotations

import numpy as np

from flowgrad import tensors
from flowgrad.kinematics.registry import quantity
from flowgrad.typing import FloatArray as Array


@quantity(internal=True)
def schur_form(L: Array) -> Array:
    """T and Z of L = Z T Zᵀ, one over the other (n, 6, 3)."""
    return np.concatenate(tensors.real_schur(L), axis=-2)


@quantity(r"\lambda_2", "1/T²", scale="signed", reference="Jeong & Hussain 1995, J. Fluid Mech. 285, 69")
def lambda2(L: Array) -> Array:
    """Middle eigenvalue of D² + W², which is the symmetric part of L²; negative in a vortex."""
    return tensors.eigenvalues(tensors.symmetric(L @ L))[..., 1]


@quantity(r"\Delta", "1/T⁶", scale="signed", reference="Chong, Perry & Cantwell 1990, Phys. Fluids A 2, 765")
def delta_criterion(L: Array) -> Array:
    """Δ = (Q̃/3)³ + (R̃/2)² with Q̃, R̃ of the deviator of L; positive where two eigenvalues of L are complex."""
    deviator = tensors.deviator(L)
    return (tensors.second_invariant(deviator) / 3) ** 3 + (tensors.determinant(deviator) / 2) ** 2


@quantity(
    r"\lambda_r", "1/T", scale="signed", reference="Zhou, Adrian, Balachandar & Kendall 1999, J. Fluid Mech. 387, 353"
)
def real_eigenvalue(schur_form: Array) -> Array:
    """λ_r, the real eigenvalue of L, stretching along the axis of swirl; of three real ones the largest."""
    return schur_form[..., 0, 0]


@quantity(r"\lambda_{ci}", "1/T", reference="Zhou, Adrian, Balachandar & Kendall 1999, J. Fluid Mech. 387, 353")
def swirling_strength(schur_form: Array) -> Array:
    """λ_ci, the imaginary part of the complex eigenvalues of L; 0 where all are real."""
    b, c = schur_form[..., 1, 2], schur_form[..., 2, 1]
    swirls = -b * c > 0
    # A zero with the derivatives of T: none where eigenvalues coincide.
    return np.where(swirls, np.sqrt(np.where(swirls, -b * c, 1.0)), 0 * b)


@quantity(
    r"\lambda_{cr}", "1/T", scale="signed", reference="Chakraborty, Balachandar & Adrian 2005, J. Fluid Mech. 535, 189"
)
def swirling_expansion(schur_form: Array, swirling_strength: Array) -> Array:
    """λ_cr, the real part of the complex eigenvalues of L; NaN where all are real."""
    mean = 0.5 * (schur_form[..., 1, 1] + schur_form[..., 2, 2])
    return np.where(swirling_strength > 0, mean, np.nan)


@quantity(
    r"\lambda_{cr}/\lambda_{ci}",
    "1",
    scale="signed",
    reference="Chakraborty, Balachandar & Adrian 2005, J. Fluid Mech. 535, 189",
)
def inverse_spiraling_compactness(swirling_expansion: Array, swirling_strength: Array) -> Array:
    """λ_cr/λ_ci: how far a particle spirals out in one turn; NaN where no eigenvalues are complex."""
    return swirling_expansion / swirling_strength


@quantity("r", "1", scale="signed", reference="Gao & Liu 2018, Phys. Fluids 30, 085107")
def swirl_axis(schur_form: Array, vorticity: Array, swirling_strength: Array) -> Array:
    """Unit real eigenvector of L on the side of the vorticity, the axis of swirl; NaN where there is none."""
    axis = schur_form[..., 3:, 0]
    side = np.where(tensors.dot(axis, vorticity) < 0, -1.0, 1.0)
    return np.where((swirling_strength > 0)[..., None], side[..., None] * axis, np.nan)


@quantity("R", "1/T", scale="signed", reference="Liu, Gao, Tian & Dong 2018, Phys. Fluids 30, 035103")
def liutex(schur_form: Array, swirl_axis: Array, swirling_strength: Array) -> Array:
    """Liutex (Rortex) vector R r, R = ω·r − √((ω·r)² − 4 λ_ci²): the rigid rotation about the axis; 0 without one."""
    # In the plane across r, R is twice the smaller of |T_23| and |T_32|: no difference of large numbers.
    size = 2 * np.minimum(np.abs(schur_form[..., 1, 2]), np.abs(schur_form[..., 2, 1]))
    none = 0 * schur_form[..., 1, 2]  # has no derivative where eigenvalues coincide
    return np.where((swirling_strength > 0)[..., None], size[..., None] * swirl_axis, none[..., None])


@quantity(
    r"\epsilon_\Omega",
    "1/T²",
    of_field=True,
    reference="Dong, Wang, Chen, Dong, Zhang & Liu 2018, J. Hydrodyn. 30, 541",
)
def omega_epsilon(D: Array, W: Array) -> Array:
    """ε of the Ω criterion, 0.001 max(|W|² − |D|²) over the field, the same everywhere; 0 where D prevails."""
    excess = tensors.double_dot(W, W) - tensors.double_dot(D, D)
    known = np.isfinite(excess)
    largest = np.max(excess, where=known, initial=0.0) if known.any() else np.nan
    return np.full(len(D), 0.001 * largest)


@quantity(r"\Omega", "1", reference="Liu, Wang, Yang & Duan 2016, Sci. China Phys. Mech. Astron. 59, 684711")
def omega_criterion(D: Array, W: Array, omega_epsilon: Array) -> Array:
    """Ω = |W|²/(|D|² + |W|² + ε); above 0.52 in a vortex. supply(omega_epsilon=…) takes another ε."""
    spin = tensors.double_dot(W, W)
    return spin / (tensors.double_dot(D, D) + spin + omega_epsilon)
