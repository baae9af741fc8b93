"""The command as a person runs it."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from flowgrad import Cells, Mesh, read
from flowgrad.cli import main
from flowgrad.io import write_vtu
from tests import meshes


def run(capsys, *arguments):
    code = main([str(each) for each in arguments])
    return code, capsys.readouterr()


def summary(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def everything(data_folder, tmp_path_factory):
    """All flows of data/ in one run."""
    out = tmp_path_factory.mktemp("out")
    code = main(["run", str(data_folder / "*.vtu"), "-o", str(out), "--cases", str(data_folder / "cases.toml"), "-q"])
    return code, out


@pytest.fixture(scope="module")
def data_folder():
    from pathlib import Path

    return Path(__file__).parents[2] / "data"


def test_all_flows_are_processed(everything, data_folder):
    code, out = everything
    assert code == 0
    names = sorted(path.stem for path in data_folder.glob("*.vtu"))
    assert sorted(path.stem for path in out.glob("*.vtu")) == names
    with (out / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done"] * len(names)
    pages = {path.stem for path in (out / "report").glob("*.html") if path.stat().st_size > 30_000}
    assert pages == set(names)
    assert not list(out.glob(".*")), "temporary files were left"


@pytest.mark.parametrize(
    ("case", "verdict", "origin"),
    [
        ("oc_Newtonian", "newtonian", "given"),
        ("oc_powerLaw", "shear-thinning", "found"),
        ("offsetCylinder", "shear-thickening", "found"),
        ("planarPoiseuille_Maxwell", "viscoelastic", "found"),
        ("pitzDaily", "no-stress-known", "none"),
        ("cavity3Dtet", "no-stress-known", "none"),
    ],
)
def test_verdicts(everything, case, verdict, origin):
    found = summary(everything[1], case)
    assert (found["verdict"], found["origin"]) == (verdict, origin)
    assert found["statement"]
    assert len(found["provenance"]["sha256"]) == 64


def test_eddy_viscosity_is_no_property_of_the_fluid(everything):
    assert "nut" in summary(everything[1], "pitzDaily")["statement"]


def test_the_maxwell_fluid_has_its_normal_stress(everything):
    """N1 = 2 η_M λ γ̇² with η_M = 1, λ = 5, to 1 % away from the wall and the symmetry plane."""
    flow = read(everything[1] / "planarPoiseuille_Maxwell.vtu", velocity="U")
    order = np.argsort(flow.mesh.centroids[:, 1])[1:-1]
    rate, N1 = flow.cell_data["shear_rate"][order], flow.cell_data["N1"][order]
    np.testing.assert_allclose(N1, 2 * 1 * 5 * rate**2, rtol=0.01)


def test_written_fields_add_up(everything):
    cells = read(everything[1] / "planarPoiseuille_Maxwell.vtu", velocity="U").cell_data
    np.testing.assert_allclose(cells["D"] + cells["W"], cells["L"], atol=1e-12)


def test_the_wrong_sign_of_the_stress_is_stopped(capsys, data_folder, tmp_path):
    case = data_folder / "planarPoiseuille_Maxwell.vtu"
    code, _ = run(capsys, "run", case, "-o", tmp_path, "--stress=-sigma", "--no-report")
    assert code == 0
    code, printed = run(capsys, "run", case, "-o", tmp_path, "--stress=sigma", "--no-report")
    assert code == 1
    assert "--stress=-sigma" in printed.err
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"summary.csv", "manifest.jsonl", "run.toml"}, "results of the first run are misleading"


def test_results_open_in_vtk(everything):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    for name in ("pipeCyclic", "offsetCylinder"):
        reader = vtkXMLUnstructuredGridReader()
        reader.SetFileName(str(everything[1] / f"{name}.vtu"))
        reader.Update()
        cells = reader.GetOutput().GetCellData()
        ours = read(everything[1] / f"{name}.vtu", velocity="U").cell_data
        assert {"L", "D", "W", "vorticity", "shear_rate", "lambda2", "U"} <= set(ours)
        for array in ours:
            np.testing.assert_array_equal(vtk_to_numpy(cells.GetArray(array)), ours[array])


def bad_files(folder, good):
    """One file of every kind of damage, each with the word that its error must have."""
    content = good.read_bytes()
    mesh = meshes.SOLIDS["tetra"]
    v = mesh.points
    cut = folder / "truncated.vtu"
    cut.write_bytes(content[: len(content) // 2])
    (folder / "empty.vtu").touch()
    (folder / "folder.vtu").mkdir()
    (folder / "text.vtu").write_text("no mesh")
    (folder / "unknown.xyz").write_text("no mesh")
    write_vtu(folder / "scalars.vtu", mesh, {"p": v[:, 0]})
    write_vtu(folder / "two.vtu", mesh, {"U": v, "velocity": 2 * v})
    damaged = mesh.cells.connectivity.copy()
    damaged[7] = len(mesh.points)
    out_of_range = content_with_connectivity(folder / "range.vtu", mesh, damaged)
    return {
        cut: "truncated",
        folder / "empty.vtu": "empty",
        folder / "folder.vtu": "directory",
        folder / "text.vtu": "XML",
        folder / "unknown.xyz": ".xyz",
        folder / "missing.vtu": "no such file",
        folder / "scalars.vtu": "--velocity",
        folder / "two.vtu": "velocity",
        out_of_range: "names point",
    }


def content_with_connectivity(path, mesh, connectivity):
    """A VTU in ASCII whose connectivity is out of range (our writer would refuse the mesh)."""
    types, offsets = mesh.cells.types, mesh.cells.offsets[1:]

    def array(name, values, kind, components=1):
        text = " ".join(map(str, np.ravel(values)))
        head = f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" format="ascii">'
        return f"{head}{text}</DataArray>"

    path.write_text(
        '<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian"><UnstructuredGrid>'
        f'<Piece NumberOfPoints="{len(mesh.points)}" NumberOfCells="{len(mesh)}">'
        f"<PointData>{array('U', mesh.points, 'Float64', 3)}</PointData>"
        f"<Points>{array('Points', mesh.points, 'Float64', 3)}</Points><Cells>"
        f"{array('connectivity', connectivity, 'Int64')}{array('offsets', offsets, 'Int64')}"
        f"{array('types', types, 'UInt8')}"
        "</Cells></Piece></UnstructuredGrid></VTKFile>"
    )
    return path


def test_bad_files_cost_only_themselves(capsys, data_folder, tmp_path):
    good = data_folder / "planarPoiseuille_Maxwell.vtu"
    bad = bad_files(tmp_path, good)
    out = tmp_path / "out"
    code, printed = run(capsys, "run", *bad, good, "-o", out, "-q")
    assert code == 1
    assert (out / "planarPoiseuille_Maxwell.vtu").exists()
    assert "Traceback" not in printed.err
    lines = [line for line in printed.err.splitlines() if line]
    assert len(lines) == len(bad)
    for (path, word), line in zip(bad.items(), lines, strict=True):
        assert path.name in line
        assert word in line, line
        assert "unexpected" not in line
    with (out / "summary.csv").open() as file:
        status = [row["status"] for row in csv.DictReader(file)]
    assert status == ["failed"] * len(bad) + ["done"]
    assert "truncated.vtu" in (out / "report.html").read_text()


def test_missing_values_are_masked_and_told(capsys, tmp_path):
    mesh = meshes.SOLIDS["tetra"]
    velocity = mesh.points.copy()
    velocity[3] = np.nan
    write_vtu(tmp_path / "holes.vtu", mesh, {"U": velocity})
    code, _ = run(capsys, "run", tmp_path / "holes.vtu", "-o", tmp_path / "out", "--at", "cells", "--no-report")
    assert code == 0
    result = read(tmp_path / "out" / "holes.vtu")
    uses = (mesh.cells.connectivity.reshape(-1, 4) == 3).any(axis=1)
    np.testing.assert_array_equal(result.cell_data["valid"], ~uses)
    assert summary(tmp_path / "out", "holes")["gradient"]["excluded"] == uses.sum()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quantities", "L,vorticty"], "did you mean 'vorticity'"),
        (["--scheme", "autodif"], "did you mean 'autodiff'"),
        (["--viscosity", "careau(eta0=1)"], "did you mean 'carreau'"),
        (["--viscosity", "power-law(K=1)"], "needs n"),
        (["--scheme", "autodiff", "--gradient-field", "L"], "exclude each other"),
        (["--stress", "tau", "--viscosity", "0.1"], "exclude each other"),
        (["--density", "0"], "positive"),
        (["--velocity", ""], "empty"),
        (["--scheme", "file(name=3)"], "name an array"),
    ],
)
def test_wrong_usage_is_told_before_any_file_is_read(capsys, tmp_path, arguments, message):
    code, printed = run(capsys, "run", tmp_path / "none.vtu", "-o", tmp_path / "out", *arguments)
    assert code == 2
    assert message in printed.err
    assert not (tmp_path / "out").exists()


def test_arguments_that_do_not_exist_are_wrong_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "a.vtu"])
    assert stop.value.code == 2
    assert "-o" in capsys.readouterr().err


def test_results_never_overwrite_an_input(capsys, data_folder, tmp_path):
    shutil.copy(data_folder / "planarPoiseuille_Maxwell.vtu", tmp_path / "a.vtu")
    before = (tmp_path / "a.vtu").read_bytes()
    code, printed = run(capsys, "run", tmp_path / "a.vtu", "-o", tmp_path)
    assert code == 2
    assert "overwrite" in printed.err
    assert (tmp_path / "a.vtu").read_bytes() == before


def test_files_of_one_name_keep_apart(capsys, data_folder, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        shutil.copy(data_folder / "planarPoiseuille_Maxwell.vtu", tmp_path / folder / "case.vtu")
    code, _ = run(capsys, "run", str(tmp_path / "*" / "case.vtu"), "-o", tmp_path / "out", "--no-report")
    assert code == 0
    written = sorted(path.name for path in (tmp_path / "out").glob("*.vtu"))
    assert len(written) == 2
    assert written[0].endswith("one-case.vtu")


def test_files_that_are_no_results_are_not_overwritten(capsys, data_folder, tmp_path):
    (tmp_path / "planarPoiseuille_Maxwell.vtu").write_text("mine")
    case = data_folder / "planarPoiseuille_Maxwell.vtu"
    code, printed = run(capsys, "run", case, "-o", tmp_path)
    assert code == 2
    assert "no result of flowgrad" in printed.err
    assert (tmp_path / "planarPoiseuille_Maxwell.vtu").read_text() == "mine"


def test_the_same_command_runs_again(capsys, data_folder, tmp_path):
    shutil.copy(data_folder / "planarPoiseuille_Maxwell.vtu", tmp_path / "a.vtu")
    for _ in range(2):
        code, _ = run(capsys, "run", str(tmp_path / "**" / "*.vtu"), "-o", tmp_path / "out", "--no-report")
        assert code == 0


def test_a_flow_without_any_gradient_fails(capsys, tmp_path):
    mesh = meshes.SOLIDS["tetra"]
    write_vtu(tmp_path / "nothing.vtu", mesh, {"U": np.full(mesh.points.shape, np.nan)})
    code, printed = run(capsys, "run", tmp_path / "nothing.vtu", "-o", tmp_path / "out", "--viscosity", "0.1")
    assert code == 1
    assert "there is nothing to differentiate" in printed.err


def test_the_velocity_is_never_lost(capsys, tmp_path):
    mesh = meshes.SOLIDS["tetra"]
    write_vtu(tmp_path / "named.vtu", mesh, {"L": mesh.points})
    code, _ = run(capsys, "run", tmp_path / "named.vtu", "-o", tmp_path / "out", "--velocity", "L", "--no-report")
    assert code == 0
    np.testing.assert_array_equal(read(tmp_path / "out" / "named.vtu").velocity, mesh.points)


def test_info_tells_what_is_there_and_what_would_be_used(capsys, data_folder):
    code, printed = run(capsys, "info", data_folder / "pipeCyclic.vtu")
    assert code == 0
    for words in (
        "1100 hexahedron, 250 wedge, 250 polyhedron",
        "velocity  U at cells",
        "finite-difference",
        "OpenFOAM",
    ):
        assert words in printed.out


@pytest.mark.parametrize("what", ["quantities", "models", "schemes", "cells", "formats"])
def test_list(capsys, what):
    code, printed = run(capsys, "list", what)
    assert code == 0
    assert len(printed.out.splitlines()) >= 3


def test_nothing_heavy_is_imported_for_a_look_at_the_help():
    heavy = ("numpy", "numba", "scipy", "matplotlib", "meshio")
    code = f"import sys, flowgrad, flowgrad.cli; sys.exit(any(m in sys.modules for m in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_options_by_file_are_checked(capsys, tmp_path):
    cases = tmp_path / "cases.toml"
    cases.write_text('[a]\nviscosty = "nu"\n')
    code, printed = run(capsys, "run", "a.vtu", "-o", tmp_path / "out", "--cases", cases)
    assert code == 2
    assert "did you mean 'viscosity'" in printed.err
    cases.write_text('[a]\nlength_scale = "water"\n')
    code, printed = run(capsys, "run", "a.vtu", "-o", tmp_path / "out", "--cases", cases)
    assert code == 2
    assert "is not a number" in printed.err
    cases.write_text("nonsense")
    code, printed = run(capsys, "run", "a.vtu", "-o", tmp_path / "out", "--cases", cases)
    assert code == 2
    assert "TOML" in printed.err


def test_a_flow_at_rest_is_no_error(capsys, tmp_path):
    mesh = Mesh(np.eye(4)[:, :3], Cells.of_type(10, np.array([[0, 1, 2, 3]])))
    write_vtu(tmp_path / "rest.vtu", mesh, {"U": np.zeros((4, 3))})
    code, _ = run(capsys, "run", tmp_path / "rest.vtu", "-o", tmp_path / "out", "--viscosity", "0.1")
    assert code == 0
    assert summary(tmp_path / "out", "rest")["verdict"] == "newtonian"


def test_verify_tells_how_the_schemes_do_on_a_mesh(capsys, data_folder):
    code, out = run(capsys, "verify", data_folder / "cavity3Dtet.vtu")
    assert code == 0
    assert "fits, order 4" in out.out
    assert out.out.rstrip().endswith("passed: every scheme that fits reproduces linear flows on this mesh to rounding")


def test_verify_measures_the_orders(capsys, monkeypatch):
    from flowgrad import verify

    triangles = next(verify.generated())
    monkeypatch.setattr(verify, "generated", lambda: [triangles])
    code, out = run(capsys, "verify")
    assert code == 0
    assert out.out.count(" ok") == 10
    assert "4225 points, 8192 triangle" in out.out
    assert "FAIL" not in out.out
    monkeypatch.setattr(verify, "SLACK", -3.0)
    code, out = run(capsys, "verify")
    assert code == 1
    assert "FAILED: 10 lines" in out.out.splitlines()[-1]
