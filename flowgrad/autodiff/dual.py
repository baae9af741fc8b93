"""Dual numbers: arrays that carry their derivatives through NumPy functions (forward mode).

NumPy hands its functions over to them by its protocols ``__array_ufunc__`` (NEP 13) and
``__array_function__`` (NEP 18), so that code written with NumPy is differentiated as it stands
(Clifford 1873; Wengert 1964, Comm. ACM 7, 463).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.autodiff.rules import (
    FUNCTION_RULES,
    METHOD_RULES,
    ONE,
    WITHOUT_DERIVATIVE,
    in_place,
    name_of,
    no_plain_array,
    no_rule,
    partials_of,
)

# Methods of arrays that are functions of NumPy too.
_METHODS = (
    "all", "any", "argmax", "argmin", "argsort", "clip", "copy", "cumprod", "cumsum", "diagonal", "dot", "max", "mean",
    "min", "prod", "ravel", "repeat", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var",
)  # fmt: skip
# A level above those of all derivatives that are being taken; of two levels the lower is a constant.
next_level: Callable[[], int] = partial(next, itertools.count(1))
# Costly functions that a value and its derivative both need: the derivative of sin x is cos x.
_REMEMBERED = (np.sin, np.cos, np.sinh, np.cosh, np.exp)


class Constant(np.ndarray[Any, Any]):
    """An array that remembers the results of costly functions, as long as nobody may write into it."""

    def __array_finalize__(self, parent: Any) -> None:
        self.memory: dict[np.ufunc, np.ndarray] = {}

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in _REMEMBERED and method == "__call__" and not options and not self.flags.writeable:
            if ufunc not in self.memory:
                self.memory[ufunc] = ufunc(self.view(np.ndarray))
            return self.memory[ufunc]
        arrays = (x.view(np.ndarray) if isinstance(x, Constant) else x for x in inputs)
        return getattr(ufunc, method)(*arrays, **options)


class Dual(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of shape S and its derivatives (d, *S) with respect to d variables.

    Both may be dual numbers of a lower ``level`` themselves, which gives second derivatives. NaN stands
    where there is no derivative, at a kink or a jump. Where ``rows`` names some of ``count`` variables, in their
    order, the derivatives given are those, and zero by the others.
    """

    __slots__ = ("_derivative", "count", "level", "rows", "value")

    def __init__(
        self, value: Any, derivative: Any, level: int = 0, rows: tuple[int, ...] | None = None, count: int = 0
    ) -> None:
        if np.iscomplexobj(value) or np.iscomplexobj(derivative):
            raise no_rule("complex numbers")
        self.value: Any = value if isinstance(value, Dual) else np.asanyarray(value, float)
        self._derivative: Any = derivative if isinstance(derivative, Dual) else np.asarray(derivative, float)
        self.level = level
        self.rows = rows
        self.count = count or len(self._derivative)

    @property
    def derivative(self) -> Any:
        """By all variables (d, *S)."""
        if self.rows is not None:
            full = np.zeros((self.count, *self._derivative.shape[1:]))
            self.put_slopes(full)
            self._derivative, self.rows = full, None
        return self._derivative

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {len(self.derivative)} derivatives)"

    @property
    def is_coordinate(self) -> bool:
        """Whether it is one of the variables, or moves with it: all of its slopes are one number, 1."""
        slopes = self._derivative
        return slopes.size > 0 and not any(slopes.strides) and slopes.item(0) == 1.0

    def put_slopes(self, goal: Any) -> None:
        """Write the derivatives into an array (d, *S) of zeros."""
        goal[slice(None) if self.rows is None else list(self.rows)] = self._derivative

    shape = property(lambda self: self.value.shape, doc="Shape of the value.")
    ndim = property(lambda self: self.value.ndim, doc="Number of axes of the value.")
    size = property(lambda self: self.value.size, doc="Number of elements of the value.")
    dtype = property(lambda self: np.dtype(float), doc="Type of the value.")
    T = property(lambda self: np.transpose(self), doc="The transpose.")

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Dual]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __copy__(self, memo: Any = None) -> Dual:
        return np.copy(self)  # type: ignore[return-value]

    __deepcopy__ = __copy__

    def __pow__(self, exponent: Any) -> Any:
        """Squares as products: exact, and faster than powers."""
        if isinstance(exponent, (int, float)) and exponent == 2:
            return np.square(self)
        return np.power(self, exponent)

    def __getitem__(self, index: Any) -> Dual:
        index = index if isinstance(index, tuple) else (index,)
        if all(isinstance(each, (int, slice, type(None), type(Ellipsis))) for each in index):
            return Dual(self.value[index], self.derivative[(slice(None), *index)], self.level)
        index = tuple(plain(each) for each in index)
        # One by one: an axis before others may change where NumPy puts those that arrays choose.
        return Dual(self.value[index], np.stack([part[index] for part in self.derivative]), self.level)

    def __setitem__(self, index: Any, item: Any) -> None:
        if not (plain(self.value).flags.writeable and plain(self.derivative).flags.writeable):
            raise in_place("that others see, or x itself", "write into a copy, x.copy()")
        own = isinstance(item, Dual) and item.level == self.level
        self.value[index] = item.value if own else item
        for k, part in enumerate(self.derivative):
            part[index] = item.derivative[k] if own else 0.0

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __array__(self, *_: Any, **__: Any) -> NDArray[np.float64]:
        raise no_plain_array()

    __float__ = __int__ = __complex__ = __index__ = __array__

    def __getattr__(self, name: str) -> Any:
        """Methods of arrays are NumPy's functions of the same name."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _METHODS:
            function = getattr(np, name)
            return lambda *args, **options: function(self, *args, **options)
        raise no_rule(f"the attribute {name} of an array")

    def reshape(self, *shape: Any, order: Any = "C") -> Dual:
        """The elements in another shape."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order=order)  # type: ignore[return-value]

    def flatten(self) -> Dual:
        """The elements in a row, copied."""
        return np.copy(np.ravel(self))  # type: ignore[return-value]

    def transpose(self, *axes: Any) -> Dual:
        """The axes in another order."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return np.transpose(self, order or None)  # type: ignore[return-value]

    def astype(self, dtype: Any, **_: Any) -> Dual:
        """Itself as floating-point numbers; other types have no derivative."""
        if not np.issubdtype(dtype, np.floating):
            raise no_rule(f"astype({np.dtype(dtype).name})")
        return np.copy(self)  # type: ignore[return-value]

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            result, goal = getattr(ufunc, method)(*inputs, **options), out[0]
            if not isinstance(goal, Dual):
                advice = "write y = y + … instead of y += …, or make y with np.zeros_like(x)"
                raise in_place(f"by {name_of(ufunc)}", advice)
            goal[...] = result
            return goal
        if method in ("reduce", "accumulate") and (ufunc, method) in METHOD_RULES:
            return METHOD_RULES[ufunc, method](*inputs, **options)
        if method != "__call__" or options:
            raise no_rule(name_of(ufunc, method, options))
        if ufunc in FUNCTION_RULES:
            return FUNCTION_RULES[ufunc](*inputs)
        if ufunc in WITHOUT_DERIVATIVE:
            return ufunc(*(plain(x) for x in inputs))
        return _elementwise(ufunc, inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise in_place(f"by {name_of(function)}", "leave out out=")
        if function in FUNCTION_RULES:
            try:
                return FUNCTION_RULES[function](*args, **kwargs)
            except TypeError as error:
                raise no_rule(f"{name_of(function)} with these arguments ({error})") from error
        if function in WITHOUT_DERIVATIVE:
            return function(*map(plain, args), **kwargs)
        raise no_rule(name_of(function))


class Coordinates(Dual):
    """The variables themselves, points (m, d): their columns depend on one variable each."""

    __slots__ = ()

    def __init__(self, points: np.ndarray, level: int) -> None:
        count, dimension = points.shape
        super().__init__(points, np.broadcast_to(np.eye(dimension)[:, None, :], (dimension, count, dimension)), level)

    def __getitem__(self, index: Any) -> Dual:
        if not (isinstance(index, tuple) and len(index) == 2 and isinstance(index[1], int)):
            return super().__getitem__(index)
        if index[0] is not Ellipsis and not (isinstance(index[0], slice) and index[0] == slice(None)):
            return super().__getitem__(index)
        column, dimension = self.value[index], self.shape[1]
        slopes = np.broadcast_to(1.0, (1, len(column)))
        return Dual(column, slopes, self.level, (index[1] % dimension,), dimension)


def plain(x: Any) -> Any:
    """The numbers without any derivatives."""
    while isinstance(x, Dual):
        x = x.value
    return x


def value_of(x: Any) -> NDArray[np.float64]:
    """The value of a dual number, or the number itself, as an array."""
    return np.asarray(plain(x), float)


def is_at(x: Any, level: int) -> bool:
    """Whether x is a dual number of this level."""
    return isinstance(x, Dual) and x.level == level


def below(x: Any, level: int) -> Any:
    """The value of a dual number of this level; others as they are: constants."""
    return x.value if is_at(x, level) else x


def _elementwise(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Dual:
    partials = partials_of(ufunc, len(inputs))
    # With respect to the variables of the highest level it is differentiated.
    level = max(x.level for x in inputs if isinstance(x, Dual))
    values = []
    for x in inputs:
        if not isinstance(x, Dual) and (np.iscomplexobj(x) or isinstance(x, np.ma.MaskedArray)):
            raise no_rule("complex numbers and masked arrays")
        # Constants too in double precision, in which their partial derivatives are computed.
        values.append(below(x, level) if isinstance(x, Dual) else np.asarray(x, float))
    result = ufunc(*values)
    terms = []
    with np.errstate(all="ignore"):
        for number, x in enumerate(inputs):
            if is_at(x, level):
                slope = partials[number]
                if slope is None:
                    argument = f"{name_of(ufunc)} with respect to its argument {number + 1}"
                    raise no_rule(argument, "keep that argument constant")
                terms.append((slope(result, *values) if callable(slope) else slope, x))
        slopes, rows, count = _sum_of_few(terms, np.shape(result)) or (_sum_of_all(terms, np.shape(result)), None, 0)
    is_remembered = ufunc in _REMEMBERED and isinstance(values[0], Constant)
    return Dual(result.copy() if is_remembered else result, slopes, level, rows, count)


def _sum_of_all(terms: list[tuple[Any, Dual]], shape: tuple[int, ...]) -> Any:
    """The chain rule; derivatives (d, *S) of fewer axes than the result get them after the first."""
    scaled = []
    for partial_derivative, x in terms:
        slopes = x.derivative
        if missing := len(shape) + 1 - slopes.ndim:
            slopes = slopes.reshape((len(slopes), *[1] * missing, *slopes.shape[1:]))
        scaled.append(slopes if partial_derivative is ONE else partial_derivative * slopes)
    total = sum(scaled[1:], scaled[0])
    if total.shape[1:] != shape:
        total = np.broadcast_to(total, (len(total), *shape))
    is_shared = len(terms) == 1 and terms[0][0] is ONE
    return np.copy(total) if is_shared or not plain(total).flags.writeable else total


def _sum_of_few(terms: list[tuple[Any, Dual]], shape: tuple[int, ...]) -> Any:
    """The same for terms of which each depends on some of the variables; None where that does not help."""
    if any(x.rows is None or x._derivative.shape[1:] != shape for _, x in terms):
        return None
    if len(terms) == 1:
        partial_derivative, x = terms[0]
        if x.is_coordinate:
            return np.broadcast_to(partial_derivative, (1, *shape)), x.rows, x.count
    named = sorted({row for _, x in terms for row in x.rows or ()})
    total = np.empty((len(named), *shape))
    empty = set(named)
    for partial_derivative, x in terms:
        for row, slope in zip(x.rows or (), x._derivative, strict=True):
            goal = total[named.index(row)]
            if row in empty:
                np.multiply(partial_derivative, slope, out=goal)
                empty.remove(row)
            else:
                goal += partial_derivative * slope
    count = terms[0][1].count
    return total, None if len(named) == count else tuple(named), count
