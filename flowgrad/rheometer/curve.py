"""Flow curve of a rheometer: its points, what was left out of it and what a reader should know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.reprs import ReprMixin
from flowgrad.rheometer.limits import InstrumentLimits
from flowgrad.typing import FloatArray


def counted(count: int) -> str:
    """``1 point``, ``2 points``."""
    return f"{count} point{'' if count == 1 else 's'}"


@dataclass(frozen=True, eq=False)
class SetAside(ReprMixin):
    """Points that were measured and are not part of the curve: their ``reason``, ``rate`` (k,) and ``stress`` (k,)."""

    reason: str
    rate: FloatArray
    stress: FloatArray


@dataclass(frozen=True, eq=False)
class RheometerCurve(ReprMixin):
    """One flow curve of a rheometer: stress against shear rate, rising in rate.

    ``rate`` (n,) [1/s], ``stress`` (n,) [Pa] and, where the table has one, its standard deviation ``sigma`` (n,) [Pa];
    coherent units of the user's where ``is_si`` is False, because the file states none. ``temperature`` [°C] is the
    median. ``ramp`` is ``up``, ``down`` or empty for points without an order; ``sample`` is the name without step and
    ramp. ``excluded`` counts the rows that are left out by the reason, ``set_aside`` holds those that can be drawn.
    ``notes`` say what a reader should know, ``source`` is the file, ``tail`` counts the points at the highest
    rates whose stress falls with the rate, ``limits`` are those of the
    instrument, and ``sizes`` the gap, diameter or length [m] that columns of the table tell.
    """

    name: str
    rate: FloatArray
    stress: FloatArray
    sigma: FloatArray | None = None
    temperature: float | None = None
    ramp: str = ""
    excluded: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    source: Path | None = None
    sample: str = ""
    set_aside: tuple[SetAside, ...] = ()
    is_si: bool = True
    tail: int = 0
    limits: InstrumentLimits = field(default_factory=InstrumentLimits)
    sizes: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def viscosity(self) -> FloatArray:
        """τ/γ̇ (n,) [Pa s]."""
        return self.stress / self.rate

    def noted(self, *notes: str) -> RheometerCurve:
        """The same curve with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def without(self, chosen: NDArray[np.bool_], reason: str) -> RheometerCurve:
        """The curve without the chosen points (n,), which are set aside and counted."""
        if not chosen.any():
            return self
        kept: dict[str, Any] = {"rate": self.rate[~chosen], "stress": self.stress[~chosen]}
        if self.sigma is not None:
            kept["sigma"] = self.sigma[~chosen]
        excluded = {**self.excluded, reason: self.excluded.get(reason, 0) + int(chosen.sum())}
        aside = (*self.set_aside, SetAside(reason, self.rate[chosen], self.stress[chosen]))
        return replace(self, **kept, excluded=excluded, set_aside=aside)
