"""Velocity and measures at the places of a gradient on a mesh, and notes on the gradients that are missing there."""

from __future__ import annotations

import numpy as np

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import runs
from flowgrad.mesh.locate import locate
from flowgrad.mesh.planar import frame_of
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Velocities below this part of the largest vanish: float32 files.
_AT_REST = 1e-6


def velocity_at(flow: Flow, L: FloatArray, location: str | None, positions: FloatArray | None) -> FloatArray:
    """Velocities (n, 3) of a flow where its gradients L (n, 3, 3) are: its own values where these are there, else
    the mean of the adjacent values, extrapolated linearly with L to the place; exact where the velocity is linear.
    Points of patches (``flow.boundary``) have the velocity of these. NaN without L."""
    if positions is None and location == flow.location:
        return flow.velocity
    if positions is None and location == "points" and flow.joined is not flow:
        joints = flow.mesh.joints
        assert joints is not None
        return joints.returned(velocity_at(flow.joined, L[joints.source], location, positions))
    mesh = flow.mesh
    values = np.column_stack([flow.velocity, mesh.places(flow.location)])
    if positions is not None:
        there, places = _at_positions(flow, values, positions), positions
    elif location == "cells":
        there, places = _means(values[mesh.cells.connectivity], mesh.cells.offsets), mesh.centroids
    else:
        offsets, cells = mesh.topology.point_cells
        there, places = _means(values[cells], offsets), mesh.points
    found = _extrapolated(flow, L, there, places)
    return found if positions is not None or location == "cells" else _with_patches(flow, L, found)


def axes_of_gradient(flow: Flow) -> FloatArray:
    """The axes (3, 3), one a row, along which the components of L run: x, y, z, but for an oblique plane cut from a
    3-D flow those of the plane."""
    normal = None if flow.out_of_plane == "zero" else flow.mesh.structure.normal
    return np.eye(3) if normal is None else frame_of(normal)


def _extrapolated(flow: Flow, L: FloatArray, there: FloatArray, places: FloatArray) -> FloatArray:
    """v + L (x − x_v) of velocities and their positions (n, 6), to places x (n, 3)."""
    axes = axes_of_gradient(flow)
    arms = (places - there[:, 3:]) @ axes.T
    # Components may be missing throughout a plane; L is missing where all are.
    unknown = np.isnan(L)
    kept = np.where(unknown & ~unknown.all(axis=(1, 2), keepdims=True), 0.0, L)
    return there[:, :3] + np.einsum("nij,nj->ni", kept, arms) @ axes


def _at_positions(flow: Flow, values: FloatArray, positions: FloatArray) -> FloatArray:
    """Values (m, 6) of the cell that holds each position, its own or the mean over its points; of a cloud the nearest
    point's."""
    mesh = flow.mesh
    if not mesh.dimension:
        from scipy.spatial import cKDTree

        known = np.flatnonzero(np.isfinite(values[:, 3:]).all(axis=1))
        where = np.where(np.isfinite(positions), positions, 0.0)
        return values[known[cKDTree(values[known, 3:]).query(where)[1]]]
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


def _with_patches(flow: Flow, L: FloatArray, found: FloatArray) -> FloatArray:
    """The velocities at the points, on patches the mean over their faces there, extrapolated to the point; at rest
    where one of these is."""
    if not flow.boundary:
        return found
    start, connectivity = flow.mesh.topology.boundary_polygons
    faces = np.concatenate([patch.faces for patch in flow.boundary])
    velocity = np.concatenate([patch.velocity for patch in flow.boundary])
    sizes = np.diff(start)[faces]
    points = connectivity[runs(start[faces], sizes)]
    each = np.repeat(np.column_stack([velocity, flow.mesh.topology.boundary_geometry[1][faces]]), sizes, axis=0)
    led = _extrapolated(flow, L[points], each, flow.mesh.points[points])
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


def measures_at(flow: Flow, location: str) -> FloatArray:
    """Measure that each value at the ``cells`` or ``points`` stands for (n,): the cell's, or a share of the cells
    around the point; zero of cells of lower dimension, 1 at points without cells."""
    mesh = flow.mesh
    measures = np.where(mesh.is_full, flow.measures, 0.0)
    if location == "cells":
        return measures
    if not len(mesh):
        return np.ones(mesh.point_count)
    sizes = np.diff(mesh.cells.offsets)
    shares = np.repeat(measures / np.maximum(sizes, 1), sizes)
    return np.bincount(mesh.cells.connectivity, shares, minlength=mesh.point_count).astype(float)


def notes(flow: Flow, at: str, valid: BoolArray) -> tuple[str, ...]:
    """Lines on what is missing or doubtful: velocities, gradients at the points, cells or positions ``at`` which these
    are ``valid`` (n,), and, but at positions, inverted and folded cells."""
    mesh, lines = flow.mesh, []
    unknown = int((~finite_rows(flow.velocity)).sum())
    if unknown:
        lines.append(f"{unknown} of {len(flow.velocity)} velocities at {flow.location} are not finite")
    lines += jumps(flow)
    if not valid.all():
        causes = "" if at == "positions" else f": {_causes(flow, at, ~valid, unknown > 0)}"
        lines.append(f"{(~valid).sum()} of {len(valid)} {at} have no gradient and are excluded{causes}")
    if at == "positions":
        return tuple(lines)
    flat = int((mesh.is_full & (mesh.measures == 0)).sum()) if at == "points" else 0
    for count, of, what in (
        (flat, len(mesh), "cells have no volume and take no part"),
        (int((~finite_rows(mesh.points)).sum()), len(mesh.points), "points have coordinates that are not finite"),
        (
            int(inverted_cells(mesh).sum()),
            len(mesh),
            "cells are inverted: their volume is negative, their gradient kept",
        ),
        (
            int(mesh.is_folded.sum()),
            len(mesh),
            "cells are folded: their Jacobian changes sign inside, their gradient is kept",
        ),
    ):
        if count:
            lines.append(f"{count} of {of} {what}")
    return tuple(lines)


def jumps(flow: Flow) -> list[str]:
    """Lines on a velocity that differs between cells at the points where they meet, and that vanishes where blocks
    do."""
    largest, places = flow.jump
    lines = _at_rest_between(flow)
    if not places:
        return lines
    speed = np.sqrt(np.nanmax((flow.velocity**2).sum(axis=1)))
    lines += [
        f"the velocity is discontinuous: at {places} places where cells meet it is up to {largest:.3g} "
        f"({largest / speed:.2g} of the largest speed) off the mean, through which fits go; autodiff takes each cell's"
    ]
    if flow.is_constant_by_cell:
        lines.append(
            "the velocity is constant within each cell, as of values at cells that were written at points: autodiff "
            "gives L = 0 throughout; read the values at cells (location='cells') where the file has them"
        )
    return lines


def _at_rest_between(flow: Flow) -> list[str]:
    """A line on faces where pieces of the mesh meet and the fluid is at rest, as on a plate between them."""
    joints = flow.mesh.joints
    if flow.location != "points" or joints is None or not len(joints.met):
        return []
    start, points = flow.mesh.faces.take(joints.met)
    speed = np.sqrt((flow.velocity**2).sum(axis=1))
    at_rest = np.logical_and.reduceat((speed <= _AT_REST * np.nanmax(speed))[points], start[:-1])
    if not at_rest.any():
        return []
    return [
        f"the velocity vanishes on {at_rest.sum()} of the {len(at_rest)} faces where blocks of the mesh meet, taken as "
        "inside the fluid: if there is a plate give its patches on both sides (boundary=)"
    ]


def _causes(flow: Flow, at: str, missing: BoolArray, unknown: bool) -> str:
    """Numbers of points or cells without a gradient, by cause."""
    mesh = flow.mesh
    if at == "cells":
        flat = missing & mesh.is_full & (mesh.measures == 0)
        alone = missing & ~mesh.is_full
        causes = [(int(flat.sum()), "of zero volume"), (int(alone.sum()), "of lower dimension without a full cell")]
    else:
        causes = [(int((missing & ~mesh.structure.used).sum()), "in no cell")]
    rest = int(missing.sum()) - sum(count for count, _ in causes)
    why = "that use values that are not finite, or " if unknown else ""
    causes.append((rest, why + "where the velocity determines none"))
    return ", ".join(f"{count} {cause}" for count, cause in causes if count)


def inverted_cells(mesh: Mesh) -> BoolArray:
    """Solid cells whose orientation differs from that of most cells of their type (a type that is
    turned throughout is a convention of its writer, not an error)."""
    inverted = np.zeros(len(mesh), bool)
    for block in mesh.blocks:
        if block.reference.dimension == 3:
            sign = np.sign(mesh.signed_measures[block.cells])
            inverted[block.cells] = sign * (1 if np.nansum(sign) >= 0 else -1) < 0
    return inverted
