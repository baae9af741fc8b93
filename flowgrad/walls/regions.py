"""Regions of the boundary by their place or their motion: the faces on a plane, in a box, on the surface of a file, and
those that move with a velocity.

    plane=y:0.5            the faces that lie in the plane y = 0.5; plane=1,1,0:0.5 in that with n·x/|n| = 0.5
    box=0:1,:0.2,:         those whose centroids lie between limits in x, y and z, which may be left open
    surface=artery.stl     those that lie on the triangles, or of planar meshes on the lines, of a file of any format
    velocity=1,0,0         those whose velocity is this, to 2 % of the flow's speed: a wall that moves
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.files import printable
from flowgrad.flow import Flow
from flowgrad.io import read_contents
from flowgrad.io.formats import check_file, formats
from flowgrad.io.meshio_formats import read_with_meshio
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import runs
from flowgrad.mesh.distance import distance_from
from flowgrad.mesh.geometry import rings
from flowgrad.typing import BoolArray, FloatArray

# Points lie in a plane within this part of the mesh's size: float32 files.
_IN_PLANE = 1e-5
# A face lies on a surface where its points and its middle do within this part of its shortest edge: two triangulations
# of one curved surface differ by their sag.
_ON_SURFACE = 0.1
# Velocities that differ by less than this part of the flow's speed are one: no-slip that holds weakly.
NO_SLIP = 0.02
# Surfaces without fields, which meshio reads.
_GEOMETRY = (".stl", ".ply", ".obj", ".off")
# Triangles among which the nearest is looked for; larger ones than this part of the surface are cut before.
_NEAREST, _PART = 16, 0.02


def region(flow: Flow, text: str) -> tuple[BoolArray, str] | None:
    """The boundary faces (b,) that a text such as ``plane=y:0`` means, and a note; None for a text of another kind.
    OptionError where it cannot be understood, ReadError for a file that cannot be read."""
    kind, _, value = (part.strip() for part in text.partition("="))
    found = _KINDS.get(kind)
    return None if found is None else found(flow, value)


def speed_of(flow: Flow) -> float:
    """Root mean square of the flow's speed over its values."""
    squares = (flow.velocity**2).sum(axis=1)
    return float(np.sqrt(np.nanmean(squares))) if np.isfinite(squares).any() else 0.0


def _plane(flow: Flow, value: str) -> tuple[BoolArray, str]:
    normal, _, offset = (part.strip() for part in value.rpartition(":"))
    axes = dict(zip("xyz", np.eye(3), strict=True))
    n = axes[normal] if normal in axes else np.array(_numbers(normal.split(",")))
    level = _numbers([offset])
    if len(n) != 3 or not n.any() or not level:
        raise OptionError(f"'plane={value}' is no plane: write plane=y:0.5, or plane=1,1,0:0.5 for n·x/|n| = 0.5")
    topology, points = flow.mesh.topology, flow.mesh.points
    heights = points @ (n / np.linalg.norm(n)) - level[0]
    start, connectivity = topology.boundary_polygons
    loose = _IN_PLANE * _size(flow.mesh)
    inside = np.maximum.reduceat(np.abs(heights[connectivity]), start[:-1]) <= loose
    used = heights[np.unique(connectivity)] + level[0]
    between = f"{normal}:{used.min():.6g} and {normal}:{used.max():.6g}"
    why = f"its points lie between {between}: give a plane that faces lie in"
    _check(flow, inside, f"plane={value}", why)
    return inside, f"{inside.sum()} boundary faces lie in the plane {value} (within {loose:.2g})"


def _box(flow: Flow, value: str) -> tuple[BoolArray, str]:
    ranges = [each.split(":") for each in value.split(",")]
    limits = [(_limit(each[0], -1), _limit(each[-1], 1)) for each in ranges]
    is_box = len(limits) in (flow.mesh.dimension, 3) and all(len(each) == 2 for each in ranges)
    if not is_box or not all(low <= high for low, high in limits):
        raise OptionError(
            f"'box={value}' is no box: write box=LOW:HIGH,LOW:HIGH,LOW:HIGH in x, y, z; open ends are empty"
        )
    x = flow.mesh.topology.boundary_geometry[1]
    inside = np.logical_and.reduce([(low <= x[:, i]) & (x[:, i] <= high) for i, (low, high) in enumerate(limits)])
    low, high = x.min(axis=0), x.max(axis=0)
    spans = ", ".join(f"{a:.6g}:{b:.6g}" for a, b in zip(low, high, strict=True))
    _check(flow, inside, f"box={value}", f"the centroids span {spans}: give a box that holds some")
    return inside, f"{inside.sum()} boundary faces have their centroids in the box {value}"


def _velocity(flow: Flow, value: str) -> tuple[BoolArray, str]:
    given = np.array(_numbers(value.split(",")))
    if len(given) == 2:
        given = np.append(given, 0.0)
    if len(given) != 3:
        raise OptionError(f"'velocity={value}' is no velocity: write velocity=U,V,W")
    topology = flow.mesh.topology
    loose = NO_SLIP * max(speed_of(flow), float(np.linalg.norm(given)))
    if flow.location == "points":
        start, connectivity = topology.boundary_polygons
        off = np.sqrt(((flow.velocity - given) ** 2).sum(axis=1))
        largest = np.maximum.reduceat(off[connectivity], start[:-1])
    else:
        largest = np.full(len(topology.boundary), np.inf)
        for patch in flow.boundary[::-1]:
            largest[patch.faces] = np.sqrt(((patch.velocity - given) ** 2).sum(axis=1))
    inside = largest <= loose
    nearest = np.nanmin(largest, initial=np.inf)
    why = f"the nearest velocity there is {nearest:.3g} off" if np.isfinite(nearest) else "none is known there"
    why += ": give that of a wall, or its place"
    _check(flow, inside, f"velocity={value}", why)
    return inside, f"{inside.sum()} boundary faces move with the velocity {value} (within {loose:.2g})"


def _surface(flow: Flow, value: str) -> tuple[BoolArray, str]:
    path, mesh = Path(value), flow.mesh
    parts = _parts_of(path, mesh.dimension)
    start, connectivity = mesh.topology.boundary_polygons
    sizes = np.diff(start)
    x, middles = mesh.points[connectivity], mesh.topology.boundary_geometry[1]
    ahead = np.arange(1, len(x) + 1)
    ahead[start[1:] - 1] = start[:-1]
    shortest = np.minimum.reduceat(np.sqrt(((x[ahead] - x) ** 2).sum(axis=1)), start[:-1])
    used, number = np.unique(connectivity, return_inverse=True)
    off = np.concatenate([_distance(mesh.points[used], parts)[number], _distance(middles, parts)])
    own = np.repeat(np.arange(len(sizes)), sizes)
    largest = np.maximum(np.maximum.reduceat(off[: len(own)], start[:-1]), off[len(own) :])
    inside = largest <= _ON_SURFACE * shortest
    sizes_of = f"the mesh {_size(mesh):.3g} in size and the surface {np.ptp(parts.reshape(-1, 3), axis=0).max():.3g}"
    why = f"the nearest face is {np.nanmin(largest):.3g} off, {sizes_of}: give it in the unit and place of the mesh"
    _check(flow, inside, f"surface={printable(path.name)}", why)
    return (
        inside,
        f"{inside.sum()} boundary faces lie on {printable(path.name)} (within a tenth of their shortest edge)",
    )


_KINDS: dict[str, Callable[[Flow, str], tuple[BoolArray, str]]] = {
    "plane": _plane,
    "box": _box,
    "surface": _surface,
    "velocity": _velocity,
}
KINDS = tuple(_KINDS)


def _check(flow: Flow, inside: BoolArray, text: str, why: str) -> None:
    if not inside.any():
        raise OptionError(f"{flow.name}: '{text}' chooses none of the {len(inside)} boundary faces: {why}")


def _numbers(texts: list[str]) -> list[float]:
    try:
        found = [float(each) for each in texts]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


def _limit(text: str, sign: int) -> float:
    """A limit, infinite where the end is open, NaN for no number."""
    return (_numbers([text]) or [math.nan])[0] if text.strip() else sign * math.inf


def _size(mesh: Mesh) -> float:
    return float(np.ptp(mesh.structure.used_points, axis=0).max())


def _parts_of(path: Path, dimension: int) -> FloatArray:
    """Triangles (m, 3, 3) of a file's surface, or its segments (m, 2, 3) for the boundary of a planar mesh."""
    known = path.suffix.lower() in formats()
    if not known and path.suffix.lower() not in _GEOMETRY:
        raise OptionError(
            f"'surface={printable(str(path))}' is of no format that is read: give {', '.join(_GEOMETRY)}, .vtp or "
            "another of 'flowgrad list formats'"
        )
    check_file(path)
    mesh = read_contents(path).mesh if known else read_with_meshio(path).mesh
    chosen = np.flatnonzero(mesh.dimensions == dimension - 1)
    if not len(chosen):
        what = "triangles or polygons" if dimension == 3 else "lines"
        raise OptionError(f"{path}: has no {what}, which the boundary of this mesh could lie on: give its surface")
    if dimension == 2:
        start, points = mesh.cells.offsets[chosen], mesh.cells.connectivity
        sizes = np.diff(mesh.cells.offsets)[chosen]
        first = runs(start, sizes - 1)
        return np.asarray(mesh.points[np.stack([points[first], points[first + 1]], axis=1)])
    start, points = rings(mesh.cells, chosen)
    second = runs(start[:-1] + 1, np.diff(start) - 2)
    corner = points[np.repeat(start[:-1], np.diff(start) - 2)]
    return np.asarray(mesh.points[np.stack([corner, points[second], points[second + 1]], axis=1)])


def _distance(x: FloatArray, parts: FloatArray) -> FloatArray:
    """Distance (c,) of positions (c, 3) from triangles or segments, exact near them: from those of the nearest
    middles."""
    from scipy.spatial import cKDTree

    pieces = _cut(parts, _PART * float(np.ptp(parts.reshape(-1, 3), axis=0).max()))
    count = min(_NEAREST, len(pieces))
    near = cKDTree(pieces.mean(axis=1)).query(x, k=list(range(1, count + 1)))[1]
    return np.asarray(np.min([distance_from(x, pieces[near[:, i]]) for i in range(count)], axis=0))


def _cut(parts: FloatArray, longest: float) -> FloatArray:
    """The same surface, its triangles or segments halved across their longest sides until none is longer."""
    done, corners = [], parts.shape[1]
    while len(parts):
        sides = ((np.roll(parts, -1, axis=1) - parts) ** 2).sum(axis=2)
        side = sides.argmax(axis=1)
        is_long = sides.max(axis=1) > longest**2
        done.append(parts[~is_long])
        parts, side = parts[is_long], side[is_long]
        rows, after = np.arange(len(parts)), (side + 1) % corners
        middle = (parts[rows, side] + parts[rows, after]) / 2
        first, second = parts.copy(), parts.copy()
        first[rows, after], second[rows, side] = middle, middle
        parts = np.concatenate([first, second])
    return np.concatenate(done)
