"""Differentiation rules of functions of whole arrays: linear ones, products, choices, and what is made of these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from flowgrad.autodiff.dual import Dual, below, is_at, plain
from flowgrad.autodiff.rules import FUNCTION_RULES, METHOD_RULES, name_of, no_rule, rule

# Linear in their first argument, an array or a sequence of arrays.
LINEAR = (
    np.sum, np.mean, np.cumsum, np.trace, np.diagonal, np.diag, np.diff, np.tril, np.triu,
    np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.squeeze, np.expand_dims,
    np.broadcast_to, np.atleast_1d, np.atleast_2d, np.atleast_3d, np.roll, np.flip, np.fliplr, np.flipud, np.rot90,
    np.repeat, np.tile, np.take, np.take_along_axis, np.delete, np.resize,
    np.concatenate, np.vstack, np.hstack, np.dstack, np.column_stack, np.block,
    np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.real,
)  # fmt: skip
# What these may be told; other options would add constants, round, or write into arrays.
_LINEAR_OPTIONS = {
    "axis", "axis1", "axis2", "offset", "keepdims", "where", "n", "k", "order", "source", "destination", "axes", "reps",
    "repeats", "shape", "new_shape", "newshape", "shift", "m", "start", "indices", "mode", "obj", "subok", "copy",
}  # fmt: skip
# Linear in each of their first two arguments.
BILINEAR = (
    np.matmul, np.dot, np.vdot, np.inner, np.outer, np.tensordot, np.cross, np.kron, np.convolve, np.correlate,
)  # fmt: skip


def duals_in(argument: Any) -> Iterator[Dual]:
    """The dual numbers in an argument, which may be nested sequences."""
    if isinstance(argument, Dual):
        yield argument
    elif isinstance(argument, (list, tuple)):
        for each in argument:
            yield from duals_in(each)


def _each(argument: Any, change: Callable[[Any], Any]) -> Any:
    """The argument, or the members of a sequence, changed."""
    if isinstance(argument, (list, tuple)):
        return type(argument)(_each(each, change) for each in argument)
    return change(argument)


def _linear(function: Callable[..., Any]) -> Callable[..., Any]:
    most = 3 if function in (np.trace, np.diagonal) else 2

    def derived(x: Any, *args: Any, **options: Any) -> Any:
        if not any(True for _ in duals_in(x)):
            raise no_rule(f"{name_of(function)} with respect to what is not its first argument")
        # What would make the function affine, write into an array, or round.
        if len(args) > most or any(isinstance(each, (type, np.dtype)) for each in args):
            raise no_rule(f"{name_of(function)} with so many arguments")
        for name in options.keys() - _LINEAR_OPTIONS:
            raise no_rule(f"{name_of(function)} with {name}=")
        level, count = _level_and_count(x)
        value = function(_each(x, lambda a: below(a, level)), *args, **options)
        _freeze_views(x, value)
        slopes = [function(_each(x, partial(_slope, level=level, k=k)), *args, **options) for k in range(count)]
        if isinstance(value, (list, tuple)):
            parts = zip(value, *slopes, strict=True)
            return type(value)(Dual(part, np.stack(own), level) for part, *own in parts)
        return Dual(value, np.stack(slopes), level)

    return derived


def _freeze_views(x: Any, value: Any) -> None:
    """Values that share memory with others whose slopes do not: nobody may write into them any more."""
    for array in map(plain, value if isinstance(value, (list, tuple)) else [value]):
        for other in map(plain, duals_in(x)):
            if np.may_share_memory(array, other):
                array.flags.writeable = other.flags.writeable = False


def _level_and_count(x: Any) -> tuple[int, int]:
    level = max(each.level for each in duals_in(x))
    return level, next(each.count for each in duals_in(x) if each.level == level)


def _slope(x: Any, level: int, k: int) -> Any:
    return x.derivative[k] if is_at(x, level) else np.zeros(np.shape(x))


def _bilinear(function: Callable[..., Any]) -> Callable[..., Any]:
    def derived(a: Any, b: Any, *args: Any, **options: Any) -> Dual:
        level, _ = _level_and_count([a, b])
        u, v = below(a, level), below(b, level)
        terms = []
        if is_at(a, level):
            terms.append(np.stack([function(part, v, *args, **options) for part in a.derivative]))
        if is_at(b, level):
            terms.append(np.stack([function(u, part, *args, **options) for part in b.derivative]))
        return Dual(function(u, v, *args, **options), sum(terms[1:], terms[0]), level)

    return derived


@rule(np.stack)
def _stack(arrays: Sequence[Any], axis: int = 0) -> Dual:
    level, count = _level_and_count(list(arrays))
    value = np.stack([below(x, level) for x in arrays], axis)
    if isinstance(value, np.ndarray) and not any(isinstance(x, Dual) and x.level < level for x in arrays):
        slopes = np.zeros((count, *value.shape))
        for x, goal in zip(arrays, np.moveaxis(slopes, axis + 1 if axis >= 0 else axis, 0), strict=True):
            if is_at(x, level):
                x.put_slopes(goal)
        return Dual(value, slopes, level)
    parts = [x.derivative if is_at(x, level) else np.zeros((count, *np.shape(x))) for x in arrays]
    return Dual(value, np.stack(parts, axis + 1 if axis >= 0 else axis), level)


@rule(np.einsum)
def _einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Dual:
    """The product rule."""
    if not isinstance(subscripts, str):
        raise no_rule("np.einsum with subscripts that are not text")
    level, _count = _level_and_count(operands)
    inputs, output = _explicit(subscripts.replace(" ", ""), operands)
    parts = inputs.split(",")
    extra = next(letter for letter in "zZyYxXwW" if letter not in subscripts)
    values = [below(x, level) for x in operands]
    terms = []
    for k, x in enumerate(operands):
        if is_at(x, level):
            with_extra = ",".join(extra * (i == k) + part for i, part in enumerate(parts))
            mixed = [x.derivative if i == k else value for i, value in enumerate(values)]
            terms.append(np.einsum(f"{with_extra}->{extra}{output}", *mixed))
    return Dual(np.einsum(f"{inputs}->{output}", *values), sum(terms[1:], terms[0]), level)


def _explicit(subscripts: str, operands: Sequence[Any]) -> tuple[str, str]:
    """Inputs and output; without an arrow the letters that occur once, in the alphabet's order."""
    if "->" in subscripts:
        inputs, output = subscripts.split("->")
        return inputs, output
    letters = subscripts.replace(",", "").replace(".", "")
    once = "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return subscripts, "..." * ("..." in subscripts) + once


@rule(np.where)
def _where(condition: Any, a: Any, b: Any) -> Any:
    condition = plain(condition)
    if not any(isinstance(x, Dual) for x in (a, b)):
        return np.where(condition, a, b)
    level, count = _level_and_count([a, b])
    value = np.where(condition, below(a, level), below(b, level))
    slopes = []
    for k in range(count):
        slope = np.where(condition, *(x.derivative[k] if is_at(x, level) else 0.0 for x in (a, b)))
        slopes.append(np.broadcast_to(slope, value.shape))
    return Dual(value, np.stack(slopes), level)


@rule(np.select)
def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = np.where(plain(condition), choice, result)
    return result


@rule(np.piecewise)
def _piecewise(x: Any, conditions: Sequence[Any], functions: Sequence[Any], *args: Any, **options: Any) -> Any:
    bare = isinstance(conditions, (bool, np.ndarray)) and np.ndim(conditions) == np.ndim(x)
    conditions = [plain(each) for each in ([conditions] if bare else conditions)]
    if len(functions) > len(conditions):
        conditions.append(~np.logical_or.reduce(conditions))
    choices = [each(x, *args, **options) if callable(each) else each + 0 * x for each in functions]
    # Of conditions that hold together the last one counts.
    return _select(conditions[::-1], choices[::-1], 0 * x)


@rule(np.prod)
def _prod(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """One factor after the other: right where one of them is zero, too."""
    _check_axis(axis, keepdims)
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
    result: Any = 1.0
    for factor in np.moveaxis(x, axis, 0):
        result = result * factor
    return np.expand_dims(result, axis) if keepdims else result


def _check_axis(axis: Any, keepdims: bool) -> None:
    if (axis is None and keepdims) or isinstance(axis, tuple):
        raise no_rule("products and extremes over several axes")


@rule(np.cumprod)
def _cumprod(x: Any, axis: Any = None) -> Any:
    x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
    products: list[Any] = []
    for factor in np.moveaxis(x, axis, 0):
        products.append(products[-1] * factor if products else factor)
    return np.stack(products, axis)


def _extreme(arg: Callable[..., Any]) -> Callable[..., Any]:
    """The derivative of the element that is the largest, NaN where two are."""

    def derived(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        _check_axis(axis, keepdims)
        x, axis = (np.ravel(x), 0) if axis is None else (x, axis)
        index = np.expand_dims(arg(plain(x), axis=axis), axis)
        chosen: Any = np.take_along_axis(x, index, axis)
        tie = np.sum(np.equal(plain(x), plain(chosen)), axis=axis, keepdims=True) > 1
        marked = Dual(chosen.value, np.where(tie, np.nan, chosen.derivative), chosen.level)
        return marked if keepdims else np.squeeze(marked, axis)

    return derived


@rule(np.clip)
def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


@rule(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Of vectors, and Frobenius' of matrices."""
    over_one = isinstance(axis, int) or (axis is None and np.ndim(x) == 1)
    if ord not in (None, 2, "fro") or (ord == 2 and not over_one):
        raise no_rule(f"np.linalg.norm with ord={ord!r}")
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


@rule(np.linalg.inv)
def _inv(A: Any) -> Dual:
    """dA⁻¹ = −A⁻¹ dA A⁻¹."""
    inverse = np.linalg.inv(A.value)
    return Dual(inverse, np.stack([-(inverse @ part @ inverse) for part in A.derivative]), A.level)


@rule(np.linalg.solve)
def _solve(A: Any, b: Any) -> Any:
    """A dx = db − dA x."""
    if np.ndim(b) == 1:
        return np.linalg.solve(A, b[:, None])[..., 0]
    level, count = _level_and_count([A, b])
    matrix, right = below(A, level), below(b, level)
    x = np.linalg.solve(matrix, right)
    slopes = []
    for k in range(count):
        rest = _slope(b, level, k)
        if is_at(A, level):
            rest = rest - (A.derivative[k] @ x)
        slopes.append(np.linalg.solve(matrix, rest))
    return Dual(x, np.stack(slopes), level)


@rule(np.linalg.det)
def _determinant(A: Any) -> Any:
    """∂ det A/∂A_ij is the cofactor (Jacobi 1841): for 2 × 2 and 3 × 3, where A may be singular."""
    n = A.shape[-1]
    if n == 2:
        return A[..., 0, 0] * A[..., 1, 1] - A[..., 0, 1] * A[..., 1, 0]
    if n == 3:
        return np.sum(A[..., 0, :] * np.cross(A[..., 1, :], A[..., 2, :]), axis=-1)
    inverse, value = np.linalg.inv(A.value), np.linalg.det(A.value)
    return Dual(value, np.stack([value * np.trace(inverse @ p, axis1=-2, axis2=-1) for p in A.derivative]), A.level)


def _like(fill: float) -> Callable[..., Any]:
    """Arrays with room for derivatives."""

    def derived(x: Dual, dtype: Any = float) -> Dual:
        if not np.issubdtype(dtype, np.floating):
            raise no_rule(f"an array of {np.dtype(dtype).name}")
        value = zeros_as(x.value, x.shape)
        value[...] = fill
        return Dual(value, zeros_as(x.value, (x.count, *x.shape)), x.level)

    return derived


def zeros_as(x: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with room for the same derivatives as x has."""
    if not isinstance(x, Dual):
        return np.zeros(shape)
    return Dual(zeros_as(x.value, shape), zeros_as(x.value, (x.count, *shape)), x.level)


@rule(np.full_like)
def _full_like(x: Any, fill: Any) -> Any:
    result: Any = np.zeros_like(x)
    result[...] = fill
    return result


@rule(np.interp)
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Linear interpolation in a table: the slope of the piece, NaN at its knots, zero beyond its ends."""
    if not isinstance(x, Dual) or any(isinstance(each, Dual) for each in (xp, fp)):
        raise no_rule("numpy.interp with respect to its table")
    level = x.level
    value, xp, fp = np.interp(below(x, level), xp, fp, left, right), np.asarray(xp, float), np.asarray(fp, float)
    position = plain(x)
    end = np.clip(np.searchsorted(xp, position), 1, len(xp) - 1)
    slope = (fp[end] - fp[end - 1]) / (xp[end] - xp[end - 1])
    slope = np.where((position < xp[0]) | (position > xp[-1]), 0.0, np.where(np.isin(position, xp), np.nan, slope))
    return Dual(value, slope * x.derivative, level)


@rule(np.sinc)
def _sinc(x: Any) -> Any:
    """sin πx/(πx), by its series where that is near 0."""
    small = np.abs(plain(x)) < 1e-3
    y = np.pi * np.where(small, 1.0, x)
    s = np.square(np.pi * x)
    return np.where(small, 1 - s / 6 * (1 - s / 20 * (1 - s / 42)), np.sin(y) / y)


@rule(np.var)
def _variance(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    squares = np.square(deviation)
    mean = np.mean(squares, axis=axis, keepdims=keepdims)
    count = squares.size / max(mean.size, 1)
    return mean * (count / (count - ddof))


@rule(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    result = 0 * x
    for coefficient in p:
        result = result * x + coefficient
    return result


@rule(np.average)
def _average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return np.mean(x, axis=axis)
    if axis is not None and np.ndim(weights) == 1:
        weights = np.expand_dims(weights, tuple(range(1, np.ndim(x) - axis % np.ndim(x))))
    return np.sum(x * weights, axis=axis) / np.sum(weights + 0 * plain(x), axis=axis)


@rule(np.meshgrid)
def _meshgrid(*xs: Any, indexing: str = "xy") -> list[Any]:
    shape = tuple(len(x) for x in xs)
    axes = (1, 0, *range(2, len(xs))) if indexing == "xy" and len(xs) > 1 else tuple(range(len(xs)))
    columns = [np.reshape(x, tuple(-1 if i == k else 1 for i in range(len(xs)))) for k, x in enumerate(xs)]
    return [np.transpose(np.broadcast_to(column, shape), axes) for column in columns]


FUNCTION_RULES |= {function: _linear(function) for function in LINEAR}
FUNCTION_RULES |= {function: _bilinear(function) for function in BILINEAR}
FUNCTION_RULES |= {
    np.max: _extreme(np.argmax),
    np.min: _extreme(np.argmin),
    np.amax: _extreme(np.argmax),
    np.amin: _extreme(np.argmin),
    np.nan_to_num: lambda x, nan=0.0: np.where(np.isnan(x), nan, x),
    np.copy: lambda x, order="K": Dual(np.copy(x.value), np.copy(x.derivative), x.level),
    np.zeros_like: _like(0.0),
    np.empty_like: _like(0.0),
    np.ones_like: _like(1.0),
    np.compress: lambda chosen, x, axis=None: np.take(x, np.flatnonzero(plain(chosen)), axis),
    np.std: lambda x, *args, **options: np.sqrt(np.var(x, *args, **options)),
    np.ptp: lambda x, axis=None: np.max(x, axis=axis) - np.min(x, axis=axis),
    np.append: lambda x, y, axis=None: np.concatenate(
        [np.ravel(x), np.ravel(y)] if axis is None else [x, y], axis or 0
    ),
}
METHOD_RULES |= {
    (np.add, "reduce"): lambda x, axis=0, **options: np.sum(x, axis=axis, **options),
    (np.multiply, "reduce"): lambda x, axis=0, **options: np.prod(x, axis=axis, **options),
    (np.maximum, "reduce"): lambda x, axis=0, **options: np.max(x, axis=axis, **options),
    (np.minimum, "reduce"): lambda x, axis=0, **options: np.min(x, axis=axis, **options),
    (np.add, "accumulate"): lambda x, axis=0: np.cumsum(x, axis=axis),
    (np.multiply, "accumulate"): lambda x, axis=0: np.cumprod(x, axis=axis),
}
