"""The few functions that formulas need, for whatever array they are given: NumPy, dual numbers, torch or JAX."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

# A NumPy array, a dual number, a torch tensor, a JAX array, or a tracer of either.
Array = Any


def namespace(x: Array) -> ModuleType:
    """The module whose functions take ``x``: torch, jax.numpy, or numpy for all else; imports neither of the two."""
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    if jax is not None and isinstance(x, jax.Array):
        return sys.modules["jax.numpy"]
    return np


def like(x: Array, constants: np.ndarray) -> Array:
    """Constants as an array of the kind, precision and device of ``x``."""
    module = namespace(x)
    if module is np:
        return constants
    on_device = {"device": x.device} if module.__name__ == "torch" else {}
    return module.asarray(constants, dtype=x.dtype, **on_device)


def sin(x: Array) -> Array:
    """Sine."""
    return _of(x).sin(x)


def cos(x: Array) -> Array:
    """Cosine."""
    return _of(x).cos(x)


def exp(x: Array) -> Array:
    """Exponential."""
    return _of(x).exp(x)


def expm1(x: Array) -> Array:
    """eˣ − 1 without cancellation."""
    return _of(x).expm1(x)


def sqrt(x: Array) -> Array:
    """Square root."""
    return _of(x).sqrt(x)


def where(condition: Array, chosen: Array, other: Array) -> Array:
    """The one or the other."""
    if isinstance(condition, (bool, np.bool_)):
        return chosen if condition else other
    return namespace(condition).where(condition, chosen, other)


def stack(parts: Sequence[Array], axis: int) -> Array:
    """Along a new axis; parts that are numbers take the shape of those that are arrays."""
    full = next((part for part in parts if not isinstance(part, (int, float))), 0.0)
    parts = [part + 0 * full if isinstance(part, (int, float)) else part for part in parts]
    return namespace(full).stack(parts, axis)


def _of(x: Array) -> ModuleType:
    """As ``namespace``; numbers are Python's own, which mix with every kind of array."""
    return math if isinstance(x, (int, float)) else namespace(x)
