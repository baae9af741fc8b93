"""A formula as a function of an array, made of plain NumPy functions so that dual numbers pass through it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.functions import CONSTANTS, FUNCTIONS, VARIABLES
from flowgrad.formula.parser import USUAL, Apply, Limits, Number, Step, Variable, parse
from flowgrad.formula.tokens import SPACE, named, refusal

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
# Formulas in one text.
_MOST = 100
_LABEL = re.compile(r"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]{0,31})[ \t\r\n]*=(?!=)(.*)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Formula:
    """An expression in ``variables``, called with x (…, d) whose last axis holds them in this order.

    ``label`` is the name in front of an equals sign, if there was one.
    """

    text: str
    variables: tuple[str, ...]
    steps: tuple[Step, ...]
    label: str = ""

    @classmethod
    def parse(
        cls,
        text: str,
        variables: Sequence[str] | None = None,
        names: Collection[str] = VARIABLES,
        limits: Limits = USUAL,
    ) -> Formula:
        """A formula from its text; ``variables`` are those that occur among ``names`` unless given.

        OptionError for a text that is no formula, see :func:`flowgrad.formula.parser.parse`.
        """
        label, body = _labelled(text, limits)
        body = body.strip(SPACE)
        steps = parse(body, names if variables is None else variables, limits)
        if variables is None:
            occurring = {step.name for step in steps if isinstance(step, Variable)}
            variables = [name for name in names if name in occurring]
        return cls(body, tuple(variables), steps, label)

    def __call__(self, x: Any) -> Any:
        """Values (…) at x (…, d), an array or dual numbers."""
        values = {name: x[..., i] for i, name in enumerate(self.variables)}
        return self.evaluate(values, np.shape(x)[:-1])

    def evaluate(self, values: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
        """Values of the given shape, from those of the variables; NaN or infinite where there is none."""
        with np.errstate(all="ignore"):
            for _, _, result in self._results(values):  # noqa: B007
                pass
        return np.full(shape, result) if np.shape(result) != shape else result

    def kinks(self, values: Mapping[str, float]) -> list[str]:
        """Why there may be no derivative at a point: ``abs(x): its argument is 0``."""
        found = []
        with np.errstate(all="ignore"):
            for step, arguments, _ in self._results(values):
                if isinstance(step, Apply) and (reason := step.operation.kink(*arguments)):
                    found.append(f"{self.text[step.start : step.end]}: {reason}")
        return found

    def size(self, values: Mapping[str, float]) -> float:
        """The largest finite number met on the way to the value at a point."""
        with np.errstate(all="ignore"):
            sizes = np.abs([float(result) for _, _, result in self._results(values)])
        return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))

    def _results(self, values: Mapping[str, Any]) -> Iterator[tuple[Step, list[Any], Any]]:
        """Each step with its arguments and its result."""
        stack: list[Any] = []
        for step in self.steps:
            arguments: list[Any] = []
            if isinstance(step, Number):
                result: Any = step.value
            elif isinstance(step, Variable):
                result = values[step.name]
            else:
                arguments = stack[-step.count :]
                del stack[-step.count :]
                result = step.operation.numpy(*arguments)
            stack.append(result)
            yield step, arguments, result


@dataclass(frozen=True, eq=False)
class Formulas:
    """Several formulas of the same variables: x (…, d) to values (…, k)."""

    formulas: tuple[Formula, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Those of each formula."""
        return self.formulas[0].variables

    def __call__(self, x: Any) -> Any:
        """Values (…, k) at x (…, d), an array or dual numbers."""
        return np.stack([formula(x) for formula in self.formulas], axis=-1)


def parse_formulas(texts: Sequence[str], variables: Sequence[str] | None = None, also: Sequence[str] = ()) -> Formulas:
    """Formulas from texts in each of which ``;`` separates several.

    The variables are x, y, z, t and the names ``also`` given, those that occur or are in ``also``; or
    exactly ``variables``. Raises OptionError for a text that is no formula and names that cannot be used.
    """
    for name in (*(variables or ()), *also):
        check_name(name)
    pieces = [piece for text in texts for piece in _pieces(text)]
    names = (
        tuple(variables) if variables is not None else (*VARIABLES, *(name for name in also if name not in VARIABLES))
    )
    found = [Formula.parse(piece, names=names) for piece in pieces]
    if variables is None:
        used = {name for formula in found for name in formula.variables} | set(also)
        variables = [name for name in names if name in used]
    chosen = tuple(variables)
    return Formulas(tuple(Formula(each.text, chosen, each.steps, each.label) for each in found))


def check_name(name: str) -> None:
    """OptionError for a text that cannot be the name of a variable."""
    if _NAME.fullmatch(name) is None:
        raise OptionError(f"the variable {named(name)} is no name: use letters, digits and _, a letter first")
    if name in CONSTANTS or name in FUNCTIONS:
        raise OptionError(f"the variable '{name}' has the name of a constant or a function: choose another")


def _pieces(text: str) -> list[str]:
    limit = USUAL.length
    if len(text) > limit:
        raise refusal(text, limit, f"{len(text)} characters: write at most {limit}")
    pieces = [piece for piece in text.split(";") if piece.strip(SPACE)]
    if not pieces:
        raise OptionError("the formula is empty: write one, such as 'x^2 + y'")
    if len(pieces) > _MOST:
        raise OptionError(f"there are {len(pieces)} formulas in one text: give at most {_MOST}")
    return pieces


def _labelled(text: str, limits: Limits) -> tuple[str, str]:
    """``u = -y`` as the label and the formula."""
    match = _LABEL.fullmatch(text) if len(text) <= limits.length else None
    return match.groups() if match else ("", text)  # type: ignore[return-value]
