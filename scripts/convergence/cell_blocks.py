"""Meshes of further cell types, made of hexahedra, quads and tetrahedra that fill a block."""

from __future__ import annotations

import numpy as np

from flowgrad.mesh import REFERENCE_CELLS, CellFaces, Cells, Mesh

_FACES = np.array(REFERENCE_CELLS[12].faces)


def pyramids(hexahedra: Mesh) -> Mesh:
    """Six in each hexahedron, their tips at the mean of its corners."""
    rows = hexahedra.cells.connectivity.reshape(-1, 8)
    tips = np.repeat(hexahedra.point_count + np.arange(len(rows)), 6)
    bases = rows[:, _FACES[:, ::-1]].reshape(-1, 4)
    points = np.vstack([hexahedra.points, hexahedra.points[rows].mean(axis=1)])
    return Mesh(points, Cells.of_type(14, np.column_stack([bases, tips])))


def polyhedra(hexahedra: Mesh) -> Mesh:
    """The hexahedra as polyhedra of six faces."""
    cells = hexahedra.cells
    faces = cells.connectivity.reshape(-1, 8)[:, _FACES]
    count = len(cells)
    listed = CellFaces(faces.ravel(), 4 * np.arange(6 * count + 1), 6 * np.arange(count + 1))
    return Mesh(hexahedra.points, Cells(np.full(count, 42, np.uint8), cells.offsets, cells.connectivity, listed))


def hexagons(quads: Mesh) -> Mesh:
    """Two neighbours at a time as one polygon of six points; an even number of quads in a row."""
    pairs = quads.cells.connectivity.reshape(-1, 2, 4)
    return Mesh(quads.points, Cells.of_type(7, np.hstack([pairs[:, 0, :3], pairs[:, 1, 2:], pairs[:, 0, 3:]])))


def with_boundary(tetrahedra: Mesh) -> Mesh:
    """The tetrahedra, and the triangles of their boundary as cells."""
    cells, (start, triangles) = tetrahedra.cells, tetrahedra.topology.boundary_polygons
    types = np.concatenate([cells.types, np.full(len(start) - 1, 5, np.uint8)])
    offsets = np.concatenate([cells.offsets, cells.offsets[-1] + start[1:]])
    return Mesh(tetrahedra.points, Cells(types, offsets, np.concatenate([cells.connectivity, triangles])))
