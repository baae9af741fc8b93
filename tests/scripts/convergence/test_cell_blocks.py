"""The meshes made of others fill what these filled, with cells of the kind they name."""

import numpy as np
import pytest

from flowgrad.mesh.generate import block
from scripts.convergence.cell_blocks import hexagons, polyhedra, pyramids, with_boundary

SOLID, FLAT, TETRAHEDRA = block("hexahedron", 4), block("quad", 5), block("tetra", 4)


@pytest.mark.parametrize(
    ("mesh", "counts"),
    [
        (pyramids(SOLID), {"pyramid": 6 * 27}),
        (polyhedra(SOLID), {"polyhedron": 27}),
        (hexagons(FLAT), {"polygon": 8}),
        (with_boundary(TETRAHEDRA), {"triangle": 6 * 9 * 2, "tetra": 6 * 27}),
    ],
)
def test_they_fill_the_block(mesh, counts):
    assert mesh.type_counts() == counts
    full = mesh.measures[mesh.is_full]
    assert (full > 0).all()
    np.testing.assert_allclose(full.sum(), 1, rtol=1e-12)


@pytest.mark.parametrize(("mesh", "sides"), [(pyramids(SOLID), 54), (polyhedra(SOLID), 54), (hexagons(FLAT), 16)])
def test_they_have_no_gaps(mesh, sides):
    points = mesh.points[mesh.topology.boundary_polygons[1]]
    assert ((points == 0) | (points == 1)).any(axis=1).all()
    assert len(mesh.topology.boundary) == sides


def test_polyhedra_are_the_hexahedra():
    made = polyhedra(SOLID)
    np.testing.assert_allclose(made.measures, SOLID.measures, rtol=0.02)
    np.testing.assert_array_equal(made.cells.connectivity, SOLID.cells.connectivity)
