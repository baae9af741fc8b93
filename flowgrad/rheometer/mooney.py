"""Slip at the walls by Mooney's method: apparent rates of several gaps or diameters at one wall stress.

With a slip velocity u_s that depends on the wall stress alone, a rate seen in a gap of the height h between plates is
γ̇ + 2u_s/h (Yoshimura & Prud'homme 1988, J. Rheol. 32, 53), and 8V/D of a tube of the diameter D is
Γ + 8u_s/D (Mooney 1931, J. Rheol. 2, 210): straight lines in 1/h or 1/D, whose intercepts are free of slip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.reduction import Lines, Reduction, common, straight_lines
from flowgrad.typing import FloatArray

# What a slip velocity adds to the apparent rate, times the size.
GEOMETRIES = {"plates": 2.0, "capillary": 8.0}
# Slip velocities within so many standard errors of 0 are not known to differ from it; confidence that there is slip.
_CERTAIN, _SEEN = 2.0, 0.99


@dataclass(frozen=True, eq=False)
class Slip(Reduction, line="geometry", table="stress velocity lines"):
    """Slip velocities ``velocity`` (k,) [m/s] at wall stresses ``stress`` (k,) [Pa] of curves in gaps or tubes of the
    ``sizes`` (s,) [m], and the curve without slip; ``lines`` are those of the rates over 1/size."""

    sizes: FloatArray
    stress: FloatArray
    lines: Lines
    geometry: str

    name: ClassVar[str] = "mooney"
    headings: ClassVar[Mapping[str, str]] = {
        "stress": "wall stress [Pa]",
        "rate": "shear rate without slip [1/s]",
        "slip_velocity": "slip velocity [m/s]",
        "error": "standard error [m/s]",
    }
    captions: ClassVar[tuple[str, str]] = (
        "Apparent curves of all sizes, and the curve without slip.",
        "Slip velocity with two standard errors against the wall stress.",
    )

    @property
    def velocity(self) -> FloatArray:
        """u_s (k,)."""
        return self.lines.slope / GEOMETRIES[self.geometry]

    @property
    def error(self) -> FloatArray:
        """Standard errors (k,) of the slip velocities; NaN for two sizes."""
        return self.lines.slope_error / GEOMETRIES[self.geometry]

    @property
    def is_seen(self) -> bool:
        """Whether the lines rise beyond their errors at all (F test at 99 % of all slopes together); True for two
        sizes, whose errors are not known."""
        from scipy.special import fdtri

        if np.isnan(self.error).any():
            return bool((self.velocity > 0).any())
        count, freedom = len(self.stress), len(self.stress) * (len(self.sizes) - 2)
        return bool(np.mean((self.velocity / self.error) ** 2) > fdtri(count, freedom, _SEEN))

    def rows(self) -> list[dict[str, float]]:
        """Wall stress, shear rate without slip, slip velocity and its standard error."""
        columns = (self.stress, self.lines.intercept, self.velocity, self.error)
        return [dict(zip(self.headings, map(float, row), strict=True)) for row in zip(*columns, strict=True)]

    @property
    def statement(self) -> str:
        """Whether slip is seen, and how much of the rates it is."""
        seen = self.velocity > _CERTAIN * np.nan_to_num(self.error)
        size = "gaps" if self.geometry == "plates" else "diameters"
        what = f"in {len(self.sizes)} {size} from {1e3 * self.sizes.min():.4g} to {1e3 * self.sizes.max():.4g} mm"
        if not self.is_seen or not seen.any():
            return f"no slip is seen {what}: the slip velocity is within its error of 0"
        slip = self.lines.slope[seen] / self.sizes.min()
        share = slip / (self.lines.intercept[seen] + slip)
        known = self.velocity[seen]
        return (
            f"slip is seen at {int(seen.sum())} of {len(seen)} stresses {what}: {known.min():.3g} to {known.max():.3g} "
            f"m/s, up to {100 * share.max():.3g} % of the rate in the smallest"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What the lines do not explain."""
        found = []
        if len(self.sizes) == 2:
            found.append("two sizes make a line through two points: a third would show whether it is one")
        if (self.velocity < -_CERTAIN * np.nan_to_num(self.error)).any():
            found.append(
                "the rate at one stress grows with the size, which is no slip at the walls: compare the temperatures, "
                "the fill and the correction of the stresses"
            )
        if self.lines.misfit > 0.05:
            found.append(
                f"the lines in 1/size miss the rates by {100 * self.lines.misfit:.2g} %: the slip velocity may depend "
                "on the size too"
            )
        return tuple(found)


def mooney(curves: Sequence[RheometerCurve], sizes: Sequence[float], geometry: str = "plates") -> Slip:
    """The flow curve without slip and the slip velocities, of curves measured in several ``sizes`` (s,) [m]: gaps of
    ``plates`` or diameters of a ``capillary``.

    Rates are apparent ones, of plates at the rim with stresses corrected for them, of tubes 8V/D, so that the
    intercept still needs Rabinowitsch's correction. Raises OptionError for fewer than two sizes, no common range of
    stresses, and rates that slip alone would make.
    """
    if geometry not in GEOMETRIES:
        raise OptionError(f"the geometry '{geometry}' is unknown: choose one of {', '.join(GEOMETRIES)}")
    widths = checked_sizes(curves, sizes, "slip")
    stress, rates = common(curves, "stress", "the slip at the walls")
    lines = straight_lines(1 / widths, rates)
    flows = lines.intercept > 0
    if flows.sum() < 4:
        raise OptionError(
            f"slip explains the whole of the rates at {int(np.sum(~flows))} of {len(stress)} stresses: below them the "
            "sample slides as a block; give curves at larger stresses"
        )
    name = "curve without slip"
    order = np.argsort(lines.intercept[flows])
    note = [f"{int(np.sum(~flows))} stresses at which slip is all of the rate are left out"] if (~flows).any() else []
    curve = RheometerCurve(
        name, lines.intercept[flows][order], stress[flows][order], sample=name, notes=tuple(note),
        is_si=all(each.is_si for each in curves), temperature=curves[0].temperature,
    )  # fmt: skip
    return Slip(tuple(curves), curve, widths, stress, lines, geometry)


def checked_sizes(curves: Sequence[RheometerCurve], sizes: Sequence[float], what: str) -> FloatArray:
    """The sizes (s,) as numbers; OptionError unless there are as many as curves, positive, and two that differ."""
    found = np.asarray(sizes, float)
    if found.shape != (len(curves),) or not (found > 0).all():
        raise OptionError(f"{len(curves)} curves and the sizes {list(sizes)}: give a positive size for each curve")
    if len(np.unique(found)) < 2:
        raise OptionError(f"{len(curves)} curves of one size do not tell {what}: give curves of two sizes at least")
    return found
