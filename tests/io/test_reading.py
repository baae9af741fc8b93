from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from flowgrad import Cells, Mesh, OptionError, ReadError, read
from flowgrad.io import Format, formats, read_contents, write_vtu


@pytest.fixture
def file(tmp_path):
    mesh = Mesh(np.eye(4, 3), Cells.of_type(5, np.array([[0, 1, 2], [1, 2, 3]])))
    path = tmp_path / "case.VTU"
    write_vtu(path, mesh, {"U": np.ones((4, 3))}, {"U": np.full((2, 3), 2.0), "p": [1.0, 2]}, {"TimeValue": 3})
    return path


def test_read_makes_a_flow(file):
    flow = read(str(file))
    assert (flow.velocity_name, flow.location, flow.time, flow.source) == ("U", "cells", 3.0, file)
    assert flow.velocity.tolist() == [[2, 2, 2]] * 2
    assert list(flow.cell_data) == ["U", "p"]
    assert flow.boundary == ()
    assert read(file, location="points").velocity.tolist() == [[1, 1, 1]] * 4
    with pytest.raises(OptionError, match="'p' has the shape"):
        read(file, velocity="p")


def test_nothing_to_differentiate(tmp_path):
    write_vtu(tmp_path / "none.vtu", Mesh(np.empty((0, 3)), Cells.empty()), {"U": np.empty((0, 3))})
    with pytest.raises(OptionError, match="has no points"):
        read(tmp_path / "none.vtu", location="points")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.vtu", "there is no such file"),
        (".", "is a directory"),
        ("empty.vtu", "is empty"),
        ("a.odd", r"suffix '\.odd' are not read: convert to one of .*\.vtu \.vtp"),
        ("plain", "suffix '' are not read"),
        ("pipe.vtu", "is not a file"),
    ],
)
def test_files_that_cannot_be_read(refused, tmp_path, name, message):
    (tmp_path / "empty.vtu").touch()
    (tmp_path / "a.odd").write_text("x")
    (tmp_path / "plain").write_text("x")
    os.mkfifo(tmp_path / "pipe.vtu")
    with refused(tmp_path / name, message):
        read_contents(tmp_path / name)


def test_errors_of_the_system_are_read_errors(file, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(formats(), ".vtu", Format("tests", refuse))
    with pytest.raises(ReadError, match=r"cannot be read \(Permission denied\)"):
        read_contents(file)


def test_suffixes():
    assert {".vtu", ".vtp", ".vti", ".vtr", ".vts", ".pvtu", ".vtm", ".pvd", ".series", ".vtk", ".msh"} <= set(
        formats()
    )


def test_double_suffix_is_known(tmp_path):
    (tmp_path / "a.b.vtm.series").write_bytes(b"x")
    with pytest.raises(ReadError, match="is not JSON"):
        read_contents(tmp_path / "a.b.vtm.series")


def test_import_is_cheap():
    code = (
        "import sys, flowgrad.io as io; io.formats(), io.read; "
        "print(*(m for m in ('meshio', 'numba', 'scipy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_with_path())
    assert done.stdout.split() == []


def _with_path():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
