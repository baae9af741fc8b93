"""The estimated error is the true one: effectivity, estimated over true in the root mean square."""

import numpy as np
import pytest

from flowgrad import Flow, velocity_gradient
from tests import meshes
from tests.gradient import known

CASES = [
    ("autodiff", "points", "cells"),
    ("autodiff", "points", "points"),
    ("finite-difference(order=1)", "cells", "cells"),
    ("finite-difference(order=2)", "cells", "cells"),
    ("finite-difference(order=2)", "points", "points"),
    ("finite-difference(order=3)", "points", "points"),
]
SHIFT = np.array([0.0, 0, 1])
SIZES = {"triangle": (10, 20), "quad": (10, 20), "tetra": (6, 12), "hexahedron": (6, 12)}


def mesh_of(name, n):
    """Of n cells a side, in a box of side 2."""
    mesh = meshes.planar(name, n) if name in ("triangle", "quad") else meshes.solid(name, n)
    return type(mesh)(2 / n * mesh.points, mesh.cells)


def velocity(x, flat):
    return known.velocity(x + SHIFT) * ([1, 0, 1] if flat else [1, 1, 1])


def exact(x, flat):
    L = known.gradient(x + SHIFT)
    if flat:
        L[:, :, 2] = 0
        L[:, 1] = 0
    return L


def effectivity(name, n, scheme, location, at):
    mesh, flat = mesh_of(name, n), name in ("triangle", "quad")
    positions = {"points": mesh.points, "cells": mesh.centroids}
    flow = Flow(mesh, velocity(positions[location], flat), location)
    found = velocity_gradient(flow, scheme, at, error=True)
    assert np.isfinite(found.error).all()
    true = np.linalg.norm(found.L - exact(positions[at], flat), axis=(1, 2))
    return np.sqrt(found.weights @ found.error**2 / (found.weights @ true**2)), np.sqrt(np.mean(true**2))


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(("scheme", "location", "at"), CASES)
def test_effectivity_on_smooth_fields_under_refinement(name, scheme, location, at):
    coarse, fine = SIZES[name]
    _, error = effectivity(name, coarse, scheme, location, at)
    ratio, smaller = effectivity(name, fine, scheme, location, at)
    assert smaller < 0.75 * error
    assert 0.7 < ratio < 1.4


def test_fits_that_are_both_lowered_tell_no_error():
    """On one hexahedron the fits of order 4 and 5 are the same linear ones."""
    mesh = meshes.solid("hexahedron", 1)
    flow = Flow(mesh, velocity(mesh.points, flat=False), "points")
    found = velocity_gradient(flow, "finite-difference(order=4, lattice=False)", error=True)
    assert found.valid.all()
    assert np.isnan(found.error).all()
    assert "not known at 8 of 8 points" in " ".join(found.notes)


def test_the_bias_is_what_the_noise_does_not_explain():
    """The note tells the error of the same fits to the field without its noise."""
    mesh = mesh_of("triangle", 24)
    smooth = velocity(mesh.points, flat=False)
    noisy = smooth + 0.01 * np.random.default_rng(5).normal(size=smooth.shape)
    scheme = "finite-difference(order=2, smoothing=6)"
    true = velocity_gradient(Flow(mesh, smooth, "points"), scheme, error=True).relative_error
    found = velocity_gradient(Flow(mesh, noisy, "points", noise=0.01), scheme, error=True)
    text = next(note for note in found.notes if "the bias is" in note)
    explained, bias = (float(part.split(";")[0]) for part in (text.split("explains ")[1], text.split("bias is ")[1]))
    assert found.relative_error == pytest.approx(np.hypot(explained, bias), rel=0.05)
    assert explained > 0.8 * bias
    assert bias == pytest.approx(true, rel=0.15)
