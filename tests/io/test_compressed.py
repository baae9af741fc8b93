from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest

from flowgrad import read
from flowgrad.io import read_contents

OPENERS = {".gz": gzip.open, ".xz": lzma.open}
TABLE = "x,y,u,v\n" + "\n".join(f"{x},{y},{y},{-x}" for y in range(4) for x in range(5)) + "\n"


@pytest.fixture(params=OPENERS)
def compressed(request, tmp_path):
    def write(name: str, data: bytes) -> Path:
        path = tmp_path / f"{name}{request.param}"
        with OPENERS[request.param](path, "wb") as file:
            file.write(data)
        return path

    return write


@pytest.mark.parametrize("name", ["cavity.vtu", "cavity_legacy_binary.vtk"])
def test_the_same_as_the_file_itself(compressed, data_folder, name):
    plain = read_contents(data_folder / name)
    path = compressed(name, (data_folder / name).read_bytes())
    contents = read_contents(path)
    assert contents.source == path
    assert contents.time == plain.time
    np.testing.assert_array_equal(contents.mesh.points, plain.mesh.points)
    assert list(contents.cell_data) == list(plain.cell_data)
    for key, values in plain.cell_data.items():
        np.testing.assert_array_equal(contents.cell_data[key], values)


def test_patches_are_found_by_the_name_without_the_suffix(tmp_path, data_folder):
    path = tmp_path / "offsetCylinder.vtu.gz"
    path.write_bytes(gzip.compress((data_folder / "offsetCylinder.vtu").read_bytes(), 1))
    flow = read(path, boundary=str(data_folder / "boundary/{stem}/*.vtp"))
    assert [patch.name for patch in flow.boundary] == ["cylinder", "down", "left", "right", "up"]


def test_errors_name_the_compressed_file(compressed, refused):
    path = compressed("a.csv", TABLE.replace("3,2,", "three,2,").encode())
    with refused(path, "line 15"):
        read_contents(path)


def test_cut_off_or_changed(compressed, refused):
    path = compressed("a.csv", TABLE.encode())
    data = path.read_bytes()
    for length in (3, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with refused(path, "cannot be expanded .*: the file is damaged"):
            read_contents(path)
    path.write_bytes(data[:30] + bytes([data[30] ^ 255]) + data[31:])
    with refused(path, "damaged|no row|no columns|column"):
        read_contents(path)


def test_bombs_are_refused_before_the_disk_is_full(compressed, refused, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = compressed("a.csv", bytes(80 << 20))
    with refused(path, "expands to more than 64 MiB"):
        read_contents(path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_empty_and_unknown(compressed, refused):
    with refused(empty := compressed("a.csv", b""), "is empty once expanded"):
        read_contents(empty)
    with refused(other := compressed("a.stl", b"solid"), "holds a surface or a mesh"):
        read_contents(other)
