"""The quantities that follow from the velocity gradient, one function each.

All take and return stacks: L (n, 3, 3) in, (n,), (n, 3) or (n, 3, 3) out. Sums are written out
where that is what keeps a million cells fast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.kinematics.registry import quantity

Array = NDArray[np.float64]


@quantity("L", "1/T", scale="signed", reference="Truesdell & Noll 1965, eq. 24.1")
def L(L: Array) -> Array:
    """Velocity gradient L_ij = ∂v_i/∂x_j."""
    return L


@quantity("D", "1/T", scale="signed", reference="Truesdell & Noll 1965, eq. 24.8")
def D(L: Array) -> Array:
    """Rate of deformation D = (L + Lᵀ)/2."""
    return tensors.symmetric(L)


@quantity("W", "1/T", scale="signed", reference="Truesdell & Noll 1965, eq. 24.8")
def W(L: Array) -> Array:
    """Spin W = (L − Lᵀ)/2."""
    return tensors.skew(L)


@quantity(r"\nabla\cdot v", "1/T", scale="signed")
def divergence(L: Array) -> Array:
    """Divergence tr L."""
    return tensors.trace(L)


@quantity(r"\omega", "1/T", scale="signed")
def vorticity(L: Array) -> Array:
    """Vorticity ω = ∇ × v; W_ij = −½ ε_ijk ω_k."""
    return tensors.axial_vector(L)


@quantity(r"\dot\gamma", "1/T", reference="Bird, Armstrong & Hassager 1987, eq. 4.1-8")
def shear_rate(D: Array) -> Array:
    """Shear rate √(2 D:D): |γ̇| in simple shear, √3 ε̇ in uniaxial extension."""
    return np.sqrt(2 * tensors.double_dot(D, D))


@quantity("Q", "1/T²", scale="signed", reference="Hunt, Wray & Moin 1988")
def q_criterion(L: Array) -> Array:
    """Q = ½(tr²L − tr L²); positive in a vortex."""
    square = L[..., 0, 0] ** 2 + L[..., 1, 1] ** 2 + L[..., 2, 2] ** 2
    mixed = L[..., 0, 1] * L[..., 1, 0] + L[..., 1, 2] * L[..., 2, 1] + L[..., 0, 2] * L[..., 2, 0]
    return 0.5 * (tensors.trace(L) ** 2 - square - 2 * mixed)


@quantity(r"\lambda_2", "1/T²", scale="signed", reference="Jeong & Hussain 1995, J. Fluid Mech. 285, 69")
def lambda2(L: Array) -> Array:
    """Middle eigenvalue of D² + W², which is the symmetric part of L²; negative in a vortex."""
    return tensors.eigenvalues(tensors.symmetric(L @ L))[..., 1]


@quantity("d_i", "1/T", scale="signed")
def principal_rates(D: Array) -> Array:
    """Principal stretch rates: eigenvalues of D, descending."""
    return tensors.eigenvalues(D)


@quantity("e_i", "1", scale="signed")
def principal_directions(D: Array) -> Array:
    """Unit eigenvectors of D as columns, in the order of the principal rates."""
    return tensors.eigensystem(D)[1]


@quantity("P", "1/T", scale="signed", reference="Chong, Perry & Cantwell 1990, Phys. Fluids A 2, 765")
def invariant_p(L: Array) -> Array:
    """First invariant P = −tr L."""
    return -tensors.trace(L)


@quantity("R", "1/T³", scale="signed", reference="Chong, Perry & Cantwell 1990, Phys. Fluids A 2, 765")
def invariant_r(L: Array) -> Array:
    """Third invariant R = −det L; the second is q_criterion."""
    return -tensors.determinant(L)


@quantity("II_D", "1/T²", scale="signed")
def second_invariant_of_D(D: Array) -> Array:
    """½(tr²D − D:D)."""
    return 0.5 * (tensors.trace(D) ** 2 - tensors.double_dot(D, D))


@quantity("III_D", "1/T³", scale="signed")
def third_invariant_of_D(D: Array) -> Array:
    """det D."""
    return tensors.determinant(D)


@quantity("II_W", "1/T²")
def second_invariant_of_W(W: Array) -> Array:
    """½ W:W = ¼ |ω|²."""
    return 0.5 * tensors.double_dot(W, W)


@quantity(r"\xi", "1", scale="flow-type", reference="Astarita 1979, J. Non-Newton. Fluid Mech. 6, 69")
def flow_type(D: Array, W: Array) -> Array:
    """ξ = (|D| − |W|)/(|D| + |W|): +1 extension, 0 shear, −1 rotation; NaN at rest."""
    d, w = tensors.norm(D), tensors.norm(W)
    return (d - w) / (d + w)


@quantity("W_k", "1", reference="Truesdell 1953, J. Ration. Mech. Anal. 2, 173")
def kinematic_vorticity_number(D: Array, W: Array) -> Array:
    """W_k = |W|/|D|: 0 irrotational, 1 simple shear, ∞ rigid rotation; NaN at rest."""
    return tensors.norm(W) / tensors.norm(D)


@quantity(r"\Phi", "M/(L T³) or L²/T³", reference="Bird, Stewart & Lightfoot 2002, eq. 3.3-3")
def dissipation(D: Array, viscosity: Array) -> Array:
    """Viscous dissipation 2η D:D for each volume (divided by the density where η is kinematic)."""
    return 2 * viscosity * tensors.double_dot(D, D)


@quantity(r"\nabla^2 v", "1/(L T)", scale="signed")
def laplacian(hessian: Array) -> Array:
    """Laplacian of the velocity, ∂²v_i/∂x_j∂x_j."""
    return tensors.trace(hessian)


@quantity("f", "M/(L² T²) or L/T²", scale="signed", reference="Bird, Stewart & Lightfoot 2002, eq. 3.6-1")
def viscous_force(laplacian: Array, viscosity: Array) -> Array:
    """Viscous force η∇²v on each volume of a fluid of constant η (by the density where η is kinematic)."""
    return viscosity[..., None] * laplacian
