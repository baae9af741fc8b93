"""Dual numbers: arrays that carry their derivatives through NumPy functions (forward mode)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Dual(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of shape S and its derivative of shape S + (d,) with respect to d variables."""

    def __init__(self, value: ArrayLike, derivative: ArrayLike) -> None:
        self.value: NDArray[np.float64] = np.asarray(value, float)
        self.derivative: NDArray[np.float64] = np.asarray(derivative, float)

    def __getitem__(self, index: Any) -> Dual:
        index = index if isinstance(index, tuple) else (index,)
        has_ellipsis = any(each is Ellipsis for each in index)
        derivative = self.derivative[(*index, slice(None))] if has_ellipsis else self.derivative[index]
        return Dual(self.value[index], derivative)

    def __len__(self) -> int:
        return len(self.value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.value.shape

    @property
    def ndim(self) -> int:
        """Number of axes of the value."""
        return self.value.ndim

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options:
            if ufunc in FUNCTION_RULES:
                return FUNCTION_RULES[ufunc](*inputs)
            if ufunc in COMPARISONS:
                return ufunc(*(value_of(x) for x in inputs))
            if ufunc in UFUNC_RULES:
                return self._elementwise(ufunc, inputs)
        raise TypeError(f"no derivative is known for numpy.{ufunc.__name__} ({method}): add a rule to UFUNC_RULES")

    @staticmethod
    def _elementwise(ufunc: np.ufunc, inputs: tuple[Any, ...]) -> Dual:
        values = [value_of(x) for x in inputs]
        result = ufunc(*values)
        partials = UFUNC_RULES[ufunc](result, *values)
        terms = [
            np.asarray(partial)[..., None] * _broadcast(x, result.shape)
            for partial, x in zip(partials, inputs, strict=True)
            if isinstance(x, Dual)
        ]
        return Dual(result, sum(terms[1:], terms[0]))

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if function not in FUNCTION_RULES:
            name = getattr(function, "__name__", str(function))
            raise TypeError(f"no derivative is known for numpy.{name}: add a rule to FUNCTION_RULES")
        return FUNCTION_RULES[function](*args, **kwargs)


def value_of(x: Any) -> NDArray[np.float64]:
    """The value of a dual number, or the number itself."""
    return x.value if isinstance(x, Dual) else np.asarray(x, float)


def _broadcast(x: Dual, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Derivative of ``x`` aligned with a result of the given shape (component axes padded in front)."""
    missing = len(shape) - x.value.ndim
    return x.derivative.reshape((1,) * missing + x.derivative.shape)


# Their results are True or False, which have no derivative.
COMPARISONS = {np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isfinite, np.isnan}

# One line a rule: the partial derivatives with respect to each input, from the result and the inputs.
UFUNC_RULES: dict[Any, Callable[..., tuple[Any, ...]]] = {
    np.add: lambda r, a, b: (np.ones_like(r), np.ones_like(r)),
    np.subtract: lambda r, a, b: (np.ones_like(r), -np.ones_like(r)),
    np.multiply: lambda r, a, b: (b, a),
    np.true_divide: lambda r, a, b: (1 / b, -r / b),
    np.power: lambda r, a, b: (b * a ** (b - 1), r * np.log(np.where(a > 0, a, 1))),
    np.negative: lambda r, a: (-np.ones_like(r),),
    np.positive: lambda r, a: (np.ones_like(r),),
    np.square: lambda r, a: (2 * a,),
    np.sqrt: lambda r, a: (0.5 / r,),
    np.cbrt: lambda r, a: (1 / (3 * r * r),),
    np.absolute: lambda r, a: (np.where(a == 0, np.nan, np.sign(a)),),
    np.maximum: lambda r, a, b: (_chosen(a > b, a == b), _chosen(b > a, a == b)),
    np.minimum: lambda r, a, b: (_chosen(a < b, a == b), _chosen(b < a, a == b)),
    np.exp: lambda r, a: (r,),
    np.log: lambda r, a: (1 / a,),
    np.sin: lambda r, a: (np.cos(a),),
    np.cos: lambda r, a: (-np.sin(a),),
    np.tanh: lambda r, a: (1 - r * r,),
    np.arccos: lambda r, a: (-1 / np.sqrt(1 - a * a),),
    np.arctan2: lambda r, a, b: (b / (a * a + b * b), -a / (a * a + b * b)),
}

# Functions of whole arrays; rules.py fills it.
FUNCTION_RULES: dict[Any, Callable[..., Any]] = {}


def _chosen(here: NDArray[np.bool_], tie: NDArray[np.bool_]) -> NDArray[np.float64]:
    """1 where an argument is the result, 0 where it is not, NaN at a kink."""
    return np.where(tie, np.nan, here.astype(float))


def jacobian(function: Callable[[Any], Any], x: ArrayLike) -> NDArray[np.float64]:
    """Derivative of ``function`` at one point ``x`` (d,): shape of the result + (d,).

    Forward-mode differentiation with dual numbers (Clifford 1873; Wengert 1964, Comm. ACM 7, 463).
    Raises TypeError for a NumPy function without a rule.
    """
    x = np.asarray(x, float)
    result = function(Dual(x, np.eye(len(x))))
    if isinstance(result, Dual):
        return result.derivative
    return np.zeros((*np.shape(result), len(x)))
