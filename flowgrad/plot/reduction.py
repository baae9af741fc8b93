"""Several flow curves reduced to one: the curves, shift factors, slip velocities, end corrections."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from flowgrad.plot.axes import linear, logarithmic
from flowgrad.plot.flow_curve import legend_above
from flowgrad.plot.style import BLUE, GREY, VERMILION
from flowgrad.records import axis_label
from flowgrad.rheometer.bagley import EntranceLoss
from flowgrad.rheometer.master import MasterCurve
from flowgrad.rheometer.mooney import Slip
from flowgrad.rheometer.reduction import Reduction
from flowgrad.typing import FloatArray

_MARGIN = 1.4
_POINTS: Any = {"marker": "o", "ls": "none", "ms": 3}


def reduced_curves(reduction: Reduction, ax: Axes) -> Axes:
    """Stress against shear rate: the curves as measured, by the temperature or the size, and the one made of them, on
    which those of a master curve lie shifted."""
    colours = colormaps["viridis"](np.linspace(0, 0.9, len(reduction.curves)))
    drawn = [np.stack([reduction.curve.rate, reduction.curve.stress])]
    for curve, colour, label in zip(reduction.curves, colours, _labels(reduction), strict=True):
        drawn.append(np.stack([curve.rate, curve.stress]))
        is_shifted = isinstance(reduction, MasterCurve)
        face = "none" if is_shifted else colour
        ax.plot(*drawn[-1], color=colour, mfc=face, mew=0.6, label=None if is_shifted else label, **_POINTS)
        if isinstance(reduction, MasterCurve):
            factor = reduction.factors[np.argmin(np.abs(reduction.temperatures - (curve.temperature or 0)))]
            ax.plot(curve.rate * factor, curve.stress, color=colour, label=label, **_POINTS)
            drawn.append(np.stack([curve.rate * factor, curve.stress]))
    if not isinstance(reduction, MasterCurve):
        ax.plot(*drawn[0], color=VERMILION, lw=1.2, label=reduction.curve.name)
    rate = "1/s" if reduction.curve.is_si else "1/T"
    stress = "Pa" if reduction.curve.is_si else "M/(L T²)"
    words = "reduced shear rate" if isinstance(reduction, MasterCurve) else "shear rate"
    symbol = r"a_T\dot\gamma" if isinstance(reduction, MasterCurve) else r"\dot\gamma"
    ax.set(xlabel=axis_label(words, symbol, rate), ylabel=axis_label("stress", r"\tau", stress))
    points = np.concatenate(drawn, axis=1)
    logarithmic(ax.xaxis, points[0].min() / _MARGIN, points[0].max() * _MARGIN)
    logarithmic(ax.yaxis, points[1].min() / _MARGIN, points[1].max() * _MARGIN)
    legend_above(ax, 3)
    return ax


def _labels(reduction: Reduction) -> list[str]:
    """What tells the curves apart: temperatures, sizes, ratios."""
    if isinstance(reduction, MasterCurve):
        return [f"{each.temperature:.4g} °C" for each in reduction.curves]
    if isinstance(reduction, Slip):
        return [f"{1e3 * size:.4g} mm" for size in reduction.sizes]
    if isinstance(reduction, EntranceLoss):
        return [f"L/D = {ratio:.4g}" for ratio in reduction.ratios]
    return [each.name for each in reduction.curves]


def reduced_by(reduction: Reduction, ax: Axes) -> Axes:
    """What was found on the way: shift factors over temperature with their laws, slip velocities over stress, end
    corrections over the rate, each with 95 % intervals where they are known."""
    if isinstance(reduction, MasterCurve):
        return _shift_factors(reduction, ax)
    if isinstance(reduction, Slip):
        names = ("wall stress", r"\tau_w", "Pa"), ("slip velocity", "u_s", "m/s")
        return _line(ax, reduction.stress, reduction.velocity, reduction.error, names)
    if isinstance(reduction, EntranceLoss):
        names = ("apparent rate", r"8V/D", "1/s"), ("end correction", "e", "1")
        error = reduction.lines.slope_error / reduction.lines.intercept
        return _line(ax, reduction.rate, reduction.end_correction, error, names)
    raise TypeError(f"{type(reduction).__name__} has no figure")


def _shift_factors(master: MasterCurve, ax: Axes) -> Axes:
    reach = np.abs(master.intervals.T - master.factors)
    ax.errorbar(
        master.temperatures, master.factors, yerr=reach, fmt="o", color=BLUE, ms=3, elinewidth=0.7, capsize=2,
        label="shift factors, 95 %",
    )  # fmt: skip
    wide = np.linspace(master.temperatures[0], master.temperatures[-1], 200)
    for (name, law), style in zip(master.laws.items(), ("-", "--"), strict=False):
        ax.plot(wide, law(wide + 273.15), style, color=VERMILION, lw=1.0, label=name.upper() if name == "wlf" else name)
    ax.axhline(1, color=GREY, lw=0.6)
    ax.set(xlabel="temperature [°C]", ylabel="shift factor $a_T$ [–]")
    linear(ax.xaxis)
    logarithmic(ax.yaxis, master.intervals.min() / _MARGIN, master.intervals.max() * _MARGIN)
    legend_above(ax, 3)
    return ax


def _line(
    ax: Axes, x: FloatArray, y: FloatArray, error: FloatArray, names: tuple[tuple[str, str, str], tuple[str, str, str]]
) -> Axes:
    known = None if np.isnan(error).any() else 2 * error
    ax.errorbar(x, y, yerr=known, fmt="o", color=BLUE, ms=3, elinewidth=0.7)
    ax.axhline(0, color=GREY, lw=0.6)
    ax.set(xlabel=axis_label(*names[0]), ylabel=axis_label(*names[1]))
    logarithmic(ax.xaxis, x.min() / _MARGIN, x.max() * _MARGIN)
    linear(ax.yaxis)
    return ax
