"""Differentiation rules of NumPy's elementary functions, one line a rule: their partial derivatives.

Each has one entry for each input: a number, or a function of the result r and the inputs. NaN where there is no
derivative: at the kink of |x|, at the jumps of sign and floor, at the root of x = 0, where two arguments are both the
largest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.autodiff.rules import ONE, UFUNC_RULES, WITHOUT_DERIVATIVE


def _unless(kink: Any, partial: Any) -> Any:
    """The partial derivative, NaN at a kink or a jump."""
    return np.where(kink, np.nan, partial)


def _chosen(here: Any, tie: Any) -> Any:
    """1 where an argument is the result, 0 where it is not, NaN at a kink."""
    return np.where(tie, np.nan, np.where(here, 1.0, 0.0))


def _of_base(r: Any, a: Any, b: Any) -> Any:
    slope = np.where(np.equal(b, 0), 0.0, b * np.power(a, np.where(np.equal(b, 0), 1.0, b - 1.0)))
    return _unless(np.equal(a, 0) & np.less(b, 1) & np.not_equal(b, 0), slope)


def _of_exponent(r: Any, a: Any, b: Any) -> Any:
    """r ln a; 0 where a = 0 and r = 0."""
    return np.where(np.equal(a, 0), np.where(np.greater(b, 0), 0.0, np.nan), r * np.log(a))


UFUNC_RULES |= {
    np.positive: (ONE,),
    np.negative: (-1.0,),
    np.add: (ONE, ONE),
    np.subtract: (ONE, -1.0),
    np.multiply: (lambda r, a, b: b, lambda r, a, b: a),
    np.true_divide: (lambda r, a, b: 1 / b, lambda r, a, b: -r / b),
    np.power: (_of_base, _of_exponent),
    np.float_power: (_of_base, _of_exponent),
    np.square: (lambda r, a: 2 * a,),
    np.reciprocal: (lambda r, a: -r * r,),
    np.sqrt: (lambda r, a: _unless(np.equal(r, 0), 0.5 / r),),
    np.cbrt: (lambda r, a: _unless(np.equal(r, 0), 1 / (3 * r * r)),),
    np.exp: (lambda r, a: r,),
    np.exp2: (lambda r, a: np.log(2) * r,),
    np.expm1: (lambda r, a: r + 1,),
    np.log: (lambda r, a: 1 / a,),
    np.log2: (lambda r, a: 1 / (np.log(2) * a),),
    np.log10: (lambda r, a: 1 / (np.log(10) * a),),
    np.log1p: (lambda r, a: 1 / (1 + a),),
    np.logaddexp: (lambda r, a, b: np.exp(a - r), lambda r, a, b: np.exp(b - r)),
    np.logaddexp2: (lambda r, a, b: np.exp2(a - r), lambda r, a, b: np.exp2(b - r)),
    np.sin: (lambda r, a: np.cos(a),),
    np.cos: (lambda r, a: -np.sin(a),),
    np.tan: (lambda r, a: 1 + r * r,),
    np.arcsin: (lambda r, a: 1 / np.sqrt((1 - a) * (1 + a)),),
    np.arccos: (lambda r, a: -1 / np.sqrt((1 - a) * (1 + a)),),
    np.arctan: (lambda r, a: 1 / (1 + a * a),),
    np.arctan2: (lambda r, a, b: b / (a * a + b * b), lambda r, a, b: -a / (a * a + b * b)),
    np.hypot: (lambda r, a, b: a / r, lambda r, a, b: b / r),
    np.sinh: (lambda r, a: np.cosh(a),),
    np.cosh: (lambda r, a: np.sinh(a),),
    np.tanh: (lambda r, a: np.cosh(a) ** -2.0,),
    np.arcsinh: (lambda r, a: 1 / np.hypot(a, 1),),
    np.arccosh: (lambda r, a: 1 / np.sqrt((a - 1) * (a + 1)),),
    np.arctanh: (lambda r, a: 1 / ((1 - a) * (1 + a)),),
    np.deg2rad: (np.pi / 180,),
    np.radians: (np.pi / 180,),
    np.rad2deg: (180 / np.pi,),
    np.degrees: (180 / np.pi,),
    np.absolute: (lambda r, a: _unless(np.equal(a, 0), np.sign(a)),),
    np.fabs: (lambda r, a: _unless(np.equal(a, 0), np.sign(a)),),
    np.sign: (lambda r, a: _unless(np.equal(a, 0), 0.0),),
    np.floor: (lambda r, a: _unless(np.equal(r, a), 0.0),),
    np.ceil: (lambda r, a: _unless(np.equal(r, a), 0.0),),
    np.trunc: (lambda r, a: _unless(np.equal(r, a) & np.not_equal(a, 0), 0.0),),
    np.rint: (lambda r, a: _unless(np.equal(np.abs(a - r), 0.5), 0.0),),
    np.heaviside: (lambda r, a, b: _unless(np.equal(a, 0), 0.0), lambda r, a, b: np.where(np.equal(a, 0), 1.0, 0.0)),
    np.copysign: (
        lambda r, a, b: _unless(np.equal(a, 0), np.sign(a) * np.sign(r)),
        lambda r, a, b: _unless(np.equal(b, 0), 0.0),
    ),
    np.remainder: (
        lambda r, a, b: _unless(np.equal(r, 0), 1.0),
        lambda r, a, b: _unless(np.equal(r, 0), -np.floor(a / b)),
    ),
    np.fmod: (lambda r, a, b: _unless(np.equal(r, 0), 1.0), lambda r, a, b: _unless(np.equal(r, 0), -np.trunc(a / b))),
    np.floor_divide: (
        lambda r, a, b: _unless(np.equal(r * b, a), 0.0),
        lambda r, a, b: _unless(np.equal(r * b, a), 0.0),
    ),
    np.maximum: (lambda r, a, b: _chosen(a > b, np.equal(a, b)), lambda r, a, b: _chosen(b > a, np.equal(a, b))),
    np.minimum: (lambda r, a, b: _chosen(a < b, np.equal(a, b)), lambda r, a, b: _chosen(b < a, np.equal(a, b))),
    np.fmax: (
        lambda r, a, b: _chosen(np.equal(r, a), np.equal(a, b)),
        lambda r, a, b: _chosen(np.equal(r, b), np.equal(a, b)),
    ),
    np.fmin: (
        lambda r, a, b: _chosen(np.equal(r, a), np.equal(a, b)),
        lambda r, a, b: _chosen(np.equal(r, b), np.equal(a, b)),
    ),
}

WITHOUT_DERIVATIVE |= {
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isfinite, np.isnan, np.isinf,
    np.signbit, np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.shape, np.ndim, np.size, np.argmax, np.argmin, np.argsort, np.searchsorted, np.digitize, np.any, np.all,
    np.allclose, np.isclose, np.array_equal, np.count_nonzero, np.nonzero, np.flatnonzero, np.argwhere, np.isposinf,
    np.isneginf, np.isreal, np.iscomplexobj, np.isrealobj, np.broadcast_shapes, np.result_type,
}  # fmt: skip
