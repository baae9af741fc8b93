"""Mesh of Gmsh's files of versions 2.2, 4.0 and 4.1: nodes, elements and physical groups (Geuzaine & Remacle, Gmsh
reference manual 4.15, §9.1, and §9.3 for the legacy formats)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays
from flowgrad.io.gmsh_elements import ElementType, element_type
from flowgrad.io.gmsh_numbers import Numbers, joined, tag_index
from flowgrad.mesh import Cells, Mesh
from flowgrad.typing import BoolArray, FloatArray, IntArray

_NAME = re.compile(r'\s*(\d+)\s+(-?\d+)\s+"(.*)"\s*$')
# More tags than this no element has.
_MANY = 1000
_CELL_DATA = {"groups": "gmsh:physical", "entities": "gmsh:geometrical"}


@dataclass(frozen=True, eq=False)
class Elements:
    """Elements of one type: their tags (m,), the tags of their nodes (m, k) in Gmsh's order, their entities and their
    physical groups (m,), 0 for none."""

    kind: ElementType
    tags: IntArray
    nodes: IntArray
    entities: IntArray
    groups: IntArray


# The physical group of each entity, by dimension and tag; tag and dimension of each group, by name.
Groups = dict[tuple[int, int], int]
Names = dict[str, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class TaggedMesh:
    """A mesh, the tags of its nodes (n,), its elements, and the numbers of their nodes in Gmsh's order."""

    mesh: Mesh
    node_tags: IntArray
    elements: Sequence[Elements]
    rows: Sequence[IntArray]

    @classmethod
    def of(cls, tags: IntArray, points: FloatArray, elements: Sequence[Elements]) -> TaggedMesh:
        """The mesh of nodes (n,), (n, 3) and elements; ReadError for nodes that are not there."""
        rows = [tag_index(tags, each.nodes, "nodes") for each in elements]
        ordered = [each.kind.in_vtk_order(row, points) for each, row in zip(elements, rows, strict=True)]
        sizes = joined([np.full(len(row), row.shape[1], np.int64) for row in ordered])
        types = [np.full(len(row), each.kind.vtk_type, np.uint8) for each, row in zip(elements, ordered, strict=True)]
        cells = Cells(
            np.concatenate([np.empty(0, np.uint8), *types]),
            np.concatenate([[0], np.cumsum(sizes)]),
            joined([row.ravel() for row in ordered]),
        )
        return cls(Mesh(points, cells), tags, elements, rows)

    @cached_property
    def element_tags(self) -> IntArray:
        """The tags of the elements (m,)."""
        return joined([each.tags for each in self.elements])

    @property
    def cell_data(self) -> Arrays:
        """The physical group and the entity of each element (m,), where there are any."""
        found = {key: joined([getattr(each, name) for each in self.elements]) for name, key in _CELL_DATA.items()}
        return {key: np.ascontiguousarray(values) for key, values in found.items() if values.any()}


def read_names(numbers: Numbers) -> Names:
    """Names of the physical groups: tag and dimension of each."""
    names: Names = {}
    for _ in range(numbers.count()):
        text = numbers.line()
        match = _NAME.match(text)
        if match is None:
            raise ReadError(f"has {text[:60]!a} where a physical group should be named: the file is damaged")
        names[match[3]] = (int(match[2]), int(match[1]))
    numbers.end("PhysicalNames")
    return names


def read_groups(numbers: Numbers, version: float, section: str) -> Groups:
    """The first physical group of each entity, by dimension and tag, of ``Entities`` or ``PartitionedEntities``."""
    numbers.begin(section)
    groups: Groups = {}
    if section == "PartitionedEntities":
        ghosts = int(numbers.take("s", 2)[1])
        numbers.records("ii", ghosts)
    for dimension, count in enumerate(numbers.take("s", 4).tolist()):
        for _ in range(count):
            tag = int(numbers.take("i", 1)[0])
            if section == "PartitionedEntities":
                numbers.take("i", 2)
                # Partitions are counted as int in some versions of 4.0 and as size_t in 4.1.
                numbers.take("i", int(numbers.take("s", 1)[0]))
            numbers.take("d", 3 if dimension == 0 and version > 4.05 else 6)
            own = numbers.take("i", int(numbers.take("s", 1)[0]))
            if len(own):
                groups[dimension, tag] = abs(int(own[0]))
            if dimension:
                numbers.take("i", int(numbers.take("s", 1)[0]))
    numbers.end(section)
    return groups


def read_nodes(numbers: Numbers, version: float) -> tuple[IntArray, FloatArray]:
    """Tags (n,) and positions (n, 3); ReadError where their number is not the declared one or a tag is there twice."""
    if version < 4:
        declared = numbers.count()
        numbers.begin("Nodes")
        rows, points = numbers.records("iddd", declared)
        tags = rows[:, 0]
    else:
        numbers.begin("Nodes")
        tags, points, declared = _blocks_of_nodes(numbers, version)
    numbers.end("Nodes")
    if len(tags) != declared:
        raise ReadError(f"declares {declared} nodes and has {len(tags)}: the file is damaged")
    if len(tags) and not (np.diff(tags) > 0).all() and len(np.unique(tags)) < len(tags):
        raise ReadError(f"has {len(tags) - len(np.unique(tags))} nodes with the tag of another: the file is damaged")
    return tags, points


def _blocks_of_nodes(numbers: Numbers, version: float) -> tuple[IntArray, FloatArray, int]:
    is_new = version > 4.05
    head = numbers.take("s", 4 if is_new else 2)
    tags, points = [np.empty(0, np.int64)], [np.empty((0, 3))]
    for _ in range(int(head[0])):
        first, second, parametric = numbers.take("i", 3).tolist()
        count = int(numbers.take("s", 1)[0])
        # Version 4.0 tells the tag before the dimension.
        size = 3 + ((first if is_new else second) if parametric else 0)
        if not 3 <= size <= 6:
            raise ReadError(f"has nodes on an entity of the dimension {size - 3}: the file is damaged")
        if is_new:
            tags.append(numbers.take("s", count))
            points.append(numbers.records("d" * size, count)[0][:, :3])
        else:
            rows, x = numbers.records("i" + "d" * size, count)
            tags.append(rows[:, 0])
            points.append(x[:, :3])
    found = np.concatenate(tags)
    if is_new and len(found) and (found.min() != head[2] or found.max() != head[3]):
        raise ReadError(f"declares node tags from {head[2]} to {head[3]} and has others: the file is damaged")
    return found, np.concatenate(points), int(head[1])


def read_elements(numbers: Numbers, version: float, groups: Groups) -> list[Elements]:
    """The elements in the order of the file; ReadError for types that are not read, by number and count, and where
    their number is not the declared one."""
    if version < 4:
        declared = numbers.count()
        numbers.begin("Elements")
        found = list(_rows_of_elements(numbers, declared))
    else:
        numbers.begin("Elements")
        found, declared = _blocks_of_elements(numbers, version, groups)
    numbers.end("Elements")
    count = sum(len(each.tags) for each in found)
    if count != declared:
        raise ReadError(f"declares {declared} elements and has {count}: the file is damaged")
    return found


def _blocks_of_elements(numbers: Numbers, version: float, groups: Groups) -> tuple[list[Elements], int]:
    is_new = version > 4.05
    head = numbers.take("s", 4 if is_new else 2)
    found = []
    for _ in range(int(head[0])):
        first, second, number = numbers.take("i", 3).tolist()
        count = int(numbers.take("s", 1)[0])
        dimension, entity = (first, second) if is_new else (second, first)
        kind = _known(number, count)
        if kind.family.dimension != dimension:
            raise ReadError(f"has elements of type {number} on an entity of dimension {dimension}: the file is damaged")
        rows = numbers.records(("s" if is_new else "i") * (1 + kind.size), count)[0]
        group = groups.get((dimension, entity), 0)
        found.append(
            Elements(kind, rows[:, 0], rows[:, 1:], np.broadcast_to(entity, count), np.broadcast_to(group, count))
        )
    if is_new and found:
        tags = np.concatenate([each.tags for each in found])
        if len(tags) and (tags.min() != head[2] or tags.max() != head[3]):
            raise ReadError(f"declares element tags from {head[2]} to {head[3]} and has others: the file is damaged")
    return found, int(head[1])


def _known(number: int, count: int) -> ElementType:
    kind = element_type(number)
    if kind is None:
        raise ReadError(
            f"has {count} elements of Gmsh's type {number}, which are not read: write them with all their nodes, "
            "prisms and pyramids of degree 1 or 2"
        )
    return kind


def _rows_of_elements(numbers: Numbers, declared: int) -> Iterator[Elements]:
    """Elements of version 2, by runs of one form: rows of tag, type, number of tags, tags, nodes as text; in binary
    type, number of elements and number of tags before as many rows, which some programs write for each element."""
    left = declared
    while left > 0:
        first, second, tags = numbers.peek("i", 3)
        kind = _known(first if numbers.is_binary else second, left)
        width, block = 1 + tags + kind.size, second if numbers.is_binary else 1
        if not 0 < block <= left or not 0 <= tags < _MANY:
            raise ReadError(f"has {block} elements with {tags} tags each where {left} are left: the file is damaged")
        if block > 1:
            numbers.take("i", 3)
            rows = numbers.records("i" * width, block)[0]
        elif numbers.is_binary:
            rows = numbers.run("i" * (3 + width), left, _begin_with(slice(0, 3), (first, 1, tags)))[0][:, 3:]
        else:
            rows = numbers.run("i" * (2 + width), left, _begin_with(slice(1, 3), (second, tags)))[0]
            rows = np.delete(rows, (1, 2), axis=1)
        left -= len(rows)
        none = np.zeros(len(rows), np.int64)
        groups, entities = np.abs(rows[:, 1]) if tags else none, rows[:, 2] if tags > 1 else none
        yield Elements(kind, rows[:, 0], rows[:, 1 + tags :], entities, groups)


def _begin_with(columns: slice, values: tuple[int, ...]) -> Callable[[IntArray], BoolArray]:
    """Whether rows have these values in these columns."""
    return lambda rows: np.asarray((rows[:, columns] == values).all(axis=1))
