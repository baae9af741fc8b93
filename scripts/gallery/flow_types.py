"""Where does this flow stretch the fluid, where does it shear it, and where does it only turn it?"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot

FORMULA = "u = sin(x)*cos(y) + 0.3*y; v = -cos(x)*sin(y)"


def main(out: Path) -> str:
    """Draw the flow type of a row of rollers in a shear flow, given as a formula, and how it deforms small circles."""
    options = flowgrad.Options(formula=FORMULA, grid="0:6.2832:121,-1.5708:1.5708:61", quantities=("flow_type",))
    gradient = flowgrad.analyse("rollers", options).gradient
    with plot.style():
        figure = Figure(figsize=(7.2, 5.4))
        above, below = figure.subplots(2, 1, gridspec_kw={"hspace": 0.75})
        plot.field(gradient, "flow_type", above)
        plot.ellipses(gradient, above, count=20)
        plot.flow_types(gradient, below)
        figure.savefig(out / "flow_types.png", bbox_inches="tight")
    stretched = (gradient.weights * (gradient["flow_type"] > 0.5)).sum() / gradient.weights.sum()
    return f"Between the rollers it stretches: {stretched:.0%} of the area is nearer to extension than to shear."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
