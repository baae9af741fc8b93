"""Compiled moments of cells: averages of monomials over them, by quadrature on their simplices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.gradient.fit_frames import principal_axes


@called
def _cell_frame(points: Any, row: Any, centre: Any, rank: int, T: Any, S: Any, Q: Any) -> None:
    """x̂ = T (x − centre): along the principal axes of the cell's points, of the order of one in it."""
    for i in range(3):
        for j in range(3):
            S[i, j] = 0.0
    for p in row:
        for i in range(rank):
            for j in range(rank):
                S[i, j] += (points[p, i] - centre[i]) * (points[p, j] - centre[j]) / len(row)
    principal_axes(S, Q, rank)
    for i in range(3):
        for k in range(3):
            T[i, k] = Q[i, k] / math.sqrt(S[i, i]) if i < rank else 0.0


@called
def _add_simplex(
    corners: Any,
    volume: float,
    bary: Any,
    shares: Any,
    centre: Any,
    T: Any,
    parent: Any,
    axis: Any,
    mono: Any,
    total: Any,
) -> None:
    """Add the integrals of the monomials over one simplex with the given corners (d + 1, 3)."""
    x, xi = np.empty(3), np.empty(3)
    for q in range(len(shares)):
        for k in range(3):
            x[k] = -centre[k]
            for c in range(len(corners)):
                x[k] += bary[q, c] * corners[c, k]
        for i in range(3):
            xi[i] = T[i, 0] * x[0] + T[i, 1] * x[1] + T[i, 2] * x[2]
        for a in range(len(parent)):
            if axis[a] < 0:
                mono[a] = 1.0
            else:
                mono[a] = xi[axis[a]] * (mono[parent[a]] if parent[a] >= 0 else 1.0)
            total[a] += volume * shares[q] * mono[a]


@called
def _mean(points: Any, row: Any, origin: Any, mean: Any) -> None:
    for k in range(3):
        mean[k] = 0.0
        for p in row:
            mean[k] += (points[p, k] - origin[k]) / len(row)


@kernel(parallel=True)
def cell_moments(
    points: Any,
    offsets: Any,
    connectivity: Any,
    faces: Any,
    face_offsets: Any,
    cell_faces: Any,
    centres: Any,
    cells: Any,
    rank: int,
    bary: Any,
    shares: Any,
    parent: Any,
    axis: Any,
) -> Any:
    """Averages (n, k) of the monomials of x̂ over the cells, and the frames T (n, 3, 3) of x̂.

    ``bary`` (q, d + 1) and ``shares`` are a quadrature of simplices. Solids are split over their faces,
    fanned about the vertex means, from their first point; polygons about their vertex mean. Positions count from
    the first point: the simplices of a thin cell far from the origin would lose their volumes to rounding.
    """
    n, k, d = len(cells), len(parent), bary.shape[1] - 1
    moments, frames = np.zeros((n, k)), np.zeros((n, 3, 3))
    for i in prange(n):
        c = cells[i]
        row = connectivity[offsets[c] : offsets[c + 1]]
        T, S, Q = frames[i], np.empty((3, 3)), np.empty((3, 3))
        _cell_frame(points, row, centres[c], rank, T, S, Q)
        corners, mono = np.zeros((d + 1, 3)), np.empty(k)
        o = points[row[0]]
        centre = centres[c] - o
        for f in range(cell_faces[c], cell_faces[c + 1]):
            face = faces[face_offsets[f] : face_offsets[f + 1]]
            if d == 3:
                _mean(points, face, o, corners[1])
                for j in range(len(face)):
                    corners[2], corners[3] = points[face[j]] - o, points[face[(j + 1) % len(face)]] - o
                    a, b, e = corners[1], corners[2], corners[3]
                    volume = a[0] * (b[1] * e[2] - b[2] * e[1]) + a[1] * (b[2] * e[0] - b[0] * e[2])
                    volume += a[2] * (b[0] * e[1] - b[1] * e[0])
                    _add_simplex(corners, volume, bary, shares, centre, T, parent, axis, mono, moments[i])
            elif d == 2:
                _mean(points, row, o, corners[0])
                corners[1], corners[2] = points[face[0]] - o, points[face[1]] - o
                a, b = corners[1] - corners[0], corners[2] - corners[0]
                area = a[0] * b[1] - a[1] * b[0]
                _add_simplex(corners, area, bary, shares, centre, T, parent, axis, mono, moments[i])
            elif f == cell_faces[c]:
                corners[1] = points[row[1]] - o
                _add_simplex(corners, 1.0, bary, shares, centre, T, parent, axis, mono, moments[i])
        whole = moments[i, 0]
        for a in range(k):
            moments[i, a] /= whole
    return moments, frames
