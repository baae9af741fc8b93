"""EnSight Gold (.case): files shorter than they declare, or elsewhere than in the folder; VTK looks at neither.

Layout: EnSight user manual 10, chapter 9.1, "EnSight Gold Casefile Format"; text and C binary. Files with several time
steps in one, partial variables and EnSight 6 are left to VTK.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from flowgrad.errors import ReadError
from flowgrad.io.formats import naming
from flowgrad.io.references import inside, referred

_NODES = {"point": 1, "bar2": 2, "bar3": 3, "tria3": 3, "tria6": 6, "quad4": 4, "quad8": 8, "tetra4": 4, "tetra10": 10}
_NODES |= {"pyramid5": 5, "pyramid13": 13, "penta6": 6, "penta15": 15, "hexa8": 8, "hexa20": 20}
_COMPONENTS = {"scalar": 1, "vector": 3, "tensor symm": 6, "tensor asym": 9}
_LINE = re.compile(r"^(?P<kind>[a-z ]+) per (?P<where>node|element):(?P<rest>.*)$")
# Of each part: how many values an array has that is "coordinates", "block" or of a type of elements.
Parts = dict[int, dict[str, int]]
_DAMAGED = "the file is damaged or was cut off"


class _Unchecked(Exception):
    """The file is of a kind that is left to VTK."""


@dataclass
class _TextStream:
    """The lines of a text file: the next text, empty at the end; whole numbers, one each line; rows passed over."""

    lines: Iterator[bytes]

    def text(self) -> str:
        return next(self.lines, b"").decode("latin-1").strip()

    def numbers(self, count: int) -> list[int]:
        try:
            return [int(next(self.lines)) for _ in range(count)]
        except (StopIteration, ValueError):
            raise ReadError(f"has no {count} whole numbers where they are due: {_DAMAGED}") from None

    def skip(self, rows: int, columns: int = 1) -> None:
        for row in range(rows):
            if len(next(self.lines, b"").split()) < columns:
                raise ReadError(f"has {row} rows of {rows} that it declares: {_DAMAGED}")


@dataclass
class _BinaryStream:
    """The same of a C binary file, from the ``place`` behind its head, which geometries alone have; its first number
    tells the byte order."""

    data: bytes
    place: int
    order: Literal["little", "big"] | None = None

    def text(self) -> str:
        found = self.data[self.place : self.place + 80]
        self.place += 80
        return found.split(b"\0")[0].decode("latin-1").strip()

    def numbers(self, count: int) -> list[int]:
        start = self.place
        self.skip(count)
        words = [self.data[place : place + 4] for place in range(start, self.place, 4)]
        # The first is the number of a part, which is small.
        if self.order is None:
            is_little = int.from_bytes(words[0], "little") <= int.from_bytes(words[0], "big")
            self.order = "little" if is_little else "big"
        return [int.from_bytes(word, self.order) for word in words]

    def skip(self, rows: int, columns: int = 1) -> None:
        self.place += 4 * rows * columns
        if self.place > len(self.data):
            raise ReadError(f"ends in the middle of {rows} rows that it declares: {_DAMAGED}")


_Stream = _TextStream | _BinaryStream


def check_case(path: Path) -> None:
    """ReadError for files elsewhere, files that are not there, and files that are shorter than they declare."""
    lines = [line.strip() for line in path.read_bytes().decode("latin-1").splitlines()]
    if not any(re.fullmatch(r"type:\s*ensight\s+gold", line) for line in lines):
        return
    models = [line[6:].split() for line in lines if line.startswith("model:")]
    parts: Parts = {}
    for model in models:
        for file in _files(path, model):
            parts = _checked(file, _geometry) or parts
    for match in filter(None, map(_LINE.match, lines)):
        components = _COMPONENTS.get(match["kind"])
        if components is not None and parts:
            for file in _files(path, match["rest"].split(), 1):
                _checked(file, partial(_variable, parts=parts, components=components))


def _files(path: Path, words: list[str], before: int = 0) -> list[Path]:
    """The files that a line names, behind the numbers of its sets and some words ``before``."""
    while words and words[0].isdigit() and len(words) > 1 + before:
        words = words[1:]
    if len(words) <= before:
        raise ReadError(f"{path}: has a line that names no file: {_DAMAGED}")
    name = words[before].strip('"')
    if "*" not in name:
        return [referred(path, name)]
    inside(path, name)
    pattern = re.sub(r"\*+", "*", re.sub(r"([\[?])", r"[\1]", name))
    found = [file for file in sorted(path.parent.glob(pattern)) if file.is_file()]
    if not found:
        raise ReadError(f"{path}: names the files '{name}', which are not there: put them beside")
    return found


def _checked(file: Path, check: Callable[[_Stream], Parts]) -> Parts:
    """What a check of a file finds, nothing for a file of a kind that is left to VTK."""
    data = file.read_bytes()
    has_head = data[:8].lower() == b"c binary"
    is_binary = has_head or b"\0" in data[:160]
    stream = _BinaryStream(data, 80 * has_head) if is_binary else _TextStream(iter(data.splitlines()))
    if stream.text() == "BEGIN TIME STEP":
        return {}
    try:
        with naming(file):
            return check(stream)
    except _Unchecked:
        return {}


def _geometry(stream: _Stream) -> Parts:
    stream.text()
    has_ids = []
    for line in (stream.text(), stream.text()):
        match = re.fullmatch(r"(?:node|element) id (off|given|assign|ignore)", line)
        if match is None:
            raise ReadError(f"has '{line[:40]}' where it should say how nodes or elements are numbered: {_DAMAGED}")
        has_ids.append(match[1] in ("given", "ignore"))
    parts: Parts = {}
    word = stream.text()
    if word == "extents":
        stream.skip(3, 2)
        word = stream.text()
    while word:
        number = _part(stream, word)
        stream.text()
        parts[number], word = _part_sizes(stream, *has_ids)
    if not parts:
        raise ReadError(f"has no part: {_DAMAGED}")
    return parts


def _part(stream: _Stream, word: str) -> int:
    if word != "part":
        raise ReadError(f"has '{word[:40]}' where a part should begin: {_DAMAGED}")
    return stream.numbers(1)[0]


def _part_sizes(stream: _Stream, node_ids: bool, element_ids: bool) -> tuple[dict[str, int], str]:
    """How much there is in a part, and the word behind it."""
    word = stream.text()
    if word == "block":
        count = math.prod(stream.numbers(3) if isinstance(stream, _BinaryStream) else _row(stream.text()))
        stream.skip(3 * count)
        return {"coordinates": count, "block": count}, stream.text()
    if word.startswith("block"):
        raise _Unchecked
    if word != "coordinates":
        raise ReadError(f"has '{word[:40]}' where coordinates should begin: {_DAMAGED}")
    sizes = {"coordinates": _count(stream)}
    stream.skip(sizes["coordinates"] * (3 + node_ids))
    while (word := stream.text()) and word != "part":
        kind = word.removeprefix("g_")
        if kind in ("nsided", "nfaced"):
            raise _Unchecked
        if kind not in _NODES:
            raise ReadError(f"has elements '{word[:40]}', which EnSight does not know: {_DAMAGED}")
        sizes[word] = _count(stream)
        stream.skip(sizes[word] * element_ids)
        stream.skip(sizes[word], _NODES[kind])
    if len(sizes) == 1:
        raise ReadError(f"has a part without elements: {_DAMAGED}")
    return sizes, word


def _row(text: str) -> list[int]:
    try:
        i, j, k = map(int, text.split())
    except ValueError:
        raise ReadError(f"has '{text[:40]}' instead of the three sizes of a block: {_DAMAGED}") from None
    return [i, j, k]


def _count(stream: _Stream) -> int:
    count = stream.numbers(1)[0]
    if not 0 <= count < 2**31:
        raise ReadError(f"declares {count} of something: {_DAMAGED}")
    return count


def _variable(stream: _Stream, parts: Parts, components: int) -> Parts:
    word = stream.text()
    while word:
        number = _part(stream, word)
        if number not in parts:
            raise ReadError(f"has values of part {number}, which the geometry lacks: {_DAMAGED}")
        while (word := stream.text()) and word != "part":
            if word == "block" or word.endswith(("undef", "partial")):
                raise _Unchecked
            if word not in parts[number]:
                raise ReadError(f"has values of '{word[:40]}', which part {number} lacks: {_DAMAGED}")
            stream.skip(components * parts[number][word])
    return {}
