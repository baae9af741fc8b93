"""How sure is the vorticity of this PIV field?"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot

NOISE = 0.015  # standard deviation of a velocity, as the correlation tells it


def main(out: Path) -> str:
    """Make a vortex as a camera sees it, with noise and missing vectors; draw its vorticity and how sure it is."""
    x, y = np.linspace(-1, 1, 41), np.linspace(-0.8, 0.8, 33)
    places = np.stack(np.meshgrid(x, y, [0.0], indexing="ij"), -1)[:, :, 0]
    rng = np.random.default_rng(1)
    v = flowgrad.exact.LambOseen(circulation=2.0, core_radius=0.3).velocity(places)[..., :2]
    v = v + NOISE * rng.normal(size=v.shape)
    v[rng.uniform(size=v.shape[:2]) < 0.02] = np.nan
    flow = flowgrad.Flow.on_lattice((x, y), v, noise=NOISE)
    gradient = flowgrad.velocity_gradient(flow, flowgrad.FiniteDifference(order=2))
    vorticity, sigma = gradient["vorticity"][:, 2], gradient.std("vorticity")[:, 2]
    peak = np.nanargmax(np.abs(vorticity) / sigma)
    with plot.style():
        figure = Figure(figsize=(10.5, 2.2))
        left, middle, right = figure.subplots(1, 3, gridspec_kw={"wspace": 1.1})
        plot.field(gradient, "vorticity", left)
        plot.uncertainty(gradient, "vorticity", middle)
        plot.profile(gradient, "vorticity", right, (-1, 0, 0), (1, 0, 0))
        figure.savefig(out / "piv_uncertainty.png", bbox_inches="tight")
    sure = f"{np.mean(np.abs(vorticity) > 2 * sigma):.0%} of the field is known to turn at all (two deviations)"
    return f"Where it is surest it is {abs(vorticity[peak]):.1f} ± {sigma[peak]:.1f}, and {sure}."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
