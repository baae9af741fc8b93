"""The command ``plot`` as a person runs it."""

import re

import pytest

from flowgrad.cli import main


def run(capsys, *arguments):
    try:
        code = main([str(each) for each in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    return code, out, err


def texts(path):
    return set(re.findall(r">([^<>]+)</t(?:ext|span)>", path.read_text()))


@pytest.fixture(scope="module")
def cylinder(data):
    return data / "offsetCylinder.vtu"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_figure_of_a_quantity(capsys, data, tmp_path, kind):
    target = tmp_path / "new" / f"figure.{kind}"
    code, out, err = run(capsys, "plot", data / "cavity3Dtet.vtu", "--quantity", "lambda2", "-o", target)
    assert (code, out, err) == (0, "", f"{target}\n")
    assert target.read_bytes()[:4] in (b"\x89PNG", b"<?xm", b"%PDF")
    assert [each.name for each in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--quantity", "lambda2", "--slice", "z=0.05", "--streamlines"), {"x [L]", "y [L]", "z = 0.05"}),
        (("--quantity", "p", "--slice", "1,1,0@0.05,0.05,0.05", "--vectors"), {"s [L]", "z [L]"}),
        (("--quantity", "p", "--boundary"), {"x", "y", "z", "0.02 [L]"}),
        (("--quantity", "p", "--view", "-y"), {"x [L]", "z [L]"}),
        (("--quantity", "velocity", "--line", "0.05,0,0.05:0.05,0.1,0.05"), {"y [L]", "x = 0.05, z = 0.05"}),
        (("--quantity", "velocity", "--line", "0.05,0:0.05,0.1"), {"y [L]", "x = 0.05, z = 0.05"}),
        (("--kind", "flow-types"), {"share of the volume"}),
        (("--kind", "flow-types", "--slice", "z=0.02"), {"share of the volume", "z = 0.02"}),
        (("--kind", "labels", "--slice", "z=0.02", "--viscosity", "0.1"), {"z = 0.02"}),
        (("--kind", "ellipses", "--slice", "z=0.02"), {"z = 0.02"}),
        (("--kind", "contours", "--quantity", "shear_rate", "--limits", "0:8"), {"0", "8"}),
        (("--slice", "z=0.02", "--vectors"), {"0.5 [L/T]", "z = 0.02"}),
        (("--kind", "contours", "--quantity", "p"), {"x [L]"}),
        (("--kind", "distribution", "--quantity", "vorticity"), {"share of the volume [%]"}),
        (("--kind", "viscosity", "--viscosity", "0.01"), {"cells"}),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_is_drawn_and_where(capsys, data, tmp_path, options, expected):
    target = tmp_path / "figure.svg"
    code, _, err = run(capsys, "plot", data / "cavity3Dtet.vtu", *options, "-q", "-o", target)
    assert (code, err) == (0, "")
    assert expected <= texts(target)


@pytest.mark.parametrize(
    ("quantity", "options", "label"),
    [
        ("vorticity", (), ""),
        ("array:vorticity", (), "vorticity_z"),
        ("array:vorticity", ("--line", "2,-1.5:2,2.5"), "vorticity_z"),
        ("array:vorticity", ("--kind", "contours"), "vorticity_z"),
        ("array:vorticity", ("--kind", "distribution"), "vorticity_z"),
        ("array:p", (), "p"),
    ],
)
def test_an_array_named_like_a_quantity(capsys, cylinder, tmp_path, quantity, options, label):
    """What is computed is shown, and said to be; the array of the file is asked for by its kind."""
    target = tmp_path / "figure.svg"
    code, _, err = run(capsys, "plot", cylinder, "--quantity", quantity, *options, "-o", target)
    assert code == 0
    note = "vorticity is computed; the file's own array of this name is --quantity array:vorticity"
    assert (note in err) == (not label)
    assert {each for each in texts(target) if each.endswith("[unit of the file]")} == (
        {f"{label} [unit of the file]"} if label else set()
    )


def test_a_quantity_that_cannot_be_computed_names_the_array_of_the_file(capsys, tmp_path):
    table = tmp_path / "flow.csv"
    rows = [f"{x},{y},{y},0,{x + y}" for x in range(4) for y in range(4)]
    table.write_text("\n".join(["x,y,u,v,viscosity", *rows, ""]))
    target = tmp_path / "figure.svg"
    code, _, err = run(capsys, "plot", table, "--quantity", "viscosity", "-o", target)
    assert code == 2
    assert "give --viscosity" in err
    assert "--quantity array:viscosity" in err
    assert err.count("\n") == 1
    code, _, _ = run(capsys, "plot", table, "--quantity", "array:viscosity", "-o", target)
    assert code == 0
    assert any("viscosity [unit of the file]" in each for each in texts(target))


@pytest.fixture
def table(tmp_path):
    """A planar flow with one velocity that is not known."""
    path = tmp_path / "$a_1$.csv"
    rows = [f"{x},{y},{y * y if (x, y) != (2, 2) else 'nan'},0" for x in range(8) for y in range(5)]
    path.write_text("\n".join(["x,y,u,v", *rows, ""]))
    return path


def test_the_place_is_said_beside_the_meaning_of_grey(capsys, table, tmp_path):
    target = tmp_path / "figure.svg"
    code, _, _ = run(capsys, "plot", table, "--vectors", "-q", "-o", target)
    assert code == 0
    said = texts(target)
    assert "the cells of the mesh in the plane z = 0" in said
    assert any(each.startswith("no value") for each in said)
    assert "10 [L/T]" in said


def test_a_line_outside_the_plane_of_the_mesh_is_refused(capsys, table, tmp_path):
    target = tmp_path / "figure.svg"
    code, _, err = run(capsys, "plot", table, "--line", "0,0,0.5:2,2,0.5", "-o", target)
    assert code == 2
    assert "not in the plane of the mesh (z = 0)" in err
    assert err.count("\n") == 1
    code, _, _ = run(capsys, "plot", table, "--line", "0,0:2,2", "-q", "-o", target)
    assert code == 0
    assert "(0, 0, 0) to (2, 2, 0)" in texts(target)


def test_names_of_files_are_no_formulas(capsys, table, tmp_path):
    other = tmp_path / "_x.csv"
    other.write_bytes(table.read_bytes())
    target = tmp_path / "figure.svg"
    code, _, _ = run(capsys, "plot", table, other, "--line", "0,1:7,1", "-q", "-o", target)
    assert code == 0
    assert {"$a_1$", "_x"} <= texts(target)


def test_verbose_says_how_and_with_what_limits(capsys, table, tmp_path):
    code, _, err = run(capsys, "plot", table, "-v", "-o", tmp_path / "figure.png")
    assert code == 0
    assert "finite-difference" in err
    assert "of 40 gradients are left out" in err
    assert "colours of shear_rate: " in err
    code, _, err = run(capsys, "plot", table, "-o", tmp_path / "figure.png")
    assert "finite-difference" not in err


@pytest.mark.parametrize("width", ["one", "two"])
def test_the_value_and_its_uncertainty_do_not_overlap(capsys, table, tmp_path, width, monkeypatch):
    drawn = []
    monkeypatch.setattr("flowgrad.cli.figure._save", lambda ax, output: drawn.extend(ax.figure.axes))
    code, _, _ = run(
        capsys,
        "plot",
        table,
        "--kind",
        "uncertainty",
        "--noise",
        "0.02",
        "--width",
        width,
        "-q",
        "-o",
        tmp_path / "a.png",
    )
    assert code == 0
    first, second = (panel.get_tightbbox() for panel in drawn)
    assert not first.overlaps(second)


def test_several_files_over_one_another(capsys, data, tmp_path):
    files = [data / f"{name}.vtu" for name in ("oc_Newtonian", "offsetCylinder")]
    target = tmp_path / "figure.svg"
    code, _, err = run(capsys, "plot", *files, "--quantity", "velocity", "--line", "2,-1.5:2,2.5", "-q", "-o", target)
    assert (code, err) == (0, "")
    assert {"oc_Newtonian", "offsetCylinder"} <= texts(target)


def test_the_uncertainty_lies_beside_the_value(capsys, cylinder, tmp_path):
    target = tmp_path / "figure.svg"
    code, _, _ = run(
        capsys, "plot", cylinder, "--kind", "uncertainty", "--quantity", "shear_rate", "--noise", "0.01", "-o", target
    )
    assert code == 0
    assert target.read_text().count(">x [L]</text>") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--quantitiy", "lambda2"), "--quantitiy (did you mean --quantity?)"),
        (("--quantity", "lamda2"), "unknown quantity 'lamda2' (did you mean 'lambda2'?)"),
        (("--quantity", "pp"), "(did you mean 'p'?)"),
        (("--quantity", "array:vortcity"), "unknown array 'vortcity' (did you mean 'vorticity'?)"),
        (("--quantity", "array:shear_rate"), "unknown array 'shear_rate': known are"),
        (("--velocity", "UU"), "UU"),
        (("--kind", "fild"), "did you mean 'field'?"),
        (("--kind", "ellipses", "--quantity", "D"), "shows no --quantity"),
        (("--kind", "flow-curve"), "--viscosity"),
        (("--kind", "uncertainty"), "--noise"),
        (("--slice", "z"), "write z=0.5"),
        (("--slice", "z=q"), "no finite number"),
        (("--slice", "z=9"), "meets no cell"),
        (("--slice", "0,0,0@0,0,0"), "not zero"),
        (("--slice", "z=0", "--boundary"), "exclude each other"),
        (("--line", "0,0"), "two points"),
        (("--line", "9,9,9:10,10,10"), "meets no cell"),
        (("--limits", "2:1"), "rise"),
        (("--view", "w"), "X,Y,Z"),
        (("--width", "three"), "one or two"),
        (("--view", "z", "--streamlines"), "leave them out"),
        (
            ("--kind", "ellipses", "--limits", "0:1"),
            "--limits is for --kind field, contours, uncertainty, not for ellips",
        ),
        (("--kind", "flow-types", "--limits", "0:1"), "--limits is for --kind field, contours, uncertainty"),
        (("--kind", "ellipses", "--boundary"), "is for --kind field, uncertainty, flow-types, labels, regions"),
        (("--kind", "contours", "--view", "x"), "is for --kind field, uncertainty, flow-types, labels, regions"),
        (("--kind", "contours", "--vectors"), "--vectors is for --kind field"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_mistakes_end_with_one_line_that_helps(capsys, cylinder, tmp_path, options, message):
    target = tmp_path / "figure.png"
    code, _, err = run(capsys, "plot", cylinder, *options, "-o", target)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert not target.exists()


def test_targets_that_cannot_be_are_refused(capsys, cylinder, tmp_path):
    copy = tmp_path / "flow.vtu"
    copy.write_bytes(cylinder.read_bytes())
    for target, message in ((copy, "png, svg, pdf"), (tmp_path / "a.gif", "png, svg, pdf")):
        code, _, err = run(capsys, "plot", copy, "-o", target)
        assert code == 2
        assert message in err
    code, _, err = run(capsys, "plot", copy, cylinder, "-o", tmp_path / "a.png")
    assert code == 2
    assert "--line" in err
    (tmp_path / "file").write_text("")
    code, _, err = run(capsys, "plot", copy, "--quantity", "p", "-o", tmp_path / "file" / "a.png")
    assert code == 1
    assert "folder" in err
    assert copy.read_bytes() == cylinder.read_bytes()


@pytest.mark.parametrize("verb", ["run", "info", "verify", "curve", "plot"])
def test_every_command_names_the_nearest_option(capsys, verb):
    code, _, err = run(capsys, verb, "x.vtu", "--quite", *(["-o", "o.png"] if verb in ("run", "plot", "curve") else []))
    assert code == 2
    assert "--quite (did you mean --quiet?)" in err
    assert err.count("\n") == 1


def test_the_help_has_examples(capsys):
    code, out, _ = run(capsys, "plot", "--help")
    assert code == 0
    assert "flowgrad plot case.vtu --quantity lambda2 -o figure.pdf" in out
    assert "array:NAME" in out
