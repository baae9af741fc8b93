"""Annular meshes with thin layers along the inner wall, as gmsh's boundary-layer field makes them: tests/layers/*.npz.

Needs gmsh (``pip install gmsh``, tried with 4.15); the files are kept, so that the tests do without.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gmsh
import numpy as np

# Height of the first layer, length along the wall, thickness of the layers, quads or triangles.
MESHES = (
    (1e-2, 0.1, 0.1, False),
    (1e-3, 0.1, 0.06, False),
    (1e-3, 0.1, 0.06, True),
    (1e-4, 0.1, 0.03, False),
    (1e-4, 0.03, 0.03, False),
    (1e-5, 0.03, 0.01, False),
    (1e-5, 0.03, 0.009, False),
)
RATIO, COARSE = 1.2, 0.4


def annulus(height: float, length: float, thickness: float, quads: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (n, 2), triangles and quads between circles of the radii 1 and 3."""
    gmsh.initialize()
    gmsh.option.setNumber("General.Terminal", 0)
    occ, mesh = gmsh.model.occ, gmsh.model.mesh
    inner, outer = occ.addCircle(0, 0, 0, 1), occ.addCircle(0, 0, 0, 3)
    occ.addPlaneSurface([occ.addCurveLoop([outer]), occ.addCurveLoop([inner])])
    occ.synchronize()
    layer = mesh.field.add("BoundaryLayer")
    mesh.field.setNumbers(layer, "CurvesList", [inner])
    for name, value in (("Size", height), ("Ratio", RATIO), ("Thickness", thickness), ("Quads", int(quads))):
        mesh.field.setNumber(layer, name, value)
    mesh.field.setAsBoundaryLayer(layer)
    mesh.setTransfiniteCurve(inner, int(2 * np.pi / length))
    gmsh.option.setNumber("Mesh.MeshSizeMax", COARSE)
    mesh.generate(2)
    tags, x, _ = mesh.getNodes()
    number = np.zeros(int(tags.max()) + 1, np.int32)
    number[tags] = np.arange(len(tags))
    cells = [number[mesh.getElementsByType(kind)[1]].reshape(-1, size) for kind, size in ((2, 3), (3, 4))]
    gmsh.finalize()
    points = x.reshape(-1, 3)[:, :2]
    used, renumbered = np.unique(np.concatenate([each.ravel() for each in cells]), return_inverse=True)
    count = cells[0].size
    return points[used], renumbered[:count].reshape(-1, 3), renumbered[count:].reshape(-1, 4)


def main() -> None:
    """Write the meshes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent.parent / "tests" / "layers")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for height, length, thickness, quads in MESHES:
        points, triangles, squares = annulus(height, length, thickness, quads)
        name = f"annulus-{height:g}-{length:g}-{thickness:g}{'-quads' if quads else ''}.npz"
        np.savez_compressed(
            folder / name, points=points, triangle=triangles.astype(np.int32), quad=squares.astype(np.int32)
        )
        print(f"{name}: {len(points)} points, {len(triangles)} triangles, {len(squares)} quads")


if __name__ == "__main__":
    main()
