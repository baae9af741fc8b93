#!/usr/bin/env python3
"""Laminar channels solved by OpenFOAM's simpleFoam, as files of data/channels: the tests of forces on walls read them.

Between plates a distance H = 1 apart a pressure falls by K = 1 per length (kinematic). Fluid leaves as it enters, so
that the flow is the same all along: whatever the fluid, the stress on either wall is K H/2 (Bird, Stewart & Lightfoot
2002, Transport Phenomena, §2.3), and the drag on both walls the pressure drop times H. Needs OpenFOAM (made with the
1912 of Debian 12: blockMesh, simpleFoam and foamToVTK on the path).

Usage: scripts/openfoam_channels.py [FOLDER]
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# Cells over the height, and ν of the fluid: as OpenFOAM's transportProperties have it.
NEWTONIAN = "transportModel Newtonian; nu 0.1;"
POWER_LAW = "transportModel powerLaw; powerLawCoeffs { nuMax 10; nuMin 1e-6; k 0.1; n 0.5; }"
CASES = {f"channel{n}": (n, NEWTONIAN) for n in (10, 20, 40)} | {"channel20_powerLaw": (20, POWER_LAW)}
ALONG = 4

_BLOCK = """
vertices ((0 0 0) (1 0 0) (1 1 0) (0 1 0) (0 0 0.1) (1 0 0.1) (1 1 0.1) (0 1 0.1));
blocks (hex (0 1 2 3 4 5 6 7) ({along} {across} 1) simpleGrading (1 1 1));
edges (); mergePatchPairs ();
boundary
(
    inlet {{ type patch; faces ((0 4 7 3)); }}
    outlet {{ type patch; faces ((1 2 6 5)); }}
    walls {{ type wall; faces ((0 1 5 4) (3 7 6 2)); }}
    sides {{ type empty; faces ((0 3 2 1) (4 5 6 7)); }}
);
"""
_U = """
dimensions [0 1 -1 0 0 0 0]; internalField uniform (0.5 0 0);
boundaryField
{
    inlet { type zeroGradient; } outlet { type zeroGradient; }
    walls { type noSlip; } sides { type empty; }
}
"""
_P = """
dimensions [0 2 -2 0 0 0 0]; internalField uniform 0;
boundaryField
{
    inlet { type fixedValue; value uniform 1; } outlet { type fixedValue; value uniform 0; }
    walls { type zeroGradient; } sides { type empty; }
}
"""
CONTROL = """
application simpleFoam; startFrom startTime; startTime 0; stopAt endTime; endTime 4000; deltaT 1;
writeControl timeStep; writeInterval 4000; writeFormat ascii; writePrecision 12;
"""
SCHEMES = """
ddtSchemes { default steadyState; } gradSchemes { default Gauss linear; }
divSchemes { default Gauss linear; } laplacianSchemes { default Gauss linear corrected; }
interpolationSchemes { default linear; } snGradSchemes { default corrected; }
"""
SOLUTION = """
solvers
{
    p { solver PCG; preconditioner DIC; tolerance 1e-14; relTol 0.01; }
    U { solver PBiCGStab; preconditioner DILU; tolerance 1e-14; relTol 0.01; }
}
SIMPLE { nNonOrthogonalCorrectors 0; consistent yes; }
relaxationFactors { equations { U 0.9; } }
"""
_FILES = {
    "system/controlDict": ("dictionary", CONTROL),
    "system/fvSchemes": ("dictionary", SCHEMES),
    "system/fvSolution": ("dictionary", SOLUTION),
    "constant/turbulenceProperties": ("dictionary", "simulationType laminar;"),
}
_FIELDS = {"0/U": ("volVectorField", _U), "0/p": ("volScalarField", _P)}


def solve(folder: Path, files: Mapping[str, tuple[str, str]], *before: str, solver: str = "simpleFoam") -> Path:
    """Write the files of a case, (class, text) by their names, run programs ``before`` the solver and that, and convert
    its last time: the folder of the results. CalledProcessError where one of OpenFOAM's programs fails."""
    for name, (kind, text) in (_FILES | dict(files)).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"FoamFile {{ version 2.0; format ascii; class {kind}; object {file.name}; }}\n{text}")
    convert = ["foamToVTK", "-latestTime", "-ascii", "-fields", "(U p nu)"]
    for program in (*([each] for each in before), [solver], convert):
        subprocess.run(program, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (found,) = (each for each in (folder / "VTK").iterdir() if each.is_dir())
    return found


def main() -> None:
    """Solve all channels and keep their cells and walls."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "data/channels")
    target.mkdir(parents=True, exist_ok=True)
    for name, (across, fluid) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            block = _BLOCK.format(along=ALONG, across=across)
            files = _FIELDS | {
                "system/blockMeshDict": ("dictionary", block),
                "constant/transportProperties": ("dictionary", fluid),
            }
            found = solve(Path(folder) / name, files, "blockMesh")
            shutil.copy(found / "internal.vtu", target / f"{name}.vtu")
            shutil.copy(found / "boundary/walls.vtp", target / f"{name}_walls.vtp")
        print(f"{target / name}.vtu")


if __name__ == "__main__":
    main()
