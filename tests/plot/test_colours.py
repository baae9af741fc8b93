"""Colours: limits that outliers cannot stretch, and ticks that fit."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from flowgrad.plot.colours import colours, robust_limits
from flowgrad.plot.law import symbol
from flowgrad.plot.ticks import logarithmic


def test_outliers_are_beyond_the_limits_and_the_bar_says_so():
    values = np.r_[np.linspace(1, 2, 1000), 1e6, 5e6]
    chosen = colours("magnitude", values, np.ones(1002))
    assert chosen.norm.vmax < 2.01
    assert chosen.extend in ("max", "both")


def test_the_limits_follow_the_measure_not_the_number():
    values, weights = np.r_[np.zeros(10), np.ones(1000)], np.r_[np.full(10, 1e3), np.full(1000, 1e-9)]
    assert robust_limits(values, weights, 0.02) == (0.0, 1.0)
    assert robust_limits(np.r_[values, 7.0], np.r_[weights, 1e-9], 0.02)[1] == 7.0
    assert robust_limits(np.arange(1001.0), np.r_[np.ones(1000), 0.0], 0.1) == pytest.approx((99.0, 899.0), abs=1.1)


def test_signed_quantities_are_centred_on_zero():
    chosen = colours("signed", np.linspace(-1, 10, 1000), np.ones(1000))
    assert chosen.norm.vmin == -chosen.norm.vmax
    assert chosen.map(chosen.norm(0.0))[:3] == pytest.approx((0.97, 0.97, 0.97), abs=0.03)


def test_the_flow_type_always_runs_from_rotation_to_extension():
    chosen = colours("flow-type", np.array([0.1, 0.2]), np.ones(2))
    assert (chosen.norm.vmin, chosen.norm.vmax, chosen.extend) == (-1, 1, "neither")


@pytest.mark.parametrize("values", [[], [np.nan], [0.0, 0.0], [3.0, 3.0], [-2.0, -2.0]])
@pytest.mark.parametrize("scale", ["magnitude", "signed", "flow-type"])
def test_limits_are_apart_for_any_values(scale, values):
    chosen = colours(scale, values, np.ones(len(values)))
    assert chosen.norm.vmin < chosen.norm.vmax
    assert chosen.extend == "neither" or scale == "flow-type"


@pytest.mark.parametrize(
    ("low", "high"), [(1.01, 1.3), (0.2, 12), (1e-3, 1e4), (1e-9, 3e-8), (1e-30, 1e20), (2.3e7, 2.5e7)]
)
def test_logarithmic_ticks_are_few_and_do_not_overlap(low, high):
    figure = Figure(figsize=(3, 2))
    ax = figure.add_subplot()
    logarithmic(ax.xaxis, low, high)
    figure.draw_without_rendering()
    boxes = [
        label.get_window_extent()
        for tick, label in zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        if low <= tick <= high and label.get_text()
    ]
    assert 2 <= len(boxes) <= 12
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_parameters_have_their_textbook_letters():
    assert symbol("eta_inf") == r"\eta_{\infty}"
    assert symbol("tau0") == r"\tau_{\mathrm{0}}"
    assert symbol("lam") == r"\lambda"
    assert symbol("n") == "n"
