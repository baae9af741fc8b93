"""Compiled local polynomial fits: the weights with which the samples of a neighbourhood enter L.

A fit of degree p minimises Σ_s W_s (v_s − v_o − Σ_α c_α m_α(ξ_s))² over samples s, with the monomials
m_α of local coordinates ξ of unit variance.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, kernel, summing
from flowgrad.gradient.fit_frames import drop_far, frame, local_coordinates
from flowgrad.gradient.normal_equations import factorise, normal_matrix, reproducing_weights, sum_of_squares

# Far samples are not left out where the squares of the weights, in local coordinates, then sum up to more than this:
# they alone tell a monomial.
_LOUD = 1e3


@summing
def _monomials(xi: Any, count: int, parent: Any, axis: Any, k: int, rows: Any) -> None:
    """Monomials (k, count) of the local coordinates, each its parent times a coordinate."""
    for a in range(k):
        p = parent[a]
        if axis[a] < 0:
            for s in range(count):
                rows[a, s] = 1.0
        elif p < 0:
            for s in range(count):
                rows[a, s] = xi[axis[a], s]
        else:
            for s in range(count):
                rows[a, s] = rows[p, s] * xi[axis[a], s]


@called
def _averages(
    x0: Any,
    T: Any,
    own: Any,
    count: int,
    nodes: Any,
    shares: Any,
    node_start: Any,
    parent: Any,
    axis: Any,
    k: int,
    mono: Any,
    rows: Any,
) -> None:
    """Monomials (k, count) averaged over the cells of the samples ``own``."""
    xi = np.empty(3)
    for s in range(count):
        for a in range(k):
            rows[a, s] = 0.0
        for q in range(node_start[own[s]], node_start[own[s] + 1]):
            for i in range(3):
                xi[i] = 0.0
                for j in range(3):
                    xi[i] += T[i, j] * (nodes[q, j] - x0[j])
            for a in range(k):
                if axis[a] < 0:
                    mono[a] = 1.0
                else:
                    mono[a] = xi[axis[a]] * (mono[parent[a]] if parent[a] >= 0 else 1.0)
                rows[a, s] += shares[q] * mono[a]


@called
def _first(g: Any, count: int, T: Any, kept: Any, weights: Any) -> None:
    """Weights of ∂/∂x from those of ∂/∂ξ."""
    for s in range(count):
        x, y, z = 0.0, 0.0, 0.0
        for r in range(len(g)):
            x, y, z = x + g[r, s] * T[r, 0], y + g[r, s] * T[r, 1], z + g[r, s] * T[r, 2]
        weights[kept[s], 0], weights[kept[s], 1], weights[kept[s], 2] = x, y, z


@called
def _second(g: Any, count: int, T: Any, rank: int, kept: Any, weights: Any) -> None:
    """Weights of the second derivatives xx, yy, zz, yz, xz, xy from those in ξ, ordered row by row."""
    for c in range(6):
        i = c if c < 3 else (1 if c == 3 else 0)
        m = c if c < 3 else (1 if c == 5 else 2)
        for s in range(count):
            total, r = 0.0, 0
            for a in range(rank):
                for b in range(a, rank):
                    part = T[a, i] * T[b, m]
                    if a != b:
                        part += T[b, i] * T[a, m]
                    total += g[r, s] * part
                    r += 1
            weights[kept[s], c] = total


@called
def _tangents(g: Any, d: Any, count: int, T: Any) -> None:
    """On a curved surface or line: T becomes J⁺ of the tangents J = ∂x/∂ξ that the fit itself finds."""
    rank = len(g)
    J = np.zeros((rank, 3))
    for r in range(rank):
        for s in range(count):
            for c in range(3):
                J[r, c] += g[r, s] * d[c, s]
    G00, G01, G11 = 0.0, 0.0, 1.0
    for c in range(3):
        G00 += J[0, c] * J[0, c]
    if rank > 1:
        G11 = 0.0
        for c in range(3):
            G01 += J[0, c] * J[1, c]
            G11 += J[1, c] * J[1, c]
    det = G00 * G11 - G01 * G01
    for c in range(3):
        a, b = J[0, c], J[1, c] if rank > 1 else 0.0
        T[0, c] = (G11 * a - G01 * b) / det
        if rank > 1:
            T[1, c] = (G00 * b - G01 * a) / det


@kernel()
def fit_weights(
    positions: Any,
    targets: Any,
    centre: Any,
    start: Any,
    samples: Any,
    unknowns: Any,
    parent: Any,
    axis: Any,
    complete: Any,
    derivatives: Any,
    free: int,
    rank: int,
    curved: bool,
    decay: float,
    nodes: Any,
    shares: Any,
    node_start: Any,
    least: int,
    enough: float,
    weights: Any,
) -> None:
    """Weights of the derivatives at targets (m, 3); ``unknowns`` becomes what each fit could determine.

    Target ``i`` has the samples ``samples[start[i]:start[i + 1]]`` of ``positions`` (n, 3), goes through
    the value of sample ``centre[i]`` unless that is −1, and asks for ``unknowns[i]`` monomials; the table
    of these is ``parent``, ``axis`` and ``complete`` (monomials of lower degree). ``derivatives`` (q, 2)
    names the monomial and its factorial for each derivative in ξ: ``rank`` first or all second ones,
    into ``weights`` (s, 3) or (s, 6), NaN for fits of fewer monomials than ``least``. More than ``enough``
    samples for each unknown remain when far ones are left out. Axes up to ``free``
    may turn. With ``nodes`` the samples are averages.
    """
    q = len(derivatives)
    longest, k_most = 1, 1
    for i in range(len(targets)):
        longest = max(longest, start[i + 1] - start[i])
        k_most = max(k_most, unknowns[i])
    d, xi = np.empty((3, longest)), np.empty((3, longest))
    W, weighted = np.empty(longest), np.empty(longest)
    kept, own = np.empty(longest, np.int64), np.empty(longest, np.int64)
    rows, own_row = np.empty((k_most, longest)), np.empty((k_most, 1))
    M, inverse = np.empty((k_most, k_most)), np.empty(k_most)
    norms, spare = np.empty(k_most), np.empty(k_most)
    E, C, g = np.empty((q, k_most)), np.empty((q, k_most)), np.empty((q, longest))
    T, share, S, Q = np.empty((3, 3)), np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    for i in range(len(targets)):
        begin, end, k = start[i], start[i + 1], unknowns[i]
        count = end - begin
        unknowns[i] = 0
        weights[begin:end] = 0.0
        if k > 0 and count > 0:
            for least_kept in (math.ceil(enough * k), end - begin + 1):
                count = end - begin
                for s in range(count):
                    for c in range(3):
                        d[c, s] = positions[samples[begin + s], c] - targets[i, c]
                frame(d, count, free, rank, T, share, S, Q)
                local_coordinates(d, count, T, share, decay, xi, W)
                count = drop_far(count, least_kept, d, xi, W, kept)
                if len(nodes):
                    for s in range(count):
                        own[s] = samples[begin + kept[s]]
                    _averages(targets[i], T, own, count, nodes, shares, node_start, parent, axis, k, spare, rows)
                    if centre[i] >= 0:
                        own[0] = centre[i]
                        _averages(targets[i], T, own, 1, nodes, shares, node_start, parent, axis, k, spare, own_row)
                        for a in range(k):
                            for s in range(count):
                                rows[a, s] -= own_row[a, 0]
                else:
                    _monomials(xi, count, parent, axis, k, rows)
                normal_matrix(rows, W, count, k, weighted, M)
                known = factorise(M, k, inverse, norms, spare)
                known = known if known == k else complete[known]
                known = reproducing_weights(
                    rows, W, count, known, M, inverse, norms, derivatives, complete, max(least, 1), C, E, g
                )
                if count == end - begin or (known == k and sum_of_squares(g, count, derivatives) < _LOUD):
                    break
            unknowns[i] = known
        if unknowns[i] == 0:
            weights[begin:end] = np.nan
            continue
        if curved:
            _tangents(g, d, count, T)
        if weights.shape[1] == 3:
            _first(g, count, T, kept, weights[begin:end])
        else:
            _second(g, count, T, rank, kept, weights[begin:end])


@kernel()
def apply_weights(
    values: Any, reference: Any, start: Any, samples: Any, weights: Any, targets: Any, result: Any
) -> None:
    """Σ_s (v_s − v_reference) ⊗ w_s of each target (m,) into its row of ``result`` (n, 3, q); NaN throughout
    where a value is missing or there is no sample."""
    for i in range(len(reference)):
        own, ref = result[targets[i]], values[reference[i]]
        total = np.nan if start[i] == start[i + 1] else 0.0
        for c in range(0, weights.shape[1], 3):
            for k in range(3):
                x, y, z = 0.0, 0.0, 0.0
                for j in range(start[i], start[i + 1]):
                    difference = values[samples[j], k] - ref[k]
                    x, y, z = (
                        x + difference * weights[j, c],
                        y + difference * weights[j, c + 1],
                        z + difference * weights[j, c + 2],
                    )
                own[k, c], own[k, c + 1], own[k, c + 2] = x, y, z
                total += x + y + z
        if not np.isfinite(total):
            for k in range(3):
                for c in range(weights.shape[1]):
                    own[k, c] = np.nan
