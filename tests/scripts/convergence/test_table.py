"""Rows of the table of errors say numbers, verdict and peer."""

import numpy as np
import pytest

from scripts.convergence import table
from scripts.convergence.table import Accuracy, largest


def test_rows_say_errors_and_verdict():
    row = Accuracy("what", (1.234e-5, 0.1), "VTK 0.2", (1e-4, 0.1))
    assert row.markdown() == "| what | 1.2e-5 / 0.1 | VTK 0.2 |"
    assert row.text().split() == ["what", "1.2e-5", "/", "0.1", "ok", "VTK", "0.2"]
    assert row.verdict() == "asked 0.0001 / 0.1: met"


@pytest.mark.parametrize("ours", [1.2, 1.5, np.nan])
def test_what_is_outside_its_bounds_fails(ours):
    row = Accuracy("what", (ours,), "", (1.4,), (1.3,))
    assert not row.passed
    assert row.text().endswith("FAIL")
    assert row.verdict() == "asked 1.3 to 1.4: MISSED"
    assert Accuracy("what", (1.35,), "", (1.4,), (1.3,)).passed


def test_what_has_no_bound_has_no_verdict():
    row = Accuracy("what", (3.0,), "VTK 2")
    assert row.passed
    assert row.text().split() == ["what", "3", "VTK", "2"]
    assert row.verdict() == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (np.nan, "NaN"), (0.70711, "0.707"), (2.5e-13, "2.5e-13"), (3.14e-5, "3.1e-5")]
)
def test_numbers(value, text):
    assert table.number(value) == text


def test_the_largest_error_is_that_over_the_largest_component():
    assert largest(np.array([1.0, 2.0]), np.array([1.0, 2.5])) == 0.2
    assert np.isnan(largest(np.array([np.nan, 2.0]), np.array([1.0, 2.5])))
