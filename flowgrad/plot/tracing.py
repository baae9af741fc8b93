"""Curves along a velocity on a mesh of triangles in a plane, by steps of equal length."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.compiled import called, kernel

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
