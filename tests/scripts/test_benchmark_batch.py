"""The benchmark of many files measures what it says, on files too few to say anything about speed."""

import pytest

pytest.importorskip("vtkmodules")

from scripts.benchmarks import batch
from scripts.benchmarks.measuring import SMALL


def test_each_way_does_all_files_on_meshes_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "FILES", 3)
    assert batch._write(tmp_path, SMALL.files) == 162
    assert len({path.read_bytes() for path in (tmp_path / "in").iterdir()}) == 3


def test_runs_are_those_of_an_installed_package(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(batch.subprocess, "run", lambda words, **about: asked.update(about, words=words))
    (tmp_path / "out").mkdir()
    assert batch._run(tmp_path, ["--jobs", "2"]) >= 0
    assert not (tmp_path / "out").exists()
    assert "--jobs 2 --threads 1 --no-report" in " ".join(asked["words"])
    assert "PYTHONDONTWRITEBYTECODE" not in asked["env"]


def test_the_series_is_measured(monkeypatch):
    monkeypatch.setattr(batch, "FILES", 4)
    (row,) = batch.series(SMALL)
    assert (row.asked, row.ratio > 0) == (4.0, True)
    assert "4 steps on one mesh of 384 tetrahedra" in row.what
