"""The velocity where the gradient is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.mesh.locate import locate
from flowgrad.mesh.planar import frame_of
from flowgrad.mesh.ragged import runs
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray


def velocity_at(flow: Flow, L: FloatArray, location: str | None, positions: FloatArray | None) -> FloatArray:
    """Velocities (n, 3) of a flow where its gradients L (n, 3, 3) are: its own values where these are there, else
    the mean over those of the cell, or the cells, there, led along L to the place; exact where the velocity is linear.
    Points of patches (``flow.boundary``) have the velocity of these. NaN without L."""
    if positions is None and location == flow.location:
        return flow.velocity
    mesh = flow.mesh
    samples = mesh.points if flow.location == "points" else mesh.centroids
    values = np.column_stack([flow.velocity, samples])
    if positions is not None:
        there, places = _at_positions(flow, values, positions), positions
    elif location == "cells":
        there, places = _over_cells(mesh, values), mesh.centroids
    else:
        there, places = _over_points(mesh, values), mesh.points
    found = _led(flow, L, there, places)
    return found if positions is not None or location == "cells" else _with_patches(flow, L, found)


def axes_of_gradient(flow: Flow) -> FloatArray:
    """The axes (3, 3), one a row, along which the components of L run: x, y, z, but for an oblique plane cut from a
    3-D flow those of the plane."""
    normal = None if flow.out_of_plane == "zero" else flow.mesh.structure.normal
    return np.eye(3) if normal is None else frame_of(normal)


def _led(flow: Flow, L: FloatArray, there: FloatArray, places: FloatArray) -> FloatArray:
    """v + L (x − x_v) of velocities and where they are (n, 6), to places x (n, 3)."""
    axes = axes_of_gradient(flow)
    arms = (places - there[:, 3:]) @ axes.T
    return there[:, :3] + np.einsum("nij,nj->ni", np.where(np.isnan(L) & ~_nowhere(L), 0.0, L), arms) @ axes


def _nowhere(L: FloatArray) -> NDArray[np.bool_]:
    """Where no component of L is known: (n, 1, 1); others may be missing throughout a plane."""
    return np.asarray(np.isnan(L).all(axis=(1, 2), keepdims=True))


def _at_positions(flow: Flow, values: FloatArray, positions: FloatArray) -> FloatArray:
    """Of the cell that holds each position: its own value, or the mean over its points; of a cloud's nearest point."""
    mesh = flow.mesh
    if not mesh.dimension:
        return values[_nearest(values[:, 3:], positions)]
    cells = locate(mesh, positions).cells
    there = np.full((len(positions), 6), np.nan)
    inside = cells >= 0
    if flow.location == "cells":
        there[inside] = values[cells[inside]]
    else:
        offsets, sizes = mesh.cells.offsets, np.diff(mesh.cells.offsets)[cells[inside]]
        own = mesh.cells.connectivity[runs(offsets[cells[inside]], sizes)]
        there[inside] = _means(values[own], np.concatenate([[0], np.cumsum(sizes)]))
    return there


def _nearest(samples: FloatArray, positions: FloatArray) -> IntArray:
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(samples).all(axis=1))
    where = np.where(np.isfinite(positions), positions, 0.0)
    return known[cKDTree(samples[known]).query(where)[1]]


def _over_cells(mesh: Mesh, values: FloatArray) -> FloatArray:
    """Means of point values over the points of each cell."""
    return _means(values[mesh.cells.connectivity], mesh.cells.offsets)


def _over_points(mesh: Mesh, values: FloatArray) -> FloatArray:
    """Means of cell values over the full cells around each point; NaN in no cell."""
    offsets, cells = mesh.topology.point_cells
    return _means(values[cells], offsets)


def _with_patches(flow: Flow, L: FloatArray, found: FloatArray) -> FloatArray:
    """The velocities at the points, of patches the mean over their faces there, led along L to the point; at rest
    where one of these is."""
    if not flow.boundary:
        return found
    start, connectivity = flow.mesh.topology.boundary_polygons
    faces = np.concatenate([patch.faces for patch in flow.boundary])
    velocity = np.concatenate([patch.velocity for patch in flow.boundary])
    sizes = np.diff(start)[faces]
    points = connectivity[runs(start[faces], sizes)]
    each = np.repeat(np.column_stack([velocity, flow.mesh.topology.boundary_geometry[1][faces]]), sizes, axis=0)
    led = _led(flow, L[points], each, flow.mesh.points[points])
    counts = np.bincount(points, minlength=len(found))
    rests = np.bincount(points, ~each[:, :3].any(axis=1), minlength=len(found)) > 0
    sums = np.column_stack([np.bincount(points, column, minlength=len(found)) for column in led.T])
    means = np.where(rests[:, None], 0.0, sums / np.maximum(counts, 1)[:, None])
    return np.where((counts > 0)[:, None], means, found)


def _means(values: FloatArray, offsets: IntArray) -> FloatArray:
    sizes = np.diff(offsets)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(owners, column, minlength=len(sizes)) for column in values.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / sizes[:, None])


Mask = NDArray[np.bool_]


def notes(flow: Flow, at: str, valid: Mask) -> tuple[str, ...]:
    """One line for each kind of missing gradient, and one for inverted cells."""
    bad_values = _bad_velocities(flow)
    lines = list(bad_values)
    if not valid.all():
        lines.append(_missing(flow, at, valid, bool(bad_values)))
    flat = int((flow.mesh.is_full & (flow.mesh.measures == 0)).sum())
    if flat and at == "points":
        lines.append(f"{flat} of {len(flow.mesh)} cells have no volume and take no part")
    lost = int((~finite_rows(flow.mesh.points)).sum())
    if lost:
        lines.append(f"{lost} of {len(flow.mesh.points)} points have coordinates that are not finite")
    inverted = int(inverted_cells(flow.mesh).sum())
    if inverted:
        lines.append(
            f"{inverted} of {len(flow.mesh)} cells are inverted: their volume is negative, their gradient kept"
        )
    folded = int(flow.mesh.is_folded.sum())
    if folded:
        lines.append(
            f"{folded} of {len(flow.mesh)} cells are folded: their Jacobian changes sign inside, their gradient is kept"
        )
    return tuple(lines)


def notes_at_positions(flow: Flow, valid: Mask) -> tuple[str, ...]:
    """How many of the positions have no gradient."""
    lines = list(_bad_velocities(flow))
    if not valid.all():
        lines.append(f"{(~valid).sum()} of {len(valid)} positions have no gradient and are excluded")
    return tuple(lines)


def _bad_velocities(flow: Flow) -> tuple[str, ...]:
    bad = int((~finite_rows(flow.velocity)).sum())
    return (f"{bad} of {len(flow.velocity)} velocities at {flow.location} are not finite",) if bad else ()


def _missing(flow: Flow, at: str, valid: Mask, bad_values: bool) -> str:
    missing, mesh = ~valid, flow.mesh
    if at == "cells":
        flat = missing & mesh.is_full & (mesh.measures == 0)
        alone = missing & ~mesh.is_full
        causes = [(int(flat.sum()), "of zero volume"), (int(alone.sum()), "of lower dimension without a full cell")]
    else:
        causes = [(int((missing & ~_used(mesh)).sum()), "in no cell")] if len(mesh) else []
    rest = int(missing.sum()) - sum(count for count, _ in causes)
    why = "that use values that are not finite, or " if bad_values else ""
    causes.append((rest, why + "where the velocity determines none"))
    listed = ", ".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{missing.sum()} of {len(valid)} {at} have no gradient and are excluded: {listed}"


def _used(mesh: Mesh) -> Mask:
    """Points that belong to a cell of full dimension."""
    used = np.zeros(len(mesh.points), bool)
    used[mesh.cells.connectivity[np.repeat(mesh.is_full, np.diff(mesh.cells.offsets))]] = True
    return used


def inverted_cells(mesh: Mesh) -> Mask:
    """Solid cells whose orientation differs from that of most cells of their type (a type that is
    turned throughout is a convention of its writer, not an error)."""
    inverted = np.zeros(len(mesh), bool)
    for block in mesh.blocks:
        if block.reference.dimension == 3:
            sign = np.sign(mesh.signed_measures[block.cells])
            inverted[block.cells] = sign * (1 if np.nansum(sign) >= 0 else -1) < 0
    return inverted
