"""Flow types: shares of extension, shear and rotation in the motion, and the triple decomposition of L into these.

In the axes of the standardised real Schur form T of L (``tensors.real_schur``) the diagonal is the elongation.
Where two eigenvalues are complex, the block [[a, b], [c, a]], b c < 0, |b| ≥ |c|, turns rigidly at the rate c; all
that is left above the diagonal is shear (Kolář 2007, Int. J. Heat Fluid Flow 28,
638; Kronborg & Hoffman 2023, Phys. Fluids 35, 031703).

A tensor has more than one Schur form, and each decomposes it otherwise. Here the real eigenvector is the first
axis, so that the rotation is that of Liutex, and three real eigenvalues stand in falling order; what remains
open is the sign of the axes, which changes none of the three parts. Where eigenvalues coincide without having
as many directions, the parts still add up to L but jump with the smallest change of it.
"""

from __future__ import annotations

import numpy as np

from flowgrad import tensors
from flowgrad.kinematics.registry import quantity
from flowgrad.typing import FloatArray as Array

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
