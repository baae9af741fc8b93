"""Stress and viscosity against the shear rate: the cells, their medians, and the law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend

from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.colours import robust_limits
from flowgrad.plot.distribution import note_empty
from flowgrad.plot.frame import inches
from flowgrad.plot.law import draw_others, law_text
from flowgrad.plot.shown import STRESS, VISCOSITY, dimension_of
from flowgrad.plot.style import BLUE, ORANGE, VERMILION
from flowgrad.plot.ticks import logarithmic
from flowgrad.records import axis_label
from flowgrad.separation import Separation
from flowgrad.typing import FloatArray

Names = tuple[str, str, str]

# More cells than these are shown by a random sample, always the same.
_SAMPLE = 20_000
# More points than these are a picture inside a vector figure.
_RASTERIZE = 300
_OUTSIDE = 0.002
# Of the points of a line, those that a law of no weight is drawn through.
_EVERY = 5
# Height of a row of the legend in inches.
_ROW = 0.18
# Normal stress differences below this part of the largest are rounding.
_NEGLIGIBLE = 1e-4

# Name, symbol, dimension.
_STRESS = ("stress", r"\tau=\eta\dot\gamma", STRESS)
_VISCOSITY = ("viscosity", r"\eta", VISCOSITY)
_NORMAL = ("normal stress", "|N|", STRESS)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Shear rate and viscosity of the cells that are not at rest, with their measures."""

    rate: FloatArray
    viscosity: FloatArray
    weights: FloatArray


def flow_curve(separation: Separation, ax: Axes) -> Axes:
    """Stress τ:D/γ̇ = ηγ̇ against shear rate: cells as points, medians of bins with their 10–90 % range,
    the law that was fitted or given, the others that were fitted, and the Newtonian line η_N γ̇.

    Dimensions are those of a dynamic stress or, unless a density was given, of one divided by it. Raises OptionError
    where neither stress nor viscosity is known.
    """
    return _against_rate(separation, ax, lambda eta, rate: eta * rate, _STRESS)


def viscosity(separation: Separation, ax: Axes) -> Axes:
    """Viscosity against shear rate, with everything that ``flow_curve`` shows."""
    return _against_rate(separation, ax, lambda eta, rate: eta + 0 * rate, _VISCOSITY)


def normal_stress(separation: Separation, ax: Axes) -> Axes:
    """|N1| and |N2| against shear rate, positive ones filled, negative ones open.

    What is below 10⁻⁴ of the largest is left out, and the legend says so. Raises OptionError where
    no stress is known.
    """
    rate = np.where(separation.moving, separation.gradient["shear_rate"], np.nan)
    largest = max(float(np.nanmax(np.abs(each), initial=0)) for each in (separation.N1, separation.N2))
    ax.set(xlabel=QUANTITIES["shear_rate"].label, ylabel=_label(separation, _NORMAL))
    drawn = [
        _draw_difference(ax, rate, values, name, colour, _NEGLIGIBLE * largest)
        for values, name, colour in ((separation.N1, "N_1", BLUE), (separation.N2, "N_2", ORANGE))
    ]
    points = np.concatenate(drawn, axis=1)
    if not points.size:
        return note_empty(ax)
    low, high = points.min(axis=1) / 1.3, points.max(axis=1) * 1.3
    logarithmic(ax.xaxis, low[0], high[0])
    logarithmic(ax.yaxis, low[1], high[1])
    legend_above(ax)
    return ax


def _against_rate(
    separation: Separation, ax: Axes, height: Callable[[FloatArray, FloatArray], FloatArray], what: Names
) -> Axes:
    ax.set(xlabel=QUANTITIES["shear_rate"].label, ylabel=_label(separation, what))
    cells = _cells(separation)
    if not len(cells.rate):
        return note_empty(ax)
    low, high = robust_limits(cells.rate, cells.weights, _OUTSIDE)
    line = np.geomspace(low / 1.3, high * 1.3, 201)
    heights = height(cells.viscosity, cells.rate)
    _draw_cells(ax, cells.rate, heights)
    _draw_lines(ax, separation, line, height)
    _draw_medians(ax, separation, height)
    logarithmic(ax.xaxis, line[0], line[-1])
    bottom, top = robust_limits(heights, cells.weights, _OUTSIDE)
    margin = 1.3 if top > 1.7 * bottom else 3.0
    logarithmic(ax.yaxis, bottom / margin, top * margin)
    legend_above(ax)
    return ax


def _label(separation: Separation, what: Names) -> str:
    name, symbol, dimension = what
    return axis_label(name, symbol, dimension_of(dimension, separation.gradient))


def _cells(separation: Separation) -> _Cells:
    rate, eta = separation.gradient["shear_rate"], separation.eta
    weights = separation.weights
    with np.errstate(invalid="ignore"):
        chosen = separation.moving & np.isfinite(eta) & (eta > 0) & (weights > 0)
    return _Cells(rate[chosen], eta[chosen], weights[chosen])


def _draw_cells(ax: Axes, rate: FloatArray, heights: FloatArray) -> None:
    count = len(rate)
    shown = np.arange(count) if count <= _SAMPLE else np.random.default_rng(0).choice(count, _SAMPLE, replace=False)
    alpha = float(np.clip(30 / np.sqrt(count), 0.2, 0.7))
    points: Any = {"ls": "none", "marker": "o", "color": "0.45", "ms": 2, "mew": 0}
    ax.plot(rate[shown], heights[shown], alpha=alpha, rasterized=count > _RASTERIZE, **points)
    ax.plot([], [], **points, label="cells" if count <= _SAMPLE else f"{_SAMPLE} of {count} cells")


def _draw_medians(ax: Axes, separation: Separation, height: Callable[[FloatArray, FloatArray], FloatArray]) -> None:
    curve = separation.curve
    if not len(curve):
        return
    middle, low, high = (height(each, curve.rate) for each in (curve.viscosity, curve.low, curve.high))
    ax.errorbar(
        curve.rate,
        middle,
        yerr=np.maximum(np.stack([middle - low, high - middle]), 0),
        fmt="o",
        color=BLUE,
        ms=3,
        elinewidth=0.7,
        label="medians, 10–90 %",
        zorder=3,
    )


def _draw_lines(
    ax: Axes, separation: Separation, rate: FloatArray, height: Callable[[FloatArray, FloatArray], FloatArray]
) -> None:
    newtonian = separation.eta_newtonian
    if np.isfinite(newtonian) and newtonian > 0:
        text = rf"Newtonian, $\eta_N$ = {newtonian:.3g}"
        ax.plot(rate, height(np.full_like(rate, newtonian), rate), "--", color="0.3", lw=0.7, label=text)
    if separation.fit is not None:
        heights = height(separation.fit.model.viscosity(rate), rate)
        ax.plot(rate, heights, color=VERMILION, lw=1.3, label=law_text(separation), zorder=2.5)
    others = [law for law in separation.fits if law is not separation.fit]
    few = rate[::_EVERY]
    draw_others(ax, others, few, lambda law: height(law.model.viscosity(few), few))


def _draw_difference(
    ax: Axes, rate: FloatArray, values: FloatArray, name: str, colour: str, least: float
) -> FloatArray:
    """Points (2, k) that were drawn."""
    with np.errstate(invalid="ignore"):
        shown = (np.abs(values) > least) & np.isfinite(rate)
        signs = (("> 0", shown & (values > 0), colour), ("< 0", shown & (values < 0), "white"))
    for sign, chosen, face in signs:
        if chosen.any():
            ax.plot(
                rate[chosen],
                np.abs(values[chosen]),
                "o",
                mfc=face,
                mec=colour,
                mew=0.7,
                ms=3,
                rasterized=int(chosen.sum()) > _RASTERIZE,
                label=f"${name}$ {sign}",
            )
    if not shown.any():
        ax.plot([], [], "o", mfc="none", mec=colour, ms=3, label=f"${name}$ negligible")
    return np.stack([rate[shown], np.abs(values[shown])])


def legend_above(ax: Axes, columns: int = 3) -> None:
    """The law in a row of its own, because its parameters are long; the other entries in columns below it."""
    entries = list(zip(*ax.get_legend_handles_labels(), strict=True))
    short = [(handle, name) for handle, name in entries if "\n" not in name]
    first = _legend(ax, short, 1.01, columns)
    laws = [(handle, name) for handle, name in entries if "\n" in name]
    if laws:
        ax.add_artist(first).set_clip_on(False)
        _legend(ax, laws, 1.02 + -(-len(short) // columns) * _ROW / inches(ax)[1], columns)


def _legend(ax: Axes, entries: list[tuple[Artist, str]], height: float, columns: int) -> Legend:
    return ax.legend(
        [handle for handle, _ in entries],
        [name for _, name in entries],
        loc="lower left",
        bbox_to_anchor=(0, height),
        ncols=columns,
        borderaxespad=0,
        columnspacing=1.2,
        handlelength=1.6,
    )
