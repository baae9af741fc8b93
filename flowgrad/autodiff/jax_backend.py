"""Derivatives of functions written with jax.numpy: compiled, in float64, without changing the user's settings.

A velocity field sees one point, x of shape (d,), under vmap; where it fails on that, a batch of one, (1, d). The
time is an array of no axes. Each call compiles anew, so that what a function closes over may change between calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np

from flowgrad.autodiff.backends import WayOut, first_that_works, in_chunks, in_order, with_value
from flowgrad.errors import DerivativeError, MissingDependencyError, OptionError
from flowgrad.typing import FloatArray

try:
    import jax
    import jax.numpy as jnp
    from jax import jacfwd, jacrev, vmap
except ImportError as problem:
    raise MissingDependencyError("derivatives of JAX functions need JAX: pip install flowgrad[jax]") from problem

Function = Callable[..., Any]
Way = Callable[[Any], tuple[Any, ...]]
Ways = Iterator[Callable[[], Any]]

# Points compiled for and evaluated at a time; fewer are filled up, so that one compilation serves all.
_CHUNK = 2**16

_ADVICE = (
    WayOut(
        ("TracerBoolConversionError", "ConcretizationTypeError", "TracerIntegerConversionError"),
        "use jnp.where instead of `if`, and jax.numpy's functions instead of math's, float() and int()",
    ),
    WayOut(("TracerArrayConversionError",), "use jax.numpy's functions instead of NumPy's, or backend='numpy'"),
    WayOut(("JAX arrays are immutable",), "use x.at[...].set(...) or jnp.stack([...], axis=-1)"),
    WayOut(
        ("same dtypes",), "x is float64: make the function's own arrays so, or use jnp's functions instead of lax's"
    ),
)


def jacobian(f: Function, x: FloatArray) -> FloatArray:
    """∂f/∂x, result.shape + x.shape: forward mode where x has at most as many elements as the result."""
    return _of_one_array(
        f,
        x,
        lambda g, at, result: (partial(mode(g), at) for mode in in_order(at.size, result.size, jacfwd, jacrev)),
    )


def hessian(f: Function, x: FloatArray) -> FloatArray:
    """∂²f/∂x², result.shape + x.shape + x.shape."""
    return _of_one_array(
        f,
        x,
        lambda g, at, result: (partial(jacfwd(mode(g)), at) for mode in in_order(at.size, result.size, jacfwd, jacrev)),
    )


def jvp(f: Function, x: FloatArray, tangent: FloatArray) -> FloatArray:
    """∂f/∂x · tangent, of the result's shape."""
    return _of_one_array(
        f, x, lambda g, at, result: iter([lambda: jax.jvp(g, (at,), (jnp.asarray(tangent, at.dtype),))[1]])
    )


def vjp(f: Function, x: FloatArray, weights: FloatArray) -> FloatArray:
    """weights · ∂f/∂x, of x's shape, in one pass backwards; OptionError for weights not of the result's shape."""

    def ways(g: Function, at: Any, result: Any) -> Ways:
        if np.shape(weights) != result.shape:
            raise OptionError(f"the weights have the shape {np.shape(weights)}: give the result's, {result.shape}")
        yield lambda: jax.vjp(g, at)[1](jnp.asarray(weights, result.dtype))[0]

    return _of_one_array(f, x, ways)


def point_jacobians(f: Function, points: FloatArray, time: float | None = None) -> tuple[FloatArray, FloatArray]:
    """Values (m, k) and ∂v_i/∂x_j (m, k, d) of a field at points (m, d)."""
    values, jacobians = _at_points(f, points, time, second=False)
    return values, jacobians


def second_derivatives(f: Function, points: FloatArray, time: float | None = None) -> FloatArray:
    """∂²v_i/∂x_j∂x_k (m, k, d, d) of a field at points (m, d)."""
    return _at_points(f, points, time, second=True)[0]


def _in_float64() -> AbstractContextManager[Any]:
    """For this call and thread only."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # until JAX 0.8

    return enable_x64()


def _of_one_array(f: Function, x: FloatArray, ways: Callable[[Function, Any, Any], Ways]) -> FloatArray:
    """The first of some derivatives of f at x that JAX can take."""
    g = partial(_called, f)
    with _in_float64():
        at = jnp.asarray(x, jnp.float64)
        result = first_that_works([partial(g, at)], _ADVICE, "jax")
        return np.array(first_that_works(ways(g, at, result), _ADVICE, "jax"), float)


def _called(f: Function, *arguments: Any) -> Any:
    """What a function returns, as one array; components in a list or a tuple become the last axis."""
    result = f(*arguments)
    if isinstance(result, (list, tuple)):
        return jnp.stack(jnp.broadcast_arrays(*(jnp.asarray(part, float) for part in result)), axis=-1)
    if isinstance(result, (int, float)):
        return jnp.asarray(result, float)
    if not isinstance(result, jax.Array):
        raise DerivativeError(f"the function returned a {type(result).__name__}: return an array, or arrays in a list")
    if not jnp.issubdtype(result.dtype, jnp.floating):
        raise DerivativeError(
            f"the function returned {result.dtype}, which has no derivative: return floating-point numbers"
        )
    return result


def _at_points(f: Function, points: FloatArray, time: float | None, second: bool) -> tuple[FloatArray, ...]:
    """Values and Jacobians, or second derivatives, some points at a time."""
    size = min(_CHUNK, max(1, len(points)))
    arguments = () if time is None else (time,)
    with _in_float64():
        few = jnp.zeros((size, points.shape[1])).at[: len(points)].set(points[:size])
        ways = (
            partial(_mapped, f, arguments, batched, turn, few, second) for batched in (False, True) for turn in (0, 1)
        )
        way = first_that_works(ways, _ADVICE, "jax")

        def evaluate(part: FloatArray) -> tuple[FloatArray, ...]:
            filled = np.concatenate([part, np.broadcast_to(part[-1], (size - len(part), part.shape[1]))])
            return tuple(np.asarray(each, float)[: len(part)] for each in way(filled))

        return in_chunks(evaluate, points, size)


def _mapped(f: Function, arguments: tuple[float, ...], batched: bool, turn: int, few: Any, second: bool) -> Way:
    """The derivatives by vmap over points, compiled for some of them."""

    def of_one(x: Any, *time: Any) -> Any:
        result = _called(f, x[None], *time)[0] if batched else _called(f, x, *time)
        if result.ndim != 1:
            raise OptionError(
                f"the field returned the shape {result.shape} for one point, x of the shape {x.shape}: return the "
                "components of the velocity on the last axis, with jnp.stack([...], axis=-1)"
            )
        return result

    outputs = jax.eval_shape(of_one, few[0], *arguments).shape[0]
    mode = in_order(few.shape[1], outputs, jacfwd, jacrev)[turn]
    derivative = jacfwd(mode(of_one)) if second else mode(with_value(of_one), has_aux=True)
    compiled = jax.jit(vmap(derivative, in_axes=(0, *[None] * len(arguments))))

    def way(x: Any) -> tuple[Any, ...]:
        found = compiled(x, *arguments)
        return (found,) if second else (found[1], found[0])

    compiled.lower(few, *arguments)  # what the function may not do shows here
    return way
