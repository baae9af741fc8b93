"""Contours of a function of two variables, with arrows of its gradient."""

import numpy as np
import pytest

from flowgrad import plot
from flowgrad.plot.contours import nodes


def landscape(values, window=((-1.0, 1.0), (-1.0, 1.0)), slope=(1.0, 0.0)):
    x, y = (np.linspace(*each, 41) for each in window)
    places = nodes(window)
    gradients = np.broadcast_to(slope, places.shape).copy()
    return plot.Landscape(x, y, values(*np.meshgrid(x, y)), places, gradients, ("x", "y", "f"), np.zeros(2))


def test_contours_lie_where_the_function_has_their_value():
    with plot.figure() as ax:
        plot.contours(landscape(lambda x, y: x**2 + y**2), ax)
        lines = ax.collections[1]
        checked = 0
        for level, path in zip(lines.levels, lines.get_paths(), strict=True):
            if len(path.vertices):
                np.testing.assert_allclose((path.vertices**2).sum(axis=1), level, atol=2e-3)
                checked += 1
        assert checked > 5


@pytest.mark.parametrize(
    ("window", "squares"), [(((-1, 1), (-1, 1)), 1), (((0, 20), (0, 10)), 2), (((0, 1), (0, 100)), 1)]
)
def test_arrows_stand_evenly_within_the_picture(window, squares):
    places = nodes(window)
    counts = [len(np.unique(column)) for column in places.T]
    assert counts[0] == pytest.approx(squares * counts[1], abs=1)
    for column, (low, high) in zip(places.T, window, strict=True):
        assert low < column.min()
        assert column.max() < high


def test_one_steep_place_does_not_hide_the_other_arrows():
    picture = landscape(lambda x, y: x)
    picture.gradients[7] = [1e9, 0]
    picture.gradients[8] = [np.nan, 0]
    with plot.figure() as ax:
        plot.contours(picture, ax)
        arrows = ax.collections[-1]
    assert len(arrows.U) == len(picture.places) - 1
    np.testing.assert_array_equal(arrows.U, 1)


@pytest.mark.parametrize("values", [lambda x, y: 0 * x + 3, lambda x, y: np.nan * x, lambda x, y: 1e-50 / (x * y)])
def test_values_that_are_equal_or_missing_are_drawn(values, tmp_path):
    with np.errstate(all="ignore"):
        picture = landscape(values)
    with plot.figure() as ax:
        plot.contours(picture, ax)
        plot.save(ax, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 1000


def test_ticks_of_the_colour_bar_stand_at_their_values():
    """With values beyond the levels matplotlib puts ticks beyond them at the ends of an evenly spaced bar."""
    with plot.figure() as ax:
        plot.contours(landscape(lambda x, y: np.sin(x) * y, ((-1.0, 3.0), (0.0, 4.0))), ax)
        bar = ax.figure.axes[1]
        ax.figure.draw_without_rendering()
        ticks = bar.get_yticks()
        heights = bar.transData.transform(np.column_stack([np.zeros(len(ticks)), ticks]))[:, 1]
        np.testing.assert_allclose(np.diff(heights) / np.diff(ticks), (heights[1] - heights[0]) / (ticks[1] - ticks[0]))


def test_arrows_have_one_of_a_round_number():
    with plot.figure() as ax:
        plot.contours(landscape(lambda x, y: x * y), ax)
        assert [text.get_text().partition(" = ")[0] for text in ax.texts] == ["|∇f|"]
