"""The benchmark of files measures what it says, on a mesh too small to say anything about speed."""

import pytest

pytest.importorskip("vtkmodules")

from flowgrad.io import read_contents
from scripts.benchmarks import files
from scripts.benchmarks.measuring import Accuracy, Speed


def test_each_task_is_measured(tmp_path):
    path = str(tmp_path / "few.vtu")
    cells = files.prepare("4", path)["cells"]
    assert cells == 384
    assert b"vtkZLibDataCompressor" in (tmp_path / "few.vtu").read_bytes()
    found = {name: getattr(files, name)(path) for name in ("read_ours", "read_theirs", "write_ours", "write_theirs")}
    assert all(each["seconds"] > 0 and each["peak"] >= 0 for each in found.values())
    for name in ("few.vtu.ours.vtu", "few.vtu.theirs.vtu"):
        assert len(read_contents(tmp_path / name).mesh) == cells
    rows = list(files._rows({**found, "read_many": found["read_ours"]}, [cells, 4 * cells], 1.0))
    assert [type(row) for row in rows] == [Speed, Speed, Speed, Accuracy]
    assert "4.5 times 384" in rows[1].markdown()
