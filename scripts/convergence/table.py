"""Rows of the table of errors, as text and as the README's Markdown, and the meshes that they are measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from flowgrad.typing import FloatArray
from flowgrad.verify import short

# Above this fraction of the largest component of L an error is no rounding.
EXACT = 1e-10
# Columns of the text: what is measured, our numbers, the verdict.
_WHAT, _OURS, _VERDICT = 60, 23, 6


@dataclass(frozen=True)
class Sizes:
    """How large the meshes of the README's table are: points a side; and how many random draws there are."""

    box: int = 56
    square: int = 81
    image: int = 128
    draws: int = 1000


@dataclass(frozen=True)
class Accuracy:
    """Numbers of flowgrad and of a peer ("" where there is none); ``asked`` are the largest allowed, ``least`` the
    smallest, neither where a row is for information."""

    what: str
    ours: tuple[float, ...]
    peer: str = ""
    asked: tuple[float, ...] = ()
    least: tuple[float, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all numbers are as they must be; NaN is not."""
        bounds = zip(self.ours, self._least, self.asked, strict=True) if self.asked else ()
        return all(a <= value <= b for value, a, b in bounds)

    @property
    def _least(self) -> tuple[float, ...]:
        return self.least or (0.0,) * len(self.asked)

    def markdown(self) -> str:
        """A line of the README's table."""
        return f"| {self.what} | {listed(self.ours)} | {self.peer} |"

    def text(self) -> str:
        """A line for a terminal."""
        verdict = ("ok" if self.passed else "FAIL") if self.asked else ""
        return f"  {self.what:<{_WHAT}}{listed(self.ours):<{_OURS}}{verdict:<{_VERDICT}}{self.peer}".rstrip()

    def verdict(self) -> str:
        """What was asked for, and whether it is met."""
        if not self.asked:
            return ""
        bounds = zip(self._least, self.asked, strict=True)
        wanted = " / ".join(f"{a:.4g} to {b:.4g}" if a else f"{b:.3g}" for a, b in bounds)
        return f"asked {wanted}: {'met' if self.passed else 'MISSED'}"


HEAD = f"  {'':<{_WHAT}}{'flowgrad':<{_OURS}}{'':<{_VERDICT}}beside"


def number(value: float) -> str:
    """Two digits, three of numbers near 1."""
    if not value or not np.isfinite(value):
        return "NaN" if value else "0"
    return f"{value:.3g}" if 0.1 <= abs(value) < 1000 else short(value)


def listed(values: Sequence[float]) -> str:
    """Numbers as text."""
    return " / ".join(number(value) for value in values)


def largest(L: FloatArray, exact: FloatArray) -> float:
    """The largest error of gradients (m, 3, 3), over the largest component; NaN where one is missing."""
    return float(np.abs(L - exact).max() / np.abs(exact).max())


def is_installed(package: str) -> bool:
    """Whether a peer can be measured here."""
    return find_spec(package) is not None


def beside_vtk(errors: Callable[[], Sequence[float]]) -> str:
    """VTK's errors as text, or that it is not here."""
    return f"VTK {listed(errors())}" if is_installed("vtkmodules") else "VTK is not installed"
