"""Does this neural network know that the fluid is incompressible?"""

import sys
from pathlib import Path

import torch
from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot


def main(out: Path) -> str:
    """Fit a small network to 200 velocities of a cellular flow, and differentiate what it learned (needs torch)."""
    torch.manual_seed(0)
    hidden = torch.nn.Sequential(torch.nn.Linear(2, 24), torch.nn.Tanh()).double()
    truth, box = flowgrad.exact.TaylorGreen(), torch.tensor([torch.pi, torch.pi, 0.0])
    target = truth.velocity(x := torch.rand(200, 3, dtype=torch.float64) * box)[:, :2]
    outer = torch.linalg.lstsq(hidden(x[:, :2]).detach(), target).solution
    grid = flowgrad.Lattice.uniform((40, 40), 0.075, (0.1, 0.1))
    gradient = flowgrad.velocity_gradient(lambda p: hidden(p[..., :2]) @ outer, at=grid, backend="torch")
    with plot.style():
        axes = (figure := Figure(figsize=(7.2, 2.8))).subplots(1, 2, gridspec_kw={"wspace": 0.7})
        for ax, name in zip(axes, ("vorticity", "divergence"), strict=True):
            plot.field(gradient, name, ax)
        figure.savefig(out / "network.png", bbox_inches="tight")
    off = abs(gradient["vorticity"][:, 2] - truth.gradient(grid.points)[:, 1, 0] * 2).max()
    worst = abs(gradient["divergence"]).max()
    return f"Not by itself: its divergence reaches {worst:.2f} where the vorticity, right to {off:.2f}, goes to 2."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
