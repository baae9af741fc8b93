"""Faces of cells as flat arrays, from the face tables of the reference cells; those of polyhedra all turned outward
or all inward, which VTK's files do not promise.

Two faces that share an edge look to the same side of the cell where they run along it in opposite
directions. Faces shared by two cells of a file look into one of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, inlined, kernel
from flowgrad.mesh.cells import Block, CellFaces, Cells, offsets, runs, successor, take
from flowgrad.mesh.reference.cell import VTK
from flowgrad.typing import FloatArray, IntArray

# Cells, faces of each cell, points of each face, and these points, of one block.
Part = tuple[IntArray, IntArray, IntArray, IntArray]


def cell_faces(points: FloatArray, cells: Cells) -> CellFaces:
    """Faces of all cells of dimension 1 to 3, cell after cell; vertices have none."""
    parts = [_block_faces(points, cells, block) for block in cells.blocks if block.reference.dimension > 0]
    parts = [part for part in parts if len(part[0])]
    if len(parts) == 1 and len(parts[0][0]) == len(cells):
        _, counts, sizes, connectivity = parts[0]
        return CellFaces(connectivity, offsets(sizes), offsets(counts))
    return _interleave(parts, len(cells))


def _block_faces(points: FloatArray, cells: Cells, block: Block) -> Part:
    own, table = block.cells, block.reference.faces
    if table:
        assert block.rows is not None
        sizes = np.tile(np.array([len(face) for face in table], np.int64), len(own))
        flat = np.array([local for face in table for local in face])
        return own, np.full(len(own), len(table)), sizes, np.take(block.rows, flat, axis=1).ravel()
    if block.reference.vtk_type == VTK.POLYHEDRON:
        assert cells.polyhedra is not None
        chosen, counts = cells.polyhedra.of(own)
        start, connectivity = take(cells.polyhedra.offsets, turned_alike(cells.polyhedra, points), chosen)
        return own, counts, np.diff(start), connectivity
    if block.reference.vtk_type == VTK.POLYGON:
        # Each edge from a point to the next, the last one back to the first.
        start, ring = take(cells.offsets, cells.connectivity, own)
        edges = np.column_stack([ring, ring[successor(start)]])
        return own, np.diff(start), np.full(len(ring), 2), edges.ravel()
    # The two ends of a poly-line.
    ends = np.column_stack([cells.offsets[own], cells.offsets[own + 1] - 1])
    return own, np.full(len(own), 2), np.ones(2 * len(own), np.int64), cells.connectivity[ends].ravel()


def _interleave(parts: list[Part], cell_count: int) -> CellFaces:
    """Blocks back in the order of the cells in the file."""
    counts = np.zeros(cell_count, np.int64)
    for cells, block_counts, _, _ in parts:
        counts[cells] = block_counts
    cell_offsets = offsets(counts)
    slots = [runs(cell_offsets[cells], block_counts) for cells, block_counts, _, _ in parts]
    sizes = np.zeros(cell_offsets[-1], np.int64)
    for slot, part in zip(slots, parts, strict=True):
        sizes[slot] = part[2]
    face_offsets = offsets(sizes)
    connectivity = np.empty(face_offsets[-1], np.int64)
    for slot, part in zip(slots, parts, strict=True):
        connectivity[runs(face_offsets[slot], part[2])] = part[3]
    return CellFaces(connectivity, face_offsets, cell_offsets)


def turned_alike(faces: CellFaces, points: FloatArray) -> IntArray:
    """The connectivity of the faces, outward in cells where some looked outward and some inward.

    Cells whose faces look to one side are left alone, and faces without an edge in common with others.
    """
    connectivity = faces.connectivity
    uneven = np.flatnonzero(run_both_ways(connectivity, faces.offsets, faces.cell_offsets) != 0)
    if len(uneven):
        connectivity = connectivity.copy()
        turn(points, connectivity, faces.offsets, faces.cell_offsets, uneven)
    return connectivity


@inlined
def hashed(number: Any) -> Any:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014, OOPSLA, fig. 19)."""
    x = np.uint64(number) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@kernel(parallel=True)
def run_both_ways(connectivity: Any, offsets: Any, cell_offsets: Any) -> Any:
    """A number for each cell (n,) that is zero where its edges are run along in both directions alike."""
    n = len(cell_offsets) - 1
    sums = np.zeros(n, np.uint64)
    for c in prange(n):
        for f in range(cell_offsets[c], cell_offsets[c + 1]):
            start, end = offsets[f], offsets[f + 1]
            for j in range(start, end):
                a = hashed(connectivity[j])
                b = hashed(connectivity[j + 1 if j + 1 < end else start])
                sums[c] += hashed(a + b + b) - hashed(b + a + a)
    return sums


@kernel()
def turn(points: Any, connectivity: Any, offsets: Any, cell_offsets: Any, cells: Any) -> None:
    """Reverse faces of the given cells in place until neighbours run along their edges in opposite
    directions, and the volumes are positive."""
    for c in cells:
        first, end = cell_offsets[c], cell_offsets[c + 1]
        reached, queue = np.zeros(end - first, np.bool_), np.empty(end - first, np.int64)
        for seed in range(first, end):
            if reached[seed - first]:
                continue
            reached[seed - first], queue[0], head, tail = True, seed, 0, 1
            while head < tail:
                here = queue[head]
                head += 1
                for other in range(first, end):
                    way = 0 if reached[other - first] else _way_along(connectivity, offsets, here, other)
                    if way > 0:
                        _reverse(connectivity, offsets, other)
                    if way != 0:
                        reached[other - first], queue[tail] = True, other
                        tail += 1
        if _six_volumes(points, connectivity, offsets, first, end) < 0:
            for face in range(first, end):
                _reverse(connectivity, offsets, face)


@called
def _reverse(connectivity: Any, offsets: Any, face: int) -> None:
    ring = connectivity[offsets[face] : offsets[face + 1]]
    ring[:] = ring[::-1].copy()


@called
def _six_volumes(points: Any, connectivity: Any, offsets: Any, first: int, end: int) -> float:
    """Six times the signed volume within the faces, fanned about their first points."""
    o, total = points[connectivity[offsets[first]]], 0.0
    for face in range(first, end):
        ring = connectivity[offsets[face] : offsets[face + 1]]
        for j in range(1, len(ring) - 1):
            a, b, c = points[ring[0]] - o, points[ring[j]] - o, points[ring[j + 1]] - o
            total += a[0] * (b[1] * c[2] - b[2] * c[1])
            total += a[1] * (b[2] * c[0] - b[0] * c[2])
            total += a[2] * (b[0] * c[1] - b[1] * c[0])
    return total


@called
def _way_along(connectivity: Any, offsets: Any, one: int, other: int) -> int:
    """Whether two faces run along an edge in the same direction (1), in opposite ones (-1), or share none (0)."""
    way = 0
    for i in range(offsets[one], offsets[one + 1]):
        a, b = connectivity[i], connectivity[i + 1 if i + 1 < offsets[one + 1] else offsets[one]]
        for j in range(offsets[other], offsets[other + 1]):
            p, q = connectivity[j], connectivity[j + 1 if j + 1 < offsets[other + 1] else offsets[other]]
            if a != b and a == p and b == q:
                way = 1
            elif a != b and a == q and b == p:
                way = -1
    return way
