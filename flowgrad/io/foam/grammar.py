"""OpenFOAM's file grammar: dictionaries and lists, ASCII or binary (OpenFOAM User Guide, chapter 4.2).

A file begins with its FoamFile dictionary, which tells the format and, as ``arch``, the order and the size of binary
numbers. Binary lists stand between the brackets of the ASCII ones. Of what a dictionary may hold, directives (``#``)
are not followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import whole
from flowgrad.io.vtk_xml.arrays import parse_ascii

# Components of the types that lists hold.
COMPONENTS = {"label": 1, "scalar": 1, "vector": 3, "sphericalTensor": 1, "symmTensor": 6, "tensor": 9}

_BLANK = re.compile(rb"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s;(){}\[\]"]+')
_LIST = re.compile(rb"List<(\w+)>")
_NUMBER = re.compile(rb"\d+")
_ARCH = re.compile(r"(?P<order>[LM])SB;label=(?P<label>32|64);scalar=(?P<scalar>32|64)")
# The last bracket of a list of vectors or tensors.
_ENDS = re.compile(rb"\)\s*\)")
_BRACKETS = bytes.maketrans(b"()", b"  ")
_CUT_OFF = "the file was cut off or is damaged"
_DEEPEST = 40


@dataclass(frozen=True, eq=False)
class FoamEntry:
    """The value of a keyword: its text without lists, and the list (n, k) or (n,) if there is one."""

    text: str
    values: np.ndarray | None = None


@dataclass(frozen=True)
class NumberLayout:
    """Format of a file and of its binary numbers."""

    binary: bool
    label: np.dtype
    scalar: np.dtype

    @classmethod
    def of(cls, header: Dictionary) -> NumberLayout:
        """The layout that the FoamFile dictionary tells; labels of 32, scalars of 64 bits where it is silent."""
        form = header.text("format", "ascii")
        if form not in ("ascii", "binary"):
            raise ReadError(f"has the format '{form}', known are ascii and binary: the file is damaged")
        arch = header.text("arch", '"LSB;label=32;scalar=64"').strip('"')
        found = _ARCH.fullmatch(arch)
        if found is None:
            raise ReadError(f"has numbers of the arch '{arch[:60]}', which is not known: write it in ASCII")
        order = "<" if found["order"] == "L" else ">"
        label, scalar = (
            np.dtype(f"{order}{kind}{int(found[name]) // 8}") for name, kind in (("label", "i"), ("scalar", "f"))
        )
        return cls(form == "binary", label, scalar)


class Dictionary(dict[str, "FoamEntry | Dictionary"]):
    """Entries by keyword; of one given twice the last counts, as in OpenFOAM."""

    def text(self, key: str, default: str = "") -> str:
        """The text of an entry."""
        found = self.get(key)
        return found.text if isinstance(found, FoamEntry) else default

    def child(self, key: str) -> Dictionary:
        """The dictionary of a keyword; ReadError where there is none."""
        found = self.get(key)
        if not isinstance(found, Dictionary):
            raise ReadError(f"has no dictionary '{key}': {_CUT_OFF}")
        return found


@dataclass
class Scanner:
    """Reads the bytes of a file from a position on."""

    data: bytes
    layout: NumberLayout | None = None
    position: int = 0

    def blank(self) -> int:
        """Skip white space and comments; the next byte, -1 at the end."""
        found = _BLANK.match(self.data, self.position)
        assert found is not None
        self.position = found.end()
        return self.data[self.position] if self.position < len(self.data) else -1

    def expect(self, mark: bytes) -> None:
        """Go past a mark; ReadError for anything else."""
        self.blank()
        if not self.data.startswith(mark, self.position):
            said = self.data[self.position : self.position + 20]
            raise ReadError(f"has {said!r} at byte {self.position} instead of '{mark.decode()}': {_CUT_OFF}")
        self.position += len(mark)

    def number(self) -> int:
        """A count."""
        self.blank()
        found = _NUMBER.match(self.data, self.position)
        if found is None:
            raise ReadError(f"has no count at byte {self.position}: {_CUT_OFF}")
        self.position = found.end()
        return whole(found[0])

    def entries(self, end: bytes, depth: int = 0) -> Dictionary:
        """Entries up to the mark ``end``, or to the end of the file where it is empty."""
        found = Dictionary()
        while True:
            at = self.blank()
            if at < 0 or (end and at == end[0]):
                if bool(end) != (at >= 0):
                    raise ReadError(f"ends inside a dictionary: {_CUT_OFF}")
                return found
            word = _WORD.match(self.data, self.position)
            if word is None or depth > _DEEPEST:
                raise ReadError(f"has {self.data[self.position : self.position + 20]!r} for a keyword: {_CUT_OFF}")
            if word[0].startswith(b"#"):
                raise ReadError(f"has the directive '{word[0].decode('latin-1')}', which is not followed: write it out")
            self.position = word.end()
            found[word[0].decode("latin-1").strip('"')] = self._value(depth)

    def _value(self, depth: int) -> FoamEntry | Dictionary:
        texts: list[str] = []
        values = None
        while True:
            at = self.blank()
            if at < 0:
                raise ReadError(f"ends inside an entry: {_CUT_OFF}")
            if at == b"{"[0] and not texts:
                self.position += 1
                inner = self.entries(b"}", depth + 1)
                self.position += 1
                return inner
            if at == b";"[0]:
                self.position += 1
                return FoamEntry(" ".join(texts), values)
            kind = _LIST.match(self.data, self.position)
            if kind is not None:
                self.position = kind.end()
                values = self.values(kind[1].decode())
            elif at in b"([{":
                texts.append(self._bracket())
            else:
                word = _WORD.match(self.data, self.position)
                if word is None:
                    raise ReadError(f"has {chr(at)!r} at byte {self.position}: {_CUT_OFF}")
                texts.append(word[0].decode("latin-1"))
                self.position = word.end()

    def _bracket(self) -> str:
        """Text in brackets, with them."""
        start, depth = self.position, 0
        for found in re.compile(rb"[()\[\]{}]").finditer(self.data, start):
            depth += 1 if found[0] in b"([{" else -1
            if not depth:
                self.position = found.end()
                return self.data[start : self.position].decode("latin-1")
        raise ReadError(f"has a bracket that is not closed at byte {start}: {_CUT_OFF}")

    def values(self, kind: str) -> np.ndarray:
        """The numbers of a list, (n,) or (n, k): ``n(…)``, or ``n{…}`` where all are equal."""
        if kind not in COMPONENTS:
            raise ReadError(f"has a list of '{kind}', which is not read: leave it out")
        assert self.layout is not None
        width, count, at = COMPONENTS[kind], self.number(), self.blank()
        if at == b"{"[0]:
            inner = self._bracket()[1:-1]
            return np.repeat(_ascii(inner.encode("latin-1"), kind, 1), count, axis=0)
        if not count and at != b"("[0]:
            return np.empty((0, width) if width > 1 else 0)
        self.expect(b"(")
        stored = self.layout.label if kind == "label" else self.layout.scalar
        if self.layout.binary:
            flat = self._binary(count * width, stored)
        else:
            end = _ENDS.search(self.data, self.position) if width > 1 and count else None
            stop = end.end() - 1 if end else self.data.find(b")", self.position)
            if stop < 0:
                raise ReadError(f"ends inside a list of {count} {kind}s: {_CUT_OFF}")
            flat = _ascii(self.data[self.position : stop], kind, count)
            self.position = stop
        self.expect(b")")
        return flat.reshape(-1, width) if width > 1 else flat.reshape(-1)

    def _binary(self, count: int, stored: np.dtype) -> np.ndarray:
        stop = self.position + count * stored.itemsize
        if stop > len(self.data):
            raise ReadError(
                f"declares {count} numbers, of which {len(self.data) - self.position} bytes are there: {_CUT_OFF}"
            )
        flat = np.frombuffer(self.data, stored, count, self.position)
        self.position = stop
        return flat.astype(np.int64 if stored.kind == "i" else np.float64)


def _ascii(text: bytes, kind: str, count: int) -> np.ndarray:
    """Numbers of ``count`` values in text."""
    width = COMPONENTS[kind]
    flat = parse_ascii(text.translate(_BRACKETS).decode("latin-1"), np.dtype("i8" if kind == "label" else "f8"))
    if len(flat) != count * width:
        raise ReadError(f"has {len(flat)} numbers for {count} {kind}s of {width}: {_CUT_OFF}")
    return flat.reshape(count, width) if width > 1 else flat


@dataclass(frozen=True, eq=False)
class FoamFile:
    """A file's bytes; ``first``, if it is given, has the header of which later blocks of collated files have none."""

    data: bytes
    first: FoamFile | None = None

    @cached_property
    def _begun(self) -> tuple[Dictionary, int]:
        scanner = Scanner(self.data)
        scanner.blank()
        if not self.data.startswith(b"FoamFile", scanner.position):
            if self.first is None:
                raise ReadError("does not begin with FoamFile: it is no file of OpenFOAM, or damaged")
            return self.first.header, 0
        scanner.expect(b"FoamFile")
        scanner.expect(b"{")
        header = scanner.entries(b"}")
        return header, scanner.position + 1

    @property
    def header(self) -> Dictionary:
        """The FoamFile dictionary."""
        return self._begun[0]

    @property
    def kind(self) -> str:
        """The class of what is in the file."""
        return self.header.text("class")

    def scanner(self) -> Scanner:
        """At what follows the header."""
        return Scanner(self.data, NumberLayout.of(self.header), self._begun[1])

    def dictionary(self) -> Dictionary:
        """What follows as a dictionary."""
        return self.scanner().entries(b"")

    def labels(self) -> np.ndarray:
        """What follows as a list of labels."""
        return self._end(scanner := self.scanner(), scanner.values("label"))

    def vectors(self) -> np.ndarray:
        """What follows as a list of vectors (n, 3)."""
        return self._end(scanner := self.scanner(), scanner.values("vector"))

    def faces(self) -> tuple[np.ndarray, np.ndarray]:
        """What follows as faces: offsets (n + 1,) and their points."""
        scanner = self.scanner()
        if self.kind == "faceCompactList":
            offsets = scanner.values("label")
            points = self._end(scanner, scanner.values("label"))
            if not len(offsets) or offsets[0] or offsets[-1] != len(points) or (np.diff(offsets) < 3).any():
                raise ReadError(f"has {len(points)} points of faces, other than its offsets say: {_CUT_OFF}")
            return offsets, points
        if scanner.layout is not None and scanner.layout.binary:
            raise ReadError("is a binary faceList: write it as faceCompactList (OpenFOAM's default), or in ASCII")
        count = scanner.number()
        scanner.expect(b"(")
        text = self.data[scanner.position :]
        # Every face is n(a b c …): a mark for its end divides them.
        stop = text.rfind(b")")
        numbers = parse_ascii(
            text[: max(stop, 0)].replace(b"(", b" ").replace(b")", b" -1 ").decode("latin-1"), np.dtype("i8")
        )
        ends = np.flatnonzero(numbers == -1)
        starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.empty(0, np.int64)
        sizes = ends - starts - 1
        if (
            stop < 0
            or len(ends) != count
            or (count and ends[-1] != len(numbers) - 1)
            or (numbers[starts] != sizes).any()
        ):
            raise ReadError(f"has {len(ends)} faces of {count}, or some of other sizes than they say: {_CUT_OFF}")
        kept = np.ones(len(numbers), bool)
        kept[starts] = kept[ends] = False
        return np.concatenate([[0], np.cumsum(sizes)]), numbers[kept]

    def blocks(self) -> Iterator[FoamFile]:
        """The files of the processors in a collated one (class decomposedBlockData)."""
        scanner, first = self.scanner(), None
        while scanner.blank() >= 0:
            count = scanner.number()
            scanner.expect(b"(")
            stop = scanner.position + count
            if stop >= len(self.data):
                raise ReadError(f"declares a block of {count} bytes, more than there are: {_CUT_OFF}")
            block = FoamFile(self.data[scanner.position : stop], first)
            first = first or block
            scanner.position = stop
            scanner.expect(b")")
            yield block

    def _end(self, scanner: Scanner, values: np.ndarray) -> np.ndarray:
        """The values, if nothing but comments follows them."""
        if scanner.blank() >= 0:
            raise ReadError(f"has something behind its list, at byte {scanner.position}: the file is damaged")
        return values
