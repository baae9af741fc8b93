"""Flow curve of a rheometer, and its corrections where shear rate or stress varies across the gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheometer.options import CORRECTIONS
from flowgrad.typing import FloatArray

# Points through which each slope is taken, and the order of the polynomial in logarithms.
_WINDOW, _ORDER = 7, 2


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
    ``notes`` say what a reader should know, ``source`` is the file, and ``tail`` counts the points at the highest
    rates whose stress falls with the rate.
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


def corrected(curve: RheometerCurve, correction: str) -> RheometerCurve:
    """The curve after one of ``CORRECTIONS``.

    ``rabinowitsch``: rates are apparent ones 8U/D = 4Q/(πR³) of a capillary and stresses those at its wall; the rate
    at the wall is 8U/D (3n' + 1)/(4n') with n' = d log τ/d log(8U/D) at each point (Rabinowitsch 1929, Z. Phys. Chem.
    A 145, 1). ``parallel-plate``: rates are those at the rim and stresses 2M/(πR³); the stress at the rim is
    τ (3 + d log M/d log γ̇)/4 (Macosko 1994, Rheology, section 5.5). Raises OptionError for another name, too few
    points and a slope that is not positive.
    """
    if correction not in CORRECTIONS:
        raise OptionError(f"--correction '{correction}' is unknown: choose one of {', '.join(CORRECTIONS)}")
    slope = slopes(curve.rate, curve.stress, curve.name)
    if correction == "parallel-plate":
        what, factor = "stresses", (3 + slope) / 4
        sigma = None if curve.sigma is None else curve.sigma * factor
        found = replace(curve, stress=curve.stress * factor, sigma=sigma)
    elif not (slope <= 0).any():
        what, factor = "shear rates", (3 * slope + 1) / (4 * slope)
        found = replace(curve, rate=curve.rate * factor)
    else:
        raise OptionError(
            f"{curve.name}: the stress falls with 8U/D at {int((slope <= 0).sum())} of {len(slope)} points, where "
            "Rabinowitsch's correction has no meaning: leave these rates out with --rates LOW:HIGH"
        )
    return found.noted(f"{what} corrected ({correction}) by factors from {factor.min():.4g} to {factor.max():.4g}")


def slopes(rate: FloatArray, stress: FloatArray, name: str = "the curve") -> FloatArray:
    """d log τ/d log γ̇ (n,) at each point: parabolas through the seven nearest (exact for power laws)."""
    x, y = np.log(rate), np.log(stress)
    if len(np.unique(x)) < _ORDER + 2:
        raise OptionError(f"{name}: {len(x)} points do not tell the slope that a correction needs: give 4 at least")
    return np.array([_slope(x, y, i) for i in range(len(x))])


def _slope(x: FloatArray, y: FloatArray, i: int) -> float:
    near = np.argsort(np.abs(x - x[i]), kind="stable")[:_WINDOW]
    order = min(_ORDER, len(np.unique(x[near])) - 1)
    if order < 1:
        raise OptionError(
            f"{_WINDOW} points share the shear rate {np.exp(x[i]):.4g}: take their mean before correcting"
        )
    scale = np.ptp(x[near])
    coefficients, *_ = np.linalg.lstsq(np.vander((x[near] - x[i]) / scale, order + 1), y[near], rcond=None)
    return float(coefficients[-2] / scale)
