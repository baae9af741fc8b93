"""Rates of tensor fields along a flow: exact where the scheme is, convergent elsewhere, and what observers share."""

import numpy as np
import pytest

from flowgrad import FiniteDifference, Flow, Lattice, OptionError, Patch, tensor_rate, velocity_gradient
from flowgrad.exact import SimpleShear
from flowgrad.kinematics.dynamics import CONVECTED_RATES, convected_rate
from flowgrad.mesh.generate import block
from tests import meshes

RNG = np.random.default_rng(8)
L0 = RNG.normal(size=(3, 3))
SLOPES = RNG.normal(size=(3, 3, 3))
T0 = RNG.normal(size=(3, 3))
POINTS = RNG.uniform(-1, 1, (30, 3))
KINDS = list(CONVECTED_RATES)


def linear_tensor(x):
    return T0 + np.einsum("ijk,...k->...ij", SLOPES, x)


def expected(kind, x, v, L):
    return convected_rate(kind, np.einsum("ijk,nk->nij", SLOPES, v), L, linear_tensor(x))


MESHES = {
    "lattice": Lattice.rectilinear(np.linspace(0, 1, 6) ** 1.2, np.linspace(0, 2, 5), np.linspace(-1, 1, 7)),
    "tets": meshes.SOLIDS["tetra"],
    "mixed": meshes.SOLIDS["mixed"],
}


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("kind", KINDS)
def test_linear_fields_are_exact(name, location, kind):
    mesh = MESHES[name]
    x = mesh.points if location == "points" else mesh.centroids
    flow = Flow(mesh, x @ L0.T, location)
    found = tensor_rate(flow, linear_tensor(x), kind, steady=True)
    truth = expected(kind, x, flow.velocity, np.broadcast_to(L0, found.shape))
    np.testing.assert_allclose(found, truth, atol=1e-11)
    gradient = velocity_gradient(flow)
    np.testing.assert_allclose(tensor_rate(gradient, linear_tensor(x), kind, rate=0), truth, atol=1e-11)


@pytest.mark.parametrize("shape", ["tetra", "hexahedron"])
def test_order_of_convergence(shape):
    def error(n):
        mesh = block(shape, n, size=1.0, jitter=0.1, seed=2) if shape == "tetra" else Lattice.uniform((n, n, n), 1 / n)
        x = mesh.points
        flow = Flow(mesh, swirl(x, 0.0), "points")
        found = tensor_rate(flow, wave(x, 0.0), "upper-convected", steady=True)
        exact = tensor_rate(velocity_gradient(lambda y: swirl(y, 0.0), at=x), lambda y: wave(y, 0.0))
        return np.sqrt(np.mean((found - exact) ** 2))

    assert np.log2(error(8) / error(16)) > 1.7


def swirl(x, t):
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    parts = [np.sin(a + t) * np.cos(b) + c, -np.cos(a) * np.sin(b) * np.exp(0.3 * t), a * b + 0.2 * t * c]
    return np.stack(parts, axis=-1)


def wave(x, t):
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    parts = [np.sin(a) + t, b * c, a * b, c * np.cos(t), a * a, np.exp(b), np.cos(c - t), a + b + c, a * b * c]
    return np.stack(parts, axis=-1).reshape(*x.shape[:-1], 3, 3)


def test_functions_are_exact():
    gradient = velocity_gradient(swirl, at=POINTS, time=0.3)
    h = 1e-3
    v = gradient.flow.velocity

    def along(s):
        return wave(POINTS + s * v, 0.3 + s)

    DT = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
    for kind in KINDS:
        truth = convected_rate(kind, DT, gradient.L, wave(POINTS, 0.3))
        np.testing.assert_allclose(tensor_rate(gradient, wave, kind, time=0.3), truth, atol=1e-10)


def turned(t):
    """Q(t) and Q̇(t), by Rodrigues' formula about a fixed axis, with an angle that speeds up."""
    axis = np.array([1.0, 2.0, -2.0]) / 3
    K = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle, speed = 0.4 + 1.3 * t + 0.2 * t * t, 1.3 + 0.4 * t
    return (
        np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * (K @ K),
        speed * (np.cos(angle) * K + np.sin(angle) * (K @ K)),
    )


def rotation(t):
    """Q(t) of a time that may be a dual number."""
    axis = np.array([1.0, 2.0, -2.0]) / 3
    K = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = 0.4 + 1.3 * t + 0.2 * t * t
    return np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * (K @ K)


def test_all_observers_agree_on_objective_rates_and_not_on_the_material_one():
    """x* = Q(t) x, v* = Q v + Q̇ x, T* = Q T Qᵀ."""
    time = 0.6
    Q, Q_rate = turned(time)

    def seen_tensor(y, t):
        R = rotation(t)
        return R @ wave(y @ R, t) @ np.transpose(R)

    here = velocity_gradient(swirl, at=POINTS, time=time)
    there = velocity_gradient(lambda y: swirl(y @ Q, time) @ Q.T + y @ (Q_rate @ Q.T).T, at=POINTS @ Q.T)
    for kind in KINDS:
        own = Q @ tensor_rate(here, wave, kind, time=time) @ Q.T
        other = tensor_rate(there, seen_tensor, kind, time=time)
        if kind == "material":
            assert np.abs(own - other).max() > 0.1
        else:
            np.testing.assert_allclose(other, own, atol=1e-12)


def test_simple_shear_from_samples_and_from_a_function():
    shear = SimpleShear(1.7)
    mesh = Lattice.uniform((4, 4, 4), 0.3)
    gradient = velocity_gradient(Flow(mesh, shear(mesh.points), "points"))
    found = tensor_rate(gradient, 2 * gradient.D, steady=True)
    np.testing.assert_allclose(found, np.broadcast_to(np.diag([-2 * 1.7**2, 0, 0]), found.shape), atol=1e-12)
    A1 = np.array([[0, 1.7, 0], [1.7, 0, 0], [0, 0, 0.0]])
    again = tensor_rate(gradient, lambda x: A1 + 0 * x[..., None, :1], "lower-convected")
    np.testing.assert_allclose(again, np.broadcast_to(np.diag([0, 2 * 1.7**2, 0]), found.shape), atol=1e-12)


def test_arrays_of_the_file_and_their_rates():
    mesh = MESHES["tets"]
    T = linear_tensor(mesh.points)
    six = (T + np.swapaxes(T, 1, 2))[:, [0, 1, 2, 0, 1, 0], [0, 1, 2, 1, 2, 2]] / 2
    flow = Flow(mesh, mesh.points @ L0.T, "points", point_data={"tau": six, "T": T.reshape(-1, 9)})
    whole = tensor_rate(flow, "T", steady=True)
    np.testing.assert_array_equal(whole, tensor_rate(flow, T, steady=True))
    symmetric = tensor_rate(flow, "tau", steady=True)
    np.testing.assert_allclose(symmetric, (whole + np.swapaxes(whole, 1, 2)) / 2, atol=1e-12)
    np.testing.assert_allclose(tensor_rate(flow, "T", rate=2 * T) - whole, 2 * T, atol=1e-12)
    with pytest.raises(OptionError, match=r"no array 'tua' at points, where the velocity is.*tau"):
        tensor_rate(flow, "tua", steady=True)


def test_values_that_are_missing_stay_missing_and_spoil_no_others():
    mesh = MESHES["lattice"]
    T = linear_tensor(mesh.points)
    T[104, 1, 2] = np.nan
    flow = Flow(mesh, mesh.points @ L0.T, "points")
    found = tensor_rate(flow, T, steady=True)
    assert np.flatnonzero(np.isnan(found).any(axis=(1, 2))).tolist() == [104]
    rest = np.arange(len(T)) != 104
    truth = expected("upper-convected", mesh.points, flow.velocity, np.broadcast_to(L0, T.shape))
    np.testing.assert_allclose(found[rest], truth[rest], atol=1e-11)


def test_velocities_on_the_boundary_take_part_in_L_alone():
    mesh = meshes.SOLIDS["tetra"]
    faces = np.arange(len(mesh.topology.boundary))
    wall = Patch("wall", faces, mesh.topology.boundary_geometry[1] @ L0.T)
    flow = Flow(mesh, mesh.centroids @ L0.T, "cells", boundary=(wall,))
    found = tensor_rate(flow, linear_tensor(mesh.centroids), steady=True)
    truth = expected("upper-convected", mesh.centroids, flow.velocity, np.broadcast_to(L0, found.shape))
    np.testing.assert_allclose(found, truth, atol=1e-11)


def test_what_is_not_known_is_asked_for():
    mesh = MESHES["tets"]
    flow = Flow(mesh, mesh.points @ L0.T, "points")
    T = linear_tensor(mesh.points)
    with pytest.raises(OptionError, match=r"∂T/∂t is not known: give rate=, .* or else steady=True"):
        tensor_rate(flow, T)
    with pytest.raises(OptionError, match=r"∂T/∂t is given twice"):
        tensor_rate(flow, T, rate=0, steady=True)
    with pytest.raises(OptionError, match="tensor has 3 tensors and the flow"):
        tensor_rate(flow, T[:3], steady=True)
    with pytest.raises(OptionError, match="rate has 3 tensors"):
        tensor_rate(flow, T, rate=T[:3])
    with pytest.raises(OptionError, match="the gradient is at cells: take it at='points'"):
        tensor_rate(velocity_gradient(flow, at="cells"), T, steady=True)
    with pytest.raises(OptionError, match="are for tensors that are given as functions"):
        tensor_rate(flow, T, steady=True, time=1.0)
    with pytest.raises(OptionError, match="rate= is for samples"):
        tensor_rate(flow, linear_tensor, rate=0)
    with pytest.raises(OptionError, match="unknown rate 'upper'"):
        tensor_rate(flow, T, "upper", steady=True)


def test_flows_with_an_axis_and_cut_planes_are_refused():
    mesh = Lattice.rectilinear(np.linspace(0, 1, 5), np.linspace(0.5, 1, 5), 0.0)
    T = linear_tensor(mesh.points)
    with pytest.raises(OptionError, match=r"axisymmetric.*turn with the angle"):
        tensor_rate(Flow(mesh, mesh.points, "points", axisymmetric="x"), T, steady=True)
    with pytest.raises(OptionError, match="across the plane are unknown"):
        tensor_rate(Flow(mesh, mesh.points, "points", out_of_plane="unknown"), T, steady=True)


def test_the_scheme_is_that_of_the_gradient():
    mesh = MESHES["tets"]
    flow = Flow(mesh, swirl(mesh.points, 0.0), "points")
    T = wave(mesh.points, 0.0)
    found = tensor_rate(velocity_gradient(flow, "autodiff"), T, "material", steady=True)
    other = tensor_rate(flow, T, "material", steady=True, scheme="autodiff")
    np.testing.assert_array_equal(found, other)
    by_fits = tensor_rate(velocity_gradient(flow, "autodiff"), T, "material", steady=True, scheme=FiniteDifference())
    assert np.abs(by_fits - found).max() > 1e-3


def test_contradictions_and_what_is_no_flow_are_refused():
    with pytest.raises(OptionError, match="give a Flow"):
        tensor_rate([1, 2], np.eye(3), rate=0)
    flow = Flow(Lattice.uniform((4, 4), 0.1), np.zeros((16, 3)), "points")
    with pytest.raises(OptionError, match="give time="):
        tensor_rate(flow, lambda x, t: np.zeros((*x.shape[:-1], 9)))
    with pytest.raises(OptionError, match="exclude"):
        tensor_rate(flow, lambda x, t: np.zeros((*x.shape[:-1], 9)), steady=True, time=1.0)
