"""PyTorch's backward pass on the user's own tensors, with what it needs checked first and explained."""

from __future__ import annotations

import re
from typing import Any

from flowgrad.autodiff.attempts import first_sentence
from flowgrad.errors import DerivativeError, MissingDependencyError, OptionError

try:
    import torch
except ImportError as problem:
    raise MissingDependencyError("backward needs PyTorch: pip install flowgrad[torch]") from problem


def backward(output: Any, *leaves: Any, weights: Any = None, retain_graph: bool = False) -> tuple[Any, ...]:
    """Gradients of Σ weights·output with respect to some leaf tensors, of their shapes.

    Each is also put into its leaf's ``grad``, in the place of an earlier one (``Tensor.backward`` adds to it).
    ``weights`` has the output's shape; an output of one element needs none. ``retain_graph`` keeps the graph for
    another pass. Raises OptionError, with the way out, for a leaf that asks for no gradient, that is not a leaf
    (unless ``retain_grad`` was called on it) or that the output does not depend on, for missing or misshapen
    weights, for a graph that is freed and for a leaf changed in place since the output was computed.
    """
    _check_output(output)
    for number, leaf in enumerate(leaves, 1):
        _check_leaf(leaf, _name(leaf, number))
    if not leaves:
        raise OptionError("no leaf is given: name the tensors to differentiate by, backward(output, x)")
    gradients = _gradients(output, leaves, _checked_weights(output, weights), retain_graph)
    for leaf, gradient in zip(leaves, gradients, strict=True):
        leaf.grad = gradient
    return gradients


def _check_output(output: Any) -> None:
    if not isinstance(output, torch.Tensor):
        raise OptionError(f"the output is a {type(output).__name__}: give a tensor, and leave out item() and numpy()")
    if not output.requires_grad:
        raise OptionError(
            f"the output ({_described(output)}) has requires_grad=False and no grad_fn, so nothing was recorded: call "
            "x.requires_grad_() before it is computed, outside torch.no_grad(), and leave out detach()"
        )


def _check_leaf(leaf: Any, name: str) -> None:
    if not isinstance(leaf, torch.Tensor):
        raise OptionError(f"{name} is a {type(leaf).__name__}: give a tensor made with requires_grad=True")
    if not leaf.requires_grad:
        raise OptionError(
            f"{name} has requires_grad=False: call requires_grad_() on it before the output is computed, and "
            "compute that again"
        )
    if not leaf.is_leaf and not leaf.retains_grad:
        raise OptionError(
            f"{name} is not a leaf: it is the result of {_operation(leaf)} (its grad_fn), and PyTorch keeps no "
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


def _gradients(output: Any, leaves: tuple[Any, ...], weights: Any, retain_graph: bool) -> tuple[Any, ...]:
    try:
        found: tuple[Any, ...] = torch.autograd.grad(
            output, leaves, weights, retain_graph=retain_graph, allow_unused=True
        )
    except RuntimeError as problem:
        raise _explained(problem, leaves) from problem
    for number, (leaf, gradient) in enumerate(zip(leaves, found, strict=True), 1):
        if gradient is None:
            raise OptionError(
                f"the output does not depend on {_name(leaf, number)}: compute it from this tensor, after "
                "requires_grad_() and without detach(), numpy() or torch.tensor() on the way"
            )
    return found


def _explained(problem: RuntimeError, leaves: tuple[Any, ...]) -> Exception:
    """PyTorch's errors of the pass itself."""
    text = str(problem)
    if "backward through the graph a second time" in text:
        return OptionError(
            "the graph of the output was freed by an earlier pass: compute the output again, or give retain_graph=True "
            "to the earlier one"
        )
    if "modified by an inplace operation" in text:
        return OptionError(
            f"{_changed(text, leaves)} was changed in place after the output was computed from it{_versions(text)}: "
            "compute the output again after the change, or call backward before it"
        )
    return DerivativeError(f"torch cannot differentiate the output: {first_sentence(problem)}: look at its grad_fn")


def _changed(text: str, leaves: tuple[Any, ...]) -> str:
    """The leaf that has the version in PyTorch's message, else no leaf; views of a leaf share its version."""
    found = re.search(r"is at version (\d+)", text)
    for number, leaf in enumerate(leaves, 1):
        if found and leaf._version == int(found[1]):
            return _name(leaf, number)
    return "a tensor between the leaves and the output"


def _versions(text: str) -> str:
    found = re.search(r"is at version (\d+); expected version (\d+)", text)
    return f" (version {found[1]} instead of {found[2]})" if found else ""


def _name(leaf: Any, number: int) -> str:
    return f"leaf {number} ({_described(leaf)})" if isinstance(leaf, torch.Tensor) else f"leaf {number}"


def _described(tensor: Any) -> str:
    return f"shape {tuple(tensor.shape)}, {tensor.dtype}"


def _operation(tensor: Any) -> str:
    return str(tensor.grad_fn.name()).removesuffix("0")
