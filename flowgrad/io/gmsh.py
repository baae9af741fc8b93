"""Gmsh's .msh, versions 2.2, 4.0 and 4.1, text and binary: the mesh, and views, whose steps are times.

Rows of data belong to the tags of nodes and elements, in whatever order they stand (Geuzaine & Remacle, Gmsh reference
manual 4.15, §9.1).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, Step, is_same, listed, naming, register_format
from flowgrad.io.gmsh_mesh import (
    Elements,
    Groups,
    Names,
    TaggedMesh,
    read_elements,
    read_groups,
    read_names,
    read_nodes,
)
from flowgrad.io.gmsh_numbers import Data, Numbers, mapped
from flowgrad.io.gmsh_views import DATA, Place, ViewStep, values_of
from flowgrad.io.meshio_formats import read_with_meshio

log = logging.getLogger("flowgrad")

_SECTION = re.compile(r"\$([A-Za-z]\w*)$")
# Sections that hold nothing of the flow, or are read later, or stand there again.
_PASSED = {"Periodic", "GhostElements", "Parametrizations", "Comments", "InterpolationScheme", "Nodes", "Elements"}
_REFUSED = {
    "ParametricNodes": "nodes with parameters in version 2: write version 4.1",
    "NOD": "the form of version 1: write version 4.1",
}
_VERSIONS = ("2", "2.0", "2.1", "2.2", "4", "4.0", "4.1")


class GmshFile:
    """The mesh of a file, and where the values of its views are."""

    def __init__(self, path: Path) -> None:
        self.path, self.views, self.schemes = path, list[ViewStep](), list[Place]()
        self.names: Names = {}
        self._places: dict[str, list[Place]] = {"Nodes": [], "Elements": []}
        self._groups: Groups = {}
        self._nodes, self._elements = (np.empty(0, np.int64), np.empty((0, 3))), list[Elements]()
        with naming(path):
            self._scan(mapped(path))

    def _scan(self, data: Data) -> None:
        numbers, version = Numbers(data, 0, "<", False), 0.0
        while data[numbers.place : numbers.place + 1000].strip():
            name = _section(numbers.line())
            if name == "MeshFormat":
                version, numbers.order, numbers.is_binary = _version(numbers)
                continue
            if name in _REFUSED:
                raise ReadError(f"has ${name}, {_REFUSED[name]}")
            if not version:
                raise ReadError(f"begins with ${name} and not with $MeshFormat: the file is damaged")
            begin = numbers.place
            self._take(name, numbers, version)
            place = Place(begin, numbers.place, numbers.order, numbers.is_binary)
            if name == "InterpolationScheme":
                self.schemes.append(place)
            if name in self._places:
                self._places[name].append(place)
        self._check_one_mesh(data)

    def _take(self, name: str, numbers: Numbers, version: float) -> None:
        """Read a section, or pass it."""
        if name in DATA:
            self.views.append(ViewStep.at(name, numbers))
            self.views[-1].skip(numbers)
        elif name == "Nodes" and not self._places[name]:
            self._nodes = read_nodes(numbers, version)
        elif name == "Elements" and not self._places[name]:
            self._elements = read_elements(numbers, version, self._groups)
        elif name in ("Entities", "PartitionedEntities"):
            self._groups |= read_groups(numbers, version, name)
        elif name == "PhysicalNames":
            self.names |= read_names(numbers)
        else:
            if name not in _PASSED:
                log.warning("%s: $%s is no section that is known, and is left out", self.path, name)
            numbers.skip(name)

    def _check_one_mesh(self, data: Data) -> None:
        """ReadError for none, or ones that differ: Gmsh writes its mesh again before each view that is appended."""
        for name, places in self._places.items():
            if not places:
                raise ReadError(f"has no ${name}: write the mesh into the file with the data")
            first = data[places[0].begin : places[0].end] if len(places) > 1 else b""
            if any(data[place.begin : place.end] != first for place in places[1:]):
                raise ReadError(f"has {len(places)} sections ${name} that differ: write one mesh a file")

    @cached_property
    def mesh(self) -> TaggedMesh:
        """The mesh with the tags of its nodes and elements."""
        return TaggedMesh.of(*self._nodes, self._elements)

    @property
    def steps(self) -> list[tuple[float | None, list[ViewStep]]]:
        """The times of all views, rising, None where they tell none, with the views that have each."""
        found: list[tuple[float | None, list[ViewStep]]] = []
        for view in sorted(self.views, key=lambda each: (each.time is not None, each.time or 0.0)):
            if not found or not _is_one(found[-1][0], view.time):
                found.append((view.time, []))
            found[-1][1].append(view)
        apart = [{(view.kind, view.name, view.step) for view in views} for _, views in found]
        if all(len({each[:2] for each in keys}) == len(keys) for keys in apart):
            return found or [(None, [])]
        # Of a view whose steps all have one time the numbers of the steps tell them apart.
        numbers = sorted({view.step for view in self.views})
        return [(float(number), [view for view in self.views if view.step == number]) for number in numbers]

    def contents(self, time: float | None, views: Sequence[ViewStep]) -> Contents:
        """The mesh with the values of some views at a time."""
        with naming(self.path):
            lacking = sorted({view.name for view in self.views} - {view.name for view in views})
            if lacking:
                log.warning("%s: at the time %s there is no %s, only at others", self.path, time, listed(lacking))
            data, mesh = mapped(self.path), self.mesh
            point_data: Arrays = {}
            cell_data = mesh.cell_data
            for kind, name in dict.fromkeys((view.kind, view.name) for view in views):
                parts = [view for view in views if (view.kind, view.name) == (kind, name)]
                if len({part.components for part in parts}) > 1:
                    raise ReadError(f"has '{name}' with {sorted({p.components for p in parts})} components: rename one")
                arrays = cell_data if kind == "ElementData" else point_data
                if name in arrays:
                    raise ReadError(f"has two kinds of values named '{name}': rename one")
                arrays[name] = values_of(self.path, data, mesh, parts, self.schemes)
            fields = {name: np.array(about) for name, about in self.names.items()}
            return Contents(mesh.mesh, self.path, point_data, cell_data, fields, time)


def _section(text: str) -> str:
    match = _SECTION.match(text)
    if match is None:
        raise ReadError(f"has {text[:40]!a} where a section should begin: the file is damaged")
    return match[1]


def _version(numbers: Numbers) -> tuple[float, str, bool]:
    """Version, byte order and whether the file is binary."""
    text = numbers.line()
    words = text.split()
    if len(words) != 3 or words[0] not in _VERSIONS or words[1] not in ("0", "1") or words[2] != "8":
        raise ReadError(f"has the format '{text[:40]}': write version 2.2 or 4.1, with numbers of 8 bytes")
    order, is_binary = "<", words[1] == "1"
    if is_binary:
        one = numbers.data[numbers.place : numbers.place + 4]
        if one not in (b"\1\0\0\0", b"\0\0\0\1"):
            raise ReadError("does not tell the order of its bytes: the file is damaged")
        order = "<" if one[0] else ">"
        numbers.place += 4
    numbers.end("MeshFormat")
    return float(words[0]), order, is_binary


def _is_one(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and is_same(one, other))


def gmsh_steps(path: Path) -> Sequence[Step]:
    """The times of a file's views; one step without views.

    Raises ReadError for a damaged file, for elements that are not read, by number and count, and for two meshes in one
    file. Files of this suffix that are not Gmsh's go through meshio.
    """
    with path.open("rb") as file:
        if file.read(512).lstrip()[:1] != b"$":
            return (Step(path, None, partial(read_with_meshio, path)),)
    whole = GmshFile(path)
    return [Step(path, time, partial(whole.contents, time, views)) for time, views in whole.steps]


register_format((".msh",), steps=gmsh_steps, keeps="points, cells, point data, cell data, times, groups")
