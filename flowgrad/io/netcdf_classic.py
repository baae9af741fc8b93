"""How long a NetCDF file of the classic kinds must be: the library reads zeros where one was cut off.

Layout: "The NetCDF Classic Format Specification", NetCDF User's Guide, appendix B (CDF-1, CDF-2, CDF-5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from flowgrad.errors import ReadError

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_DAMAGED = "the file is damaged or was cut off, write it again"


@dataclass(frozen=True)
class _Variable:
    """Bytes of one variable, of one record of it where it has records, and where they begin."""

    size: int
    begin: int
    has_records: bool
    width: int


@dataclass
class _Header:
    """Reads the header: ``number`` is the width of its counts, ``offset`` that of its positions."""

    handle: BinaryIO
    number: int
    offset: int
    left: int
    dimensions: list[int] = field(default_factory=list)

    def integer(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def take(self, count: int) -> bytes:
        self.left -= count
        if self.left < 0:
            raise ReadError(f"ends inside its header: {_DAMAGED}")
        return self.handle.read(count)

    def count_of(self, tag: int) -> int:
        """The length of a list, which has no tag where it is empty."""
        found, count = self.integer(4), self.integer(self.number)
        if found != tag and (found or count):
            raise ReadError(f"has the tag {found} instead of {tag} in its header: {_DAMAGED}")
        return count

    def skip_name(self) -> None:
        self.take(_padded(self.integer(self.number)))

    def read_dimensions(self) -> None:
        for _ in range(self.count_of(10)):
            self.skip_name()
            self.dimensions.append(self.integer(self.number))

    def skip_attributes(self) -> None:
        for _ in range(self.count_of(12)):
            self.skip_name()
            width = _width(self.integer(4))
            self.take(_padded(width * self.integer(self.number)))

    def variable(self) -> _Variable:
        self.skip_name()
        numbers = [self.integer(self.number) for _ in range(self._checked(self.integer(self.number)))]
        if any(number >= len(self.dimensions) for number in numbers):
            raise ReadError(f"has a variable on a dimension beyond its {len(self.dimensions)}: {_DAMAGED}")
        self.skip_attributes()
        width, told = _width(self.integer(4)), self.integer(self.number)
        lengths = [self.dimensions[number] for number in numbers]
        has_records = bool(lengths) and not lengths[0]
        size = width * math.prod(lengths[1:] if has_records else lengths)
        # A size that does not fit into the number is written as the largest one.
        if told not in (size, _padded(size)) and _padded(size) < 2**32 - 4:
            raise ReadError(f"has a variable of {told} bytes, whose dimensions make {size}: {_DAMAGED}")
        return _Variable(size, self.integer(self.offset), has_records, width)

    def _checked(self, count: int) -> int:
        if count * self.number > self.left:
            raise ReadError(f"ends inside its header: {_DAMAGED}")
        return count


def check_length(path: Path) -> None:
    """ReadError for a file of a classic kind that is shorter than its header says; other kinds pass."""
    with path.open("rb") as handle:
        magic = handle.read(4)
        if magic not in (b"CDF\1", b"CDF\2", b"CDF\5"):
            return
        size = path.stat().st_size
        due = _due(_Header(handle, 8 if magic[3] == 5 else 4, 4 if magic[3] == 1 else 8, size - 4))
    if size < due:
        raise ReadError(f"has {size} bytes, of which its header declares {due}: {_DAMAGED}")


def _due(header: _Header) -> int:
    records = header.integer(header.number)
    header.read_dimensions()
    header.skip_attributes()
    variables = [header.variable() for _ in range(header.count_of(11))]
    moving = [variable for variable in variables if variable.has_records]
    if records == 256**header.number - 1:
        # Written as a stream, whose length tells the number of records.
        records = min(1, len(moving))
    # A single variable of small numbers is not padded.
    step = moving[0].size if len(moving) == 1 and moving[0].width < 4 else sum(_padded(each.size) for each in moving)
    return max((_end(variable, records, step) for variable in variables), default=0)


def _end(variable: _Variable, records: int, step: int) -> int:
    if not variable.has_records:
        return variable.begin + variable.size
    return variable.begin + (records - 1) * step + variable.size if records else 0


def _width(kind: int) -> int:
    if kind not in _SIZES:
        raise ReadError(f"has a value of the unknown type {kind}: {_DAMAGED}")
    return _SIZES[kind]


def _padded(size: int) -> int:
    return size + -size % 4
