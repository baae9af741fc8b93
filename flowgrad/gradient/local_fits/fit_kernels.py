"""Local coordinates of a neighbourhood, and the weights that its samples have in a fit there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, kernel, summing
from flowgrad.gradient.local_fits.neighbourhoods import wall_shift
from flowgrad.gradient.local_fits.normal_equations import (
    factorise,
    project_out,
    reproducing_weights,
    sum_of_squares,
    sum_products,
)

# The weights take a neighbourhood as round that is no longer than this many times its width.
_ROUND = 3.0
# det S/(tr S/3)³ of second moments S is 1 for a ball; above this all axes differ by less than ``_ROUND``.
_ROUNDISH = 0.4
# Samples of less weight than this are left out: the fit is no worse without them, and faster.
_FAR = 3e-3
# Axes that are less correlated than this are principal; by more they, and the weights, would depend on how the mesh
# is turned.
_CORRELATED = 1e-12
# Directions whose spread is below this fraction of the largest are no directions.
_NO_SPREAD = 1e-7


@called
def frame(d: Any, count: int, free: int, rank: int, T: Any, decay: Any, S: Any, Q: Any) -> None:
    """Local coordinates ξ = T d of unit variance along the principal axes, and the share of each in the
    distance that the weights decay with: none along axes of two layers, which count alike."""
    _second_moments(d, count, free, S)
    if rank == 3 and free == 3 and _is_round(S):
        scale = math.sqrt(3.0 / (S[0, 0] + S[1, 1] + S[2, 2]))
        for i in range(3):
            for k in range(3):
                T[i, k] = scale if i == k else 0.0
            decay[i] = 1.0 / 3.0
        return
    principal_axes(S, Q, free)
    largest, widest, total = 0.0, 0.0, 0.0
    for i in range(rank):
        largest = max(largest, math.sqrt(max(S[i, i], 0.0)))
        if i < free:
            widest = largest
    for i in range(3):
        spread = math.sqrt(max(S[i, i], 0.0))
        known = i < rank and spread > _NO_SPREAD * largest
        decay[i] = max(spread / widest, 1.0 / _ROUND) ** 2 if known and i < free else 0.0
        total += decay[i]
        for k in range(3):
            T[i, k] = Q[i, k] / spread if known else 0.0
    if total > 0.0:
        for i in range(3):
            decay[i] /= total


@summing
def local_coordinates(d: Any, count: int, T: Any, share: Any, decay: float, xi: Any, W: Any) -> None:
    """Coordinates ξ = T d of the samples, and weights W that decay with their distance."""
    for s in range(count):
        x, y, z = d[0, s], d[1, s], d[2, s]
        a = T[0, 0] * x + T[0, 1] * y + T[0, 2] * z
        b = T[1, 0] * x + T[1, 1] * y + T[1, 2] * z
        c = T[2, 0] * x + T[2, 1] * y + T[2, 2] * z
        xi[0, s], xi[1, s], xi[2, s] = a, b, c
        W[s] = share[0] * a * a + share[1] * b * b + share[2] * c * c
    for s in range(count):
        W[s] = math.exp(-decay * W[s])


@called
def drop_far(count: int, least: int, d: Any, xi: Any, W: Any, kept: Any) -> int:
    """Leave out samples of next to no weight, as long as more than ``least`` remain; how many do."""
    near = 0
    for s in range(count):
        near += W[s] > _FAR
    if near < least:
        for s in range(count):
            kept[s] = s
        return count
    near = 0
    for s in range(count):
        if W[s] > _FAR:
            for c in range(3):
                d[c, near], xi[c, near] = d[c, s], xi[c, s]
            W[near], kept[near] = W[s], s
            near += 1
    return near


@called
def principal_axes(S: Any, Q: Any, free: int) -> None:
    """Principal axes of the leading ``free`` × ``free`` block of S (3, 3) as rows of Q, by Jacobi rotations,
    the longest first; S keeps the variances on its diagonal."""
    for i in range(3):
        for j in range(3):
            Q[i, j] = 1.0 if i == j else 0.0
    rounding = 1e-15 * (S[0, 0] + S[1, 1] + S[2, 2])
    for _ in range(12):
        turned = False
        for p in range(free):
            for q in range(p + 1, free):
                if abs(S[p, q]) > _CORRELATED * math.sqrt(abs(S[p, p] * S[q, q])) + rounding:
                    _rotate(S, Q, p, q)
                    turned = True
        if not turned:
            break
    for _ in range(free):
        for i in range(free - 1):
            if S[i + 1, i + 1] > S[i, i]:
                S[i, i], S[i + 1, i + 1] = S[i + 1, i + 1], S[i, i]
                for k in range(3):
                    Q[i, k], Q[i + 1, k] = Q[i + 1, k], Q[i, k]


@called
def _rotate(S: Any, Q: Any, p: int, q: int) -> None:
    theta = 0.5 * (S[q, q] - S[p, p]) / S[p, q]
    t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    for k in range(3):
        S[p, k], S[q, k] = c * S[p, k] - s * S[q, k], s * S[p, k] + c * S[q, k]
        Q[p, k], Q[q, k] = c * Q[p, k] - s * Q[q, k], s * Q[p, k] + c * Q[q, k]
    for k in range(3):
        S[k, p], S[k, q] = c * S[k, p] - s * S[k, q], s * S[k, p] + c * S[k, q]


@summing
def _second_moments(d: Any, count: int, free: int, S: Any) -> None:
    """⟨d dᵀ⟩ of the samples; axes from ``free`` on are kept as they are."""
    for i in range(3):
        for j in range(i + 1):
            total = 0.0
            if i == j or i < free:
                for s in range(count):
                    total += d[i, s] * d[j, s]
            S[i, j] = S[j, i] = total / count


@called
def _is_round(S: Any) -> bool:
    """Whether no axis of the ellipsoid of S is much longer than another: the coordinates may stay as they are."""
    a, b, c, d, e, f = S[0, 0], S[1, 1], S[2, 2], S[0, 1], S[1, 2], S[0, 2]
    third = (a + b + c) / 3
    return a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f) > _ROUNDISH * third * third * third


# Far samples are not left out where the squares of the weights, in local coordinates, then sum up to more than this:
# they alone tell a monomial.
_LOUD = 1e3
# What weights are changed by so that they reproduce what is linear in x, too, is no larger than this, in the sum of
# squares, without far samples and with them; heights of a normal of one are reproduced to within the last.
_LOUDER, _LOUDEST, _REPRODUCED = 0.1, 3.0, 1e-11


@called
def _whole_registers(count: int) -> int:
    """Samples of no weight are added up to a multiple of what vector registers take at a time, which costs less than
    the last ones one by one."""
    return (count + 15) // 16 * 16


@summing
def _monomials(xi: Any, count: int, parent: Any, axis: Any, k: int, rows: Any) -> None:
    """Monomials (k, count) of the local coordinates, each its parent times a coordinate."""
    for a in range(k):
        p, i = parent[a], axis[a]
        if i < 0:
            for s in range(count):
                rows[a, s] = 1.0
        elif p < 0:
            for s in range(count):
                rows[a, s] = xi[i, s]
        else:
            for s in range(count):
                rows[a, s] = rows[p, s] * xi[i, s]


@called
def _averages(
    x0: Any,
    T: Any,
    own: Any,
    count: int,
    averages: Any,
    slopes: Any,
    target: int,
    bends: Any,
    parent: Any,
    axis: Any,
    k: int,
    mono: Any,
    rows: Any,
) -> None:
    """Monomials (k, count) averaged over the cells of the samples ``own``. In those along a bent wall the distance from
    it is linear."""
    (nodes, shares, node_start), (positions, slope, _) = averages, slopes
    is_bent = target >= 0 and len(bends[3]) > 0 and bends[3][target] > 0.0
    xi, d = np.empty(3), np.empty(3)
    for s in range(count):
        for a in range(k):
            rows[a, s] = 0.0
        entry = _entry(own[s], target, bends) if is_bent else -1
        for q in range(node_start[own[s]], node_start[own[s] + 1]):
            for j in range(3):
                d[j] = nodes[q, j] - x0[j]
            if entry >= 0:
                n, distance = bends[2][target], bends[4][2][entry] - bends[1][target]
                for j in range(3):
                    distance += slope[entry, j] * (nodes[q, j] - positions[own[s], j]) - n[j] * d[j]
                for j in range(3):
                    d[j] += bends[3][target] * distance * n[j]
            for i in range(3):
                xi[i] = 0.0
                for j in range(3):
                    xi[i] += T[i, j] * d[j]
            for a in range(k):
                if axis[a] < 0:
                    mono[a] = 1.0
                else:
                    mono[a] = xi[axis[a]] * (mono[parent[a]] if parent[a] >= 0 else 1.0)
                rows[a, s] += shares[q] * mono[a]


@called
def _entry(place: int, target: int, bends: Any) -> int:
    """The distance of a sample from the wall of a target, -1 where it is not known."""
    wall, (start, walls, _) = bends[0], bends[4]
    for e in range(start[place], start[place + 1]):
        if walls[e] == wall[target]:
            return e
    return -1


@called
def _flatten(i: int, samples: Any, count: int, bends: Any, d: Any, up: Any) -> None:
    """Move the samples (3, count) about a target along its normal, so that they stand above it by what they are further
    from the wall; how far ``up`` they stood."""
    n = bends[2][i]
    for s in range(count):
        up[s] = n[0] * d[0, s] + n[1] * d[1, s] + n[2] * d[2, s]
        shift = wall_shift(samples[s], up[s], i, bends)
        for c in range(3):
            d[c, s] += shift * n[c]


@called
def _derivatives_at(xi: Any, parent: Any, axis: Any, k: int, second: bool, rank: int, values: Any, D: Any) -> None:
    """Derivatives (q, k) of the monomials at a place xi: the ``rank`` first ones, and after them the second ones."""
    for a in range(k):
        p, i = parent[a], axis[a]
        values[a] = 1.0 if i < 0 else xi[i] * (values[p] if p >= 0 else 1.0)
        for r in range(rank):
            D[r, a] = 0.0
            if i >= 0:
                D[r, a] = (D[r, p] * xi[i] if p >= 0 else 0.0) + ((values[p] if p >= 0 else 1.0) if i == r else 0.0)
        if second:
            row = rank
            for r in range(rank):
                for m in range(r, rank):
                    D[row, a] = 0.0
                    if p >= 0:
                        D[row, a] = D[row, p] * xi[i] + (D[r, p] if i == m else 0.0) + (D[m, p] if i == r else 0.0)
                    row += 1


@called
def _place(target: Any, origin: Any, i: int, bends: Any, slopes: Any, T: Any, xi: Any) -> None:
    """Local coordinates of a target beside its sample."""
    d = np.empty(3)
    for c in range(3):
        d[c] = target[c] - origin[c]
    if i >= 0 and len(bends[3]) > 0 and bends[3][i] > 0.0:
        n, slope, shift = bends[2][i], slopes[2][i], 0.0
        for c in range(3):
            shift += bends[3][i] * (slope[c] - n[c]) * d[c]
        for c in range(3):
            d[c] += shift * n[c]
    for r in range(3):
        xi[r] = T[r, 0] * d[0] + T[r, 1] * d[1] + T[r, 2] * d[2]


@called
def _straighten(six: Any, first: Any, up: Any, kept: Any, count: int, n: Any) -> None:
    """Second derivatives in x from those along a bent wall: what these are of the heights ``up``, which are linear in
    x, is the curvature of the wall, and that times the derivative along its normal is taken off."""
    for c in range(6):
        curvature = 0.0
        for s in range(count):
            curvature += six[kept[s], c] * up[kept[s]]
        for s in range(count):
            w = first[kept[s]]
            six[kept[s], c] -= curvature * (n[0] * w[0] + n[1] * w[1] + n[2] * w[2])


@called
def _reproduce(
    w: Any, W: Any, left: Any, up: Any, kept: Any, count: int, square: float, n: Any, loudest: float
) -> bool:
    """Change weights w (…, 3) as little as can be so that of the heights ``up`` they give the normal ``n``, as of what
    is linear in x; ``left`` is what is left of the heights beside the monomials, and ``square`` its square. False, and
    no change, where the samples do not tell the two apart."""
    before, after = 0.0, 0.0
    lacking = np.empty(3)
    for c in range(3):
        lacking[c] = n[c]
        for s in range(count):
            lacking[c] -= w[kept[s], c] * up[kept[s]]
            before += w[kept[s], c] ** 2
    if abs(lacking[0]) + abs(lacking[1]) + abs(lacking[2]) < _REPRODUCED:
        return True
    for c in range(3):
        for s in range(count):
            after += (W[s] * left[s] * lacking[c] / square) ** 2
    if not after < loudest * before:
        return False
    for c in range(3):
        for s in range(count):
            w[kept[s], c] += W[s] * left[s] * lacking[c] / square
    return True


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
    table: Any,
    derivatives: Any,
    about: Any,
    averages: Any,
    bends: Any,
    slopes: Any,
    least: int,
    enough: float,
    weights: Any,
) -> None:
    """Weights of the derivatives at targets (m, 3); ``unknowns`` becomes what each fit could determine.

    Target ``i`` has the samples ``samples[start[i]:start[i + 1]]`` of ``positions`` (n, 3), goes through
    the value of sample ``centre[i]`` unless that is −1, and asks for ``unknowns[i]`` monomials; the ``table``
    of these is parent, axis and complete (monomials of lower degree). ``derivatives`` (q, 2)
    names the monomial and its factorial for each derivative in ξ: ``rank`` first ones, all second ones, or both,
    into ``weights`` (s, 3) or (s, 6), NaN for fits of fewer monomials than ``least``. More than ``enough``
    samples for each unknown remain when far ones are left out. ``about`` is free, rank, curved, decay and whether any
    target stands beside its sample: axes up to ``free`` may turn. With ``averages`` (nodes, their shares, offsets) that
    are not empty the samples are averages.

    Along bent walls (``bends``, :func:`bends_of`; ``slopes`` of the distance at samples and targets) the fit is in the
    offset along the wall and the distance from it, and in what is linear in x, all as if the wall were flat.
    """
    (parent, axis, complete, products, number), (free, rank, curved, decay, beside) = table, about
    q, is_second = len(derivatives), weights.shape[1] == 6
    skip = rank if is_second and derivatives[0, 1] == 1 and len(derivatives) > rank * (rank + 1) // 2 else 0
    longest, k_most = 1, 1
    for i in range(len(targets)):
        longest = max(longest, start[i + 1] - start[i])
        k_most = max(k_most, unknowns[i])
    longest = _whole_registers(longest)
    d, xi = np.empty((3, longest)), np.empty((3, longest))
    W, weighted = np.empty(longest), np.empty(longest)
    up, left, first = np.empty(longest), np.empty(longest), np.empty((longest, 3))
    kept, own = np.empty(longest, np.int64), np.empty(longest, np.int64)
    rows, own_row = np.empty((k_most, longest)), np.empty((k_most, 1))
    M, inverse = np.empty((k_most, k_most)), np.empty(k_most)
    norms, spare, sums = np.empty(k_most), np.empty(k_most), np.empty(4 * len(products))
    E, C, g = np.zeros((-(-q // 3) * 3, k_most)), np.zeros((-(-q // 3) * 3, k_most)), np.empty((q, longest))
    T, share, S, Q = np.empty((3, 3)), np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    at_own, elsewhere = np.zeros((q, k_most)), np.zeros((rank + rank * (rank + 1) // 2, k_most))
    for r in range(q):
        if derivatives[r, 0] < k_most:
            at_own[r, derivatives[r, 0]] = derivatives[r, 1]
    place = np.empty(3)
    for i in range(len(targets)):
        begin, end, k = start[i], start[i + 1], unknowns[i]
        count, asked, lowest = end - begin, k, max(least, 1)
        unknowns[i] = 0
        weights[begin:end] = 0.0
        origin = positions[centre[i]] if centre[i] >= 0 else targets[i]
        is_bent = len(bends[3]) > 0 and bends[3][i] > 0.0
        own_weights, is_done = weights[begin:end], True
        if k > 0 and count > 0:
            attempt = 0 if is_bent else 2
            while attempt < 4:
                # Along a bent wall, by lower degrees where the samples do not tell that, and at last as if there were
                # none; without far samples, and where they alone tell a monomial with them.
                is_along, is_whole = attempt < 2, attempt % 2 == 1
                count, least_kept = end - begin, math.ceil(enough * (k + is_along))
                for s in range(count):
                    for c in range(3):
                        d[c, s] = positions[samples[begin + s], c] - origin[c]
                if is_along:
                    _flatten(i, samples[begin:end], count, bends, d, up)
                frame(d, count, free, rank, T, share, S, Q)
                local_coordinates(d, count, T, share, decay, xi, W)
                count = drop_far(count, end - begin + 1 if is_whole else least_kept, d, xi, W, kept)
                target, whole = i if is_along else -1, _whole_registers(count)
                for s in range(count, whole):
                    xi[0, s], xi[1, s], xi[2, s], W[s] = 0.0, 0.0, 0.0, 0.0
                if len(averages[0]):
                    for s in range(count):
                        own[s] = samples[begin + kept[s]]
                    rows[:k, count:whole] = 0.0
                    _averages(origin, T, own, count, averages, slopes, target, bends, parent, axis, k, spare, rows)
                    if centre[i] >= 0:
                        own[0] = centre[i]
                        _averages(origin, T, own, 1, averages, slopes, target, bends, parent, axis, k, spare, own_row)
                        for a in range(k):
                            for s in range(count):
                                rows[a, s] -= own_row[a, 0]
                else:
                    _monomials(xi, whole, parent, axis, k, rows)
                sum_products(rows, W, whole, k, products, weighted, sums)
                known = factorise(sums, number, k, M, inverse, norms, spare)
                known = known if known == k else complete[known]
                sought = at_own
                if beside and centre[i] >= 0:
                    _place(targets[i], origin, target, bends, slopes, T, place)
                    _derivatives_at(place, parent, axis, k, is_second, rank, spare, elsewhere)
                    sought = elsewhere[rank:] if is_second and skip == 0 else elsewhere[: len(g)]
                known = reproducing_weights(rows, W, whole, known, M, inverse, norms, sought, complete, lowest, C, E, g)
                is_done = not is_along
                if is_along and known > 0:
                    for s in range(count):
                        left[s] = up[kept[s]]
                    square = project_out(rows, W, count, known, M, inverse, left, C)
                    _first(g[:rank], count, T, kept, first)
                    loudest = _LOUDEST if is_whole or count == end - begin else _LOUDER
                    is_done = _reproduce(first, W, left, up, kept, count, square, bends[2][i], loudest)
                    is_bent = is_done
                if is_done and not is_along and count == end - begin:
                    break
                is_quiet = known == k and sum_of_squares(g[skip:], count, derivatives[skip:]) < _LOUD
                is_told = is_done and (is_quiet or known < k)
                if is_along and not is_told and count == end - begin and lowest <= complete[max(known, 1) - 1]:
                    k, attempt = complete[known - 1], 0
                    continue
                if is_done and (count == end - begin or is_quiet):
                    break
                attempt += 1
                k = asked if attempt == 2 else k
            unknowns[i] = known
        if unknowns[i] == 0:
            weights[begin:end] = np.nan
            continue
        if curved:
            _tangents(g, d, count, T)
        if is_second:
            _second(g[skip:], count, T, rank, kept, own_weights)
            if is_bent:
                _straighten(own_weights, first, up, kept, count, bends[2][i])
        elif is_bent:
            for s in range(count):
                own_weights[kept[s]] = first[kept[s]]
        else:
            _first(g, count, T, kept, own_weights)


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
