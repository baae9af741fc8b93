"""Viscosity laws in a figure: names and parameters for its legend, and as grey lines those that were not chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from flowgrad.rheology import Fit
from flowgrad.separation import Separation
from flowgrad.typing import FloatArray

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


def law_text(separation: Separation) -> str:
    """``carreau (given)`` and below it the parameters; ``?`` for those that the data do not determine."""
    if separation.fit is None:
        return ""
    return fit_text(separation.fit, "given" if separation.origin == "given" else "fitted")


def fit_text(fit: Fit, how: str) -> str:
    """A law's name, ``how`` it was found in brackets, and below them the parameters as in ``law_text``."""
    values = [
        f"${symbol(name)}$ = {f'{fit.parameters[name]:.3g}' if name in fit.parameters else '?'}"
        for name in fit.model.parameters
    ]
    if not fit.parameters:
        values = ["parameters not determined by the data"]
    lines = [", ".join(values[i : i + _PER_LINE]) for i in range(0, len(values), _PER_LINE)]
    return "\n".join([f"{fit.model.name} ({how})", *lines])


def draw_others(ax: Axes, laws: Sequence[Fit], rate: FloatArray, heights: Callable[[Fit], FloatArray]) -> None:
    """Thin lines (k,) of laws that were fitted as well, with one entry in the legend for all of them."""
    if not laws:
        return
    text = f"{len(laws)} other law{'' if len(laws) == 1 else 's'}"
    lines = [np.column_stack([rate, heights(law)]) for law in laws]
    ax.add_collection(LineCollection(lines, colors=_GREY, linewidths=0.5, label=text, zorder=2.2), autolim=False)


def symbol(parameter: str) -> str:
    """Mathtext of a parameter's name: ``eta_inf`` is \\eta_{\\infty}, ``tau0`` is \\tau_{0}."""
    match = re.fullmatch(r"([A-Za-z]+?)_?(\d+|inf|min|max|half|bg|c|N)?", parameter)
    if match is None:
        return parameter.replace("_", r"\_")
    letter, index = match.groups()
    below = _GREEK.get(index or "", rf"\mathrm{{{index}}}")
    return _GREEK.get(letter, letter) + (f"_{{{below}}}" if index else "")
