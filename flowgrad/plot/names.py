"""Names that people gave to files and arrays, as they are written on a figure."""

from __future__ import annotations

# Takes no room: matplotlib leaves out the entries of a legend whose names begin with an underscore.
_NOTHING = "\u200b"


def plain(name: str) -> str:
    """A name whose dollar signs are that, and do not begin a formula."""
    return name.replace("$", r"\$")


def in_legend(name: str) -> str:
    """The same for a line that a legend is to show, whatever it begins with."""
    return plain(_NOTHING + name if name.startswith("_") else name)


def as_given(label: str) -> str:
    """The label in the legend: what begins it was for matplotlib."""
    return label.removeprefix(_NOTHING)
