"""How accurate a path is to be: tolerances and the size of a step, or a number of equal steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.paths.runge_kutta import Step
from flowgrad.typing import FloatArray

_ROUNDING = 8 * np.finfo(float).eps
# Of the controller: how far below the largest step that would do, and how much a step may shrink and grow.
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_ORDER = 5


@dataclass(frozen=True)
class Control:
    """The error of a step is held below ``rtol`` times the distance travelled in it (and, for the deformation
    gradient, below ``rtol`` times its largest component) plus ``atol`` (a length); or there are ``steps`` equal steps
    and no control. OptionError for tolerances that are not positive and less than one step."""

    rtol: float
    atol: float = 0.0
    steps: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.rtol < 1 and 0 <= self.atol < np.inf):
            raise OptionError(f"rtol is {self.rtol} and atol {self.atol}: give 0 < rtol < 1 and a length for atol")
        if self.steps is not None and self.steps < 1:
            raise OptionError(f"steps is {self.steps}: take one at least, or leave it out")

    def errors(self, step: Step, h: float | FloatArray) -> FloatArray:
        """The error of a step of each particle (m,) over what is allowed; 0 where there is no control."""
        y = step.y
        if self.steps is not None:
            return np.zeros(len(y))
        error = np.abs(step.error(h))
        speed = np.max([np.abs(each[:, :3]).max(axis=1) for each in step.rates], axis=0)
        room = self.atol + self.rtol * np.abs(np.ravel(h)) * speed + _ROUNDING * np.abs(y[:, :3]).max(initial=0.0)
        found: FloatArray = error[:, :3].max(axis=1) / np.maximum(room, np.finfo(float).tiny)
        if y.shape[1] > 3:
            size = self.rtol * np.abs(y[:, 3:]).max(axis=1)
            found = np.maximum(found, error[:, 3:].max(axis=1) / np.maximum(size, np.finfo(float).tiny))
        return np.where(np.isnan(found), np.inf, found)

    def factor(self, error: float) -> float:
        """What the next step is times the last one (Hairer, Nørsett & Wanner 1993, eq. II.4.13)."""
        wanted = _SAFETY * max(error, 1e-10) ** (-1 / _ORDER)
        return float(min(max(wanted, _SHRINK), _GROW))
