"""What needs more than L: the velocity, its second derivatives, its change in time, the viscosity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.kinematics.convected import lower_convected
from flowgrad.kinematics.registry import quantity

Array = NDArray[np.float64]


@quantity(r"\dot\epsilon_v", "1/T", scale="signed", reference="Batchelor 1967, §2.3")
def extension_rate(velocity: Array, D: Array) -> Array:
    """Extension rate along the streamline, v·D·v/|v|²; NaN at rest."""
    return tensors.form(velocity, D, velocity) / tensors.dot(velocity, velocity)


@quantity("h", "L/T²", scale="signed", reference="Moffatt 1969, J. Fluid Mech. 35, 117")
def helicity(velocity: Array, vorticity: Array) -> Array:
    """Helicity density v·ω."""
    return tensors.dot(velocity, vorticity)


@quantity("h_r", "1", scale="signed", reference="Levy, Degani & Seginer 1990, AIAA J. 28, 1347")
def relative_helicity(velocity: Array, vorticity: Array, helicity: Array) -> Array:
    """Cosine of the angle between velocity and vorticity; NaN where one is zero."""
    return helicity / np.sqrt(tensors.dot(velocity, velocity) * tensors.dot(vorticity, vorticity))


@quantity(r"L\cdot v", "L/T²", scale="signed", reference="Batchelor 1967, §2.1")
def convective_acceleration(L: Array, velocity: Array) -> Array:
    """Convective acceleration L·v = (v·∇)v."""
    return tensors.apply(L, velocity)


@quantity("Dv/Dt", "L/T²", scale="signed", reference="Batchelor 1967, §2.1")
def acceleration(velocity_rate: Array, convective_acceleration: Array) -> Array:
    """Acceleration of the fluid, ∂v/∂t + L·v."""
    return velocity_rate + convective_acceleration


@quantity("DD/Dt", "1/T²", scale="signed", reference="Batchelor 1967, §2.1")
def D_rate(L_rate: Array, hessian: Array, velocity: Array) -> Array:
    """Rate of change of D along the path of a particle, ∂D/∂t + v·∇D."""
    return tensors.symmetric(L_rate + np.einsum("...ijk,...k->...ij", hessian, velocity))


@quantity("A_1", "1/T", scale="signed", reference="Rivlin & Ericksen 1955, J. Ration. Mech. Anal. 4, 323")
def rivlin_ericksen_1(D: Array) -> Array:
    """First Rivlin–Ericksen tensor A1 = 2D."""
    return 2 * D


@quantity("A_2", "1/T²", scale="signed", reference="Rivlin & Ericksen 1955, J. Ration. Mech. Anal. 4, 323")
def rivlin_ericksen_2(D_rate: Array, L: Array, rivlin_ericksen_1: Array) -> Array:
    """Second Rivlin–Ericksen tensor A2 = DA1/Dt + A1 L + Lᵀ A1."""
    return lower_convected(2 * D_rate, L, rivlin_ericksen_1)


@quantity(r"\Phi", "M/(L T³) or L²/T³", reference="Bird, Stewart & Lightfoot 2002, eq. 3.3-3")
def dissipation(D: Array, viscosity: Array) -> Array:
    """Viscous dissipation 2η D:D for each volume (divided by the density where η is kinematic)."""
    return 2 * viscosity * tensors.double_dot(D, D)


@quantity(r"\tau", "M/(L T²) or L²/T²", scale="signed", reference="Bird, Armstrong & Hassager 1987, §4.1")
def stress(D: Array, viscosity: Array) -> Array:
    """Extra stress: 2ηD, or as it was given (divided by the density where η is kinematic)."""
    return 2 * viscosity[..., None, None] * D


@quantity("Re", "1", reference="Bird, Stewart & Lightfoot 2002, §3.7")
def reynolds_number(velocity: Array, viscosity: Array, density: Array, length: Array) -> Array:
    """Local Reynolds number ρ|v|ℓ/η, with a length ℓ that is given and η at the local shear rate."""
    return density * np.sqrt(tensors.dot(velocity, velocity)) * length / viscosity


@quantity(r"\nabla^2 v", "1/(L T)", scale="signed", reference="Bird, Stewart & Lightfoot 2002, eq. A.4-22")
def laplacian(hessian: Array) -> Array:
    """Laplacian of the velocity, ∂²v_i/∂x_j∂x_j."""
    return tensors.trace(hessian)


@quantity("f", "M/(L² T²) or L/T²", scale="signed", reference="Bird, Stewart & Lightfoot 2002, eq. 3.6-1")
def viscous_force(laplacian: Array, viscosity: Array) -> Array:
    """Viscous force η∇²v on each volume of a fluid of constant η (by the density where η is kinematic)."""
    return viscosity[..., None] * laplacian
