"""Rates of deformation and of rotation, and the invariants of L, D and W.

As all quantities these take and return stacks: L (n, 3, 3) in, (n,), (n, 3) or (n, 3, 3) out.
"""

from __future__ import annotations

import numpy as np

from flowgrad import tensors
from flowgrad.kinematics.registry import quantity
from flowgrad.typing import FloatArray as Array


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


@quantity(r"\nabla\cdot v", "1/T", scale="signed", reference="Truesdell & Noll 1965, eq. 24.8")
def divergence(L: Array) -> Array:
    """Divergence tr L = tr D, the rate of expansion; the first invariant of D."""
    return tensors.trace(L)


@quantity("D'", "1/T", scale="signed", reference="Batchelor 1967, §2.3")
def deviatoric_D(D: Array) -> Array:
    """Deviator of D, D − (tr D/3) I: the rate at which the shape changes."""
    return tensors.deviator(D)


@quantity(r"\dot\gamma", "1/T", reference="Bird, Armstrong & Hassager 1987, eq. 4.1-8", form="root")
def shear_rate(D: Array) -> Array:
    """Shear rate √(2 D:D): |γ̇| in simple shear, √3 ε̇ in uniaxial extension."""
    return np.sqrt(2 * tensors.double_dot(D, D))


@quantity("d_i", "1/T", scale="signed", reference="Batchelor 1967, §2.3", form="eigenvalue")
def principal_rates(principal_system: Array) -> Array:
    """Principal stretch rates: eigenvalues of D, descending."""
    return principal_system[..., 0]


@quantity("e_i", "1", scale="signed", reference="Batchelor 1967, §2.3")
def principal_directions(principal_system: Array) -> Array:
    """Unit eigenvectors of D as columns, in the order of the principal rates."""
    return principal_system[..., 1:]


@quantity(internal=True)
def principal_system(D: Array) -> Array:
    """Principal rates in the first column (n, 3, 4), principal directions in the other three."""
    rates, directions = tensors.eigensystem(D)
    return np.concatenate([rates[..., None], directions], axis=-1)


@quantity(r"\omega", "1/T", scale="signed", reference="Truesdell 1954, The Kinematics of Vorticity")
def vorticity(L: Array) -> Array:
    """Vorticity ω = ∇ × v; W_ij = −½ ε_ijk ω_k."""
    return tensors.axial_vector(L)


@quantity(r"|\omega|^2/2", "1/T²", reference="Tennekes & Lumley 1972, §3.3", form="quadratic")
def enstrophy(vorticity: Array) -> Array:
    """Enstrophy ½ |ω|²."""
    return 0.5 * tensors.dot(vorticity, vorticity)


@quantity("P", "1/T", scale="signed", reference="Chong, Perry & Cantwell 1990, Phys. Fluids A 2, 765")
def invariant_p(L: Array) -> Array:
    """First invariant P = −tr L."""
    return -tensors.trace(L)


@quantity("Q", "1/T²", scale="signed", reference="Hunt, Wray & Moin 1988, CTR-S88, 193", form="quadratic")
def q_criterion(L: Array) -> Array:
    """Second invariant Q = ½(tr²L − tr L²); positive in a vortex."""
    return tensors.second_invariant(L)


@quantity("R", "1/T³", scale="signed", reference="Chong, Perry & Cantwell 1990, Phys. Fluids A 2, 765")
def invariant_r(L: Array) -> Array:
    """Third invariant R = −det L; the second is q_criterion."""
    return -tensors.determinant(L)


@quantity(
    "II_D",
    "1/T²",
    scale="signed",
    reference="Soria, Sondergaard, Cantwell, Chong & Perry 1994, Phys. Fluids 6, 871",
    form="quadratic",
)
def second_invariant_of_D(D: Array) -> Array:
    """½(tr²D − D:D)."""
    return tensors.second_invariant(D)


@quantity(
    "III_D", "1/T³", scale="signed", reference="Soria, Sondergaard, Cantwell, Chong & Perry 1994, Phys. Fluids 6, 871"
)
def third_invariant_of_D(D: Array) -> Array:
    """det D."""
    return tensors.determinant(D)


@quantity(
    "II_W", "1/T²", reference="Soria, Sondergaard, Cantwell, Chong & Perry 1994, Phys. Fluids 6, 871", form="quadratic"
)
def second_invariant_of_W(W: Array) -> Array:
    """½ W:W = ¼ |ω|²; the other two invariants of W are zero."""
    return 0.5 * tensors.double_dot(W, W)


@quantity(r"\omega\cdot D\cdot\omega", "1/T³", scale="signed", reference="Tennekes & Lumley 1972, §3.3")
def vortex_stretching(vorticity: Array, D: Array) -> Array:
    """Vortex stretching ω·D·ω: what strain adds to the enstrophy in a unit of time."""
    return tensors.form(vorticity, D, vorticity)


@quantity(r"|\cos(\omega, e_i)|", "1", reference="Ashurst, Kerstein, Kerr & Gibson 1987, Phys. Fluids 30, 2343")
def vorticity_strain_alignment(vorticity: Array, principal_directions: Array) -> Array:
    """|cos| of the angles between the vorticity and the principal directions of D; NaN without vorticity."""
    along = tensors.transpose(principal_directions) @ vorticity[..., None]
    return np.abs(along[..., 0]) / np.sqrt(tensors.dot(vorticity, vorticity))[..., None]
