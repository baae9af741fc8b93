"""Quantities that need the velocity, second derivatives, time and viscosity beside L."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice, Mesh, OptionError, VelocityGradient, velocity_gradient
from flowgrad.exact import ABC
from tests import meshes

RNG = np.random.default_rng(5)
POINTS = RNG.uniform(-2, 2, (200, 3))
ABC_FLOW = velocity_gradient(ABC(), at=POINTS, second=True)


def homogeneous(L):
    L = np.array([L], float)
    velocity = RNG.normal(size=(1, 3))
    return VelocityGradient(L).supply(hessian=np.zeros((1, 3, 3, 3)), L_rate=np.zeros((1, 3, 3)), velocity=velocity)


def test_a2_of_simple_shear_and_extension():
    gamma, rate = 2.5, 0.7
    shear = homogeneous([[0, gamma, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(shear["rivlin_ericksen_2"][0], np.diag([0, 2 * gamma**2, 0]), atol=1e-14)
    extension = homogeneous(np.diag([rate, -rate / 2, -rate / 2]))
    A1 = extension["rivlin_ericksen_1"]
    np.testing.assert_allclose(extension["rivlin_ericksen_2"], A1 @ A1, atol=1e-14)


def test_abc_flow_is_beltrami():
    """ω = v, so that v·ω = |v|², cos(v, ω) = 1, ω × v = 0 and ∇²v = −v."""
    v = ABC()(POINTS)
    np.testing.assert_allclose(ABC_FLOW["velocity"], v)
    np.testing.assert_allclose(ABC_FLOW["helicity"], (v**2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(ABC_FLOW["relative_helicity"], 1, rtol=1e-12)
    np.testing.assert_allclose(ABC_FLOW["laplacian"], -v, atol=1e-12)
    np.testing.assert_allclose(ABC_FLOW["enstrophy"], (v**2).sum(axis=1) / 2, rtol=1e-12)


def test_convective_acceleration_is_what_a_particle_feels():
    h = 1e-5
    v = ABC()(POINTS)
    expected = (ABC()(POINTS + h * v) - ABC()(POINTS - h * v)) / (2 * h)
    np.testing.assert_allclose(ABC_FLOW["convective_acceleration"], expected, atol=1e-8)
    np.testing.assert_allclose(ABC_FLOW["acceleration"], expected, atol=1e-8)  # steady: a function of x alone


def test_stretching_and_alignment_by_their_definitions():
    omega, D = ABC_FLOW["vorticity"], ABC_FLOW.D
    expected = np.einsum("ni,nij,nj->n", omega, D, omega)
    np.testing.assert_allclose(ABC_FLOW["vortex_stretching"], expected, atol=1e-12)
    cosines, rates = ABC_FLOW["vorticity_strain_alignment"], ABC_FLOW["principal_rates"]
    np.testing.assert_allclose((cosines**2).sum(axis=1), 1)
    np.testing.assert_allclose((omega**2).sum(axis=1) * (cosines**2 * rates).sum(axis=1), expected, atol=1e-12)
    v = ABC_FLOW["velocity"]
    along = np.einsum("ni,nij,nj->n", v, D, v) / (v**2).sum(axis=1)
    np.testing.assert_allclose(ABC_FLOW["extension_rate"], along, atol=1e-13)


A = RNG.normal(size=(3, 3))


@pytest.mark.parametrize("name", ["tetra", "mixed", "hexagonal_prism"])
@pytest.mark.parametrize("of", ["points", "cells"])
@pytest.mark.parametrize("at", ["points", "cells", "positions"])
def test_the_velocity_where_the_gradient_is(name, of, at):
    mesh = meshes.SOLIDS[name]
    samples = mesh.points if of == "points" else mesh.centroids
    flow = Flow(mesh, samples @ A.T + 1, of)
    inside = mesh.centroids[mesh.is_full][:5] * 0.99 + 0.01 * mesh.points.mean(axis=0)
    gradient = velocity_gradient(flow, "finite-difference(order=1)", at=inside if at == "positions" else at)
    places = {"points": mesh.points, "cells": mesh.centroids, "positions": inside}[at]
    known = gradient.valid
    np.testing.assert_allclose(gradient["velocity"][known], places[known] @ A.T + 1, atol=1e-12)
    assert known.sum() >= 5


def test_a_plane_cut_from_a_flow_has_a_velocity_all_the_same():
    lattice = Lattice.uniform((6, 5), 0.1)
    v = lattice.points @ A.T
    v[:, 2] = 0
    flow = Flow(lattice, v, "points", out_of_plane="unknown")
    gradient = velocity_gradient(flow, at="cells")
    np.testing.assert_allclose(
        gradient["velocity"], np.column_stack([lattice.centroids @ A[:2].T, np.zeros(20)]), atol=1e-13
    )


def test_without_a_flow_the_velocity_is_asked_for():
    with pytest.raises(OptionError, match=r"helicity: velocity is needed.*a flow"):
        VelocityGradient(np.zeros((1, 3, 3)))["helicity"]


def test_noise_of_the_velocity_itself_is_not_carried():
    noisy = VelocityGradient(np.ones((1, 3, 3)), covariance=np.eye(3)[None]).supply(velocity=np.ones((1, 3)))
    with pytest.raises(OptionError, match="not carried"):
        noisy.std("helicity")
    with pytest.raises(OptionError, match="whole field"):
        noisy.std("omega_epsilon")


@pytest.mark.parametrize("at", ["points", "cells"])
def test_on_an_oblique_cut_velocity_and_gradient_have_the_same_axes(at):
    """The acceleration across the plane, u ∂w/∂x + v ∂w/∂y − w (∂u/∂x + ∂v/∂y), is the same however it lies."""
    upright, A = Lattice.uniform((7, 6), 0.1), np.array([[1, 2, 0], [3, -0.5, 0], [0.2, 0.3, 0]])
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    for frame in (np.eye(3), turn):
        v = (upright.points @ A.T + [1, 2, 3]) @ frame.T
        flow = Flow(Mesh(upright.points @ frame.T, upright.cells), v, "points", out_of_plane="incompressible")
        gradient = velocity_gradient(flow, "finite-difference(order=1)", at=at)
        places = upright.points if at == "points" else upright.centroids
        expected = places @ A.T + [1, 2, 3]
        np.testing.assert_allclose(gradient["velocity"] @ frame, expected, atol=1e-13)
        acceleration = gradient["convective_acceleration"]
        assert np.isnan(acceleration[:, :2]).all()
        np.testing.assert_allclose(np.abs(acceleration[:, 2]), np.abs(expected @ [0.2, 0.3, -0.5]), atol=1e-12)
