"""Deformation along paths: linear flows exactly, dF/dt = L F, volumes, and strains that fit together."""

import numpy as np
import pytest
from scipy.linalg import expm, logm, polar, sqrtm

from flowgrad import Flow, Lattice, OptionError
from flowgrad.exact import ABC, EXACT_FLOWS, SimpleShear, TaylorGreen3D
from flowgrad.paths import Deformation, deformation

RANDOM = np.random.default_rng(7)
LINEAR = RANDOM.normal(size=(3, 3)) * 0.4


def linear(x):
    return x @ LINEAR.T


@pytest.mark.parametrize("t1", [1.5, -1.5])
@pytest.mark.parametrize("on_lattice", [False, True])
def test_linear_flows_deform_exponentially(t1, on_lattice):
    lattice = Lattice.uniform((5, 6, 7), 5.0, origin=(-10, -12, -15))
    flow = Flow(lattice, linear(lattice.points), "points") if on_lattice else linear
    found = deformation(flow, RANDOM.normal(size=(10, 3)), 0.0, t1, rtol=1e-11)
    np.testing.assert_allclose(found.F, [expm(LINEAR * t1)] * 10, rtol=0, atol=1e-10)
    np.testing.assert_allclose(found.positions, found.points @ expm(LINEAR * t1).T, rtol=0, atol=1e-9)


def test_simple_shear_has_the_strains_of_the_textbooks():
    found = deformation(SimpleShear(rate=0.5), [[0.3, 1.0, 0]], 0.0, 4.0)
    np.testing.assert_allclose(found.F[0], [[1, 2, 0], [0, 1, 0], [0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(found.stretches[0], [np.sqrt(2) + 1, 1, np.sqrt(2) - 1], atol=1e-12)
    np.testing.assert_allclose(found.green_lagrange[0, :2, :2], [[0, 1], [1, 2]], atol=1e-12)
    angle = -np.arctan(1.0)  # tan of half the shear strain
    np.testing.assert_allclose(found.R[0, 0, :2], [np.cos(angle), -np.sin(angle)], atol=1e-12)


def test_the_rate_at_the_start_is_the_velocity_gradient():
    flow, points = ABC(), RANDOM.uniform(0, 6, (30, 3))
    L, errors = flow.gradient(points), []
    for h in (0.1, 0.05, 0.025):
        there, back = (deformation(flow, points, 0.7, 0.7 + s, rtol=1e-12).F for s in (h, -h))
        errors.append(np.abs((there - back) / (2 * h) - L).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, 2, atol=0.05)


def test_on_a_lattice_it_is_the_gradient_of_the_flow_map():
    lattice = Lattice.uniform((9, 9, 9), 0.6)
    flow = Flow(lattice, ABC()(lattice.points), "points")
    point, h = np.array([2.1, 2.2, 2.3]), 1e-4
    found = deformation(flow, [point], 0.0, 1.5, rtol=1e-11)
    shifted = deformation(flow, np.vstack([point + h * np.eye(3), point - h * np.eye(3)]), 0.0, 1.5, rtol=1e-11)
    differences = (shifted.positions[:3] - shifted.positions[3:]).T / (2 * h)
    np.testing.assert_allclose(found.F[0], differences, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["abc", "taylor-green-3d", "double-gyre", "lamb-oseen"])
def test_volumes_stay_in_divergence_free_flows(name):
    flow = EXACT_FLOWS[name]()
    found = deformation(flow, flow.samples(30), 0.1, 2.1, rtol=1e-10)
    np.testing.assert_allclose(found.volume_ratio, 1, atol=1e-8)
    assert np.abs(found.F - np.eye(3)).max() > 0.1


def test_volumes_on_a_lattice_stay_as_the_spline_is_refined():
    flow, errors = TaylorGreen3D(), []
    points = RANDOM.uniform(1, 5, (100, 3))
    for n in (12, 24, 48):
        lattice = Lattice.uniform((n + 1,) * 3, 2 * np.pi / n, periodic=(2 * np.pi,) * 3)
        found = deformation(Flow(lattice, flow(lattice.points), "points"), points, 0.0, 1.0)
        errors.append(np.abs(found.volume_ratio - 1).max())
    assert (np.log2(np.divide(errors[:-1], errors[1:])) > 2.7).all()


def deformed(F):
    nothing = np.zeros((len(F), 3))
    return Deformation(F, 0.0, 1.0, nothing, nothing, np.full(len(F), np.nan))


def test_strains_are_those_of_scipy():
    F = np.eye(3) + 0.5 * RANDOM.normal(size=(40, 3, 3))
    F *= np.sign(np.linalg.det(F))[:, None, None]
    found = deformed(F)
    for k, each in enumerate(F):
        R, U = polar(each)
        np.testing.assert_allclose(found.R[k], R, atol=1e-12)
        np.testing.assert_allclose(found.U[k], U, atol=1e-12)
        np.testing.assert_allclose(found.V[k], polar(each, side="left")[1], atol=1e-12)
        np.testing.assert_allclose(found.C[k], each.T @ each, atol=1e-12)
        np.testing.assert_allclose(found.hencky[k], 0.5 * logm(each.T @ each), atol=1e-8)
        np.testing.assert_allclose(found.U[k], sqrtm(each.T @ each), atol=1e-8)
        np.testing.assert_allclose(found.almansi[k], 0.5 * (np.eye(3) - np.linalg.inv(each @ each.T)), rtol=1e-9)
        np.testing.assert_allclose(found.C[k] @ found.directions[k], found.directions[k] * found.stretches[k] ** 2)


def test_rotations_leave_no_strain():
    Q = np.linalg.qr(RANDOM.normal(size=(20, 3, 3)))[0]
    Q *= np.sign(np.linalg.det(Q))[:, None, None]
    found = deformed(Q)
    np.testing.assert_allclose(found.hencky, 0, atol=1e-14)
    np.testing.assert_allclose(found.green_lagrange, 0, atol=1e-14)
    np.testing.assert_allclose(found.R, Q, atol=1e-14)


def test_those_who_left_are_not_known():
    lattice = Lattice.uniform((5, 5, 5), 0.25)
    flow = Flow(lattice, np.tile([1.0, 0, 0], (125, 1)), "points")
    found = deformation(flow, [[0.5, 0.5, 0.5], [0.1, 0.5, 0.5]], 0, 0.6)
    np.testing.assert_allclose(found.left, [0.5, np.nan], atol=1e-8)
    for values in (found.F, found.C, found.U, found.R, found.stretches, found.hencky, found.volume_ratio):
        assert np.isnan(values[0]).all()
        assert np.isfinite(values[1]).all()


def test_no_time_is_refused():
    with pytest.raises(OptionError, match="two finite times"):
        deformation(linear, [[0, 0, 0]], 1.0, 1.0)
