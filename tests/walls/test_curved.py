"""Walls of curved cells: the cell's own gradient, integrated over its own faces."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, at_walls
from flowgrad.exact import TaylorCouette
from flowgrad.mesh.reference.cell import VTK
from tests import high_order
from tests.meshes import dual, solid

A = np.array([[0.3, -1.2, 0.7], [2.0, 0.4, -0.5], [-0.9, 1.1, -0.7]])


def ring(around, layers, p, inner, outer):
    """Lagrange quads of degree p in an annulus, their nodes on circles."""
    cell = high_order.reference(VTK.LAGRANGE_QUADRILATERAL, (p, p, 0))
    xi = cell.nodes
    t, r = np.meshgrid(np.arange(around), np.arange(layers), indexing="ij")
    angle = 2 * np.pi / around * (t.ravel()[:, None] - xi[:, 0])
    radius = inner + (outer - inner) / layers * (r.ravel()[:, None] + xi[:, 1])
    nodes = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * radius], -1).reshape(-1, 3)
    _, first, number = np.unique(np.round(nodes, 9) + 0.0, axis=0, return_index=True, return_inverse=True)
    return Mesh(nodes[first], Cells.of_type(VTK.LAGRANGE_QUADRILATERAL, number.reshape(-1, len(xi))))


def couette(around, layers, p):
    exact = TaylorCouette()
    mesh = ring(around, layers, p, exact.inner_radius, exact.outer_radius)
    return exact, Flow(mesh, exact.velocity(mesh.points), "points")


def inner(flow, exact, **options):
    middle = (exact.inner_radius + exact.outer_radius) / 2
    return at_walls(flow, lambda x: np.hypot(*x.T[:2]) < middle, viscosity=2.0, **options)


def torque(exact):
    a, b = exact.inner_radius, exact.outer_radius
    return 4 * np.pi * 2.0 * (exact.outer_rate - exact.inner_rate) * a**2 * b**2 / (b**2 - a**2)


# From eight cells around: what the interpolant itself gives at its points on the wall.
@pytest.mark.parametrize(("p", "off"), [(2, 0.035), (3, 0.006), (4, 0.0011)])
def test_the_torque_of_eight_cells_around_a_turning_cylinder(p, off):
    exact, flow = couette(8, 2, p)
    walls = inner(flow, exact)
    assert walls.gradient.scheme == "autodiff"
    assert "curved" in walls.gradient.reason
    assert len(walls) == 8
    assert walls.moment()[2] == pytest.approx(torque(exact), rel=off)
    rate = 2 * abs(exact.outer_rate - exact.inner_rate) / (1 - (exact.inner_radius / exact.outer_radius) ** 2)
    np.testing.assert_allclose(walls.wall_shear_rate, rate, rtol=off)
    np.testing.assert_allclose(walls.force(), 0, atol=1e-12 * abs(torque(exact)))


@pytest.mark.parametrize("p", [2, 3])
def test_the_order_of_the_torque(p):
    errors = []
    for around, layers in ((32, 8), (64, 16)):
        exact, flow = couette(around, layers, p)
        errors.append(abs(inner(flow, exact).moment()[2] / torque(exact) - 1))
    assert np.log2(errors[-2] / errors[-1]) > p - 0.3


def test_fits_on_curved_cells_are_taken_at_their_sites():
    """Cubic fits at the points of the wall, interpolated along it: of second order and better."""
    errors = []
    for around, layers in ((16, 4), (32, 8)):
        exact, flow = couette(around, layers, 2)
        walls = inner(flow, exact, scheme="finite-difference(order=3)")
        errors.append(abs(walls.moment()[2] / torque(exact) - 1))
    assert errors[-1] < 0.01
    assert np.log2(errors[0] / errors[1]) > 1.8


@pytest.mark.parametrize("scheme", ["autodiff", "finite-difference(order=1)"])
@pytest.mark.parametrize("vtk_type", [VTK.QUADRATIC_TETRA, VTK.TRIQUADRATIC_HEXAHEDRON, VTK.QUADRATIC_WEDGE])
def test_linear_fields_are_exact_on_curved_faces(vtk_type, scheme):
    mesh = high_order.bent(high_order.straight(high_order.reference(vtk_type), n=3))
    flow = Flow(mesh, mesh.points @ A.T, "points", point_data={"p": 2 - mesh.points @ [1.0, 2, 3]})
    walls = at_walls(flow, np.ones(len(mesh.topology.boundary), bool), scheme=scheme, viscosity=0.7, pressure="p")
    np.testing.assert_allclose(walls.gradient.L, np.broadcast_to(A, (len(walls), 3, 3)), atol=1e-9)
    # ∮ (p I − 2ηD)·n dA = V ∇p.
    np.testing.assert_allclose(walls.force(), mesh.measures.sum() * np.array([-1.0, -2, -3]), atol=1e-9)
    np.testing.assert_allclose(walls.areas @ walls.traction, walls.force(), atol=1e-9)
    np.testing.assert_allclose(walls.gradient["velocity"], walls.centroids @ A.T, atol=1e-9)


@pytest.mark.parametrize("kind", ["tetra", "hexahedron", "wedge", "pyramid", "dual"])
def test_autodiff_knows_all_faces_of_flat_cells(kind):
    mesh = dual(solid("tetra", 3)) if kind == "dual" else solid(kind, 3)
    flow = Flow(mesh, mesh.points @ A.T, "points")
    walls = at_walls(flow, np.ones(len(mesh.topology.boundary), bool), scheme="autodiff")
    np.testing.assert_allclose(walls.gradient.L, np.broadcast_to(A, (len(walls), 3, 3)), atol=1e-10)


def test_an_array_at_the_faces_is_the_same_all_over_each():
    exact, flow = couette(8, 2, 2)
    walls = inner(flow, exact)
    own = np.linspace(1, 2, len(walls))
    given = at_walls(flow, np.isin(np.arange(16), walls.faces), viscosity=own)
    np.testing.assert_allclose(given.viscosity, own, rtol=1e-12)
    np.testing.assert_allclose(given.wall_shear_stress, own[:, None] * walls.shear_rate_vector, rtol=1e-12)
