"""Is this emulsion a yield-stress fluid?"""

import sys
from pathlib import Path

import numpy as np

import flowgrad
from flowgrad import plot
from flowgrad.rheometer.fitted import examine


def main(out: Path) -> str:
    """Write a rheometer's table, like those of dense emulsions, with 2 % of noise; read, fit and draw it."""
    rate = np.geomspace(0.005, 300, 30)
    stress = (3.2 + 2.6 * rate**0.54) * (1 + 0.02 * np.random.default_rng(3).normal(size=30))
    table = np.column_stack([rate, stress])
    np.savetxt(out / "emulsion.csv", table, delimiter=",", header="Shear rate [1/s],Shear stress [Pa]", comments="")
    (examined,) = examine(flowgrad.read_flow_curves(out / "emulsion.csv"))
    with plot.figure(4.6, 3.2) as ax:
        plot.rheometer_curve(examined, ax)
        plot.save(ax, out / "yield_stress.png")
    best = examined.fit.best
    low, high = best.intervals["tau0"]
    return (
        f"Yes: {best.model.name} with a yield stress of {best.model.tau0:.2f} Pa (95 %: {low:.2f} to {high:.2f}); "
        f"the verdict is {examined.fit.verdict.value}."
    )


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
