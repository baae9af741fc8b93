"""Compiled loop: whether straight ways through simplices stay within the mesh and miss its holes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.paths.simplex_kernels import _OUTSIDE, _coordinates, search

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


@inlined
def _advance(a: Any, b: Any, fraction: Any) -> None:
    for k in range(3):
        a[k] += fraction * (b[k] - a[k])


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
        if following >= 0:
            s, reached = following, max(reached, fraction)
            continue
        ahead = min(1.0, reached + _ON if is_lost else max(reached, fraction) + _AHEAD / fall)
        _advance(a, b, ahead)
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
    :func:`~flowgrad.paths.simplex_kernels.sample`."""
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
