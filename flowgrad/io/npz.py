"""NumPy's .npz: positions and velocity by name, as columns or on a grid, or points with cells."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, listed, naming, native, register_format
from flowgrad.io.point_samples import contents_of, coordinate_names, position_unit
from flowgrad.mesh import Cells, Mesh

# A member may always expand to this many bytes, and beyond it to so many times what it takes in the file.
_ALWAYS = 1 << 26
_RATIO = 300
# The cells of rows of so many points, in the plane and in space.
_PLANAR, _SOLID = {3: 5, 4: 9}, {4: 10, 5: 14, 6: 13, 8: 12}


def read_npz(path: Path) -> Contents:
    """Arrays ``points`` (n, 2 or 3) with, or without, ``cells`` (m, k); or ``x``, ``y`` and, in space, ``z``: columns
    (n,), the coordinates of all points of a grid, or those along its axes. Every other numeric array is kept.

    Raises ReadError for arrays that fit neither the points nor the cells, and for grids whose order of axes is not
    told by their shape.
    """
    with naming(path):
        arrays = _loaded(path)
        time = arrays.pop("time", arrays.pop("t", None))
        moment = float(time.reshape(-1)[0]) if time is not None and time.size == 1 else None
        if "points" in arrays:
            return _on_points(path, arrays, moment)
        return _on_grid(path, arrays, moment)


def _loaded(path: Path) -> Arrays:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _check_size(archive, member)
            broken = archive.testzip()
        if broken:
            raise ReadError(f"'{broken}' does not have its checksum: the file is damaged")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(f"cannot be read as .npz ({reason}): save it again with numpy.savez") from None
    kinds = {name: values.dtype.kind for name, values in arrays.items()}
    wrong = [name for name, kind in kinds.items() if kind == "c"]
    if wrong:
        raise ReadError(f"'{wrong[0]}' is complex: save its real or imaginary part")
    return {name: native(values) for name, values in arrays.items() if kinds[name] in "fiub"}


def _check_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """ReadError for a member that is larger than a file of this size can hold, and for a header that says so."""
    size = member.file_size
    if size > max(_ALWAYS, _RATIO * member.compress_size):
        raise ReadError(
            f"'{member.filename}' takes {member.compress_size} bytes and declares {size}: damaged, or a bomb"
        )
    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}.get(version[0])
        if read is None:
            raise ReadError(f"'{member.filename}' has the version {version} of the format: save it again")
        shape, _, dtype = read(stream)
        if dtype.hasobject:
            raise ReadError(f"'{member.filename}' holds Python objects, which are not read: save numbers")
        due = dtype.itemsize
        for count in shape:
            due *= count
        if due != size - stream.tell():
            raise ReadError(f"'{member.filename}' declares {due} bytes and has {size - stream.tell()}: damaged file")


def _on_points(path: Path, arrays: Arrays, time: float | None) -> Contents:
    points = arrays.pop("points")
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise ReadError(f"'points' has the shape {points.shape}: give (n, 2) or (n, 3)")
    points = np.column_stack([points, np.zeros((len(points), 3 - points.shape[1]))]).astype(np.float64)
    cells = arrays.pop("cells", None)
    if cells is None:
        return contents_of(path, points, {n: _rows(v, len(points), n) for n, v in arrays.items()}, time=time)
    mesh = Mesh(points, _cells(cells, points))
    if len(mesh) == len(points):
        raise ReadError(f"has as many cells as points, {len(mesh)}, so that arrays could be on either: save as .vtu")
    at_cells = {name: values for name, values in arrays.items() if values.shape[:1] == (len(mesh),)}
    at_points = {n: _rows(v, len(points), n) for n, v in arrays.items() if n not in at_cells}
    return Contents(mesh, path, at_points, {n: _rows(v, len(mesh), n) for n, v in at_cells.items()}, time=time)


def _cells(rows: np.ndarray, points: np.ndarray) -> Cells:
    is_planar = len(points) > 0 and bool((points[:, 2] == points[0, 2]).all())
    kinds = _PLANAR if is_planar else _SOLID
    if rows.ndim != 2 or rows.dtype.kind not in "iu" or rows.shape[1] not in kinds:
        raise ReadError(f"'cells' is {rows.dtype} {rows.shape}: give rows of {sorted(kinds)} point numbers")
    return Cells.of_type(kinds[rows.shape[1]], rows.astype(np.int64))


def _rows(values: np.ndarray, count: int, name: str) -> np.ndarray:
    if values.shape[:1] != (count,):
        raise ReadError(f"'{name}' has the shape {values.shape}: give one row for each of {count} points")
    return values.reshape(count, -1) if values.ndim > 2 else values


def _on_grid(path: Path, arrays: Arrays, time: float | None) -> Contents:
    names = coordinate_names(list(arrays))
    if not names:
        raise ReadError(f"has no 'points' and no 'x' and 'y' among {listed(arrays) or 'nothing'}: save them too")
    positions = [arrays.pop(name).astype(np.float64) for name in names]
    if not arrays:
        raise ReadError("has positions and no other array: save the velocity too")
    if all(each.ndim == 1 for each in positions) and not all(v.shape == positions[0].shape for v in arrays.values()):
        positions = along_axes(positions, arrays)
    contents = on_grid(path, positions, arrays, time)
    unit = position_unit(names[0], "")
    return replace(contents, units={"x": unit}) if unit else contents


def along_axes(axes: Sequence[np.ndarray], arrays: Arrays) -> list[np.ndarray]:
    """The coordinates of all points of the grid of two or three axes, indexed as the arrays are: [x, y, z] or
    [z, y, x]; ReadError where their shapes do not tell."""
    size = tuple(map(len, axes))
    shapes = {values.shape[: len(size)] for values in arrays.values()}
    if size != size[::-1] and shapes == {size}:
        return list(np.meshgrid(*axes, indexing="ij"))
    if size != size[::-1] and shapes == {size[::-1]}:
        return list(np.meshgrid(*axes[::-1], indexing="ij"))[::-1]
    listed = ", ".join(f"'{name}' {values.shape}" for name, values in arrays.items())
    raise ReadError(
        f"has axes of {size} points and {listed}: the order of the arrays' axes does not follow; save x and y of every "
        "point (numpy.meshgrid)"
    )


def on_grid(path: Path, positions: Sequence[np.ndarray], arrays: Arrays, time: float | None) -> Contents:
    """Arrays at points whose x, y and, in space, z have one shape, of one to three axes."""
    shape = positions[0].shape
    if any(each.shape != shape for each in positions) or not 1 <= len(shape) <= 3:
        shapes = " and ".join(str(each.shape) for each in positions)
        raise ReadError(f"its positions have the shapes {shapes}: give them alike")
    if 0 in shape:
        raise ReadError(f"its positions have the shape {shape}, which holds none: save the whole field")
    for name, values in arrays.items():
        if values.shape[: len(shape)] != shape:
            raise ReadError(f"'{name}' has the shape {values.shape} and the positions {shape}: save them alike")
    points = np.zeros((*shape, 3))
    for a, each in enumerate(positions):
        points[..., a] = each
    order = range(len(shape)) if _is_left_handed(points) else range(len(shape))[::-1]
    data = {name: _flat(values, order) for name, values in arrays.items()}
    sizes = [shape[a] for a in order][::-1]
    grid = (sizes[0], sizes[1], sizes[2] if len(sizes) > 2 else 1) if len(sizes) > 1 else None
    return contents_of(path, _flat(points, order), data, grid, time=time)


def _is_left_handed(points: np.ndarray) -> bool:
    """Whether the axes of an array of points, in their order, are left-handed: the last one is then the first."""
    axes = points.ndim - 1
    ways = np.array([np.take(points, -1, a).mean(axis=tuple(range(axes - 1))) for a in range(axes)])
    ways -= [np.take(points, 0, a).mean(axis=tuple(range(axes - 1))) for a in range(axes)]
    return axes > 1 and bool(np.linalg.det(ways[:, :axes]) < 0)


def _flat(values: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Rows (n,) or (n, k) with the axes in this order, the last the fastest."""
    rest = range(len(order), values.ndim)
    turned = np.ascontiguousarray(values.transpose(*order, *rest))
    return turned.reshape(-1, *([int(np.prod([values.shape[a] for a in rest]))] if len(rest) else []))


register_format((".npz",), reader=read_npz, keeps="points, cells or a grid; point data, cell data, masks, one time")
