"""Quantities of L and the velocity, its second derivatives, its change in time or the viscosity; convected rates.

The rates of tensor fields take stacks: DT (n, 3, 3), the material derivative DT/Dt = ∂T/∂t + v·∇T; L (n, 3, 3),
L_ij = ∂v_i/∂x_j; and T (n, 3, 3), symmetric or not. But for DT/Dt they are objective: they turn with the observer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.kinematics.registry import quantity
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray as Array


def upper_convected(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt − L T − T Lᵀ: zero where T is carried and stretched as dyads of material lines are
    (Oldroyd 1950, Proc. R. Soc. A 200, 523)."""
    return DT - L @ T - T @ tensors.transpose(L)


def lower_convected(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt + Lᵀ T + T L: zero where T is carried as dyads of the normals of material surfaces are
    (Oldroyd 1950); of A1 = 2D it is A2 (Rivlin & Ericksen 1955)."""
    return DT + tensors.transpose(L) @ T + T @ L


def corotational(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt − W T + T W with the spin W = (L − Lᵀ)/2: zero where T turns with the fluid
    (Zaremba 1903; Jaumann 1911)."""
    W = tensors.skew(L)
    return DT - W @ T + T @ W


def material(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt itself, which no two observers that turn against each other agree on."""
    return DT


# Kind of rate → its function of DT, L and T.
CONVECTED_RATES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "upper-convected": upper_convected,
    "lower-convected": lower_convected,
    "corotational": corotational,
    "material": material,
}


def convected_rate(kind: str, DT: Array, L: Array, T: Array) -> Array:
    """The rate (n, 3, 3) of one of the kinds in ``CONVECTED_RATES``; OptionError for another."""
    if kind not in CONVECTED_RATES:
        hint = nearest(kind, CONVECTED_RATES) or f": known are {', '.join(CONVECTED_RATES)}"
        raise OptionError(f"unknown rate '{kind}'{hint}")
    return CONVECTED_RATES[kind](DT, L, T)


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


@quantity(r"\Phi", "M/(L T³) or L²/T³", reference="Bird, Stewart & Lightfoot 2002, eq. 3.3-3", form="quadratic")
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
