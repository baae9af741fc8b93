"""The README's table of errors beside other people's code, by the code that ``scripts/benchmark.py`` writes it with."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.convergence.linear_flows import linear
from scripts.convergence.smooth_flows import LEGEND, box, lattices, square
from scripts.convergence.table import HEAD, Accuracy, Sizes
from scripts.convergence.uncertainty import noise

# As the README's, but for the lattices, whose rows have no bound, and for the draws: it takes memory and time.
HERE = Sizes(image=64, draws=200)


def lines() -> Iterator[tuple[str, bool]]:
    """A line for each row, each with whether it passed."""
    yield "", True
    yield "the table of errors in the README, measured here", True
    yield from ((line, True) for line in LEGEND)
    yield HEAD, True
    yield from ((row.text(), row.passed) for row in rows(HERE))


def rows(sizes: Sizes) -> Iterator[Accuracy]:
    """All of them, one after the other."""
    yield from box(sizes.box)
    yield from lattices(sizes.image)
    yield from square(sizes.square)
    yield from linear()
    yield from noise(sizes.draws)
