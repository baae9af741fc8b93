"""The estimated error of the wall shear rate: near the true one on smooth flows, and large where the rate is wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest

from flowgrad import Flow, Patch, at_walls, read
from flowgrad.cli import main
from flowgrad.mesh.generate import block
from flowgrad.mesh.reference.cell import VTK
from tests import high_order
from tests.walls.test_curved import couette, inner
from tests.walls.test_force import ring

A = np.array([[0.3, -1.2, 0.7], [2.0, 0.4, -0.5], [-0.9, 1.1, -0.7]])


def bottom(x):
    return np.abs(x[:, 1]) < 1e-9


def smooth(x):
    u = np.sin(2 * x[:, 1]) + x[:, 1] ** 3 + 0.3 * x[:, 0] * x[:, 1]
    return np.column_stack([u, 0 * u, (np.exp(x[:, 1]) - 1) * np.sin(x[:, 0])])


def smooth_rate(x):
    """Of this flow along the wall y = 0."""
    return np.column_stack([2 + 0.3 * x[:, 0], 0 * x[:, 0], np.sin(x[:, 0])])


def smooth_flow(kind, n, location):
    mesh = block(kind, n)
    centers = mesh.topology.boundary_geometry[1]
    faces = np.flatnonzero(bottom(centers))
    known = (Patch("floor", faces, smooth(centers[faces])),) if location == "cells" else ()
    return Flow(mesh, smooth(mesh.points if location == "points" else mesh.centroids), location, boundary=known)


def effectivity(walls, rate):
    """Estimated over true error, root mean squares over the area."""
    off = ((walls.shear_rate_vector - rate) ** 2).sum(axis=1)
    return np.sqrt(walls.areas @ walls.error**2 / (walls.areas @ off))


@pytest.mark.parametrize("scheme", ["first-cell", "finite-difference(order=2)", "finite-difference(order=3)"])
@pytest.mark.parametrize(("kind", "n"), [("hexahedron", 17), ("tetra", 9), ("tetra", 13)])
def test_of_cells_it_is_near_the_true_one(kind, n, scheme):
    walls = at_walls(smooth_flow(kind, n, "cells"), bottom, scheme=scheme)
    assert 0.5 < effectivity(walls, smooth_rate(walls.centroids)) < 2
    assert walls.is_asymptotic.all()


@pytest.mark.parametrize("scheme", ["auto", "autodiff", "finite-difference(order=2)"])
@pytest.mark.parametrize(("kind", "n"), [("hexahedron", 9), ("tetra", 9), ("tetra", 13)])
def test_of_points_it_is_near_the_true_one(kind, n, scheme):
    walls = at_walls(smooth_flow(kind, n, "points"), bottom, scheme=scheme)
    assert 0.5 < effectivity(walls, smooth_rate(walls.centroids)) < 2


@pytest.mark.parametrize("n", [10, 20, 40])
@pytest.mark.parametrize("order", [2, 3])
def test_it_sees_that_a_solver_has_shifted_its_values(data, n, order):
    """Fits of all orders through the wall agree, and are wrong by 1 to 5 %: that to the cells alone is not."""
    flow = read(data / f"channels/channel{n}.vtu", boundary=str(data / f"channels/channel{n}_walls.vtp"))
    walls = at_walls(flow, scheme=f"finite-difference(order={order})")
    off = np.abs(walls.wall_shear_rate - 5)
    assert off.max() > 0.03 / n
    assert ((walls.error > 0.9 * off) & (walls.error < 1.3 * off)).all()
    own = at_walls(flow)
    assert own.gradient.scheme == "first-cell"
    assert (own.error < 1e-5 * own.wall_shear_rate).all()


@pytest.mark.parametrize("n", [10, 20, 40])
def test_samples_are_no_values_of_a_solver(data, n):
    """Of exact samples in the same cells the difference to the first is wrong by h/2H."""
    mesh = read(data / f"channels/channel{n}.vtu").mesh
    y = mesh.centroids[:, 1]
    flow = Flow(mesh, (5 * y * (1 - y))[:, None] * [1.0, 0, 0], "cells")
    walls = at_walls(flow, bottom, scheme="first-cell", wall_velocity=0)
    np.testing.assert_allclose(walls.wall_shear_rate, 5 * (1 - 0.5 / n), rtol=1e-5)
    np.testing.assert_allclose(walls.error, 5 * 0.5 / n, rtol=1e-4)


@pytest.mark.parametrize("p", [2, 3, 4])
@pytest.mark.parametrize(("around", "layers"), [(8, 2), (12, 4), (24, 6)])
def test_of_high_order_cells_it_is_near_the_true_one(around, layers, p):
    exact, flow = couette(around, layers, p)
    walls = inner(flow, exact)
    rate = 2 * abs(exact.outer_rate - exact.inner_rate) / (1 - (exact.inner_radius / exact.outer_radius) ** 2)
    ratio = walls.error / np.abs(walls.wall_shear_rate - rate)
    assert (ratio > 0.5).all()
    assert (ratio < 2).all()
    assert "decay of the cells' degrees" in walls.notes[-1]
    turning = flow.mesh.points @ np.array([[0, -5.0, 0], [5.0, 0, 0], [0, 0, 0]]).T
    np.testing.assert_allclose(
        inner(replace(flow, velocity=flow.velocity + turning), exact).error, walls.error, rtol=1e-6
    )


@pytest.mark.parametrize("vtk_type", [VTK.QUADRATIC_TETRA, VTK.TRIQUADRATIC_HEXAHEDRON, VTK.QUADRATIC_WEDGE])
def test_there_is_none_in_linear_fields_on_curved_cells(vtk_type):
    mesh = high_order.bent(high_order.straight(high_order.reference(vtk_type), n=3))
    flow = Flow(mesh, mesh.points @ A.T, "points")
    walls = at_walls(flow, np.ones(len(mesh.topology.boundary), bool), scheme="autodiff")
    np.testing.assert_allclose(walls.error, 0, atol=1e-10)


@pytest.mark.parametrize("scheme", ["finite-difference(order=1)", "finite-difference(order=2)", "first-cell"])
@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
def test_there_is_none_in_linear_fields(kind, scheme):
    mesh = block(kind, 6)
    faces = np.arange(len(mesh.topology.boundary))
    patch = Patch("all", faces, mesh.topology.boundary_geometry[1] @ A.T)
    walls = at_walls(Flow(mesh, mesh.centroids @ A.T, "cells", boundary=(patch,)), "all", scheme=scheme)
    np.testing.assert_allclose(walls.error, 0, atol=1e-9)


def test_fits_that_do_not_follow_a_curved_layer_are_seen():
    """Axial flow along a cylinder in layers thinner than the sag of its facets: what is wrong is said to be."""
    mesh = ring(40, 30, 1.0, 1.03)
    w = lambda x: np.log(np.hypot(x[:, 0], x[:, 1]))[:, None] * [0, 0, 1.0]  # noqa: E731
    centers = mesh.topology.boundary_geometry[1]
    faces = np.flatnonzero(np.hypot(*centers.T[:2]) < 1.01)
    corners = w(mesh.points)[mesh.cells.connectivity].reshape(len(mesh), 4, 3).mean(axis=1)
    flow = Flow(mesh, corners, "cells", boundary=(Patch("inner", faces, np.zeros((len(faces), 3))),))
    for scheme in ("finite-difference(order=2)", "finite-difference(order=3)"):
        walls = at_walls(flow, scheme=scheme)
        off = np.abs(walls.wall_shear_rate - 1)
        assert (walls.error > 0.5 * off - 0.002).all()


def test_where_it_is_no_small_part_it_says_only_that():
    mesh = block("hexahedron", 6)
    flow = Flow(mesh, np.random.default_rng(0).normal(size=(len(mesh), 3)), "cells")
    walls = at_walls(flow, bottom, wall_velocity=0)
    assert not walls.is_asymptotic.all()
    assert "not the asymptotic range" in walls.notes[-1]


def test_without_a_finer_scheme_there_is_none(data):
    flow = read(data / "channels/channel10.vtu", boundary=str(data / "channels/channel10_walls.vtp"))
    walls = at_walls(flow, scheme="finite-difference(order=5)")
    assert np.isnan(walls.error).all()
    assert "the error of the wall shear rate is not known" in walls.notes[-1]


def test_it_is_written_and_told(data, tmp_path):
    name = data / "channels/channel20"
    command = ["run", f"{name}.vtu", "--boundary", f"{name}_walls.vtp", "-o", str(tmp_path), "-q", "--walls", "auto"]
    assert main([*command, "--wall-scheme", "finite-difference(order=2)"]) == 0
    walls = json.loads((tmp_path / "channel20.json").read_text())["walls"]
    (patch,) = walls["patches"].values()
    assert patch["wall_shear_rate_error"]["mean"] == pytest.approx(0.0146 * 5, rel=0.1)
    assert any("error of the wall shear rate" in note for note in walls["notes"])
    assert read(tmp_path / "channel20_walls.vtu", "normal").cell_data["wall_shear_rate_error"].max() > 0
    assert "its error" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
def test_flat_walls_from_points_are_of_the_order_of_the_fits_and_their_estimate_is_honest(kind):
    """Fits at the centroids, through the nearest point's value: means over the faces' points were of second order, and
    the finer ones had the same fault."""
    errors, effectivities = [], []
    for n in (6, 12, 24):
        mesh = block(kind, n, 1.0)
        x = mesh.points
        velocity = np.zeros_like(x)
        velocity[:, 0] = np.sin(2 * x[:, 2]) * (1 + 0.3 * np.sin(3 * x[:, 0]))
        walls = at_walls(Flow(mesh, velocity, "points"), "plane=z:0", scheme="finite-difference(order=3)")
        exact = 2 * (1 + 0.3 * np.sin(3 * walls.gradient.positions[:, 0]))
        errors.append(np.sqrt(((walls.wall_shear_rate - exact) ** 2).mean()))
        effectivities.append(np.sqrt((walls.error**2).mean()) / errors[-1])
    assert np.log2(errors[0] / errors[2]) / 2 > 2.5
    assert min(effectivities) > 0.7
    assert max(effectivities) < 1.4
