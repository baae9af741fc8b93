"""What cannot be differentiated is masked and counted, and costs nothing else."""

import numpy as np
import pytest

from flowgrad import Autodiff, Cells, FiniteDifference, Flow, Mesh, OptionError, Patch, velocity_gradient
from tests import meshes

L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


def test_only_the_cells_that_use_a_missing_value_are_excluded():
    mesh = meshes.SOLIDS["tetra"]
    velocity = mesh.points @ L.T
    velocity[10] = np.nan
    result = velocity_gradient(Flow(mesh, velocity, "points"), at="cells")
    uses = (mesh.cells.connectivity.reshape(-1, 4) == 10).any(axis=1)
    np.testing.assert_array_equal(result.valid, ~uses)
    np.testing.assert_allclose(result.L[~uses], np.broadcast_to(L, result.L[~uses].shape), atol=1e-12)
    assert f"{uses.sum()} of {len(mesh)} cells have no gradient" in " ".join(result.notes)
    at_points = velocity_gradient(Flow(mesh, velocity, "points"))
    assert not at_points.valid[10] or np.allclose(at_points.L[10], L)
    np.testing.assert_allclose(
        at_points.L[at_points.valid], np.broadcast_to(L, at_points.L[at_points.valid].shape), atol=1e-11
    )


@pytest.mark.parametrize("order", [1, 2])
def test_missing_cell_values_take_no_part(order):
    mesh = meshes.SOLIDS["hexahedron"]
    velocity = mesh.centroids @ L.T
    velocity[13] = np.nan
    result = velocity_gradient(Flow(mesh, velocity, "cells"), f"finite-difference(order={order})")
    assert np.flatnonzero(~result.valid).tolist() == [13]
    np.testing.assert_allclose(result.L[result.valid], np.broadcast_to(L, (len(mesh) - 1, 3, 3)), atol=1e-11)


def test_flat_cells_are_excluded_and_inverted_ones_told():
    mesh = meshes.SOLIDS["tetra"]
    rows = mesh.cells.connectivity.reshape(-1, 4).copy()
    rows[5] = rows[5][[1, 0, 2, 3]]
    rows[7, 3] = rows[7, 2]
    broken = meshes.build(mesh.points, [("tetra", row) for row in rows])
    result = velocity_gradient(Flow(broken, mesh.points @ L.T, "points"), at="cells")
    assert np.flatnonzero(~result.valid).tolist() == [7]
    np.testing.assert_allclose(result.L[5], L, atol=1e-12)
    text = " ".join(result.notes)
    assert "1 of zero volume" in text
    assert f"1 of {len(mesh)} cells are inverted" in text


def test_a_lower_cell_without_a_full_one_is_excluded():
    points = np.vstack([np.eye(4)[:, :3], [[5.0, 5, 5], [6, 5, 5], [5, 6, 5]]])
    mesh = meshes.build(points, [("tetra", (0, 1, 2, 3)), ("triangle", (0, 1, 2)), ("triangle", (4, 5, 6))])
    result = velocity_gradient(Flow(mesh, points @ L.T, "points"), at="cells")
    assert result.valid.tolist() == [True, True, False]
    assert "1 of lower dimension without a full cell" in " ".join(result.notes)


def test_one_cell_thick_meshes_have_no_derivative_across():
    mesh = meshes.solid("hexahedron", 3)
    layer = meshes.build(
        np.round(mesh.points), [("hexahedron", r) for r in mesh.cells.connectivity.reshape(-1, 8)[::3]]
    )
    result = velocity_gradient(Flow(layer, layer.centroids @ L.T, "cells"))
    np.testing.assert_allclose(result.L[:, :, :2], np.broadcast_to(L[:, :2], (9, 3, 2)), atol=1e-12)
    np.testing.assert_allclose(result.L[:, :, 2], 0, atol=1e-12)
    assert "one cell thick along (0, 0, 1)" in " ".join(result.notes)


def test_schemes_that_do_not_fit_are_refused():
    mesh = meshes.SOLIDS["tetra"]
    flow = Flow(mesh, mesh.points, "points")
    with pytest.raises(OptionError, match=r"order=6.* needs a lattice.* from 1 to 4, or autodiff"):
        velocity_gradient(flow, "finite-difference(order=6)")
    with pytest.raises(OptionError, match=r"do not form a lattice: use finite-difference\(lattice=False\)"):
        velocity_gradient(flow, "finite-difference(order=4, lattice=True)")
    with pytest.raises(OptionError, match="did you mean 'autodiff'"):
        velocity_gradient(flow, "autodif")
    with pytest.raises(OptionError, match="use finite-difference"):
        velocity_gradient(Flow(mesh, mesh.centroids, "cells"), "autodiff")
    with pytest.raises(OptionError, match="at='nodes'"):
        velocity_gradient(flow, at="nodes")


def test_stored_gradients_are_turned_by_convention_and_checked_against_the_velocity():
    mesh = meshes.SOLIDS["tetra"]
    stored = np.broadcast_to(L.T.ravel(), (len(mesh), 9))
    flow = Flow(mesh, mesh.points @ L.T, "points", cell_data={"grad(U)": stored, "Gradients": stored})
    result = velocity_gradient(flow, "file(name='grad(U)')", at="cells")
    np.testing.assert_array_equal(result.L, np.broadcast_to(L, result.L.shape))
    assert "transposed from OpenFOAM" in result.notes[0]
    with pytest.raises(OptionError, match="transposed=True"):
        velocity_gradient(flow, "file(name='Gradients')", at="cells")
    forced = velocity_gradient(flow, "file(name='Gradients', transposed=True)", at="cells")
    np.testing.assert_array_equal(forced.L, result.L)
    with pytest.raises(OptionError, match="use --at cells"):
        velocity_gradient(flow, "file(name='grad(U)')")


def test_tangled_points_do_not_divide_by_zero():
    mesh = Mesh(np.zeros((8, 3)), meshes.solid("hexahedron", 1).cells)
    result = velocity_gradient(Flow(mesh, np.ones((8, 3)), "points"), at="cells")
    assert not result.valid.any()


def layer(amplitude, n=10):
    """One layer of hexahedra on a wavy bed."""
    axis = np.linspace(0, 1, n + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    bed = np.stack([x, y, amplitude * np.sin(5 * x) * np.cos(5 * y)], -1).reshape(-1, 3)
    top = np.stack([x, y, np.full_like(x, 0.5)], -1).reshape(-1, 3)
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    square = [index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]]
    rows = np.stack([part.ravel() for part in square] + [part.ravel() + (n + 1) ** 2 for part in square], axis=1)
    return Mesh(np.vstack([bed, top]), Cells.of_type(12, rows))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_curved_layer_one_cell_thick_invents_no_derivative_across(order):
    scheme = FiniteDifference(order=order, lattice=False)
    mesh = layer(0.1)
    velocity = np.sin(mesh.centroids[:, 1])[:, None] * np.array([1.0, 0, 0])
    for at in ("cells", "points", mesh.centroids[:3]):
        assert not velocity_gradient(Flow(mesh, velocity, "cells"), scheme, at).valid.any()
    flat = layer(0.0)
    velocity = flat.centroids @ L.T
    result = velocity_gradient(Flow(flat, velocity, "cells"), scheme)
    np.testing.assert_allclose(result.L[:, :, :2], np.broadcast_to(L[:, :2], (100, 3, 2)), atol=1e-12)


def test_boundary_cells_without_values_are_one_sided():
    mesh = meshes.SOLIDS["hexahedron"]
    flow = Flow(mesh, mesh.centroids, "cells")
    np.testing.assert_array_equal(velocity_gradient(flow).one_sided, np.arange(27) != 13)
    faces = np.arange(len(mesh.topology.boundary))
    walls = Patch("walls", faces, mesh.topology.boundary_geometry[1])
    assert velocity_gradient(Flow(mesh, mesh.centroids, "cells", boundary=(walls,))).one_sided is None
    flat = layer(0.0)
    inside = velocity_gradient(Flow(flat, flat.centroids, "cells")).one_sided
    assert inside.sum() == 36, "front and back of a layer are no boundary"


def test_three_thin_layers_are_not_one():
    mesh = meshes.SOLIDS["voxel"]
    thin = Mesh(mesh.points * [1, 1, 1e-6], mesh.cells)
    result = velocity_gradient(Flow(thin, thin.centroids @ L.T, "cells"))
    np.testing.assert_allclose(result.L, np.broadcast_to(L, result.L.shape), atol=1e-6)
    assert not any("thick" in note for note in result.notes)


def test_a_row_of_squares_tells_what_it_does_not_know():
    row = meshes.build(
        np.array([[x, y, 0.0] for y in (0, 1) for x in range(6)]),
        [("quad", (i, i + 1, i + 7, i + 6)) for i in range(5)],
    )
    result = velocity_gradient(Flow(row, row.centroids, "cells"))
    assert "one cell thick along (0, 1, 0)" in " ".join(result.notes)


@pytest.mark.parametrize("name", ["polyhedron", "pentagonal_prism", "hexagonal_prism", "hexahedron"])
def test_flat_cells_keep_their_digits(name):
    """The error grows with the aspect ratio, not with its square: boundary layers of polyhedra."""
    mesh = meshes.SOLIDS[name]
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    flat = Mesh((mesh.points * [1, 1, 1e-4]) @ turn.T, mesh.cells)
    result = velocity_gradient(Flow(flat, flat.points @ L.T, "points"), at="cells")
    np.testing.assert_allclose(result.L, np.broadcast_to(L, result.L.shape), atol=1e-10)


def test_collapsed_corners_take_the_centre():
    """Hexahedra as prisms, the way lattices around an axis are written."""
    points, rows = meshes.lattice(2, distortion=0.0)
    rows[:, 3], rows[:, 7] = rows[:, 0], rows[:, 4]
    mesh = meshes.build(points, [("hexahedron", row) for row in rows])
    result = velocity_gradient(Flow(mesh, points @ L.T, "points"))
    used = np.unique(rows)
    np.testing.assert_allclose(result.L[used], np.broadcast_to(L, (len(used), 3, 3)), atol=1e-12)


def test_matrices_have_no_row_where_there_is_no_gradient():
    points = np.vstack([np.eye(4)[:, :3], [[5.0, 5, 5], [6, 5, 5], [5, 6, 5]]])
    mesh = meshes.build(points, [("tetra", (0, 1, 2, 3)), ("triangle", (4, 5, 6))])
    operator = Autodiff().prepare(Flow(mesh, points, "points"), "cells")
    assert np.isnan(operator.matrices[0] @ points[:, 0]).tolist() == [False, True]


def test_coordinates_that_are_missing_cost_their_cells():
    mesh = meshes.SOLIDS["hexahedron"]
    points = mesh.points.copy()
    points[0] = np.nan
    broken = Mesh(points, mesh.cells)
    result = velocity_gradient(Flow(broken, mesh.centroids, "cells"))
    assert 0 < (~result.valid).sum() < 8
    assert "coordinates that are not finite" in " ".join(result.notes)
    assert "inverted" not in " ".join(result.notes)


def test_gradients_of_something_else_are_refused():
    mesh = meshes.SOLIDS["tetra"]
    stress = np.tile(100 * np.diag([1.0, 2, 3]).ravel(), (len(mesh), 1))
    flow = Flow(mesh, mesh.points @ L.T, "points", cell_data={"tau": stress, "tau6": stress[:, :6]})
    for name, words in (("tau", "is no gradient of"), ("tau6", "has 9 components"), ("nope", "tau")):
        with pytest.raises(OptionError, match=words):
            velocity_gradient(flow, f"file(name='{name}')", at="cells")


def test_values_that_are_no_numbers_are_refused_or_missing():
    mesh = meshes.SOLIDS["tetra"]
    with pytest.raises(OptionError, match="complex"):
        Flow(mesh, mesh.points * 1j, "points")
    masked = np.ma.masked_array(mesh.points, mesh.points < -1e9)
    masked[3] = np.ma.masked
    assert not velocity_gradient(Flow(mesh, masked, "points"), at="cells").valid.all()
