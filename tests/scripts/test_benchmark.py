"""The benchmark's subjects run, on meshes too small to say anything about speed."""

import pytest

pytest.importorskip("vtkmodules")

from scripts import benchmark
from scripts.benchmarks.measuring import FULL, SMALL, Accuracy, Speed, median_time
from scripts.convergence import accuracy


def test_rows_of_speed_say_ratio_and_verdict():
    row = Speed("what", 0.05, "VTK", 0.6, asked=10, threaded=0.2)
    assert row.markdown() == "| what | 50 ms | VTK | 0.6 s (0.2 s) | 12 × (4 ×) |"
    assert row.verdict() == "asked 10 ×: met"
    assert Speed("what", 0.05, "VTK", 0.4, asked=10).verdict() == "asked 10 ×: MISSED"
    assert Speed("what", 0.05, "VTK", 0.4).verdict() == ""


def test_rows_without_a_peer_say_so():
    row = Speed("what", 0.05, "VTK is missing", float("nan"), asked=10)
    assert row.markdown() == "| what | 50 ms | VTK is missing | – | – |"
    assert row.verdict() == "asked 10 ×: not compared"
    assert not row.is_compared


def test_runs_before_the_median_are_not_counted():
    calls = []
    median_time(lambda: calls.append(1))
    assert len(calls) > 9


def test_the_errors_are_those_of_the_convergence_studies():
    assert benchmark.SUBJECTS["accuracy"] is accuracy.rows
    assert (SMALL.box, SMALL.draws, FULL.box, FULL.image) == (12, 100, 56, 128)


def test_the_tables_hold_every_row():
    rows = [Speed("fast", 1.0, "peer", 2.0), Accuracy("exact", (1e-15,))]
    text = benchmark.tables(rows)
    assert "| fast | 1 s | peer | 2 s | 2 × |" in text
    assert "| exact | 1.0e-15 |  |" in text
    assert "\n".join(accuracy.LEGEND) in text
