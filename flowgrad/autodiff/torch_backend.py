"""Functions of torch tensors, and networks: torch.func.

A velocity field sees one point, x of shape (d,), under vmap; where it fails on that, a batch of one, (1, d);
where PyTorch cannot map it at all, all points at once, after a check that no point changes another's result. The
time is a tensor of no axes. Points go to the device and the dtype of the network's parameters (a float32 network
gives float32 accuracy), and are float64 where there is no network.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flowgrad.autodiff.attempts import WayOut, first_that_works, in_chunks
from flowgrad.autodiff.references import referenced, uses
from flowgrad.errors import DerivativeError, MissingDependencyError, OptionError
from flowgrad.typing import FloatArray

try:
    import torch
    from torch.func import jacfwd, jacrev, vmap
except ImportError as problem:
    raise MissingDependencyError("backend 'torch' needs PyTorch: pip install flowgrad[torch]") from problem

log = logging.getLogger("flowgrad")

Function = Callable[..., Any]
Way = Callable[[Any], tuple[Any, ...]]
Ways = Iterator[Callable[[], Any]]

# Bytes of one chunk's intermediate results, and how many of a layer's width a network holds at a time.
_CHUNK_BYTES, _LAYERS = 2**28, 8
# Width taken for a function without a network.
_WIDTH = 8

_ADVICE = (
    WayOut(
        ("data-dependent control flow", "ambiguous"),
        "use torch.where instead of `if`, and tensors instead of item() and float()",
    ),
    WayOut(("randomness error mode",), "call model.eval() first, and draw random numbers outside the function"),
    WayOut(("more than 1 value per channel", ".data` inside functorch"), "call model.eval() first, or use a LayerNorm"),
    WayOut(
        ("doesn't have storage", "Can't call numpy()"), "use torch's functions instead of NumPy's, or backend='numpy'"
    ),
    WayOut(("same dtype", "expected scalar type"), "x is float64: make the function's own tensors so, with .double()"),
    WayOut(("same device",), "move the function's tensors to one device, with .to(device)"),
    WayOut(("inplace", "in-place"), "make new tensors, with torch.stack([...], dim=-1)", final=False),
)


def recognises(f: Function) -> bool:
    """Networks, and functions that name something of torch."""
    return uses(f, "torch")


def jacobian(f: Function, x: FloatArray) -> FloatArray:
    """∂f/∂x, result.shape + x.shape: forward mode where x has at most as many elements as the result."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        for mode in _modes(at.numel(), result.numel()):
            yield partial(mode(g), at)
        yield partial(_with_graph, torch.autograd.functional.jacobian, g, at)

    return _of_one_array(f, x, ways)


def hessian(f: Function, x: FloatArray) -> FloatArray:
    """∂²f/∂x², result.shape + x.shape + x.shape."""

    def slopes(g: Function, y: Any) -> Any:
        return torch.autograd.functional.jacobian(g, y, create_graph=True)

    def ways(g: Function, at: Any, result: Any) -> Ways:
        for mode in _modes(at.numel(), result.numel()):
            yield partial(jacfwd(mode(g)), at)
        yield partial(jacrev(jacrev(g)), at)
        yield partial(_with_graph, torch.autograd.functional.jacobian, partial(slopes, g), at)

    return _of_one_array(f, x, ways)


def jvp(f: Function, x: FloatArray, tangent: FloatArray) -> FloatArray:
    """∂f/∂x · tangent, of the result's shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        direction = _like(tangent, at)
        yield lambda: torch.func.jvp(g, (at,), (direction,))[1]
        yield lambda: _with_graph(torch.autograd.functional.jvp, g, at, direction)[1]

    return _of_one_array(f, x, ways)


def vjp(f: Function, x: FloatArray, weights: FloatArray) -> FloatArray:
    """weights · ∂f/∂x, of x's shape, in one pass backwards; OptionError for weights not of the result's shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        given = _like(weights, at)
        if given.shape != result.shape:
            raise OptionError(
                f"the weights have the shape {tuple(given.shape)}: give the result's, {tuple(result.shape)}"
            )
        yield lambda: torch.func.vjp(g, at)[1](given.to(result.dtype))[0]
        yield lambda: _with_graph(torch.autograd.functional.vjp, g, at, given.to(result.dtype))[1]

    return _of_one_array(f, x, ways)


def point_jacobians(f: Function, points: FloatArray, time: float | None = None) -> tuple[FloatArray, FloatArray]:
    """Values (m, k) and ∂v_i/∂x_j (m, k, d) of a field at points (m, d)."""
    values, jacobians = _at_points(f, points, time, second=False)
    return values, jacobians


def second_derivatives(f: Function, points: FloatArray, time: float | None = None) -> FloatArray:
    """∂²v_i/∂x_j∂x_k (m, k, d, d) of a field at points (m, d)."""
    return _at_points(f, points, time, second=True)[0]


@dataclass(frozen=True)
class _Place:
    """Where a function is evaluated, and how many points at a time."""

    device: Any
    dtype: Any
    width: int

    @classmethod
    def of(cls, f: Function) -> _Place:
        """Of the first network that a function refers to, else of its tensors, in float64."""
        tensors = [each for each in referenced(f) if isinstance(each, (torch.nn.Module, torch.Tensor))]
        networks = [each for each in tensors if isinstance(each, torch.nn.Module)]
        for network in networks:
            _check_mode(network)
        own = [each for network in networks for each in network.parameters() if each.is_floating_point()]
        width = max((size for each in own for size in each.shape), default=_WIDTH)
        if own:
            _note_precision("the network's parameters are", own[0].dtype)
            return cls(own[0].device, own[0].dtype, width)
        plain = (each.device for each in tensors if isinstance(each, torch.Tensor))
        return cls(next(plain, torch.device("cpu")), torch.float64, width)

    def tensor(self, values: FloatArray | float) -> Any:
        """A copy of an array, there."""
        return torch.from_numpy(np.array(values, float)).to(self.device, self.dtype)

    def chunk(self, copies: int) -> int:
        """Points evaluated at a time, each with so many copies of its layers."""
        return max(64, _CHUNK_BYTES // (8 * _LAYERS * copies * self.width))


@functools.cache
def _note_precision(what: str, dtype: Any) -> None:
    """Said once."""
    if dtype != torch.float64:
        log.info("%s %s: so accurate are the derivatives (float64 after .double())", what, dtype)


def _check_mode(network: Any) -> None:
    """Some layers take the mean over the batch, or are random, while a network is trained."""
    kinds = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd)
    for name, layer in network.named_modules():
        if isinstance(layer, kinds) and layer.training:
            what = "takes its mean over all points" if isinstance(layer, kinds[0]) else "is random"
            raise DerivativeError(
                f"the network is in training mode, in which its layer {type(layer).__name__} '{name}' {what}: call "
                "model.eval() first"
            )


def _of_one_array(f: Function, x: FloatArray, ways: Callable[[Function, Any, Any], Ways]) -> FloatArray:
    """The first of some derivatives of f at x that PyTorch can take."""
    at = _Place.of(f).tensor(x)

    def g(y: Any) -> Any:
        return _result(f(y), y)

    with torch.no_grad():  # the graph of the parameters would only cost memory
        result = first_that_works([partial(g, at)], _ADVICE, "torch")
        return _array(first_that_works(ways(g, at, result), _ADVICE, "torch"))


def _modes(inputs: int, outputs: int) -> tuple[Any, Any]:
    """Forward mode first where there are at most as many inputs as outputs."""
    return (jacfwd, jacrev) if inputs <= outputs else (jacrev, jacfwd)


def _with_graph(function: Function, *args: Any) -> Any:
    """By PyTorch's first interface, which runs where torch.func does not."""
    with torch.enable_grad():
        return function(*args)


def _like(values: FloatArray, x: Any) -> Any:
    return torch.from_numpy(np.array(values, float)).to(x.device, x.dtype)


def _array(tensor: Any) -> FloatArray:
    found: FloatArray = tensor.detach().to("cpu", torch.float64).numpy()
    return found


def _result(result: Any, x: Any) -> Any:
    """What a function returned, as one tensor; components in a list or a tuple become the last axis."""
    if isinstance(result, (list, tuple)):
        parts = torch.broadcast_tensors(*(torch.as_tensor(part, dtype=x.dtype, device=x.device) for part in result))
        return torch.stack(parts, dim=-1)
    if isinstance(result, (int, float)):
        return torch.as_tensor(result, dtype=x.dtype, device=x.device)
    if not isinstance(result, torch.Tensor):
        raise DerivativeError(f"the function returned a {type(result).__name__}: return a tensor, or tensors in a list")
    if not result.is_floating_point():
        raise DerivativeError(
            f"the function returned {result.dtype}, which has no derivative: return floating-point numbers"
        )
    if result.dtype != x.dtype:
        _note_precision("the function returns", result.dtype)
    return result


def _at_points(f: Function, points: FloatArray, time: float | None, second: bool) -> tuple[FloatArray, ...]:
    """Values and Jacobians, or second derivatives, some points at a time."""
    place = _Place.of(f)
    field = f if time is None else partial(_at_time, f, place.tensor(time))
    dimension = points.shape[1]
    few = place.tensor(points[:3] if len(points) else np.zeros((1, dimension)))
    vmapped = (partial(_mapped, field, batched, turn, few, second) for batched in (False, True) for turn in (0, 1))
    with torch.no_grad():
        way = first_that_works([*vmapped, partial(_summed, field, few, second)], _ADVICE, "torch")
        size = place.chunk((1 + dimension) ** (1 + second))
        return in_chunks(lambda part: tuple(_array(each) for each in way(place.tensor(part))), points, size)


def _at_time(f: Function, time: Any, x: Any) -> Any:
    return f(x, time)


def _mapped(field: Function, batched: bool, turn: int, few: Any, second: bool) -> Way:
    """The derivatives by vmap over points, tried on a few."""

    def of_one(x: Any) -> Any:
        result = _result(field(x[None]), x)[0] if batched else _result(field(x), x)
        if result.ndim != 1:
            raise _wrong_shape(result, x)
        return result

    def with_value(x: Any) -> tuple[Any, Any]:
        result = of_one(x)
        return result, result

    mode = _modes(few.shape[1], vmap(of_one)(few).shape[1])[turn]

    def way(x: Any) -> tuple[Any, ...]:
        if second:
            return (vmap((jacfwd if turn == 0 else jacrev)(mode(of_one)))(x),)
        jacobians, values = vmap(mode(with_value, has_aux=True))(x)
        return values, jacobians

    way(few)
    return way


def _wrong_shape(result: Any, x: Any) -> OptionError:
    where = f"{len(x)} points" if x.ndim == 2 else "one point"
    return OptionError(
        f"the field returned the shape {tuple(result.shape)} for {where}, x of the shape {tuple(x.shape)}: return the "
        "components of the velocity on the last axis, with torch.stack([...], dim=-1)"
    )


def _summed(field: Function, few: Any, second: bool) -> Way:
    """The derivatives of the sums over points of each component, which are those of the points where no point
    changes another's result; DerivativeError where one does."""

    def way(x: Any) -> tuple[Any, ...]:
        with torch.enable_grad():
            x = x.clone().requires_grad_()
            values = _result(field(x), x)
            if values.ndim != 2 or len(values) != len(x):
                raise _wrong_shape(values, x)
            _check_apart(values, x)
            jacobians = _slopes(values, x, keep=second)
            return (_slopes(jacobians, x, keep=False),) if second else (values, jacobians)

    way(few)
    return way


def _slopes(values: Any, x: Any, keep: bool) -> Any:
    """∂/∂x_j of values (m, …) that each depend on their own point of x (m, d): (m, …, d)."""
    if not values.requires_grad:
        return torch.zeros(*values.shape, x.shape[1], dtype=x.dtype, device=x.device)
    columns = [_gradient(column.sum(), x, keep) for column in values.flatten(1).unbind(1)]
    return torch.stack(columns, dim=1).reshape(*values.shape, x.shape[1])


def _gradient(total: Any, x: Any, keep: bool = False) -> Any:
    return torch.autograd.grad(total, x, create_graph=keep, retain_graph=True, materialize_grads=True)[0]


def _check_apart(values: Any, x: Any) -> None:
    """The results at every other point must not depend on the points between."""
    if values.requires_grad and _gradient(values[::2].sum(), x)[1::2].any():
        raise DerivativeError(
            "the result at a point depends on other points of the batch: write the field so that each point has its "
            "own result, or call model.eval()"
        )
