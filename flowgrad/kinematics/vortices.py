"""Vortex criteria from the eigenvalues of L and from the balance of D and W, the triple decomposition of L into
elongation, rotation and shear, and flow types.

The eigenvalues come from the real Schur form T of L (``tensors.real_schur``). Its first vector is the real
eigenvector r; T_11 = λ_r, and where the other eigenvalues λ_cr ± i λ_ci are complex, λ_cr = T_22 = T_33 and
λ_ci² = −T_23 T_32, with T_23 and T_32 the flow in the plane across r.

In the axes of the standardised Schur form the diagonal is the elongation. Where two eigenvalues are complex, the block
[[a, b], [c, a]], b c < 0, |b| ≥ |c|, turns rigidly at the rate c; all that is left above the diagonal is shear (Kolář
2007, Int. J. Heat Fluid Flow 28, 638; Kronborg & Hoffman 2023, Phys. Fluids 35, 031703). A tensor has more than one
Schur form, and each decomposes it otherwise. Here the real eigenvector is the first axis, so that the rotation is that
of Liutex, and three real eigenvalues stand in falling order; what remains open is the sign of the axes, which changes
none of the three parts. Where eigenvalues coincide without having as many directions, the parts still add up to L but
jump with the smallest change of it.
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


@quantity(
    r"\lambda_2", "1/T²", scale="signed", reference="Jeong & Hussain 1995, J. Fluid Mech. 285, 69", form="eigenvalue"
)
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


@quantity(
    r"\lambda_{ci}", "1/T", reference="Zhou, Adrian, Balachandar & Kendall 1999, J. Fluid Mech. 387, 353", form="swirl"
)
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


_SOURCE = "Kronborg & Hoffman 2023, Phys. Fluids 35, 031703"


@quantity(r"L_{EL}", "1/T", scale="signed", reference=_SOURCE)
def elongation(schur_form: Array) -> Array:
    """Irrotational straining part of the triple decomposition of L: the diagonal of its Schur form."""
    diagonal = np.diagonal(schur_form[..., :3, :], axis1=-2, axis2=-1)
    Z = schur_form[..., 3:, :]
    return (Z * diagonal[..., None, :]) @ tensors.transpose(Z)


@quantity(r"L_{RR}", "1/T", scale="signed", reference=_SOURCE)
def rigid_rotation(schur_form: Array) -> Array:
    """Rigid rotation in the triple decomposition of L: skew, with half the Liutex; 0 where all eigenvalues are real."""
    second, third = schur_form[..., 3:, 1], schur_form[..., 3:, 2]
    half = (schur_form[..., 2, 1, None] * third)[..., :, None] * second[..., None, :]
    return half - tensors.transpose(half)


@quantity(r"L_{SH}", "1/T", scale="signed", reference=_SOURCE)
def pure_shear(L: Array, elongation: Array, rigid_rotation: Array) -> Array:
    """Shear in the triple decomposition of L: strictly triangular in the axes of its Schur form."""
    return L - elongation - rigid_rotation


@quantity(r"|L - Z T Z^T|/|L|", "1", reference=_SOURCE)
def triple_residual(L: Array, schur_form: Array) -> Array:
    """What the Schur form leaves of L, |L − Z T Zᵀ|/|L|: a few roundings; NaN at rest."""
    T, Z = schur_form[..., :3, :], schur_form[..., 3:, :]
    return tensors.norm(L - Z @ T @ tensors.transpose(Z)) / tensors.norm(L)


@quantity(internal=True)
def motion_shares(pure_shear: Array, elongation: Array, schur_form: Array) -> Array:
    """Norms of the three parts over their sum (n, 3); NaN at rest."""
    rate = schur_form[..., 2, 1]
    # A norm has no derivative at 0, but where no eigenvalues are complex there is no rotation all around.
    rotation = np.sqrt(2) * np.where(rate == 0, 0 * schur_form[..., 1, 2], np.abs(rate))
    sizes = np.stack([tensors.norm(pure_shear), tensors.norm(elongation), rotation], axis=-1)
    return sizes / np.sum(sizes, axis=-1)[..., None]


@quantity("s_{SH}", "1", reference=_SOURCE)
def shear_share(motion_shares: Array) -> Array:
    """Share of shear in the motion: its norm over the sum of the norms of the three parts of L; NaN at rest."""
    return motion_shares[..., 0]


@quantity("s_{EL}", "1", reference=_SOURCE)
def elongation_share(motion_shares: Array) -> Array:
    """Share of irrotational straining in the motion, likewise."""
    return motion_shares[..., 1]


@quantity("s_{RR}", "1", reference=_SOURCE)
def rotation_share(motion_shares: Array) -> Array:
    """Share of rigid rotation in the motion, likewise."""
    return motion_shares[..., 2]


# Principal rates nearer than this fraction of |D| are the same: their directions are open.
_SAME = 1e-6


@quantity(r"\xi", "1", scale="flow-type", reference="Fuller & Leal 1981, J. Polym. Sci. 19, 557")
def flow_type(D: Array, W: Array) -> Array:
    """ξ = (|D| − |W|)/(|D| + |W|): +1 extension, 0 shear, −1 rotation; NaN at rest."""
    d, w = tensors.norm(D), tensors.norm(W)
    return (d - w) / (d + w)


@quantity("W_k", "1", reference="Truesdell 1953, J. Ration. Mech. Anal. 2, 173")
def kinematic_vorticity_number(D: Array, W: Array) -> Array:
    """W_k = |W|/|D|: 0 irrotational, 1 simple shear, ∞ rigid rotation; NaN at rest."""
    return tensors.norm(W) / tensors.norm(D)


@quantity(r"\Omega_D", "1/T", scale="signed", reference="Astarita 1979, J. Non-Newton. Fluid Mech. 6, 69")
def strain_spin(principal_rates: Array, principal_directions: Array, D_rate: Array) -> Array:
    """Spin of the principal directions of D along the path of a particle, ė_i e_iᵀ; NaN where two principal rates
    coincide, nearer than 1e-6 |D|."""
    e = principal_directions
    turning = tensors.transpose(e) @ D_rate @ e
    gaps = principal_rates[..., None, :] - principal_rates[..., :, None]
    size = np.sqrt(tensors.dot(principal_rates, principal_rates))[..., None, None]
    own = np.eye(3, dtype=bool)
    gaps = np.where(own | (np.abs(gaps) > _SAME * size), gaps, np.nan)
    spin = np.where(own, 0.0, turning / np.where(own, 1.0, gaps))
    return e @ spin @ tensors.transpose(e)


@quantity("R_A", "1", scale="magnitude", reference="Astarita 1979, J. Non-Newton. Fluid Mech. 6, 69")
def objective_flow_type(W: Array, D: Array, strain_spin: Array) -> Array:
    """Astarita's index −tr W̄²/tr D² with the spin W̄ relative to the principal directions of D: 0 extension, 1 shear,
    ∞ rotation, the same for every observer."""
    relative = W - strain_spin
    return tensors.double_dot(relative, relative) / tensors.double_dot(D, D)
