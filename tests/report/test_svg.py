"""Drawings become short without losing a letter or a line."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from flowgrad import plot
from flowgrad.plot.style import as_svg
from flowgrad.report import embed
from flowgrad.report.embed import shortened


@pytest.fixture(scope="module")
def drawing():
    with plot.figure() as ax:
        ax.plot([1, 2, 3], [1e-3, 4, 2], "o-", label="a & b")
        ax.set(xlabel=r"shear rate $\dot\gamma$ [1/T]", ylabel=r"$\eta_\infty$", yscale="log")
        ax.legend()
        return embed.svg(ax, "A <picture>")


def texts(drawing):
    root = ElementTree.fromstring(drawing)
    return ["".join(each.itertext()) for each in root.iter("text")]


def test_letters_are_text_in_reading_order(drawing):
    found = texts(drawing)
    assert "shear rate γ̇ [1/T]" in found
    assert "η∞" in found
    assert "a & b" in found


def test_each_letter_keeps_its_place(drawing):
    root = ElementTree.fromstring(drawing)
    for run in root.iter("tspan"):
        letters = [each for each in run.text if each != "̇"]
        places = [float(each) for each in run.get("x").split()]
        assert len(places) == len(letters)
        assert places == sorted(places)


def test_references_have_their_targets_and_nothing_else_has_a_name(drawing):
    names = re.findall(r'\bid="([^"]*)"', drawing)
    used = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', drawing)
    assert len(names) == len(set(names))
    assert set(names) == {a or b for a, b in used}


def test_it_is_described_and_half_of_what_it_was(drawing):
    assert drawing.startswith('<svg role="img" aria-label="A &lt;picture&gt;"')
    with plot.figure() as ax:
        ax.plot(np.arange(50), np.arange(50) ** 2, "o")
        before = as_svg(ax)
    assert len(shortened(before, "p")) < len(before) / 1.9


def test_lines_are_where_they_were():
    with plot.figure() as ax:
        ax.plot([0.0, 1.0], [0.0, 1.0], color="#123456")
        before = as_svg(ax)
    old, new = (re.findall(r'd="([^"]*)"[^>]*#123456', text) for text in (before, shortened(before, "p")))
    numbers = [[float(each) for each in re.findall(r"-?\d+\.?\d*", path[0])] for path in (old, new)]
    assert numbers[1] == pytest.approx(numbers[0], abs=0.005)
