"""Surfaces in space as they are seen: what is hidden is left out, and what hides a part of another is painted later."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack
from scipy.sparse.csgraph import connected_components

from flowgrad.mesh.ragged import offsets
from flowgrad.plot.depth_buffer import behind, fill, in_order
from flowgrad.plot.section import Section
from flowgrad.plot.triangles import triangles_of
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Pixels along the longer side, twice as many as a picture has across two columns of print.
_PIXELS = 2000
# Polygons that hide each other in a circle are cut so many times, while they are larger than so many pixels.
_ROUNDS, _SMALL = 9, 2.0


def seen(section: Section, depths: FloatArray) -> Section:
    """The polygons of a section that are not hidden, in an order in which each can be painted over those before it.

    ``depths`` (m,) are the distances of its vertices towards the eye. Which of two polygons is before the other is
    decided where they are, by a depth buffer finer than a picture (Catmull 1974), not by one depth for each. Those
    that hide each other in a circle, or go through each other, are cut until they do not. Where nothing hides anything
    it is the section itself.
    """
    for _ in range(_ROUNDS):
        pairs, is_seen = _hiding(section, depths)
        if is_seen.all() and not len(pairs):
            return section
        section, depths, pairs = _without(section, depths, pairs, is_seen)
        circling = _circling(pairs, len(section)) & (_extents(section) > _SMALL / _scale(section))
        if not circling.any():
            break
        section, depths = _cut_up(section, depths, circling)
    else:
        pairs, _ = _hiding(section, depths)
    return section.take(_order(pairs, section.means(depths)))


def _scale(section: Section) -> float:
    """Pixels for a unit of length."""
    return _PIXELS / float(section.spans.max() or 1.0)


def _extents(section: Section) -> FloatArray:
    """The longer side of each polygon's box (k,)."""
    start = section.offsets[:-1]
    sides = np.maximum.reduceat(section.vertices, start) - np.minimum.reduceat(section.vertices, start)
    return np.asarray(sides.max(axis=1))


def _hiding(section: Section, depths: FloatArray) -> tuple[IntArray, BoolArray]:
    """Pairs of polygons (p, 2), the first of which is behind the second, and which are seen (k,)."""
    is_seen = np.zeros(len(section), bool)
    if not len(section):
        return np.empty((0, 2), np.int64), is_seen
    places, heights, triangles, owners = triangles_of(section, depths)
    scale = _scale(section)
    corners = np.column_stack([places - section.bounds[0], heights - depths.mean()])[triangles] * scale
    width, height = (int(np.ceil(scale * each)) or 1 for each in section.spans)
    nearest, depth = np.full((height, width), -1), np.full((height, width), -np.inf)
    fill(corners, nearest, depth)
    pairs = np.empty((4 * len(section), 2), np.int64)
    while (count := behind(corners, owners, nearest, depth, is_seen, pairs)) > len(pairs):
        pairs = np.empty((count, 2), np.int64)
    return pairs[:count], is_seen


def _without(
    section: Section, depths: FloatArray, pairs: IntArray, kept: BoolArray
) -> tuple[Section, FloatArray, IntArray]:
    """The kept polygons and the pairs of them."""
    if kept.all():
        return section, depths, pairs
    number = np.cumsum(kept) - 1
    pairs = number[pairs[kept[pairs].all(axis=1)]]
    return section.take(np.flatnonzero(kept)), depths[np.repeat(kept, np.diff(section.offsets))], pairs


def _circling(pairs: IntArray, count: int) -> BoolArray:
    """Which of so many polygons are behind each other in a circle (k,)."""
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, part = connected_components(graph, connection="strong")
    return np.asarray(np.bincount(part)[part] > 1)


def _order(pairs: IntArray, depths: FloatArray) -> IntArray:
    """From the deepest on, but each polygon after those that are behind it (k,)."""
    pairs = pairs[np.lexsort((depths[pairs[:, 0]], pairs[:, 1]))]
    start = offsets(np.bincount(pairs[:, 1], minlength=len(depths)))
    return np.asarray(in_order(np.argsort(depths, kind="stable"), start, np.ascontiguousarray(pairs[:, 0])))


def _cut_up(section: Section, depths: FloatArray, chosen: BoolArray) -> tuple[Section, FloatArray]:
    """The section with each chosen polygon cut from its vertex mean to the middles of its sides."""
    of_chosen = np.repeat(chosen, np.diff(section.offsets))
    whole, cut = section.take(np.flatnonzero(~chosen)), section.take(np.flatnonzero(chosen))
    shares = _sites(cut)
    sides = np.diff(cut.offsets)
    parts = Section(
        shares @ cut.vertices,
        offsets(np.full(len(cut.vertices), 4)),
        np.repeat(cut.cells, sides),
        csr_array(shares @ cut.weights),
        _keys(cut, int(section.keys.max()) + 1),
        cut.plane,
        None if cut.shades is None else np.repeat(cut.shades, sides),
    )
    return _together(whole, parts), np.concatenate([depths[~of_chosen], shares @ depths[of_chosen]])


def _sites(section: Section) -> csr_array:
    """Shares (4 m, m) of the vertices at the corners of the parts: at each vertex itself, the middle of the side that
    follows, the vertex mean, the middle of the side before."""
    count, sides = len(section.vertices), np.diff(section.offsets)
    own = csr_array(eye_array(count))
    after = own[section.following]
    polygon = section.owners
    mean = csr_array((1 / sides[polygon], np.arange(count), section.offsets), (len(section), count))[polygon]
    stacked = csr_array(vstack([own, (own + after) / 2, mean, (own + after.T) / 2]))
    return stacked[np.arange(4 * count).reshape(4, count).T.ravel()]


def _keys(section: Section, fresh: int) -> IntArray:
    """Keys of these corners: sides that two polygons share have one middle."""
    keys, following, count = section.keys, section.following, len(section.keys)
    ends = np.sort(np.stack([keys, keys[following]], axis=1), axis=1)
    _, side = np.unique(ends, axis=0, return_inverse=True)
    side = side.ravel() + fresh
    return np.stack([keys, side, section.owners + fresh + count, side[section.preceding]], axis=1).ravel()


def _together(one: Section, other: Section) -> Section:
    """The polygons of both, whose keys mean the same vertices."""
    shades = None if one.shades is None or other.shades is None else np.concatenate([one.shades, other.shades])
    return Section(
        np.concatenate([one.vertices, other.vertices]),
        offsets(np.concatenate([np.diff(one.offsets), np.diff(other.offsets)])),
        np.concatenate([one.cells, other.cells]),
        csr_array(vstack([one.weights, other.weights])),
        np.concatenate([one.keys, other.keys]),
        one.plane,
        shades,
    )
