"""The table of errors: on small meshes all rows pass, a wrong gradient does not, and docs/benchmarks.md has them."""

from pathlib import Path

import numpy as np
import pytest

from flowgrad import Autodiff, FiniteDifference, Lattice
from flowgrad.exact import Vortices
from scripts.convergence import accuracy, lattice_peers, linear_flows, smooth_flows, table, uncertainty
from scripts.convergence.table import EXACT

WRITTEN = (Path(__file__).resolve().parents[3] / "docs" / "benchmarks.md").read_text()
SMALL = table.Sizes(box=28, square=21, image=16, draws=100)


def in_readme(row):
    return row.markdown().rpartition(f"| {row.peer} |")[0] in WRITTEN


def test_all_rows_pass_on_small_meshes(monkeypatch):
    monkeypatch.setattr(accuracy, "HERE", SMALL)
    lines = list(accuracy.lines())
    assert all(passed for _, passed in lines), [line for line, passed in lines if not passed]
    assert len(lines) == 3 + len(accuracy.LEGEND) + 3 + 3 + 3 + 8 + 5
    judged = [line.split("ok")[0].split() for line, _ in lines if " ok" in line]
    assert sum(words[0] in ("linear", "J(28),", "T(21),") for words in judged) == 8 + 3 + 3


def test_the_readme_has_these_rows():
    square = list(smooth_flows.square(table.Sizes().square))
    assert len(square) == 3
    assert all(in_readme(row) for row in [*square, *uncertainty.inside_a_lattice()])
    assert not in_readme(table.Accuracy(square[0].what, (0.5,), square[0].peer))
    assert all(f"| {row.what} |" in WRITTEN for row in linear_flows.linear())


def test_bounds_follow_the_order():
    assert smooth_flows._scaled((1e-2, 3e-2), 29, 57, 2) == (4e-2, 12e-2)
    coarse, fine = ([row.asked[0] for row in smooth_flows.square(n)] for n in (11, 21))
    np.testing.assert_allclose(np.divide(coarse, fine), [4, 4, 8])


def test_errors_on_small_meshes_beat_the_peer():
    pytest.importorskip("vtkmodules")
    rows = list(smooth_flows.square(21))
    assert all(row.ours[0] < 0.1 * float(row.peer.split()[-1]) for row in rows)


def test_averages_over_triangles_are_those_of_their_parts():
    """Each triangle cut into many: the mean of v at their centroids tends to the average."""
    mesh = smooth_flows.block("triangle", 4, jitter=0.2)
    found = smooth_flows._averages(mesh, Vortices())
    n = 60
    i, j = (index.ravel() for index in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    up, down = (i + j < n), (i + j < n - 1)
    a = np.concatenate([(i[up] + 1 / 3) / n, (i[down] + 2 / 3) / n])
    b = np.concatenate([(j[up] + 1 / 3) / n, (j[down] + 2 / 3) / n])
    shares = np.stack([1 - a - b, a, b], axis=-1)
    x = np.einsum("qc,ncx->qnx", shares, mesh.points[mesh.cells.connectivity.reshape(-1, 3)])
    np.testing.assert_allclose(found, Vortices().velocity(x).mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("scheme", [Autodiff, FiniteDifference])
def test_a_gradient_that_is_not_exact_fails(monkeypatch, scheme):
    gradients = scheme.gradients

    def wrong(self, flow, at):
        found = gradients(self, flow, at)
        found.L[0, 0, 0] += 1e-8
        return found

    monkeypatch.setattr(scheme, "gradients", wrong)
    failed = [row for row in linear_flows.linear() if not row.passed]
    assert len(failed) == (6 if scheme is Autodiff else 2)
    assert all(EXACT < row.ours[0] < 1e-7 for row in failed)


def test_without_vtk_the_column_says_so(monkeypatch):
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    monkeypatch.setattr(accuracy, "HERE", table.Sizes(box=6, square=6, image=16, draws=2))
    lines = [line for line, _ in accuracy.lines()]
    assert sum(line.endswith("VTK is not installed") for line in lines) == 3 + 3 + 8
    assert not any("findiff" in line for line in lines)
    assert sum("np.gradient" in line for line in lines) == 1


def test_numpy_and_findiff_take_the_components_and_axes_in_order():
    pytest.importorskip("findiff")
    lattice, A = Lattice.uniform((9, 9, 9), 0.1), np.arange(9.0).reshape(3, 3)
    grid = (lattice.points @ A.T).reshape(9, 9, 9, 3)
    for find in (lattice_peers.by_numpy, lattice_peers.by_findiff):
        np.testing.assert_allclose(find(grid, 0.1, 2), np.broadcast_to(A, (729, 3, 3)), atol=1e-12)


def test_a_wrong_prediction_of_the_noise_fails(monkeypatch):
    covariance = uncertainty._covariance
    monkeypatch.setattr(uncertainty, "_covariance", lambda flow, scheme: 1.2 * covariance(flow, scheme))
    assert not any(row.passed for row in uncertainty.noise(50))
