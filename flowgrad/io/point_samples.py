"""Point samples: columns of positions and vectors become a lattice, or scattered points."""

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
    *(("lon", "lat", "z"), ("longitude", "latitude", "z")),
)
# Names of longitudes, which are in degrees where no unit is told.
_LONGITUDES = frozenset(("lon", "longitude", "navlon", "rlon", "glamt", "lonrho", "xlong"))
DEGREES = "degrees"
# Points that a lattice may lack, of those that are there, before it is taken for none.
_LACKING = 0.5
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


def position_unit(name: str, unit: str) -> str:
    """The unit of the positions, of what is told of those called ``name``; longitudes are angles by their names too."""
    return unit or (DEGREES if plain(name) in _LONGITUDES else "")


def is_angle(unit: str) -> bool:
    """Whether a unit is one of angles: ``degrees_east``, ``°``, ``deg``, ``rad``."""
    text = unit.strip().lower()
    return text.startswith(("deg", "°")) or text in ("rad", "radian", "radians")


def coordinate_names(names: Sequence[str]) -> tuple[str, ...]:
    """The columns of the positions, two or three; none where there are no such columns."""
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(plain(name_and_unit(name)[0]), name)
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
        _tell_missing(points)
        return cls(mesh)

    def contents(
        self, path: Path, data: Arrays, units: Mapping[str, str] | None = None, time: float | None = None
    ) -> Contents:
        """Arrays (n,) or (n, k) of the samples as Contents."""
        if self.order is not None:
            data = {name: values[self.order] for name, values in data.items()}
        return Contents(self.mesh, path, point_data=data, time=time, units=units or {})


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


def _tell_missing(points: NDArray[np.float64]) -> None:
    """A warning where points (n, 3) are those of a lattice but for some, as of a table that was cut off."""
    shape = [len(np.unique(column)) for column in points.T]
    lacking = int(np.prod(shape)) - len(points)
    if 0 < lacking <= _LACKING * len(points):
        log.warning(
            "the positions of the samples are those of a lattice of %s but for %d, and are taken as scattered: write "
            "the rows of all, with nan where there is no vector; if the file was cut off, write it again",
            " × ".join(str(n) for n in shape if n > 1),
            lacking,
        )


def _check(points: NDArray[np.float64]) -> None:
    if len(points) < 2:
        raise ReadError(f"has {len(points)} points: a gradient needs more, give the whole field")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ReadError(
            f"the position in row {bad[0] + 1} (and {len(bad) - 1} more) is not finite: leave such rows out"
        )
