"""What VTK's files say about Lagrange cells besides their points: degrees, and the order by version."""

from __future__ import annotations

import dataclasses
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS

# The cell array of degrees, which an attribute of the same name points out.
DEGREES = "HigherOrderDegrees"
# Before this version the points on the third and the fourth upright edge were exchanged.
TODAYS_HEXAHEDRA = (2, 1)
_LAGRANGE_HEXAHEDRON = 72


def degrees_name(piece: ET.Element) -> str:
    """The name of the array of degrees in a piece, whether it is there or not."""
    section = piece.find("CellData")
    return DEGREES if section is None else section.get(DEGREES, DEGREES)


def file_version(cells: Cells) -> str:
    """The version of the format that the cells need."""
    return "2.1" if (cells.types == _LAGRANGE_HEXAHEDRON).any() else "1.0"


def with_degrees(cells: Cells, name: str, cell_data: Arrays) -> Cells:
    """The cells with the degrees that a cell array gives, which is taken out of the cell data."""
    lagrange = np.isin(cells.types, list(LAGRANGE_CELLS))
    if not lagrange.any() or name not in cell_data:
        return cells
    return dataclasses.replace(cells, degrees=_degrees(cell_data.pop(name), lagrange, name))


def _degrees(values: np.ndarray, lagrange: np.ndarray, name: str) -> np.ndarray:
    if values.ndim != 2 or values.shape[1] != 3 or not np.isfinite(values).all() or (values % 1).any():
        raise ReadError(
            f"'{name}' is {values.dtype} {values.shape}, not three whole numbers a cell: the file is damaged"
        )
    return np.where(lagrange[:, None], values, 0).astype(np.int64)


def in_todays_order(mesh: Mesh, version: tuple[int, int]) -> Mesh:
    """A mesh of a file of that version with the points of its Lagrange hexahedra as VTK orders them now."""
    old = [block for block in mesh.blocks if block.reference.vtk_type == _LAGRANGE_HEXAHEDRON]
    if version >= TODAYS_HEXAHEDRA or not old:
        return mesh
    connectivity = mesh.cells.connectivity.copy()
    for block in old:
        assert block.rows is not None
        slots = mesh.cells.offsets[block.cells][:, None] + np.arange(block.reference.size)
        connectivity[slots] = block.rows[:, exchanged(block.reference.nodes)]
    return Mesh(mesh.points, dataclasses.replace(mesh.cells, connectivity=connectivity))


def exchanged(nodes: np.ndarray | None) -> np.ndarray:
    """The numbers of a hexahedron's nodes (k, 3) with those on the edges 2-6 and 3-7 exchanged."""
    assert nodes is not None
    inner = (nodes[:, 2] > 0) & (nodes[:, 2] < 1) & (nodes[:, 1] == 1)
    third, fourth = np.flatnonzero(inner & (nodes[:, 0] == 1)), np.flatnonzero(inner & (nodes[:, 0] == 0))
    order = np.arange(len(nodes))
    order[third], order[fourth] = fourth, third
    return order
