"""Records of what is known on walls: symbol, dimension and definition of each, as the registry has of quantities."""

from __future__ import annotations

from dataclasses import replace

from flowgrad.kinematics import GIVEN, QUANTITIES, Record
from flowgrad.records import table
from flowgrad.walls.result import Walls

_FORCES, _SHEAR, _MOTION = (f"Batchelor 1967, §{section}" for section in ("1.3", "3.3", "2.3"))
_TURBULENT = "Pope 2000, Turbulent Flows"
_STRESS = QUANTITIES["stress"].dimension
_DEPTH = "(per depth on planar meshes)."

# Those of Walls.arrays, by their names there, and the viscous traction, force and moment.
RECORDS = table(
    Record("normal", "n", "1", "signed", _FORCES, "Unit normal out of the fluid."),
    Record("area", "A", "L²", "signed", _FORCES, f"Area of a face or of a wall {_DEPTH}"),
    Record("wall_shear_rate", r"\dot\gamma_w", "1/T", "magnitude", _SHEAR, "Size of the tangential part of 2D·n."),
    Record(
        "wall_shear_rate_error",
        r"\delta\dot\gamma_w",
        "1/T",
        "magnitude",
        "docs/gradient.md",
        "Estimated error of the wall shear rate, from other schemes or the decay of the cells' degrees.",
    ),
    Record(
        "shear_rate_vector",
        r"\dot\gamma_t",
        "1/T",
        "signed",
        _SHEAR,
        "Tangential part of −2D·n: ∂v/∂s on a wall at rest, s the distance from it.",
        "shear rate on the wall",
    ),
    Record(
        "normal_rate",
        r"n\cdot D\cdot n",
        "1/T",
        "signed",
        _MOTION,
        "Stretching along the normal: 0 on a wall that an incompressible fluid adheres to.",
    ),
    replace(GIVEN["viscosity"], description="Viscosity at the wall (divided by the density where it is kinematic)."),
    Record(
        "pressure",
        "p",
        _STRESS,
        "signed",
        _SHEAR,
        "Pressure at the wall (divided by the density where η is kinematic).",
    ),
    Record(
        "wall_shear_stress",
        r"\tau_w",
        _STRESS,
        "signed",
        _SHEAR,
        "Tangential part of the traction, the way the fluid drags the wall.",
    ),
    Record(
        "normal_stress",
        r"n\cdot\sigma\cdot n",
        _STRESS,
        "signed",
        _FORCES,
        "Normal stress −p + 2η n·D·n, tension positive.",
    ),
    Record("traction", "t", _STRESS, "signed", _FORCES, "Force of the fluid on the wall per area, p n − 2ηD·n."),
    Record(
        "friction_velocity",
        r"u_\tau",
        "L/T",
        "magnitude",
        f"{_TURBULENT}, §7.1.3",
        "Friction velocity √(|τ_w|/ρ); known with a density.",
    ),
    Record(
        "y_plus",
        "y^+",
        "1",
        "magnitude",
        f"{_TURBULENT}, §7.1.3",
        "y u_τ/ν, y the distance along the normal of the first cell's centroid, or of the first point, off the wall.",
    ),
    Record(
        "skin_friction_coefficient",
        "C_f",
        "1",
        "magnitude",
        f"{_TURBULENT}, §7.1.2",
        "|τ_w|/(½ρU²); known with a density and a reference speed U.",
    ),
    Record("viscous_traction", "t_v", _STRESS, "signed", _SHEAR, "Viscous part of the traction, −2ηD·n."),
    Record("force", "F", "M L/T² or L⁴/T²", "signed", _FORCES, f"Force of the fluid on the wall, ∫ t dA {_DEPTH}"),
    Record(
        "moment",
        "M",
        "M L²/T² or L⁵/T²",
        "signed",
        _FORCES,
        f"Moment of the force about a point, ∫ (x − about) × t dA {_DEPTH}",
    ),
)

# Per unit of depth.
_PER_DEPTH = {"area": "L", "force": "M/T² or L³/T²", "moment": "M L/T² or L⁴/T²"}


def record_on(walls: Walls, name: str) -> Record:
    """The record of ``name`` with the dimension that it has on these walls: that of dynamic values where the density
    is known, and per unit of depth on those of a planar flow."""
    planar = walls.flow.mesh.dimension == 2 and not walls.flow.is_meridian
    record = replace(RECORDS[name], dimension=_PER_DEPTH[name]) if planar and name in _PER_DEPTH else RECORDS[name]
    return record.known(dynamic=walls.density is not None)
