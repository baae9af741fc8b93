"""Places spread evenly over a section, however fine its mesh is."""

from __future__ import annotations

import numpy as np

from flowgrad.plot.frame import stretch
from flowgrad.plot.section import Section
from flowgrad.typing import FloatArray, IntArray

# Places nearer than this, in sides of the squares, crowd each other.
_NEAR = 0.6


def spacing_of(section: Section, count: int) -> float:
    """Side of the squares of the page of which ``count`` go along the longer side of a section."""
    return float((section.spans * [1, stretch(section)]).max()) / count


def spread(section: Section, count: int) -> IntArray:
    """The polygons nearest to the middles of squares of the page, one in each that has any."""
    return spread_places(section.centers * [1, stretch(section)], spacing_of(section, count))


def spread_places(places: FloatArray, spacing: float) -> IntArray:
    """Of places (m, 2) on the page those nearest to the middles of squares of a side, one in each that has any and
    none that is nearer than 0.6 of it to another."""
    place = (places - places.min(axis=0)) / spacing
    square = np.floor(place)
    distance = np.hypot(*(place - square - 0.5).T)
    order = np.lexsort((distance, square[:, 1], square[:, 0]))
    first = np.ones(len(order), bool)
    first[1:] = (square[order][1:] != square[order][:-1]).any(axis=1)
    return _clear(order[first], square.astype(np.int64), place)


def _clear(chosen: IntArray, square: IntArray, place: FloatArray) -> IntArray:
    """Without those that crowd one before, in a square beside theirs."""
    kept: dict[tuple[int, int], int] = {}
    for each in chosen.tolist():
        i, j = square[each].tolist()
        beside = (kept.get((i + a, j + b)) for a in (-1, 0, 1) for b in (-1, 0, 1))
        if all(other is None or np.hypot(*(place[each] - place[other])) > _NEAR for other in beside):
            kept[i, j] = each
    return np.array(list(kept.values()), np.int64)


def square_numbers(section: Section, places: FloatArray, count: int) -> IntArray:
    """The square of the page that each place (m, 2) is in (m,), numbered from 0 without gaps."""
    scale = np.array([1, stretch(section)])
    square = np.floor((places - section.bounds[0]) * scale / spacing_of(section, count)).astype(np.int64)
    return np.unique(square[:, 0] * (square[:, 1].max(initial=0) + 2) + square[:, 1], return_inverse=True)[1].ravel()
