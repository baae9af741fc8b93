"""Conversion from and to meshio: points, blocks of cells of one type, and their data, in the order of the cells.

Which array is the velocity, its noise and symmetry go along in ``mesh.info``, and what makes the mesh a lattice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.convert import (
    as_options,
    check_numbers,
    flow_in,
    in_columns,
    refuse_complex,
    refuse_patches,
    tool,
)
from flowgrad.interop.metadata import RECORD, lattice_again, told_of
from flowgrad.io.meshio_formats import TYPES, contents_of_parts, parts_of
from flowgrad.io.node_order import WEDGE
from flowgrad.mesh import Cells, Lattice, Mesh, cell_name
from flowgrad.pipeline.write import DEFAULT, Result, on_mesh

_SOURCE = Path("the meshio mesh")
_NAMES = {number: name for name, number in reversed(TYPES.items())}
# Pixels and voxels are quads and hexahedra in another order of their points.
_UPRIGHT = {8: (9, [0, 1, 3, 2]), 11: (12, [0, 1, 3, 2, 4, 5, 7, 6])}
_WEDGE_TYPE = 13
_INSTEAD = "use flowgrad.to_pyvista, or write a .vtu"

Block = tuple[str, NDArray[np.int64]]


def from_meshio(mesh: Any, velocity: str | None = None, location: str | None = None, **about: Any) -> Flow:
    """The flow in a ``meshio.Mesh``, as :func:`flowgrad.read` takes it from a file that meshio reads, with the same
    options; 2-D points get z = 0.

    Raises OptionError for arrays that do not fit, for points of quadratic cells in an order that is not known, and for
    cells that flowgrad does not differentiate, polyhedra among them: meshio.write them as .vtu, or use PyVista.
    """
    if not isinstance(mesh, tool("meshio", "meshio").Mesh):
        raise OptionError(f"{type(mesh).__name__} is not a meshio.Mesh: give one")
    parts = parts_of(mesh)
    refuse_complex({**parts["point_data"], **mesh.field_data}, _SOURCE)
    refuse_complex({name: values for name, blocks in parts["cell_data"].items() for values in blocks[:1]}, _SOURCE)
    with as_options():
        contents = contents_of_parts(_SOURCE, parts)
    record = mesh.info.get(RECORD, {}) if isinstance(mesh.info, dict) else {}
    contents = dataclasses.replace(contents, mesh=_lattice_or(contents.mesh, record.get("lattice", {})))
    return flow_in(contents, {"velocity": velocity, "location": location, **about}, record)


def to_meshio(
    result: Flow | Result, quantities: Sequence[str] = DEFAULT, *, std: bool = False, boundary: bool = True
) -> Any:
    """A flow with all its arrays, or a result with its ``quantities``, as a ``meshio.Mesh``: what
    :func:`flowgrad.write` puts into a file, tensors as 9 components row by row.

    Neighbouring cells of one type are a block, so that the order stays; pixels become quads and voxels hexahedra.
    Raises OptionError for a result without a mesh, for cells that meshio does not hold whole (polyhedra, cells of
    degrees of their own, types that it has no block for), and for a flow with patches on its boundary, which meshio has
    no place for: ``boundary=False`` leaves them out.
    """
    meshio = tool("meshio", "meshio")
    refuse_patches(result, boundary, "meshio")
    found = on_mesh(result, quantities, std=std)
    for arrays in (found.point_data, found.cell_data, found.field_data):
        check_numbers(arrays)
    cells = found.mesh.cells
    _check(cells, meshio)
    starts = _starts(cells)
    blocks = [_block(cells, int(a), int(b)) for a, b in pairwise(starts)]
    lattice = {"lattice": told_of(found.mesh)} if isinstance(found.mesh, Lattice) else {}
    by_cell = {name: in_columns(values).copy() for name, values in found.cell_data.items()}
    return meshio.Mesh(
        found.mesh.points.copy(),
        blocks,
        {name: in_columns(values).copy() for name, values in found.point_data.items()},
        {name: np.split(values, starts[1:-1]) for name, values in by_cell.items() if blocks},
        field_data={name: np.array(values) for name, values in found.field_data.items()},
        info={RECORD: {**found.record, **lattice}} if found.record else None,
    )


def _lattice_or(mesh: Mesh, told: Mapping[str, Any]) -> Mesh:
    """The lattice that a mesh was, if it still has its points and cells."""
    lattice = lattice_again(mesh.points, told)
    if lattice is None or not len(lattice) or not np.array_equal(lattice.cells.offsets, mesh.cells.offsets):
        return mesh
    one, other = (np.sort(each.cells.connectivity.reshape(len(mesh), -1), axis=1) for each in (mesh, lattice))
    return lattice if np.array_equal(one, other) else mesh


def _check(cells: Cells, meshio: Any) -> None:
    kinds, counts = np.unique(cells.types, return_counts=True)
    listed = ", ".join(
        f"{count} of the type {cell_name(int(kind))}"
        for kind, count in zip(kinds, counts, strict=True)
        if not _is_held(int(kind), meshio)
    )
    if listed:
        raise OptionError(f"meshio does not hold these cells whole ({listed}): {_INSTEAD}")
    if cells.degrees is not None and cells.degrees.any():
        raise OptionError(f"meshio does not hold the degrees of Lagrange cells: {_INSTEAD}")


def _is_held(kind: int, meshio: Any) -> bool:
    """Whether meshio has blocks of cells of a type; it refuses some of its own names."""
    if kind in _UPRIGHT:
        return True
    try:
        meshio.CellBlock(_NAMES[kind], np.zeros((1, 1), np.int64))
    except KeyError:
        return False
    return True


def _starts(cells: Cells) -> NDArray[np.int64]:
    """Where the type or the number of points changes, with both ends."""
    if not len(cells):
        return np.zeros(1, np.int64)
    sizes = np.diff(cells.offsets)
    changes = np.flatnonzero((np.diff(cells.types.astype(int)) != 0) | (np.diff(sizes) != 0)) + 1
    return np.concatenate([[0], changes, [len(cells)]])


def _block(cells: Cells, start: int, stop: int) -> Block:
    kind, size = int(cells.types[start]), int(cells.offsets[start + 1] - cells.offsets[start])
    rows = cells.connectivity[cells.offsets[start] : cells.offsets[stop]].reshape(-1, size)
    if kind in _UPRIGHT:
        kind, order = _UPRIGHT[kind]
        return _NAMES[kind], rows[:, order]
    return _NAMES[kind], rows[:, WEDGE] if kind == _WEDGE_TYPE else rows.copy()
