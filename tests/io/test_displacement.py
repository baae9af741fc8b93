"""Displaced points: never left or moved without a word, and moved where it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import Cells, Lattice, Mesh, OptionError, velocity_gradient
from flowgrad.cli import main
from flowgrad.io import Contents, ReadOptions, flow_of, write_vtu
from tests import meshes

MESH = meshes.SOLIDS["tetra"]
A = np.array([[1.0, 2, -0.5], [0.3, -3, 1], [0.2, 0.7, 2]])
D = np.column_stack([0.2 * MESH.points[:, 1], 0.1 * MESH.points[:, 0] ** 2, 0.3 * MESH.points[:, 2]])
U = (MESH.points + D) @ A.T


def file(folder, **arrays):
    write_vtu(folder / "a.vtu", MESH, {"U": U, **arrays})
    return folder / "a.vtu"


COMPONENTS = {f"disp_{axis}": D[:, i] for i, axis in enumerate("xyz")}


@pytest.mark.parametrize(
    ("arrays", "name"),
    [
        ({"DISPL": D}, "DISPL"),
        ({"displacement": D.astype(np.float32).astype(float)}, "displacement"),
        ({"Mesh_Displacement": D}, "Mesh_Displacement"),
        (COMPONENTS, "disp_x,disp_y,disp_z"),
        ({f"displacement{i}": D[:, i - 1] for i in (1, 2, 3)}, "displacement1,displacement2,displacement3"),
    ],
)
def test_a_file_with_displacements_must_be_told(tmp_path, arrays, name):
    path = file(tmp_path, **arrays)
    with pytest.raises(
        OptionError, match=rf"a\.vtu: has the displacement '{name}' \(up to .*--displacement {name} moves"
    ):
        flowgrad.read(path)
    moved = flowgrad.read(path, displacement=name)
    np.testing.assert_allclose(moved.mesh.points, MESH.points + D, rtol=0, atol=1e-7)
    tolerance = 1e-6 if name == "displacement" else 1e-12
    np.testing.assert_allclose(
        velocity_gradient(moved, "autodiff").L, np.broadcast_to(A, (len(U), 3, 3)), atol=tolerance
    )
    left = flowgrad.read(path, displacement="none")
    np.testing.assert_array_equal(left.mesh.points, MESH.points)
    assert np.abs(velocity_gradient(left, "autodiff").L - A).max() > 0.1


def test_displacements_of_zero_and_other_names_say_nothing(tmp_path, caplog):
    zero = np.zeros_like(D)
    flow = flowgrad.read(file(tmp_path, DISPL=zero, electric_displacement=D, dispersion=D[:, 0], disp_x=D[:, 0]))
    np.testing.assert_array_equal(flow.mesh.points, MESH.points)
    assert not caplog.records


def test_the_displacement_as_the_velocity_does_not_stop(tmp_path):
    assert flowgrad.read(file(tmp_path, displacement=D), "displacement").velocity_name == "displacement"


def test_points_that_were_moved_are_not_moved_again(tmp_path):
    moved = flowgrad.read(file(tmp_path, DISPL=D), displacement="DISPL", length_scale=2.0)
    np.testing.assert_allclose(moved.mesh.points, 2 * (MESH.points + D), rtol=1e-14)
    flowgrad.write(tmp_path / "b.vtu", moved)
    again = flowgrad.read(tmp_path / "b.vtu")
    np.testing.assert_array_equal(again.mesh.points, moved.mesh.points)
    np.testing.assert_array_equal(again.point_data["DISPL (applied)"], D)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("DISP", "no array 'DISP' at the points.*DISPL.*: displacements are 'DISPL'"),
        ("p", "'p' has 1 components and not 2 or 3"),
        ("hole", "'hole' is not finite at 1 of"),
        ("", "--displacement.*empty"),
    ],
)
def test_names_that_do_not_fit(tmp_path, given, message):
    hole = D.copy()
    hole[3, 1] = np.nan
    path = file(tmp_path, DISPL=D, p=D[:, 0], hole=hole)
    with pytest.raises(OptionError, match=message):
        flowgrad.read(path, displacement=given)


@pytest.mark.parametrize("mesh", [Mesh(MESH.points, Cells.empty()), Lattice.uniform((4, 3, 3), (1.0, 1.0, 1.0))])
def test_particles_and_straight_grids_are_told_of(caplog, mesh):
    x = mesh.points
    contents = Contents(mesh, Path("a.x"), {"U": x, "displacement": x + 1})
    np.testing.assert_array_equal(flow_of(contents).mesh.points, x)
    assert "by which its points are not moved: --displacement NAME does" in caplog.text
    np.testing.assert_array_equal(flow_of(contents, ReadOptions(displacement="displacement")).mesh.points, x + (x + 1))


def test_the_command_says_both_ways(tmp_path, capsys):
    path = file(tmp_path, DISPL=D)
    run = ["run", str(path), "-o", str(tmp_path / "out"), "--no-report", "-q"]
    assert main(run) == 1
    assert "--displacement none" in capsys.readouterr().err
    assert main([*run, "--displacement", "DISPL"]) == 0
