"""Tables: one flow, u = y/2 and v = −x/4 at 4 × 3 points, in the forms that programs write."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import FlowgradError, Lattice, OptionError, ReadError, read
from flowgrad.io import read_contents

ROWS = [(x, y, 0.5 * y, -0.25 * x) for y, x in itertools.product((16.0, 32.0, 48.0), (16.0, 32.0, 48.0, 64.0))]

PIVLAB = (
    "PIVlab by W.Th. & E.J.S., ASCII chart output - 08-Jul-2014\n"
    "FRAME: 1, filename A: A.jpg, filename B: B.jpg, conversion factor xy (px -> m): 1, conversion factor uv: 1\n"
)
TSI = (
    'TITLE="C:\\a.vec" VARIABLES="X mm", "Y mm", "U mm/s", "V mm/s", "CHC", DATASETAUXDATA Application="PIV" ZONE I=4, '
    "J=3, F=POINT\n"
)
# Name: the head, the row of x, y, u and v, and names of arrays.
FORMS: dict[str, tuple[str, Callable[..., str], list[str]]] = {
    "pivlab.txt": (
        PIVLAB + "x [px],y [px],u [px/frame],v [px/frame],Vector type [-],vorticity [1/frame]\n",
        lambda *row: ",".join(map(str, (*row, 1, -0.75))),
        ["u", "v", "Vector type", "vorticity"],
    ),
    "openpiv.txt": (
        "# x\ty\tu\tv\tflags\tmask\n",
        lambda *row: "\t".join(f"{each:8.4f}" for each in (*row, 0, 0)),
        ["u", "v", "flags", "mask"],
    ),
    "tsi.vec": (TSI, lambda *row: ", ".join(f"{each:.6f}" for each in row) + ", 1", ["U", "V", "CHC"]),
    "davis.txt": (
        '#DaVis 8.4.0 2D-vector 8 3 4 "" "mm" "" "mm" "velocity" "mm/s"\n',
        lambda *row: "\t".join(map(str, row)).replace(".", ","),
        ["u", "v"],
    ),
    "davis10.csv": (
        "x [mm];y [mm];Velocity u [mm/s];Velocity v [mm/s];isValid\n",
        lambda *row: ";".join(map(str, row)).replace(".", ",") + ";1",
        ["Velocity u", "Velocity v", "isValid"],
    ),
    "paraview.csv": (
        '"U:0","U:1","U:2","p","Points:0","Points:1","Points:2"\n',
        lambda x, y, u, v: f"{u},{v},0,1e-3,{x},{y},0",
        ["p", "U"],
    ),
    "cfdpost.csv": (
        "[Name]\nPlane 1\n\n[Data]\nX [ m ], Y [ m ], Z [ m ], Velocity u [ m s^-1 ], Velocity v [ m s^-1 ]\n",
        lambda x, y, u, v: f"{x}, {y}, 0, {u}, {v}",
        ["Velocity u", "Velocity v"],
    ),
    "star.csv": (
        '"Velocity[i] (m/s)","Velocity[j] (m/s)","X (m)","Y (m)","Z (m)"\n',
        lambda x, y, u, v: f"{u},{v},{x},{y},0",
        ["Velocity[i]", "Velocity[j]"],
    ),
    "fluent.txt": (
        "nodenumber,    x-coordinate,    y-coordinate,      x-velocity,      y-velocity\n",
        lambda *row: "   1, " + ", ".join(f"{each: .9e}" for each in row),
        ["nodenumber", "x-velocity", "y-velocity"],
    ),
    "comsol.txt": (
        "% Model:  a.mph\n% Nodes: 12\n% x      y      u (m/s)   v (m/s)\n",
        lambda *row: "    ".join(map(str, row)),
        ["u", "v"],
    ),
    "bare.csv": ("", lambda *row: ",".join(map(str, row)), ["u", "v"]),
    "bare.txt": ("", lambda *row: "  " + " ".join(map(str, row)), ["u", "v"]),
    "comma.txt": ("", lambda *row: " ".join(map(str, row)).replace(".", ","), ["u", "v"]),
    "empty.csv": ("x,y,u,v,,\n", lambda *row: ",".join(map(str, row)) + ",,", ["u", "v"]),
    "text.csv": ("x,y,name,u,v\n", lambda x, y, u, v: f'{x},{y},"a b",{u},{v}', ["u", "v"]),
}


def write(path: Path, head: str, row: Callable[..., str], rows=ROWS, encoding: str = "utf-8") -> Path:
    path.write_text(head + "".join(f"{row(*each)}\n" for each in rows), encoding=encoding)
    return path


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path, name):
    head, row, names = FORMS[name]
    flow = read(write(tmp_path / name, head, row))
    assert list(flow.point_data) == names
    assert isinstance(flow.mesh, Lattice)
    assert flow.mesh.shape == (4, 3, 1)
    expected = np.column_stack([0.5 * flow.mesh.points[:, 1], -0.25 * flow.mesh.points[:, 0], np.zeros(12)])
    np.testing.assert_allclose(flow.velocity, expected, rtol=1e-9)
    np.testing.assert_allclose(flow.mesh.points.max(axis=0), [64, 48, 0])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, encoding):
    head = "x [µm],y [µm],u [µm/s],v [µm/s]\n"
    flow = read(write(tmp_path / "a.csv", head, lambda *row: ",".join(map(str, row)), encoding=encoding))
    np.testing.assert_allclose(flow.velocity[:, 0], 0.5 * flow.mesh.points[:, 1])


@pytest.mark.parametrize("order", [range(12), range(11, -1, -1), np.random.default_rng(1).permutation(12)])
def test_any_order_of_rows_is_the_same_lattice(tmp_path, order):
    flow = read(write(tmp_path / "a.csv", "x,y,u,v\n", lambda *row: ",".join(map(str, row)), [ROWS[i] for i in order]))
    np.testing.assert_array_equal(flow.mesh.points[:, :2], [row[:2] for row in ROWS])
    np.testing.assert_array_equal(flow.velocity[:, :2], [row[2:] for row in ROWS])


def test_scattered_points_in_space(tmp_path):
    points = np.random.default_rng(0).random((40, 3))
    table = np.column_stack([points, points @ np.arange(9.0).reshape(3, 3).T])
    np.savetxt(tmp_path / "a.txt", table)
    flow = read(tmp_path / "a.txt")
    np.testing.assert_array_equal(flow.mesh.points, points)
    np.testing.assert_array_equal(flow.velocity, table[:, 3:])
    assert not len(flow.mesh)


FLAGGED = {
    "a.vec": (TSI, "{}, {}, {}, {}, {}\n", (1, -1)),
    "b.vec": (TSI, "{}, {}, {}, {}, {}\n", (2, 0)),
    "a.txt": (PIVLAB + "x [px],y [px],u [px/frame],v [px/frame],Vector type [-]\n", "{},{},{},{},{}\n", (2, 0)),
    "b.txt": ("# x\ty\tu\tv\tflags\tmask\n", "{}\t{}\t{}\t{}\t0\t{}\n", (0, 1)),
    "c.txt": ("# x\ty\tu\tv\tflags\tmask\n", "{}\t{}\t{}\t{}\t{}\t0\n", (0, 4)),
    "d.csv": ("x,y,u,v,isValid\n", "{},{},{},{},{}\n", ("true", "false")),
}


@pytest.mark.parametrize("name", FLAGGED)
def test_marked_vectors_are_none_and_counted(tmp_path, caplog, name):
    head, form, (good, bad) = FLAGGED[name]
    rows = [form.format(*row, bad if row[0] == 32 else good) for row in ROWS]
    (tmp_path / name).write_text(head + "".join(rows))
    with caplog.at_level("INFO", "flowgrad"):
        flow = read(tmp_path / name)
    missing = np.isnan(flow.velocity).any(axis=1)
    np.testing.assert_array_equal(missing, flow.mesh.points[:, 0] == 32)
    # The file's own values stay.
    assert np.isfinite(flow.point_data[flow.velocity_name.split(",")[0]]).all()
    assert any("3 by" in message for message in caplog.messages)
    gradient = flowgrad.velocity_gradient(flow)
    np.testing.assert_allclose(gradient.L[~missing & gradient.valid][:, 0, 1], 0.5)


def test_flags_that_leave_nothing_are_asked_about_and_can_be_overridden(tmp_path):
    write(tmp_path / "a.csv", "x,y,u,v,flags\n", lambda *row: ",".join(map(str, (*row, 1))))
    with pytest.raises(
        OptionError, match=r"a\.csv: 'flags' is 0 at 0 and 1 at 12 .*none would be left.*--valid 'flags"
    ):
        read(tmp_path / "a.csv")
    assert np.isfinite(read(tmp_path / "a.csv", valid="flags==1").velocity).all()


def test_empty_fields_are_missing_values(tmp_path):
    write(tmp_path / "a.csv", "x,y,u,v,p\n", lambda x, y, u, v: f"{x},{y},{u},{'' if x == 32 else v},")
    flow = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(np.isnan(flow.velocity[:, 1]), flow.mesh.points[:, 0] == 32)


def davis(rows):
    """A grid of 8 × 6 vectors as DaVis writes it."""
    head = '#DaVis 8.4.0 2D-vector 8 6 8 "" "mm" "" "mm" "velocity" "m/s"\n'
    return head + "".join("\t".join(f"{each:.6g}" for each in row) + "\n" for row in rows)


def grid_rows(masked=lambda i, j: False, digits=6):
    rng = np.random.default_rng(0)
    for j in range(6):
        for i in range(8):
            u, v = np.round(rng.normal(size=2), digits)
            yield (8 * i, 8 * j, 0, 0) if masked(i, j) else (8 * i, 8 * j, u, v)


def test_groups_of_exact_zeros_in_text_of_davis_are_left_out_as_masked(tmp_path, caplog):
    path = tmp_path / "a.txt"
    path.write_text(davis(grid_rows(lambda i, j: (i < 3 and j < 2) or (i, j) == (6, 4))))
    flow = read(path, length_scale=1e-3)
    missing = np.isnan(flow.velocity[:, 0]).reshape(6, 8)
    assert missing.sum() == 6
    assert missing[:2, :3].all()
    assert any("7 of 48 vectors are exactly zero" in each and "--keep-zeros" in each for each in caplog.messages)
    assert np.isfinite(read(path, length_scale=1e-3, keep_zeros=True).velocity).all()


def test_zeros_that_rounding_makes_are_kept(tmp_path):
    (tmp_path / "a.txt").write_text(davis(grid_rows(lambda i, j: i < 2 and j < 2, digits=0)))
    assert np.isfinite(read(tmp_path / "a.txt", length_scale=1e-3).velocity).all()


def test_zeros_of_other_tables_are_kept(tmp_path):
    rows = "".join(",".join(map(str, row)) + "\n" for row in grid_rows(lambda i, j: i < 3))
    (tmp_path / "a.csv").write_text("x,y,u,v\n" + rows)
    assert np.isfinite(read(tmp_path / "a.csv").velocity).all()


def test_text_of_davis_that_is_masked_throughout_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(davis(grid_rows(lambda i, j: True)))
    with pytest.raises(ReadError, match="all 48 vectors are masked"):
        read(tmp_path / "a.txt", length_scale=1e-3)


def with_uncertainty(path, unit="m/s", lacking=0):
    """A table of DaVis 10 with its uncertainties, zero in the first rows."""
    head = "x [mm];y [mm];Velocity u [m/s];Velocity v [m/s];"
    head += ";".join(f"Uncertainty {name} [{unit}]" for name in ("V", "Vx", "Vy")) + ";isValid\n"
    lines = [
        ";".join(f"{each:.6g}" for each in (*row, *((0.05, 0.03, 0.04) if n >= lacking else (0, 0, 0)), int(n < 47)))
        for n, row in enumerate(grid_rows())
    ]
    path.write_text(head + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("noise", [None, "auto"])
def test_uncertainties_of_davis_are_the_noise(tmp_path, caplog, noise):
    caplog.set_level("INFO")
    flow = read(with_uncertainty(tmp_path / "a.csv"), noise=noise, length_scale=1e-3)
    np.testing.assert_allclose(flow.noise, np.tile([0.03, 0.04, 0.0], (48, 1)))
    assert any("Uncertainty Vx, Uncertainty Vy" in each for each in caplog.messages)
    assert read(tmp_path / "a.csv", noise=0.5, length_scale=1e-3).noise[0, 0] == 0.5


def test_vectors_without_an_uncertainty_have_the_median_of_the_others(tmp_path, caplog):
    caplog.set_level("INFO")
    flow = read(with_uncertainty(tmp_path / "a.csv", lacking=5), length_scale=1e-3)
    np.testing.assert_allclose(flow.noise, np.tile([0.03, 0.04, 0.0], (48, 1)))
    assert any("median at 5 vectors" in each for each in caplog.messages)


@pytest.mark.parametrize(("about", "message"), [({"unit": "mm"}, "are in m/s and mm"), ({"lacking": 40}, "missing")])
def test_uncertainties_that_do_not_serve_are_told(tmp_path, caplog, about, message):
    assert read(with_uncertainty(tmp_path / "a.csv", **about), length_scale=1e-3).noise is None
    assert any(message in each and "not used" in each for each in caplog.messages)


def test_a_curved_grid(tmp_path):
    r, phi = np.meshgrid(np.linspace(1, 2, 5), np.linspace(0, 1, 4), indexing="ij")
    x, y = r * np.cos(phi), r * np.sin(phi)
    table = np.column_stack([each.ravel(order="F") for each in (x, y, -y, x)])
    body = "\n".join(" ".join(map(str, row.tolist())) for row in table)
    (tmp_path / "a.dat").write_text(f"VARIABLES = x y u v\nZONE I=5, J=4, F=POINT, SOLUTIONTIME=0.25\n{body}\n")
    flow = read(tmp_path / "a.dat")
    assert isinstance(flow.mesh, Lattice)
    assert flow.mesh.is_curved
    assert flow.mesh.shape == (5, 4, 1)
    assert flow.time == 0.25
    blocks = "\n".join(" ".join(map(str, column.tolist())) for column in table.T)
    (tmp_path / "b.dat").write_text(f'VARIABLES = "x", "y", "u", "v"\nZONE I=5, J=4, DATAPACKING=BLOCK\n{blocks}\n')
    np.testing.assert_array_equal(read(tmp_path / "b.dat").velocity, flow.velocity)


def test_zones_of_elements_go_through_meshio(tmp_path):
    (tmp_path / "a.dat").write_text(
        'VARIABLES = "X" "Y" "U" "V"\nZONE N=4, E=2, DATAPACKING=POINT, ZONETYPE=FETRIANGLE\n'
        "0 0 0 0\n1 0 0 1\n1 1 1 1\n0 1 1 0\n1 2 3\n1 3 4\n"
    )
    flow = read(tmp_path / "a.dat")
    assert flow.mesh.type_counts() == {"triangle": 2}
    np.testing.assert_array_equal(flow.velocity, [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0]])


BAD = {
    "names.csv": ("a,b,c,d\n", "{},{},{},{}\n", "no columns of positions among a, b, c, d"),
    "few.csv": ("x,y,u\n", "{},{},{}\n", "no row of 4 numbers"),
    "five.txt": ("", "{} {} {} {} 0\n", "rows of 5 numbers and no line of names"),
    "head.csv": ("x,y,u,v\n", "{},{},{},{},7\n", "names 4 columns above rows of 5"),
    "joined.txt": ("# x5y\tu\tv\tflags\tmask\n", "{} {} {} {} 0 0\n", "names 5 columns above rows of 6"),
    "twice.csv": ("x,y,u,u\n", "{},{},{},{}\n", "2 columns named 'u'"),
    "nan.csv": ("x,y,u,v\n", "nan,{},{},{}\n", "position in row 1 .* is not finite"),
    "davis.txt": ('#DaVis 8.4.0 2D-vector 8 3 4 "" "mm"\n', "{}\t{}\t{}\t{}\t1\n", "5 columns below DaVis' header"),
    "components.csv": ('"U:0","U:2","Points:0","Points:1"\n', "{},{},{},{}\n", r"components \[0, 2\] of 'U'"),
    "zone.dat": (
        'VARIABLES="x","y","u","v"\nZONE I=5, J=3\n',
        "{} {} {} {}\n",
        r"declares \(5, 3, 1\) points but has 12",
    ),
    "cells.dat": (
        'VARIABLES="x","y","u","v"\nZONE I=4, J=3, VARLOCATION=([3-4]=CELLCENTERED)\n',
        "{} {} {} {}\n",
        "values at the cells",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_clear_is_refused(tmp_path, refused, name):
    head, form, message = BAD[name]
    (tmp_path / name).write_text(head + "".join(form.format(*row) for row in ROWS))
    with refused(tmp_path / name, message):
        read_contents(tmp_path / name)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2,3", "line 8 .*4 to 3"),
        ("1,2,3,4,5", "line 8 .*4 to 5"),
        ("1,2,three,4", "line 8 .*'three'"),
        ("# end of block", "line 8"),
    ],
)
def test_rows_that_differ_are_named_by_their_line(tmp_path, refused, row, message):
    lines = [",".join(map(str, each)) for each in ROWS]
    lines[5] = f"\n{row}"
    (tmp_path / "a.csv").write_text("x,y,u,v\n" + "\n".join(lines))
    with refused(tmp_path / "a.csv", message):
        read_contents(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("x,y,u,v,name\n" + "".join(f"{line},a\n" for line in lines[:5]) + "1,2,3,4,a,6\n")
    with refused(tmp_path / "b.csv", "line 7"):
        read_contents(tmp_path / "b.csv")


@pytest.mark.parametrize("name", ["pivlab.txt", "openpiv.txt", "tsi.vec", "davis.txt", "paraview.csv"])
def test_damaged_anywhere(tmp_path, name):
    head, row, _ = FORMS[name]
    path = write(tmp_path / name, head, row)
    data, rng = path.read_bytes(), np.random.default_rng(3)
    for length in np.linspace(0, len(data) - 1, 50).astype(int):
        path.write_bytes(data[:length])
        _reads_or_refuses(path)
    for _ in range(100):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        path.write_bytes(bytes(changed))
        _reads_or_refuses(path)


def _reads_or_refuses(path: Path) -> None:
    with contextlib.suppress(FlowgradError):
        contents = read_contents(path)
        assert all(len(values) == contents.mesh.point_count for values in contents.point_data.values())


def test_units_of_length_that_differ_stop_until_the_scale_is_given(tmp_path):
    path = tmp_path / "a.vec"
    write(path, TSI.replace("mm/s", "m/s"), lambda *row: ", ".join(map(str, row)) + ", 1")
    with pytest.raises(OptionError, match=r"positions are in mm and 'U,V' in m/s.*--length-scale 0\.001"):
        read(path)
    flow = read(path, length_scale=0.001)
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L[:, 0, 1], 500)
    np.testing.assert_allclose(flowgrad.velocity_gradient(read(path, length_scale=1)).L[:, 0, 1], 0.5)


def test_images_are_turned_right_handed(tmp_path):
    path = write(tmp_path / "a.csv", "x,y,u,v\n", lambda *row: ",".join(map(str, row)))
    up, down = (flowgrad.velocity_gradient(read(path, y_down=turned)) for turned in (False, True))
    np.testing.assert_allclose(up["vorticity"][:, 2], -0.75)
    np.testing.assert_allclose(down["vorticity"][:, 2], 0.75)
    np.testing.assert_allclose(down.L[:, 1, 0], 0.25)
    np.testing.assert_allclose(down.flow.mesh.points[:, 1].min(), -48)
    # The same flow, written with y up.
    turned = [(x, -y, u, -v) for x, y, u, v in ROWS]
    write(path, "x,y,u,v\n", lambda *row: ",".join(map(str, row)), turned)
    np.testing.assert_allclose(flowgrad.velocity_gradient(read(path)).L, down.L, atol=1e-15)


def test_cells_are_scaled_and_never_turned(data_folder):
    plain, scaled = (read(data_folder / "cavity.vtu", length_scale=scale) for scale in (None, 1e-3))
    np.testing.assert_allclose(scaled.mesh.points, plain.mesh.points * 1e-3)
    at = {"scheme": "finite-difference", "at": "cells"}
    ours, theirs = flowgrad.velocity_gradient(scaled, **at), flowgrad.velocity_gradient(plain, **at)
    np.testing.assert_allclose(ours.L, 1e3 * theirs.L, rtol=1e-9, atol=1e-9)
    with pytest.raises(FlowgradError, match="inside out"):
        read(data_folder / "cavity.vtu", y_down=True)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_scales_that_are_none(tmp_path, scale):
    with pytest.raises(OptionError, match=r"length.scale"):
        read(tmp_path / "a.csv", length_scale=scale)


def test_tables_that_may_be_cut_off_say_so(tmp_path, caplog):
    path = write(tmp_path / "a.csv", "x,y,u,v\n", lambda *row: ",".join(map(str, row)))
    whole = path.read_text().rstrip("\n") + "\n"
    path.write_text(whole)
    read(path)
    assert not caplog.messages
    path.write_text(whole[:-3])
    read(path)
    assert "its last row has no line break" in caplog.messages[0]
    path.write_text("\n".join(whole.splitlines()[:-1]) + "\n")
    read(path)
    assert "those of a lattice of 4 × 3 but for 1, and are taken as scattered" in caplog.messages[1]
