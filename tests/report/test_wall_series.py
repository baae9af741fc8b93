"""Averages over time on walls in the report: pictures and a table by patch."""

import dataclasses
import re

import numpy as np
import pytest

from flowgrad import Lattice, Series
from flowgrad.report.walls_section import HEADINGS, longest, over_time
from flowgrad.walls import OVER_TIME, wall_statistics

TIMES = np.linspace(0, 3, 7)


def averages(dimension, speed, **told):
    """Over the plate y = 0 of a shear flow along x."""
    lattice = Lattice.uniform((5, 4, 3)[:dimension], 0.25)
    flows = Series.from_arrays(lattice, TIMES, [np.outer(lattice.points[:, 1], [speed(t), 0, 0]) for t in TIMES])
    return wall_statistics(flows, lambda x: x[:, 1] < 1e-9, **told)


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("told", [{}, {"viscosity": 0.5, "density": 2.0}])
def test_each_average_is_drawn_and_has_a_row(dimension, told):
    found = averages(dimension, lambda t: 1 + np.sin(t), **told)
    page = over_time(found)
    names = [name for name in found.arrays if name in OVER_TIME and found.arrays[name].ndim == 1]
    assert page.count("<figure") == len(names)
    assert page.count("<tr>") == len(names) + 1
    for row in re.findall(r"<tr>.*?</tr>", page)[1:]:
        assert row.count("<td") == 3 + len(HEADINGS)
    assert "He &amp; Ku 1996" in page
    assert all(note.split(";")[0] in page for note in found.notes)
    if told:
        assert "L T²/M</td>" in page


def test_no_picture_of_what_nothing_is_known_of():
    found = averages(3, lambda t: (t - 1.5) * (0.5 <= t <= 2.5), viscosity=1.0)
    assert np.isinf(found.relative_residence_time).all()
    page = over_time(found)
    assert page.count("<figure") == 2
    assert "there is no mean" in page


def test_parallel_walls_are_drawn_along_their_length():
    places = np.array([[x, y, 0.0] for y in (0.0, 9.0) for x in (0.0, 1.0, 2.0)])
    up, out = np.tile([0.0, 1, 0], (6, 1)), np.tile([0.0, 0, 1], (6, 1))
    assert longest(places, up, np.ones(6)) == 0
    assert longest(places[:, [1, 0, 2]], up[:, [1, 0, 2]], np.ones(6)) == 1
    assert longest(places[:, [2, 0, 1]], out, np.ones(6)) == 1
    found = averages(2, lambda t: 1 + np.sin(t))
    assert longest(found.centroids, found.surface.normals, found.surface.areas) == 0


def test_names_of_patches_are_escaped():
    found = averages(3, lambda t: 1 + np.sin(t))
    surface = dataclasses.replace(found.surface, names=("<b>wall</b>",))
    page = over_time(dataclasses.replace(found, surface=surface))
    assert "<b>wall" not in page
    assert "&lt;b&gt;wall" in page
