"""Entrance loss of capillaries by Bagley's method: apparent wall stresses of several lengths at one apparent rate.

The pressure over a capillary of the length L and the diameter D is ΔP = 4τ_w(L/D + e), of which 4τ_w e is lost at its
ends (Bagley 1957, J. Appl. Phys. 28, 624), so that ΔP D/(4L) = τ_w + τ_w e D/L: a straight line in D/L.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.mooney import checked_sizes
from flowgrad.rheometer.reduction import Lines, Reduction, common, straight_lines
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class EntranceLoss(Reduction, line="", table="rate pressure lines"):
    """Entrance pressures ``pressure`` (k,) [Pa] at apparent rates ``rate`` (k,) [1/s] of capillaries with the
    ``ratios`` L/D (s,), and the curve of true wall stresses; ``lines`` are those of the stresses over D/L."""

    ratios: FloatArray
    rate: FloatArray
    lines: Lines

    name: ClassVar[str] = "bagley"
    headings: ClassVar[Mapping[str, str]] = {
        "rate": "apparent rate [1/s]",
        "stress": "wall stress [Pa]",
        "entrance_pressure": "entrance pressure [Pa]",
        "end_correction": "end correction e [–]",
        "error": "standard error of e",
    }
    captions: ClassVar[tuple[str, str]] = (
        "Apparent curves of all lengths, and the curve without entrance loss.",
        "End correction with two standard errors against the apparent rate.",
    )

    @property
    def pressure(self) -> FloatArray:
        """4τ_w e (k,)."""
        return 4 * self.lines.slope

    @property
    def end_correction(self) -> FloatArray:
        """e (k,), the length in diameters that the ends add."""
        return self.lines.slope / self.lines.intercept

    def rows(self) -> list[dict[str, float]]:
        """Apparent rate, wall stress, entrance pressure, end correction and its standard error."""
        columns = (self.rate, self.lines.intercept, self.pressure, self.end_correction)
        error = self.lines.slope_error / self.lines.intercept
        return [dict(zip(self.headings, map(float, row), strict=True)) for row in zip(*columns, error, strict=True)]

    @property
    def statement(self) -> str:
        """How large the end correction is, and what the shortest capillary overstates."""
        share = self.end_correction / (self.ratios.min() + self.end_correction)
        return (
            f"the ends of capillaries with L/D from {self.ratios.min():.4g} to {self.ratios.max():.4g} are worth "
            f"{self.end_correction.min():.3g} to {self.end_correction.max():.3g} diameters of length: up to "
            f"{100 * share.max():.3g} % of the pressure of the shortest"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the lines do not explain."""
        found = []
        if len(self.ratios) == 2:
            found.append("two lengths make a line through two points: a third would show whether it is one")
        if (self.lines.slope < -2 * np.nan_to_num(self.lines.slope_error)).any():
            found.append("the end correction is negative: compare temperatures (dissipation) and pressure transducers")
        if self.lines.misfit > 0.05:
            found.append(
                f"the lines in D/L miss the stresses by {100 * self.lines.misfit:.2g} %: a viscosity that depends on "
                "the pressure, or heating, bends them"
            )
        return tuple(found)


def bagley(curves: Sequence[RheometerCurve], ratios: Sequence[float]) -> EntranceLoss:
    """The flow curve without entrance losses, of capillary curves (ΔP D/(4L) against 8V/D) with several ``ratios`` L/D
    (s,) of one diameter.

    Rates stay apparent and still need Rabinowitsch's correction. Raises OptionError for fewer than two ratios, no
    common range of rates, and stresses that the ends alone would make.
    """
    lengths = checked_sizes(curves, ratios, "the entrance loss")
    rate, stress = common(curves, "rate", "the entrance loss")
    lines = straight_lines(1 / lengths, stress)
    if (lines.intercept <= 0).any():
        count = int(np.sum(lines.intercept <= 0))
        raise OptionError(
            f"the entrance loss explains the whole pressure at {count} of {len(rate)} rates: check the lengths and "
            "diameters"
        )
    name = "curve without entrance loss"
    curve = RheometerCurve(
        name, rate, lines.intercept, sample=name, is_si=all(each.is_si for each in curves),
        temperature=curves[0].temperature,
    )  # fmt: skip
    return EntranceLoss(tuple(curves), curve, lengths, rate, lines)


def bagley_by_diameter(
    curves: Sequence[RheometerCurve], ratios: Sequence[float], diameters: Sequence[float]
) -> list[EntranceLoss]:
    """The entrance losses of capillaries of each of the ``diameters`` (s,) [m] among them, of curves with the
    ``ratios`` L/D (s,), the smallest first: what slip at the walls is then found from. Raises OptionError as ``bagley``
    does, with the diameter."""
    own = np.array([float(f"{each:.6g}") for each in diameters])
    found = []
    for diameter in np.unique(own):
        chosen = np.flatnonzero(own == diameter).tolist()
        of = f"D = {1e3 * diameter:.4g} mm"
        try:
            loss = bagley([curves[i] for i in chosen], [ratios[i] for i in chosen])
        except OptionError as error:
            raise OptionError(f"{of}: {error}") from None
        name = f"{loss.curve.name}, {of}"
        curve = replace(loss.curve, name=name, sample=name, sizes={"diameter": float(diameter)})
        found.append(replace(loss, curve=curve))
    return found
