"""Lagrange cells with Gauss–Lobatto nodes: the nodes, their recognition, and exactness in their own basis."""

import dataclasses
import itertools

import numpy as np
import pytest

import flowgrad
from flowgrad import Flow, Mesh, velocity_gradient
from flowgrad.mesh import LAGRANGE_CELLS
from flowgrad.mesh.locate import locate
from flowgrad.mesh.reference.lagrange import lagrange_cell
from flowgrad.mesh.reference.node_sets import NODE_SETS, gauss_lobatto
from tests.high_order import bent, polynomial, straight

GAUSS_LOBATTO = ["gll_warped", "gll_isaac"]
SHAPES = [68, 69, 70, 71, 72, 73]


def cell_of(vtk_type, degree, node_set):
    count = LAGRANGE_CELLS[vtk_type].count(degree, degree, degree)
    return lagrange_cell(vtk_type, count, (degree,) * 3, node_set)


def cells_of(vtk_type, degree, node_set, n=2):
    return straight(cell_of(vtk_type, degree, node_set), n)


def shares_of(degree, dimension):
    rows = [s for s in itertools.product(range(degree + 1), repeat=dimension + 1) if sum(s) == degree]
    return np.array(rows)


def test_gauss_lobatto_nodes_are_those_of_the_tables():
    """Abramowitz & Stegun 1964, table 25.6, in [−1, 1]."""
    np.testing.assert_allclose(2 * gauss_lobatto(3) / 3 - 1, [-1, -np.sqrt(1 / 5), np.sqrt(1 / 5), 1], atol=1e-15)
    np.testing.assert_allclose(2 * gauss_lobatto(4) / 4 - 1, [-1, -np.sqrt(3 / 7), 0, np.sqrt(3 / 7), 1], atol=1e-15)
    np.testing.assert_allclose(2 * gauss_lobatto(6)[4] / 6 - 1, 0.468848793470714, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "degree", "shares", "node"),
    [
        ("gll_warped", 4, (1, 1, 2), 0.22422438821533716),
        ("gll_warped", 5, (2, 1, 2), 0.4142052527467741),
        ("gll_isaac", 4, (1, 1, 2), 0.22215519822894975),
        ("gll_isaac", 5, (2, 1, 2), 0.4180653326243806),
    ],
)
def test_nodes_in_triangles_are_those_of_basix(name, degree, shares, node):
    """``basix.create_lattice(triangle, degree, gll, True, warp or isaac)`` of fenics-basix 0.11.0."""
    assert NODE_SETS[name].simplex(np.array([shares]), degree)[0, 0] == pytest.approx(node, abs=1e-15)


@pytest.mark.parametrize("name", GAUSS_LOBATTO)
@pytest.mark.parametrize(("dimension", "degree"), [(2, 3), (2, 6), (3, 4), (3, 7)])
def test_nodes_of_simplices_turn_with_the_corners_and_are_gauss_lobatto_along_edges(name, dimension, degree):
    shares = shares_of(degree, dimension)
    nodes = NODE_SETS[name].simplex(shares, degree)
    np.testing.assert_allclose(nodes.sum(axis=1), 1, atol=1e-14)
    turned = NODE_SETS[name].simplex(np.roll(shares, 1, axis=1), degree)
    np.testing.assert_allclose(np.roll(nodes, 1, axis=1), turned, atol=1e-15)
    edge = (shares[:, 2:] == 0).all(axis=1)
    np.testing.assert_allclose(nodes[edge, 0], gauss_lobatto(degree)[shares[edge, 0]] / degree, atol=1e-15)


@pytest.mark.parametrize("degree", [3, 5, 7])
@pytest.mark.parametrize("name", NODE_SETS)
@pytest.mark.parametrize("vtk_type", SHAPES)
def test_a_polynomial_of_the_degree_is_exact_on_the_nodes_that_the_cells_have(vtk_type, name, degree):
    mesh = cells_of(vtk_type, degree, name, 1 if degree == 7 else 2)
    v, L = polynomial(degree)
    gradient = velocity_gradient(Flow(mesh, v(mesh.points), "points"), "autodiff")
    exact = L(mesh.points)
    if mesh.dimension == 1:
        along = mesh.points[1] - mesh.points[0]
        exact = exact @ np.outer(along, along) / (along @ along)
    elif mesh.dimension == 2:
        normal = mesh.structure.normal
        exact = exact @ (np.eye(3) - np.outer(normal, normal))
    assert np.abs(gradient.L - exact).max() < 1e-12 * np.abs(exact).max()
    said = [note for note in gradient.notes if "Gauss–Lobatto" in note]
    assert len(said) == (name != "equispaced")


@pytest.mark.parametrize("name", NODE_SETS)
@pytest.mark.parametrize("vtk_type", [69, 71, 73])
def test_the_set_is_recognised_in_float32_far_from_the_origin(vtk_type, name):
    mesh = cells_of(vtk_type, 5, name)
    points = (mesh.points + 50).astype(np.float32)
    assert Mesh(points, dataclasses.replace(mesh.cells, node_set="")).cells.node_set == name


@pytest.mark.parametrize("name", ["equispaced", "gll_warped"])
@pytest.mark.parametrize("vtk_type", SHAPES[1:])
def test_few_straight_cells_or_edges_among_curved_ones_are_enough(vtk_type, name):
    mesh = cells_of(vtk_type, 4, name, 3)
    points = mesh.points.copy()
    points[:, 1] += 0.2 * np.maximum(points[:, 0] - points[:, 0].mean(), 0) ** 2
    assert Mesh(points, dataclasses.replace(mesh.cells, node_set="")).cells.node_set == name
    # A ring: only the edges along its radius are straight.
    plain = straight(cell_of(vtk_type, 4, name), 3, np.eye(3))
    x, y, z = plain.points.T
    ring = np.column_stack([(2 + x) * np.cos(y), (2 + x) * np.sin(y), z])
    assert Mesh(ring, dataclasses.replace(plain.cells, node_set="")).cells.node_set == name


def test_where_no_edge_is_straight_vtks_definition_holds():
    mesh = cells_of(72, 3, "gll_warped")
    mesh = bent(Mesh(mesh.points, dataclasses.replace(mesh.cells, node_set="equispaced")), 0.3)
    again = Mesh(mesh.points, dataclasses.replace(mesh.cells, node_set=""))
    assert again.cells.node_set == "equispaced"
    assert not again.cells.notes


def test_up_to_degree_two_the_sets_are_one():
    for name in GAUSS_LOBATTO:
        assert cells_of(72, 2, name).cells.node_set == "equispaced"
        np.testing.assert_allclose(cell_of(71, 2, name).nodes, cell_of(71, 2, "equispaced").nodes, atol=1e-16)


@pytest.mark.parametrize("vtk_type", [70, 71, 72, 73])
def test_places_and_measures_of_curved_cells_are_those_of_their_own_nodes(vtk_type):
    """The same smooth map sampled at either set: both interpolants are near it, and a position is found where it is."""
    rows = {}
    for name in ("equispaced", "gll_warped"):
        mesh = straight(cell_of(vtk_type, 5, name), 1, np.eye(3))
        x = mesh.points
        moved = x.copy()
        moved[:, 0] += 0.1 * np.sin(x[:, 1])
        moved[:, 1] += 0.1 * np.cos(x[:, 0])
        cells = dataclasses.replace(mesh.cells, node_set=name)
        rows[name] = Mesh(moved, cells)
        found = locate(rows[name], moved)
        block = rows[name].blocks[0]
        assert found.inside.all()
        np.testing.assert_allclose(
            np.einsum(
                "mk,mki->mi",
                block.reference.values(found.xi[:, : block.reference.dimension]),
                moved[block.rows[found.cells]],
            ),
            moved,
            atol=1e-9,
        )
    measures = [mesh.measures.sum() for mesh in rows.values()]
    assert measures[0] == pytest.approx(measures[1], rel=1e-6)


def test_a_file_keeps_its_nodes(tmp_path):
    mesh = cells_of(72, 4, "gll_warped")
    v, L = polynomial(4)
    flow = Flow(mesh, v(mesh.points), "points")
    flowgrad.write(tmp_path / "nodes.vtu", flow)
    again = flowgrad.read(tmp_path / "nodes.vtu")
    assert again.mesh.cells.node_set == "gll_warped"
    found = velocity_gradient(again, "autodiff").L
    assert np.abs(found - L(mesh.points)).max() < 1e-11 * np.abs(found).max()
    assert any("Gauss–Lobatto" in line for line in _described(tmp_path / "nodes.vtu"))


def _described(path):
    from flowgrad.cli.info import describe
    from flowgrad.io.options import ReadOptions

    return list(describe(path, ReadOptions()))


def test_the_other_bases_are_worse_by_much():
    """An exact cubic on Gauss–Lobatto nodes, taken as equispaced: wrong by a third."""
    mesh = cells_of(70, 3, "gll_warped")
    v, _ = polynomial(3)
    right = velocity_gradient(Flow(mesh, v(mesh.points), "points"), "autodiff").L
    taken = Mesh(mesh.points, dataclasses.replace(mesh.cells, node_set="equispaced"))
    wrong = velocity_gradient(Flow(taken, v(mesh.points), "points"), "autodiff").L
    assert np.abs(wrong - right).max() > 0.05 * np.abs(right).max()
