"""Point samples: columns of positions, vectors and flags become a lattice, or scattered points."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents
from flowgrad.mesh import Cells, Lattice, Mesh
from flowgrad.typing import BoolArray

log = logging.getLogger("flowgrad")

_UNIT = re.compile(r"^(?P<name>.*?)\s*[\[(]\s*(?P<unit>[^\[\]()]*?)\s*[\])]$")
# TSI's form, "X mm"; of other names the second word is a part of the name.
_WORDS = re.compile(r"^(?P<name>[XYZUVWxyzuvw])\s+(?P<unit>\S+)$")
# What stands in brackets in a name and is no unit: STAR-CCM+'s "Velocity[i]".
_COMPONENTS = frozenset("ijkxyzXYZ012")
_SUFFIX = re.compile(r"^(?P<name>.+)[:](?P<number>\d)$")
_AXES = (
    *(("x", "y", "z"), ("xcoordinate", "ycoordinate", "zcoordinate"), ("coordinatex", "coordinatey", "coordinatez")),
    *(("xcoord", "ycoord", "zcoord"), ("coordsx", "coordsy", "coordsz"), ("xposition", "yposition", "zposition")),
    *(("xpos", "ypos", "zpos"), ("positionx", "positiony", "positionz"), ("points:0", "points:1", "points:2")),
    *(("points0", "points1", "points2"), ("pointsx", "pointsy", "pointsz")),
)
# Columns that tell which vectors are none, and which of their values do. OpenPIV's flags and mask; TSI's choice
# code; PIVlab's type of a vector (0: masked, 2: interpolated); DaVis's and ParaView's validity.
FLAGS = {
    **dict.fromkeys(("flag", "flags", "mask"), "not 0"),
    "chc": "below 1",
    **dict.fromkeys(("vectortype", "typevector", "valid", "isvalid", "vtkvalidpointmask"), "0"),
}


def name_and_unit(text: str) -> tuple[str, str]:
    """A column's name without its unit, and the unit: ``x [mm]``, ``u (m/s)``, ``X mm``."""
    text = text.strip().strip("\"'").strip()
    match = _UNIT.match(text)
    if match and match["name"] and match["unit"] not in _COMPONENTS:
        return match["name"], "" if match["unit"] in ("-", "") else match["unit"]
    match = _WORDS.match(text)
    return (match["name"], match["unit"]) if match else (text, "")


def plain(name: str) -> str:
    """A name without capitals, spaces and joints."""
    return re.sub(r"[\s_-]+", "", name).lower()


def coordinate_names(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the positions, two or three; none where there are no such columns."""
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(plain(name), name)
    for axes in _AXES:
        if axes[0] in known and axes[1] in known:
            return tuple(known[axis] for axis in axes if axis in known)
    return ()


def grouped(columns: Arrays) -> Arrays:
    """Columns with the components that ParaView numbers, ``U:0``, ``U:1``, …, joined to one array (n, k)."""
    result: Arrays = {}
    parts: dict[str, dict[int, np.ndarray]] = {}
    for name, values in columns.items():
        match = _SUFFIX.match(name)
        if match:
            parts.setdefault(match["name"], {})[int(match["number"])] = values
        else:
            result[name] = values
    for name, components in parts.items():
        if sorted(components) != list(range(len(components))) or name in result:
            raise ReadError(f"has the components {sorted(components)} of '{name}': write all of them, once")
        result[name] = np.column_stack([components[i] for i in range(len(components))])
    return result


def invalid_rows(columns: Arrays) -> tuple[BoolArray | None, list[str]]:
    """Which rows (n,) columns such as ``flags``, ``mask`` and ``CHC`` mark as no measurement, and what was found
    in which column; None without such columns."""
    invalid: BoolArray | None = None
    found = []
    for name, values in columns.items():
        here = flagged(name, values)
        if here is None:
            continue
        invalid = here if invalid is None else invalid | here
        found.append(f"{int(here.sum())} by '{name}' ({FLAGS[plain(name)]})")
    if invalid is not None and len(invalid) and invalid.all():
        raise ReadError(f"all {len(invalid)} vectors are marked as invalid ({', '.join(found)}): check the column")
    return invalid, found


def flagged(name: str, values: np.ndarray) -> BoolArray | None:
    """Which rows (n,) a column marks as no measurement; None for a column that is no flag."""
    rule = FLAGS.get(plain(name))
    if rule is None or values.ndim != 1:
        return None
    marked: BoolArray = ~np.isfinite(values) | {"not 0": values != 0, "below 1": values < 1, "0": values == 0}[rule]
    return marked


def contents_of(
    path: Path,
    points: NDArray[np.float64],
    data: Arrays,
    shape: tuple[int, int, int] | None = None,
    units: dict[str, str] | None = None,
    time: float | None = None,
) -> Contents:
    """Arrays (n,) or (n, k) at points (n, 3) as Contents: on a lattice along x, y and z, in its order, where the
    points are all of one; on a curved one of ``shape`` (the first index fastest) where it is given; or scattered.

    Raises ReadError for positions that are not finite and where all vectors are marked as invalid.
    """
    _check(points)
    mesh = Mesh(points, Cells.empty())
    found = mesh.structure.lattice
    if found is not None:
        mesh, data = Lattice(*found.geometry), {name: values[found.points] for name, values in data.items()}
    elif shape is not None:
        from flowgrad.mesh.lattice_detection import lattice_geometry

        mesh = Lattice(*lattice_geometry(points, np.array(shape)))
    invalid, said = invalid_rows(data)
    if said:
        log.info("%s: of %d vectors, as invalid are left out: %s", path, len(points), ", ".join(said))
    return Contents(mesh, path, point_data=data, time=time, units=units or {}, invalid=invalid)


def _check(points: NDArray[np.float64]) -> None:
    if len(points) < 2:
        raise ReadError(f"has {len(points)} points: a gradient needs more, give the whole field")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ReadError(
            f"the position in row {bad[0] + 1} (and {len(bad) - 1} more) is not finite: leave such rows out"
        )
