"""Expressions over the arrays of a file: conditions, ``mask==1 and snr>2``, and vectors, ``Momentum/Density``.

condition:   conjunction {or conjunction}
conjunction: negation {and negation}
negation:    {not} sum [(== | != | < | <= | > | >=) sum]

The rest is the grammar of formulas, whose limits hold. A name is that of an array as it stands, or in double quotes:
``"alpha.water [-]">0.5``; ``mag(U)`` is the length of vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.functions import COMPARISONS, FUNCTIONS, Operation
from flowgrad.formula.parser import SPACE, USUAL, Apply, FormulaParser, Number, Step, Variable, evaluated


def _magnitude(values: Any) -> Any:
    return np.sqrt(np.square(values).sum(axis=-1, keepdims=True))


def _own(name: str, numpy: Any, count: int = 2) -> Operation:
    return Operation(name, numpy, lambda S, *arguments: arguments, count, count)


_LOGIC = {"and": _own("and", np.logical_and), "or": _own("or", np.logical_or), "not": _own("not", np.logical_not, 1)}
_EQUAL = {"==": _own("==", np.equal), "!=": _own("!=", np.not_equal)}
_TELLING = (*_EQUAL, *COMPARISONS)


class ArrayParser(FormulaParser):
    """Parser of expressions over arrays; ``is_condition`` allows comparisons and what joins them."""

    token = re.compile(
        r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
        r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/^(),<>]|(?:and|or|not)\b)"
        r"|(?P<name>[A-Za-z_][A-Za-z0-9_.]*|\"[^\"]+\")"
        r"|(?P<space>[ \t\r\n]+)"
    )
    allowed = "write it with names of arrays, numbers, + - * / ^, == != < <= > >=, and, or, not"
    functions: ClassVar[Mapping[str, Operation]] = {**FUNCTIONS, **_LOGIC, **_EQUAL, "mag": _own("mag", _magnitude, 1)}

    def __init__(self, text: str, names: Sequence[str], is_condition: bool) -> None:
        super().__init__(text, names, USUAL)
        self.is_condition = is_condition
        self.tokens = [each._replace(text=each.text.strip('"')) for each in self.tokens]

    def _whole(self) -> None:
        if self.is_condition:
            self._joined("or", "and")
        else:
            self._sum()

    def _joined(self, word: str, inner: str = "") -> None:
        start = self._token.start
        self._joined(inner) if inner else self._negation()
        while self._take(word):
            self._joined(inner) if inner else self._negation()
            self._apply(word, start)

    def _negation(self) -> None:
        start = self._token.start
        if self._take("not"):
            with self._deeper():
                self._negation()
            self._apply("not", start, 1)
            return
        self._sum()
        if comparison := self._take(*_TELLING):
            self._sum()
            self._apply(comparison, start)


@dataclass(frozen=True, eq=False)
class ArrayExpression:
    """An expression over ``names`` of arrays, parsed once and evaluated on the arrays of each place."""

    text: str
    names: tuple[str, ...]
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str, known: Sequence[str], is_condition: bool = False) -> ArrayExpression:
        """From its text, over arrays of the ``known`` names. OptionError with the place of what is no such expression,
        for a condition without a comparison, and for comparisons where a number is due."""
        body = text.strip(SPACE)
        steps = ArrayParser(body, known, is_condition).whole()
        kinds = evaluated(steps, lambda _: False, lambda step, arguments: _is_truth(body, step, arguments))
        *_, (_, _, is_truth) = kinds
        if is_truth != is_condition:
            wanted = f"a comparison such as {body[:40]}==1" if is_condition else "a velocity and no comparison"
            raise OptionError(f"'{body[:80]}' is not what is wanted: write {wanted}")
        names = tuple(dict.fromkeys(step.name for step in steps if isinstance(step, Variable)))
        if not names:
            raise OptionError(f"'{body[:80]}' names no array of {', '.join(known) or 'none'}: name one")
        return cls(body, names, steps)

    def of(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Values (n, k) of arrays (n,) or (n, k); OptionError where their components do not fit together."""
        rows = {name: arrays[name].reshape(len(arrays[name]), -1) for name in self.names}
        try:
            with np.errstate(all="ignore"):
                *_, (_, _, result) = evaluated(
                    self.steps,
                    lambda step: step.value if isinstance(step, Number) else rows[step.name],
                    lambda step, arguments: step.operation.numpy(*arguments),
                )
        except ValueError:
            shapes = ", ".join(f"'{name}' {arrays[name].shape}" for name in self.names)
            raise OptionError(f"'{self.text}' joins {shapes}: take arrays of as many components") from None
        return np.asarray(result)


@contextmanager
def saying(subject: str) -> Iterator[None]:
    """OptionErrors about an expression that leave this block begin with ``subject``."""
    try:
        yield
    except OptionError as error:
        raise OptionError(f"{subject}: {error}") from None


def quoted(name: str) -> str:
    """The name of an array as an expression takes it."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) else f'"{name}"'


def _is_truth(text: str, step: Apply, arguments: Sequence[bool]) -> bool:
    """Whether an operation gives a truth; OptionError for one on numbers that takes truths, and the other way round."""
    name = step.operation.name
    if name in _LOGIC and not all(arguments):
        raise OptionError(f"'{text[step.start : step.end][:80]}' joins what is no comparison by '{name}': write a==1")
    takes_truth = name in _LOGIC or name == "where"
    if not takes_truth and any(arguments):
        raise OptionError(f"'{text[step.start : step.end][:80]}' calculates with a comparison: join them by and, or")
    return name in _LOGIC or name in _TELLING
