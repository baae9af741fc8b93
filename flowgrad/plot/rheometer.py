"""A rheometer's flow curve: its points, those left out, all laws that were fitted and how well the best is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes

from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.flow_curve import legend_above
from flowgrad.plot.law import draw_others, fit_text
from flowgrad.plot.shown import STRESS, VISCOSITY
from flowgrad.plot.style import BLUE, GREEN, GREY, PURPLE, SKY, VERMILION
from flowgrad.plot.ticks import linear, logarithmic
from flowgrad.records import axis_label
from flowgrad.rheology.fit import Fit
from flowgrad.rheometer.fitted import Examined, band
from flowgrad.typing import FloatArray

Height = Callable[[FloatArray, FloatArray], FloatArray]

# Other laws have a colour while they hold this weight at least, and so many of them; the rest are grey.
_WORTH, _COLOURS = 0.05, (GREEN, PURPLE, SKY)
# Axes go beyond the points by this factor.
_MARGIN = 1.4


def rheometer_curve(examined: Examined, ax: Axes) -> Axes:
    """Stress against shear rate: the points, those set aside, the ramp down, the best law with the 95 % band of its
    values, and all others that were fitted, those of some weight by name."""
    units = ("1/s", "Pa") if examined.curve.is_si else (QUANTITIES["shear_rate"].dimension, STRESS)
    return _drawn(examined, ax, lambda stress, rate: stress, units, ("stress", r"\tau"))


def rheometer_viscosity(examined: Examined, ax: Axes) -> Axes:
    """Viscosity τ/γ̇ against shear rate, with everything that ``rheometer_curve`` shows."""
    units = ("1/s", "Pa s") if examined.curve.is_si else (QUANTITIES["shear_rate"].dimension, VISCOSITY)
    return _drawn(examined, ax, lambda stress, rate: stress / rate, units, ("viscosity", r"\eta"))


def residuals(examined: Examined, ax: Axes) -> Axes:
    """What each law misses of each stress, in percent of it, against shear rate: the best one as points, the others
    as in ``rheometer_curve``; those that miss more are beyond the axes."""
    curve = examined.curve
    missed = _missed(examined, examined.fit.best)
    ax.axhline(0, color=GREY, lw=0.7)
    _draw_others(ax, examined, curve.rate, lambda law: _missed(examined, law))
    ax.plot(curve.rate, missed, "o", color=VERMILION, ms=3, label=examined.fit.best.model.name, zorder=3)
    worth = [missed, *(_missed(examined, law) for law, _ in _coloured(examined))]
    largest = 1.15 * max(float(np.max(np.abs(worth))), 1e-12)
    unit = "1/s" if curve.is_si else QUANTITIES["shear_rate"].dimension
    ax.set(xlabel=_rate(unit), ylabel="stress above the law [%]", ylim=(-largest, largest))
    logarithmic(ax.xaxis, curve.rate[0] / _MARGIN, curve.rate[-1] * _MARGIN)
    linear(ax.yaxis)
    legend_above(ax, 2)
    return ax


def _missed(examined: Examined, law: Fit) -> FloatArray:
    curve = examined.curve
    return 100 * np.expm1(-np.log(law.model.stress(curve.rate) / curve.stress))


def _rate(unit: str) -> str:
    return axis_label("shear rate", QUANTITIES["shear_rate"].symbol, unit)


def _drawn(examined: Examined, ax: Axes, height: Height, units: tuple[str, str], name: tuple[str, str]) -> Axes:
    curve = examined.curve
    ax.set(xlabel=_rate(units[0]), ylabel=axis_label(*name, units[1]))
    points = height(curve.stress, curve.rate)
    shown = [np.stack([curve.rate, points])]
    for aside in curve.set_aside:
        shown.append(np.stack([aside.rate, height(aside.stress, aside.rate)]))
        ax.plot(*shown[-1], "x", color="0.45", ms=4, mew=0.8, label=f"left out: {aside.reason}", zorder=3)
    if examined.down is not None:
        shown.append(np.stack([examined.down.rate, height(examined.down.stress, examined.down.rate)]))
        ax.plot(*shown[-1], "o", mfc="none", mec="0.45", mew=0.6, ms=3, label="ramp down", zorder=2.8)
    sigma = None if curve.sigma is None else height(curve.sigma, curve.rate)
    label = f"measured, ramp {curve.ramp}" if curve.ramp else "measured"
    ax.errorbar(curve.rate, points, yerr=sigma, fmt="o", color=BLUE, ms=3, elinewidth=0.7, label=label, zorder=3)
    _draw_laws(ax, examined, height)
    limits = np.concatenate(shown, axis=1)
    low, high = limits.min(axis=1) / _MARGIN, limits.max(axis=1) * _MARGIN
    logarithmic(ax.xaxis, low[0], high[0])
    logarithmic(ax.yaxis, low[1], high[1])
    legend_above(ax, 2)
    return ax


def _draw_laws(ax: Axes, examined: Examined, height: Height) -> None:
    """The best law with its band, and all the others."""
    curve, best = examined.curve, examined.fit.best
    rate = np.geomspace(curve.rate[0] / _MARGIN, curve.rate[-1] * _MARGIN, 200)
    stress = best.model.stress(rate)
    factor = band(best, curve.rate, rate, curve.sigma)
    low, high = height(stress / factor, rate), height(stress * factor, rate)
    ax.fill_between(rate, low, high, color=VERMILION, alpha=0.2, lw=0)
    ax.plot(rate, height(stress, rate), color=VERMILION, lw=1.3, label=fit_text(best, "95 % band"), zorder=3.2)
    _draw_others(ax, examined, rate, lambda law: height(law.model.stress(rate), rate))


def _draw_others(ax: Axes, examined: Examined, rate: FloatArray, heights: Callable[[Fit], FloatArray]) -> None:
    coloured = _coloured(examined)
    for law, colour in coloured:
        text = f"{law.model.name}, weight {law.weight:.2g}"
        ax.plot(rate, heights(law), "--", color=colour, lw=0.9, label=text, zorder=2.4)
    draw_others(ax, _others(examined)[len(coloured) :], rate, heights)


def _coloured(examined: Examined) -> list[tuple[Fit, str]]:
    """Other laws that may well be the one, and their colours."""
    worth = (law for law in _others(examined) if law.weight >= _WORTH)
    return list(zip(worth, _COLOURS, strict=False))


def _others(examined: Examined) -> list[Fit]:
    """All laws but the best, by their weight."""
    return sorted((law for law in examined.fit.ranking if law is not examined.fit.best), key=lambda law: -law.weight)
