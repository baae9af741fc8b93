"""Are these two meshes fine enough, and where are they not?"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

import flowgrad
from flowgrad import plot
from flowgrad.exact import LambOseen
from flowgrad.mesh.generate import block


def main(out: Path) -> str:
    """Take one vortex on a coarse and a fine mesh of triangles; draw the vorticity across it, and the error there."""
    vortex, gradients = LambOseen(core_radius=0.1), {}
    for name, count in (("coarse", 17), ("fine", 49)):
        mesh = block("triangle", count, jitter=0.2)
        velocity = vortex.velocity(mesh.points - [0.45, 0.55, 0])
        flow = flowgrad.Flow.from_arrays(mesh.points, mesh.cells, velocity, "points")
        gradients[name] = flowgrad.velocity_gradient(flow, "finite-difference(order=2)", error=True)
    with plot.style():
        figure = Figure(figsize=(10.5, 2.3))
        axes = figure.subplots(1, 3, gridspec_kw={"wspace": 1.0})
        plot.profile(gradients, "vorticity", axes[0], (0, 0.55, 0), (1, 0.55, 0))
        for ax, (name, gradient) in zip(axes[1:], gradients.items(), strict=True):
            plot.field(gradient, "error", ax)
            ax.set_title(f"{name}: estimated error of L")
        figure.savefig(out / "two_meshes.png", bbox_inches="tight")
    coarse, fine = (gradient.relative_error for gradient in gradients.values())
    return (
        f"The estimate, which needs no exact solution, says {coarse:.0%} of L on the coarse mesh and {fine:.1%} on the "
        "fine one; nearly all of it is in the core of the vortex."
    )


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
