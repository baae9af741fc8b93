"""The lines that answer a derivation: formulas, symbols, numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.derive.derivation import Derivation
from flowgrad.errors import MissingDependencyError
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.derive.symbolic import Symbolic


# Second derivatives that differ by more than this fraction of the largest do not agree.
_SAME = 1e-9
# Formulas with more operations have derivatives that fill pages.
_LARGEST = 200


def answer(asked: Derivation) -> Iterator[str]:
    """The lines of the command ``derive``.

    Raises DerivativeError where symbols and dual numbers disagree, and MissingDependencyError where SymPy is not
    installed and no point is given.
    """
    for name, formula in asked.named:
        yield f"{name}({', '.join(asked.variables)}) = {formula.text}"
    symbolic, reason = _symbolic(asked)
    if symbolic is None:
        if asked.point is None:
            raise MissingDependencyError(f"{reason}; or give --at for the derivatives as numbers")
        yield reason
    else:
        yield from _symbols(asked, symbolic)
    if asked.point is not None:
        if symbolic:
            symbolic.check()
        yield "at " + ", ".join(f"{name} = {number(value)}" for name, value in asked.place.items())
        yield from ("  " + line for line in _numbers(asked))


def _symbolic(asked: Derivation) -> tuple[Symbolic | None, str]:
    """The symbols, or why there are none."""
    size = max(len(formula.steps) for _, formula in asked.named)
    if size > _LARGEST:
        return None, f"no symbols: a formula has {size} operations, more than {_LARGEST}; make it shorter"
    try:
        from flowgrad.derive.symbolic import Symbolic
    except ImportError as error:
        if error.name and error.name.split(".")[0] != "sympy":
            raise
        return None, "no symbols: they need SymPy, pip install 'flowgrad[formula]'"
    return Symbolic(asked), ""


def _symbols(asked: Derivation, symbolic: Symbolic) -> Iterator[str]:
    yield from _first([[each.text for each in row] for row in symbolic.jacobian])
    if asked.direction is not None:
        slopes = [each.text for each in symbolic.along]
        yield f"derivative along {_row(map(number, asked.direction))}: {_one_or_row(slopes)}"
    if asked.hessian:
        for (name, _), H in zip(asked.named, symbolic.hessians, strict=True):
            yield from _matrix(f"Hessian of {name}:", [[each.text for each in row] for row in H])
        if len(asked.variables) > 1:
            yield "mixed second derivatives " + (
                "agree" if symbolic.mixed_agree else "DIFFER: they depend on the order"
            )


def _numbers(asked: Derivation) -> Iterator[str]:
    values, J = asked.values, asked.jacobian
    yield f"value{'s' * (len(values) > 1)}: {_one_or_row([number(each) for each in values])}"
    yield from _first([[number(each) for each in row] for row in J])
    yield from _warnings(asked)
    if len(values) == 1:
        yield _ascent(J[0])
    if asked.direction is not None:
        slopes = [number(each) for each in J @ asked.unit]
        yield f"derivative along {_row(map(number, asked.unit))}: {_one_or_row(slopes)}"
    if asked.hessian:
        for (name, _), H in zip(asked.named, asked.hessians, strict=True):
            yield from _matrix(f"Hessian of {name}:", [[number(each) for each in row] for row in H])
        if len(asked.variables) > 1:
            yield _mixed(asked.hessians)


def _warnings(asked: Derivation) -> Iterator[str]:
    """What stands in the way of a derivative."""
    for (name, formula), slopes in zip(asked.named, asked.jacobian, strict=True):
        reasons = "; ".join(formula.kinks(asked.place))
        if not np.isfinite(slopes).all():
            reasons = reasons or "its value is no real number nearby"
            yield f"{name} has no derivative where it says nan or inf ({reasons})"
        elif reasons:
            yield f"{name} may have no derivative, this may be that of one side ({reasons})"


def _ascent(gradient: FloatArray) -> str:
    largest = np.abs(gradient).max()
    if not np.isfinite(largest):
        return "steepest ascent: not known"
    if not largest:
        return "steepest ascent: none, the gradient is zero"
    length = np.linalg.norm(gradient / largest)
    return f"steepest ascent: along {_row(map(number, gradient / largest / length))}, slope {number(largest * length)}"


def _mixed(H: FloatArray) -> str:
    """Whether the numbers agree with those of the other order."""
    difference = np.abs(H - H.swapaxes(-1, -2))
    if not np.isfinite(difference).all():
        return "mixed second derivatives: not all known"
    largest = float(difference.max())
    verdict = "agree" if largest <= _SAME * np.abs(H).max() else "DIFFER"
    return f"mixed second derivatives {verdict} (largest difference {largest:.2g})"


def number(value: float) -> str:
    """Twelve digits at most, and no negative zero."""
    return f"{value + 0.0:.12g}"


def _one_or_row(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else _row(texts)


def _row(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _first(rows: list[list[str]]) -> Iterator[str]:
    """A gradient in one line, a Jacobian in one a row."""
    return iter([f"gradient: {_row(rows[0])}"]) if len(rows) == 1 else _matrix("Jacobian:", rows)


def _matrix(name: str, rows: list[list[str]]) -> Iterator[str]:
    yield name
    for row in rows:
        yield "  " + _row(row)
