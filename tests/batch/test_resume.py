"""The same command again does what is left, and nothing else."""

import json
import os

import pytest

from flowgrad import Options
from flowgrad.batch.manifest import DONE, FAILED
from flowgrad.batch.run import run
from flowgrad.batch.settings import Cases, Settings
from flowgrad.io import write_vtu
from tests import meshes
from tests.batch.conftest import write_flow

PLAIN = Settings(no_report=True)


def count(out):
    """How often files have ended, in all runs."""
    lines = [json.loads(line) for path in out.glob("manifest*.jsonl") for line in path.read_text().splitlines()]
    return sum(line["state"] in (DONE, FAILED) for line in lines)


@pytest.fixture
def case(tmp_path, usual):
    """A file that is done; its folder of results."""
    flow = write_flow(tmp_path / "in" / "a.vtu")
    run([flow], tmp_path / "out", usual, PLAIN)
    assert count(tmp_path / "out") == 1
    return flow, tmp_path / "out"


def test_what_is_done_is_not_done_again(case, usual):
    flow, out = case
    before = (out / "a.vtu").stat().st_mtime_ns
    (record,) = run([flow], out, usual, PLAIN)
    assert (record.state, count(out)) == (DONE, 1)
    assert (out / "a.vtu").stat().st_mtime_ns == before


def test_another_time_with_the_same_content_is_the_same_input(case, usual):
    flow, out = case
    os.utime(flow, ns=(1, 1))
    run([flow], out, usual, PLAIN)
    assert count(out) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda flow, out: write_flow(flow, seed=1),
        lambda flow, out: (out / "a.vtu").unlink(),
        lambda flow, out: (out / "a.json").write_text("{"),
        lambda flow, out: (out / "a.vtu").write_bytes((out / "a.vtu").read_bytes()[:-1]),
    ],
)
def test_another_input_or_another_result_is_done_again(case, usual, change):
    flow, out = case
    before = {name: (out / name).read_bytes() for name in ("a.vtu", "a.json")}
    size = flow.stat().st_size
    change(flow, out)
    assert flow.stat().st_size == size, "the size alone would tell"
    run([flow], out, usual, PLAIN)
    assert count(out) == 2
    is_other = flow.read_bytes() != write_flow(flow.parent / "original" / "a.vtu").read_bytes()
    assert ((out / "a.vtu").read_bytes() == before["a.vtu"]) != is_other
    assert json.loads((out / "a.json").read_text())["verdict"]


def test_other_options_and_versions_are_done_again(case, monkeypatch):
    flow, out = case
    run([flow], out, Cases(Options(at="points")), PLAIN)
    run([flow], out, Cases(Options(at="cells")), PLAIN)
    assert count(out) == 3
    monkeypatch.setattr("flowgrad.pipeline.summary.versions", lambda: {"flowgrad": "99"})
    run([flow], out, Cases(Options(at="cells")), PLAIN)
    assert count(out) == 4


def test_a_report_that_was_not_asked_for_before_is_made(case, usual):
    flow, out = case
    run([flow], out, usual, Settings())
    assert count(out) == 2
    assert "a.vtu" in (out / "report.html").read_text()
    run([flow], out, usual, Settings())
    run([flow], out, usual, PLAIN)
    assert count(out) == 2


def test_values_on_the_boundary_are_inputs(tmp_path):
    mesh = meshes.SOLIDS["tetra"]
    write_vtu(tmp_path / "a.vtu", mesh, {}, {"U": mesh.centroids})
    wall = tmp_path / "walls" / "a" / "wall.vtp"
    wall.parent.mkdir(parents=True)
    cases, out = Cases(Options(boundary="walls/{stem}/*.vtp")), tmp_path / "out"
    (first,) = run([tmp_path / "a.vtu"], out, cases, PLAIN)
    assert first.state == FAILED
    wall.write_text("no surface")
    (second,) = run([tmp_path / "a.vtu"], out, cases, PLAIN)
    assert second.state == FAILED
    assert "wall.vtp" in second.reason
    assert count(out) == 2
    run([tmp_path / "a.vtu"], out, cases, PLAIN)
    assert count(out) == 2
    wall.write_text("no surface, in other words")
    run([tmp_path / "a.vtu"], out, cases, PLAIN)
    assert count(out) == 3


def test_pieces_are_inputs_and_nothing_else(tmp_path, usual):
    (tmp_path / "a.pvtu").write_text(
        '<VTKFile type="PUnstructuredGrid"><PUnstructuredGrid><Piece Source="p.vtu"/></PUnstructuredGrid></VTKFile>'
    )
    piece, out = write_flow(tmp_path / "p.vtu"), tmp_path / "out"
    for _ in range(2):
        (record,) = run([tmp_path / "a.pvtu"], out, usual, PLAIN)
    assert (record.state, count(out)) == (DONE, 1)
    assert set(record.inputs) == {str(tmp_path / "a.pvtu"), str(piece)}
    write_flow(piece, seed=1)
    run([tmp_path / "a.pvtu"], out, usual, PLAIN)
    assert count(out) == 2


def test_a_refused_file_is_tried_again_only_when_it_is_another(tmp_path, usual):
    flow, out = tmp_path / "a.vtu", tmp_path / "out"
    (missing,) = run([flow], out, usual, PLAIN)
    assert "no such file" in missing.reason
    flow.write_text("nothing")
    for _ in range(3):
        (bad,) = run([flow], out, usual, PLAIN)
        assert "XML" in bad.reason
    assert count(out) == 2
    write_flow(flow)
    (good,) = run([flow], out, usual, PLAIN)
    assert (good.state, count(out)) == (DONE, 3)


def test_shards_of_a_list_make_one_summary(tmp_path, usual):
    flows = [write_flow(tmp_path / "in" / f"{name}.vtu", seed) for seed, name in enumerate("abc")]
    flows[1].write_text("nothing")
    for part in (3, 1):
        run(flows, tmp_path / "out", usual, Settings(shard=f"{part}/3"))
        assert not (tmp_path / "out" / "summary.csv").exists()
    run(flows, tmp_path / "out", usual, Settings(shard="2/3"))
    rows = (tmp_path / "out" / "summary.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == ["done", "failed", "done"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert all(f"{name}.vtu" in page for name in "abc")
    run(flows, tmp_path / "out", usual)
    assert count(tmp_path / "out") == 3, "the whole list takes what the shards have done"
