"""Meshes whose cells own their points, and others whose points are one in part, made of ordinary ones."""

from __future__ import annotations

import numpy as np

from flowgrad import Cells, Mesh
from flowgrad.mesh import CellFaces
from flowgrad.mesh.cells import take


def by_appearance(mesh):
    """The same mesh with its points in the order in which the cells name them, as joined points are numbered."""
    used, first = np.unique(mesh.cells.connectivity, return_index=True)
    order = used[np.argsort(first)]
    number = np.full(mesh.point_count, -1)
    number[order] = np.arange(len(order))
    return renumbered(mesh, mesh.points[order], number[mesh.cells.connectivity], lambda cell, point: number[point])


def renumbered(mesh, points, connectivity, of):
    """A mesh of the same cells on other points; ``of(cells, points)`` renumbers the points of polyhedra's faces."""
    cells, faces = mesh.cells, mesh.cells.polyhedra
    if faces is not None:
        owner = np.repeat(np.repeat(np.arange(len(cells)), np.diff(faces.cell_offsets)), np.diff(faces.offsets))
        faces = CellFaces(of(owner, faces.connectivity), faces.offsets, faces.cell_offsets)
    return Mesh(points, Cells(cells.types, cells.offsets, connectivity, faces, cells.degrees))


def apart(mesh, pieces=None):
    """Every cell with its own copies of its points; with ``pieces`` (cells,) every piece of one number with its own.
    The points of the pieces follow each other; also the point of the mesh that each one copies."""
    cells = mesh.cells
    pieces = np.arange(len(cells)) if pieces is None else np.asarray(pieces)
    width = mesh.point_count
    entry = np.repeat(pieces, np.diff(cells.offsets)) * width + cells.connectivity
    copies, number = np.unique(entry, return_inverse=True)
    found = renumbered(
        mesh, mesh.points[copies % width], number, lambda cell, p: np.searchsorted(copies, pieces[cell] * width + p)
    )
    return found, copies % width


def shuffled(mesh, seed=0):
    """The cells in another order, and the number of the old cell that each one is; no polyhedra."""
    order = np.random.default_rng(seed).permutation(len(mesh))
    start, connectivity = take(mesh.cells.offsets, mesh.cells.connectivity, order)
    return Mesh(mesh.points, Cells(mesh.cells.types[order], start, connectivity)), order
