"""What stands above the rows of a table: names and units of the columns, size of the grid, time.

Forms: one line of names (generic, PIVlab, OpenPIV, ParaView, Fluent, CFD-Post, STAR-CCM+, COMSOL); ``VARIABLES=`` and
``ZONE`` of Tecplot, as TSI's Insight writes them; DaVis' ``#DaVis``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowgrad.errors import ReadError
from flowgrad.io.columns import coordinate_names, name_and_unit
from flowgrad.io.counts import listed, whole
from flowgrad.io.table_text import is_number, split

_BARE = {4: ["x", "y", "u", "v"], 6: ["x", "y", "z", "u", "v", "w"]}
_DAVIS = re.compile(r"#DaVis\s+\S+\s+(?P<kind>\S+-vector)\s+\d+\s+(?P<rows>\d+)\s+(?P<columns>\d+)(?P<axes>.*)")
_QUOTED = re.compile(r'"([^"]*)"')
_VARIABLES = re.compile(
    r"\bVARIABLES\s*=\s*(?P<names>.*?)(?=\b(?:ZONE|DATASETAUXDATA|AUXDATA|FILETYPE|$))", re.S | re.I
)
_ZONE = re.compile(r"\bZONE\b(?P<about>.*)", re.S | re.I)
_SIZE = re.compile(r"\b([IJK])\s*=\s*(\d+)", re.I)
_ELEMENTS = re.compile(r"\b(?:N|NODES|E|ELEMENTS)\s*=\s*\d+", re.I)
_TIME = re.compile(r"\bSOLUTIONTIME\s*=\s*([-+.\dEe]+)", re.I)
# Before the names, signs of a comment.
_COMMENT = "#%/!* \t"


@dataclass(frozen=True)
class Head:
    """Names of the columns, units by name, size of the grid where it is told, whether each column stands in one
    block, the time, whether the program writes zeros where it found no vector, and how many vectors a plane has."""

    names: Sequence[str]
    units: dict[str, str] = field(default_factory=dict)
    shape: tuple[int, int, int] | None = None
    is_blocked: bool = False
    time: float | None = None
    has_zeros: bool = False
    plane: int = 1


def head_of(lines: Sequence[str], row: Sequence[str], delimiter: str | None) -> Head:
    """The head in the ``lines`` above the first ``row`` of a table; ReadError where it does not tell the columns."""
    text = "\n".join(lines)
    if _VARIABLES.search(text):
        return _tecplot(text)
    match = _DAVIS.match(lines[0]) if lines else None
    if match:
        return _davis(match, len(row))
    if lines and lines[0].startswith("#DaVis"):
        raise ReadError(f"has a header of DaVis' that is not one of vectors ({lines[0][:60]!a}): export it again")
    return _named(lines, row, delimiter)


def is_of_elements(text: str) -> bool:
    """Whether a text in Tecplot's form has a zone of finite elements."""
    zone = _ZONE.search(text)
    return zone is not None and bool(_ELEMENTS.search(zone["about"].split("\n\n")[0]))


def _tecplot(text: str) -> Head:
    match, zones = _VARIABLES.search(text), re.findall(r"\bZONE\b", text, re.I)
    assert match is not None
    if len(zones) > 1:
        raise ReadError(f"has {len(zones)} zones: write each to a file of its own")
    texts = _QUOTED.findall(match["names"]) or re.split(r"[\s,]+", match["names"].strip().strip(","))
    about = re.sub(r'"[^"]*"', "", _ZONE.search(text)["about"]) if zones else ""  # type: ignore[index]
    if re.search(r"CELLCENTERED", about, re.I):
        raise ReadError("has values at the cells of a zone: write them at the points")
    sizes = {name.upper(): whole(size) for name, size in _SIZE.findall(about)}
    names, units = _split_units(texts)
    return Head(
        names,
        units,
        (sizes["I"], sizes.get("J", 1), sizes.get("K", 1)) if "I" in sizes else None,
        bool(re.search(r"\b(?:DATAPACKING|F)\s*=\s*BLOCK", about, re.I)),
        _time(about),
    )


def _time(about: str) -> float | None:
    found = _TIME.search(about)
    if found is not None and not is_number(found[1]):
        raise ReadError(f"has the time '{found[1][:40]}', which is no number: write it again")
    return None if found is None else float(found[1])


def _davis(match: re.Match[str], count: int) -> Head:
    quoted = _QUOTED.findall(match["axes"])
    if count not in _BARE:
        raise ReadError(f"has {count} columns below DaVis' header: export x, y, u, v, or x, y, z, u, v, w")
    names = _BARE[count]
    units = quoted[1::2]
    velocity = dict.fromkeys(names[len(names) // 2 :], units[-1]) if units else {}
    plane = whole(match["rows"]) * whole(match["columns"])
    return Head(names, {"x": units[0], **velocity} if units else {}, has_zeros=True, plane=plane)


def _named(lines: Sequence[str], row: Sequence[str], delimiter: str | None) -> Head:
    """The last line above the rows as names, or the columns x, y, u, v where nothing is said of them."""
    filled = [line for line in lines if line.strip()]
    last = filled[-1].strip().lstrip(_COMMENT) if filled else ""
    # Rows may end with a delimiter.
    counts = (len(row), len(row) - 1) if row[-1] == "" else (len(row),)
    for sign in dict.fromkeys((delimiter, "\t", ",", ";", None)):
        texts = split(last, sign)
        if len(texts) in counts and len(texts) > 2 and 0 < sum(map(is_number, texts)) < len(texts) / 2:
            raise ReadError(f"has numbers among the names of its columns, {listed(texts)}: name each")
        if len(texts) in counts and any(texts) and not any(map(is_number, texts)):
            names, units = _split_units(texts)
            if coordinate_names(names):
                return Head(names, units)
            raise ReadError(f"has no columns of positions among {listed(names)}: name them x, y and, in space, z")
    said = _split_units(split(last, delimiter))[0] if filled else []
    if coordinate_names(said) or any(name.lower() in _BARE[6] for name in said):
        raise ReadError(f"names {len(said)} columns above rows of {len(row)} numbers: name each")
    if len(row) not in _BARE:
        raise ReadError(f"has rows of {len(row)} numbers and no line of names above: write one, such as x,y,u,v,flags")
    return Head(_BARE[len(row)])


def _split_units(texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    pairs = [name_and_unit(text) for text in texts]
    names = [name for name, _ in pairs]
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise ReadError(f"has {names.count(twice[0])} columns named '{twice[0]}': rename them")
    return names, {name: unit for name, unit in pairs if unit}
