"""Thin layers along curved walls: meshes that gmsh made, and meshes made here, with flows of known wall shear rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve
from scipy.spatial import ConvexHull

import flowgrad
from flowgrad import Cells, Mesh
from flowgrad.mesh.cells import CellFaces

FOLDER = Path(__file__).parent / "layers"
GROWTH = 1.2


def annulus(name):
    """Points and cells of a mesh between circles of the radii 1 and 3 by its name: height, length, thickness."""
    found = np.load(FOLDER / f"annulus-{name}.npz")
    cells = {kind: found[kind].astype(int) for kind in ("triangle", "quad") if len(found[kind])}
    return found["points"], cells


def heights(first, count):
    """Distances from the wall of the levels of points (count + 1,)."""
    return first * (GROWTH ** np.arange(count + 1) - 1) / (GROWTH - 1)


def ring(length, first, count, uneven=0.0, seed=0, arc=2 * np.pi):
    """Points (n, 2) and quads around the unit circle, of random lengths."""
    steps = 1 + uneven * np.random.default_rng(seed).uniform(-1, 1, max(3, round(arc / length)))
    angles = np.append(0, np.cumsum(steps) / steps.sum()) * arc
    closed = np.isclose(arc, 2 * np.pi)
    angles = angles[:-1] if closed else angles
    radii = 1 + heights(first, count)
    points = (radii[None, :, None] * np.stack([np.cos(angles), np.sin(angles)], -1)[:, None]).reshape(-1, 2)
    number = np.arange(len(points)).reshape(len(angles), -1)
    one, other = (number, np.roll(number, -1, axis=0)) if closed else (number[:-1], number[1:])
    quads = np.stack([one[:, :-1], one[:, 1:], other[:, 1:], other[:, :-1]], -1).reshape(-1, 4)
    return points, quads


def extruded(points, cells, thickness):
    """One layer of hexahedra or wedges from quads or triangles."""
    both = np.concatenate([np.pad(points, ((0, 0), (0, 1)), constant_values=z) for z in (0.0, thickness)])
    names = {"triangle": "wedge", "quad": "hexahedron"}
    return both, {names[kind]: np.concatenate([rows, rows + len(points)], axis=1) for kind, rows in cells.items()}


def sphere(length, first, count, split=False, seed=0):
    """Points (n, 3) and wedges, or tetrahedra, around an irregular triangulation of the unit sphere."""
    n = round(4 * np.pi / (0.866 * length**2))
    k = np.arange(n) + 0.5
    theta, phi = np.arccos(1 - 2 * k / n), np.pi * (1 + 5**0.5) * k
    x = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    x += 0.15 * length * np.random.default_rng(seed).normal(size=x.shape)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    triangles = ConvexHull(x).simplices
    a, b, c = x[triangles].transpose(1, 0, 2)
    inward = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    points = ((1 + heights(first, count))[:, None, None] * x).reshape(-1, 3)
    wedges = np.concatenate([np.concatenate([triangles + i * n, triangles + (i + 1) * n], 1) for i in range(count)])
    if not split:
        return points, {"wedge": wedges}
    # Each wedge into three: corner by corner of the lower triangle in the order of their numbers.
    order = np.argsort(wedges[:, :3], axis=1)
    low, high = np.take_along_axis(wedges[:, :3], order, 1), np.take_along_axis(wedges[:, 3:], order, 1)
    tetrahedra = [np.column_stack([low[:, i:], high[:, : i + 1]]) for i in range(3)]
    return points, {"tetra": np.concatenate(tetrahedra)}


def polygonal(count, first, layers):
    """Prisms on the polygons about ``count`` places on the unit sphere, as Fluent has them: polyhedra."""
    k = np.arange(count) + 0.5
    theta, phi = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    x = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1)
    triangles = ConvexHull(x).simplices
    corners = x[triangles].mean(axis=1)
    corners /= np.linalg.norm(corners, axis=1, keepdims=True)
    n, rings = len(corners), []
    for place in range(count):
        own = np.flatnonzero((triangles == place).any(axis=1))
        one = np.cross(x[place], [0.3, 0.5, 0.7])
        arms = corners[own] - x[place]
        rings.append(own[np.argsort(np.arctan2(arms @ np.cross(x[place], one), arms @ one))])
    polyhedra = [(ring + i * n, ring + (i + 1) * n) for i in range(layers) for ring in rings]
    faces = [face for low, high in polyhedra for face in (low[::-1], high, *_sides(low, high))]
    sizes = np.array([len(low) for low, _ in polyhedra])
    starts = [np.append(0, np.cumsum(each)) for each in (2 * sizes, [len(face) for face in faces], sizes + 2)]
    own = CellFaces(connectivity=np.concatenate(faces), offsets=starts[1], cell_offsets=starts[2])
    types = np.full(len(sizes), 42, np.uint8)
    points = ((1 + heights(first, layers))[:, None, None] * corners).reshape(-1, 3)
    return Mesh(points, Cells(types, starts[0], np.concatenate([np.concatenate(each) for each in polyhedra]), own))


def _sides(low, high):
    return np.stack([low, np.roll(low, -1), np.roll(high, -1), high], -1)


def on_ellipsoid(mesh, axes):
    """A mesh around the unit sphere, around an ellipsoid: with the distances and normals (n, 3) of its points."""
    r = np.linalg.norm(mesh.points, axis=1)
    out = mesh.points / r[:, None]
    normals = out / axes / np.linalg.norm(out / axes, axis=1, keepdims=True)
    return Mesh(out * axes + (r - 1)[:, None] * normals, mesh.cells), r - 1, normals


def swirl(x, distance, thickness):
    """Velocity (n, 3) that turns about z over the unit circle or sphere, (1 − e^(−d/δ)) ω × x/|x|."""
    around = np.stack([-x[:, 1], x[:, 0], 0 * x[:, 0]], -1)
    around /= np.linalg.norm(x if np.ptp(x[:, 2]) > 1 else x[:, :2], axis=1, keepdims=True)
    return (1 - np.exp(-distance / thickness))[:, None] * around


def cell_flow(points, cells, thickness, patch=True):
    """The swirl at cells, each of the mean distance of its points, with the wall at rest as a patch."""
    mesh = flowgrad.Flow.from_arrays(points, cells, np.zeros_like(points), location="points").mesh
    start, corners = mesh.cells.offsets, mesh.cells.connectivity
    distance = np.add.reduceat(distance_from_wall(mesh, mesh.points)[corners], start[:-1]) / np.diff(start)
    velocity = swirl(mesh.centroids, distance, thickness)
    faces = np.flatnonzero(on_wall(mesh))
    walls = (flowgrad.Patch("wall", faces, np.zeros((len(faces), 3))),) if patch else ()
    return flowgrad.Flow(mesh, velocity, "cells", boundary=walls), distance


def on_wall(mesh):
    """Boundary faces whose points lie on the unit circle, cylinder or sphere."""
    start, corners = mesh.topology.boundary_polygons
    return np.maximum.reduceat(distance_from_wall(mesh, mesh.points)[corners], start[:-1]) < 1e-9


def distance_from_wall(mesh, x):
    """Distances (n,) of places from a sphere where the mesh reaches as far along z as along x, else a cylinder."""
    return np.linalg.norm(x if np.ptp(mesh.points[:, 2]) > 1 else x[:, :2], axis=1) - 1


def rate_errors(x, L, thickness, most=1.0):
    """Of ∂u_t/∂n of the swirl, relative, at places in the layer that are not near the axis of a sphere."""
    sphere = np.ptp(x[:, 2]) > 1
    out = x if sphere else x * [1, 1, 0]
    r = np.linalg.norm(out, axis=1)
    around = np.column_stack([-x[:, 1], x[:, 0], 0 * r])
    size = np.linalg.norm(around, axis=1)
    d = r - 1
    chosen = (d < most * thickness) & (size > 0.3 * r)
    found = np.einsum("ni,nij,nj->n", around / size[:, None], L, out / r[:, None])
    return (found / (np.exp(-d / thickness) / thickness * size / r) - 1)[chosen]


def solved(name):
    """Axial Couette flow between cylinders of the radii 1, at rest, and 3: linear finite elements. Values at points,
    and as means of each triangle's at cells with the walls as patches; the exact shear rate at the radius r."""
    points, cells = annulus(name)
    triangles = cells["triangle"]
    x = points[triangles]
    edges = np.roll(x, 1, axis=1) - np.roll(x, 2, axis=1)
    turned = np.stack([edges[..., 1], -edges[..., 0]], -1)
    area = 0.5 * np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0])
    stiffness = np.einsum("nik,njk->nij", turned, turned) / (4 * area)[:, None, None]
    rows, columns = (np.repeat(triangles, 3, axis=1), np.tile(triangles, (1, 3)))
    K = coo_array((stiffness.ravel(), (rows.ravel(), columns.ravel())), shape=(len(points),) * 2).tocsr()
    r = np.hypot(*points.T)
    w = np.where(r > 3 - 1e-9, 1.0, 0.0)
    free = np.flatnonzero((r > 1 + 1e-9) & (r < 3 - 1e-9))
    w[free] = spsolve(K[free][:, free].tocsc(), -(K @ w)[free])
    at_points = flowgrad.Flow.from_arrays(points, cells, np.column_stack([0 * w, 0 * w, w]), location="points")
    mesh, mean = at_points.mesh, w[triangles].mean(axis=1)
    outer = np.linalg.norm(mesh.topology.boundary_geometry[1], axis=1) > 2
    walls = tuple(
        flowgrad.Patch(name, np.flatnonzero(chosen), np.tile([0, 0, value], (chosen.sum(), 1)))
        for name, chosen, value in (("inner", ~outer, 0.0), ("outer", outer, 1.0))
    )
    at_cells = flowgrad.Flow(mesh, np.column_stack([0 * mean, 0 * mean, mean]), "cells", boundary=walls)
    return at_points, at_cells, lambda r: 1 / (r * np.log(3))
