"""Flow curves: stress and viscosity against the shear rate, of a flow's cells and of a rheometer, with their laws."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.legend import Legend

from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.axes import inches, linear, logarithmic, robust_limits
from flowgrad.plot.distribution import note_empty
from flowgrad.plot.scalar_field import STRESS, VISCOSITY, dimension_of
from flowgrad.plot.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION
from flowgrad.records import axis_label
from flowgrad.rheology import Fit, Verdict
from flowgrad.rheometer.fitted import Examined, band
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.separation import Separation

_GREEK = {
    "eta": r"\eta",
    "tau": r"\tau",
    "lam": r"\lambda",
    "alpha": r"\alpha",
    "rate": r"\dot\gamma",
    "inf": r"\infty",
    "half": "1/2",
}
_PER_LINE = 3
_GREY = "0.72"


def _fit_text(fit: Fit, how: str) -> str:
    """``carreau (given)``, ``how`` it was found in brackets, and below it the parameters; ``?`` for those that the data
    do not determine."""
    values = [
        f"${symbol(name)}$ = {f'{fit.parameters[name]:.3g}' if name in fit.parameters else '?'}"
        for name in fit.model.parameters
    ]
    if not fit.parameters:
        values = ["parameters not determined by the data"]
    lines = [", ".join(values[i : i + _PER_LINE]) for i in range(0, len(values), _PER_LINE)]
    return "\n".join([f"{fit.model.name} ({how})", *lines])


def _draw_grey(ax: Axes, laws: Sequence[Fit], rate: FloatArray, heights: Callable[[Fit], FloatArray]) -> None:
    """Thin lines (k,) of laws that were fitted as well, with one entry in the legend for all of them."""
    if not laws:
        return
    text = f"{len(laws)} other law{'' if len(laws) == 1 else 's'}"
    lines = [np.column_stack([rate, heights(law)]) for law in laws]
    ax.add_collection(LineCollection(lines, colors=_GREY, linewidths=0.5, label=text, zorder=2.2), autolim=False)


def symbol(parameter: str) -> str:
    """Mathtext of a parameter's name: ``eta_inf`` is \\eta_{\\infty}, ``tau0`` is \\tau_{0}."""
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d+|inf|min|max|half|bg|c|N|(?<=_)m)?", parameter)
    if match is None:
        return parameter.replace("_", r"\_")
    letter, index = match.groups()
    below = _GREEK.get(index or "", rf"\mathrm{{{index}}}")
    return _GREEK.get(letter, letter) + (f"_{{{below}}}" if index else "")


# Of the ordinate: name, symbol, dimension; and its value of a viscosity or a stress at a shear rate.
Names = tuple[str, str, str]
Height = Callable[[FloatArray, FloatArray], FloatArray]

# More cells than these are shown by a random sample, always the same.
_SAMPLE = 20_000
# More points than these are a picture inside a vector figure.
_RASTERIZE = 300
_OUTSIDE = 0.002
# Of the points of a line, those that a law of no weight is drawn through.
_EVERY = 5
# Points with error bars.
_MEASURED: Any = {"fmt": "o", "color": BLUE, "ms": 3, "elinewidth": 0.7, "zorder": 3}
# Height of a row of the legend in inches.
_ROW = 0.18
# Normal stress differences below this part of the largest are rounding.
_NEGLIGIBLE = 1e-4


def flow_curve(separation: Separation, ax: Axes) -> Axes:
    """Stress τ:D/γ̇ = ηγ̇ against shear rate: cells as points, medians of bins with their 10–90 % range,
    the law that was fitted or given, the others that were fitted, and the Newtonian line η_N γ̇.

    Dimensions are those of a dynamic stress or, unless a density was given, of one divided by it. Raises OptionError
    where neither stress nor viscosity is known.
    """
    return _against_rate(separation, ax, lambda eta, rate: eta * rate, ("stress", r"\tau=\eta\dot\gamma", STRESS))


def viscosity(separation: Separation, ax: Axes) -> Axes:
    """Viscosity against shear rate, with everything that ``flow_curve`` shows."""
    return _against_rate(separation, ax, lambda eta, rate: eta + 0 * rate, ("viscosity", r"\eta", VISCOSITY))


def normal_stress(separation: Separation, ax: Axes) -> Axes:
    """|N1| and |N2| against shear rate, positive ones filled, negative ones open.

    What is below 10⁻⁴ of the largest is left out, and the legend says so. Raises OptionError where
    no stress is known.
    """
    rate = np.where(separation.moving, separation.gradient["shear_rate"], np.nan)
    largest = max(float(np.nanmax(np.abs(each), initial=0)) for each in (separation.N1, separation.N2))
    dimension = dimension_of(STRESS, separation.gradient)
    ax.set(xlabel=QUANTITIES["shear_rate"].label, ylabel=axis_label("normal stress", "|N|", dimension))
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


def _against_rate(separation: Separation, ax: Axes, height: Height, what: Names) -> Axes:
    name, symbol, dimension = what
    label = axis_label(name, symbol, dimension_of(dimension, separation.gradient))
    ax.set(xlabel=QUANTITIES["shear_rate"].label, ylabel=label)
    rate, eta, weights = separation.gradient["shear_rate"], separation.eta, separation.weights
    with np.errstate(invalid="ignore"):
        chosen = separation.moving & np.isfinite(eta) & (eta > 0) & (weights > 0)
    if not chosen.any():
        return note_empty(ax)
    rate, weights, heights = rate[chosen], weights[chosen], height(eta[chosen], rate[chosen])
    low, high = robust_limits(rate, weights, _OUTSIDE)
    line = np.geomspace(low / 1.3, high * 1.3, 201)
    count = len(rate)
    few = np.arange(count) if count <= _SAMPLE else np.random.default_rng(0).choice(count, _SAMPLE, replace=False)
    points: Any = {"ls": "none", "marker": "o", "color": "0.45", "ms": 2, "mew": 0}
    alpha = float(np.clip(30 / np.sqrt(count), 0.2, 0.7))
    ax.plot(rate[few], heights[few], alpha=alpha, rasterized=count > _RASTERIZE, **points)
    ax.plot([], [], **points, label="cells" if count <= _SAMPLE else f"{_SAMPLE} of {count} cells")
    _draw_lines(ax, separation, line, height)
    _draw_medians(ax, separation, height)
    logarithmic(ax.xaxis, line[0], line[-1])
    bottom, top = robust_limits(heights, weights, _OUTSIDE)
    margin = 1.3 if top > 1.7 * bottom else 3.0
    logarithmic(ax.yaxis, bottom / margin, top * margin)
    legend_above(ax)
    return ax


def _draw_medians(ax: Axes, separation: Separation, height: Height) -> None:
    curve = separation.curve
    if not len(curve):
        return
    middle, low, high = (height(each, curve.rate) for each in (curve.viscosity, curve.low, curve.high))
    spread = np.maximum(np.stack([middle - low, high - middle]), 0)
    ax.errorbar(curve.rate, middle, yerr=spread, label="medians, 10–90 %", **_MEASURED)


def _draw_lines(ax: Axes, separation: Separation, rate: FloatArray, height: Height) -> None:
    if separation.verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
        return
    newtonian = separation.eta_newtonian
    if np.isfinite(newtonian) and newtonian > 0:
        text = rf"Newtonian, $\eta_N$ = {newtonian:.3g}"
        ax.plot(rate, height(np.full_like(rate, newtonian), rate), "--", color="0.3", lw=0.7, label=text)
    if separation.fit is not None:
        heights = height(separation.fit.model.viscosity(rate), rate)
        text = _fit_text(separation.fit, "given" if separation.origin == "given" else "fitted")
        ax.plot(rate, heights, color=VERMILION, lw=1.3, label=text, zorder=2.5)
    others = [law for law in separation.fits if law is not separation.fit]
    few = rate[::_EVERY]
    _draw_grey(ax, others, few, lambda law: height(law.model.viscosity(few), few))


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


# Other laws have a colour while they hold this weight at least, and so many of them; the rest are grey.
_WORTH, _COLOURS = 0.05, (GREEN, PURPLE, SKY)
# Axes go beyond the points by this factor.
_MARGIN = 1.4


def rheometer_curve(examined: Examined, ax: Axes) -> Axes:
    """Stress against shear rate: the points, those set aside, the ramp down, the best law with the 95 % band of its
    values, and all others that were fitted, those of some weight by name."""
    unit = "Pa" if examined.curve.is_si else STRESS
    return _draw_examined(examined, ax, lambda stress, rate: stress, ("stress", r"\tau", unit))


def rheometer_viscosity(examined: Examined, ax: Axes) -> Axes:
    """Viscosity τ/γ̇ against shear rate, with everything that ``rheometer_curve`` shows."""
    unit = "Pa s" if examined.curve.is_si else VISCOSITY
    return _draw_examined(examined, ax, lambda stress, rate: stress / rate, ("viscosity", r"\eta", unit))


def residuals(examined: Examined, ax: Axes) -> Axes:
    """Relative residuals: each stress less that of each law, in percent, against shear rate; the best law as points,
    the others as in ``rheometer_curve``, cut off at the axes where they are larger."""
    curve, best = examined.curve, examined.fit.best
    rate = replace(QUANTITIES["shear_rate"], dimension="1/s") if curve.is_si else QUANTITIES["shear_rate"]

    def missed(law: Fit) -> FloatArray:
        return 100 * np.expm1(-np.log(law.model.stress(curve.rate) / curve.stress))

    ax.axhline(0, color=GREY, lw=0.7)
    named = _draw_others(ax, examined, curve.rate, missed)
    ax.plot(curve.rate, missed(best), "o", color=VERMILION, ms=3, label=best.model.name, zorder=3)
    largest = 1.15 * max(float(np.max(np.abs([missed(law) for law in (best, *named)]))), 1e-12)
    ax.set(xlabel=rate.label, ylabel="stress above the law [%]", ylim=(-largest, largest))
    logarithmic(ax.xaxis, curve.rate[0] / _MARGIN, curve.rate[-1] * _MARGIN)
    linear(ax.yaxis)
    legend_above(ax, 2)
    return ax


def _draw_examined(examined: Examined, ax: Axes, height: Height, names: Names) -> Axes:
    curve, best = examined.curve, examined.fit.best
    record = replace(QUANTITIES["shear_rate"], dimension="1/s") if curve.is_si else QUANTITIES["shear_rate"]
    ax.set(xlabel=record.label, ylabel=axis_label(*names))
    points = height(curve.stress, curve.rate)
    drawn = [np.stack([curve.rate, points])]
    for aside in curve.set_aside:
        drawn.append(np.stack([aside.rate, height(aside.stress, aside.rate)]))
        ax.plot(*drawn[-1], "x", color="0.45", ms=4, mew=0.8, label=f"left out: {aside.reason}", zorder=3)
    if examined.down is not None:
        drawn.append(np.stack([examined.down.rate, height(examined.down.stress, examined.down.rate)]))
        ax.plot(*drawn[-1], "o", mfc="none", mec="0.45", mew=0.6, ms=3, label="ramp down", zorder=2.8)
    sigma = None if curve.sigma is None else height(curve.sigma, curve.rate)
    label = f"measured, ramp {curve.ramp}" if curve.ramp else "measured"
    ax.errorbar(curve.rate, points, yerr=sigma, label=label, **_MEASURED)
    # The best law with its band, and all the others.
    rate = np.geomspace(curve.rate[0] / _MARGIN, curve.rate[-1] * _MARGIN, 200)
    stress, what = best.model.stress(rate), "does not suit the points"
    if examined.fit.finding.law is not None:
        factor, what = band(best, curve.rate, rate, curve.sigma), "95 % band"
        ends = height(stress / factor, rate), height(stress * factor, rate)
        ax.fill_between(rate, *ends, color=VERMILION, alpha=0.2, lw=0)
    ax.plot(rate, height(stress, rate), color=VERMILION, lw=1.3, label=_fit_text(best, what), zorder=3.2)
    _draw_others(ax, examined, rate, lambda law: height(law.model.stress(rate), rate))
    limits = np.concatenate(drawn, axis=1)
    low, high = limits.min(axis=1) / _MARGIN, limits.max(axis=1) * _MARGIN
    wide = np.geomspace(low[0], high[0], 200)
    for (name, least), style in zip(curve.limits.least_stress(wide).items(), (":", "-."), strict=False):
        ax.plot(wide, height(least, wide), style, color=GREY, lw=1.0, label=f"limit: {name}", zorder=2.3)
    logarithmic(ax.xaxis, low[0], high[0])
    logarithmic(ax.yaxis, low[1], high[1])
    legend_above(ax, 2)
    return ax


def _draw_others(ax: Axes, examined: Examined, rate: FloatArray, heights: Callable[[Fit], FloatArray]) -> list[Fit]:
    """All laws but the best: those of some weight by name and colour, which are returned, the others in grey."""
    others = [law for law in examined.fit.ranking if law is not examined.fit.best]
    others.sort(key=lambda law: -law.weight)
    named = [law for law in others if law.weight >= _WORTH][: len(_COLOURS)]
    for law, colour in zip(named, _COLOURS, strict=False):
        text = f"{law.model.name}, weight {law.weight:.2g}"
        ax.plot(rate, heights(law), "--", color=colour, lw=0.9, label=text, zorder=2.4)
    _draw_grey(ax, others[len(named) :], rate, heights)
    return named
