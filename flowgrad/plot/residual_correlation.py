"""Autocorrelation of what smoothing leaves of a measured velocity, beside that of the noise found."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from flowgrad.noise.autocorrelation import Autocorrelation
from flowgrad.plot.axes import linear
from flowgrad.plot.style import BLUE, GREEN, VERMILION


def residual_correlation(found: Autocorrelation, ax: Axes, window: float = 1.0) -> Axes:
    """The correlation against the lag along each axis, with that of a running mean over a ``window`` of spacings."""
    lags = np.arange(found.values.shape[1])
    ax.axhspan(-found.by_chance, found.by_chance, color="0.88", label="by chance, in 95 %")
    fine = np.linspace(0, lags[-1], 200)
    ax.plot(
        fine, np.maximum(0, 1 - fine / window), color="0.3", linewidth=0.8, label=f"noise over {window:.2g} spacings"
    )
    for name, values, colour in zip(found.axes, found.values, (BLUE, VERMILION, GREEN), strict=False):
        ax.plot(lags, values, "o-", color=colour, markersize=3, linewidth=0.9, label=f"along {name}")
    ax.set(xlabel="lag [spacings]", ylabel="correlation of the residual [–]")
    ax.set_xlim(0, lags[-1])
    linear(ax.yaxis, 5)
    ax.legend(loc="upper right")
    return ax
