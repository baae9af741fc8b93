"""Point samples: columns of positions, vectors and flags become a lattice, or scattered points."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


# The producer of text in which masked vectors are exactly zero, and nothing says so.
DAVIS = "DaVis"
# Zeros in groups of so many at least are masked, where vectors with one component that is zero, as rounding makes
# them, are this part of them at most.
_MASKED, _ROUNDED = 4, 0.1
# Ends of names of columns that number the rows.
_NUMBERS = ("id", "ids", "number")


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


def masked_zeros(mesh: Mesh, vectors: NDArray[np.float64]) -> BoolArray:
    """Which vectors (n, 3) of a lattice are zero as masked ones are: in connected groups, not for lack of digits."""
    zero = (vectors == 0).all(axis=1)
    active = [k for k in range(3) if (vectors[:, k] != 0).any()]
    half = (vectors[:, active] == 0).any(axis=1) & ~zero
    if not isinstance(mesh, Lattice) or not zero.any() or half.sum() > _ROUNDED * zero.sum():
        return np.zeros(len(vectors), bool)
    from scipy.ndimage import label

    groups = label(zero.reshape(mesh.shape[::-1]), np.ones((3, 3, 3)))[0].ravel()
    masked: BoolArray = zero & (np.bincount(groups)[groups] >= _MASKED)
    return masked


@dataclass(frozen=True, eq=False)
class Placed:
    """The mesh of samples, and the number of the sample at each of its points, None where both have one order."""

    mesh: Mesh
    order: NDArray[np.intp] | None = None

    @classmethod
    def at(cls, points: NDArray[np.float64], shape: tuple[int, int, int] | None = None) -> Placed:
        """A lattice along x, y and z, in its order, where all points (n, 3) are of one; a curved one of ``shape`` (the
        first index fastest) where it is given; or scattered points. ReadError for positions that are not finite."""
        _check(points)
        mesh = Mesh(points, Cells.empty())
        found = mesh.structure.lattice
        if found is not None:
            return cls(Lattice(*found.geometry), found.points)
        if shape is not None:
            from flowgrad.mesh.lattice_detection import lattice_geometry

            return cls(Lattice(*lattice_geometry(points, np.array(shape))))
        return cls(mesh)

    def contents(
        self, path: Path, data: Arrays, units: Mapping[str, str] | None = None, time: float | None = None
    ) -> Contents:
        """Arrays (n,) or (n, k) of the samples as Contents; ReadError where all vectors are marked as invalid."""
        if self.order is not None:
            data = {name: values[self.order] for name, values in data.items()}
        invalid, said = invalid_rows(data)
        if said:
            count = len(self.mesh.points) if self.order is None else len(self.order)
            log.info("%s: of %d vectors, as invalid are left out: %s", path, count, ", ".join(said))
        return Contents(self.mesh, path, point_data=data, time=time, units=units or {}, invalid=invalid)


def contents_of(
    path: Path,
    points: NDArray[np.float64],
    data: Arrays,
    shape: tuple[int, int, int] | None = None,
    units: Mapping[str, str] | None = None,
    time: float | None = None,
) -> Contents:
    """Arrays (n,) or (n, k) at points (n, 3) as Contents, placed as by :meth:`Placed.at`, with its errors. Scattered
    rows that are there twice are one; ReadError for a position with rows that differ."""
    placed = Placed.at(points, shape)
    if placed.order is None and shape is None:
        rows = _different(points, data)
        if len(rows) < len(points):
            log.info("%s: %d of %d rows are there again and are left out", path, len(points) - len(rows), len(points))
            return contents_of(path, points[rows], {n: values[rows] for n, values in data.items()}, None, units, time)
    return placed.contents(path, data, units, time)


def _different(points: NDArray[np.float64], data: Arrays) -> NDArray[np.intp]:
    """The first row of each position; ReadError where others there have other values."""
    order = np.lexsort(points.T)
    again = (points[order[1:]] == points[order[:-1]]).all(axis=1)
    if not again.any():
        return np.arange(len(points))
    before, after = order[:-1][again], order[1:][again]
    for name, values in data.items():
        if plain(name).endswith(_NUMBERS):
            continue
        apart = ~((values[before] == values[after]) | (np.isnan(values[before]) & np.isnan(values[after])))
        if apart.any():
            row = before[apart.reshape(len(before), -1).any(axis=1)][0]
            x, y, z = points[row]
            raise ReadError(
                f"has {again.sum()} rows at positions of others, such as ({x:g}, {y:g}, {z:g}), with another '{name}': "
                "give the rows of several times a column 'time', or average them"
            )
    return np.sort(order[np.concatenate([[True], ~again])])


def _check(points: NDArray[np.float64]) -> None:
    if len(points) < 2:
        raise ReadError(f"has {len(points)} points: a gradient needs more, give the whole field")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ReadError(
            f"the position in row {bad[0] + 1} (and {len(bad) - 1} more) is not finite: leave such rows out"
        )
