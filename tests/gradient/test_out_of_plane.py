"""Planes cut from 3-D flows: what the plane says is exact, what it does not say is NaN, and nothing between."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Cells, Flow, Mesh, OptionError, read, separate, velocity_gradient
from flowgrad.cli import main
from flowgrad.io import write_vtu
from tests import meshes
from tests.axial import meridian

# A linear flow without divergence in which every component differs.
SPACE = np.array([[0.3, 1.0, -2.0], [0.7, 0.5, 4.0], [-3.0, 0.2, -0.8]])
TURN = Rotation.from_rotvec([0.4, -0.7, 0.2]).as_matrix()
SWAPS = {"z": np.eye(3), "y": np.eye(3)[[0, 2, 1]], "x": np.eye(3)[[2, 0, 1]]}
# The x-y plane turned so that its normal is x, y, z or oblique.
PLANES = {**SWAPS, "oblique": TURN}


def cut(name, where="points", **options):
    """The linear flow on a plane."""
    turn = PLANES[name]
    flat = meridian(kind="triangle", jitter=0.2)
    mesh = Mesh(flat.points @ turn.T + turn[:, 2] * 0.7, flat.cells)
    positions = mesh.points if where == "points" else mesh.centroids
    return Flow(mesh, positions @ SPACE.T, where, **options)


def seen(name, normal_component=True):
    """L as the plane shows it, in the mesh's axes or, oblique, in the frame that the notes tell."""
    turn = PLANES[name]
    n = turn[:, 2] * np.sign(turn[np.abs(turn[:, 2]).argmax(), 2])
    if name != "oblique":
        L = SPACE.copy()
        L[:, "xyz".index(name)] = np.nan
        return L, n
    first = np.eye(3)[np.abs(n).argmin()]
    first = first - (first @ n) * n
    first /= np.linalg.norm(first)
    frame = np.stack([first, np.cross(n, first), n])
    L = frame @ SPACE @ frame.T
    L[:, 2] = np.nan
    return L, n


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("where", ["points", "cells"])
@pytest.mark.parametrize("target", ["points", "cells"])
def test_what_the_plane_shows_is_exact_and_the_rest_is_not_known(name, where, target):
    found = velocity_gradient(cut(name, where, out_of_plane="unknown"), at=target)
    expected, _ = seen(name)
    assert found.valid.all()
    np.testing.assert_allclose(found.L, np.broadcast_to(expected, found.L.shape), atol=1e-12)
    assert "not known" in found.notes[0]


@pytest.mark.parametrize("name", PLANES)
def test_incompressibility_gives_one_component(name):
    found = velocity_gradient(cut(name, out_of_plane="incompressible"))
    expected, n = seen(name)
    across = 2 if name == "oblique" else "xyz".index(name)
    expected[across, across] = n @ SPACE @ n
    np.testing.assert_allclose(found.L, np.broadcast_to(expected, found.L.shape), atol=1e-12)
    np.testing.assert_allclose(found["divergence"], 0, atol=1e-12)


@pytest.mark.parametrize("name", PLANES)
def test_the_vorticity_through_the_plane_is_known_and_no_more(name):
    found = velocity_gradient(cut(name, out_of_plane="unknown"))
    _, n = seen(name)
    omega = np.array([SPACE[2, 1] - SPACE[1, 2], SPACE[0, 2] - SPACE[2, 0], SPACE[1, 0] - SPACE[0, 1]])
    across = 2 if name == "oblique" else "xyz".index(name)
    np.testing.assert_allclose(found["vorticity"][:, across], n @ omega, rtol=1e-12)
    assert np.isnan(np.delete(found["vorticity"], across, axis=1)).all()
    for quantity in ("divergence", "shear_rate", "q_criterion", "lambda2", "flow_type", "third_invariant_of_D"):
        assert np.isnan(found[quantity]).all(), quantity


def test_zero_is_the_default_and_means_a_two_dimensional_flow():
    flow = cut("z")
    assert flow.out_of_plane == "zero"
    expected = SPACE * (1, 1, 0)
    np.testing.assert_allclose(
        velocity_gradient(flow).L, np.broadcast_to(expected, (len(flow.velocity), 3, 3)), atol=1e-12
    )


def test_a_component_that_was_not_measured_has_no_derivatives():
    """Two components in the plane: ∂w/∂x is not zero but not known."""
    flat = meridian()
    found = velocity_gradient(
        Flow.from_arrays(
            flat.points[:, :2], flat.cells, flat.points @ SPACE[:2].T, "points", out_of_plane="incompressible"
        )
    )
    known = np.full((3, 3), np.nan)
    known[:2, :2] = SPACE[:2, :2]
    known[2, 2] = -SPACE[0, 0] - SPACE[1, 1]
    np.testing.assert_allclose(found.L, np.broadcast_to(known, found.L.shape), atol=1e-12)


def test_missing_values_stay_missing():
    flow = cut("z", out_of_plane="unknown")
    flow.velocity[3] = np.nan
    found = velocity_gradient(flow, "autodiff", at="cells")
    uses = (flow.mesh.cells.connectivity.reshape(-1, 3) == 3).any(axis=1)
    np.testing.assert_array_equal(found.valid, ~uses)
    assert np.isnan(found.L[uses]).all()


@pytest.mark.parametrize("known", [{"viscosity": 0.1}, {"viscosity": "carreau(eta0=1, eta_inf=0.1, lam=1, n=0.5)"}])
@pytest.mark.parametrize("closure", ["unknown", "incompressible"])
def test_no_verdict_without_the_rate_of_deformation(known, closure):
    gradient = velocity_gradient(cut("z", out_of_plane=closure))
    with pytest.raises(OptionError, match="rate of deformation is known nowhere"):
        separate(gradient, **known)
    with pytest.raises(OptionError, match="rate of deformation is known nowhere"):
        separate(gradient, stress=np.ones((len(gradient), 6)))
    assert separate(gradient).verdict.value == "no-stress-known"


def test_only_for_planes():
    tetra = Mesh(np.eye(4)[:, :3], Cells.of_type(10, np.array([[0, 1, 2, 3]])))
    for mesh in (tetra, meshes.SOLIDS["hexahedron"]):
        with pytest.raises(OptionError, match="needs a planar mesh"):
            velocity_gradient(Flow(mesh, mesh.points, "points", out_of_plane="unknown"))


def test_deviations_of_what_is_known():
    flow = cut("z", noise=0.1, out_of_plane="unknown")
    zero = velocity_gradient(cut("z", noise=0.1))
    unknown = velocity_gradient(flow)
    np.testing.assert_allclose(unknown.std("vorticity")[:, 2], zero.std("vorticity")[:, 2])
    assert np.isnan(unknown.std("shear_rate")).all()


@pytest.mark.parametrize("name", PLANES)
def test_deviation_of_what_incompressibility_gives(name):
    """∂v_n/∂n = −(∂v_s/∂s + ∂v_t/∂t): independent noise of the two components adds up."""
    found = velocity_gradient(cut(name, out_of_plane="incompressible", noise=np.full((42, 3), 0.1)))
    std = found.std("L")
    across = 2 if name == "oblique" else "xyz".index(name)
    in_plane = [std[:, i, i] for i in range(3) if i != across]
    np.testing.assert_allclose(std[:, across, across], np.hypot(*in_plane), rtol=1e-10)
    np.testing.assert_allclose(found.std("divergence"), 0, atol=1e-7)  # the root of rounding


@pytest.fixture
def plane_file(tmp_path):
    flow = cut("z")
    write_vtu(tmp_path / "plane.vtu", flow.mesh, {"U": flow.velocity})
    return tmp_path / "plane.vtu"


def test_the_command_says_what_is_not_known(plane_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["run", str(plane_file), "-o", str(out), "--out-of-plane", "incompressible"]) == 0
    summary = json.loads((out / "plane.json").read_text())
    assert summary["gradient"]["excluded"] == 0
    assert {"shear_rate", "lambda2", "flow_type"} <= set(summary["gradient"]["unknown"])
    assert not {"vorticity", "divergence", "L"} & set(summary["gradient"]["unknown"])
    assert summary["statistics"]["shear_rate"]["mean"] is None
    assert "shear rate" in (out / "report.html").read_text()
    written = read(out / "plane.vtu", velocity="U").point_data
    assert np.isnan(written["shear_rate"]).all()
    np.testing.assert_allclose(written["vorticity"][:, 2], SPACE[1, 0] - SPACE[0, 1], rtol=1e-12)
    assert main(["run", str(plane_file), "-o", str(out), "--out-of-plane", "unknown", "--viscosity", "0.1"]) == 1
    assert "rate of deformation is known nowhere" in capsys.readouterr().err


def test_the_command_takes_an_axis(plane_file, tmp_path, capsys):
    assert main(["run", str(plane_file), "-o", str(tmp_path / "out"), "--axisymmetric", "x", "--no-report"]) == 0
    notes = json.loads((tmp_path / "out" / "plane.json").read_text())["gradient"]["notes"]
    assert "axisymmetric about the x axis" in notes[0]
    assert main(["info", str(plane_file), "--axisymmetric", "y"]) == 0
    assert "axisymmetric about the y axis" in capsys.readouterr().out
    code = main(["run", str(plane_file), "-o", str(tmp_path), "--axisymmetric", "y", "--out-of-plane", "unknown"])
    assert code == 2
    assert "exclude each other" in capsys.readouterr().err


def test_statistics_of_the_only_component_that_is_known(plane_file):
    from flowgrad import Options, analyse

    each = analyse(plane_file, Options(out_of_plane="unknown")).statistics["vorticity"]
    assert each.component == "z"
    assert each.mean == pytest.approx(SPACE[1, 0] - SPACE[0, 1])
    assert analyse(plane_file).statistics["vorticity"].component == ""
