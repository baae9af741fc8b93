"""Formulas as functions of an array, made of plain NumPy functions so that dual numbers pass through them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.functions import CONSTANTS, FUNCTIONS, KINKS, VARIABLES
from flowgrad.formula.parser import (
    SPACE,
    USUAL,
    Apply,
    FormulaLimits,
    FormulaParser,
    Number,
    Step,
    Variable,
    check_length,
    evaluated,
    named,
)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_LABEL = re.compile(rf"[{SPACE}]*({_NAME.pattern})[{SPACE}]*=(?!=)(.*)", re.DOTALL)
# Formulas in one text.
_MOST = 100


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
        limits: FormulaLimits = USUAL,
    ) -> Formula:
        """A formula from its text; ``variables`` are those that occur among ``names`` unless given.

        OptionError for a text that is not a formula, see :class:`flowgrad.formula.parser.FormulaParser`.
        """
        labelled = _LABEL.fullmatch(text) if len(text) <= limits.length else None
        label, body = labelled.groups() if labelled else ("", text)
        body = body.strip(SPACE)
        steps = FormulaParser(body, names if variables is None else variables, limits).whole()
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
                if isinstance(step, Apply) and (reason := KINKS[step.operation.kink](*arguments)):
                    found.append(f"{self.text[step.start : step.end]}: {reason}")
        return found

    def size(self, values: Mapping[str, float]) -> float:
        """The largest finite number met on the way to the value at a point."""
        with np.errstate(all="ignore"):
            sizes = np.abs([float(result) for _, _, result in self._results(values)])
        return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))

    def _results(self, values: Mapping[str, Any]) -> Iterator[tuple[Step, list[Any], Any]]:
        return evaluated(
            self.steps,
            lambda step: step.value if isinstance(step, Number) else values[step.name],
            lambda step, arguments: step.operation.numpy(*arguments),
        )


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
    exactly ``variables``. Raises OptionError for a text that is not a formula and names that cannot be used.
    """
    for name in (*(variables or ()), *also):
        check_name(name)
    names = tuple(dict.fromkeys((*VARIABLES, *also))) if variables is None else tuple(variables)
    found = []
    for text in texts:
        check_length(text, USUAL)
        pieces = [piece for piece in text.split(";") if piece.strip(SPACE)]
        if not pieces:
            raise OptionError("the formula is empty: write one, such as 'x^2 + y'")
        if len(pieces) > _MOST:
            raise OptionError(f"there are {len(pieces)} formulas in one text: give at most {_MOST}")
        found += pieces
    formulas = [Formula.parse(piece, names=names) for piece in found]
    if variables is None:
        used = {name for formula in formulas for name in formula.variables} | set(also)
        names = tuple(name for name in names if name in used)
    return Formulas(tuple(replace(formula, variables=names) for formula in formulas))


def check_name(name: str) -> None:
    """OptionError for a text that cannot be the name of a variable."""
    if _NAME.fullmatch(name) is None:
        raise OptionError(f"the variable {named(name)} is not a name: use letters, digits and _, a letter first")
    if name in CONSTANTS or name in FUNCTIONS:
        raise OptionError(f"the variable '{name}' has the name of a constant or a function: choose another")
