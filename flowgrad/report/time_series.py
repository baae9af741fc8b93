"""Time series among the files of a run: what their flows do over time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.axes import linear
from flowgrad.plot.scalar_field import VISCOSITY
from flowgrad.plot.style import BLUE, VERMILION
from flowgrad.records import axis_label
from flowgrad.report.entry import FAILED, Entry
from flowgrad.report.pictures import Picture, picture

# Fewer steps than these are no curve.
_LEAST = 3
_WIDTH = 3.6
# At most so many quantities; these come first.
_MOST = 5
_FIRST = ("shear_rate", "vorticity", "dissipation", "flow_type", "divergence")


@dataclass(frozen=True)
class Progression:
    """Steps of one series in the order of their ``times``: numbers in the files' names where ``is_numbered``."""

    name: str
    entries: tuple[Entry, ...]
    times: tuple[float, ...]
    is_numbered: bool = False


def progressions(entries: Iterable[Entry]) -> list[Progression]:
    """Series among the files: names that differ in one number, meshes of one size, and times that differ."""
    groups: dict[tuple[str, tuple[int, ...]], list[Entry]] = {}
    for entry in entries:
        if entry.verdict != FAILED:
            # The name with its last number left out, but not that of a suffix.
            name = re.sub(r"\d+(?=\D*$)", "*", re.sub(r"\.\w+$", "", entry.name))
            groups.setdefault((name, tuple(entry.mesh)), []).append(entry)
    found = [_progression(name, group) for (name, _), group in groups.items() if len(group) >= _LEAST]
    return [each for each in found if each is not None]


def pictures(series: Progression) -> list[Picture]:
    """The quantities that all steps have, the viscosity and the unexplained stress, each against time."""
    common = [name for name in series.entries[0].statistics if all(name in each.statistics for each in series.entries)]
    chosen = [*(name for name in _FIRST if name in common), *(name for name in common if name not in _FIRST)][:_MOST]
    found = [_of_quantity(series, name) for name in chosen if name in QUANTITIES]
    if any(entry.viscosity is not None for entry in series.entries):
        label = axis_label("viscosity", r"\eta_N", VISCOSITY)
        values = np.array([entry.viscosity for entry in series.entries], float)
        found.append(_picture(series, {"by dissipation": values}, label, "Newtonian viscosity (by dissipation)"))
    if any(entry.unexplained is not None for entry in series.entries):
        values = 100 * np.array([entry.unexplained for entry in series.entries], float)
        found.append(_picture(series, {"unexplained": values}, "unexplained [%]", "Stress that no viscosity explains"))
    return found


def _progression(name: str, group: Sequence[Entry]) -> Progression | None:
    numbers = [re.findall(r"\d+", re.sub(r"\.\w+$", "", entry.name)) for entry in group]
    numbered = [float(found[-1]) if found else np.nan for found in numbers]
    for times in ([np.nan if entry.time is None else entry.time for entry in group], numbered):
        if np.isfinite(times).all() and len(set(times)) == len(times):
            order = np.argsort(times)
            entries, in_order = tuple(group[i] for i in order), tuple(times[i] for i in order)
            return Progression(name, entries, in_order, times is numbered)
    return None


def _of_quantity(series: Progression, name: str) -> Picture:
    record = QUANTITIES[name]
    kept = {
        key: np.array([entry.statistics[name][key] for entry in series.entries], float)
        for key in ("mean", "maximum", "percentile_5", "percentile_95")
    }
    lines = {"mean": kept["mean"], "greatest": kept["maximum"]}
    label = record.label_of(series.entries[0].statistics[name].get("symbol", record.symbol))
    title = record.name.replace("_", " ").capitalize()
    return _picture(series, lines, label, title, (kept["percentile_5"], kept["percentile_95"]))


def _picture(
    series: Progression,
    lines: dict[str, np.ndarray],
    label: str,
    name: str,
    band: tuple[np.ndarray, np.ndarray] | None = None,
) -> Picture:
    caption = f"{name} over {'the files' if series.is_numbered else 'time'}"
    if band is not None:
        caption += f": {' and '.join(lines)}, shaded 5 to 95 % of the flow"

    def draw(ax: Axes) -> Axes:
        if band is not None:
            ax.fill_between(series.times, *band, color=BLUE, alpha=0.18, linewidth=0)
        marker = "o" if len(series.times) <= 40 else ""
        for (title, values), colour in zip(lines.items(), (BLUE, VERMILION), strict=False):
            ax.plot(series.times, values, marker=marker, markersize=2.5, color=colour, label=title)
        ax.margins(x=0.02)
        linear(ax.yaxis)
        linear(ax.xaxis, whole=series.is_numbered)
        if len(lines) > 1:
            # To the right, because the common power of ten stands to the left.
            ax.legend(loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, borderaxespad=0)
        ax.set(xlabel="number in the file's name" if series.is_numbered else "time $t$ [T]", ylabel=label)
        return ax

    return picture(draw, f"{caption}.", _WIDTH)
