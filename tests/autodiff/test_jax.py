import math
from functools import partial

import numpy as np
import pytest

pytest.importorskip("jax", reason="JAX is not installed (flowgrad[jax])")

import jax
import jax.numpy as jnp

from flowgrad import DerivativeError, OptionError, velocity_gradient
from flowgrad.autodiff import hessian, jacobian
from flowgrad.autodiff import jax_backend as backend
from flowgrad.autodiff.backends import backend_of
from flowgrad.exact import Vortices

FLOW = Vortices()
POINTS = np.random.default_rng(0).uniform(-3, 3, (37, 3))


def components(x, y, z):
    return [jnp.sin(x) * jnp.cos(y) * jnp.cos(z), -jnp.cos(x) * jnp.sin(y) * jnp.cos(z), 0.3 * x * jnp.sin(2 * z)]


def for_any(x):
    return jnp.stack(components(x[..., 0], x[..., 1], x[..., 2]), axis=-1)


def for_batches(x):
    return jnp.concatenate(components(x[:, 0:1], x[:, 1:2], x[:, 2:3]), axis=1)


def as_list(x):
    return components(*x.T)


def in_float32_constants(x):
    return for_any(x) * jnp.ones(3, jnp.float32)


def in_a_loop(x):
    """With a loop that has no reverse mode."""
    return jax.lax.while_loop(lambda s: s[0] < 1, lambda s: (s[0] + 1, for_any(s[1])), (0, x))[1]


FIELDS = [for_any, for_batches, as_list, in_float32_constants, in_a_loop, jax.jit(for_any), partial(for_any)]


def close(found, expected, tolerance=1e-12):
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("field", FIELDS)
def test_every_way_to_write_a_field_gives_the_closed_form(field):
    values, jacobians = backend.point_jacobians(field, POINTS)
    close(values, FLOW.velocity(POINTS))
    close(jacobians, FLOW.gradient(POINTS))


def test_second_derivatives_are_those_of_the_jacobian():
    found = backend.second_derivatives(for_any, POINTS)
    h = 1e-5
    steps = [FLOW.gradient(POINTS + h * e) - FLOW.gradient(POINTS - h * e) for e in np.eye(3)]
    close(found, np.stack(steps, axis=-1) / (2 * h), 1e-9)
    close(found, found.swapaxes(-1, -2), 1e-15)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4])
def test_networks_of_any_shape(dimension, outputs):
    rng = np.random.default_rng(1)
    first, last = rng.normal(size=(8, dimension)), rng.normal(size=(outputs, 8))
    points = POINTS[:, :dimension]
    t = np.tanh(points @ first.T)
    values, jacobians = backend.point_jacobians(lambda x: last @ jnp.tanh(first @ x), points)
    close(values, t @ last.T)
    close(jacobians, np.einsum("ia,ma,aj->mij", last, 1 - t**2, first))


def test_the_users_precision_stays():
    assert not jax.config.jax_enable_x64
    backend.point_jacobians(for_any, POINTS)
    backend.jacobian(for_any, POINTS[0])
    assert not jax.config.jax_enable_x64
    assert jnp.ones(1).dtype == jnp.float32


def test_what_a_function_closes_over_may_change():
    scale = [1.0]

    def field(x):
        return scale[0] * jnp.sin(x)

    once = backend.point_jacobians(field, POINTS)[1]
    scale[0] = 2.0
    close(backend.point_jacobians(field, POINTS)[1], 2 * once)


def test_chunks_change_nothing(monkeypatch):
    whole = backend.point_jacobians(for_any, POINTS)
    monkeypatch.setattr(backend, "_CHUNK", 8)
    for found, expected in zip(backend.point_jacobians(for_any, POINTS), whole, strict=True):
        close(found, expected, 1e-15)


def test_time_is_not_differentiated():
    _, jacobians = backend.point_jacobians(lambda x, t: x * jnp.exp(-t), POINTS, 0.5)
    close(jacobians, np.broadcast_to(math.exp(-0.5) * np.eye(3), (37, 3, 3)))
    second = backend.second_derivatives(lambda x, t: t * x**2, POINTS, 3.0)
    close(second, np.broadcast_to(np.einsum("ij,jk->ijk", 6 * np.eye(3), np.eye(3)), (37, 3, 3, 3)))


def test_no_points():
    values, jacobians = backend.point_jacobians(for_any, POINTS[:0])
    assert (values.shape, jacobians.shape) == ((0, 3), (0, 3, 3))


MATRIX = np.array([[2.0, -1.0], [0.5, 3.0], [1.0, 4.0]])
CUBIC = [lambda x: MATRIX @ x**3, lambda x: MATRIX @ x**3 if x[0] > 0 else jnp.zeros(3)]


@pytest.mark.parametrize("f", CUBIC)
def test_derivatives_of_one_array(f):
    x, tangent, weights = np.array([0.7, -1.3]), np.array([0.3, 2.0]), np.array([1.0, -2.0, 0.5])
    jacobian = MATRIX * 3 * x**2
    close(backend.jacobian(f, x), jacobian)
    close(backend.jvp(f, x, tangent), jacobian @ tangent)
    close(backend.vjp(f, x, weights), weights @ jacobian)
    close(backend.hessian(f, x), 6 * MATRIX[:, :, None] * np.eye(2) * x)


def test_shapes_are_those_of_the_result_and_of_x():
    x = np.arange(6.0).reshape(2, 3)
    assert backend.jacobian(lambda x: (x**2).sum(), x).shape == (2, 3)
    assert backend.jacobian(lambda x: x.T**2, x).shape == (3, 2, 2, 3)
    assert backend.hessian(lambda x: x.sum(axis=1) ** 2, x).shape == (2, 2, 3, 2, 3)
    assert backend.jacobian(jnp.sin, np.array(0.0)) == 1


def write(x):
    x[0] = 1.0
    return x


REFUSED = {
    "choice": (lambda x: x if x[..., 0] > 0 else -x, r"line \d+ of test_jax.py: .*jnp.where instead of `if`"),
    "math": (lambda x: [math.sin(x[0])], "instead of math's"),
    "NumPy": (lambda x: np.sin(x), "jax.numpy's functions instead of NumPy's"),
    "writing": (write, r"x.at\[...\].set"),
    "types": (lambda x: jax.lax.add(x, jnp.ones(x.shape, jnp.float32)), "use jnp's functions instead of lax's"),
    "scalar": (lambda x: (x**2).sum(), r"returned the shape \(\)"),
    "integers": (lambda x: x.astype(int), "int64, which has no derivative"),
    "nothing": (lambda x: None, "returned a NoneType"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_differentiated_names_the_way_out(name):
    field, message = REFUSED[name]
    with pytest.raises((DerivativeError, OptionError), match=message) as caught:
        backend.point_jacobians(field, POINTS)
    assert "\n" not in str(caught.value)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(OptionError, match=r"\(3,\).*the result's, \(2,\)"):
        backend.vjp(lambda x: x**2, np.ones(2), np.ones(3))


def test_functions_of_jax_are_recognised():
    assert all(backend_of(f) is backend for f in [*FIELDS, jnp.sin, jax.nn.relu, lambda x: for_any(x)])
    assert not any(backend_of(f) is backend for f in [np.sin, FLOW.velocity, lambda x: x**2, lambda x: np.sin(x)])


def test_the_public_calls_find_the_backend():
    close(velocity_gradient(for_any, at=POINTS).L, FLOW.gradient(POINTS))
    planar = velocity_gradient(lambda x, t: t * jnp.sin(x), at=POINTS[:, :2], time=2.0, backend="jax").L
    close(planar[:, :2, :2], 2 * np.cos(POINTS[:, :2, None]) * np.eye(2))
    assert not planar[:, 2].any()
    close(jacobian(for_any, POINTS[0]), FLOW.gradient(POINTS[:1])[0])
    close(
        hessian(lambda x: for_any(x).sum(), POINTS[0]), backend.second_derivatives(for_any, POINTS[:1])[0].sum(axis=0)
    )
