"""Where are the vortices, and do Q, λ2 and Liutex agree?"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.ndimage import label

import flowgrad
from flowgrad import plot
from flowgrad.exact import LambOseen, SimpleShear


def main(out: Path) -> str:
    """Draw the three criteria for two vortices of unlike strength in a shear flow, which has vorticity everywhere."""
    x, y = np.linspace(-2, 2, 121), np.linspace(-1.5, 1.5, 91)
    grid = flowgrad.Lattice.rectilinear(x, y)
    places, vortex = grid.points, LambOseen(circulation=2.0, core_radius=0.35)
    velocity = vortex.velocity(places - [0.9, 0.1, 0]) - 0.7 * vortex.velocity(places - [-0.8, -0.2, 0])
    velocity = velocity + SimpleShear().velocity(places)
    flow = flowgrad.Flow.on_lattice(grid, grid.grid(velocity))
    gradient = flowgrad.velocity_gradient(flow, flowgrad.FiniteDifference(order=4))
    names = ("vorticity", "q_criterion", "lambda2", "liutex")
    with plot.style():
        figure = Figure(figsize=(7.2, 4.6))
        axes = figure.subplots(2, 2, gridspec_kw={"wspace": 0.6, "hspace": 0.4})
        for ax, name in zip(axes.flat, names, strict=True):
            plot.field(gradient, name, ax)
        figure.savefig(out / "vortices.png", bbox_inches="tight")
    strengths = {"Q": gradient["q_criterion"], "λ2": -gradient["lambda2"], "Liutex": abs(gradient["liutex"][:, 2])}
    cores = ", ".join(f"{name} {label(grid.grid(each) > 0.4 * each.max())[1]}" for name, each in strengths.items())
    return f"{cores} cores above 0.4 of the strongest; the vorticity alone sees the shear between them too."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
