"""Formulas read by precedence (Pratt 1973): the result is a list of steps in postfix order, nothing is executed.

sum:     product {(+|-) product}
product: signed {(*|/) signed}
signed:  {+|-} atom [^ signed]
atom:    number | name | name(sum, …) | where(sum < sum, sum, sum) | (sum)
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.functions import ALIASES, COMPARISONS, CONSTANTS, FUNCTIONS, OPERATIONS, Operation
from flowgrad.formula.tokens import Token, named, refusal, tokens
from flowgrad.spec import nearest


@dataclass(frozen=True)
class Number:
    """A number or a constant as it stands in the text."""

    value: float
    text: str


@dataclass(frozen=True)
class Variable:
    """A variable."""

    name: str


@dataclass(frozen=True)
class Apply:
    """An operation on the last ``count`` results; ``start`` and ``end`` are its place in the text."""

    operation: Operation
    count: int
    start: int
    end: int


Step: TypeAlias = Number | Variable | Apply


@dataclass(frozen=True)
class Limits:
    """Largest number of characters, of steps, of parentheses or powers in each other; largest exponent."""

    length: int = 10_000
    steps: int = 2_000
    depth: int = 50
    exponent: float = 1000.0


# What people write is within these.
USUAL = Limits()


def parse(text: str, names: Collection[str], limits: Limits) -> tuple[Step, ...]:
    """The steps of a formula in the variables ``names``, in postfix order.

    Raises OptionError, with the position, for anything that is not a formula, for what exceeds the
    limits, and for a constant that is not a finite number, such as 1/0 and 9^9^9^9.
    """
    if len(text) > limits.length:
        raise refusal(text, limits.length, f"{len(text)} characters: write at most {limits.length}")
    parser = _Parser(text, names, limits)
    parser.whole()
    _check_constants(text, parser.steps, limits)
    return tuple(parser.steps)


class _Parser:
    def __init__(self, text: str, names: Collection[str], limits: Limits) -> None:
        self.text, self.names, self.limits = text, names, limits
        self.tokens = list(tokens(text))
        self.next = 0
        self.depth = 0
        self.steps: list[Step] = []

    def whole(self) -> None:
        self._sum()
        if self._token.kind != "end":
            raise self._unexpected("an operator such as * is missing, or this is one too many")

    @property
    def _token(self) -> Token:
        return self.tokens[self.next]

    def _take(self, *operators: str) -> str:
        """The next operator if it is one of these, else nothing."""
        if self._token.kind != "operator" or self._token.text not in operators:
            return ""
        self.next += 1
        return self.tokens[self.next - 1].text

    def _need(self, operator: str) -> None:
        if not self._take(operator):
            raise self._unexpected(f"'{operator}' is expected here")

    def _unexpected(self, advice: str) -> OptionError:
        piece = self._token
        what = "the end" if piece.kind == "end" else named(self.text[piece.start : piece.end])
        return refusal(self.text, piece.start, f"unexpected {what}: {advice}")

    def _append(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) > self.limits.steps:
            raise refusal(self.text, self._token.start, f"more than {self.limits.steps} operations: make it shorter")

    def _apply(self, operation: Operation, count: int, start: int) -> None:
        self._append(Apply(operation, count, start, self.tokens[self.next - 1].end))

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > self.limits.depth:
            reason = f"more than {self.limits.depth} parentheses or powers in each other: make it simpler"
            raise refusal(self.text, self._token.start, reason)

    def _sum(self) -> None:
        start = self._token.start
        self._product()
        while operator := self._take("+", "-"):
            self._product()
            self._apply(OPERATIONS[operator], 2, start)

    def _product(self) -> None:
        start = self._token.start
        self._signed()
        while operator := self._take("*", "/"):
            self._signed()
            self._apply(OPERATIONS[operator], 2, start)

    def _signed(self) -> None:
        start, is_negative = self._token.start, False
        while sign := self._take("+", "-"):
            is_negative ^= sign == "-"
        self._power()
        if is_negative:
            self._apply(OPERATIONS["negative"], 1, start)

    def _power(self) -> None:
        start = self._token.start
        self._atom()
        if self._take("^"):
            self._deeper()
            self._signed()
            self.depth -= 1
            self._apply(OPERATIONS["^"], 2, start)

    def _atom(self) -> None:
        piece = self._token
        if self._take("("):
            self._deeper()
            self._sum()
            self._need(")")
            self.depth -= 1
        elif piece.kind in ("number", "name"):
            self.next += 1
            self._number(piece) if piece.kind == "number" else self._name(piece)
        else:
            raise self._unexpected("a number, a name or '(' is expected here")

    def _number(self, piece: Token) -> None:
        value = float(piece.text)
        if math.isinf(value):
            raise refusal(self.text, piece.start, "the number is larger than any that a computer holds: make it less")
        self._append(Number(value, piece.text))

    def _name(self, piece: Token) -> None:
        if self._token.text == "(" and self._token.kind == "operator" and piece.text not in self.names:
            self._call(piece)
        elif piece.text in self.names:
            self._append(Variable(piece.text))
        elif piece.text in CONSTANTS:
            self._append(Number(CONSTANTS[piece.text], piece.text))
        elif piece.text in FUNCTIONS:
            raise refusal(self.text, piece.end, f"{piece.text} is a function: write {piece.text}(…)")
        else:
            known = [*self.names, *CONSTANTS]
            raise self._unknown("name", piece, known)

    def _unknown(self, what: str, piece: Token, known: list[str]) -> OptionError:
        hint = nearest(piece.text[:_LONGEST_NAME], known)
        return refusal(
            self.text, piece.start, f"unknown {what} {named(piece.text)}{hint}: known are {', '.join(known)}"
        )

    def _call(self, piece: Token) -> None:
        operation = FUNCTIONS.get(piece.text)
        if operation is None:
            raise self._unknown("function", piece, [name for name in FUNCTIONS if name not in ALIASES])
        self._need("(")
        self._deeper()
        self._condition() if operation.name == "where" else self._sum()
        count = 1
        while self._take(","):
            self._sum()
            count += 1
        if not operation.least <= count <= operation.most:
            wanted = " to ".join(str(n) for n in sorted({operation.least, operation.most}))
            plural = "s" if operation.most > 1 else ""
            raise refusal(self.text, piece.start, f"{piece.text} takes {wanted} argument{plural}, not {count}")
        self._need(")")
        self.depth -= 1
        self._apply(operation, count, piece.start)

    def _condition(self) -> None:
        start = self._token.start
        self._sum()
        operator = self._take(*COMPARISONS)
        if not operator:
            raise self._unexpected("where(a < b, c, d) needs a comparison first, one of < <= > >=")
        self._sum()
        self._apply(OPERATIONS[operator], 2, start)


_LONGEST_NAME = 40


def _check_constants(text: str, steps: list[Step], limits: Limits) -> None:
    """OptionError for an operation on numbers that has no finite result, and for large exponents."""
    known: list[float | None] = []
    for step in steps:
        if isinstance(step, Apply):
            arguments = known[-step.count :]
            del known[-step.count :]
            known.append(_constant(text, step, arguments, limits))
        else:
            known.append(step.value if isinstance(step, Number) else None)


def _constant(text: str, step: Apply, arguments: list[float | None], limits: Limits) -> float | None:
    """The result if all arguments are numbers, else None."""
    exponent = arguments[-1]
    if step.operation.name == "^" and exponent is not None and abs(exponent) > limits.exponent:
        raise refusal(text, step.start, f"the exponent {exponent:g} is beyond {limits.exponent:g}: use exp(…)")
    if any(each is None for each in arguments):
        return None
    with np.errstate(all="ignore"):
        value = float(step.operation.numpy(*arguments))
    if not math.isfinite(value):
        shown = named(text[step.start : step.end])
        raise refusal(text, step.start, f"{shown} is {value:g}, not a finite number: change it")
    return value
