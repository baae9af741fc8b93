"""Polygons as triangles, small enough for colours to go over evenly between their corners."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flowgrad.plot.section import Section
from flowgrad.typing import FloatArray, IntArray

# As many triangles at least, by cutting each side into at most so many parts.
_ENOUGH, _PARTS = 5_000, 12


def triangles_of(section: Section, at_vertices: FloatArray) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Triangles that fill the polygons, those of more than three sides about their vertex mean: places (p, 2) and
    values (p,) of their corners, the corners (t, 3), and the polygon (t,) of each, in the polygons' order."""
    sizes = np.diff(section.offsets)
    is_triangle = sizes == 3
    own = section.offsets[:-1][is_triangle][:, None] + np.arange(3)
    others = np.flatnonzero(~is_triangle)
    number = np.zeros(len(sizes), np.int64)
    number[others] = len(section.vertices) + np.arange(len(others))
    polygon = section.owners
    sides = np.flatnonzero(~is_triangle[polygon])
    fans = np.column_stack([sides, section.following[sides], number[polygon[sides]]])
    places = np.concatenate([section.vertices, section.centers[others]])
    values = np.concatenate([at_vertices, section.means(at_vertices)[others]])
    owners = np.concatenate([np.flatnonzero(is_triangle), polygon[sides]])
    order = np.argsort(owners, kind="stable")
    return places, values, np.concatenate([own, fans])[order], owners[order]


@dataclass(frozen=True, eq=False)
class Smooth:
    """Triangles (t, 3) between ``places`` (p, 2) with ``values`` (p,), NaN in a polygon with a vertex without value;
    ``owners`` (t,) are the polygons of the triangles."""

    places: FloatArray
    values: FloatArray
    triangles: IntArray
    owners: IntArray

    @property
    def polygons(self) -> IntArray:
        """The polygon (p,) of each place; polygons share none."""
        found = np.empty(len(self.places), np.int64)
        found[self.triangles] = self.owners[:, None]
        return found

    @property
    def areas(self) -> FloatArray:
        """The part of the area (p,) that each place stands for: a third of its triangles'."""
        return areas_of(self.places, self.triangles)


def areas_of(places: FloatArray, triangles: IntArray) -> FloatArray:
    """The part of the area (p,) that each of the ``places`` (p, 2) stands for: a third of its ``triangles``' (t, 3)."""
    a, b, c = (places[triangles[:, corner]] for corner in range(3))
    (x1, y1), (x2, y2) = (b - a).T, (c - a).T
    thirds = np.repeat(np.abs(x1 * y2 - x2 * y1) / 6, 3)
    return np.bincount(triangles.ravel(), thirds, len(places)).astype(np.float64)


def smooth_triangles(section: Section, at_vertices: FloatArray) -> Smooth:
    """The triangles of ``triangles_of``, cut into smaller ones where there are few, whose values lie in the planes of
    the larger."""
    places, values, triangles, owners = triangles_of(section, at_vertices)
    parts = int(np.clip(np.ceil(np.sqrt(_ENOUGH / max(len(triangles), 1))), 1, _PARTS))
    if parts > 1:
        shares, pieces = _cut_triangle(parts)
        corners = pieces + len(shares) * np.arange(len(triangles))[:, None, None]
        places, values = (shares @ places[triangles]).reshape(-1, 2), (values[triangles] @ shares.T).ravel()
        triangles, owners = corners.reshape(-1, 3), np.repeat(owners, len(pieces))
    cut = Smooth(places, values, triangles, owners)
    missing = np.isnan(section.means(at_vertices))
    return replace(cut, values=np.where(missing[cut.polygons], np.nan, values))


def _cut_triangle(n: int) -> tuple[FloatArray, IntArray]:
    """Shares (s, 3) of the corners at the sites in a triangle whose sides are cut into n parts, and its n² parts."""
    sites = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    number = {site: k for k, site in enumerate(sites)}
    upright = [(number[i, j], number[i + 1, j], number[i, j + 1]) for i, j in sites if i + j < n]
    hanging = [(number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]) for i, j in sites if i + j < n - 1]
    at = np.array(sites) / n
    return np.column_stack([1 - at.sum(axis=1), at]), np.array(upright + hanging)
