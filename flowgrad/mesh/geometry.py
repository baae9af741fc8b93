"""Measures and centroids of cells, and areas and centroids of polygons.

Polyhedra are split into tetrahedra over faces that are fanned about their vertex mean, polygons
into triangles about theirs, as finite-volume solvers do; both are exact where faces are planar. Curved
cells are integrated by Gauss rules that are exact for the element's own geometry.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.mesh.cells import CellFaces, Cells, offsets, runs, take
from flowgrad.mesh.reference.cell import VTK
from flowgrad.typing import BoolArray, FloatArray, IntArray

# A volume below this fraction of the product of its edges, summed over its parts, is rounding: the cell is flat.
FLAT_CELL = 1e-13


@kernel(parallel=True)
def integrals(points: Any, rows: Any, N: Any, dN: Any, weights: Any) -> Any:
    """Signed volumes, areas or lengths (m,) and centroids (m, 3) of curved cells, Σ w |J| and Σ w x |J| over the sites
    of a rule of N (s, k), dN/dξ (s, d, k) and weights (s,), and which of them are folded (m,): solids whose det J has
    both signs. Areas and lengths of cells that are not plane or straight are as exact as the rule is."""
    n, size = rows.shape
    dimension = dN.shape[1]
    measure, centroid, folded = np.zeros(n), np.zeros((n, 3)), np.zeros(n, np.bool_)
    for i in prange(n):
        o = points[rows[i, 0]]
        arms, J, x = np.empty((size, 3)), np.zeros((3, 3)), np.zeros(3)
        for a in range(size):
            for k in range(3):
                arms[a, k] = points[rows[i, a], k] - o[k]
        bound, lowest, highest = 0.0, 0.0, 0.0
        for s in range(len(weights)):
            _moments(N[s], arms, x)
            for m in range(dimension):
                _moments(dN[s, m], arms, J[m])
            lengths = _product_of_lengths(J, dimension)
            part = weights[s] * _jacobian(J, dimension, lengths)
            measure[i] += part
            bound += weights[s] * lengths
            lowest, highest = min(lowest, part), max(highest, part)
            for k in range(3):
                centroid[i, k] += part * x[k]
        folded[i] = min(-lowest, highest) > FLAT_CELL * bound
        if abs(measure[i]) <= FLAT_CELL * bound:
            measure[i] = 0.0
        for k in range(3):
            centroid[i, k] = o[k] + centroid[i, k] / measure[i]
    return measure, centroid, folded


@called
def _moments(weights: Any, arms: Any, result: Any) -> None:
    """Σ w_a x_a."""
    x, y, z = 0.0, 0.0, 0.0
    for a in range(len(weights)):
        w = weights[a]
        x, y, z = x + w * arms[a, 0], y + w * arms[a, 1], z + w * arms[a, 2]
    result[0], result[1], result[2] = x, y, z


@called
def _product_of_lengths(J: Any, dimension: int) -> float:
    lengths = 1.0
    for m in range(dimension):
        lengths *= math.sqrt(J[m, 0] ** 2 + J[m, 1] ** 2 + J[m, 2] ** 2)
    return lengths


@called
def _jacobian(J: Any, dimension: int, lengths: float) -> float:
    """det J of solids, what the columns of J span of surfaces and lines."""
    if dimension == 1:
        return lengths
    ax = J[0, 1] * J[1, 2] - J[0, 2] * J[1, 1]
    ay = J[0, 2] * J[1, 0] - J[0, 0] * J[1, 2]
    az = J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0]
    if dimension == 2:
        return math.sqrt(ax * ax + ay * ay + az * az)
    return ax * J[2, 0] + ay * J[2, 1] + az * J[2, 2]


def cell_geometry(
    points: FloatArray, cells: Cells, faces: Callable[[], CellFaces]
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Signed measures (n,) and centroids (n, 3) of all cells, the vertex mean where a cell has no extent,
    and which are curved solids folded within themselves (n,). ``faces`` are asked for where there are other solids
    than tetrahedra."""
    measures, folded = np.zeros(len(cells)), np.zeros(len(cells), bool)
    centroids = vertex_means(points, cells.offsets, cells.connectivity)
    tetrahedra = cells.types == VTK.TETRA
    if tetrahedra.any():
        starts = cells.offsets[:-1][tetrahedra]
        measures[tetrahedra] = tetrahedron_volumes(points, cells.connectivity, starts)

    def put(chosen: IntArray, measure: FloatArray, centroid: FloatArray) -> None:
        measures[chosen] = measure
        extended = measure != 0
        centroids[chosen[extended]] = centroid[extended]

    straight = ~tetrahedra
    for block in cells.blocks:
        if block.reference.is_curved:
            straight[block.cells] = False
            N, dN, weights = block.reference.rule
            along = np.ascontiguousarray(dN.transpose(0, 2, 1))
            measure, centroid, folded[block.cells] = integrals(points, block.rows, N, along, weights)
            put(block.cells, measure, centroid)
    lines, surfaces, solids = (np.flatnonzero((cells.dimensions == d) & straight) for d in (1, 2, 3))
    if len(lines):
        put(lines, *curve_geometry(points, cells.offsets, cells.connectivity, lines))
    if len(surfaces):
        area, centroid = polygon_geometry(points, *rings(cells, surfaces))
        put(surfaces, np.sqrt((area**2).sum(axis=1)), centroid)
    if len(solids):
        f = faces()
        put(solids, *solid_geometry(points, f.connectivity, f.offsets, f.cell_offsets, solids))
    return measures, centroids, folded


def rings(cells: Cells, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """The chosen surface cells as closed polygons: offsets (n + 1,) and point numbers in ring order.

    A pixel's points are not in ring order in VTK; here they are. Of curved cells these are the nodes
    on the edges.
    """
    surfaces = [block for block in cells.blocks if block.reference.dimension == 2]
    turned = [b for b in surfaces if b.reference.is_curved or b.reference.vtk_type == VTK.PIXEL]
    if not turned:
        return take(cells.offsets, cells.connectivity, chosen)
    sizes = np.diff(cells.offsets)[chosen]
    place = np.full(len(cells), -1)
    place[chosen] = np.arange(len(chosen))
    for block in turned:
        own = place[block.cells]
        sizes[own[own >= 0]] = len(block.reference.ring)
    ring_offsets = offsets(sizes)
    connectivity = cells.connectivity[runs(cells.offsets[chosen], sizes)]
    for block in turned:
        assert block.rows is not None
        own, ring = place[block.cells], block.reference.ring
        slots = ring_offsets[own[own >= 0]][:, None] + np.arange(len(ring))
        connectivity[slots] = block.rows[own >= 0][:, ring]
    return ring_offsets, connectivity


@kernel(parallel=True)
def vertex_means(points: Any, offsets: Any, connectivity: Any) -> Any:
    """Mean of each cell's points (n, 3): the centroid of simplices."""
    n = len(offsets) - 1
    means = np.zeros((n, 3))
    for i in prange(n):
        for j in range(offsets[i], offsets[i + 1]):
            for k in range(3):
                means[i, k] += points[connectivity[j], k]
        for k in range(3):
            means[i, k] /= max(offsets[i + 1] - offsets[i], 1)
    return means


@kernel(parallel=True)
def tetrahedron_volumes(points: Any, connectivity: Any, starts: Any) -> Any:
    """Signed volumes (n,) of tetrahedra."""
    volume = np.empty(len(starts))
    for i in prange(len(starts)):
        o, a, b, c = connectivity[starts[i] : starts[i] + 4]
        ax, ay, az = points[a, 0] - points[o, 0], points[a, 1] - points[o, 1], points[a, 2] - points[o, 2]
        bx, by, bz = points[b, 0] - points[o, 0], points[b, 1] - points[o, 1], points[b, 2] - points[o, 2]
        cx, cy, cz = points[c, 0] - points[o, 0], points[c, 1] - points[o, 1], points[c, 2] - points[o, 2]
        v = ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
        edges = (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz) * (cx * cx + cy * cy + cz * cz)
        volume[i] = v / 6 if v * v > FLAT_CELL**2 * edges else 0.0
    return volume


@kernel(parallel=True)
def curve_geometry(points: Any, offsets: Any, connectivity: Any, chosen: Any) -> Any:
    """Lengths and centroids of polygonal lines."""
    n = len(chosen)
    length = np.zeros(n)
    centroid = np.zeros((n, 3))
    for i in prange(n):
        for j in range(offsets[chosen[i]], offsets[chosen[i] + 1] - 1):
            a, b = points[connectivity[j]], points[connectivity[j + 1]]
            part = math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2)
            length[i] += part
            for k in range(3):
                centroid[i, k] += 0.5 * part * (a[k] + b[k])
        for k in range(3):
            centroid[i, k] /= length[i]
    return length, centroid


@kernel(parallel=True)
def polygon_geometry(points: Any, offsets: Any, connectivity: Any) -> Any:
    """Area vectors (n, 3) and area centroids (n, 3) of polygons fanned about their vertex mean."""
    n = len(offsets) - 1
    area = np.zeros((n, 3))
    centroid = np.zeros((n, 3))
    for i in prange(n):
        start, end = offsets[i], offsets[i + 1]
        mx, my, mz = 0.0, 0.0, 0.0
        for j in range(start, end):
            p = points[connectivity[j]]
            mx, my, mz = mx + p[0], my + p[1], mz + p[2]
        size = end - start
        mx, my, mz = mx / size, my / size, mz / size
        for j in range(start, end):
            a, b = points[connectivity[j]], points[connectivity[j + 1 if j + 1 < end else start]]
            ux, uy, uz = a[0] - mx, a[1] - my, a[2] - mz
            vx, vy, vz = b[0] - mx, b[1] - my, b[2] - mz
            area[i, 0] += 0.5 * (uy * vz - uz * vy)
            area[i, 1] += 0.5 * (uz * vx - ux * vz)
            area[i, 2] += 0.5 * (ux * vy - uy * vx)
        ax, ay, az = area[i]
        total = ax * ax + ay * ay + az * az
        cx, cy, cz = 0.0, 0.0, 0.0
        for j in range(start, end):
            a, b = points[connectivity[j]], points[connectivity[j + 1 if j + 1 < end else start]]
            ux, uy, uz = a[0] - mx, a[1] - my, a[2] - mz
            vx, vy, vz = b[0] - mx, b[1] - my, b[2] - mz
            # Share of this triangle in the projected area; negative where the polygon is concave.
            share = 0.5 * ((uy * vz - uz * vy) * ax + (uz * vx - ux * vz) * ay + (ux * vy - uy * vx) * az)
            share /= 3 * total
            cx, cy, cz = cx + share * (ux + vx), cy + share * (uy + vy), cz + share * (uz + vz)
        centroid[i, 0], centroid[i, 1], centroid[i, 2] = mx + cx, my + cy, mz + cz
    return area, centroid


@kernel(parallel=True)
def solid_geometry(points: Any, connectivity: Any, offsets: Any, cell_offsets: Any, chosen: Any) -> Any:
    """Signed volumes (n,) and centroids (n, 3) of the solids with the given faces."""
    n = len(chosen)
    volume = np.zeros(n)
    centroid = np.zeros((n, 3))
    for i in prange(n):
        first, last = cell_offsets[chosen[i]], cell_offsets[chosen[i] + 1]
        ox, oy, oz = points[connectivity[offsets[first]]]
        v, bound, cx, cy, cz = 0.0, 0.0, 0.0, 0.0, 0.0
        for f in range(first, last):
            start, end = offsets[f], offsets[f + 1]
            mx, my, mz = 0.0, 0.0, 0.0
            for j in range(start, end):
                p = points[connectivity[j]]
                mx, my, mz = mx + p[0] - ox, my + p[1] - oy, mz + p[2] - oz
            size = end - start
            mx, my, mz = mx / size, my / size, mz / size
            for j in range(start, end):
                a, b = points[connectivity[j]], points[connectivity[j + 1 if j + 1 < end else start]]
                ax, ay, az = a[0] - ox, a[1] - oy, a[2] - oz
                bx, by, bz = b[0] - ox, b[1] - oy, b[2] - oz
                t = mx * (ay * bz - az * by) + my * (az * bx - ax * bz) + mz * (ax * by - ay * bx)
                v += t
                edges = (mx * mx + my * my + mz * mz) * (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz)
                bound += math.sqrt(edges)
                cx, cy, cz = cx + t * (mx + ax + bx), cy + t * (my + ay + by), cz + t * (mz + az + bz)
        volume[i] = v / 6 if abs(v) > FLAT_CELL * bound else 0.0
        centroid[i, 0], centroid[i, 1], centroid[i, 2] = ox + cx / (4 * v), oy + cy / (4 * v), oz + cz / (4 * v)
    return volume, centroid
