"""Zones of finite elements in Tecplot's ASCII files: all of them, each time a step (Tecplot 360 data format guide,
ch. 4, "ASCII data").

Zones of the highest dimension are one mesh, those of lower dimension its patches. Bricks and quadrilaterals with
repeated nodes are the cells of fewer corners that they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, Step, is_same, listed, naming, whole
from flowgrad.io.node_order import WEDGE
from flowgrad.io.pieces import with_patches
from flowgrad.io.point_samples import coordinate_names, grouped, name_and_unit
from flowgrad.mesh import Cells, Mesh
from flowgrad.typing import FloatArray, IntArray

_NUMBERS = re.compile(r"\s*(?:[-+.\d]|nan\b|inf)", re.IGNORECASE)
_PAIR = re.compile(r'([A-Za-z_]+)\s*=\s*("[^"]*"|\([^)]*\)|[^\s,]+)')
_QUOTED = re.compile(r'"([^"]*)"')
_VARIABLES = re.compile(r"\bVARIABLES\s*=\s*((?:[^=](?!\b(?:ZONE|TITLE|FILETYPE|DATASETAUXDATA)\b))*)", re.I | re.S)
_LOCATION = re.compile(r"(?:\[([\d,\s-]+)\]\s*=\s*)?(NODAL|CELLCENTERED)", re.IGNORECASE)
# Nodes of an element, and the VTK type.
_TYPES = {"LINESEG": (2, 3), "TRIANGLE": (3, 5), "QUADRILATERAL": (4, 9), "TETRAHEDRON": (4, 10), "BRICK": (8, 12)}
_SHARED = ("VARSHARELIST", "CONNECTIVITYSHAREZONE", "PASSIVEVARLIST")


@dataclass(frozen=True)
class Zone:
    """The head of a zone, by key in capitals, and the lines of its numbers."""

    about: Mapping[str, str]
    lines: Sequence[str]

    @property
    def time(self) -> float | None:
        """SOLUTIONTIME, if it is told."""
        text = self.about.get("SOLUTIONTIME")
        try:
            return None if text is None else float(text)
        except ValueError:
            raise ReadError(f"has the time '{text}', which is not a number: write it again") from None

    def count(self, *keys: str) -> int:
        """The number under one of some keys."""
        text = next((self.about[key] for key in keys if key in self.about), "")
        if not text.isdigit():
            raise ReadError(f"has a zone of elements with {keys[0]} = '{text}': give the number of both, N and E")
        return whole(text)


def element_steps(path: Path, lines: Sequence[str]) -> Sequence[Step]:
    """The times of a file of zones of elements, one step where it tells none; zones without a time belong to each.

    Steps raise ReadError for zones that are not of elements or share variables, and for ones that are cut off.
    """
    with naming(path):
        names, zones = _zones(lines)
        times: list[float] = []
        for zone in zones:
            if zone.time is not None and not any(is_same(zone.time, there) for there in times):
                times.append(zone.time)
        steps = [(time, [z for z in zones if z.time is None or is_same(z.time, time)]) for time in sorted(times)]
        found: list[tuple[float | None, list[Zone]]] = [*steps] or [(None, zones)]
    return [Step(path, time, partial(_contents, path, names, here)) for time, here in found]


def _zones(lines: Sequence[str]) -> tuple[list[str], list[Zone]]:
    names: list[str] = []
    head: list[str] = []
    zones: list[tuple[str, list[str]]] = []
    for line in lines:
        if _NUMBERS.match(line):
            if head:
                text = "\n".join(head)
                names = _names(text) or names
                zone = re.search(r"^\s*ZONE\b", text, re.IGNORECASE | re.MULTILINE)
                zones.append((text[zone.end() :] if zone else "", []))
                head = []
            if zones:
                zones[-1][1].append(line)
        elif line.strip() and not line.lstrip().startswith("#"):
            head.append(line)
    if head or not names:
        raise ReadError(f"ends with '{head[0][:40] if head else ''}' and no numbers after: the file was cut off")
    return names, [Zone({key.upper(): value.strip('"') for key, value in _PAIR.findall(t)}, rows) for t, rows in zones]


def _names(text: str) -> list[str]:
    match = _VARIABLES.search(text)
    if match is None:
        return []
    return _QUOTED.findall(match[1]) or [each for each in re.split(r"[\s,]+", match[1].strip()) if each]


def _contents(path: Path, names: Sequence[str], zones: Sequence[Zone]) -> Contents:
    with naming(path):
        parts = {f"{i + 1} {zone.about.get('T', '')}".strip(): _part(path, names, zone) for i, zone in enumerate(zones)}
        return with_patches(path, parts, unite=False)


def _part(path: Path, names: Sequence[str], zone: Zone) -> Contents:
    shared = [key for key in _SHARED if key in zone.about]
    if shared:
        raise ReadError(f"has a zone with {listed(shared)}, which is not read: write each zone whole")
    form = zone.about.get("F", zone.about.get("DATAPACKING", "POINT")).upper()
    kind = zone.about.get("ZONETYPE", zone.about.get("ET", "")).upper().removeprefix("FE")
    if kind not in _TYPES:
        raise ReadError(
            f"has a zone of the type '{kind or 'ordered'}' beside ones of elements: write it to another file"
        )
    count, cells = zone.count("N", "NODES"), zone.count("E", "ELEMENTS")
    at_cells = _at_cells(zone.about.get("VARLOCATION", ""), len(names))
    size = _TYPES[kind][0]
    numbers = _numbers(zone.lines)
    lengths = [cells if i in at_cells else count for i in range(len(names))]
    if len(numbers) != sum(lengths) + cells * size:
        raise ReadError(
            f"has {len(numbers)} numbers in a zone of {count} nodes, {cells} elements of {size} nodes and {len(names)} "
            f"variables, which are {sum(lengths) + cells * size}: the file is damaged or was cut off"
        )
    values = numbers[: sum(lengths)]
    if form.endswith("BLOCK"):
        columns = np.split(values, np.cumsum(lengths)[:-1])
    elif at_cells:
        raise ReadError("has values at cells and its variables by points: write DATAPACKING=BLOCK")
    else:
        columns = list(values.reshape(count, len(names)).T)
    rows = numbers[sum(lengths) :].reshape(cells, size)
    if rows.size and (rows % 1).any() | (rows < 1).any() | (rows > count).any():
        raise ReadError(f"has elements with nodes that are not of the {count} of their zone: the file is damaged")
    return _placed(path, names, columns, at_cells, _cells(kind, rows.astype(np.int64) - 1))


def _numbers(lines: Sequence[str]) -> FloatArray:
    words = " ".join(lines).replace(",", " ").split()
    try:
        return np.array(words, np.float64)
    except ValueError as error:
        raise ReadError(f"has something among the numbers of a zone that is none ({error}): it is damaged") from None


def _at_cells(text: str, count: int) -> set[int]:
    """The numbers, from 0, of variables at cells: ``([3-5]=CELLCENTERED)`` or ``(NODAL, NODAL, CELLCENTERED)``."""
    found: set[int] = set()
    for place, (ranges, where) in enumerate(_LOCATION.findall(text)):
        chosen = {place}
        if ranges:
            bounds = [list(map(int, each.split("-"))) for each in ranges.split(",") if each.strip()]
            chosen = {number - 1 for low, *high in bounds for number in range(low, (high or [low])[0] + 1)}
        if where.upper() == "CELLCENTERED":
            found |= chosen
    if found and max(found) >= count:
        raise ReadError(f"says where its variable {max(found) + 1} is and names {count}: the file is damaged")
    return found


def _placed(
    path: Path, texts: Sequence[str], columns: Sequence[FloatArray], at_cells: set[int], cells: Cells
) -> Contents:
    pairs = [name_and_unit(text) for text in texts]
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ReadError(f"names its variables {listed(names)}: each needs a name of its own")
    axes = coordinate_names(names)
    if not axes or any(names.index(axis) in at_cells for axis in axes):
        raise ReadError(f"has no positions of its nodes among {listed(names)}: name them x, y and, in space, z")
    points = np.zeros((len(columns[names.index(axes[0])]), 3))
    for i, axis in enumerate(axes):
        points[:, i] = columns[names.index(axis)]
    data: tuple[Arrays, Arrays] = {}, {}
    for i, name in enumerate(names):
        if name not in axes:
            data[i in at_cells][name] = np.ascontiguousarray(columns[i])
    units = {name: unit for name, unit in pairs if unit}
    if axes[0] in units:
        units["x"] = units[axes[0]]
    return Contents(Mesh(points, cells), path, grouped(data[0]), grouped(data[1]), units=units)


def _cells(kind: str, rows: IntArray) -> Cells:
    """Cells in the order of the file."""
    forms = np.full(len(rows), _TYPES[kind][1], np.uint8)
    own = [(_TYPES[kind][1], list(range(rows.shape[1])))]
    if kind == "QUADRILATERAL":
        forms[rows[:, 2] == rows[:, 3]] = 5
        own.append((5, [0, 1, 2]))
    elif kind == "BRICK":
        has_edge, is_apex = rows[:, 2] == rows[:, 3], (rows[:, 5:] == rows[:, 4:5]).all(axis=1)
        forms[has_edge & (rows[:, 6] == rows[:, 7]) & ~is_apex] = 13
        forms[is_apex] = 14
        forms[is_apex & has_edge] = 10
        own += [(13, [[0, 1, 2, 4, 5, 6][i] for i in WEDGE]), (14, [0, 1, 2, 3, 4]), (10, [0, 1, 2, 4])]
    sizes = np.zeros(len(rows), np.int64)
    for vtk_type, places in own:
        sizes[forms == vtk_type] = len(places)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    connectivity = np.empty(offsets[-1], np.int64)
    for vtk_type, places in own:
        here = np.flatnonzero(forms == vtk_type)
        connectivity[offsets[here][:, None] + np.arange(len(places))] = rows[here][:, places]
    return Cells(forms, offsets, connectivity)
