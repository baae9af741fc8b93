"""Hidden-surface removal by a depth buffer, and the order in which the faces that are seen are painted."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from flowgrad.compiled import called, kernel
from flowgrad.mesh.cells import offsets
from flowgrad.plot.slice import Slice, triangles_of
from flowgrad.typing import BoolArray, FloatArray, IntArray

# What is as deep to this part of the picture's size is in one place.
_SAME = 1e-7
# Between pixels depths are compared along the planes of the triangles, and must differ by so many pixels.
_BETWEEN = 2.0


@called
def _plane(corners: Any, t: Any) -> Any:
    """Slopes of a triangle's depth along x and y; whether it has an area."""
    x1, y1 = corners[t, 1, 0] - corners[t, 0, 0], corners[t, 1, 1] - corners[t, 0, 1]
    x2, y2 = corners[t, 2, 0] - corners[t, 0, 0], corners[t, 2, 1] - corners[t, 0, 1]
    z1, z2 = corners[t, 1, 2] - corners[t, 0, 2], corners[t, 2, 2] - corners[t, 0, 2]
    twice = x1 * y2 - x2 * y1
    if twice == 0.0:
        return 0.0, 0.0, False
    return (z1 * y2 - z2 * y1) / twice, (x1 * z2 - x2 * z1) / twice, True


@called
def _depth(corners: Any, t: Any, across: Any, up: Any, x: Any, y: Any) -> Any:
    """Depth of a triangle at a place in it, not beyond those of its corners."""
    a, b, c = corners[t, 0, 2], corners[t, 1, 2], corners[t, 2, 2]
    z = a + across * (x - corners[t, 0, 0]) + up * (y - corners[t, 0, 1])
    return min(max(z, min(a, b, c)), max(a, b, c))


@called
def _rows(corners: Any, t: Any, height: Any) -> Any:
    """First row of pixels whose middles a triangle may cover, and the one after the last."""
    a, b, c = corners[t, 0, 1], corners[t, 1, 1], corners[t, 2, 1]
    return max(0, int(np.ceil(min(a, b, c) - 0.5))), min(height - 1, int(np.floor(max(a, b, c) - 0.5))) + 1


@called
def _columns(corners: Any, t: Any, y: Any, width: Any) -> Any:
    """First pixel whose middle a triangle covers on the line of the page at y, and the one after the last."""
    low, high = np.inf, -np.inf
    for k in range(3):
        n = (k + 1) % 3
        xa, ya, xb, yb = corners[t, k, 0], corners[t, k, 1], corners[t, n, 0], corners[t, n, 1]
        if min(ya, yb) <= y <= max(ya, yb) and ya != yb:
            x = xa + (y - ya) / (yb - ya) * (xb - xa)
            low, high = min(low, x), max(high, x)
    if not low <= high:
        return 0, 0
    return max(0, int(np.ceil(low - 0.5))), min(width - 1, int(np.floor(high - 0.5))) + 1


@kernel()
def fill(corners: Any, nearest: Any, depth: Any) -> Any:
    """Put the number of the triangle that is seen in each pixel into ``nearest`` (h, w), where −1 is none, and its
    depth towards the eye into ``depth`` (h, w), where −∞ is none; ``corners`` (t, 3, 3) are x, y and depth in
    pixels."""
    height, width = nearest.shape
    for t in range(len(corners)):
        across, up, has_area = _plane(corners, t)
        first, last = _rows(corners, t, height if has_area else 0)
        for j in range(first, last):
            left, right = _columns(corners, t, j + 0.5, width)
            for i in range(left, right):
                z = _depth(corners, t, across, up, i + 0.5, j + 0.5)
                if z > depth[j, i]:
                    depth[j, i] = z
                    nearest[j, i] = t


@called
def _note(pairs: Any, count: Any, first: Any, second: Any) -> Any:
    """Note a pair while there is room; the number of pairs so far."""
    if count < len(pairs):
        pairs[count, 0], pairs[count, 1] = first, second
    return count + 1


@called
def _inside(
    corners: Any, owners: Any, t: Any, nearest: Any, depth: Any, seen: Any, above: Any, pairs: Any, n: Any
) -> Any:
    """Note the polygons before a triangle at the centres of its pixels; the number of pairs."""
    height, width = nearest.shape
    same = _SAME * max(height, width)
    own = owners[t]
    across, up, has_area = _plane(corners, t)
    first, last = _rows(corners, t, height if has_area else 0)
    for j in range(first, last):
        left, right = _columns(corners, t, j + 0.5, width)
        for i in range(left, right):
            other = owners[nearest[j, i]]
            if other == own:
                seen[own] = True
            elif above[other] != own and _depth(corners, t, across, up, i + 0.5, j + 0.5) < depth[j, i] - same:
                above[other] = own
                n = _note(pairs, n, own, other)
    return n


@called
def _on_side(corners: Any, nearest: Any, t: Any, k: Any, share: Any) -> Any:
    """The triangle that is seen near a place on a side of another, −1 where there is none, and whether the place lies
    before it (1) or behind it (−1), 0 where that cannot be told between pixels."""
    m = (k + 1) % 3
    x = corners[t, k, 0] + share * (corners[t, m, 0] - corners[t, k, 0])
    y = corners[t, k, 1] + share * (corners[t, m, 1] - corners[t, k, 1])
    z = corners[t, k, 2] + share * (corners[t, m, 2] - corners[t, k, 2])
    found = nearest[min(max(int(y), 0), nearest.shape[0] - 1), min(max(int(x), 0), nearest.shape[1] - 1)]
    if found < 0:
        return found, 0
    across, up, _ = _plane(corners, found)
    above = z - corners[found, 0, 2] - across * (x - corners[found, 0, 0]) - up * (y - corners[found, 0, 1])
    unsure = _BETWEEN + abs(across) + abs(up)
    return found, 1 if above > unsure else -1 if above < -unsure else 0


@called
def _along(
    corners: Any, owners: Any, t: Any, nearest: Any, seen: Any, above: Any, below: Any, pairs: Any, n: Any
) -> Any:
    """The same before and behind the sides of a triangle, which may be too thin to cover a pixel's centre."""
    own = owners[t]
    for k in range(3):
        m = (k + 1) % 3
        steps = 1 + int(max(abs(corners[t, m, 0] - corners[t, k, 0]), abs(corners[t, m, 1] - corners[t, k, 1])))
        for s in range(steps + 1):
            found, side = _on_side(corners, nearest, t, k, s / steps)
            seen[own] = seen[own] or side >= 0
            other = owners[found] if found >= 0 else own
            if other != own and side < 0 and above[other] != own:
                above[other] = own
                n = _note(pairs, n, own, other)
            elif other != own and side > 0 and below[other] != own:
                below[other] = own
                n = _note(pairs, n, other, own)
    return n


@kernel()
def behind(corners: Any, owners: Any, nearest: Any, depth: Any, seen: Any, pairs: Any) -> Any:
    """Write pairs (k, 2) of polygons, the first behind the second somewhere on the page where the second is seen, and
    in ``seen`` (polygons,) which are seen at all, in a pixel or along a side; the number of pairs, of which those for
    which there is no room are not written. The triangles of a polygon, ``owners`` (t,), follow one another."""
    above, below = np.full(len(seen), -1), np.full(len(seen), -1)
    count = 0
    for t in range(len(corners)):
        count = _inside(corners, owners, t, nearest, depth, seen, above, pairs, count)
        count = _along(corners, owners, t, nearest, seen, above, below, pairs, count)
    return count


@kernel()
def in_order(ranked: Any, start: Any, before: Any) -> Any:
    """The ``ranked`` numbers (n,) in their order, but each after those that come ``before`` it, which are
    ``before[start[i]:start[i + 1]]``; where these go round in a circle it is broken."""
    order, count = np.empty(len(ranked), np.int64), 0
    begun = np.zeros(len(ranked), np.bool_)
    following = start[:-1].copy()
    stack = np.empty(len(ranked), np.int64)
    for each in ranked:
        height = 0
        if not begun[each]:
            stack[0], height, begun[each] = each, 1, True
        while height:
            here = stack[height - 1]
            if following[here] == start[here + 1]:
                order[count] = here
                count += 1
                height -= 1
                continue
            other = before[following[here]]
            following[here] += 1
            if not begun[other]:
                stack[height], begun[other] = other, True
                height += 1
    return order


# Pixels along the longer side, twice as many as a picture has across two columns of print.
_PIXELS = 2000
# Polygons that hide each other in a circle are cut so many times, while they are larger than so many pixels.
_ROUNDS, _SMALL = 9, 2.0


def seen(section: Slice, depths: FloatArray) -> Slice:
    """The polygons of a slice that are not hidden, in an order in which each can be painted over those before it.

    ``depths`` (m,) are the distances of its vertices towards the eye. Which of two polygons is before the other is
    decided where they are, by a depth buffer finer than a picture (Catmull 1974), not by one depth for each. Those
    that hide each other in a circle, or go through each other, are cut until they do not. Where nothing hides anything
    it is the slice itself.
    """
    for _ in range(_ROUNDS):
        pairs, is_seen = _hiding(section, depths)
        if is_seen.all() and not len(pairs):
            return section
        if not is_seen.all():
            number = np.cumsum(is_seen) - 1
            pairs = number[pairs[is_seen[pairs].all(axis=1)]]
            depths = depths[np.repeat(is_seen, np.diff(section.offsets))]
            section = section.take(np.flatnonzero(is_seen))
        graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (len(section), len(section)))
        part = connected_components(graph, connection="strong")[1]
        pixel = float(section.spans.max() or 1.0) / _PIXELS
        start = section.offsets[:-1]
        boxes = np.maximum.reduceat(section.vertices, start) - np.minimum.reduceat(section.vertices, start)
        circling = (np.bincount(part)[part] > 1) & (boxes.max(axis=1) > _SMALL * pixel)
        if not circling.any():
            break
        section, depths = _cut_up(section, depths, circling)
    else:
        pairs, _ = _hiding(section, depths)
    # From the deepest on, but each polygon after those that are behind it.
    depths = section.means(depths)
    pairs = pairs[np.lexsort((depths[pairs[:, 0]], pairs[:, 1]))]
    start = offsets(np.bincount(pairs[:, 1], minlength=len(depths)))
    order = in_order(np.argsort(depths, kind="stable"), start, np.ascontiguousarray(pairs[:, 0]))
    return section.take(np.asarray(order))


def _hiding(section: Slice, depths: FloatArray) -> tuple[IntArray, BoolArray]:
    """Pairs of polygons (p, 2), the first of which is behind the second, and which are seen (k,)."""
    is_seen = np.zeros(len(section), bool)
    if not len(section):
        return np.empty((0, 2), np.int64), is_seen
    places, heights, triangles, owners = triangles_of(section, depths)
    scale = _PIXELS / float(section.spans.max() or 1.0)
    corners = np.column_stack([places - section.bounds[0], heights - depths.mean()])[triangles] * scale
    width, height = (int(np.ceil(scale * each)) or 1 for each in section.spans)
    nearest, depth = np.full((height, width), -1), np.full((height, width), -np.inf)
    fill(corners, nearest, depth)
    pairs = np.empty((4 * len(section), 2), np.int64)
    while (count := behind(corners, owners, nearest, depth, is_seen, pairs)) > len(pairs):
        pairs = np.empty((count, 2), np.int64)
    return pairs[:count], is_seen


def _cut_up(section: Slice, depths: FloatArray, chosen: BoolArray) -> tuple[Slice, FloatArray]:
    """The slice with each chosen polygon cut from its vertex mean to the middles of its sides."""
    of_chosen = np.repeat(chosen, np.diff(section.offsets))
    whole, cut = section.take(np.flatnonzero(~chosen)), section.take(np.flatnonzero(chosen))
    shares = _sites(cut)
    sides = np.diff(cut.offsets)
    parts = Slice(
        shares @ cut.vertices,
        offsets(np.full(len(cut.vertices), 4)),
        np.repeat(cut.cells, sides),
        csr_array(shares @ cut.weights),
        _keys(cut, int(section.keys.max()) + 1),
        cut.plane,
        None if cut.shades is None else np.repeat(cut.shades, sides),
    )
    heights = np.concatenate([depths[~of_chosen], shares @ depths[of_chosen]])
    return Slice.joined([whole, parts], share_keys=True), heights


def _sites(section: Slice) -> csr_array:
    """Shares (4 m, m) of the vertices at the corners of the parts: at each vertex itself, the middle of the side that
    follows, the vertex mean, the middle of the side before."""
    count, sides = len(section.vertices), np.diff(section.offsets)
    own = csr_array(eye_array(count))
    after = own[section.following]
    polygon = section.owners
    mean = csr_array((1 / sides[polygon], np.arange(count), section.offsets), (len(section), count))[polygon]
    stacked = csr_array(vstack([own, (own + after) / 2, mean, (own + after.T) / 2]))
    return stacked[np.arange(4 * count).reshape(4, count).T.ravel()]


def _keys(section: Slice, fresh: int) -> IntArray:
    """Keys of these corners: sides that two polygons share have one middle."""
    keys, following, count = section.keys, section.following, len(section.keys)
    ends = np.sort(np.stack([keys, keys[following]], axis=1), axis=1)
    _, side = np.unique(ends, axis=0, return_inverse=True)
    side = side.ravel() + fresh
    return np.stack([keys, side, section.owners + fresh + count, side[section.preceding]], axis=1).ravel()
