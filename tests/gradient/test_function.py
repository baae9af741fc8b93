"""Velocities given as functions: the same gradient object, exact to rounding, at positions or on a mesh."""

import numpy as np
import pytest

from flowgrad import DerivativeError, Flow, Lattice, OptionError, read, separate, velocity_gradient
from flowgrad.autodiff import numpy_backend
from flowgrad.exact import Vortices
from flowgrad.mesh.generate import block

POINTS = np.random.default_rng(0).uniform(-3, 3, (500, 3))


def vortices(x):
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    parts = [np.sin(a) * np.cos(b) * np.cos(c), -np.cos(a) * np.sin(b) * np.cos(c), 0.3 * a * np.sin(2 * c)]
    return np.stack(parts, axis=-1)


def test_the_gradient_is_exact():
    found = velocity_gradient(vortices, at=POINTS)
    np.testing.assert_allclose(found.L, Vortices().gradient(POINTS), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(found.flow.velocity, vortices(POINTS))
    assert found.reason == "the velocity is a function"
    assert found["lambda2"].shape == (500,)


def test_chunks_on_threads_change_nothing(monkeypatch):
    whole = velocity_gradient(vortices, at=POINTS).L
    monkeypatch.setattr(numpy_backend, "_CHUNK", 7)
    np.testing.assert_array_equal(velocity_gradient(vortices, at=POINTS).L, whole)


def test_time_is_an_argument():
    found = velocity_gradient(
        lambda x, t: np.stack([t * x[..., 1], x[..., 0], t * t + 0 * x[..., 0]], -1), at=POINTS, time=2.0
    )
    np.testing.assert_array_equal(found.L, np.broadcast_to([[0, 2, 0], [1, 0, 0], [0, 0, 0]], (500, 3, 3)))
    assert found.flow.time == 2.0


def test_planar_functions_have_no_derivatives_across():
    found = velocity_gradient(lambda x: [x[..., 0] * x[..., 1], -(x[..., 1] ** 2) / 2], at=POINTS[:, :2])
    x, y = POINTS[:, 0], POINTS[:, 1]
    np.testing.assert_allclose(found["divergence"], 0, atol=1e-15)
    np.testing.assert_array_equal(found.L[:, 0, :2], np.column_stack([y, x]))
    assert not found.L[:, 2].any()
    assert any("planar" in note for note in found.notes)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b, c: np.sin(2.0 * a),
        lambda a, b, c: np.exp(-3.0 * (a - 1)) + np.cos(b) * np.cos(a) / np.cosh(a),
        lambda a, b, c: (a + 1.0) * (a + 1.0) * a,
        lambda a, b, c: np.sinh(a * b) * (a + b + c) ** 2,
        lambda a, b, c: np.where(a > 0, a, 2.0 * a) + np.stack([a, b])[0] + a[:, None][:, 0] * 3.0,
        lambda a, b, c: changed(np.cos(a) + 0 * b) + changed(a * 1.0) + np.cos(a) * np.sin(a),
    ],
)
def test_columns_that_depend_on_one_coordinate(f):
    """As the same function of whole points, whose columns are not known to."""
    short = velocity_gradient(lambda x: [f(x[..., 0], x[..., 1], x[:, -1]), x[:, 1], x[:, 2]], at=POINTS)
    whole = velocity_gradient(lambda x: [f(*np.moveaxis(1.0 * x, -1, 0)), x[:, 1], x[:, 2]], at=POINTS)
    np.testing.assert_allclose(short.L, whole.L, rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(short.flow.velocity, whole.flow.velocity)


def changed(y):
    view = y[:]
    y[y > 0.5] = 7.0
    y *= 2.0
    return y + view


def test_results_may_be_changed_in_place():
    def v(x):
        y = x + 1
        y += np.sin(x)
        y[..., 2] *= 2
        return y

    expected = np.zeros((500, 3, 3))
    expected[:, range(3), range(3)] = (1 + np.cos(POINTS)) * [1, 1, 2]
    np.testing.assert_allclose(velocity_gradient(v, at=POINTS).L, expected, rtol=1e-15)


@pytest.mark.parametrize(
    "v",
    [
        lambda x: x / np.max(np.abs(x[:, 0])),
        lambda x: np.arange(9.0).reshape(3, 3) @ x,
        lambda x: x - np.mean(x, axis=0),
        lambda x: np.cumsum(x, axis=0),
    ],
)
def test_fields_that_mix_points_are_refused(v):
    with pytest.raises(OptionError, match="depends on the other points"):
        velocity_gradient(v, at=POINTS[:3])


def test_masks_and_columns():
    def v(x):
        y = np.zeros_like(x)
        right = x[:, 0] > 0
        y[right, 0] = x[right, 0] ** 2
        y[~right, 1] = x[~right, 2] * x[~right, 0]
        return y

    right = POINTS[:, 0] > 0
    L = velocity_gradient(v, at=POINTS).L
    np.testing.assert_array_equal(L[right][:, 0], np.column_stack([2 * POINTS[right, 0], 0 * POINTS[right, 1:]]))
    np.testing.assert_array_equal(L[~right][:, 1, [0, 2]], POINTS[~right][:, [2, 0]])


def test_no_gradient_where_there_is_no_velocity():
    with np.errstate(invalid="ignore"):
        found = velocity_gradient(lambda x: [np.log(x[:, 0]), x[:, 1], x[:, 2]], at=POINTS, second=True)
    np.testing.assert_array_equal(found.valid, POINTS[:, 0] > 0)
    assert np.isnan(found["hessian"][~found.valid]).all()


def test_points_are_not_changed():
    points = POINTS.copy()
    with pytest.raises(DerivativeError, match=r"x\.copy"):
        velocity_gradient(lambda x: x.__setitem__(0, 1.0) or x, at=points)
    with pytest.raises(DerivativeError, match=r"x\.copy"):
        velocity_gradient(lambda x: [x[..., 0].__setitem__(0, 1.0) or x[..., 0], x[..., 1]], at=points)
    np.testing.assert_array_equal(points, POINTS)


def test_second_derivatives():
    found = velocity_gradient(vortices, at=POINTS, second=True)
    expected = -3 * vortices(POINTS)
    expected[:, 2] = -4 * vortices(POINTS)[:, 2]
    np.testing.assert_allclose(found["laplacian"], expected, atol=1e-14)
    assert not velocity_gradient(lambda x: 2 * x, at=POINTS, second=True)["hessian"].any()


def test_constant_and_linear_fields():
    A = np.random.default_rng(1).normal(size=(3, 3))
    np.testing.assert_allclose(velocity_gradient(lambda x: x @ A.T, at=POINTS).L, [A] * 500, rtol=1e-15)
    assert not velocity_gradient(lambda x: np.ones((len(x), 3)), at=POINTS).L.any()


def test_a_mesh_gives_the_points_and_carries_on_to_the_verdict():
    lattice = Lattice.uniform((8, 8, 8), 0.4)
    gradient = velocity_gradient(vortices, at=lattice)
    np.testing.assert_allclose(gradient.L, Vortices().gradient(lattice.points), atol=1e-15)
    assert separate(gradient, viscosity="carreau(eta0=1, eta_inf=0.1, lam=2, n=0.5)").verdict == "shear-thinning"
    assert velocity_gradient(vortices, at=block("tetra", 4)).location == "points"


def test_kinks_are_flagged_and_counted():
    points = POINTS.copy()
    points[[3, 8], 1] = 0
    found = velocity_gradient(lambda x: np.stack([np.abs(x[..., 1]), x[..., 0], x[..., 2]], axis=-1), at=points)
    assert np.flatnonzero(~found.valid).tolist() == [3, 8]
    assert found.notes[0].startswith("the velocity has no derivative at 2 of 500 points")


def test_what_is_wrong_is_said():
    with pytest.raises(OptionError, match=r"shape \(3,\) for points of the shape \(500, 3\).*x\[\.\.\., 0\]"):
        velocity_gradient(lambda x: x[0], at=POINTS)
    with pytest.raises(OptionError, match="1 components"):
        velocity_gradient(lambda x: [x[..., 0]], at=POINTS)
    with pytest.raises(OptionError, match=r"positions \(m, 2\) or \(m, 3\)"):
        velocity_gradient(vortices, at=[1.0, 2.0, 3.0])
    with pytest.raises(OptionError, match="function v"):
        velocity_gradient(vortices)
    with pytest.raises(OptionError, match="no scheme"):
        velocity_gradient(vortices, "autodiff", at=POINTS)
    with pytest.raises(OptionError, match="are for functions"):
        velocity_gradient(read("data/cavity.vtu"), time=1.0)
    with pytest.raises(DerivativeError, match=r"sort.*test_function"):
        velocity_gradient(lambda x: np.sort(x), at=POINTS)
    with pytest.raises(OptionError, match="no error to estimate"):
        velocity_gradient(vortices, at=POINTS, error=True)


def test_functions_are_schemes_for_flows():
    from flowgrad.gradient.function import Function

    mesh = block("tetra", 4, size=2)
    flow = Flow(mesh, vortices(mesh.points), "points")
    for at, where in (("points", mesh.points), ("cells", mesh.centroids), (POINTS[:9], POINTS[:9])):
        found = velocity_gradient(flow, Function(vortices), at)
        np.testing.assert_allclose(found.L, Vortices().gradient(where), atol=1e-15)
        assert found.scheme == "autodiff of vortices"
