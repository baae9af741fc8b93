"""Streamlines over a slice, evenly spaced, of the velocity in its plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from flowgrad.compiled import called, kernel
from flowgrad.flow import Flow
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.simplices import simplices_of
from flowgrad.plot.axes import frame, stretch
from flowgrad.plot.cut import section_of
from flowgrad.plot.field import spacing_of, spread_places
from flowgrad.plot.scalar_field import Result, flow_of
from flowgrad.plot.slice import Slice, triangles_of
from flowgrad.typing import FloatArray

# A position this far outside a triangle, in barycentric coordinates, is in it; triangles crossed in one step at most.
_INSIDE, _CROSSED = 1e-9, 10_000
# Parts of a step that are tried where a whole one leads outside.
_HALVES = 6


@called
def _direction(points: Any, corners: Any, neighbours: Any, velocity: Any, x: Any, y: Any, t: Any) -> Any:
    """Triangle of a position, −1 outside, and the unit vector of the velocity there, zero where the fluid is at rest,
    starting the search from the triangle t."""
    for _ in range(_CROSSED):
        a, b, c = corners[t, 0], corners[t, 1], corners[t, 2]
        x1, y1 = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        x2, y2 = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1]
        dx, dy = x - points[a, 0], y - points[a, 1]
        twice = x1 * y2 - x2 * y1
        second, third = (dx * y2 - dy * x2) / twice, (x1 * dy - y1 * dx) / twice
        first = 1.0 - second - third
        least, side = first, 0
        if second < least:
            least, side = second, 1
        if third < least:
            least, side = third, 2
        if least >= -_INSIDE:
            u = first * velocity[a, 0] + second * velocity[b, 0] + third * velocity[c, 0]
            v = first * velocity[a, 1] + second * velocity[b, 1] + third * velocity[c, 1]
            speed = np.sqrt(u * u + v * v)
            if speed > 0.0:
                return t, u / speed, v / speed
            return t, 0.0, 0.0
        t = neighbours[t, side]
        if not least < 0.0 or t < 0:
            break
    return -1, 0.0, 0.0


@called
def _step(points: Any, corners: Any, neighbours: Any, velocity: Any, x: Any, y: Any, t: Any, h: Any) -> Any:
    """The classical Runge–Kutta step of length h along unit vectors; triangle −1 where it leads outside or to rest."""
    t1, u1, v1 = _direction(points, corners, neighbours, velocity, x, y, t)
    if t1 < 0:
        return t1, x, y
    t2, u2, v2 = _direction(points, corners, neighbours, velocity, x + 0.5 * h * u1, y + 0.5 * h * v1, t1)
    if t2 < 0:
        return t2, x, y
    t3, u3, v3 = _direction(points, corners, neighbours, velocity, x + 0.5 * h * u2, y + 0.5 * h * v2, t2)
    if t3 < 0:
        return t3, x, y
    t4, u4, v4 = _direction(points, corners, neighbours, velocity, x + h * u3, y + h * v3, t3)
    if t4 < 0:
        return t4, x, y
    dx, dy = h / 6 * (u1 + 2 * u2 + 2 * u3 + u4), h / 6 * (v1 + 2 * v2 + 2 * v3 + v4)
    t5, _, _ = _direction(points, corners, neighbours, velocity, x + dx, y + dy, t4)
    if dx * dx + dy * dy < 0.01 * h * h:
        return -1, x, y
    return t5, x + dx, y + dy


@kernel()
def trace(
    points: Any, corners: Any, neighbours: Any, velocity: Any, seeds: Any, triangles: Any, step: Any, count: Any
) -> Any:
    """Positions (m, count, 2) along curves from the seeds (m, 2), which lie in ``triangles`` (m,), and how many there
    are of each (m,): fewer where it comes to the edge or to rest. ``step`` is negative for upstream."""
    m = len(seeds)
    found, counts = np.zeros((m, count, 2)), np.ones(m, np.int64)
    for i in range(m):
        x, y, t = seeds[i, 0], seeds[i, 1], np.int64(triangles[i])
        found[i, 0, 0], found[i, 0, 1] = x, y
        h, halves = step, 0
        while counts[i] < count and halves < _HALVES:
            following, ahead, up = _step(points, corners, neighbours, velocity, x, y, t, h)
            if following < 0:
                h, halves = 0.5 * h, halves + 1
                continue
            x, y, t = ahead, up, np.int64(following)
            found[i, counts[i], 0], found[i, counts[i], 1] = x, y
            counts[i] += 1
    return found, counts


# Seeds of each round in those of lines side by side; steps in distances between lines, and the length of lines each
# way in widths and heights of the slice.
_ROUNDS, _STEP, _LENGTH = (0.25, 0.5, 1.0, 2.0), 0.08, 1.5
_TRIANGLE = 5
# Shorter pieces, in distances between lines, are left out.
_LEAST = 1.5
# As many arrow heads along a line as fit at this distance, in distances between lines.
_HEADS = 12.0
_COLOUR = "#202020"


def streamlines(result: Result, ax: Axes, section: Slice | None = None, count: int = 20) -> Axes:
    """Streamlines of the in-plane velocity on a slice, about ``count`` of them side by side along its longer side.

    They are those of the velocity between the slice's vertices; a line ends where it would come as near as half
    that distance to another. On a slice through a flow in space they are not paths of particles. They lie over what
    has been drawn. Raises OptionError for a result without a mesh.
    """
    flow = flow_of(result)
    section = section or section_of(flow.mesh)
    if not ax.collections:
        frame(ax, section)
    plane = in_plane(flow, section)
    if plane is None:
        return ax
    lines = _evenly(plane, section, count)
    ax.add_collection(LineCollection(lines, colors=_COLOUR, linewidths=0.6, capstyle="round"), autolim=False)
    _heads(ax, lines, spacing_of(section, count))
    return ax


@dataclass(frozen=True, eq=False)
class InPlane:
    """Triangles (k, 3) between points (p, 2), who lies across from each corner (k, 3), and the velocity (p, 2)."""

    points: FloatArray
    triangles: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    velocity: FloatArray


def in_plane(flow: Flow, section: Slice) -> InPlane | None:
    """The velocity in the plane of a slice, linear in triangles; None where it is at rest or not known."""
    velocity = section.vertex_means(flow.velocity, flow.location) @ section.plane.axes.T
    places, first, corners, _ = triangles_of(section, velocity[:, 0])
    values = np.column_stack([first, triangles_of(section, velocity[:, 1])[1]])
    added = section.keys.max(initial=0) + 1 + np.arange(len(places) - len(section.keys))
    _, point, number = np.unique(np.concatenate([section.keys, added]), return_index=True, return_inverse=True)
    places, values, corners = places[point], values[point], number[corners]
    corners = corners[np.isfinite(values[corners]).all(axis=(1, 2))]
    if not len(corners) or not values[corners].any():
        return None
    mesh = Mesh(np.column_stack([places, np.zeros(len(places))]), Cells.of_type(_TRIANGLE, corners))
    found = simplices_of(mesh)
    return InPlane(places, found.corners, found.neighbours, np.ascontiguousarray(values))


def _evenly(plane: InPlane, section: Slice, count: int) -> list[FloatArray]:
    """Lines from seeds ever nearer to each other, where there is room between those before."""
    spacing, page = spacing_of(section, count), np.array([1, stretch(section)])
    steps = int(_LENGTH * float((section.spans * page).sum()) / (_STEP * spacing))
    centers = plane.points[plane.triangles].mean(axis=1)
    taken: set[tuple[int, ...]] = set()
    lines: list[FloatArray] = []
    for density in _ROUNDS:
        chosen = spread_places(centers * page, spacing / density)
        squares = np.floor(centers[chosen] * page * 2 / spacing).astype(int).tolist()
        chosen = chosen[[tuple(square) not in taken for square in squares]]
        seeds, step = centers[chosen], _STEP * spacing / max(page)
        mesh = (plane.points, plane.triangles, plane.neighbours, plane.velocity, seeds, chosen)
        (ahead, after), (behind, before) = trace(*mesh, step, steps), trace(*mesh, -step, steps)
        curves = [np.vstack([behind[i, 1 : before[i]][::-1], ahead[i, : after[i]]]) for i in range(len(seeds))]
        lines += _apart(curves, seeds, page * 2 / spacing, taken)
    return lines


def _apart(
    curves: list[FloatArray], seeds: FloatArray, scale: FloatArray, taken: set[tuple[int, ...]]
) -> Iterator[FloatArray]:
    """The pieces of curves around their seeds that keep clear of those before them (Jobard & Lefer 1997, Creating
    evenly-spaced streamlines of arbitrary density, Eurographics Workshop), on squares of half the spacing, which they
    take."""
    for curve, seed in zip(curves, seeds, strict=True):
        if len(curve) < 3:
            continue
        squares = list(map(tuple, np.floor(curve * scale).astype(int).tolist()))
        start = int(np.argmin(np.hypot(*(curve - seed).T)))
        first, last = _free(squares, start, taken)
        piece = curve[first : last + 1]
        length = float(np.hypot(*(np.diff(piece, axis=0) * scale).T).sum()) / 2
        if length > _LEAST:
            taken.update(squares[first : last + 1])
            yield piece


def _free(squares: list[tuple[int, ...]], start: int, taken: set[tuple[int, ...]]) -> tuple[int, int]:
    """The longest way both ways from a start through squares that nobody has taken, and that it does not come
    back to."""
    if squares[start] in taken:
        return start, start
    own = {squares[start]}
    ends = []
    for step, stop in ((-1, -1), (1, len(squares))):
        here = start
        for k in range(start + step, stop, step):
            if squares[k] in taken or (squares[k] in own and squares[k] != squares[here]):
                break
            own.add(squares[k])
            here = k
        ends.append(here)
    return ends[0], ends[1]


def _heads(ax: Axes, lines: list[FloatArray], spacing: float) -> None:
    """Arrow heads on the lines, downstream."""
    places, arms = [], []
    for line in lines:
        steps = np.diff(line, axis=0)
        way = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
        count = max(1, int(way[-1] / (_HEADS * spacing)))
        for mark in (np.arange(count) + 0.5) / count * way[-1]:
            k = int(np.clip(np.searchsorted(way, mark) - 1, 0, len(steps) - 1))
            if steps[k].any():
                places.append(line[k])
                arms.append(steps[k] / np.hypot(*steps[k]))
    if places:
        ax.quiver(
            *np.array(places).T,
            *np.array(arms).T,
            color=_COLOUR,
            angles="xy",
            units="inches",
            scale_units="inches",
            scale=1 / 0.02,
            width=0.014,
            headwidth=4.5,
            headlength=5,
            headaxislength=4.5,
            minlength=0,
            minshaft=0,
            pivot="mid",
        )
