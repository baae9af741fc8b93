"""Which fluid flowed here, from its velocity alone?"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import flowgrad
from flowgrad import plot
from flowgrad.kinematics import GIVEN
from flowgrad.rheology.models import Carreau
from scripts.flows.cases import GEOMETRIES

LAW = Carreau(eta0=0.2, eta_inf=0.002, lam=3, n=0.4)


def main(out: Path) -> str:
    """Find η(γ̇) in a lid-driven cavity and draw it beside what the solver (scikit-fem) was told."""
    flow = GEOMETRIES["cavity"].flow(20, LAW, 1.0)
    found = flowgrad.identify_viscosity(flow, density=1.0, steady=True)
    with plot.style():
        left, right = (figure := Figure(figsize=(7.2, 2.8))).subplots(1, 2, gridspec_kw={"wspace": 0.7})
        plot.field(found.gradient, "shear_rate", left)
        right.fill_between(found.rate, found.lower, found.upper, alpha=0.3, lw=0)
        right.loglog(found.rate, found.viscosity, label="found in the velocity")
        right.loglog(found.rate, LAW.viscosity(found.rate), "k--", lw=0.9, label="what the solver was told")
        right.set(xlabel=flowgrad.QUANTITIES["shear_rate"].label, ylabel=GIVEN["viscosity"].known(dynamic=True).label)
        right.legend()
        figure.savefig(out / "which_fluid.png", bbox_inches="tight")
    error = np.abs(found.viscosity / LAW.viscosity(found.rate) - 1).max()
    near = "within 5 %" if error < 0.05 else f"off by {error:.0%} at most"
    return f"A {found.verdict.value} one, and no stress or pressure was needed: η is {near}."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
