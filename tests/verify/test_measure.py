"""What counts as the boundary, and how errors are measured."""

import numpy as np

from flowgrad import Cells, Lattice, Mesh, Patch
from flowgrad.exact import Linear
from flowgrad.mesh.generate import block
from flowgrad.verify import ErrorNorms, at_boundary, sampled
from tests import meshes


def test_deviations_by_hand():
    exact = np.zeros((4, 3, 3))
    exact[:, 0, 0] = 2.0
    L = exact.copy()
    L[0, 1, 2], L[1, 0, 0], L[2, 0, 1], L[3] = 3.0, 3.0, 4.0, np.nan
    found = ErrorNorms.of(L, exact, np.array([False, False, True, True]))
    assert found.interior == np.sqrt((9 + 1) / 2) / 2
    assert found.boundary == 2.0
    assert found.overall == np.sqrt((9 + 1 + 16) / 3) / 2
    assert (found.largest, found.worst, found.missing) == (2.0, 2, 1)


def test_parts_without_places_are_nan():
    found = ErrorNorms.of(np.ones((1, 3, 3)), np.ones((1, 3, 3)), np.array([True]))
    assert np.isnan(found.interior)
    assert found.boundary == 0


def test_the_boundary_of_a_block():
    mesh = block("tetra", 5)
    outside = ((mesh.points == 0) | (mesh.points == 1)).any(axis=1)
    np.testing.assert_array_equal(at_boundary(mesh, "points"), outside)
    corners = mesh.points[mesh.cells.connectivity].reshape(-1, 4, 3)
    on_a_side = [((corners == side).sum(axis=1) == 3).any(axis=1) for side in (0, 1)]
    np.testing.assert_array_equal(at_boundary(mesh, "cells"), on_a_side[0] | on_a_side[1])


def test_layers_one_cell_thick_have_an_inside():
    points, rows = meshes.lattice(5, distortion=0.0)
    mesh = Mesh(points, Cells.of_type(12, rows[np.isclose(points[rows].mean(axis=1)[:, 2], 0.5)]))
    assert at_boundary(mesh, "cells").all()
    assert at_boundary(mesh, "cells", np.array([[0.0, 0, 1]])).sum() == 16
    used = points[:, 2] < 1.5
    assert at_boundary(mesh, "points", np.array([[0.0, 0, 1]]))[used].sum() == 2 * 20


def test_lattices_end_where_they_are_not_periodic():
    lattice = Lattice.uniform((4, 5, 6), 1.0, periodic=(True, False, False))
    grid = lattice.grid(at_boundary(lattice, "points"))
    expected = np.zeros((4, 5, 6), bool)
    expected[:, [0, -1]] = expected[:, :, [0, -1]] = True
    np.testing.assert_array_equal(grid, expected)
    np.testing.assert_array_equal(lattice.grid(at_boundary(lattice, "cells"))[:, 0], np.ones((3, 5), bool))


def test_patches_get_the_flow_at_their_faces():
    mesh = block("tetra", 4)
    patch = Patch("wall", np.array([3, 5]), np.zeros((2, 3)))
    flow = sampled(Linear(np.diag([1.0, 2, 3]), np.zeros(3)), mesh, "cells", (patch,))
    np.testing.assert_allclose(flow.boundary[0].velocity, mesh.topology.boundary_geometry[1][[3, 5]] * [1, 2, 3])
    np.testing.assert_allclose(flow.velocity, mesh.centroids * [1, 2, 3])
