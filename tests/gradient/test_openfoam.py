"""Cell data of real flows against the two gradients that their solver took of them.

L must lie nearer to one of the two than they lie to each other (volume-weighted relative L2): on cells that
touch no boundary from the cells alone, and over all cells once the wall values are given. The faces in front
and at the back of a mesh one cell thick are no boundary.
"""

import numpy as np
import pytest

from flowgrad import read, velocity_gradient
from flowgrad.tensors import as_tensors, transpose

# What a plain 1/d² least-squares prototype reached inside; ours may not fall behind it by more than the
# rounding of these figures and the choice of centroids.
INSIDE = {"cavity3Dtet": 0.044, "pipeCyclic": 0.065, "pitzDaily": 0.0021, "elbow": 0.054}


def distance(a, b, weights):
    weights = weights[:, None, None]
    return np.sqrt((weights * (a - b) ** 2).sum() / (weights * b**2).sum())


def compare(flow, chosen):
    """Distance to the nearer of the solver's gradients, and between these."""
    result = velocity_gradient(flow)
    assert result.valid.all()
    gauss, fitted = (transpose(as_tensors(flow.cell_data[name])) for name in ("grad(U)", "gradU_LSQ"))
    measures = flow.mesh.measures[chosen]
    ours = min(distance(result.L[chosen], each[chosen], measures) for each in (gauss, fitted))
    return ours, distance(gauss[chosen], fitted[chosen], measures)


def inside(mesh, flat):
    """Cells without a boundary face, those across the flat direction not counted."""
    area, _ = mesh.topology.boundary_geometry
    across = np.abs(area[:, 2]) > 0.9 * np.linalg.norm(area, axis=1) if flat else np.zeros(len(area), bool)
    chosen = np.ones(len(mesh), bool)
    chosen[mesh.topology.boundary_cells[~across]] = False
    return chosen


@pytest.mark.parametrize("case", INSIDE)
def test_inside_from_the_cells_alone(data, case):
    flow = read(data / f"{case}.vtu")
    ours, between = compare(flow, inside(flow.mesh, case in ("pitzDaily", "elbow")))
    assert ours < between
    assert ours < 1.03 * INSIDE[case]


@pytest.mark.parametrize("case", ["cavity", "elbow", "offsetCylinder"])
def test_everywhere_with_the_wall_values(data, case):
    flow = read(data / f"{case}.vtu", boundary="boundary/{stem}/*.vtp")
    ours, between = compare(flow, np.ones(len(flow.mesh), bool))
    assert ours < between
    without, _ = compare(read(data / f"{case}.vtu"), np.ones(len(flow.mesh), bool))
    assert ours < 0.5 * without


def test_vorticity_has_openfoams_sign(data):
    """The transpose of OpenFOAM's gradient, and so the sign of the vorticity, checked against its own field."""
    flow = read(data / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")
    result = velocity_gradient(flow, "file(name='grad(U)')")
    theirs = flow.cell_data["vorticity"]
    np.testing.assert_allclose(result["vorticity"], theirs, atol=1e-5 * np.abs(theirs).max())
    own = velocity_gradient(flow)["vorticity"]
    assert np.linalg.norm(own - theirs) < 0.05 * np.linalg.norm(theirs)


def test_lambda2_is_numpys_and_not_the_files(data):
    flow = read(data / "pipeCyclic.vtu")
    result = velocity_gradient(flow)
    expected = np.linalg.eigvalsh(result.D @ result.D + result.W @ result.W)[:, 1]
    np.testing.assert_allclose(result["lambda2"], expected, atol=1e-12 * np.abs(expected).max())
