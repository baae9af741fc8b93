"""Colours: limits that outliers cannot stretch, and ticks that fit."""

import itertools
import warnings

import numpy as np
import pytest
from matplotlib.collections import TriMesh
from matplotlib.figure import Figure

from flowgrad import Flow, Lattice, plot
from flowgrad.plot.axes import colours, logarithmic, robust_limits
from flowgrad.plot.flow_curve import symbol
from tests.meshes import planar


def test_outliers_are_beyond_the_limits_and_the_bar_says_so():
    values = np.r_[np.linspace(1, 2, 1000), 1e6, 5e6]
    chosen = colours("magnitude", values, np.ones(1002))
    assert chosen.norm.vmax < 2.01
    assert chosen.extend in ("max", "both")


def test_extremes_near_the_rest_are_within_the_limits():
    assert colours("magnitude", np.linspace(5, 6, 100), np.ones(100)).note == ""
    assert colours("magnitude", np.r_[np.linspace(5, 6, 100), 6.08], np.ones(101)).norm.vmax == 6.08
    assert colours("magnitude", np.r_[np.linspace(5, 6, 100), 6.2], np.ones(101)).norm.vmax < 6
    assert colours("signed", np.linspace(-1, 1, 100), np.ones(100)).norm.vmax == 1


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


def test_data_of_one_value_to_rounding_have_a_logarithmic_axis_without_a_warning():
    ax = Figure(figsize=(3, 2)).add_subplot()
    ax.plot([1, 2], [100.0, np.nextafter(100, 101)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logarithmic(ax.yaxis, 30, 300)
    assert ax.get_ylim() == (30, 300)
    assert ax.get_yscale() == "log"


def test_parameters_have_their_textbook_letters():
    assert symbol("tau_m") == r"\tau_{\mathrm{m}}"
    assert symbol("eta_inf") == r"\eta_{\infty}"
    assert symbol("tau0") == r"\tau_{\mathrm{0}}"
    assert symbol("lam") == r"\lambda"
    assert symbol("n") == "n"


@pytest.mark.parametrize("n", [2, 3, 11])
def test_point_values_are_painted_within_the_colours_or_said_to_be_beyond(n):
    """|v| = y on few points: the colours run over what is painted, not over means of cells."""
    mesh = Lattice.uniform((n, n, 1), 2 / (n - 1))
    flow = Flow(mesh, mesh.points[:, [1, 0, 2]] * [1, 0, 0], "points")
    with plot.figure() as ax:
        plot.field(flow, "velocity", ax)
        [drawn] = [each for each in ax.collections if isinstance(each, TriMesh)]
        low, high = drawn.get_clim()
        bar = ax.child_axes[0]
        label = bar.get_xlabel() or bar.get_ylabel()
    assert (low, high) == (0, 2)
    assert "beyond" not in label


def test_infinite_values_are_none():
    mesh = planar("quad")
    values = np.where(mesh.points[:, 0] > 2.5, np.inf, 1 + mesh.points[:, 1])
    flow = Flow(mesh, mesh.points, "points", point_data={"a": values})
    with plot.figure() as ax, warnings.catch_warnings():
        warnings.simplefilter("error")
        plot.field(flow, "a", ax)
        assert ax.get_legend().get_texts()[0].get_text().startswith("no finite value: ")
