"""What a formula may call, one line an operation: its NumPy function, its symbols, and where it has no derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from flowgrad.formula import kinks

# The constants, and the names of variables that need no declaration.
CONSTANTS = {"pi": np.pi, "e": np.e}
VARIABLES = ("x", "y", "z", "t")
# What other texts call the same functions.
ALIASES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "ln": "log",
    "minimum": "min",
    "maximum": "max",
    "fabs": "abs",
    "sgn": "sign",
    "step": "heaviside",
    "if": "where",
}


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation on ``least`` to ``most`` arguments.

    ``numpy`` takes arrays (or dual numbers); ``symbol`` takes the module ``formula.symbols`` and SymPy
    expressions; ``kink`` says of numbers whether there is no derivative there, or empty text.
    """

    name: str
    numpy: Callable[..., Any]
    symbol: Callable[..., Any]
    least: int = 1
    most: int = 1
    kink: Callable[..., str] = lambda *_: ""


def _power(base: Any, exponent: Any) -> Any:
    """Squares and roots by functions that are faster, and exact, for the exponents most often met."""
    if isinstance(exponent, float):
        if exponent in (0.0, 1.0):
            return base if exponent else 1.0
        if exponent in (2.0, 0.5):
            return np.square(base) if exponent == 2 else np.sqrt(base)
    return np.power(base, exponent)


def _heaviside(a: Any) -> Any:
    """0 below zero, 1 above it and 1/2 at it."""
    return np.heaviside(a, 0.5)


def _erf(a: Any) -> Any:
    from scipy.special import erf

    return erf(a)


def _least(*arguments: Any) -> Any:
    return reduce(np.minimum, arguments)


def _largest(*arguments: Any) -> Any:
    return reduce(np.maximum, arguments)


_LIST = [
    Operation("+", np.add, lambda S, a, b: a + b, 2, 2),
    Operation("-", np.subtract, lambda S, a, b: a - b, 2, 2),
    Operation("*", np.multiply, lambda S, a, b: a * b, 2, 2),
    Operation("/", np.true_divide, lambda S, a, b: a / b, 2, 2, kinks.pole),
    Operation("^", _power, lambda S, a, b: S.power(a, b), 2, 2, kinks.power),
    Operation("negative", np.negative, lambda S, a: -a),
    Operation("<", np.less, lambda S, a, b: ("<", a, b), 2, 2, kinks.equal),
    Operation(">", np.greater, lambda S, a, b: ("<", b, a), 2, 2, kinks.equal),
    Operation("<=", np.less_equal, lambda S, a, b: ("<=", a, b), 2, 2, kinks.equal),
    Operation(">=", np.greater_equal, lambda S, a, b: ("<=", b, a), 2, 2, kinks.equal),
    Operation("sin", np.sin, lambda S, a: S.sin(a)),
    Operation("cos", np.cos, lambda S, a: S.cos(a)),
    Operation("tan", np.tan, lambda S, a: S.tan(a)),
    Operation("asin", np.arcsin, lambda S, a: S.asin(a), kink=kinks.unit),
    Operation("acos", np.arccos, lambda S, a: S.acos(a), kink=kinks.unit),
    Operation("atan", np.arctan, lambda S, a: S.atan(a)),
    Operation("atan2", np.arctan2, lambda S, a, b: S.atan2(a, b), 2, 2, kinks.origin),
    Operation("sinh", np.sinh, lambda S, a: S.sinh(a)),
    Operation("cosh", np.cosh, lambda S, a: S.cosh(a)),
    Operation("tanh", np.tanh, lambda S, a: S.tanh(a)),
    Operation("asinh", np.arcsinh, lambda S, a: S.asinh(a)),
    Operation("acosh", np.arccosh, lambda S, a: S.acosh(a), kink=kinks.unit),
    Operation("atanh", np.arctanh, lambda S, a: S.atanh(a), kink=kinks.unit),
    Operation("exp", np.exp, lambda S, a: S.exp(a)),
    Operation("log", np.log, lambda S, a: S.log(a), kink=kinks.zero),
    Operation("log10", np.log10, lambda S, a: S.log(a) / S.log(10), kink=kinks.zero),
    Operation("log2", np.log2, lambda S, a: S.log(a) / S.log(2), kink=kinks.zero),
    Operation("sqrt", np.sqrt, lambda S, a: S.sqrt(a), kink=kinks.zero),
    Operation("hypot", np.hypot, lambda S, a, b: S.sqrt(a**2 + b**2), 2, 2, kinks.origin),
    Operation("erf", _erf, lambda S, a: S.erf(a)),
    Operation("abs", np.absolute, lambda S, a: S.absolute(a), kink=kinks.zero),
    Operation("sign", np.sign, lambda S, a: S.sign(a), kink=kinks.zero),
    Operation("heaviside", _heaviside, lambda S, a: S.heaviside(a), kink=kinks.zero),
    Operation("min", _least, lambda S, *a: S.least(*a), 2, 8, kinks.tie),
    Operation("max", _largest, lambda S, *a: S.largest(*a), 2, 8, kinks.tie),
    Operation("where", np.where, lambda S, c, a, b: S.where(c, a, b), 3, 3),
]

OPERATIONS = {each.name: each for each in _LIST}
COMPARISONS = ("<", "<=", ">", ">=")
# What can be called by its name.
FUNCTIONS = {name: each for name, each in OPERATIONS.items() if name.isalnum() and name != "negative"}
FUNCTIONS |= {alias: OPERATIONS[name] for alias, name in ALIASES.items()}
