import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed (flowgrad[torch])")

import torch

from flowgrad import DerivativeError, OptionError, velocity_gradient
from flowgrad.autodiff import hessian, jacobian
from flowgrad.autodiff import torch_backend as backend
from flowgrad.autodiff.backends import backend_of
from flowgrad.exact import Vortices

FLOW = Vortices()
POINTS = np.random.default_rng(0).uniform(-3, 3, (37, 3))


class Sine(torch.autograd.Function):
    """Of PyTorch's first interface, which vmap refuses."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, weights):
        return weights * ctx.saved_tensors[0].cos()


class ReverseOnly(torch.autograd.Function):
    """Without a rule for forward mode."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x.sin()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, weights):
        return weights * ctx.saved_tensors[0].cos()


def components(x, y, z, sin=torch.sin):
    return [sin(x) * torch.cos(y) * torch.cos(z), -torch.cos(x) * sin(y) * torch.cos(z), 0.3 * x * sin(2 * z)]


def for_any(x):
    return torch.stack(components(x[..., 0], x[..., 1], x[..., 2]), dim=-1)


def for_one(x):
    return torch.stack(components(x[0], x[1], x[2]))


def for_batches(x):
    return torch.cat(components(x[:, 0:1], x[:, 1:2], x[:, 2:3]), dim=1)


def as_list(x):
    return components(*x.unbind(-1))


def in_place(x):
    out = torch.zeros_like(x)
    for i, component in enumerate(as_list(x)):
        out[..., i] = component
    return out


def in_place_of_its_own(x):
    out = torch.zeros(x.shape, dtype=x.dtype)
    for i, component in enumerate(as_list(x)):
        out[..., i] = component
    return out


def first_interface(x):
    return torch.stack(components(*x.unbind(-1), sin=Sine.apply), dim=-1)


def reverse_only(x):
    return torch.stack(components(*x.unbind(-1), sin=ReverseOnly.apply), dim=-1)


FIELDS = [for_any, for_one, for_batches, as_list, in_place, in_place_of_its_own, first_interface, reverse_only]


def network(dtype=torch.float64, inputs=3, outputs=2):
    torch.manual_seed(0)
    layers = torch.nn.Linear(inputs, 16), torch.nn.Tanh(), torch.nn.Linear(16, outputs)
    return torch.nn.Sequential(*layers).to(dtype)


def derivatives_of(model, points):
    """Values, Jacobians and second derivatives of W₂ tanh(W₁x + b₁) + b₂."""
    first, bias, second, last = (each.detach().double().numpy() for each in model.parameters())
    t = np.tanh(points @ first.T + bias)
    jacobians = np.einsum("ia,ma,aj->mij", second, 1 - t**2, first)
    return t @ second.T + last, jacobians, np.einsum("ia,ma,aj,ak->mijk", second, -2 * t * (1 - t**2), first, first)


def close(found, expected, tolerance=1e-12):
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.__name__)
def test_every_way_to_write_a_field_gives_the_closed_form(field):
    values, jacobians = backend.point_jacobians(field, POINTS)
    close(values, FLOW.velocity(POINTS))
    close(jacobians, FLOW.gradient(POINTS))


@pytest.mark.parametrize("field", FIELDS, ids=lambda f: f.__name__)
def test_second_derivatives_are_those_of_the_jacobian(field):
    found = backend.second_derivatives(field, POINTS[:5])
    h = 1e-5
    steps = [FLOW.gradient(POINTS[:5] + h * e) - FLOW.gradient(POINTS[:5] - h * e) for e in np.eye(3)]
    close(found, np.stack(steps, axis=-1) / (2 * h), 1e-9)
    close(found, found.swapaxes(-1, -2), 1e-15)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_networks(dimension, outputs):
    model = network(inputs=dimension, outputs=outputs)
    expected = derivatives_of(model, POINTS[:, :dimension])
    for found, exact in zip(backend.point_jacobians(model, POINTS[:, :dimension]), expected[:2], strict=True):
        close(found, exact)
    close(backend.second_derivatives(model, POINTS[:, :dimension]), expected[2])
    assert all(each.grad is None for each in model.parameters())


def test_a_float32_network_gives_its_own_accuracy():
    model = network(torch.float32)
    _, expected, _ = derivatives_of(model, POINTS)
    _, found = backend.point_jacobians(lambda x: model(x), POINTS)
    close(found, expected, 1e-6)
    assert np.abs(found - expected).max() > 1e-10
    assert next(model.parameters()).dtype == torch.float32


@pytest.mark.parametrize(("outputs", "first"), [(1, "jacrev"), (2, "jacrev"), (3, "jacfwd"), (4, "jacfwd")])
def test_the_mode_follows_the_shapes(monkeypatch, outputs, first):
    used = []
    for name in ("jacfwd", "jacrev"):
        mode = getattr(backend, name)
        monkeypatch.setattr(backend, name, lambda *a, mode=mode, name=name, **k: used.append(name) or mode(*a, **k))
    backend.point_jacobians(network(outputs=outputs), POINTS)
    backend.jacobian(network(outputs=outputs), POINTS[0])
    assert set(used) == {first}


@pytest.mark.parametrize("field", [for_any, first_interface])
def test_chunks_change_nothing(monkeypatch, field):
    points = np.tile(POINTS, (6, 1))
    whole = backend.point_jacobians(field, points)
    monkeypatch.setattr(backend, "_CHUNK_BYTES", 1)
    for found, expected in zip(backend.point_jacobians(field, points), whole, strict=True):
        close(found, expected, 1e-15)


def test_batch_normalisation_in_evaluation_mode():
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3)).double()
    model(torch.rand(50, 3, dtype=torch.float64))
    model.eval()
    weight, norm, last = model[0].weight, model[1], model[2].weight
    expected = last @ torch.diag(norm.weight / (norm.running_var + norm.eps).sqrt()) @ weight
    _, found = backend.point_jacobians(model, POINTS)
    close(found, np.broadcast_to(expected.detach().numpy(), found.shape))


def test_time_is_a_tensor_that_is_not_differentiated():
    def field(x, t):
        return x * torch.exp(-t) * math.cos(t)

    values, jacobians = backend.point_jacobians(field, POINTS, 0.5)
    close(values, POINTS * math.exp(-0.5) * math.cos(0.5))
    close(jacobians, np.broadcast_to(math.exp(-0.5) * math.cos(0.5) * np.eye(3), (37, 3, 3)))


def test_no_points_and_strided_points():
    values, jacobians = backend.point_jacobians(for_any, POINTS[:0])
    assert (values.shape, jacobians.shape) == ((0, 3), (0, 3, 3))
    close(backend.point_jacobians(for_any, POINTS[::-2])[1], FLOW.gradient(POINTS[::-2]))


def test_constant_components():
    _, jacobians = backend.point_jacobians(lambda x: [x[..., 0], 1.0, 0], POINTS)
    np.testing.assert_array_equal(jacobians, np.broadcast_to(np.diag([1.0, 0, 0]), (37, 3, 3)))


MATRIX = np.array([[2.0, -1.0], [0.5, 3.0], [1.0, 4.0]])
CUBIC = [
    lambda x: torch.einsum("ij,j->i", torch.from_numpy(MATRIX), x**3),
    lambda x: torch.einsum("ij,j->i", torch.from_numpy(MATRIX), x**2 * Sine.apply(x) / x.sin() * x),
    lambda x: torch.from_numpy(MATRIX) @ x**3 if x[0] > 0 else x,
]


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
    assert backend.hessian(lambda x: x.sum(dim=1) ** 2, x).shape == (2, 2, 3, 2, 3)
    assert backend.jacobian(torch.sin, np.array(0.0)) == 1
    np.testing.assert_array_equal(backend.jacobian(lambda x: torch.ones(2), x), np.zeros((2, 2, 3)))


def test_weights_of_another_shape_are_refused():
    with pytest.raises(OptionError, match=r"\(3,\).*the result's, \(2,\)"):
        backend.vjp(lambda x: x**2, np.ones(2), np.ones(3))


def training(*layers):
    return torch.nn.Sequential(torch.nn.Linear(3, 4), *layers, torch.nn.Linear(4, 3))


REFUSED = {
    "batch normalisation": (training(torch.nn.BatchNorm1d(4)), r"BatchNorm1d '1' takes its mean .* model.eval\(\)"),
    "dropout": (training(torch.nn.Dropout()), r"Dropout '1' is random: call model.eval\(\)"),
    "random": (lambda x: x * torch.rand(3), r"model.eval\(\) first, and draw random numbers outside"),
    "choice": (lambda x: x if x[..., 0] > 0 else -x, r"line \d+ of test_torch.py: .*torch.where instead of `if`"),
    "NumPy": (lambda x: torch.as_tensor(np.sin(x)), "torch's functions instead of NumPy's"),
    "float32": (lambda x: torch.ones(3, 3) @ x, r"\.double\(\)"),
    "mixing": (lambda x: Sine.apply(x) - x.mean(dim=0), "depends on other points"),
    "scalar": (lambda x: (x**2).sum(), r"returned the shape \(\)"),
    "integers": (lambda x: x.long(), "int64, which has no derivative"),
    "nothing": (lambda x: None, "returned a NoneType"),
    "index": (lambda x: x[..., 7], "index 7 is out of bounds"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_differentiated_names_the_way_out(name):
    field, message = REFUSED[name]
    with pytest.raises((DerivativeError, OptionError), match=message) as caught:
        backend.point_jacobians(field, POINTS)
    assert "\n" not in str(caught.value)


def test_networks_and_functions_of_torch_are_recognised():
    model = network()
    assert all(backend_of(f) is backend for f in [model, for_any, torch.sin, lambda x: model(x), lambda x: for_any(x)])
    assert not any(backend_of(f) is backend for f in [np.sin, FLOW.velocity, lambda x: x**2, lambda x: np.sin(x)])


def test_the_public_calls_find_the_backend():
    close(velocity_gradient(for_any, at=POINTS).L, FLOW.gradient(POINTS))
    planar = velocity_gradient(lambda x, t: t * torch.sin(x), at=POINTS[:, :2], time=2.0, backend="torch").L
    close(planar[:, :2, :2], 2 * np.cos(POINTS[:, :2, None]) * np.eye(2))
    assert not planar[:, 2].any()
    close(jacobian(for_any, POINTS[0]), FLOW.gradient(POINTS[:1])[0])
    close(
        hessian(lambda x: for_any(x).sum(), POINTS[0]), backend.second_derivatives(for_any, POINTS[:1])[0].sum(axis=0)
    )
