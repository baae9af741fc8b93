"""Streamlines follow known curves and stop where the flow does."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice, OptionError, Series
from flowgrad.exact import ABC, DoubleGyre, TaylorGreen
from flowgrad.paths import pathlines, streamlines


def rotation(x):
    return 3.0 * np.stack([-x[..., 1], x[..., 0]], axis=-1)


def test_circles_by_length_and_by_duration():
    seeds = np.array([[0.5, 0], [0, 0.25]])
    by_length = streamlines(rotation, seeds, length=1.0, count=50)
    by_time = streamlines(rotation, seeds, duration=1.0, count=50)
    for lines, angle in ((by_length, 1 / np.array([0.5, 0.25])), (by_time, np.array([3.0, 3.0]))):
        for k, radius in enumerate([0.5, 0.25]):
            start, reach = k * np.pi / 2, np.linspace(-angle[k], angle[k], 101)
            circle = radius * np.column_stack([np.cos(start + reach), np.sin(start + reach), 0 * reach])
            np.testing.assert_allclose(lines[k], circle, atol=1e-6)
            np.testing.assert_allclose(lines.along[lines.offsets[k] : lines.offsets[k + 1]], np.linspace(-1, 1, 101))
    assert not by_length.stopped.any()
    one_way = streamlines(rotation, seeds, length=1.0, both=False, count=50)
    np.testing.assert_allclose(one_way[1], by_length[1][50:], atol=1e-6)


def test_the_stream_function_stays_along_them():
    flow, seeds = TaylorGreen(), np.random.default_rng(2).uniform(0.3, 2.8, (20, 2))
    lines = streamlines(flow, seeds, length=5.0)
    psi = np.sin(lines.positions[:, 0]) * np.sin(lines.positions[:, 1])
    own = np.repeat(np.sin(seeds[:, 0]) * np.sin(seeds[:, 1]), np.diff(lines.offsets))
    np.testing.assert_allclose(psi, own, atol=1e-5)
    spacing = np.linalg.norm(np.diff(lines[0], axis=0), axis=1)
    np.testing.assert_allclose(spacing, 0.025, rtol=1e-3)


def test_they_stop_at_walls():
    lattice = Lattice.uniform((9, 9), 0.25, origin=(-1, -1, 0))
    flow = Flow(lattice, rotation(lattice.points), "points")
    lines = streamlines(flow, [[0.9, 0.9], [0.9, 0], [2, 2]], length=2.0)
    end = np.sqrt(2 * 0.9**2 - 1)
    np.testing.assert_allclose(lines[0][[0, -1], :2], [[1, end], [end, 1]], atol=1e-7)
    assert lines.stopped.tolist() == [[True, True], [False, False], [True, True]]
    assert len(lines[2]) == 0


def test_they_stop_where_the_fluid_is_at_rest():
    lines = streamlines(lambda x: -x, [[0.5, 0, 0], [0.3, 0.4, 0], [0, 0, 0]], length=2.0)
    for k in (0, 1):
        np.testing.assert_allclose(lines[k][-1], 0, atol=1e-6)
        np.testing.assert_allclose(lines.along[lines.offsets[k + 1] - 1], 0.5, atol=1e-6)
    assert lines.stopped.tolist() == [[False, True], [False, True], [True, True]]
    assert len(lines[2]) == 0


def test_time_stands_still():
    flow = DoubleGyre()
    still = streamlines(flow, [[0.5, 0.25]], duration=2.0, time=2.5, both=False)
    frozen = pathlines(lambda x: flow(x, 2.5), [[0.5, 0.25, 0.0]], np.linspace(0, 2, 201))
    np.testing.assert_allclose(still[0], frozen.positions[:, 0], atol=1e-6)
    lattice = Lattice.uniform((41, 21), 0.05)
    series = Series.from_arrays(lattice, [0, 2.5, 5], [flow(lattice.points, t) for t in (0, 2.5, 5)])
    of_series = streamlines(series, [[0.5, 0.25]], duration=2.0, time=2.5, both=False)
    np.testing.assert_allclose(of_series[0], still[0], atol=1e-5)


@pytest.mark.parametrize("options", [{}, {"length": 1.0, "duration": 1.0}, {"length": -1.0}])
def test_one_extent_is_needed(options):
    with pytest.raises(OptionError, match="one of them"):
        streamlines(rotation, [[0, 1]], **options)


def test_a_flow_in_time_needs_a_time():
    with pytest.raises(OptionError, match="at which time"):
        streamlines(lambda x, t: x * t, [[0, 1]], length=1.0)
    assert len(streamlines(ABC(), [[0, 1, 2]], length=1.0, time=0.0)) == 1
