#!/usr/bin/env python3
"""Turbulence in a periodic box of 16³ cells, solved by OpenFOAM's dnsFoam, and the noise that is found on it.

The box starts from a random solenoidal field (boxTurb) and is stirred at low wave numbers (the random forcing of
Eswaran & Pope 1988). Its eddies reach down to the cells: as it is, noise cannot be told from them. Sampled on a finer
lattice by trigonometric interpolation, as by an instrument that resolves it, the same flow has 4 samples where it had
one. Needs OpenFOAM (made with the 1912 of Debian 12: blockMesh, boxTurb, dnsFoam and foamToVTK on the path,
WM_PROJECT_DIR=/usr/share/openfoam).

Usage: scripts/openfoam_box.py [--seeds N]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from openfoam_channels import SCHEMES, solve

from flowgrad import Lattice, read
from flowgrad.noise import noise_of

CELLS = 16
_BLOCK = f"""
vertices ((0 0 0) (1 0 0) (1 1 0) (0 1 0) (0 0 1) (1 0 1) (1 1 1) (0 1 1));
blocks (hex (0 1 2 3 4 5 6 7) ({CELLS} {CELLS} {CELLS}) simpleGrading (1 1 1));
edges (); mergePatchPairs ();
boundary
(
    x0 {{ type cyclic; neighbourPatch x1; faces ((0 4 7 3)); }}
    x1 {{ type cyclic; neighbourPatch x0; faces ((1 2 6 5)); }}
    y0 {{ type cyclic; neighbourPatch y1; faces ((0 1 5 4)); }}
    y1 {{ type cyclic; neighbourPatch y0; faces ((3 7 6 2)); }}
    z0 {{ type cyclic; neighbourPatch z1; faces ((0 3 2 1)); }}
    z1 {{ type cyclic; neighbourPatch z0; faces ((4 5 6 7)); }}
);
"""
_PERIODIC = " ".join(f"{side} {{ type cyclic; }}" for side in ("x0", "x1", "y0", "y1", "z0", "z1"))
_FIELD = "dimensions [0 {} 0 0 0 0]; internalField uniform {}; boundaryField {{ {} }}"
_CONTROL = """
application dnsFoam; startFrom startTime; startTime 0; stopAt endTime; endTime 2; deltaT 0.005;
writeControl timeStep; writeInterval 400; writeFormat ascii; writePrecision 12;
"""
_SOLUTION = """
solvers
{
    p { solver PCG; preconditioner DIC; tolerance 1e-8; relTol 0; }
    U { solver PBiCGStab; preconditioner DILU; tolerance 1e-8; relTol 0; }
}
PISO { nCorrectors 2; pRefCell 0; pRefValue 0; }
"""
_FORCING = "UOsigma 0.5; UOalpha 0.8; UOKupper 20; UOKlower 6;"
_FILES = {
    "system/blockMeshDict": ("dictionary", _BLOCK),
    "system/controlDict": ("dictionary", _CONTROL),
    "system/fvSchemes": ("dictionary", SCHEMES.replace("steadyState", "Euler")),
    "system/fvSolution": ("dictionary", _SOLUTION),
    "constant/boxTurbDict": ("dictionary", "Ea 10; k0 25;"),
    "constant/transportProperties": ("dictionary", "nu 0.005;"),
    "constant/turbulenceProperties": ("dictionary", _FORCING),
    "0/U": ("volVectorField", _FIELD.format("1 -1", "(0 0 0)", _PERIODIC)),
    "0/p": ("volScalarField", _FIELD.format("2 -2", "0", _PERIODIC)),
}


def box() -> np.ndarray:
    """The velocity (n, n, n, 3), indexed [k, j, i], at the last time."""
    with tempfile.TemporaryDirectory() as folder:
        found = solve(Path(folder) / "box", _FILES, "blockMesh", "boxTurb", solver="dnsFoam")
        flow = read(found / "internal.vtu", location="cells")
        order = np.lexsort(np.round(flow.mesh.centroids.T, 6))
        return flow.velocity[order].reshape(CELLS, CELLS, CELLS, 3)


def finer(field: np.ndarray, factor: int, axes: tuple[int, ...]) -> np.ndarray:
    """The same trigonometric polynomial on a lattice finer by a factor along some axes."""
    for axis in axes:
        n = field.shape[axis]
        spectrum = np.fft.rfft(field, axis=axis)
        spectrum[(slice(None),) * axis + (slice(n // 2, None),)] *= 0.5
        field = factor * np.fft.irfft(spectrum, factor * n, axis=axis)
    return field


def overlapping(rng: np.random.Generator, shape: tuple[int, ...], window: int) -> np.ndarray:
    """Noise (…, 3) of unit variance that is a running mean over a window along each axis longer than one."""
    long = [axis for axis, n in enumerate(shape) if n > 1]
    e = rng.normal(size=[n + window * (n > 1) for n in shape] + [3])
    for axis in long:
        parts = [np.take(e, range(i, i + shape[axis]), axis) for i in range(window)]
        e = np.sum(parts, axis=0) / np.sqrt(window)
    return e


def row(field: np.ndarray, window: int, spoiled: float, seeds: int) -> list[str]:
    """Noise found over that given, the furthest from 1, or the bound where it cannot be told; and without noise."""
    lattice = Lattice.uniform(field.shape[2::-1])
    value = field.reshape(-1, 3)
    rms = np.sqrt((value**2).sum(axis=1).mean())
    texts = []
    for share in (0.01, 0.05, 0.1):
        ratios, untold = [], []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            v = value + share * rms * overlapping(rng, field.shape[:3], window).reshape(-1, 3)
            bad = rng.uniform(size=len(v)) < spoiled
            v[bad] = rng.uniform(-2 * rms, 2 * rms, (bad.sum(), 3))
            found = noise_of(lattice, v)
            (ratios if found.found else untold).extend(found.deviation / (share * rms))
        worst = [f"{max(ratios, key=lambda r: abs(r - 1)):.3f}"] if ratios else []
        texts.append(", ".join(worst + ([f"not told, ≤ {max(untold):.2g}"] if untold else [])))
    clean = noise_of(lattice, value)
    return [
        *texts,
        "seen" if clean.found else f"not told, ≤ {clean.deviation.max() / rms:.1%}" if clean.doubt else "none",
    ]


def main() -> None:
    """Solve the box and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="noises of each kind")
    args = parser.parse_args()
    field = box()
    print("| samples | overlap | outliers | 1 % | 5 % | 10 % | none |\n" + "|---" * 7 + "|")
    plane = finer(field[:1], 4, (1, 2))
    for name, sampled in (("16³, as solved", field), ("64² of a plane", plane), ("48³", finer(field, 3, (0, 1, 2)))):
        for window, spoiled in ((1, 0.0), (2, 0.0), (4, 0.0), (1, 0.05), (4, 0.05)):
            texts = row(sampled, window, spoiled, args.seeds)
            print(f"| {name} | {1 - 1 / window:.0%} | {spoiled:.0%} | " + " | ".join(texts) + " |", flush=True)


if __name__ == "__main__":
    main()
