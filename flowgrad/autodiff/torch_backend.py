"""Derivatives of functions of torch tensors, and of networks, by torch.func, and PyTorch's backward pass on the user's
own tensors with what it needs checked first.

A velocity field sees one point, x of shape (d,), under vmap; where it fails on that, a batch of one, (1, d);
where PyTorch cannot map it at all, all points at once, after a check that no point changes another's result. The
time is a tensor of no axes. Points go to the device and the dtype of the network's parameters (a float32 network
gives float32 accuracy), and are float64 where there is no network.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from flowgrad.autodiff.backends import (
    WayOut,
    first_sentence,
    first_that_works,
    in_chunks,
    in_order,
    referenced,
    with_value,
)
from flowgrad.errors import DerivativeError, MissingDependencyError, OptionError
from flowgrad.typing import FloatArray

try:
    import torch
    from torch.func import jacfwd, jacrev, vmap
except ImportError as problem:
    raise MissingDependencyError("derivatives by torch need PyTorch: pip install flowgrad[torch]") from problem

log = logging.getLogger("flowgrad")

Function = Callable[..., Any]
Way = Callable[[Any], tuple[Any, ...]]
Ways = Iterator[Callable[[], Any]]

# Bytes of one chunk's intermediate results, and how many of a layer's width a network holds at a time.
_CHUNK_BYTES, _LAYERS = 2**28, 8
# Width taken for a function without a network.
_WIDTH = 8
# PyTorch's first interface, wrapped by this, runs where torch.func does not.
_with_graph: Callable[[Function], Function] = torch.enable_grad()
# Gradients of a sum, with zeros where it does not depend on x; the graph stays for the next one.
_gradients = partial(torch.autograd.grad, retain_graph=True, materialize_grads=True)

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


def jacobian(f: Function, x: FloatArray) -> FloatArray:
    """∂f/∂x, result.shape + x.shape: forward mode where x has at most as many elements as the result."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        for mode in in_order(at.numel(), result.numel(), jacfwd, jacrev):
            yield partial(mode(g), at)
        yield partial(_with_graph(torch.autograd.functional.jacobian), g, at)

    return _of_one_array(f, x, ways)


def hessian(f: Function, x: FloatArray) -> FloatArray:
    """∂²f/∂x², result.shape + x.shape + x.shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        for mode in in_order(at.numel(), result.numel(), jacfwd, jacrev):
            yield partial(jacfwd(mode(g)), at)
        yield partial(jacrev(jacrev(g)), at)
        once = torch.autograd.functional.jacobian
        yield partial(_with_graph(once), lambda y: once(g, y, create_graph=True), at)

    return _of_one_array(f, x, ways)


def jvp(f: Function, x: FloatArray, tangent: FloatArray) -> FloatArray:
    """∂f/∂x · tangent, of the result's shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        direction = _tensor(tangent, at)
        yield lambda: torch.func.jvp(g, (at,), (direction,))[1]
        yield lambda: _with_graph(torch.autograd.functional.jvp)(g, at, direction)[1]

    return _of_one_array(f, x, ways)


def vjp(f: Function, x: FloatArray, weights: FloatArray) -> FloatArray:
    """weights · ∂f/∂x, of x's shape, in one pass backwards; OptionError for weights not of the result's shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        given = _tensor(weights, at)
        if given.shape != result.shape:
            raise OptionError(
                f"the weights have the shape {tuple(given.shape)}: give the result's, {tuple(result.shape)}"
            )
        yield lambda: torch.func.vjp(g, at)[1](given.to(result.dtype))[0]
        yield lambda: _with_graph(torch.autograd.functional.vjp)(g, at, given.to(result.dtype))[1]

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
    at, g = _tensor(x, _Place.of(f)), partial(_called, f)
    with torch.no_grad():  # the graph of the parameters would only cost memory
        result = first_that_works([partial(g, at)], _ADVICE, "torch")
        return _array(first_that_works(ways(g, at, result), _ADVICE, "torch"))


def _tensor(values: FloatArray | float, like: Any) -> Any:
    """A copy of an array on the device and in the dtype of a place, or of a tensor."""
    return torch.from_numpy(np.array(values, float)).to(like.device, like.dtype)


def _array(tensor: Any) -> FloatArray:
    found: FloatArray = tensor.detach().to("cpu", torch.float64).numpy()
    return found


def _called(f: Function, x: Any) -> Any:
    """What a function returns, as one tensor; components in a list or a tuple become the last axis."""
    result = f(x)
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
    moment = None if time is None else _tensor(time, place)
    field = f if time is None else lambda x: f(x, moment)
    dimension = points.shape[1]
    few = _tensor(points[:3] if len(points) else np.zeros((1, dimension)), place)
    vmapped = (partial(_mapped, field, batched, turn, few, second) for batched in (False, True) for turn in (0, 1))
    with torch.no_grad():
        way = first_that_works([*vmapped, partial(_summed, field, few, second)], _ADVICE, "torch")
        # Each point with so many copies of its layers.
        copies = (1 + dimension) ** (1 + second)
        size = max(64, _CHUNK_BYTES // (8 * _LAYERS * copies * place.width))
        return in_chunks(lambda part: tuple(_array(each) for each in way(_tensor(part, place))), points, size)


def _mapped(field: Function, batched: bool, turn: int, few: Any, second: bool) -> Way:
    """The derivatives by vmap over points, tried on a few."""

    def of_one(x: Any) -> Any:
        result = _called(field, x[None])[0] if batched else _called(field, x)
        if result.ndim != 1:
            raise _wrong_shape(result, x)
        return result

    mode = in_order(few.shape[1], vmap(of_one)(few).shape[1], jacfwd, jacrev)[turn]

    def way(x: Any) -> tuple[Any, ...]:
        if second:
            return (vmap((jacfwd if turn == 0 else jacrev)(mode(of_one)))(x),)
        jacobians, values = vmap(mode(with_value(of_one), has_aux=True))(x)
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
            values = _called(field, x)
            if values.ndim != 2 or len(values) != len(x):
                raise _wrong_shape(values, x)
            if values.requires_grad and _gradients(values[::2].sum(), x)[0][1::2].any():
                raise DerivativeError(
                    "the result at a point depends on other points of the batch: write the field so that each point "
                    "has its own result, or call model.eval()"
                )
            jacobians = _slopes(values, x, keep=second)
            return (_slopes(jacobians, x, keep=False),) if second else (values, jacobians)

    way(few)
    return way


def _slopes(values: Any, x: Any, keep: bool) -> Any:
    """∂/∂x_j of values (m, …) that each depend on their own point of x (m, d): (m, …, d)."""
    if not values.requires_grad:
        return torch.zeros(*values.shape, x.shape[1], dtype=x.dtype, device=x.device)
    columns = [_gradients(column.sum(), x, create_graph=keep)[0] for column in values.flatten(1).unbind(1)]
    return torch.stack(columns, dim=1).reshape(*values.shape, x.shape[1])


def backward(output: Any, *leaves: Any, weights: Any = None, retain_graph: bool = False) -> tuple[Any, ...]:
    """Gradients of Σ weights·output with respect to some leaf tensors, of their shapes.

    Each is also put into its leaf's ``grad``, in the place of an earlier one (``Tensor.backward`` adds to it).
    ``weights`` has the output's shape; an output of one element needs none. ``retain_graph`` keeps the graph for
    another pass. Raises OptionError, with the way out, for a leaf that asks for no gradient, that is not a leaf
    (unless ``retain_grad`` was called on it) or that the output does not depend on, for missing or misshapen
    weights, for a graph that is freed and for a leaf changed in place since the output was computed.
    """
    if not isinstance(output, torch.Tensor):
        raise OptionError(f"the output is a {type(output).__name__}: give a tensor, and leave out item() and numpy()")
    if not output.requires_grad:
        raise OptionError(
            f"the output ({_described(output)}) has requires_grad=False and no grad_fn, so nothing was recorded: call "
            "x.requires_grad_() before it is computed, outside torch.no_grad(), and leave out detach()"
        )
    if not leaves:
        raise OptionError("no leaf is given: name the tensors to differentiate by, backward(output, x)")
    names = []
    for number, leaf in enumerate(leaves, 1):
        names.append(f"leaf {number}" + (f" ({_described(leaf)})" if isinstance(leaf, torch.Tensor) else ""))
        _check_leaf(leaf, names[-1])
    weights = _checked_weights(output, weights)
    try:
        gradients: tuple[Any, ...] = torch.autograd.grad(
            output, leaves, weights, retain_graph=retain_graph, allow_unused=True
        )
    except RuntimeError as problem:
        raise _explained(problem, leaves, names) from problem
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is None:
            raise OptionError(
                f"the output does not depend on {name}: compute it from this tensor, after requires_grad_() and "
                "without detach(), numpy() or torch.tensor() on the way"
            )
    for leaf, gradient in zip(leaves, gradients, strict=True):
        leaf.grad = gradient
    return gradients


def _check_leaf(leaf: Any, name: str) -> None:
    if not isinstance(leaf, torch.Tensor):
        raise OptionError(f"{name} is a {type(leaf).__name__}: give a tensor made with requires_grad=True")
    if not leaf.requires_grad:
        raise OptionError(
            f"{name} has requires_grad=False: call requires_grad_() on it before the output is computed, and "
            "compute that again"
        )
    if not leaf.is_leaf and not leaf.retains_grad:
        operation = str(leaf.grad_fn.name()).removesuffix("0")
        raise OptionError(
            f"{name} is not a leaf: it is the result of {operation} (its grad_fn), and PyTorch keeps no "
            "gradient there: differentiate by the leaf it was computed from, or call retain_grad() on it before; in an "
            "update, change the leaf's values under torch.no_grad() instead of making a new tensor"
        )


def _checked_weights(output: Any, weights: Any) -> Any:
    if weights is None:
        if output.numel() == 1:
            return torch.ones_like(output)
        raise OptionError(
            f"the output has {output.numel()} elements ({_described(output)}), and a gradient is of one number: give "
            "weights of that shape (torch.ones_like(output) for its sum), or reduce it with sum() or mean()"
        )
    weights = torch.as_tensor(weights, dtype=output.dtype, device=output.device)
    if weights.shape != output.shape:
        raise OptionError(
            f"the weights have the shape {tuple(weights.shape)}: give the output's, {tuple(output.shape)}"
        )
    return weights


def _explained(problem: RuntimeError, leaves: tuple[Any, ...], names: list[str]) -> Exception:
    """PyTorch's errors of the pass itself."""
    text = str(problem)
    if "backward through the graph a second time" in text:
        return OptionError(
            "the graph of the output was freed by an earlier pass: compute the output again, or give retain_graph=True "
            "to the earlier one"
        )
    if "modified by an inplace operation" not in text:
        return DerivativeError(f"torch cannot differentiate the output: {first_sentence(problem)}: look at its grad_fn")
    changed, versions = "a tensor between the leaves and the output", ""
    if found := re.search(r"is at version (\d+)(?:; expected version (\d+))?", text):
        # The leaf that has this version; views of a leaf share its version.
        same = (name for leaf, name in zip(leaves, names, strict=True) if leaf._version == int(found[1]))
        changed = next(same, changed)
        versions = f" (version {found[1]} instead of {found[2]})" if found[2] else ""
    return OptionError(
        f"{changed} was changed in place after the output was computed from it{versions}: compute the output again "
        "after the change, or call backward before it"
    )


def _described(tensor: Any) -> str:
    return f"shape {tuple(tensor.shape)}, {tensor.dtype}"
