"""Hanging nodes: faces between cells of different sizes are no boundary."""

import numpy as np
import pytest

from flowgrad import Flow, Mesh, velocity_gradient
from flowgrad.paths import pathlines
from tests.apart import apart, refined

REGIONS = {
    "half": lambda x: x[:, 0] < 0.5,
    "middle": lambda x: np.abs(x - 0.5).max(axis=1) < 0.25,
    "corner": lambda x: (x < 0.5).all(axis=1),
}
CASES = [(d, region, factor) for d in (2, 3) for region in REGIONS for factor in (2, 3)]
SCHEMES = {
    "points": ("auto", "autodiff", *(f"finite-difference(order={p})" for p in (1, 2, 3))),
    "cells": ("auto", "green-gauss", *(f"finite-difference(order={p})" for p in (1, 2, 3))),
}


@pytest.mark.parametrize("owns", [False, True])
@pytest.mark.parametrize(("dimension", "region", "factor"), CASES)
def test_the_boundary_is_the_outside_alone(dimension, region, factor, owns):
    mesh = refined(dimension, REGIONS[region], factor=factor)
    mesh = apart(mesh)[0] if owns else mesh
    plain = refined(dimension, lambda x: np.zeros(len(x), bool))
    area, middles = mesh.topology.boundary_geometry
    whole, others = plain.topology.boundary_geometry
    np.testing.assert_allclose(area.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(area, axis=1).sum(), np.linalg.norm(whole, axis=1).sum())
    np.testing.assert_allclose((area * middles).sum() / dimension, (whole * others).sum() / dimension)
    assert mesh.measures.sum() == pytest.approx(plain.measures.sum())


@pytest.mark.parametrize("amount", [0.02, 0.1])
@pytest.mark.parametrize(("dimension", "region", "factor"), CASES)
def test_faces_that_follow_a_curved_shape_are_found_too(dimension, region, factor, amount):
    mesh = refined(dimension, REGIONS[region], n=6, factor=factor)
    moved = amount * np.sin(3 * mesh.points[:, [1, 2, 0]]) * (np.arange(3) < dimension)
    curved = Mesh(mesh.points + moved, mesh.cells)
    np.testing.assert_array_equal(curved.topology.boundary, mesh.topology.boundary)


@pytest.mark.parametrize("location", SCHEMES)
@pytest.mark.parametrize(("dimension", "region", "factor"), CASES)
def test_linear_fields_are_exact(dimension, region, factor, location):
    mesh = refined(dimension, REGIONS[region], factor=factor)
    L = np.random.default_rng(3).normal(size=(3, 3))
    if dimension == 2:
        L[:, 2] = 0
    flow = Flow(mesh, mesh.places(location) @ L.T + 1, location)
    for scheme in SCHEMES[location]:
        for at in ("points", "cells"):
            found = velocity_gradient(flow, scheme, at).L
            np.testing.assert_allclose(found, np.broadcast_to(L, found.shape), atol=1e-10, err_msg=f"{scheme} {at}")


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("dimension", [2, 3])
def test_particles_pass_from_large_cells_to_small_ones(dimension, factor):
    mesh = refined(dimension, REGIONS["half"], factor=factor)
    middle = (mesh.centroids * mesh.measures[:, None]).sum(axis=0) / mesh.measures.sum()
    spin = np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 0]])
    flow = Flow(mesh, (mesh.points - middle) @ spin.T, "points")
    rng = np.random.default_rng(0)
    starts = middle + rng.uniform(-0.2, 0.2, (40, 3)) * [1, 1, dimension == 3]
    found = pathlines(flow, starts, [0, 2 * np.pi])
    assert found.stayed.all()
    np.testing.assert_allclose(found.positions[-1], starts, atol=1e-3)
