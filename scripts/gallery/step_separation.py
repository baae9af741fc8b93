"""Where does the flow over this step separate, and where does it come back to the wall?"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot
from flowgrad.walls import RECORDS

STEP = 0.0254  # its height, m


def main(out: Path) -> str:
    """Draw the velocity with the streamlines, and the shear rate on the lower wall behind the step."""
    flow = flowgrad.read(Path(__file__).resolve().parents[2] / "data" / "pitzDaily.vtu")
    walls = flowgrad.at_walls(flow, lambda x: (x[:, 0] > 0) & (x[:, 1] < -0.6 * STEP), wall_velocity=0)
    floor = np.flatnonzero(np.abs(walls.normals[:, 1]) > 0.9)
    floor = floor[np.argsort(walls.centroids[floor, 0])]
    x, along = walls.centroids[floor, 0] / STEP, walls.shear_rate_vector[floor, 0]
    last = np.flatnonzero((along[:-1] < 0) & (along[1:] >= 0))[-1]
    back = np.interp(0, along[last : last + 2], x[last : last + 2])
    gradient = flowgrad.velocity_gradient(flow)
    with plot.style():
        room = {"hspace": 0.75, "height_ratios": [1, 1.1]}
        above, below = (figure := Figure(figsize=(7.2, 4.6))).subplots(2, 1, gridspec_kw=room)
        plot.field(gradient, "velocity", above)
        plot.streamlines(gradient, above, count=28)
        below.axhline(0, color="0.6", lw=0.7)
        below.plot(x, along, "-", back, 0, "o")
        below.set(xlabel="distance behind the step, in heights")
        below.set_ylabel(RECORDS["shear_rate_vector"].label_of(r"\dot\gamma_{t,x}"))
        figure.savefig(out / "step_separation.png", bbox_inches="tight")
    return f"It separates at the edge and comes back {back:.1f} step heights behind it."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
