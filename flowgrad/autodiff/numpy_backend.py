"""Derivatives of functions written with NumPy, by dual numbers."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from flowgrad.autodiff.dual import Constant, Coordinates, Dual, is_at, next_level, plain
from flowgrad.errors import DerivativeError, OptionError
from flowgrad.typing import FloatArray

Function = Callable[..., Any]

# Points evaluated at a time: their values and derivatives stay in a core's cache.
_CHUNK = 16384


def jacobian(f: Function, x: FloatArray) -> FloatArray:
    """∂f/∂x, result.shape + x.shape."""
    slopes = _differentiated(f, x).derivative
    return _last(slopes).reshape((*slopes.shape[1:], *np.shape(x)))


def hessian(f: Function, x: FloatArray) -> FloatArray:
    """∂²f/∂x², result.shape + x.shape + x.shape: dual numbers within dual numbers."""
    second = _differentiated(lambda y: np.moveaxis(_differentiated(f, y).derivative, 0, -1), x).derivative
    return _last(second).reshape((*second.shape[1:-1], *np.shape(x), *np.shape(x)))


def jvp(f: Function, x: FloatArray, tangent: FloatArray) -> FloatArray:
    """∂f/∂x · tangent, of the result's shape."""
    level = next_level()
    result = _called(f, Dual(x, tangent[None], level))
    return result.derivative[0] if is_at(result, level) else np.zeros(np.shape(result))


def vjp(f: Function, x: FloatArray, weights: FloatArray) -> FloatArray:
    """weights · ∂f/∂x, of x's shape; forward mode, so it costs as much as the Jacobian."""
    slopes = _differentiated(f, x).derivative
    if weights.shape != slopes.shape[1:]:
        raise OptionError(f"the weights have the shape {weights.shape}: give that of the result, {slopes.shape[1:]}")
    return np.tensordot(slopes, weights, slopes.ndim - 1).reshape(np.shape(x))


def point_jacobians(f: Function, points: FloatArray, time: float | None = None) -> tuple[FloatArray, FloatArray]:
    """Values (m, k) and ∂f_i/∂x_j (m, k, d) of a field at points (m, d), a chunk at a time on all threads."""

    def at(x: Dual, level: int) -> tuple[FloatArray, FloatArray]:
        result = _field(f, x, time, level)
        return result.value, np.moveaxis(result.derivative, 0, -1)

    values, slopes = _in_chunks(at, points)
    _check_pointwise(f, points[: min(len(points), _CHUNK)], time, values)
    return values, slopes


def _check_pointwise(f: Function, points: FloatArray, time: float | None, values: FloatArray) -> None:
    """OptionError for a field whose value at a point depends on which others are asked for: three points are
    asked for again, two at a time."""
    if not len(points):
        return
    last = len(points) - 1
    # BLAS rounds sums differently for other numbers of rows: near zero, equal means equal for the field's size.
    size = np.max(np.abs(values[: len(points)]), where=np.isfinite(values[: len(points)]), initial=0.0)
    for pair in ([0, last // 2], [last, last // 3]):
        try:
            again = _called(f, points[pair]) if time is None else _called(f, points[pair], time)
            same = np.allclose(again, values[pair], rtol=1e-8, atol=1e-12 * size, equal_nan=True)
        except (ValueError, IndexError):
            same = False
        if not same:
            raise OptionError(
                "the field at a point depends on the other points that it is given: write it for each point alone, "
                "with x[..., 0], x[..., 1] for the coordinates, matrices as x @ A.T, and no sums or extremes over "
                "the points"
            )


def second_derivatives(f: Function, points: FloatArray, time: float | None = None) -> FloatArray:
    """∂²f_i/∂x_j∂x_k (m, k, d, d) of a field at points (m, d)."""
    dimension = points.shape[1]

    def at(x: Dual, level: int) -> tuple[FloatArray]:
        inner = next_level()
        seeds = np.broadcast_to(np.eye(dimension)[:, None, :], (dimension, len(x), dimension))
        slopes = _field(f, Dual(x, seeds, inner), time, inner).derivative
        second = slopes.derivative if is_at(slopes, level) else np.zeros((dimension, *slopes.shape))
        return (second.transpose(2, 3, 1, 0),)

    return _in_chunks(at, points)[0]


def time_derivatives(f: Function, points: FloatArray, time: float) -> tuple[FloatArray, FloatArray]:
    """∂f_i/∂t (m, k) and ∂²f_i/∂t∂x_j (m, k, d) of a field f(x, t) at points (m, d): the time a dual number too."""
    dimension = points.shape[1]

    def at(x: Dual, level: int) -> tuple[FloatArray, FloatArray]:
        inner = next_level()
        rate = _field(f, x, Dual(np.asarray(time, float), np.ones(1), inner), inner).derivative[0]
        if not is_at(rate, level):
            return rate, np.zeros((*rate.shape, dimension))
        return rate.value, np.moveaxis(rate.derivative, 0, -1)

    rates, slopes = _in_chunks(at, points)
    return rates, slopes


def _differentiated(f: Function, x: Any) -> Dual:
    """f of a dual number with respect to every element of x, which may be a dual number itself."""
    level, shape = next_level(), np.shape(x)
    size = math.prod(shape)
    result = _called(f, Dual(x, np.eye(size).reshape(size, *shape), level))
    if not is_at(result, level):
        return Dual(result, np.zeros((size, *np.shape(result))), level)
    unknown = np.isnan(plain(result))
    slopes = np.where(unknown, np.nan, result.derivative) if unknown.any() else result.derivative
    return Dual(result.value, slopes, level)


def _last(slopes: Any) -> Any:
    """The derivatives' axis at the end; within another derivative they are dual numbers themselves."""
    moved = np.moveaxis(slopes, 0, -1)
    return moved if isinstance(moved, Dual) else np.ascontiguousarray(moved)


def _called(f: Function, *arguments: Any) -> Any:
    """What a function returns; components in a list or a tuple become the last axis."""
    try:
        result = f(*arguments)
    except ValueError as error:
        # NumPy takes what refuses to be a number for a sequence, and tells that instead.
        if isinstance(error.__cause__, DerivativeError):
            raise error.__cause__ from None
        raise
    if isinstance(result, (list, tuple)):
        return np.stack([np.asarray(part, float) if not isinstance(part, Dual) else part for part in result], axis=-1)
    return result if isinstance(result, Dual) else np.asarray(result, float)


def _field(f: Function, x: Dual, time: float | Dual | None, level: int) -> Dual:
    result = _called(f, x) if time is None else _called(f, x, time)
    if result.ndim != 2 or len(result) != len(x):
        raise OptionError(
            f"the field returned the shape {result.shape} for points of the shape {x.shape}: write it for many points "
            "at once, with x[..., 0], x[..., 1] for the coordinates and np.stack([...], axis=-1) for the components"
        )
    return result if is_at(result, level) else Dual(result, np.zeros((x.shape[1], *result.shape)), level)


def _in_chunks(at: Callable[[Dual, int], Sequence[FloatArray]], points: FloatArray) -> list[FloatArray]:
    """What ``at`` gives for each chunk, together; all of it in arrays that are made once."""
    count = len(points)
    level = next_level()

    def of(start: int) -> Sequence[FloatArray]:
        part = np.array(points[start : start + _CHUNK].T, order="C").T
        part.flags.writeable = False
        return at(Coordinates(part.view(Constant), level), level)

    first = [np.asarray(each) for each in of(0)]
    results = [np.empty((count, *each.shape[1:])) for each in first]

    def store(start: int) -> None:
        for result, found in zip(results, of(start) if start else first, strict=True):
            part = result[start : start + _CHUNK]
            # The derivatives' axis comes from the front: one after the other is four times as fast.
            for k in range(part.shape[-1]):
                part[..., k] = found[..., k]

    if count <= _CHUNK:
        store(0)
        return results
    with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)) as pool:
        list(pool.map(store, range(0, count, _CHUNK)))
    return results
