"""What cannot be differentiated is masked and counted, and costs nothing else."""

import numpy as np
import pytest

from flowgrad import Flow, Mesh, OptionError, velocity_gradient
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


def test_missing_cell_values_exclude_the_cells_whose_fit_uses_them():
    mesh = meshes.SOLIDS["hexahedron"]
    velocity = mesh.centroids @ L.T
    velocity[13] = np.nan
    result = velocity_gradient(Flow(mesh, velocity, "cells"))
    assert not result.valid[13]
    assert result.valid.sum() == len(mesh) - 1 - (mesh.topology.pairs == 13).any(axis=1).sum()


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
    with pytest.raises(OptionError, match="use autodiff"):
        velocity_gradient(flow, "finite-difference")
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
