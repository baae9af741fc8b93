#!/usr/bin/env python3
"""The picture of the README, from data/: docs/offset-cylinder.png."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Draw the shear rate, the labels and the flow curve of the offset cylinder side by side."""
    flow = flowgrad.read(ROOT / "data" / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")
    separation = flowgrad.separate(flowgrad.velocity_gradient(flow), viscosity="nu_ofU")
    with plot.style():
        figure = Figure(figsize=(9.5, 5.6))
        room = {"left": 0.05, "right": 0.98, "top": 0.98, "bottom": 0.17, "hspace": 0.85, "wspace": 0.16}
        panels = figure.subplot_mosaic([["rate", "curve"], ["label", "curve"]], gridspec_kw=room)
        panels["curve"].set_position((0.6, 0.17, 0.38, 0.65))
        plot.field(separation.gradient, "shear_rate", panels["rate"])
        plot.labels(separation, panels["label"])
        plot.flow_curve(separation, panels["curve"])
        (ROOT / "docs").mkdir(exist_ok=True)
        figure.savefig(ROOT / "docs" / "offset-cylinder.png")


if __name__ == "__main__":
    main()
