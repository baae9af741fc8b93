"""SymPy expressions of formulas, built from our own steps, and their derivatives as text of our own language.

SymPy never sees a text. What it would split into real and imaginary parts, or differentiate to a delta
function, are functions of ours: |a|, the sign, the step, and the choice between two expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from sympy import E, Expr, Float, Function, I, Integer, Rational, Symbol, nan, oo, pi, sqrt, zoo
from sympy.printing.str import StrPrinter

from flowgrad.errors import OptionError
from flowgrad.formula.expression import Formula
from flowgrad.formula.parser import FormulaLimits, Number, Variable, evaluated

# Integers beyond these bits, and exponents beyond this size, are kept as floating-point numbers.
_BITS = 200
_EXPONENT = 100
_EXACT = 2.0**53
# A derivative may be longer than what people write.
UNDEFINED = "undefined"
_DERIVED = FormulaLimits(length=1_000_000, steps=100_000, depth=200, exponent=np.inf)


class _Flat(Function):
    def _eval_derivative(self, s: Symbol) -> Expr:
        return Integer(0)


class _Sign(_Flat):
    """−1, 0 or 1."""


class _Step(_Flat):
    """0 or 1, and 1/2 at zero."""


class _Absolute(Function):
    def _eval_derivative(self, s: Symbol) -> Expr:
        return _Sign(self.args[0]) * self.args[0].diff(s)


class _Less(Function):
    """c where a < b, else d."""

    sign = "<"

    def _eval_derivative(self, s: Symbol) -> Expr:
        a, b, c, d = self.args
        return where((self.sign, a, b), c.diff(s), d.diff(s))


class _LessEqual(_Less):
    sign = "<="


def where(condition: tuple[str, Expr, Expr], c: Expr, d: Expr) -> Expr:
    """c where the condition holds, else d."""
    sign, a, b = condition
    return c if c == d else (_Less if sign == "<" else _LessEqual)(a, b, c, d)


def power(base: Expr, exponent: Expr) -> Expr:
    """base^exponent, where neither exact integers nor the exponents of numbers grow without bound."""
    if exponent.is_Float and float(exponent).is_integer():
        exponent = Integer(int(exponent))
    if exponent.is_Number and abs(exponent) > _EXPONENT:
        exponent = Float(exponent)
    result = base**exponent
    large = {each: Float(each) for each in result.atoms(Rational) if max(abs(each.p), each.q).bit_length() > _BITS}
    return result.xreplace(large) if large else result


# What operations call: SymPy's functions, sin, exp, …, and ours.
_CALLED = SimpleNamespace(**vars(sympy))
_CALLED.sign, _CALLED.heaviside, _CALLED.absolute = _Sign, _Step, _Absolute
_CALLED.where, _CALLED.power = where, power


def expression(formula: Formula) -> Expr:
    """The SymPy expression of a formula."""
    steps = evaluated(formula.steps, _leaf, lambda step, arguments: step.operation.symbol(_CALLED, *arguments))
    return list(steps)[-1][2]


def _leaf(step: Number | Variable) -> Any:
    if isinstance(step, Variable):
        return Symbol(step.name)
    if step.text in ("pi", "e"):
        return pi if step.text == "pi" else E
    is_exact = step.text.isdigit() and step.value <= _EXACT
    return Integer(int(step.text)) if is_exact else Float(step.value)


# Our functions in the language that our parser reads.
_NAMES = {"_Sign": "sign", "_Step": "heaviside", "_Absolute": "abs"}


class _Printer(StrPrinter):
    """Expressions in the language that our parser reads."""

    def _print_Exp1(self, _: Expr) -> str:
        return "e"

    def _print_Function(self, each: Expr) -> str:
        name = type(each).__name__
        return f"{_NAMES.get(name, name)}({self.stringify(each.args, ', ')})"

    def _print__Less(self, each: _Less) -> str:
        a, b, c, d = (self._print(argument) for argument in each.args)
        return f"where({a} {each.sign} {b}, {c}, {d})"

    _print__LessEqual = _print__Less


def in_words(found: Expr, variables: Sequence[str]) -> Formula:
    """An expression as a formula: its text, which can be evaluated; ``undefined`` where it is not a real number, or
    has numbers that are larger than any that a computer holds."""
    if not found.has(I, nan, oo, -oo, zoo):
        text = _Printer({"full_prec": False}).doprint(found).replace("**", "^")
        with suppress(OptionError):
            return Formula.parse(text, tuple(variables), limits=_DERIVED)
    return Formula(UNDEFINED, tuple(variables), (Number(np.nan, UNDEFINED),))


def gradient(formula: Formula) -> list[Formula]:
    """∂f/∂x_i."""
    f = expression(formula)
    return [in_words(f.diff(Symbol(name)), formula.variables) for name in formula.variables]


def hessian(formula: Formula) -> list[list[Formula]]:
    """∂/∂x_j (∂f/∂x_i) in row i and column j, each in the order in which it is written."""
    f, names = expression(formula), formula.variables
    rows = [f.diff(Symbol(name)) for name in names]
    return [[in_words(row.diff(Symbol(name)), names) for name in names] for row in rows]


def directional_derivative(formula: Formula, direction: Sequence[float]) -> Formula:
    """Σ n_i ∂f/∂x_i with n the unit vector of the direction."""
    f = expression(formula)
    components = [Integer(int(c)) if float(c).is_integer() and abs(c) < _EXACT else Float(c) for c in direction]
    length = sqrt(sum(c**2 for c in components))
    slopes = [f.diff(Symbol(name)) for name in formula.variables]
    return in_words(sum(c / length * slope for c, slope in zip(components, slopes, strict=True)), formula.variables)
