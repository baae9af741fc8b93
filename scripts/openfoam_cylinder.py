#!/usr/bin/env python3
"""Herschel–Bulkley fluid around a cylinder, solved by OpenFOAM's simpleFoam: data/oc_herschelBulkley.vtu.

The mesh is that of data/offsetCylinder.tar.xz, the fluid ν = min(5, (0.05 + 0.1 γ̇^0.6)/γ̇), kinematic, the speed 1 where
it enters. Few cells have rates at which the yield stress is most of the stress, so that thinning and yield stress can
hardly be told apart, though η falls 20-fold without a doubt. Needs OpenFOAM (made with the 1912 of Debian 12:
simpleFoam and foamToVTK on the path, WM_PROJECT_DIR=/usr/share/openfoam).

Usage: scripts/openfoam_cylinder.py [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from openfoam_channels import solve

DATA = Path(__file__).resolve().parent.parent / "data"
NAME = "oc_herschelBulkley"
_FLUID = "transportModel HerschelBulkley; HerschelBulkleyCoeffs { nu0 5; tau0 0.05; k 0.1; n 0.6; }"
_REST = "right { type zeroGradient; } defaultFaces { type empty; }"
_WALLS = "down { type noSlip; } up { type noSlip; } cylinder { type noSlip; }"
_U = f"""
dimensions [0 1 -1 0 0 0 0]; internalField uniform (1 0 0);
boundaryField {{ left {{ type fixedValue; value uniform (1 0 0); }} {_WALLS} {_REST} }}
"""
_P = """
dimensions [0 2 -2 0 0 0 0]; internalField uniform 0;
boundaryField
{
    right { type fixedValue; value uniform 0; } defaultFaces { type empty; }
    "(left|down|up|cylinder)" { type zeroGradient; }
}
"""
_FILES = {
    "0/U": ("volVectorField", _U),
    "0/p": ("volScalarField", _P),
    "constant/transportProperties": ("dictionary", _FLUID),
}


def main() -> None:
    """Solve it and keep the cells."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(DATA / "offsetCylinder.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        case = Path(folder) / NAME
        shutil.copytree(Path(folder) / "offsetCylinder/constant/polyMesh", case / "constant/polyMesh")
        shutil.copy(solve(case, _FILES) / "internal.vtu", target / f"{NAME}.vtu")
    print(target / f"{NAME}.vtu")


if __name__ == "__main__":
    main()
