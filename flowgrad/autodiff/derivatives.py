"""Jacobians, gradients, Hessians and products with them of functions of one array, and derivatives of fields by time,
by dual numbers, PyTorch or JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.autodiff.backends import backend_of
from flowgrad.autodiff.dual import Dual
from flowgrad.errors import DerivativeError, OptionError
from flowgrad.typing import FloatArray

Function = Callable[..., Any]


def jacobian(f: Function, x: ArrayLike, *, backend: str | None = None) -> FloatArray:
    """∂f/∂x, of the shape result.shape + x.shape, of a function f of one array.

    ``f`` is written with NumPy (dual numbers differentiate it), or with torch or jax.numpy; ``backend``
    says which where it is not seen from the function. Components in a list become the last axis. NaN where
    there is no derivative. Raises DerivativeError, which names the call, for what cannot be differentiated.
    """
    found: FloatArray = backend_of(f, backend).jacobian(f, as_argument(x))
    return found


def gradient(f: Function, x: ArrayLike, *, backend: str | None = None) -> FloatArray:
    """∂f/∂x, of x's shape, of a function with one number as its result; OptionError for others."""
    x = as_argument(x)
    found = jacobian(f, x, backend=backend)
    if found.size != x.size:
        raise OptionError(
            f"the gradient is of a scalar, and the result has the shape {found.shape[: found.ndim - x.ndim]}: use "
            "jacobian, or vjp with weights"
        )
    return found.reshape(x.shape)


def hessian(f: Function, x: ArrayLike, *, backend: str | None = None) -> FloatArray:
    """∂²f/∂x∂x, of the shape result.shape + x.shape + x.shape."""
    found: FloatArray = backend_of(f, backend).hessian(f, as_argument(x))
    return found


def jvp(f: Function, x: ArrayLike, tangent: ArrayLike, *, backend: str | None = None) -> FloatArray:
    """∂f/∂x · tangent, of the result's shape (forward mode); OptionError for a tangent of another shape than x."""
    x, tangent = as_argument(x), as_argument(tangent)
    if tangent.shape != x.shape:
        raise OptionError(f"the tangent has the shape {tangent.shape} and x has {x.shape}: give one of x's shape")
    found: FloatArray = backend_of(f, backend).jvp(f, x, tangent)
    return found


def directional_derivative(
    f: Function, x: ArrayLike, direction: ArrayLike, *, backend: str | None = None
) -> FloatArray:
    """∂f/∂x · n, of the result's shape, along the unit vector n of a direction; OptionError for a zero one."""
    direction = as_argument(direction)
    length = np.linalg.norm(direction)
    if not 0 < length < np.inf:
        raise OptionError(f"the direction {direction.tolist()} has the length {length:g}: give one that is not zero")
    return jvp(f, x, direction / length, backend=backend)


def vjp(f: Function, x: ArrayLike, weights: ArrayLike, *, backend: str | None = None) -> FloatArray:
    """weights · ∂f/∂x, of x's shape: the gradient of the weighted sum of the results (reverse mode with torch
    and jax). OptionError for weights of another shape than the result."""
    module, x = backend_of(f, backend), as_argument(x)
    found: FloatArray = module.vjp(f, x, as_argument(weights))
    return found


def as_argument(x: Any) -> FloatArray:
    """An array of floating-point numbers; OptionError for others."""
    if isinstance(x, Dual):
        return x  # type: ignore[return-value]  # within another derivative
    if hasattr(x, "detach"):
        x = x.detach().cpu().numpy()
    try:
        return np.array(x, float)
    except (TypeError, ValueError):
        raise OptionError(f"the argument is {x!r}: give numbers") from None


def time_derivatives(
    f: Function, points: FloatArray, time: float, backend: str | None = None
) -> tuple[FloatArray, FloatArray]:
    """∂f_i/∂t (m, k) and ∂²f_i/∂t∂x_j (m, k, d) of a field f(x, t) at points (m, d) and a time.

    Functions written with NumPy see the time as a dual number; those of torch and JAX as one more coordinate of each
    point. DerivativeError for a function that cannot be differentiated so.
    """
    module, d = backend_of(f, backend), points.shape[1]
    if hasattr(module, "time_derivatives"):
        rates: tuple[FloatArray, FloatArray] = module.time_derivatives(f, points, time)
        return rates

    def in_space_time(event: Any) -> Any:
        """The field at one point (d + 1,), the time its last coordinate, or at a batch of one, (1, d + 1)."""
        if event.ndim == 2 and len(event) > 1:
            raise DerivativeError(
                "the field is seen at many points at once only, and not differentiated by its time so: write it for "
                "one point, x[..., 0], x[..., 1], …, without operations that torch.vmap refuses"
            )
        return f(event[..., :-1], event[..., -1].reshape(()))

    events = np.column_stack([points, np.full(len(points), time)])
    slopes = module.point_jacobians(in_space_time, events)[1]
    return slopes[..., d], module.second_derivatives(in_space_time, events)[..., :d, d]
