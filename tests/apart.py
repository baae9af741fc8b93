"""Meshes whose cells own their points, meshes with plates of no thickness and with hanging nodes, made of ordinary
ones."""

from __future__ import annotations

import numpy as np

from flowgrad import Cells, Mesh
from flowgrad.mesh import CellFaces
from flowgrad.mesh.generate import block

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])


def renumbered(mesh, points, connectivity, of):
    """A mesh of the same cells on other points; ``of(cells, points)`` renumbers the points of polyhedra's faces."""
    cells, faces = mesh.cells, mesh.cells.polyhedra
    if faces is not None:
        owner = np.repeat(np.repeat(np.arange(len(cells)), np.diff(faces.cell_offsets)), np.diff(faces.offsets))
        faces = CellFaces(of(owner, faces.connectivity), faces.offsets, faces.cell_offsets)
    return Mesh(points, Cells(cells.types, cells.offsets, connectivity, faces, cells.degrees))


def by_appearance(mesh):
    """The same mesh with its points in the order in which the cells name them: so are joined points numbered, and how
    hexahedra are cut into tetrahedra depends on it."""
    used, first = np.unique(mesh.cells.connectivity, return_index=True)
    order = used[np.argsort(first)]
    number = np.full(mesh.point_count, -1)
    number[order] = np.arange(len(order))
    return renumbered(mesh, mesh.points[order], number[mesh.cells.connectivity], lambda _, points: number[points])


def apart(mesh, pieces=None):
    """The mesh with copies of its points for every cell, or with ``pieces`` (cells,) for every piece; and the point of
    the mesh that each of these copies. They are numbered as the cells name them."""
    cells, width = mesh.cells, mesh.point_count
    pieces = np.arange(len(cells)) if pieces is None else np.asarray(pieces)
    entry = np.repeat(pieces, np.diff(cells.offsets)) * width + cells.connectivity
    copies, first, inverse = np.unique(entry, return_index=True, return_inverse=True)
    rank = np.empty(len(copies), np.int64)
    rank[np.argsort(first)] = np.arange(len(copies))
    source = np.empty(len(copies), np.int64)
    source[rank] = copies % width

    def of(cell, points):
        return rank[np.searchsorted(copies, pieces[cell] * width + points)]

    return renumbered(mesh, mesh.points[source], rank[inverse], of), source


def turned(dimension):
    """A rotation of space, or of the plane z = 0."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(dimension, dimension)))[0]
    whole = np.eye(3)
    whole[:dimension, :dimension] = turn * np.sign(np.linalg.det(turn))
    return whole


def refined(dimension, is_fine, n=5, factor=2):
    """A unit square or cube of n cells a side, of which those whose centre ``is_fine`` (a function of (k, d)) are cut
    into ``factor`` a side; sheared and turned."""
    coarse = np.stack(np.meshgrid(*[np.arange(n)] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    parts = np.stack(np.meshgrid(*[np.arange(factor)] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    fine = is_fine((coarse + 0.5) / n)
    low = np.concatenate([coarse[~fine] * factor, (coarse[fine][:, None] * factor + parts).reshape(-1, dimension)])
    size = np.repeat([factor, 1], [(~fine).sum(), fine.sum() * factor**dimension])
    corners = low[:, None] + size[:, None, None] * CORNERS[: 2**dimension, :dimension]
    places, number = np.unique(corners.reshape(-1, dimension), axis=0, return_inverse=True)
    points = np.zeros((len(places), 3))
    points[:, :dimension] = places / (n * factor)
    shear = np.eye(3) + 0.3 * np.eye(3, k=1) * (np.arange(3) < dimension - 1)[:, None]
    rows = number.reshape(-1, 2**dimension)
    return Mesh(points @ (turned(dimension) @ shear).T, Cells.of_type(12 if dimension == 3 else 9, rows))


def plate(kind="hexahedron", n=9, copied=True, jitter=0.0):
    """A block with a plate at z = ½ (y = ½ in a plane) for x < ½ in it: the mesh, with points of its own on each side
    of the plate but for its rim (``copied``), or with points in common and its faces declared; and its height above the
    plate at the cells."""
    mesh = block(kind, n, jitter=jitter)
    up = 1 if mesh.dimension == 2 else 2
    height, above = mesh.points[:, up] - 0.5, mesh.centroids[:, up] > 0.5
    on_it = (np.abs(height) < 1e-9) & (mesh.points[:, 0] < 0.5 - 1e-9)
    if copied:
        number = np.arange(mesh.point_count)
        number[on_it] = mesh.point_count + np.arange(on_it.sum())
        own = np.repeat(above, np.diff(mesh.cells.offsets))
        connectivity = np.where(own, number[mesh.cells.connectivity], mesh.cells.connectivity)
        points = np.concatenate([mesh.points, mesh.points[on_it]])
        found = Mesh(points, Cells(mesh.cells.types, mesh.cells.offsets, connectivity))
    else:
        faces = mesh.topology.pair_faces
        start, points = mesh.faces.take(faces)
        inside = np.logical_and.reduceat((np.abs(height) < 1e-9)[points], start[:-1])
        middles = np.add.reduceat(mesh.points[points], start[:-1], axis=0) / np.diff(start)[:, None]
        found = Mesh(mesh.points, mesh.cells, plates=faces[inside & (middles[:, 0] < 0.5)])
    return found, mesh.centroids[:, up] - 0.5
