"""Polygons as triangles, small enough for colours to go over evenly between their corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.plot.section import Section

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# As many triangles at least, by cutting each side into at most so many parts.
_ENOUGH, _PARTS = 5_000, 12


def triangles_of(section: Section, at_vertices: FloatArray) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Triangles that fill the polygons, those of more than three sides about their vertex mean: places (p, 2) and
    values (p,) of their corners, the corners (t, 3), and the polygon (t,) of each."""
    sizes = np.diff(section.offsets)
    is_triangle = sizes == 3
    own = section.offsets[:-1][is_triangle][:, None] + np.arange(3)
    others = np.flatnonzero(~is_triangle)
    number = np.zeros(len(sizes), np.int64)
    number[others] = len(section.vertices) + np.arange(len(others))
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    sides = np.flatnonzero(~is_triangle[polygon])
    fans = np.column_stack([sides, section.following[sides], number[polygon[sides]]])
    places = np.concatenate([section.vertices, section.centers[others]])
    values = np.concatenate([at_vertices, section.means(at_vertices)[others]])
    owners = np.concatenate([np.flatnonzero(is_triangle), polygon[sides]])
    return places, values, np.concatenate([own, fans]), owners


def smooth_triangles(section: Section, at_vertices: FloatArray) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """The same, cut into smaller ones where there are few, whose values lie in the planes of the larger."""
    places, values, triangles, owners = triangles_of(section, at_vertices)
    parts = int(np.clip(np.ceil(np.sqrt(_ENOUGH / max(len(triangles), 1))), 1, _PARTS))
    if parts == 1:
        return places, values, triangles, owners
    shares, pieces = _cut_triangle(parts)
    fine = (shares @ places[triangles]).reshape(-1, 2)
    fine_values = (values[triangles] @ shares.T).ravel()
    corners = pieces + len(shares) * np.arange(len(triangles))[:, None, None]
    return fine, fine_values, corners.reshape(-1, 3), np.repeat(owners, len(pieces))


def _cut_triangle(n: int) -> tuple[FloatArray, IntArray]:
    """Shares (s, 3) of the corners at the sites in a triangle whose sides are cut into n parts, and its n² parts."""
    sites = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    number = {site: k for k, site in enumerate(sites)}
    upright = [(number[i, j], number[i + 1, j], number[i, j + 1]) for i, j in sites if i + j < n]
    hanging = [(number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]) for i, j in sites if i + j < n - 1]
    at = np.array(sites) / n
    return np.column_stack([1 - at.sum(axis=1), at]), np.array(upright + hanging)
