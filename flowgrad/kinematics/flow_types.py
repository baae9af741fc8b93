"""Extension, shear or rotation: how the motion is shared between D and W."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.kinematics.registry import quantity

Array = NDArray[np.float64]

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
