"""Ways to differentiate a function of another package, tried in turn, and what is said where all of them fail."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from flowgrad.errors import DerivativeError, FlowgradError
from flowgrad.typing import FloatArray

T = TypeVar("T")

_HERE = str(Path(__file__).resolve().parent)


@dataclass(frozen=True)
class WayOut:
    """What to do about an error whose text has one of the ``signs``; with a ``final`` one no other way is tried."""

    signs: tuple[str, ...]
    advice: str
    final: bool = True

    def fits(self, problem: Exception) -> bool:
        """Whether this is the way out of a problem."""
        text = f"{type(problem).__name__}: {problem}"
        return any(sign in text for sign in self.signs)


def first_that_works(ways: Iterable[Callable[[], T]], advice: tuple[WayOut, ...], package: str) -> T:
    """The result of the first of some ways that raises nothing.

    Where all fail, a DerivativeError with the user's line, the package's message and the way out.
    """
    problems: list[Exception] = []
    for way in ways:
        try:
            return way()
        except Exception as problem:  # of any kind, as the function is the user's
            problems.append(problem)
            if any(each.final and each.fits(problem) for each in advice):
                break
    known = [problem for problem in problems if any(each.fits(problem) for each in advice)]
    own = [problem for problem in problems if isinstance(problem, FlowgradError)]
    raise _refusal((known or own or problems)[0 if known else -1], advice, package)


def _refusal(problem: Exception, advice: tuple[WayOut, ...], package: str) -> FlowgradError:
    if isinstance(problem, FlowgradError):
        return problem
    found = next((each.advice for each in advice if each.fits(problem)), None)
    way_out = (
        found or f"write it with functions of {package}, for one point x[..., 0], x[..., 1], … or for many at once"
    )
    refusal = DerivativeError(
        f"{package} cannot differentiate the function{_line(problem)}: {first_sentence(problem)}: {way_out}"
    )
    refusal.__cause__ = problem
    return refusal


def first_sentence(problem: Exception) -> str:
    """The beginning of another package's message, on one line."""
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return lines[0].split(". ")[0].rstrip(".:")[:200]


def _line(problem: Exception) -> str:
    """The innermost line that is neither ours nor of an installed package."""
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if not frame.filename.startswith((_HERE, "<frozen", sys.base_prefix)) and "site-packages" not in frame.filename:
            return f" (line {frame.lineno} of {Path(frame.filename).name}: {(frame.line or '').strip()})"
    return ""


def in_chunks(
    evaluate: Callable[[FloatArray], tuple[FloatArray, ...]], points: FloatArray, size: int
) -> tuple[FloatArray, ...]:
    """What ``evaluate`` gives for all points, some at a time; for no points, arrays of no rows."""
    if not len(points):
        return tuple(each[:0] for each in evaluate(np.zeros((1, points.shape[1]))))
    first = evaluate(points[:size])
    results = tuple(np.empty((len(points), *each.shape[1:])) for each in first)
    for start in range(0, len(points), size):
        for result, found in zip(results, evaluate(points[start : start + size]) if start else first, strict=True):
            result[start : start + size] = found
    return results
