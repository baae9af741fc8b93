"""The benchmark's subjects run, on meshes too small to say anything about speed."""

import numpy as np
import pytest

pytest.importorskip("vtkmodules")

from scripts import benchmark
from scripts.benchmarks import uncertainty, unstructured
from scripts.benchmarks.measuring import FULL, SMALL, Accuracy, Speed, median_time


def test_rows_of_speed_say_ratio_and_verdict():
    row = Speed("what", 0.05, "VTK", 0.6, asked=10, threaded=0.2)
    assert row.markdown() == "| what | 50 ms | VTK | 0.6 s (0.2 s) | 12 × (4 ×) |"
    assert row.verdict() == "asked 10 ×: met"
    assert Speed("what", 0.05, "VTK", 0.4, asked=10).verdict() == "asked 10 ×: MISSED"
    assert Speed("what", 0.05, "VTK", 0.4).verdict() == ""


def test_rows_of_accuracy_say_errors_and_verdict():
    row = Accuracy("what", (1.234e-5, 0.1), "VTK 0.2", (1e-4, 0.1))
    assert row.markdown() == "| what | 1.2e-5 / 0.1 | VTK 0.2 |"
    assert row.verdict().endswith("met")
    assert Accuracy("what", (1.2,), "", (1.4,), (1.3,)).verdict().endswith("MISSED")
    assert Accuracy("what", (np.nan,), "", (1.4,)).verdict().endswith("MISSED")


def test_runs_before_the_median_are_not_counted():
    calls = []
    median_time(lambda: calls.append(1))
    assert len(calls) > 9


def test_errors_on_small_meshes_beat_the_peer():
    rows = list(unstructured.square(SMALL))
    assert len(rows) == 3
    assert all(row.ours[0] < 0.1 * float(row.peer.split()[-1]) for row in rows)


def test_deviations_inside_a_lattice_are_the_closed_form():
    assert all(row.verdict().endswith(": met") for row in uncertainty._inside_a_lattice())


def test_the_tables_hold_every_row():
    rows = [Speed("fast", 1.0, "peer", 2.0), Accuracy("exact", (1e-15,))]
    text = benchmark.tables(rows)
    assert "| fast | 1 s | peer | 2 s | 2 × |" in text
    assert "| exact | 1.0e-15 |  |" in text
    assert FULL.box == 56
