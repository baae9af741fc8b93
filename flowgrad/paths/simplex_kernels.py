"""Compiled interpolation in simplices: the walk to the one that holds a position, v and L there, and straight ways.

With barycentric coordinates λ, and v_a and L_a at the corners x_a,

    v(x) = Σ λ_a [v_a + ½ L_a (x − x_a)] = Σ λ_a v_a + Σ_{a<b} λ_a λ_b q_ab,   q_ab = ½ (L_a − L_b)(x_b − x_a),

which is exact for quadratic v. A face sees its own corners and edges only, so that v is continuous across it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.mesh.bounding_tree import LEAF
from flowgrad.paths.dormand_prince import deform, finish, stage

# A position this far outside, in barycentric coordinates, is inside at the boundary; and so far in a crack that
# rounding leaves between two simplices.
_OUTSIDE, _CRACK = -1e-9, -1e-6
# What lies across a face on a plate of no thickness: nothing passes, though the mesh goes on behind it.
_PLATE = -3
# Simplices crossed before the tree is asked.
_STEPS = 50
# Deepest tree: it holds 2⁶⁰ simplices.
_DEEPEST = 64


@inlined
def _coordinates(points: Any, corners: Any, s: Any, normal: Any, x: Any, shares: Any, slopes: Any) -> None:
    """λ (d + 1,) of a position in simplex s, and ∇λ (d + 1, 3)."""
    d = corners.shape[1] - 1
    o, p, q = corners[s, 0], corners[s, 1], corners[s, 2]
    a0, a1, a2 = points[p, 0] - points[o, 0], points[p, 1] - points[o, 1], points[p, 2] - points[o, 2]
    b0, b1, b2 = points[q, 0] - points[o, 0], points[q, 1] - points[o, 1], points[q, 2] - points[o, 2]
    c0, c1, c2 = normal[0], normal[1], normal[2]
    if d == 3:
        r = corners[s, 3]
        c0, c1, c2 = points[r, 0] - points[o, 0], points[r, 1] - points[o, 1], points[r, 2] - points[o, 2]
    u0, u1, u2 = b1 * c2 - b2 * c1, b2 * c0 - b0 * c2, b0 * c1 - b1 * c0
    inverse = 1 / (a0 * u0 + a1 * u1 + a2 * u2)
    slopes[1, 0], slopes[1, 1], slopes[1, 2] = inverse * u0, inverse * u1, inverse * u2
    slopes[2, 0] = inverse * (c1 * a2 - c2 * a1)
    slopes[2, 1] = inverse * (c2 * a0 - c0 * a2)
    slopes[2, 2] = inverse * (c0 * a1 - c1 * a0)
    slopes[3, 0] = inverse * (a1 * b2 - a2 * b1)
    slopes[3, 1] = inverse * (a2 * b0 - a0 * b2)
    slopes[3, 2] = inverse * (a0 * b1 - a1 * b0)
    x0, x1, x2 = x[0] - points[o, 0], x[1] - points[o, 1], x[2] - points[o, 2]
    shares[0] = 1.0
    slopes[0, 0], slopes[0, 1], slopes[0, 2] = 0.0, 0.0, 0.0
    for i in range(1, d + 1):
        shares[i] = slopes[i, 0] * x0 + slopes[i, 1] * x1 + slopes[i, 2] * x2
        shares[0] -= shares[i]
        for k in range(3):
            slopes[0, k] -= slopes[i, k]


@called
def walk(points: Any, corners: Any, beyond: Any, normal: Any, x: Any, s: Any, shares: Any, slopes: Any) -> Any:
    """From simplex s to the one that holds x, each time across the face that x is farthest beyond; −1 where the
    boundary or too many simplices lie between."""
    for _ in range(_STEPS):
        _coordinates(points, corners, s, normal, x, shares, slopes)
        lowest, way, blocked = _OUTSIDE, -1, False
        for i in range(corners.shape[1]):
            if not shares[i] >= _OUTSIDE and beyond[s, i] < 0:
                blocked = True
            elif shares[i] < lowest:
                lowest, way = shares[i], i
        if way < 0:
            return -1 if blocked else s
        s = beyond[s, way]
    return -1


@inlined
def _depth_in(corners: Any, beyond: Any, s: Any, shares: Any) -> Any:
    """The smallest λ of a position in simplex s, −∞ where it is outside."""
    lowest = math.inf
    for i in range(corners.shape[1]):
        if not shares[i] >= (_OUTSIDE if beyond[s, i] in (-1, _PLATE) else _CRACK):
            return -math.inf
        lowest = min(lowest, shares[i])
    return lowest


@called
def search(
    points: Any, corners: Any, beyond: Any, normal: Any, boxes: Any, members: Any, x: Any, shares: Any, slopes: Any
) -> Any:
    """The simplex that holds x; −1 where none does. The first one near it is where a walk starts, and only if
    that fails are all tried whose boxes hold x."""
    leaves, top, found, best, is_first = len(boxes) // 2, 1, -1, -math.inf, True
    stack = np.ones(_DEEPEST, np.int64)
    while top > 0 and best < 0:
        top -= 1
        node, outside = stack[top], False
        for k in range(3):
            outside |= not boxes[node, k] <= x[k] <= boxes[node, 3 + k]
        if outside:
            continue
        if node < leaves:
            stack[top], stack[top + 1] = 2 * node, 2 * node + 1
            top += 2
            continue
        first = (node - leaves) * LEAF
        if is_first:
            is_first = False
            found = walk(points, corners, beyond, normal, x, members[first], shares, slopes)
            if found >= 0:
                return found
        for s in members[first : first + LEAF]:
            _coordinates(points, corners, s, normal, x, shares, slopes)
            depth = _depth_in(corners, beyond, s, shares)
            if depth > best:
                best, found = depth, s
    if found >= 0:
        _coordinates(points, corners, found, normal, x, shares, slopes)
    return found


@called
def _find(
    points: Any,
    corners: Any,
    beyond: Any,
    normal: Any,
    boxes: Any,
    members: Any,
    x: Any,
    near: Any,
    shares: Any,
    slopes: Any,
) -> Any:
    """The simplex that holds x, by a walk from one ``near``, −1 for none, or by a search; −1 where none does."""
    if not math.isfinite(x[0] + x[1] + x[2]):
        return -1
    s = -1
    if near >= 0:
        s = walk(points, corners, beyond, normal, x, near, shares, slopes)
    return search(points, corners, beyond, normal, boxes, members, x, shares, slopes) if s < 0 else s


@inlined
def _gather(corners: Any, s: Any, nodal: Any, weights: Any, values: Any) -> None:
    """v and L (d + 1, 12) at the corners, blended of the steps."""
    for a in range(corners.shape[1]):
        p = corners[s, a]
        for j in range(12):
            values[a, j] = weights[0] * nodal[0, p, j]
        for step in range(1, len(weights)):
            for j in range(12):
                values[a, j] += weights[step] * nodal[step, p, j]


@inlined
def _blend(points: Any, corners: Any, s: Any, x: Any, values: Any, shares: Any, slopes: Any, v: Any, L: Any) -> None:
    """v (3,) and L (3, 3), where no edge is on a wall: Σ λ_a [v_a + ½ L_a (x − x_a)] and its gradient."""
    for i in range(3):
        v[i], L[i, 0], L[i, 1], L[i, 2] = 0.0, 0.0, 0.0, 0.0
    for a in range(corners.shape[1]):
        p, share, half = corners[s, a], shares[a], 0.5 * shares[a]
        e0, e1, e2 = 0.5 * (x[0] - points[p, 0]), 0.5 * (x[1] - points[p, 1]), 0.5 * (x[2] - points[p, 2])
        for i in range(3):
            l0, l1, l2 = values[a, 3 + 3 * i], values[a, 4 + 3 * i], values[a, 5 + 3 * i]
            about = values[a, i] + l0 * e0 + l1 * e1 + l2 * e2
            v[i] += share * about
            L[i, 0] += about * slopes[a, 0] + half * l0
            L[i, 1] += about * slopes[a, 1] + half * l1
            L[i, 2] += about * slopes[a, 2] + half * l2


@inlined
def _interpolate(
    points: Any, corners: Any, s: Any, edges: Any, values: Any, shares: Any, slopes: Any, v: Any, L: Any
) -> None:
    """v (3,) and L (3, 3); edges of the boundary whose two ends are at rest are a wall, and at rest between them."""
    d = corners.shape[1]
    for i in range(3):
        v[i] = 0.0
        for k in range(3):
            L[i, k] = 0.0
    for a in range(d):
        for i in range(3):
            v[i] += shares[a] * values[a, i]
            for k in range(3):
                L[i, k] += values[a, i] * slopes[a, k]
    edge = 0
    for a in range(d):
        for b in range(a + 1, d):
            is_wall = (edges >> edge) & 1 != 0
            for i in range(3):
                is_wall &= values[a, i] == 0 and values[b, i] == 0
            edge += 1
            if is_wall:
                continue
            p, r = corners[s, a], corners[s, b]
            for i in range(3):
                q = 0.0
                for k in range(3):
                    q += 0.5 * (values[a, 3 + 3 * i + k] - values[b, 3 + 3 * i + k]) * (points[r, k] - points[p, k])
                v[i] += shares[a] * shares[b] * q
                for k in range(3):
                    L[i, k] += q * (shares[a] * slopes[b, k] + shares[b] * slopes[a, k])


@inlined
def _is_in(points: Any, corners: Any, s: Any, x: Any, shares: Any, slopes: Any) -> Any:
    """Whether x is in simplex s, whose slopes are known; its shares."""
    o, found = corners[s, 0], True
    x0, x1, x2 = x[0] - points[o, 0], x[1] - points[o, 1], x[2] - points[o, 2]
    shares[0] = 1.0
    for i in range(1, corners.shape[1]):
        shares[i] = slopes[i, 0] * x0 + slopes[i, 1] * x1 + slopes[i, 2] * x2
        shares[0] -= shares[i]
        found &= shares[i] >= _OUTSIDE
    return found and shares[0] >= _OUTSIDE


@kernel()
def step_simplices(
    geometry: Any,
    tree: Any,
    on_boundary: Any,
    origin: Any,
    nodal: Any,
    weights: Any,
    y: Any,
    first: Any,
    h: Any,
    cells: Any,
    stages: Any,
    within: Any,
    made: Any,
) -> None:
    """The ``stages`` (from, to) of a Runge–Kutta step of particles, from ``nodal`` (k, n, 12) values v and L; ``cells``
    (m,) are the simplices found last. All else as in :meth:`~flowgrad.paths.field.Interpolant.advance`; ``origin`` (3,)
    is in the plane of a planar mesh, on which positions are projected."""
    points, corners, beyond, normal = geometry
    boxes, members = tree
    reached, last, error, speed, inside, way = made
    shares, slopes, values = np.empty(4), np.empty((4, 3)), np.empty((4, 12))
    x, v, L = np.empty(3), np.empty(3), np.empty((3, 3))
    z, rates = np.empty(y.shape[1]), np.zeros((y.shape[1], 7))
    for p in range(len(y)):
        size, own = h[p if len(h) > 1 else 0], p if len(weights) > 1 else 0
        rates[:, 0] = first[p]
        known, gathered = -1, -1
        for number in range(stages[0], stages[1]):
            stage(number, y[p], size, rates, z)
            off = 0.0
            for k in range(3):
                off += (z[k] - origin[k]) * normal[k]
            for k in range(3):
                x[k] = z[k] - off * normal[k]
            if known < 0 or not _is_in(points, corners, known, x, shares, slopes):
                known = _find(points, corners, beyond, normal, boxes, members, x, cells[p], shares, slopes)
            inside[p] = known >= 0
            if known < 0:
                break
            if known != gathered or len(nodal) > 1:
                _gather(corners, known, nodal, weights[own, number - stages[0]], values)
                gathered = known
            if on_boundary[known]:
                _interpolate(points, corners, known, on_boundary[known], values, shares, slopes, v, L)
            else:
                _blend(points, corners, known, x, values, shares, slopes, v, L)
            total = v[0] + v[1] + v[2]
            for j in range(9):
                total += L[j // 3, j % 3]
            inside[p] = math.isfinite(total)
            if not inside[p]:
                break
            cells[p] = known
            deform(v, L, z, rates[:, number])
        reached[p], last[p] = z, rates[:, stages[1] - 1]
        speed[p] = finish(y[p], size, rates, within, error[p], way[p])


# So far (barycentric) beyond a face without a neighbour another simplex may go on: cells of other sizes, flat ones.
_AHEAD = 1e-3
# A simplex of which a way takes up less than this fraction is touched at a corner.
_TOUCHED = 1e-12
# Simplices around one corner, and how far to go on where more are passed without getting on.
_AROUND, _ON = 200, 1 / 64


@inlined
def _is_known(corners: Any, s: Any, nodal: Any) -> Any:
    """Whether all corners have a value in all steps."""
    found = True
    for a in range(corners.shape[1]):
        for step in range(len(nodal)):
            found &= math.isfinite(nodal[step, corners[s, a], 0])
    return found


@inlined
def _leave(corners: Any, a: Any, b: Any, shares: Any, slopes: Any) -> Any:
    """The face through which the way from a to b leaves a simplex, after what fraction, and by how much its share
    falls on the whole way; −1 where b is inside, −2 where the simplex lies elsewhere."""
    face, first, fall = -1, math.inf, 1.0
    for i in range(corners.shape[1]):
        change = slopes[i, 0] * (b[0] - a[0]) + slopes[i, 1] * (b[1] - a[1]) + slopes[i, 2] * (b[2] - a[2])
        if shares[i] + change >= _OUTSIDE:
            continue
        if change < 0 and -shares[i] / change < first:
            face, first, fall = i, -shares[i] / change, -change
        elif change >= 0 and face < 0:
            face = -2
    return face, first, fall


@called
def _follow(
    points: Any,
    corners: Any,
    beyond: Any,
    normal: Any,
    boxes: Any,
    members: Any,
    nodal: Any,
    s: Any,
    a: Any,
    b: Any,
    shares: Any,
    slopes: Any,
) -> Any:
    """The simplex that holds b, on the straight way from a in simplex s; −1 where the boundary or a hole lies between.
    On return a is overwritten."""
    reached, around = 0.0, 0
    while True:
        _coordinates(points, corners, s, normal, a, shares, slopes)
        face, fraction, fall = _leave(corners, a, b, shares, slopes)
        if min(fraction, 1.0) - reached > _TOUCHED and not _is_known(corners, s, nodal):
            return -1
        if face == -1:
            return s
        around = 0 if fraction > reached else around + 1
        is_lost = face == -2 or around > _AROUND
        following = -1 if is_lost else beyond[s, face]
        if following == _PLATE:
            return -1
        if following >= 0:
            s, reached = following, max(reached, fraction)
            continue
        ahead = min(1.0, reached + _ON if is_lost else max(reached, fraction) + _AHEAD / fall)
        for k in range(3):
            a[k] += ahead * (b[k] - a[k])
        s = search(points, corners, beyond, normal, boxes, members, a, shares, slopes)
        if s < 0 or ahead == 1.0:
            return s
        reached, around = 0.0, 0


@inlined
def _is_within(corners: Any, a: Any, way: Any, shares: Any, slopes: Any) -> Any:
    """Whether all of a polyline is in the simplex where a has these shares."""
    found = True
    for j in range(1, len(way)):
        for i in range(corners.shape[1]):
            share = shares[i]
            for k in range(3):
                share += slopes[i, k] * (way[j, k] - a[k])
            found &= share >= _OUTSIDE
    return found


@kernel()
def trace_simplices(
    points: Any,
    corners: Any,
    beyond: Any,
    normal: Any,
    boxes: Any,
    members: Any,
    nodal: Any,
    ways: Any,
    cells: Any,
    inside: Any,
) -> None:
    """Set inside (m,) to False for ``ways`` (m, k, 3), polylines that start in simplices ``cells`` (m,), which leave
    the mesh or meet a simplex with a corner that has no value; all else as in
    :func:`~flowgrad.paths.simplex_kernels.step_simplices`."""
    shares, slopes, a = np.empty(4), np.empty((4, 3)), np.empty(3)
    for i in range(len(ways)):
        if not inside[i]:
            continue
        way, s = ways[i], cells[i]
        _coordinates(points, corners, s, normal, way[0], shares, slopes)
        if _is_within(corners, way[0], way, shares, slopes):
            continue
        for j in range(1, len(way)):
            a[:] = way[j - 1]
            s = _follow(points, corners, beyond, normal, boxes, members, nodal, s, a, way[j], shares, slopes)
            if s < 0:
                inside[i] = False
                break
