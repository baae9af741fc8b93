"""Functions written so that every derivative of theirs is right where the plain formula reads 0/0 or inf·0.

The branch that is not taken gets a harmless argument, so that it carries no NaN into reverse mode."""

from __future__ import annotations

import math

from flowgrad.exact.arrays import Array, exp, expm1, sqrt, where

# Below this the series is summed; its 16th term is then less than rounding.
_SMALL = 0.5
_SERIES = [(-1) ** k / math.factorial(k + 1) for k in range(16)]
# Whole powers below this one are products.
_PRODUCT = 9
_SLOPE_SERIES = [k * c for k, c in enumerate(_SERIES)][1:]


def relative_decay(q: Array) -> Array:
    """(1 − e^−q)/q, which is 1 at q = 0."""
    small, near, far = _split(q)
    return where(small, _polynomial(_SERIES, near), -expm1(-far) / far)


def relative_decay_slope(q: Array) -> Array:
    """Derivative of (1 − e^−q)/q, which is −1/2 at q = 0."""
    small, near, far = _split(q)
    return where(small, _polynomial(_SLOPE_SERIES, near), (exp(-far) + expm1(-far) / far) / far)


def excess_power(square: Array, start: float, exponent: float) -> Array:
    """(r − start)^exponent beyond r = √square = ``start``, 0 below, for an exponent above 1."""
    if start == 0:
        return _power(square, exponent / 2)
    excess = sqrt(where(square > 0, square, start**2)) - start
    return _positive_power(excess, exponent)


def excess_power_slope(square: Array, start: float, exponent: float) -> Array:
    """Derivative of ``excess_power`` with respect to ``square``; 0 at r = 0, where it only ever meets r."""
    if start == 0:
        return exponent / 2 * _power(square, exponent / 2 - 1)
    r = sqrt(where(square > 0, square, start**2))
    return exponent / 2 * _positive_power(r - start, exponent - 1) / r


def _split(q: Array) -> tuple[Array, Array, Array]:
    small = q < _SMALL
    return small, where(small, q, 0.0), where(small, 1.0, q)


def _polynomial(coefficients: list[float], x: Array) -> Array:
    total = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _power(base: Array, exponent: float) -> Array:
    """A whole power as a product, differentiable at 0 as often as one likes."""
    if exponent.is_integer() and exponent < _PRODUCT:
        return math.prod([base] * int(exponent), start=1.0)
    return _positive_power(base, exponent)


def _positive_power(base: Array, exponent: float) -> Array:
    """A power of a positive base, 0 elsewhere."""
    positive = base > 0
    return where(positive, where(positive, base, 1.0) ** exponent, 0.0)
