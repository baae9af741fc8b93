"""Gradients of noisy velocities on meshes: fits to the samples that a growing ball meets."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from flowgrad import Flow, velocity_gradient
from flowgrad.errors import MeshError
from flowgrad.flow import Patch
from flowgrad.mesh import Mesh
from flowgrad.mesh.from_arrays import cells_of

K = 2 * np.pi


def eddies(at):
    x, y, z = at.T
    v = np.stack([np.sin(K * x) * np.cos(K * y), -np.cos(K * x) * np.sin(K * y), 0.5 * np.sin(3 * z)], axis=1)
    L = np.zeros((len(x), 3, 3))
    L[:, 0, 0], L[:, 0, 1] = K * np.cos(K * x) * np.cos(K * y), -K * np.sin(K * x) * np.sin(K * y)
    L[:, 1, 0], L[:, 1, 1], L[:, 2, 2] = -L[:, 0, 1], -L[:, 0, 0], 1.5 * np.cos(3 * z)
    return v, L


def mesh_of(rank, count, seed=0):
    """Triangles or tetrahedra among random points of a square or cube and its sides."""
    rng = np.random.default_rng(seed)
    inner = rng.uniform(size=(count, rank))
    sides = rng.uniform(size=(count // 5, rank))
    sides[np.arange(len(sides)), np.arange(len(sides)) % rank] = rng.integers(0, 2, len(sides))
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * rank), axis=-1).reshape(-1, rank)
    at = np.concatenate([inner, sides, corners])
    cells = Delaunay(at).simplices
    edges = at[cells[:, 1:]] - at[cells[:, :1]]
    cells = cells[np.abs(np.linalg.det(edges)) > 1e-9]
    points = np.zeros((len(at), 3))
    points[:, :rank] = at
    return Mesh(points, cells_of(cells, points))


def flow_on(mesh, location, field=eddies, sigma=0.0, seed=0, **about):
    """A flow with independent noise, at cells with exact values on the boundary."""
    planar = [1.0, 1.0, 0.0] if mesh.dimension == 2 else np.ones(3)
    v = field(mesh.points if location == "points" else mesh.centroids)[0]
    v = v + sigma * np.random.default_rng(seed).normal(size=v.shape) * planar
    if location == "cells":
        x = mesh.topology.boundary_geometry[1]
        about = {"boundary": (Patch("all", np.arange(len(x)), field(x)[0]),)} | about
    return Flow(mesh, v, location, **about)


def wrong_by(gradient, field=eddies):
    mesh = gradient.flow.mesh
    truth = field(mesh.points if gradient.location == "points" else mesh.centroids)[1]
    assert gradient.valid.all()
    return np.sqrt(((gradient.L - truth) ** 2).sum() / (truth**2).sum())


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize(("rank", "count"), [(2, 1200), (3, 1500)])
def test_on_meshes_the_error_is_less_than_half_of_that_of_the_default_and_intervals_cover(rank, count, location):
    flow = flow_on(mesh_of(rank, count), location, sigma=0.05)
    smooth = velocity_gradient(flow, "smooth", at=location)
    assert wrong_by(smooth) < 0.5 * wrong_by(velocity_gradient(flow, at=location))
    truth = eddies(flow.mesh.points if location == "points" else flow.mesh.centroids)[1][:, :rank, :rank]
    inside = np.abs(smooth.L[:, :rank, :rank] - truth) < 1.96 * smooth.std("L")[:, :rank, :rank]
    assert 0.88 < inside.mean() < 0.99


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("at", ["points", "cells"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("rank", [2, 3])
def test_linear_and_quadratic_fields_are_reproduced_on_meshes(rank, location, at, degree):
    def polynomial(x):
        along = np.array([[1.0, 2, 3], [-2, 1, 0.5], [0.3, -1, 1]])[:, :rank]
        v = 1 + (x[:, :rank] @ along.T) ** degree
        return v, degree * (x[:, :rank] @ along.T)[:, :, None] ** (degree - 1) * along

    flow = flow_on(mesh_of(rank, 500), location, polynomial, noise=1e-7)
    gradient = velocity_gradient(flow, "smooth", at=at)
    where = flow.mesh.points if at == "points" else flow.mesh.centroids
    np.testing.assert_allclose(gradient.L[:, :, :rank], polynomial(where)[1], atol=1e-5)


def turned(flow, R):
    patches = tuple(dataclasses.replace(p, velocity=p.velocity @ R.T) for p in flow.boundary)
    mesh = Mesh(flow.mesh.points @ R.T, flow.mesh.cells)
    return Flow(mesh, flow.velocity @ R.T, flow.location, noise=flow.noise, boundary=patches)


@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_gradient_turns_with_the_mesh(location):
    flow = flow_on(mesh_of(3, 500), location, sigma=0.05, noise=0.05)
    gradient = velocity_gradient(flow, "smooth", at=location)
    R = np.array([[0.0, -1, 0], [0, 0, 1], [-1, 0, 0]])
    other = velocity_gradient(turned(flow, R), "smooth", at=location).L
    np.testing.assert_allclose(other, R @ gradient.L @ R.T, atol=1e-6 * np.abs(gradient.L).max())
    # The bias is sought along the coordinate axes: others may choose other fits, as good as these.
    R = Rotation.from_rotvec([0.3, -0.5, 0.8]).as_matrix()
    other = velocity_gradient(turned(flow, R), "smooth", at=location)
    back = dataclasses.replace(gradient, L=R.T @ other.L @ R)
    assert wrong_by(back) == pytest.approx(wrong_by(gradient), rel=0.1)


@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_gradient_does_not_know_the_numbering(location):
    mesh = mesh_of(3, 500)
    flow = dataclasses.replace(flow_on(mesh, location, sigma=0.05, noise=0.05), boundary=())
    rng = np.random.default_rng(1)
    points, cells = rng.permutation(len(mesh.points)), rng.permutation(len(mesh))
    number = np.argsort(points)
    shuffled = Mesh(mesh.points[points], cells_of(number[mesh.cells.connectivity.reshape(-1, 4)[cells]], mesh.points))
    order = points if location == "points" else cells
    again = velocity_gradient(Flow(shuffled, flow.velocity[order], location, noise=0.05), "smooth", at=location).L
    L = velocity_gradient(flow, "smooth", at=location).L
    np.testing.assert_allclose(again, L[order], atol=1e-6 * np.abs(L).max())


def two_sides(at):
    """Flows that know nothing of one another above and below y = 0.5."""
    x, y, _ = at.T
    up = y > 0.5
    L = np.zeros((len(x), 3, 3))
    L[:, 0, 1] = np.where(up, 2.0, -3.0)
    return np.stack([np.where(up, 1 + 2 * (y - 0.5), -2 - 3 * (y - 0.5)), 0 * x, 0 * x], axis=1), L


@pytest.mark.parametrize("location", ["points", "cells"])
def test_what_lies_behind_a_thin_wall_has_no_part(location):
    lower, upper = mesh_of(2, 500, 1), mesh_of(2, 500, 2)
    count = len(lower.points)
    points = np.concatenate([lower.points * [1, 0.5 - 1e-3, 1], upper.points * [1, 0.5 - 1e-3, 1] + [0, 0.5 + 1e-3, 0]])
    cells = np.concatenate([lower.cells.connectivity, upper.cells.connectivity + count]).reshape(-1, 3)
    mesh = Mesh(points, cells_of(cells, points))
    flow = dataclasses.replace(flow_on(mesh, location, two_sides, 0.05), boundary=())
    assert wrong_by(velocity_gradient(flow, "smooth", at=location), two_sides) < 0.05


def test_curved_surfaces_are_refused_by_name():
    mesh = mesh_of(2, 300)
    bent = Mesh(mesh.points + mesh.points[:, :1] ** 2 * [0, 0, 1], mesh.cells)
    flow = flow_on(bent, "points", sigma=0.05, noise=0.05)
    with pytest.raises(MeshError, match="smooth takes no curved surfaces: choose"):
        velocity_gradient(flow, "smooth")
