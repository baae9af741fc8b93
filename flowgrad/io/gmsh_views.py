"""Views of Gmsh's files: values at nodes, of elements, and at the nodes of elements, placed by their tags (Geuzaine &
Remacle, Gmsh reference manual 4.15, §9.1).

Values at the nodes of each element become values at nodes, the mean where elements differ, which is said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.gmsh_elements import TOPOLOGIES
from flowgrad.io.gmsh_mesh import TaggedMesh
from flowgrad.io.gmsh_numbers import Data, Numbers, joined, tag_index
from flowgrad.typing import BoolArray, FloatArray, IntArray

log = logging.getLogger("flowgrad")

DATA = ("NodeData", "ElementData", "ElementNodeData")
# More nodes than this no element has.
_MANY = 10_000
# Values of two elements at a node that differ by no more than this part of the largest are one: rounding of text.
_ALIKE = 1e-9


@dataclass(frozen=True)
class Place:
    """Where the contents of a section begin and end, whether they are binary, and in which order of bytes."""

    begin: int
    end: int
    order: str
    is_binary: bool

    def numbers(self, data: Data, section: str) -> Numbers:
        """The numbers from there on."""
        numbers = Numbers(data, self.begin, self.order, self.is_binary)
        numbers.begin(section)
        return numbers


@dataclass(frozen=True)
class ViewStep:
    """Values of a view at one step, a section of its ``kind``: the names of the view and of its interpolation scheme,
    the time, the number of the step, the components, the rows, and where these begin."""

    kind: str
    name: str
    scheme: str
    time: float | None
    step: int
    components: int
    rows: int
    place: Place

    @classmethod
    def at(cls, kind: str, numbers: Numbers) -> ViewStep:
        """The head of a section; the numbers stay where its rows begin."""
        texts = [numbers.line().strip('"') for _ in range(numbers.count())]
        reals = [numbers.line() for _ in range(numbers.count())]
        whole = [numbers.line() for _ in range(numbers.count())]
        try:
            time, tags = float(reals[0]) if reals else None, [int(text) for text in whole]
        except ValueError:
            raise ReadError(f"has {reals + whole} as tags of ${kind}, which are not numbers: it is damaged") from None
        if len(tags) < 3 or not 0 < tags[1] < _MANY or tags[2] < 0 or not texts or not np.isfinite(time or 0.0):
            raise ReadError(f"has the tags {texts}, {reals}, {tags} in ${kind}: it needs name, step, components, rows")
        step, components, rows = tags[:3]
        place = Place(numbers.place, 0, numbers.order, numbers.is_binary)
        return cls(kind, texts[0] or kind, "".join(texts[1:2]), time, step, components, rows, place)

    def skip(self, numbers: Numbers) -> None:
        """From the beginning of the rows to the end of the section."""
        if numbers.is_binary and self.kind != "ElementNodeData":
            numbers.place += self.rows * (4 + 8 * self.components)
        numbers.skip(self.kind)


def values_of(
    path: Path, data: Data, mesh: TaggedMesh, parts: Sequence[ViewStep], schemes: Sequence[Place]
) -> np.ndarray:
    """The values (n,) or (n, c) of a view at one step, of which partitions have a section each, at the nodes or in the
    elements of a mesh, NaN where there are none.

    Raises ReadError for tags that the mesh does not have or that have two values, for numbers of nodes that are not
    those of the elements, and for interpolation schemes of other functions than those of values at the nodes.
    """
    first = parts[0]
    if first.kind == "ElementData":
        found = _placed(first.name, "elements", mesh.element_tags, *_rows(data, parts))
    elif first.kind == "NodeData":
        found = _placed(first.name, "nodes", mesh.node_tags, *_rows(data, parts))
    else:
        _check_schemes(data, mesh, parts, schemes)
        nodes, values = _corners(data, mesh, parts)
        found = _mean(path, first.name, nodes, values, len(mesh.node_tags))
    missing = np.isnan(found).any(axis=1)
    if missing.any():
        cells, what = mesh.mesh.cells, "elements" if first.kind == "ElementData" else "nodes"
        missing &= cells.is_full if what == "elements" else cells.used(len(found))
    if missing.any():
        log.warning("%s: '%s' has no number at %d of the %s of the flow: NaN", path, first.name, missing.sum(), what)
    return found[:, 0].copy() if found.shape[1] == 1 else found


def _rows(data: Data, parts: Sequence[ViewStep]) -> tuple[IntArray, FloatArray]:
    """Tags (k,) and values (k, c) of all sections."""
    tags, values = [], []
    for part in parts:
        numbers = part.place.numbers(data, part.kind)
        heads, rows = numbers.records("i" + "d" * part.components, part.rows)
        numbers.end(part.kind)
        tags.append(heads[:, 0])
        values.append(rows)
    return joined(tags), np.concatenate(values)


def _placed(name: str, what: str, there: IntArray, tags: IntArray, values: FloatArray) -> FloatArray:
    """Values (k, c) of tags (k,) in the order of the tags that are ``there`` (n,)."""
    if np.array_equal(tags, there):
        return values
    number = tag_index(there, tags, what)
    found = np.full((len(there), values.shape[1]), np.nan)
    found[number] = values
    differ = ((found[number] != values) & ~np.isnan(values)).any(axis=1)
    if differ.any():
        raise ReadError(f"gives '{name}' twice for {differ.sum()} tags of {what}, with other values: write each once")
    return found


def _corners(data: Data, mesh: TaggedMesh, parts: Sequence[ViewStep]) -> tuple[IntArray, FloatArray]:
    """Numbers of nodes (k,) and values (k, c) at them, element after element."""
    sizes = joined([np.full(len(row), row.shape[1], np.int64) for row in mesh.rows])
    offsets, connectivity = np.concatenate([[0], np.cumsum(sizes)]), joined([row.ravel() for row in mesh.rows])
    nodes, values = [np.empty(0, np.int64)], [np.empty((0, parts[0].components))]
    for part in parts:
        for tags, rows in _elements(data, part):
            number, size = tag_index(mesh.element_tags, tags, "elements"), rows.shape[1]
            odd = sizes[number] != size
            if odd.any():
                raise ReadError(
                    f"gives '{part.name}' at {size} nodes of {odd.sum()} elements of {sizes[number[odd]][0]} nodes: "
                    "write the mesh in the degree of the values"
                )
            nodes.append(connectivity[offsets[number][:, None] + np.arange(size)].ravel())
            values.append(rows.reshape(-1, part.components))
    return np.concatenate(nodes), np.concatenate(values)


def _elements(data: Data, part: ViewStep) -> Iterator[tuple[IntArray, FloatArray]]:
    """Tags (k,) and values (k, nodes, components) of runs of elements with as many nodes."""
    numbers, left = part.place.numbers(data, part.kind), part.rows
    while left > 0:
        size = numbers.peek("i", 2)[1]
        if not 0 < size < _MANY:
            raise ReadError(f"declares {size} nodes of an element in ${part.kind}: the file is damaged")
        kinds = "ii" + "d" * (size * part.components)
        heads, values = numbers.run(kinds, left, partial(_has_size, size))
        yield heads[:, 0], values.reshape(-1, size, part.components)
        left -= len(heads)
    numbers.end(part.kind)


def _has_size(size: int, heads: IntArray) -> BoolArray:
    return heads[:, 1] == size


def _mean(path: Path, name: str, nodes: IntArray, values: FloatArray, count: int) -> FloatArray:
    """The mean at each of ``count`` nodes of values (k, c) of elements; a warning says where they differ."""
    number = np.bincount(nodes, minlength=count)
    with np.errstate(invalid="ignore"):
        mean = np.column_stack([np.bincount(nodes, column, count) for column in values.T]) / number[:, None]
    gap = np.abs(values - mean[nodes]).max(axis=1, initial=0.0)
    differ = gap > _ALIKE * np.abs(values).max(initial=0.0)
    if differ.any():
        log.warning(
            "%s: '%s' differs between elements at %d of %d nodes, by up to %.3g from the mean, which is taken: write "
            "a .vtu, each cell with points of its own, to keep the jumps",
            *(path, name, len(np.unique(nodes[differ])), np.count_nonzero(number), gap.max()),
        )
    # One and the same value comes back with its own bits.
    first = np.full(count, -1)
    first[nodes[::-1]] = np.arange(len(nodes))[::-1]
    alike = number > 0
    alike[nodes[differ]] = False
    mean[alike] = values[first[alike]]
    return mean


def _check_schemes(data: Data, mesh: TaggedMesh, parts: Sequence[ViewStep], schemes: Sequence[Place]) -> None:
    """ReadError where values belong to other functions than those that are 1 at one node and 0 at the others."""
    name, begin = parts[0].scheme, parts[0].place.begin
    # Gmsh gives the schemes of all views one name, and writes each before its view.
    before = (_scheme(data, place) for place in reversed(schemes) if place.begin < begin)
    functions = next((found for there, found in before if there == name), {}) if name else {}
    for kind in {each.kind for each in mesh.elements}:
        own = functions.get(TOPOLOGIES[kind.family.name], ())
        if kind.family.dimension == mesh.mesh.dimension and len(own) > 1 and not kind.is_standard(*own[:2]):
            raise ReadError(
                f"interpolates '{parts[0].name}' on {kind.family.name} cells of {kind.size} nodes by the scheme "
                f"'{name}', which is not that of values at the nodes: write values at the nodes"
            )


def _scheme(data: Data, place: Place) -> tuple[str, dict[int, list[FloatArray]]]:
    """The name of an interpolation scheme, and the matrices of each shape."""
    numbers = Numbers(data, place.begin, place.order, False)
    name, functions = numbers.line().strip('"'), dict[int, list[FloatArray]]()
    numbers.begin("InterpolationScheme")
    for _ in range(int(numbers.take("i", 1)[0])):
        shape, count = numbers.take("i", 2).tolist()
        functions[shape] = []
        for _ in range(count):
            rows, columns = numbers.take("i", 2).tolist()
            functions[shape].append(numbers.take("d", rows * columns).reshape(rows, columns))
    numbers.end("InterpolationScheme")
    return name, functions
