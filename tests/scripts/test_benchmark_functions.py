"""What the benchmark of functions times gives the closed form."""

import numpy as np
import pytest

pytest.importorskip("vtkmodules")

from flowgrad.exact import Vortices
from scripts.benchmarks import functions


def test_every_task_that_is_timed_gives_the_closed_form():
    points = functions.positions(200)
    tasks = dict(functions._tasks(points))
    np.testing.assert_allclose(tasks.pop(functions._V)(), Vortices().velocity(points), rtol=0, atol=1e-15)
    assert "flowgrad" in tasks
    for task in tasks.values():
        found = task()
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, Vortices().gradient(points), rtol=0, atol=1e-14)


def test_memory_is_that_of_the_result():
    found = functions._memory(2_000_000)
    assert 0.5 < found.ours[0] < 1.6
