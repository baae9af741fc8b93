"""Selection of the boundary faces that are walls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.gradient.scheme import patch_faces
from flowgrad.mesh.cells import successor
from flowgrad.spec import nearest
from flowgrad.typing import BoolArray, FloatArray, IntArray
from flowgrad.walls.regions import KINDS, NO_SLIP, region, speed_of

Where: TypeAlias = str | Sequence[str] | ArrayLike | Callable[[FloatArray], Any] | None

# Nothing flows through a patch whose velocity across is below this part of the largest on it.
_THROUGH = 0.01
# The boundary has an edge where its normal turns by more than this cosine: 40°.
_EDGE = 0.766
# Velocities below this part of the flow's largest vanish: float32 files.
_AT_REST = 1e-6
# A patch that moves is a plane of symmetry, not a wall, where the rate before it is below this part of the largest.
_SLIPS = 0.1
# A face looks across a layer one cell thick where its normal lies along it by more than this cosine.
_ACROSS = 0.9
# The angle of a face on the half-plane of a wedge, over the half angle, is 1 within this.
_ON_HALF_PLANE = 0.1
_CHOOSE = (
    "choose the walls: where= names of patches, a mask over the boundary faces, or a function of their centroids; "
    "and give wall_velocity=0 for walls at rest"
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """Faces (k,), rows of ``mesh.topology.boundary``, each of the patch ``patches`` (k,) of ``names``."""

    faces: IntArray
    names: tuple[str, ...]
    patches: IntArray
    notes: tuple[str, ...] = ()

    @classmethod
    def of_patches(cls, chosen: Sequence[Patch], notes: tuple[str, ...] = ()) -> Chosen:
        """Those of whole patches; a face of several belongs to the first."""
        number = np.repeat(np.arange(len(chosen)), [len(patch.faces) for patch in chosen])
        faces, first = np.unique(patch_faces(tuple(chosen)), return_index=True)
        return cls(faces, tuple(patch.name for patch in chosen), number[first], notes)

    @classmethod
    def of_mask(cls, mask: BoolArray, notes: tuple[str, ...] = (), name: str = "wall") -> Chosen:
        """Those that a mask names."""
        faces = np.flatnonzero(mask)
        return cls(faces, (name,), np.zeros(len(faces), np.int64), notes)


def select(flow: Flow, where: Where) -> Chosen:
    """The faces that ``where`` names, as :func:`flowgrad.walls.at_walls` says. OptionError where there are none."""
    chosen = _selected(flow, where)
    if not len(chosen.faces):
        count = len(flow.mesh.topology.boundary)
        raise OptionError(f"{flow.name}: where= chooses none of the {count} boundary faces: {_CHOOSE}")
    return chosen


def _selected(flow: Flow, where: Where) -> Chosen:
    if where is None:
        return _impermeable(flow) if flow.boundary else _at_rest(flow)
    if isinstance(where, str):
        return _told(flow, where)
    if callable(where):
        return Chosen.of_mask(_mask(flow, where(flow.mesh.topology.boundary_geometry[1])))
    if isinstance(where, (list, tuple)) and where and all(isinstance(each, str) for each in where):
        return _united([_told(flow, each) for each in where])
    return Chosen.of_mask(_mask(flow, where))


def _told(flow: Flow, text: str) -> Chosen:
    """Those of a patch, of a region, or of a value of a cell array."""
    found = region(flow, text) if "=" in text else None
    if found is None:
        return _of_cells(flow, text) if "=" in text else _named(flow, text)
    mask, note = found
    behind = mask & across_layer(flow)
    if not behind.any():
        return Chosen.of_mask(mask, (note,), text)
    note += f", of which {behind.sum()} in front of and behind a mesh one cell thick are no walls"
    return Chosen.of_mask(mask & ~behind, (note,), text)


def _united(parts: Sequence[Chosen]) -> Chosen:
    """All of several; a face of more than one belongs to the first."""
    counts = np.cumsum([0, *(len(each.names) for each in parts)])
    every = np.concatenate([each.faces for each in parts])
    number = np.concatenate([each.patches + first for each, first in zip(parts, counts[:-1], strict=True)])
    faces, first = np.unique(every, return_index=True)
    names, notes = ([part for each in parts for part in getattr(each, what)] for what in ("names", "notes"))
    return Chosen(faces, tuple(names), number[first], tuple(notes))


def _mask(flow: Flow, mask: Any) -> BoolArray:
    values, count = np.asarray(mask), len(flow.mesh.topology.boundary)
    if values.shape != (count,) or values.dtype != bool:
        raise OptionError(
            f"{flow.name}: where= gives {values.dtype} of the shape {values.shape}: give a mask (True, False) over the "
            f"{count} boundary faces"
        )
    return values


def _named(flow: Flow, name: str) -> Chosen:
    known = {patch.name: patch for patch in flow.boundary}
    if name not in known:
        raise OptionError(
            f"{flow.name} has no patch '{name}'{nearest(name, known)}: its patches are {', '.join(known) or 'none'}; "
            f"or give a region: {', '.join(f'{kind}=…' for kind in KINDS)}"
        )
    return Chosen.of_patches([known[name]])


def _impermeable(flow: Flow) -> Chosen:
    """The patches through which nothing flows and along which nothing slips, none in front of or behind a layer."""
    layer, speed, closed = across_layer(flow), speed_of(flow), []
    for patch in flow.boundary:
        area = flow.mesh.topology.boundary_geometry[0][patch.faces]
        size = np.sqrt((area**2).sum(axis=1))
        across = np.abs((patch.velocity * area).sum(axis=1)) / np.where(size > 0, size, 1.0)
        largest = np.sqrt((patch.velocity**2).sum(axis=1)).max(initial=0.0)
        is_still = np.sqrt(np.mean((patch.velocity**2).sum(axis=1))) <= NO_SLIP * speed
        if ((across <= _THROUGH * largest).all() or is_still) and not layer[patch.faces].all():
            closed.append(patch)
    rates = [_rate_before(flow, patch) for patch in closed]
    closed = [
        patch
        for patch, rate in zip(closed, rates, strict=True)
        if not patch.velocity.any() or rate > _SLIPS * max(rates)
    ]
    others = [patch.name for patch in flow.boundary if patch not in closed]
    if not closed:
        raise OptionError(
            f"{flow.name}: the fluid flows through or slips along all patches, {', '.join(others)}: {_CHOOSE}"
        )
    names = ", ".join(patch.name for patch in closed)
    note = f"walls are the patches that nothing flows through or slips along: {names}"
    return Chosen.of_patches(closed, (f"{note}; not {', '.join(others)}" if others else note,))


def _rate_before(flow: Flow, patch: Patch) -> float:
    """Median rate at which the velocity along a patch changes from it to the cells before it: none where it slips, as
    on a plane of symmetry."""
    mesh, faces = flow.mesh, patch.faces
    cells = mesh.topology.boundary_cells[faces]
    if flow.location == "cells":
        beside = flow.velocity[cells]
    else:
        own = mesh.cells.take(cells)
        beside = np.add.reduceat(flow.velocity[own.connectivity], own.offsets[:-1]) / np.diff(own.offsets)[:, None]
    area, centroids = (each[faces] for each in mesh.topology.boundary_geometry)
    normals = area / np.sqrt((area**2).sum(axis=1, keepdims=True))
    change = patch.velocity - beside
    change = change - (change * normals).sum(axis=1, keepdims=True) * normals
    apart = np.abs(((centroids - mesh.centroids[cells]) * normals).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nan_to_num(np.nanmedian(np.sqrt((change**2).sum(axis=1)) / apart)))


def _at_rest(flow: Flow) -> Chosen:
    """Faces at whose points the velocity vanishes, without those across a layer one cell thick; where there are none,
    sides on which it nearly does."""
    if flow.location != "points":
        raise OptionError(f"{flow.name}: the velocity is at cells and no boundary patches are known: {_CHOOSE}")
    speed = np.sqrt((flow.velocity**2).sum(axis=1))
    start, points = flow.mesh.topology.boundary_polygons
    largest = np.nanmax(speed, initial=0.0)
    moving = ~(speed[points] <= _AT_REST * largest)
    mask = np.add.reduceat(moving, start[:-1], dtype=np.int64) == 0 if len(points) else np.zeros(0, bool)
    mask &= ~across_layer(flow)
    if mask.any() and largest:
        return Chosen.of_mask(mask, (f"walls are the {mask.sum()} of {len(mask)} boundary faces with zero velocity",))
    return _nearly_at_rest(flow, speed)


def _nearly_at_rest(flow: Flow, speed: FloatArray) -> Chosen:
    """Sides of the boundary, up to its edges, on which the fluid is nearly at rest as a whole: no-slip that a method
    enforces weakly."""
    topology, typical = flow.mesh.topology, speed_of(flow)
    faces = np.arange(len(topology.boundary))
    side = _sides(flow)
    area = np.sqrt((topology.boundary_geometry[0] ** 2).sum(axis=1))
    squares = topology.face_means(faces) @ speed**2
    count = int(side.max(initial=-1)) + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        of_side = np.sqrt(np.bincount(side, area * squares, count) / np.bincount(side, area, count))
    mask = (of_side <= NO_SLIP * typical)[side] & ~across_layer(flow)
    if not mask.any() or not typical:
        least = f": the slowest side moves at {np.nanmin(of_side) / typical:.2g} of the flow's speed" if typical else ""
        raise OptionError(
            f"{flow.name}: the velocity vanishes on none of the boundary faces, or everywhere{least}: {_CHOOSE}"
        )
    there = np.sqrt((area[mask] @ squares[mask]) / area[mask].sum()) / typical
    note = (
        f"walls are the {mask.sum()} of {len(mask)} boundary faces on whose sides the velocity is below {NO_SLIP:.0%} "
        f"of the flow's ({there:.2g} of it): no-slip that holds weakly"
    )
    return Chosen.of_mask(mask, (note,))


def _sides(flow: Flow) -> IntArray:
    """The number of the side of each boundary face (b,): those that are joined across less than an edge."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    topology = flow.mesh.topology
    start, points = topology.boundary_polygons
    own = np.repeat(np.arange(len(start) - 1), np.diff(start))
    ends = (
        points[:, None] if flow.mesh.dimension < 3 else np.sort(np.stack([points, points[successor(start)]], 1), axis=1)
    )
    order = np.lexsort(ends.T)
    same = (ends[order][1:] == ends[order][:-1]).all(axis=1)
    one, other = own[order][:-1][same], own[order][1:][same]
    area = topology.boundary_geometry[0]
    size = np.sqrt((area**2).sum(axis=1))
    smooth = (area[one] * area[other]).sum(axis=1) > _EDGE * size[one] * size[other]
    joined = coo_array((np.ones(smooth.sum()), (one[smooth], other[smooth])), shape=(len(size), len(size)))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def across_layer(flow: Flow) -> BoolArray:
    """Boundary faces (b,) in front of and behind a mesh one cell thick, a wedge among them."""
    mesh = flow.mesh
    area, centroids = mesh.topology.boundary_geometry
    if mesh.dimension < 3:
        return np.zeros(len(area), bool)
    wedge = mesh.structure.wedge
    if wedge is not None:
        angle = np.abs(wedge.cylindrical(centroids)[:, 2])
        return np.asarray(np.abs(angle - wedge.half_angle) < _ON_HALF_PLANE * wedge.half_angle)
    along = np.abs(area @ directions(mesh, mesh.centroids[mesh.is_full]).across.T).max(axis=1, initial=0.0)
    return np.asarray(along > _ACROSS * np.sqrt((area**2).sum(axis=1)))


def _of_cells(flow: Flow, text: str) -> Chosen:
    """Faces that are cells of lower dimension with a value of a cell array, from ``name=value``."""
    name, _, value = (part.strip() for part in text.rpartition("="))
    mesh = flow.mesh
    array = flow.cell_data.get(name)
    if array is None or np.ndim(array) != 1:
        raise OptionError(
            f"{flow.name} has no cell array of numbers '{name}'{nearest(name, flow.cell_data)}: {_CHOOSE}"
        )
    try:
        marked = np.flatnonzero(~mesh.is_full & (array == float(value)))
    except ValueError:
        raise OptionError(f"where='{text}': '{value}' is not a number: write {name}=3") from None
    cells = mesh.cells.take(marked)
    rows = mesh.topology.match(mesh.points, cells.offsets, cells.connectivity)
    mask = np.zeros(len(mesh.topology.boundary), bool)
    mask[rows[rows >= 0]] = True
    lost = int((rows < 0).sum())
    note = f"{lost} of {len(rows)} cells with {text} are no boundary faces and take no part"
    return Chosen.of_mask(mask, (note,) if lost else (), text)


def with_wall_velocity(flow: Flow, chosen: Chosen, wall_velocity: ArrayLike | None) -> Flow:
    """The flow, its velocity known on the chosen faces."""
    if wall_velocity is None:
        return flow
    if flow.location == "points":
        raise OptionError(f"{flow.name}: the velocity is at points, those of the walls too: leave out wall_velocity")
    given = int(np.isin(chosen.faces, patch_faces(flow.boundary)).sum())
    if given:
        raise OptionError(f"{flow.name}: patches give the velocity on {given} of these faces: leave out wall_velocity")
    try:
        velocity = np.broadcast_to(np.asarray(wall_velocity, np.float64), (len(chosen.faces), 3)).copy()
    except ValueError:
        raise OptionError(
            f"wall_velocity has the shape {np.shape(wall_velocity)}: give 0, (3,) or ({len(chosen.faces)}, 3)"
        ) from None
    return replace(flow, boundary=(*flow.boundary, Patch(chosen.names[0], chosen.faces, velocity)))
