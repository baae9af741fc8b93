"""Axes and colour scales of a picture: ticks, limits, titles, legends and reference arrow; colour maps that show what
the values mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, Normalize
from matplotlib.legend import Legend
from matplotlib.quiver import Quiver, QuiverKey
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.plot.style import NO_VALUE, ONE_COLUMN, TWO_COLUMN, figure_of
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.plot.slice import Slice

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STEPS = (1, 2, 2.5, 5, 10)
# Ratios of the limits up to which ticks are evenly spaced, and up to which 2 and 5 are labelled too.
_NARROW, _FEW = 5.0, 200.0
# Axes that leave this range have powers of ten.
_PLAIN = (1e-3, 1e5)


def linear(axis: Axis, count: int = 6, *, whole: bool = False) -> None:
    """At most about ``count`` ticks at round numbers, ``whole`` ones if asked for, with a common power of ten where
    that is shorter."""
    axis.set_major_locator(MaxNLocator(count, steps=_STEPS, integer=whole))
    axis.set_major_formatter(_Linear(useOffset=False, useMathText=False))


def logarithmic(axis: XAxis | YAxis, low: float, high: float) -> None:
    """A logarithmic axis from ``low`` to ``high`` (both positive), be it a part of a decade or twenty."""
    # The limits first: a scale looks for its own in the data, and warns where these are all one value.
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high), f"{axis.axis_name}scale": "log"})
    axis.set_minor_formatter(NullFormatter())
    plain = _PLAIN[0] <= low and high < _PLAIN[1]

    def label(value: float, _: object) -> str:
        if plain:
            return f"{value:.5g}"
        mantissa, exponent = f"{value:.2e}".split("e")
        factor = mantissa.rstrip("0").rstrip(".")
        return power_of_ten(exponent) if factor == "1" else f"{factor}×{power_of_ten(exponent)}"

    axis.set_major_formatter(FuncFormatter(label))
    if high < _NARROW * low:
        axis.set_major_locator(MaxNLocator(4 if plain else 2, steps=_STEPS))
        axis.set_minor_locator(LogLocator(subs=()))
    elif high < _FEW * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def named_ticks(named: Mapping[float, str], between: str) -> list[str]:
    """Labels of values that have a meaning: the number and its name."""
    return [f"{value:g}{between}{name}".replace("-", "−").strip() for value, name in named.items()]


class _Linear(ScalarFormatter):
    """Plain numbers, and the common power of ten as ×10⁴ instead of 1e4."""

    def get_offset(self) -> str:
        """The common power of ten."""
        text = super().get_offset()
        exponent = text.partition("e")[2].replace("−", "-")
        return f"×{power_of_ten(exponent)}" if exponent else ""


def number(value: float, digits: int = 3) -> str:
    """A number for a text on a figure: few digits, a true minus sign, and a power of ten where that is shorter."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "−")
    return f"{mantissa}×{power_of_ten(exponent)}" if e else mantissa


def power_of_ten(exponent: str) -> str:
    """``10⁻³`` of ``-03``."""
    return "10" + str(int(exponent)).translate(_SUPERSCRIPTS)


# Beyond this ratio of its sides a slice is drawn as if it had the second one, and the axis says so.
_SLENDER, _SHOWN = 30.0, 12.0
# Beyond this ratio of width to height the colour bar lies below.
_WIDE = 1.6
# Share of the figure's width that labels and a colour bar take, and the largest height.
_MARGINS, _TALLEST = 0.9, 0.9
# Room below a body in space for its scale, in its widths.
_SCALE = 0.15
# Least distances of ticks in inches.
_DISTANCES = (0.6, 0.25)


def size_for(section: Slice, width: float = TWO_COLUMN) -> tuple[float, float]:
    """Size in inches of a figure for a slice, at most as wide as asked for."""
    across, up = section.spans
    if not all(section.plane.names):
        up = up + _SCALE * across
    ratio = float(across / up / stretch(section)) if across and up else 1.0
    inner = width - _MARGINS
    height = min(inner / ratio, _TALLEST * inner)
    return height * ratio + _MARGINS, height + _MARGINS


def frame(ax: Axes, section: Slice) -> None:
    """Limits, equal scales and names of the axes, and the outline of the slice."""
    low, high = section.bounds
    margins = np.where(high > low, 0.01 * (high - low), 0.5)
    low, high = low - margins, high + margins
    if not all(section.plane.names):
        low[1] -= _SCALE * (high[0] - low[0])
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_aspect(stretch(section), adjustable="box")
    ax.apply_aspect()
    ax.spines[:].set_visible(False)
    if not all(section.plane.names):
        _oblique(ax, section)
        return
    sides = zip((ax.xaxis, ax.yaxis), _labels(section), inches(ax), _DISTANCES, strict=True)
    for axis, label, length, distance in sides:
        axis.set_label_text(label)
        linear(axis, min(max(int(length / distance), 1), 8))
    lines = LineCollection(list(section.outline), colors="0.45", linewidths=0.5, capstyle="round", snap=False)
    ax.add_collection(lines, autolim=False)


def _oblique(ax: Axes, section: Slice) -> None:
    """A bar of a round length and the directions of x, y and z, instead of axes."""
    ax.set(xticks=[], yticks=[])
    start, across = float(section.bounds[0][0]), float(section.spans[0])
    unit, length = across / inches(ax)[0], round_length(across / 4)
    level = ax.get_ylim()[0] + 0.2 * unit
    ax.plot([start, start + length], [level, level], color="0.2", lw=1.2, clip_on=False, solid_capstyle="butt")
    ax.annotate(
        f"{length:g} [L]",
        (start, level),
        (0, -4),
        textcoords="offset points",
        ha="left",
        va="top",
        annotation_clip=False,
    )
    arms = 0.24 * unit * section.plane.axes.T
    foot = np.array([start + max(length, unit) + 0.45 * unit, level - 0.27 * unit - 1.2 * min(arms[:, 1].min(), 0)])
    if foot[0] + 1.5 * arms[:, 0].max() > start + across:
        # Beside a narrow picture is its colour bar: below that there is room.
        foot[1] = ax.get_ylim()[0] - 0.2 * unit - 1.35 * arms[:, 1].max()
    for name, arm in zip("xyz", arms, strict=True):
        if np.hypot(*arm) > 0.03 * unit:
            style = {"arrowstyle": "-", "lw": 0.7, "color": "0.2", "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", tuple(foot + arm), tuple(foot), arrowprops=style, annotation_clip=False)
            ax.text(foot[0] + 1.35 * arm[0], foot[1] + 1.35 * arm[1], name, ha="center", va="center", size=7)


def round_length(most: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``most``."""
    power = 10.0 ** np.floor(np.log10(most)) if most > 0 else 1.0
    return float(power * max(step for step in (1, 2, 5) if step * power <= most * (1 + 1e-9) or step == 1))


def is_wide(ax: Axes) -> bool:
    """True for axes that are drawn much wider than high."""
    width, height = inches(ax)
    return width > _WIDE * height


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes as they are drawn."""
    figure = figure_of(ax)
    box = ax.get_window_extent()
    return box.width / figure.dpi, box.height / figure.dpi


def _labels(section: Slice) -> list[str]:
    """Names of the axes; the longer one says when the other is not to its scale."""
    first, second = section.plane.names
    labels = [f"{first} [L]", f"{second} [L]"]
    factor = stretch(section)
    if factor > 1:
        labels[0] += f"  ({second} is stretched {float(f'{factor:.2g}'):g} times)"
    elif factor < 1:
        labels[1] += f"  ({first} is stretched {float(f'{1 / factor:.2g}'):g} times)"
    return labels


def stretch(section: Slice) -> float:
    """Length of a unit of the second axis over that of the first: 1 but for very slender slices."""
    width, height = section.spans
    if not width or not height or 1 / _SLENDER <= width / height <= _SLENDER:
        return 1.0
    return float(width / height / (_SHOWN if width > height else 1 / _SHOWN))


# Height of a line of small type and width of a letter, of a title's too, in inches.
_LINE, _LETTER, _TITLE_LETTER = 0.16, 0.062, 0.066
# Distance of a title to what is below it, in points.
_PAD = 5.0


def say_where(ax: Axes, section: Slice) -> None:
    """Write the position of the slice as a title, above legends, keys and a title that is there already."""
    width = int(max(figure_of(ax).get_figwidth(), ONE_COLUMN) / _TITLE_LETTER)
    lines = [fill(each, width) for each in (section.where, ax.get_title(loc="left")) if each]
    ax.set_title("\n".join(lines), loc="left", pad=_PAD + 72 * _height_above(ax))


def reference_arrow(ax: Axes, arrows: Quiver, full: float, length: float, text: str) -> None:
    """An arrow of a round number, not above ``full``, above the axes to the right, beside the ``text`` with that number
    in the place of #; an arrow for ``full`` has this ``length`` in widths of the axes."""
    ax.apply_aspect()
    size, (width, height) = round_length(full), inches(ax)
    text = text.replace("#", number(size))
    drawn = size / full * length * width
    beside = _legend_above(ax)[0] + _LETTER * len(text) + drawn + _LINE < width
    level = 1 + ((0.0 if beside else _height_above(ax)) + 0.6 * _LINE) / height
    start = 1 - drawn / width
    ax.quiverkey(arrows, start, level, size, "", labelpos="W")
    # A text of its own: matplotlib crops pictures to texts, and not to those of keys.
    ax.text(start - 0.06 / width, level, text, ha="right", va="center", size=7, transform=ax.transAxes)


def _legend_above(ax: Axes) -> tuple[float, float]:
    """Width of a legend above the axes, and how far it reaches above them, in inches."""
    legend, dpi = ax.get_legend(), figure_of(ax).dpi
    if legend is None:
        return 0.0, 0.0
    box, top = legend.get_window_extent(), ax.get_window_extent().y1
    if box.y0 <= top - 0.5 * box.height or box.y1 <= top:
        return 0.0, 0.0
    return float(box.width / dpi), float((box.y1 - top) / dpi)


def _height_above(ax: Axes) -> float:
    """Height of the legends and keys above the axes, in inches."""
    height = inches(ax)[1]
    keys = [(each.Y - 1) * height + 0.6 * _LINE for each in ax.artists if isinstance(each, QuiverKey)]
    return max([_legend_above(ax)[1], *keys])


# Takes no room: matplotlib leaves out the entries of a legend whose names begin with an underscore.
NOTHING = "\u200b"
# Widest legend, as a multiple of the axes' width, and its distance below them in inches.
_WIDEST, _BELOW = 1.05, 0.45


def legend_rows(ax: Axes) -> Legend:
    """A legend below the axes and no wider than they, whatever the number and the length of its entries."""
    handles, names = ax.get_legend_handles_labels()
    figure = figure_of(ax)
    width, height = inches(ax)
    columns = min(len(names), 8)
    while True:
        legend = ax.legend(
            handles,
            names,
            loc="upper left",
            bbox_to_anchor=(0, -_BELOW / height),
            ncols=columns,
            borderaxespad=0,
            columnspacing=1.2,
            handlelength=1.4,
        )
        drawn = legend.get_window_extent().width / figure.dpi
        if columns == 1 or drawn <= _WIDEST * width:
            break
        columns -= 1
    for text in legend.get_texts():
        text.set_text(text.get_text().removeprefix(NOTHING))
    return legend


# Share of the area that the limits leave out at each end, unless its values are near: within this part of the rest.
OUTSIDE, _NEAR = 0.02, 0.1

# A magnitude whose low limit is below this part of the high one is shown from zero.
_FROM_ZERO = 0.2

# Perceptually even; diverging with a light centre; another diverging pair for the flow type, so that
# it is not mistaken for a signed field.
_MAPS = {"magnitude": "viridis", "signed": "RdBu_r", "flow-type": "PuOr_r"}

# What certain values of a scale mean.
NAMED_TICKS: Mapping[str, Mapping[float, str]]
NAMED_TICKS = {"flow-type": {-1.0: "rotation", -0.5: "", 0.0: "shear", 0.5: "", 1.0: "extension"}}


@dataclass(frozen=True, eq=False)
class Colours:
    """A colour map with its limits; ``extend`` says at which ends values lie beyond them, ``ticks``
    what certain values mean, ``note`` how much lies beyond the limits and how far, empty where nothing does."""

    map: Colormap
    norm: Normalize
    extend: str
    ticks: Mapping[float, str]
    note: str = ""


def colours(scale: str, values: ArrayLike, weights: ArrayLike, limits: tuple[float, float] | None = None) -> Colours:
    """Colours for values (n,) that stand for the measures ``weights`` (n,).

    ``scale`` is that of the quantity's record: ``magnitude`` runs between the extremes, or the 2nd and the 98th
    percentile where these are outliers, ``signed`` evenly to both sides of zero, ``flow-type`` from −1 to 1.
    ``limits`` (low, high) are taken instead. Raises OptionError for limits that are not finite or do not rise.
    """
    given, measures = np.asarray(values, float), np.asarray(weights, float)
    seen = np.isfinite(given) & (measures > 0)
    given, measures = given[seen], measures[seen]
    low, high = _limits(scale, given, measures) if limits is None else (float(limits[0]), float(limits[1]))
    if limits is not None and not (np.isfinite([low, high]).all() and low < high):
        raise OptionError(f"the limits of the colours are {low:g} and {high:g}: give two numbers that rise")
    map_ = colormaps[_MAPS[scale]].with_extremes(bad=NO_VALUE)
    extend = extend_of(given, low, high)
    note = "" if extend == "neither" else _beyond(given, measures, low, high)
    return Colours(map_, Normalize(low, high), extend, NAMED_TICKS.get(scale, {}), note)


def _beyond(values: FloatArray, weights: FloatArray, low: float, high: float) -> str:
    """The share of the area beyond the limits, and the extremes there."""
    outside = 100 * float(weights[(values < low) | (values > high)].sum() / weights.sum())
    share = "< 0.1" if outside < 0.1 else f"{outside:.2g}"
    slack = 1e-9 * (high - low)
    ends = [number(values.min())] * bool(values.min() < low - slack)
    ends += [number(values.max())] * bool(values.max() > high + slack)
    return f"{share} % beyond, to {' and '.join(ends)}"


def _limits(scale: str, values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    if scale == "flow-type":
        return -1.0, 1.0
    low, high = robust_limits(values, weights)
    if len(values):
        # The extremes, unless they lie far beyond the percentiles.
        near = _NEAR * (high - low)
        least, most = float(values.min()), float(values.max())
        low, high = (least if low - least <= near else low), (most if most - high <= near else high)
    if scale == "signed":
        high = max(abs(low), abs(high))
        low = -high
    elif 0 <= low < _FROM_ZERO * high:
        low = 0.0
    elif low == high == 0:
        high = 1.0
    return apart(low, high)


def robust_limits(values: FloatArray, weights: FloatArray, outside: float = OUTSIDE) -> tuple[float, float]:
    """Percentiles by measure between which all but ``outside`` at each end lies; the extremes where
    these coincide."""
    if not len(values):
        return 0.0, 1.0
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    first, last = np.searchsorted(share, [outside, 1 - outside])
    low, high = values[order[first]], values[order[min(last, len(order) - 1)]]
    if np.isclose(low, high, rtol=1e-6, atol=0):
        low, high = values[order[0]], values[order[-1]]
    return float(low), float(high)


def apart(low: float, high: float) -> tuple[float, float]:
    """The limits, or some around them where they are equal to rounding."""
    if high - low > 1e-6 * max(abs(low), abs(high)):
        return low, high
    half = 0.5 * abs(high) or 0.5
    return low - half, high + half


def extend_of(values: FloatArray, low: float, high: float) -> str:
    """At which ends values (n,) lie beyond limits: ``neither``, ``min``, ``max`` or ``both``."""
    slack = 1e-9 * (high - low)
    below = len(values) > 0 and values.min() < low - slack
    above = len(values) > 0 and values.max() > high + slack
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
