"""The shear rate on walls: exact for polynomials, of the right order, turning and scaling as it should."""

import numpy as np
import pytest
from scipy.integrate import quad

from flowgrad import Flow, Mesh, OptionError, Patch, at_walls
from flowgrad.mesh.generate import block
from tests import meshes
from tests.axial import as_polyhedra
from tests.walls.flows import pipe_flow, places, power_law, side

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
LOCATIONS = ("points", "cells")
BLOCKS = ("hexahedron", "tetra", "wedge", "polyhedron", "dual", "triangle", "quad")


def body(kind, n=7):
    if kind == "dual":
        return meshes.dual(block("tetra", 5))
    return as_polyhedra(block("hexahedron", n)) if kind == "polyhedron" else block(kind, n)


def bottom(centers):
    return np.abs(centers[:, 1]) < 1e-9


def on_mesh(mesh, location, velocity):
    """A flow whose velocity is known on all the boundary."""
    faces = np.arange(len(mesh.topology.boundary))
    patch = Patch("all", faces, velocity(mesh.topology.boundary_geometry[1]))
    boundary = (patch,) if location == "cells" else ()
    return Flow(mesh, velocity(places(mesh, location)), location, boundary=boundary)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("location", LOCATIONS)
def test_couette_and_poiseuille_flow_are_exact(kind, location):
    """u = 2y + c(y − y²) along x, c = 0 and 3, between walls at y = 0 and y = 1."""
    for c, order in ((0, 1), (3, 2), (3, 3)):
        flow = on_mesh(
            body(kind), location, lambda x, c=c: (2 * x[:, 1] + c * x[:, 1] * (1 - x[:, 1]))[:, None] * [1, 0, 0]
        )
        for y, sign in ((0, 1), (1, -1)):
            walls = at_walls(
                flow, lambda x, y=y: np.abs(x[:, 1] - y) < 1e-9, scheme=f"finite-difference(order={order})"
            )
            exact = 2 + sign * c
            np.testing.assert_allclose(walls.wall_shear_rate, abs(exact), rtol=1e-11)
            np.testing.assert_allclose(walls.shear_rate_vector, [[sign * exact, 0, 0]] * len(walls), atol=1e-10)
            np.testing.assert_allclose(walls.normals, [[0, -sign, 0]] * len(walls), atol=1e-14)
            np.testing.assert_allclose(walls.normal_rate, 0, atol=1e-10)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("location", LOCATIONS)
def test_quadratic_flows_are_exact_on_every_face(kind, location):
    mesh = body(kind)
    planar = mesh.dimension == 2
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(3, 3)), rng.normal(size=(3, 3, 3))
    B = B + B.transpose(0, 2, 1)
    kept = np.diag([1, 1, 0 if planar else 1])
    A, B = A @ kept, np.einsum("ijk,jl,km->ilm", B, kept, kept)
    flow = on_mesh(mesh, location, lambda x: x @ A.T + 0.5 * np.einsum("ijk,nj,nk->ni", B, x, x))
    walls = at_walls(flow, np.ones(len(mesh.topology.boundary), bool), scheme="finite-difference(order=2)")
    L = A + np.einsum("ijk,nk->nij", B, walls.centroids)
    np.testing.assert_allclose(walls.gradient.L, L, atol=1e-10)
    along = np.einsum("nij,nj->ni", L + L.transpose(0, 2, 1), walls.normals)
    tangential = along - (along * walls.normals).sum(axis=1)[:, None] * walls.normals
    np.testing.assert_allclose(walls.wall_shear_rate, np.linalg.norm(tangential, axis=1), atol=1e-10)
    np.testing.assert_allclose(2 * walls.normal_rate, (along * walls.normals).sum(axis=1), atol=1e-10)


def smooth(x):
    u = np.sin(1.3 * x[:, 1])
    return np.column_stack([u * np.cos(x[:, 0] + x[:, 2]), 0 * u, u * np.sin(x[:, 0])])


@pytest.mark.parametrize(
    ("location", "order", "expected"),
    [("cells", 1, 1), ("cells", 2, 2), ("cells", 3, 3), ("points", 1, 1), ("points", 2, 2)],
)
def test_the_order_of_convergence(location, order, expected):
    errors = []
    for n in (7, 13, 25):
        flow = on_mesh(block("hexahedron", n), location, smooth)
        walls = at_walls(flow, bottom, scheme=f"finite-difference(order={order})")
        x, _, z = walls.centroids.T
        exact = 1.3 * np.column_stack([np.cos(x + z), 0 * x, np.sin(x)])
        errors.append(np.sqrt(((walls.shear_rate_vector - exact) ** 2).mean()))
    assert np.log2(errors[1] / errors[2]) > expected - 0.3, errors


@pytest.mark.parametrize("index", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("location", LOCATIONS)
@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "tetra", "polyhedron"])
def test_a_power_law_fluid_in_a_pipe(kind, location, index):
    """γ̇ = (8U/D)(3n + 1)/(4n) at the wall, with the mean speed U (Rabinowitsch 1929, Mooney 1931)."""
    exact = power_law(index)
    speed = quad(lambda r: 2 * r * exact.velocity(np.array([[r, 0.0, 0.0]]))[0, 2], 0, 1)[0]
    flow = pipe_flow(kind, location, exact)
    walls = at_walls(flow, side(flow.mesh), wall_velocity=None if location == "points" else 0)
    assert np.isfinite(walls.wall_shear_rate).all()
    np.testing.assert_allclose(walls.wall_shear_rate, 4 * speed * (3 * index + 1) / (4 * index), rtol=0.01)
    np.testing.assert_allclose(walls.shear_rate_vector[:, :2], 0, atol=0.01 * exact.wall_shear_rate)
    assert (walls.shear_rate_vector[:, 2] > 0).all()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("location", LOCATIONS)
def test_it_turns_and_scales(location, scale):
    flow = pipe_flow("tetra", location, power_law(0.7), 6, 3)
    turned = Flow(Mesh(scale * flow.mesh.points @ TURN.T, flow.mesh.cells), 3 * flow.velocity @ TURN.T, location)
    wall = None if location == "points" else 0
    one, other = (at_walls(each, side(flow.mesh), viscosity=2.0, wall_velocity=wall) for each in (flow, turned))
    tolerance = 1e-9 * one.wall_shear_rate.max()
    np.testing.assert_allclose(
        other.shear_rate_vector, 3 / scale * one.shear_rate_vector @ TURN.T, atol=3 * tolerance / scale
    )
    np.testing.assert_allclose(other.force(), 3 * scale * TURN @ one.force(), atol=1e-9 * scale)
    np.testing.assert_allclose(other.moment(), 3 * scale**2 * TURN @ one.moment(), atol=1e-9 * scale**2)


def test_a_wall_that_moves_with_the_fluid_shears_nothing():
    """Rigid rotation and translation, whatever the wall's velocity."""
    flow = on_mesh(block("tetra", 6), "cells", lambda x: np.cross([1.0, -2.0, 0.5], x) + np.array([3, 1, 2]))
    walls = at_walls(flow, "all")
    np.testing.assert_allclose(walls.wall_shear_rate, 0, atol=1e-11)
    np.testing.assert_allclose(walls.normal_rate, 0, atol=1e-11)


def test_the_velocity_on_the_wall_is_used():
    """A wall that moves at 5 under a fluid at rest, one cell below: the quadratic through 5 and zeros."""
    flow = Flow(block("hexahedron", 9, jitter=0.0), np.zeros((512, 3)), "cells")
    walls = at_walls(flow, bottom, wall_velocity=[5, 0, 0])
    assert (walls.wall_shear_rate > 5 / (0.5 / 8)).all()
    assert (walls.shear_rate_vector[:, 0] < 0).all()
    unknown = at_walls(flow, bottom)
    np.testing.assert_allclose(unknown.wall_shear_rate, 0, atol=1e-14)
    assert any("not known on 64 of 64 faces" in note for note in unknown.notes)


def test_autodiff_takes_the_cell_at_the_wall():
    flow = on_mesh(block("tetra", 6), "points", lambda x: x[:, 1:2] * [2.0, 0, 1])
    walls = at_walls(flow, bottom, scheme="autodiff")
    np.testing.assert_allclose(walls.wall_shear_rate, np.sqrt(5), rtol=1e-12)
    assert walls.gradient.scheme == "autodiff"


def test_the_noise_of_the_velocity_reaches_the_wall():
    mesh = block("hexahedron", 5)
    flow = Flow(mesh, mesh.points[:, 1:2] * [1.0, 0, 0], "points", noise=0.01)
    C = at_walls(flow, bottom, scheme="finite-difference(order=2)").gradient.covariance
    draws = np.random.default_rng(0).normal(scale=0.01, size=(40, mesh.point_count, 3))
    found = [
        at_walls(Flow(mesh, d, "points"), bottom, scheme="finite-difference(order=2)").gradient.L[:, 0, 1]
        for d in draws
    ]
    np.testing.assert_allclose(np.std(found, axis=0).mean(), np.sqrt(C[:, 1, 1]).mean(), rtol=0.1)


@pytest.mark.parametrize("scheme", ["finite-difference(order=6)", "finite-difference(lattice=True)"])
def test_schemes_of_lattices_are_refused(scheme):
    flow = on_mesh(block("hexahedron", 5), "points", smooth)
    with pytest.raises(OptionError, match=r"order from 1 to 4|lattice=False"):
        at_walls(flow, bottom, scheme=scheme)
