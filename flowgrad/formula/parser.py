"""Parser of formulas: recursive descent to steps in postfix order, nothing of which is run by Python.

sum:     product {(+|-) product}
product: signed {(*|/) signed}
signed:  {+|-} atom [^ signed]
atom:    number | name | name(sum, …) | where(sum < sum, sum, sum) | (sum)

Python's own parser is no substitute: a text that is not a formula must be refused with its place and the way out,
``if`` and ``lambda`` are names here, and derivatives with 10⁵ terms are deeper than Python's syntax trees may be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple, TypeAlias, TypeVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.functions import ALIASES, COMPARISONS, CONSTANTS, FUNCTIONS, OPERATIONS, Operation
from flowgrad.spec import nearest

T = TypeVar("T")

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<=|>=|[-+*/^(),<>])"
    r"|(?P<space>[ \t\r\n]+)"
)
_ALLOWED = "write it with numbers, + - * / ^, parentheses, commas, names and functions such as sin(x)"
# The only characters that may stand between tokens.
SPACE = " \t\r\n"
# Characters of a text, or of a piece of it, that messages show.
_SHOWN = 40


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
class FormulaLimits:
    """Largest number of characters, of steps, of parentheses or powers in each other; largest exponent."""

    length: int = 10_000
    steps: int = 2_000
    depth: int = 50
    exponent: float = 1000.0


# What people write is within these.
USUAL = FormulaLimits()


def evaluated(
    steps: Iterable[Step], leaf: Callable[[Number | Variable], T], apply: Callable[[Apply, list[T]], T]
) -> Iterator[tuple[Step, list[T], T]]:
    """Each of some steps in postfix order with its arguments and its result, that of ``leaf`` or of ``apply``."""
    stack: list[T] = []
    for step in steps:
        arguments: list[T] = []
        if isinstance(step, Apply):
            arguments = stack[-step.count :]
            del stack[-step.count :]
            stack.append(apply(step, arguments))
        else:
            stack.append(leaf(step))
        yield step, arguments, stack[-1]


def named(piece: str) -> str:
    """A piece of text for a message: a character that is not ASCII, or cannot be seen, by its number."""
    if len(piece) == 1 and not (piece.isascii() and piece.isprintable()):
        return f"the character U+{ord(piece):04X}"
    return ascii(_shortened(piece))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _refusal(text: str, at: int, reason: str) -> OptionError:
    """An error of one line that shows the formula, as ASCII, and where it went wrong."""
    return OptionError(f"formula {_shortened(text)!a}, position {at + 1}: {reason}")


def check_length(text: str, limits: FormulaLimits) -> None:
    """OptionError for a text of too many characters."""
    if len(text) > limits.length:
        reason = f"{len(text)} characters: write at most {limits.length}"
        raise _refusal(text, limits.length, reason)


class _Token(NamedTuple):
    """A piece of the text from ``start`` to ``end``; ``kind`` is number, name, operator or end."""

    kind: str
    text: str
    start: int
    end: int


class FormulaParser:
    """Recursive descent by the grammar above, by precedence; each operation is a step after its operands.

    Raises OptionError, with the position, for anything that is not a formula in the variables ``names``, for what
    exceeds the limits, and for a constant that is not a finite number, such as 1/0 and 9^9^9^9.
    """

    token, allowed = _TOKEN, _ALLOWED
    functions: ClassVar[Mapping[str, Operation]] = FUNCTIONS

    def __init__(self, text: str, names: Collection[str], limits: FormulaLimits) -> None:
        check_length(text, limits)
        self.text, self.names, self.limits = text, names, limits
        self.steps: list[Step] = []
        self.tokens: list[_Token] = []
        self.next = self.depth = at = 0
        while at < len(text):
            match = self.token.match(text, at)
            if match is None:
                raise _refusal(text, at, f"{named(text[at])} is not allowed: {self.allowed}")
            if match.lastgroup != "space":
                piece = "^" if match.group() == "**" else match.group()
                self.tokens.append(_Token(str(match.lastgroup), piece, at, match.end()))
            at = match.end()
        self.tokens.append(_Token("end", "the end", len(text), len(text)))

    def whole(self) -> tuple[Step, ...]:
        """The steps of the text in postfix order, checked; OptionError for what is left over."""
        self._whole()
        if self._token.kind != "end":
            raise self._unexpected("an operator such as * is missing, or this is one too many")
        list(evaluated(self.steps, lambda step: step.value if isinstance(step, Number) else None, self._constant))
        return tuple(self.steps)

    @property
    def _token(self) -> _Token:
        return self.tokens[self.next]

    def _take(self, *operators: str) -> str:
        """The next operator if it is one of these, else nothing."""
        if self._token.kind != "operator" or self._token.text not in operators:
            return ""
        self.next += 1
        return self.tokens[self.next - 1].text

    def _unexpected(self, advice: str) -> OptionError:
        token = self._token
        what = "the end" if token.kind == "end" else named(self.text[token.start : token.end])
        return _refusal(self.text, token.start, f"unexpected {what}: {advice}")

    def _append(self, step: Step) -> None:
        self.steps.append(step)
        if len(self.steps) > self.limits.steps:
            raise _refusal(self.text, self._token.start, f"more than {self.limits.steps} operations: make it shorter")

    def _apply(self, name: str, start: int, count: int = 2) -> None:
        operation = self.functions.get(name) or OPERATIONS[name]
        self._append(Apply(operation, count, start, self.tokens[self.next - 1].end))

    @contextmanager
    def _deeper(self, end: str = "") -> Iterator[None]:
        """One more parenthesis or power, and its end."""
        self.depth += 1
        if self.depth > self.limits.depth:
            reason = f"more than {self.limits.depth} parentheses or powers in each other: make it simpler"
            raise _refusal(self.text, self._token.start, reason)
        yield
        self.depth -= 1
        if end and not self._take(end):
            raise self._unexpected(f"'{end}' is expected here")

    def _whole(self) -> None:
        """What may stand alone, and in parentheses."""
        self._sum()

    def _sum(self, operators: str = "+-") -> None:
        operand = self._signed if operators == "*/" else partial(self._sum, "*/")
        start = self._token.start
        operand()
        while operator := self._take(*operators):
            operand()
            self._apply(operator, start)

    def _signed(self) -> None:
        first, is_negative = self._token.start, False
        while sign := self._take("+", "-"):
            is_negative ^= sign == "-"
        start = self._token.start
        self._atom()
        if self._take("^"):
            with self._deeper():
                self._signed()
            self._apply("^", start)
        if is_negative:
            self._apply("negative", first, 1)

    def _atom(self) -> None:
        token = self._token
        if self._take("("):
            with self._deeper(")"):
                self._whole()
        elif token.kind == "number":
            self.next += 1
            value = float(token.text)
            if math.isinf(value):
                reason = "the number is larger than any that a computer holds: make it less"
                raise _refusal(self.text, token.start, reason)
            self._append(Number(value, token.text))
        elif token.kind == "name":
            self.next += 1
            self._name(token)
        else:
            raise self._unexpected("a number, a name or '(' is expected here")

    def _name(self, token: _Token) -> None:
        name = token.text
        is_called = name not in self.names and self._take("(")
        if is_called and name in self.functions:
            self._call(token)
        elif name in self.names:
            self._append(Variable(name))
        elif not is_called and name in CONSTANTS:
            self._append(Number(CONSTANTS[name], name))
        elif not is_called and name in self.functions:
            raise _refusal(self.text, token.end, f"{name} is a function: write {name}(…)")
        else:
            functions = [each for each in self.functions if each not in ALIASES]
            what, known = ("function", functions) if is_called else ("name", [*self.names, *CONSTANTS])
            hint = nearest(name[:_SHOWN], known)
            raise _refusal(self.text, token.start, f"unknown {what} {named(name)}{hint}: known are {', '.join(known)}")

    def _call(self, token: _Token) -> None:
        operation = self.functions[token.text]
        with self._deeper(")"):
            start = self._token.start
            self._sum()
            if operation.name == "where":
                comparison = self._take(*COMPARISONS)
                if not comparison:
                    raise self._unexpected("where(a < b, c, d) needs a comparison first, one of < <= > >=")
                self._sum()
                self._apply(comparison, start)
            count = 1
            while self._take(","):
                self._sum()
                count += 1
            if not operation.least <= count <= operation.most:
                wanted = " to ".join(str(n) for n in sorted({operation.least, operation.most}))
                plural = "s" if operation.most > 1 else ""
                reason = f"{token.text} takes {wanted} argument{plural}, not {count}"
                raise _refusal(self.text, token.start, reason)
        self._apply(token.text, token.start, count)

    def _constant(self, step: Apply, arguments: list[float | None]) -> float | None:
        """The result if all arguments are numbers, else None; OptionError for one that is not finite, and for large
        exponents."""
        exponent, limit = arguments[-1], self.limits.exponent
        if step.operation.name == "^" and exponent is not None and abs(exponent) > limit:
            raise _refusal(self.text, step.start, f"the exponent {exponent:g} is beyond {limit:g}: use exp(…)")
        if any(each is None for each in arguments):
            return None
        with np.errstate(all="ignore"):
            value = float(step.operation.numpy(*arguments))
        if not math.isfinite(value):
            shown = named(self.text[step.start : step.end])
            raise _refusal(self.text, step.start, f"{shown} is {value:g}, not a finite number: change it")
        return value
