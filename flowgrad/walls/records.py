"""What is known on walls: symbol, dimension and definition of each, as the registry has them of quantities."""

from __future__ import annotations

from dataclasses import replace

from flowgrad.kinematics import GIVEN, QUANTITIES, Record
from flowgrad.records import table
from flowgrad.walls.result import Walls

_BOOK = "Batchelor 1967, "


def _rate(name: str, symbol: str, scale: str, section: str, description: str, words: str = "") -> Record:
    return Record(name, symbol, "1/T", scale, _BOOK + section, description, words)


def _stress(name: str, symbol: str, section: str, description: str) -> Record:
    return Record(name, symbol, QUANTITIES["stress"].dimension, "signed", _BOOK + section, description)


def _whole(name: str, symbol: str, dimension: str, description: str) -> Record:
    return Record(name, symbol, dimension, "signed", f"{_BOOK}§1.3", f"{description} (per depth on planar meshes).")


# Those of Walls.arrays, by their names there, and the viscous traction, force and moment.
RECORDS = table(
    Record("normal", "n", "1", "signed", f"{_BOOK}§1.3", "Unit normal out of the fluid."),
    _whole("area", "A", "L²", "Area of a face or of a wall"),
    _rate("wall_shear_rate", r"\dot\gamma_w", "magnitude", "§3.3", "Size of the tangential part of 2D·n."),
    _rate(
        "shear_rate_vector",
        r"\dot\gamma_t",
        "signed",
        "§3.3",
        "Tangential part of −2D·n: ∂v/∂s on a wall at rest, s the distance from it.",
        "shear rate on the wall",
    ),
    _rate(
        "normal_rate",
        r"n\cdot D\cdot n",
        "signed",
        "§2.3",
        "Stretching along the normal: 0 on a wall that an incompressible fluid adheres to.",
    ),
    replace(GIVEN["viscosity"], description="Viscosity at the wall (divided by the density where it is kinematic)."),
    _stress("pressure", "p", "§3.3", "Pressure at the wall (divided by the density where η is kinematic)."),
    _stress(
        "wall_shear_stress", r"\tau_w", "§3.3", "Tangential part of the traction, the way the fluid drags the wall."
    ),
    _stress("normal_stress", r"n\cdot\sigma\cdot n", "§1.3", "Normal stress −p + 2η n·D·n, tension positive."),
    _stress("traction", "t", "§1.3", "Force of the fluid on the wall per area, p n − 2ηD·n."),
    _stress("viscous_traction", "t_v", "§3.3", "Viscous part of the traction, −2ηD·n."),
    _whole("force", "F", "M L/T² or L⁴/T²", "Force of the fluid on the wall, ∫ t dA"),
    _whole("moment", "M", "M L²/T² or L⁵/T²", "Moment of the force about a point, ∫ (x − about) × t dA"),
)

# Per unit of depth.
_PER_DEPTH = {"area": "L", "force": "M/T² or L³/T²", "moment": "M L/T² or L⁴/T²"}


def record_on(walls: Walls, name: str) -> Record:
    """The record of ``name`` with the dimension that it has on these walls: that of dynamic values where the density
    is known, and per unit of depth on those of a planar flow."""
    planar = walls.flow.mesh.dimension == 2 and not walls.flow.is_meridian
    record = replace(RECORDS[name], dimension=_PER_DEPTH[name]) if planar and name in _PER_DEPTH else RECORDS[name]
    return record.known(dynamic=walls.density is not None)
