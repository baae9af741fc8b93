"""Ramps and the hysteresis between them."""

import numpy as np
import pytest

from flowgrad import RheometerCurve
from flowgrad.rheometer import hysteresis
from flowgrad.rheometer.intervals import is_held
from flowgrad.rheometer.quality import ramps

UP = np.geomspace(0.1, 100, 13)


def kinds(rate):
    return [(kind, part.stop - part.start) for part, kind in ramps(np.asarray(rate))]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_parts_of_a_sequence(scale):
    assert kinds(scale * UP) == [("up", 13)]
    assert kinds(scale * UP[::-1]) == [("down", 13)]
    assert kinds(scale * np.concatenate([UP, UP[::-1]])) == [("up", 13), ("down", 13)]
    assert kinds(scale * np.concatenate([UP, UP[::-1][1:]])) == [("up", 13), ("down", 12)]
    assert kinds(scale * np.concatenate([UP, UP[::-1], UP])) == [("up", 13), ("down", 13), ("up", 13)]


def test_jitter_of_set_points_is_no_turn():
    steps = np.repeat(UP, 3) * np.tile([1.0, 1.003, 0.997], 13)
    assert kinds(steps) == [("up", 39)]


def test_rates_without_an_order_are_one_part():
    assert kinds(np.random.default_rng(0).permutation(UP)) == [("", 13)]


def test_a_held_rate():
    assert is_held(np.full(10, 5.0) * (1 + 1e-3 * np.arange(10)))
    assert not is_held(UP)


def curve(rate, stress):
    return RheometerCurve("x", np.asarray(rate, float), np.asarray(stress, float))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_loop_of_straight_lines_is_exact(scale):
    """Stresses 3 + 2γ̇ up and 1 + 2γ̇ down, at other rates each: the area is 2 (high − low)."""
    up, down = scale * np.linspace(1, 10, 7), scale * np.linspace(2, 12, 9)
    loop = hysteresis(curve(up, 3 + 2 * up / scale), curve(down, 1 + 2 * down / scale))
    assert (loop.low, loop.high) == pytest.approx((2 * scale, 10 * scale), rel=1e-14)
    assert loop.area == pytest.approx(2 * 8 * scale, rel=1e-12)
    assert loop.relative == pytest.approx(2 * 8 / (3 * 8 + 100 - 4), rel=1e-12)
    assert loop.absolute == pytest.approx(loop.relative, rel=1e-12)


def test_ramps_that_cross():
    """τ_up − τ_down = γ̇ − 2 from 1 to 4: the area is 1.5, that of its magnitude 0.5 + 2."""
    rate = np.array([1.0, 4.0])
    loop = hysteresis(curve(rate, rate + 8), curve(rate, [10.0, 10.0]))
    assert loop.area == pytest.approx(1.5, rel=1e-14)
    assert loop.absolute * (0.5 * (16 - 1) + 24) == pytest.approx(2.5, rel=1e-14)


def test_no_common_range():
    assert hysteresis(curve([1, 2, 3], [1, 2, 3]), curve([4, 5], [1, 2])) is None
