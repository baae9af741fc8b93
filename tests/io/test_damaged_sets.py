"""Lattices, surfaces, pieces and lists of files, cut off or changed at random: an error, or what was there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("vtkmodules", reason="VTK writes the files")

from flowgrad import Cells, FlowgradError, Mesh, ReadError
from flowgrad.io import read_contents, write_vtu
from tests.io.test_composite import blocks, collection
from tests.io.test_lattices import EXTENTS, KINDS, made
from tests.io.test_parallel import parallel, two
from tests.io.vtk_twin import write_with_vtk

pytestmark = pytest.mark.slow

CUTS, CHANGES = 50, 100


def pieces(folder: Path) -> Path:
    two(folder)
    return parallel(folder, ["l.vtu", "r.vtu"])


def patched(folder: Path) -> Path:
    mesh = Mesh(np.eye(4, 3, -1), Cells.of_type(10, np.array([[0, 1, 2, 3]])))
    write_vtu(folder / "v.vtu", mesh, {"v": mesh.points})
    write_vtu(folder / "s.vtu", Mesh(mesh.points, Cells.of_type(5, np.array([[0, 1, 2]]))), {"v": mesh.points})
    return blocks(folder, internal="v.vtu", wall="s.vtu")


def timed(folder: Path) -> Path:
    two(folder)
    return collection(folder, ("0", "l.vtu"), ("1", "r.vtu"))


def listed(folder: Path) -> Path:
    two(folder)
    path = folder / "a.vtu.series"
    path.write_text(json.dumps({"files": [{"name": "l.vtu", "time": 0}, {"name": "r.vtu", "time": 1}]}))
    return path


LISTS: dict[str, Callable[[Path], Path]] = {"pvtu": pieces, "vtm": patched, "pvd": timed, "series": listed}


@pytest.fixture(params=[*KINDS, *LISTS])
def file(request, tmp_path, arrays) -> Path:
    if request.param in LISTS:
        return LISTS[request.param](tmp_path)
    path = tmp_path / f"a.{KINDS[request.param]}"
    data = made(request.param, EXTENTS[0], lambda count: {name: arrays(count)[name] for name in ("U", "p π", "i16")})
    write_with_vtk(data, path, block=256, pieces=2, kind=request.param)
    return path


def refused(path: Path) -> bool:
    try:
        contents = read_contents(path)
    except FlowgradError:
        return True
    for data, count in ((contents.point_data, contents.mesh.point_count), (contents.cell_data, len(contents.mesh))):
        assert all(len(values) == count for values in data.values())
    return False


def test_cut_off_anywhere(file):
    data, mesh = file.read_bytes(), read_contents(file).mesh
    for length in np.linspace(1, len(data) - 1, CUTS).astype(int):
        file.write_bytes(data[:length])
        if not refused(file):
            # What is missing was of no use: the end tags behind appended data.
            assert length > len(data) - 80
            assert len(read_contents(file).mesh) == len(mesh)


def test_changed_anywhere(file):
    """Numbers in the list of files or in the header by others, and any bytes."""
    data, rng, seen = file.read_bytes(), np.random.default_rng(0), 0
    for run in range(CHANGES):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[place] = rng.integers(256) if run % 2 else rng.choice(np.frombuffer(b"0123456789", np.uint8))
        file.write_bytes(bytes(changed))
        seen += refused(file)
    assert seen > 5


def test_a_link_to_endless_zeros_and_a_pipe_are_refused(tmp_path):
    for kind in ("vti", "pvtu", "vtm", "pvd", "series"):
        path = tmp_path / f"a.{kind}"
        path.symlink_to("/dev/zero")
        with pytest.raises(ReadError, match="not a file"):
            read_contents(path)
    two(tmp_path)
    os.mkfifo(tmp_path / "p.vtu")
    (tmp_path / "a.pvtu").unlink()
    with pytest.raises(ReadError, match="not there"):
        read_contents(parallel(tmp_path, ["l.vtu", "p.vtu"]))
