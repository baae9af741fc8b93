"""Blocks fill their box without gaps, and their boundary stays where it is."""

import numpy as np
import pytest

from flowgrad.mesh.generate import block, quadratic

KINDS = {"triangle": (2, 2), "quad": (2, 1), "tetra": (3, 6), "hexahedron": (3, 1), "wedge": (3, 2)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_fills_its_box(kind):
    dimension, parts = KINDS[kind]
    mesh = block(kind, 5, 2.0, jitter=0.2, seed=3)
    assert mesh.point_count == 5**dimension
    assert len(mesh) == parts * 4**dimension
    assert mesh.dimension == dimension
    assert (mesh.signed_measures > 0).all()
    np.testing.assert_allclose(mesh.measures.sum(), 2.0**dimension, rtol=1e-13)
    moved = np.abs(mesh.points - block(kind, 5, 2.0, jitter=0).points)
    boundary = ((mesh.points == 0) | (mesh.points == 2))[:, :dimension].any(axis=1)
    assert not moved[boundary].any()
    assert 0.05 < moved[~boundary].max() <= 0.2 * 0.5
    on_it = np.unique(mesh.topology.boundary_polygons[1])
    np.testing.assert_array_equal(on_it, np.flatnonzero(boundary))


@pytest.mark.parametrize("kind", ["triangle", "tetra"])
def test_quadratic_cells_share_the_middles_of_their_edges(kind):
    coarse, n = block(kind, 4, seed=1), 3
    mesh = quadratic(coarse)
    in_plane = 2 * n * (n + 1) + n**2
    in_space = 3 * n * (n + 1) ** 2 + 3 * n**2 * (n + 1) + n**3
    assert mesh.point_count - coarse.point_count == (in_plane if kind == "triangle" else in_space)
    np.testing.assert_allclose(mesh.measures.sum(), 1, rtol=1e-13)
    np.testing.assert_allclose(mesh.centroids, coarse.centroids, atol=1e-13)
    assert set(mesh.type_counts()) == {f"quadratic_{kind}"}
