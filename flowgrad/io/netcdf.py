"""NetCDF grids with coordinates as the CF conventions have them (https://cfconventions.org, 1.11, chapters 4 and 5).

The variables that share the grid of the velocity become arrays at its points, all others field data. The library reads
zeros where a file of the classic kinds (CDF-1, CDF-2, CDF-5) was cut off, so that its header is looked at before; its
layout: "The NetCDF Classic Format Specification", NetCDF User's Guide, appendix B.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, Step, listed, naming, native, register_format, seconds_in
from flowgrad.io.npz import on_grid
from flowgrad.io.point_samples import position_unit
from flowgrad.io.subprocess_reader import guarded
from flowgrad.io.validity import attributes_of
from flowgrad.io.velocity import COMPONENTS, VECTORS
from flowgrad.mesh import Lattice

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_DAMAGED = "the file is damaged or was cut off, write it again"

# A variable may always take this many bytes, and beyond it so many times the size of the file.
_ALWAYS = 1 << 28
_RATIO = 300
_NAMES = {"X": ("x", "lon", "longitude", "xc", "x1"), "Y": ("y", "lat", "latitude", "yc"), "T": ("time", "t")}
_NAMES["Z"] = ("z", "depth", "height", "altitude", "lev", "level", "zc", "elevation")
Space = tuple[str, ...]


@dataclass(frozen=True)
class _Variable:
    """Bytes of one variable, of one record of it where it has records, and where they begin."""

    size: int
    begin: int
    has_records: bool
    width: int


@dataclass
class _Header:
    """Reads the header: ``number`` is the width of its counts, ``offset`` that of its positions."""

    handle: BinaryIO
    number: int
    offset: int
    left: int
    dimensions: list[int] = field(default_factory=list)

    def take(self, count: int) -> bytes:
        self.left -= count
        if self.left < 0:
            raise ReadError(f"ends inside its header: {_DAMAGED}")
        return self.handle.read(count)

    def integer(self, width: int = 0) -> int:
        """A count, or a number of another width."""
        return int.from_bytes(self.take(width or self.number), "big")

    def skip(self, size: int) -> None:
        """Pass over so many bytes, filled up to a multiple of 4."""
        self.take(size + -size % 4)

    def count_of(self, tag: int) -> int:
        """The length of a list, which has no tag where it is empty."""
        found, count = self.integer(4), self.integer()
        if found != tag and (found or count):
            raise ReadError(f"has the tag {found} instead of {tag} in its header: {_DAMAGED}")
        return count

    def read_dimensions(self) -> None:
        for _ in range(self.count_of(10)):
            self.skip(self.integer())
            self.dimensions.append(self.integer())

    def skip_attributes(self) -> None:
        for _ in range(self.count_of(12)):
            self.skip(self.integer())
            width = _width(self.integer(4))
            self.skip(width * self.integer())

    def variable(self) -> _Variable:
        self.skip(self.integer())
        numbers = [self.integer() for _ in range(self._checked(self.integer()))]
        if any(number >= len(self.dimensions) for number in numbers):
            raise ReadError(f"has a variable on a dimension beyond its {len(self.dimensions)}: {_DAMAGED}")
        self.skip_attributes()
        width, told = _width(self.integer(4)), self.integer()
        lengths = [self.dimensions[number] for number in numbers]
        has_records = bool(lengths) and not lengths[0]
        size = width * math.prod(lengths[1:] if has_records else lengths)
        # A size that does not fit into the number is written as the largest one.
        padded = size + -size % 4
        if told not in (size, padded) and padded < 2**32 - 4:
            raise ReadError(f"has a variable of {told} bytes, whose dimensions make {size}: {_DAMAGED}")
        return _Variable(size, self.integer(self.offset), has_records, width)

    def _checked(self, count: int) -> int:
        if count * self.number > self.left:
            raise ReadError(f"ends inside its header: {_DAMAGED}")
        return count


def check_length(path: Path) -> None:
    """ReadError for a file of a classic kind that is shorter than its header says; other kinds pass."""
    with path.open("rb") as handle:
        magic = handle.read(4)
        if magic not in (b"CDF\1", b"CDF\2", b"CDF\5"):
            return
        size = path.stat().st_size
        due = _due(_Header(handle, 8 if magic[3] == 5 else 4, 4 if magic[3] == 1 else 8, size - 4))
    if size < due:
        raise ReadError(f"has {size} bytes, of which its header declares {due}: {_DAMAGED}")


def _due(header: _Header) -> int:
    records = header.integer()
    header.read_dimensions()
    header.skip_attributes()
    variables = [header.variable() for _ in range(header.count_of(11))]
    moving = [variable for variable in variables if variable.has_records]
    if records == 256**header.number - 1:
        # Written as a stream, whose length tells the number of records.
        records = min(1, len(moving))
    sizes = [each.size for each in moving]
    # A single variable of small numbers is not padded to a multiple of 4.
    step = sizes[0] if len(moving) == 1 and moving[0].width < 4 else sum(size + -size % 4 for size in sizes)
    return max((_end(variable, records, step) for variable in variables), default=0)


def _end(variable: _Variable, records: int, step: int) -> int:
    if not variable.has_records:
        return variable.begin + variable.size
    return variable.begin + (records - 1) * step + variable.size if records else 0


def _width(kind: int) -> int:
    if kind not in _SIZES:
        raise ReadError(f"has a value of the unknown type {kind}: {_DAMAGED}")
    return _SIZES[kind]


def netcdf_steps(path: Path) -> Sequence[Step]:
    """The times of a file, in seconds where its unit is a known one; one step without a time axis.

    Steps raise ReadError for a velocity whose components are on different grids, axes without coordinates or in
    degrees, and for sizes that the file cannot hold.
    """
    with naming(path):
        times = guarded("netCDF4", "flowgrad.io.netcdf:times_in", path)
    return [Step(path, time, partial(_read, path, number, time)) for number, time in enumerate(times)]


def _read(path: Path, number: int, time: float | None) -> Contents:
    with naming(path):
        contents: Contents = guarded("netCDF4", "flowgrad.io.netcdf:step_in", path, number)
    return dataclasses.replace(contents, source=path, time=time)


def times_in(path: Path) -> list[float | None]:
    """The times in a file, as for :func:`netcdf_steps`; run by the worker."""
    with opened(path) as data:
        axis = _time_axis(data)
        if axis is None:
            return [None]
        if axis not in data.variables:
            return [float(number) for number in range(data.dimensions[axis].size)]
        variable = data.variables[axis]
        factor = seconds_in(str(getattr(variable, "units", "")).split(" since ")[0])
        return [float(value) * factor for value in _values(variable)]


def step_in(path: Path, number: int) -> Contents:
    """Everything in a file at one of its times; run by the worker."""
    with opened(path) as data:
        time = _time_axis(data)
        arrays = {n: _values(v, time, number) for n, v in _numeric(data).items()}
        grid, spaces, positions, on, units = _grid_of(data, time, arrays)
        rest = {n: values for n, values in arrays.items() if n not in {*on, *positions, time}}
        fields = {n: np.atleast_1d(v) if v.ndim < 2 else v.reshape(len(v), -1) for n, v in rest.items()}
        here = {n: arrays[n] for n in on}
        if any(values.ndim > 1 for values in positions.values()):
            contents = on_grid(path, list(positions.values()), here, None)
        else:
            lattice, order = _rectilinear(grid, positions, spaces)
            flat = {name: np.ascontiguousarray(v.transpose(order)).reshape(-1) for name, v in here.items()}
            contents = Contents(lattice, path, flat)
        return dataclasses.replace(contents, field_data=fields, units=units, attributes=_attributes(data, on))


def opened(path: Path) -> Any:
    """The file, open, where it can hold what it declares; ReadError where it cannot."""
    import netCDF4

    check_length(path)
    data = netCDF4.Dataset(str(path))
    size = path.stat().st_size
    for name, variable in data.variables.items():
        itemsize = 8 if variable.dtype is str else variable.dtype.itemsize
        due = itemsize * math.prod(variable.shape)
        if due > max(_ALWAYS, _RATIO * size):
            data.close()
            raise ReadError(f"'{name}' declares {due} bytes in a file of {size}: the file is damaged, or a bomb")
    return data


def _values(
    variable: Any, time: str | None = None, number: int = 0, across: str = "", planes: slice = slice(None)
) -> np.ndarray:
    """A variable's values at one time, missing ones NaN; of some planes ``across`` a dimension where that is given."""
    part = {time: number, across: planes}
    where = tuple(part.get(d, slice(None)) for d in variable.dimensions)
    values = variable[where] if where else variable[()]
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan) if values.mask.any() else values.data
    return native(np.asarray(values))


def _time_axis(data: Any) -> str | None:
    return next((name for name in data.dimensions if _axis(data, name) == "T"), None)


def _axis(data: Any, name: str) -> str:
    """X, Y, Z or T: what a coordinate says it is, or what its name says; empty where neither does."""
    variable = data.variables.get(name)
    if variable is not None:
        said = str(getattr(variable, "axis", "")).upper()
        standard = str(getattr(variable, "standard_name", ""))
        if said in ("X", "Y", "Z", "T"):
            return said
        if " since " in str(getattr(variable, "units", "")) or standard == "time":
            return "T"
        for axis, words in (("X", "projection_x longitude"), ("Y", "projection_y latitude"), ("Z", "depth height")):
            if any(standard.startswith(word) for word in words.split()):
                return axis
        if hasattr(variable, "positive"):
            return "Z"
    return next((axis for axis, names in _NAMES.items() if name.lower() in names), "")


def _grid_of(
    data: Any, time: str | None, arrays: Arrays
) -> tuple[Space, dict[str, Space], dict[str, np.ndarray], list[str], dict[str, str]]:
    """The dimensions of the velocity's grid, those of each array but the time, the positions by their names, the names
    of the other arrays on the grid, and their units, with ``x`` for that of the positions."""
    spaces = {n: tuple(d for d in data.variables[n].dimensions if d != time) for n in arrays}
    grid = _grid(arrays, spaces)
    positions = _positions(data, grid, arrays)
    on = [n for n in arrays if spaces[n] == grid and n not in positions]
    units = {n: str(data.variables[n].units) for n in on if hasattr(data.variables[n], "units")}
    first = next(iter(positions))
    unit = position_unit(first, str(getattr(data.variables[first], "units", "")))
    return grid, spaces, positions, on, {**units, **({"x": unit} if unit else {})}


def _attributes(data: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the file tells of variables by CF's names."""
    found = {name: attributes_of(data.variables[name].__dict__) for name in names}
    return {name: about for name, about in found.items() if about}


def _numeric(data: Any) -> dict[str, Any]:
    return {name: each for name, each in data.variables.items() if each.dtype != str and each.dtype.kind in "fiu"}


def _grid(arrays: Arrays, spaces: dict[str, Space]) -> Space:
    """The dimensions of the velocity, by its usual names; else those of the arrays with the most of them."""
    usual: list[Space] = [(name,) for name in VECTORS if name in arrays and name not in ("u", "v", "U", "V")]
    usual += [names[:2] for names in COMPONENTS if names[0] in arrays and names[1] in arrays]
    for names in usual:
        found = {spaces[name] for name in names}
        if len(found) > 1:
            raise ReadError(f"has {' and '.join(names)} on different grids {sorted(found)}: put them on one first")
        grid = found.pop()
        if len(grid) > 1:
            return grid
    grid = max(spaces.values(), key=len, default=())
    if len(grid) < 2:
        raise ReadError(
            f"has no variable on a grid of two axes or three among {listed(arrays) or 'nothing'}: write the "
            "velocity on its grid"
        )
    return grid


def _positions(data: Any, grid: Space, arrays: Arrays) -> dict[str, np.ndarray]:
    """Coordinates by their variable's name, x, y and, in space, z first to last: along the axes, or of all points."""
    if all(name in arrays for name in grid):
        found = {_axis(data, name): name for name in grid}
    else:
        shaped = [n for n, v in data.variables.items() if v.dimensions == grid and n in arrays and _axis(data, n)]
        found = {_axis(data, name): name for name in shaped}
    if not {"X", "Y"} <= set(found) or (len(found) < len(grid) and all(name in arrays for name in grid)):
        raise ReadError(
            f"does not tell the coordinates of its grid ({', '.join(grid)}): give each axis a variable of its name "
            "with the attribute axis = X, Y or Z"
        )
    positions = {}
    for axis in (each for each in "XYZ" if each in found):
        variable = data.variables[found[axis]]
        down = axis == "Z" and str(getattr(variable, "positive", "up")).lower() == "down"
        positions[found[axis]] = arrays[found[axis]] * (-1.0 if down else 1.0)
    return positions


def _rectilinear(grid: Space, positions: dict[str, np.ndarray], spaces: dict[str, Space]) -> tuple[Lattice, list[int]]:
    """The lattice of coordinates along axes, and the order of a variable's dimensions with the first axis last."""
    axes = [name for name in positions if spaces[name] == (name,)]
    x, y, z = (*positions.values(), np.zeros(1))[:3]
    return Lattice.rectilinear(x, y, z), [grid.index(name) for name in axes[::-1]]


@dataclass(frozen=True, eq=False)
class Layout:
    """What a file declares at one of its times, without the values: the lattice, the types of the variables at its
    points, the dimension ``across`` which its planes lie, and the order of dimensions as for :func:`_rectilinear`."""

    lattice: Lattice
    declared: dict[str, np.dtype]
    across: str
    order: list[int]
    number: int
    time: float | None
    units: dict[str, str]
    attributes: dict[str, dict[str, Any]]
    refusal: str = ""


def layout_in(path: Path, number: int) -> Layout:
    """The layout of a file; run by the worker. A curvilinear grid has a ``refusal``, and of the lattice the shape."""
    time = times_in(path)[number]
    with opened(path) as data:
        axis, numeric = _time_axis(data), _numeric(data)
        is_line = {n: len([d for d in v.dimensions if d != axis]) < 2 for n, v in numeric.items()}
        lines = {n: _values(v, axis, number) if is_line[n] else np.empty(0) for n, v in numeric.items()}
        grid, spaces, positions, on, units = _grid_of(data, axis, lines)
        # Packed values are floats once they are unpacked.
        packed = {n for n in on if hasattr(numeric[n], "scale_factor") or hasattr(numeric[n], "add_offset")}
        declared = {n: np.dtype(np.float64 if n in packed else numeric[n].dtype) for n in on}
        if any(len(spaces[name]) != 1 for name in positions):
            shape = Lattice.uniform([data.dimensions[d].size for d in grid[::-1]])
            why = "has a curvilinear grid, which is not read in blocks: write it with coordinates along its axes"
            return Layout(shape, declared, "", [], number, time, {}, {}, why)
        lattice, order = _rectilinear(grid, positions, spaces)
        across = grid[order[len(order) - 1 - lattice.active[-1]]]
        return Layout(lattice, declared, across, order, number, time, units, _attributes(data, on))


def planes_in(path: Path, layout: Layout, names: Sequence[str], start: int, stop: int) -> list[np.ndarray]:
    """Values (n,) of variables between two planes of the lattice; run by the worker."""
    with opened(path) as data:
        where = _time_axis(data), layout.number, layout.across, slice(start, stop)
        found = [_values(data.variables[name], *where).transpose(layout.order) for name in names]
        return [np.ascontiguousarray(values).reshape(-1) for values in found]


register_format(
    (".nc", ".nc4", ".cdf"),
    steps=netcdf_steps,
    keeps="a grid, point data, field data, times, masks",
    needs={"netCDF4": "flowgrad[netcdf]"},
)
