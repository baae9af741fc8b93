"""Which water of the double gyre never mixes with which?"""

import sys
from pathlib import Path

import numpy as np

import flowgrad
from flowgrad import plot
from flowgrad.paths import ftle


def main(out: Path) -> str:
    """Draw the ridges of the finite-time Lyapunov exponent, which particles do not cross."""
    x, y = np.linspace(0.002, 1.998, 160), np.linspace(0.002, 0.998, 80)
    grid = flowgrad.Lattice.rectilinear(x, y)
    gyre = flowgrad.exact.DoubleGyre()
    found = ftle(gyre, grid, t0=0.0, duration=15.0, rtol=1e-5)
    with plot.figure(5.4, 3.2) as ax:
        plot.field(found, "ftle", ax)
        plot.save(ax, out / "double_gyre.png")
    share = np.nanmean(found.values > 0.25)
    return (
        f"The ridges separate it: neighbours across them part e-fold in {1 / np.nanmax(found.values):.1f} time units; "
        f"{share:.0%} of the water lies on ridges above 0.25."
    )


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
