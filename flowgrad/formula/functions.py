"""Operations that a formula may use, one line each: NumPy function, symbols, and where it has no derivative."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

# The constants, and the names of variables that need no declaration.
CONSTANTS = {"pi": np.pi, "e": np.e}
VARIABLES = ("x", "y", "z", "t")
# What other texts call the same functions.
ALIASES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "ln": "log", "minimum": "min", "maximum": "max", "fabs": "abs", "sgn": "sign",
    "step": "heaviside", "if": "where",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Operation:
    """An operation on ``least`` to ``most`` arguments.

    ``numpy`` takes arrays (or dual numbers); ``symbol`` takes what symbols are made of (SymPy, and more)
    and expressions; ``kink`` names in ``KINKS`` where it has no derivative.
    """

    name: str
    numpy: Callable[..., Any]
    symbol: Callable[..., Any]
    least: int = 1
    most: int = 1
    kink: str = ""


def _power(base: Any, exponent: Any) -> Any:
    """Squares and roots by functions that are faster, and exact, for the exponents most often met."""
    if isinstance(exponent, float):
        if exponent in (0.0, 1.0):
            return base if exponent else 1.0
        if exponent in (2.0, 0.5):
            return np.square(base) if exponent == 2 else np.sqrt(base)
    return np.power(base, exponent)


def _erf(a: Any) -> Any:
    from scipy.special import erf

    return erf(a)


# Why there is no derivative at some numbers, by the ``kink`` of an operation; empty text where there is one.
KINKS: dict[str, Callable[..., str]] = {
    "": lambda *_: "",
    # |a|, signs, logarithms and roots; inverse functions, whose slope is infinite at ±1.
    "zero": lambda a: "its argument is 0" if a == 0 else "",
    "unit": lambda a: f"its argument is {a:g}" if abs(a) == 1 else "",
    "pole": lambda a, b: "it divides by 0" if b == 0 else "",
    # The angle and the distance of a point; what depends on a comparison; the least and the largest.
    "origin": lambda a, b: "both arguments are 0" if a == b == 0 else "",
    "equal": lambda a, b: "both sides are equal" if a == b else "",
    "tie": lambda *a: "arguments are equal" if len(set(map(float, a))) < len(a) else "",
    # 0 to an exponent below 1 other than 0, whose slope is infinite.
    "power": lambda a, b: f"0 is raised to {b:g}" if a == 0 and b < 1 and b != 0 else "",
}

_LIST = [
    Operation("+", np.add, lambda S, a, b: a + b, 2, 2),
    Operation("-", np.subtract, lambda S, a, b: a - b, 2, 2),
    Operation("*", np.multiply, lambda S, a, b: a * b, 2, 2),
    Operation("/", np.true_divide, lambda S, a, b: a / b, 2, 2, "pole"),
    Operation("^", _power, lambda S, a, b: S.power(a, b), 2, 2, "power"),
    Operation("negative", np.negative, lambda S, a: -a),
    Operation("<", np.less, lambda S, a, b: ("<", a, b), 2, 2, "equal"),
    Operation(">", np.greater, lambda S, a, b: ("<", b, a), 2, 2, "equal"),
    Operation("<=", np.less_equal, lambda S, a, b: ("<=", a, b), 2, 2, "equal"),
    Operation(">=", np.greater_equal, lambda S, a, b: ("<=", b, a), 2, 2, "equal"),
    Operation("sin", np.sin, lambda S, a: S.sin(a)),
    Operation("cos", np.cos, lambda S, a: S.cos(a)),
    Operation("tan", np.tan, lambda S, a: S.tan(a)),
    Operation("asin", np.arcsin, lambda S, a: S.asin(a), kink="unit"),
    Operation("acos", np.arccos, lambda S, a: S.acos(a), kink="unit"),
    Operation("atan", np.arctan, lambda S, a: S.atan(a)),
    Operation("atan2", np.arctan2, lambda S, a, b: S.atan2(a, b), 2, 2, "origin"),
    Operation("sinh", np.sinh, lambda S, a: S.sinh(a)),
    Operation("cosh", np.cosh, lambda S, a: S.cosh(a)),
    Operation("tanh", np.tanh, lambda S, a: S.tanh(a)),
    Operation("asinh", np.arcsinh, lambda S, a: S.asinh(a)),
    Operation("acosh", np.arccosh, lambda S, a: S.acosh(a), kink="unit"),
    Operation("atanh", np.arctanh, lambda S, a: S.atanh(a), kink="unit"),
    Operation("exp", np.exp, lambda S, a: S.exp(a)),
    Operation("log", np.log, lambda S, a: S.log(a), kink="zero"),
    Operation("log10", np.log10, lambda S, a: S.log(a) / S.log(10), kink="zero"),
    Operation("log2", np.log2, lambda S, a: S.log(a) / S.log(2), kink="zero"),
    Operation("sqrt", np.sqrt, lambda S, a: S.sqrt(a), kink="zero"),
    Operation("hypot", np.hypot, lambda S, a, b: S.sqrt(a**2 + b**2), 2, 2, "origin"),
    Operation("erf", _erf, lambda S, a: S.erf(a)),
    Operation("abs", np.absolute, lambda S, a: S.absolute(a), kink="zero"),
    Operation("sign", np.sign, lambda S, a: S.sign(a), kink="zero"),
    Operation("heaviside", lambda a: np.heaviside(a, 0.5), lambda S, a: S.heaviside(a), kink="zero"),
    Operation(
        "min",
        lambda *a: reduce(np.minimum, a),
        lambda S, *a: reduce(lambda b, c: S.where(("<", b, c), b, c), a),
        2,
        8,
        "tie",
    ),
    Operation(
        "max",
        lambda *a: reduce(np.maximum, a),
        lambda S, *a: reduce(lambda b, c: S.where(("<", c, b), b, c), a),
        2,
        8,
        "tie",
    ),
    Operation("where", np.where, lambda S, c, a, b: S.where(c, a, b), 3, 3),
]

OPERATIONS = {each.name: each for each in _LIST}
COMPARISONS = ("<", "<=", ">", ">=")
# What can be called by its name.
FUNCTIONS = {name: each for name, each in OPERATIONS.items() if name.isalnum() and name != "negative"}
FUNCTIONS |= {alias: OPERATIONS[name] for alias, name in ALIASES.items()}
