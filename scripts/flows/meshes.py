"""Planar triangle meshes of the three flows: a cavity, a contraction, a channel with a cylinder."""

from __future__ import annotations

import numpy as np
from skfem import MeshQuad, MeshTri


def cavity(n: int, grading: float = 0.0) -> MeshTri:
    """The unit square, n by n rectangles of two triangles; ``grading``, 0 to 1, draws lines to the walls."""
    s = np.linspace(0, 1, n + 1)
    lines = (1 - grading) * s + grading * 0.5 * (1 - np.cos(np.pi * s))
    return _split(MeshQuad.init_tensor(lines, lines))


def contraction(n: int, ratio: float = 2.0, upstream: float = 3.0, downstream: float = 3.0) -> MeshTri:
    """A channel −ratio < y < ratio that narrows to −1 < y < 1 at x = 0, with n squares per unit length."""
    wide = _split(MeshQuad.init_tensor(_steps(-upstream, 0, n), _steps(-ratio, ratio, n)))
    narrow = _split(MeshQuad.init_tensor(_steps(0, downstream, n), _steps(-1, 1, n)))
    return wide + narrow


def cylinder(n: int, length: float = 6.0, half_height: float = 2.0) -> MeshTri:
    """A channel −half_height < y < half_height, −half_height < x < length − half_height, around a cylinder of radius
    0.5 at the origin: n cells a quarter around it, as many outward, graded; squares behind."""
    t, angle = np.linspace(0, 1, n + 1) ** 1.3, np.linspace(-np.pi / 4, np.pi / 4, n + 1)
    ring = MeshQuad.init_tensor(t, angle)
    s, a = ring.p
    edge = half_height * np.stack([np.ones_like(a), np.tan(a)])
    circle = 0.5 * np.stack([np.cos(a), np.sin(a)])
    quarter = _split(MeshQuad((1 - s) * circle + s * edge, ring.t))
    whole = quarter
    for k in (1, 2, 3):
        c, d = np.cos(k * np.pi / 2).round(), np.sin(k * np.pi / 2).round()
        whole = whole + MeshTri(np.array([[c, -d], [d, c]]) @ quarter.p, quarter.t)
    size = 2 * half_height / n
    xs = np.linspace(half_height, length - half_height, 1 + round((length - 2 * half_height) / size))
    return whole + _split(MeshQuad.init_tensor(xs, half_height * np.tan(angle)))


def _steps(start: float, stop: float, n: int) -> np.ndarray:
    return np.linspace(start, stop, 1 + round((stop - start) * n))


def _split(mesh: MeshQuad) -> MeshTri:
    return mesh.to_meshtri()
