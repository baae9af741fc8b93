"""How hard do these two fluids rub on the same cylinder?"""

import sys
from pathlib import Path

import numpy as np

import flowgrad
from flowgrad import plot

DATA = Path(__file__).resolve().parents[2] / "data"


def on_cylinder(x: np.ndarray) -> np.ndarray:
    """Which centroids of boundary faces (k, 3) are on it."""
    return np.hypot(x[:, 0], x[:, 1]) < 1.0


def main(out: Path) -> str:
    """Draw the wall shear stress around the cylinder, for the shear-thickening fluid and for a Newtonian one."""
    lines = []
    with plot.figure(4.8, 3.0) as ax:
        for stem, viscosity in (("offsetCylinder", "nu_ofU"), ("oc_Newtonian", 0.1)):
            flow = flowgrad.read(DATA / f"{stem}.vtu")
            walls = flowgrad.at_walls(flow, on_cylinder, viscosity=viscosity, pressure="p", wall_velocity=0)
            arm = walls.centroids - walls.centroids.mean(axis=0)
            angle = np.degrees(np.arctan2(arm[:, 1], -arm[:, 0]))
            order = np.argsort(angle)
            stress = plot.scalar_field(walls, "wall_shear_stress")
            ax.semilogy(angle[order], stress.values[order], label=f"{stem}: drag {walls.force()[0]:.3g}")
            lines.append(f"{stress.values.max():.3g}")
        ax.set(xlabel="angle from the front [°]", ylabel=stress.label)
        ax.legend()
        plot.save(ax, out / "cylinder_wall_shear.png")
    return f"The stress peaks at {lines[0]} for the shear-thickening fluid and at {lines[1]} for the Newtonian one."


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
