"""Numbers of Gmsh's files, the same from text and from binary data, and the tags among them."""

from __future__ import annotations

import mmap
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.typing import BoolArray, FloatArray, IntArray

Data: TypeAlias = bytes | mmap.mmap

_LINE = re.compile(rb"[ \t\r\n]*([^\r\n]+)(?:\r?\n|\Z)")
# The largest whole number that a number read from text tells exactly.
_EXACT = 2.0**53
# Tags are looked up in a table of up to so many times their number.
_SPARSE = 8
# Rows that are looked at together where their form may change from row to row.
_WINDOW = 64
_KINDS = {"i": 4, "s": 8, "d": 8}


@dataclass
class Numbers:
    """A place in a file, and the numbers from there on: ``take`` gives the same from text and from binary data."""

    data: Data
    place: int
    order: str
    is_binary: bool
    text: FloatArray = field(default_factory=lambda: np.empty(0))
    used: int = 0
    window: int = _WINDOW

    def line(self) -> str:
        """The next line with something on it, of text in either form."""
        match = _LINE.match(self.data, self.place)
        if match is None:
            raise ReadError("ends too early: the file was cut off")
        self.place = match.end()
        return match[1].decode("utf-8", "replace").strip()

    def count(self) -> int:
        """A line that holds one count and nothing else."""
        text = self.line()
        if not text.isdigit() or len(text) > 18:
            raise ReadError(f"has '{text[:40]}' where a number of rows should stand: the file is damaged")
        return int(text)

    def begin(self, section: str) -> None:
        """Numbers follow up to the end of a section."""
        if self.is_binary:
            return
        end = self.data.find(b"$End" + section.encode(), self.place)
        if end < 0:
            raise ReadError(f"has no end of ${section}: the file is damaged or was cut off")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)
                self.text = np.fromstring(bytes(self.data[self.place : end]), np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise ReadError(f"has something in ${section} that is no number: the file is damaged") from None
        self.place, self.used = end, 0

    def take(self, kind: str, count: int) -> np.ndarray:
        """So many numbers of one kind: ``i`` int32, ``s`` size_t, ``d`` float64; whole ones are int64."""
        return self.records(kind, count)[0].ravel()

    def records(self, kinds: str, count: int) -> tuple[np.ndarray, ...]:
        """``count`` records of numbers of these kinds (``iddd``), as an array (count, k) for each run of one kind."""
        runs = [match[0] for match in re.finditer(r"(.)\1*", kinds)]
        if not self.is_binary:
            if count < 0 or self.used + count * len(kinds) > len(self.text):
                raise ReadError(f"declares {count} rows more than there are: the file is damaged or was cut off")
            rows = self.text[self.used : self.used + count * len(kinds)].reshape(count, len(kinds))
            self.used += rows.size
            bounds = np.cumsum([0, *map(len, runs)])
            parts = [rows[:, a:b] for a, b in pairwise(bounds)]
            return tuple(part if run[0] == "d" else _whole(part) for run, part in zip(runs, parts, strict=True))
        size = sum(_KINDS[kind] for kind in kinds)
        if count < 0 or self.place + count * size > len(self.data):
            raise ReadError(f"declares {count} rows more than there are: the file is damaged or was cut off")
        types = {"i": "i4", "s": "i8", "d": "f8"}
        dtype = np.dtype([(f"{i}", self.order + types[run[0]], (len(run),)) for i, run in enumerate(runs)])
        found = np.frombuffer(self.data, dtype, count, self.place)
        self.place += count * size
        return tuple(
            found[name].astype(np.float64 if run[0] == "d" else np.int64, copy=False)
            for name, run in zip(found.dtype.names or (), runs, strict=True)
        )

    def peek(self, kind: str, count: int) -> list[int]:
        """Whole numbers of one kind, which stay to be taken."""
        place, used = self.place, self.used
        found = self.take(kind, count).tolist()
        self.place, self.used = place, used
        return found

    def run(self, kinds: str, most: int, fits: Callable[[IntArray], BoolArray]) -> tuple[np.ndarray, ...]:
        """``most`` records of these kinds or fewer, as by :meth:`records`: those before the first whose whole numbers
        (k, …) at its beginning do not fit, which is of another form."""
        size = sum(_KINDS[kind] for kind in kinds)
        left = (len(self.data) - self.place) // size if self.is_binary else (len(self.text) - self.used) // len(kinds)
        count = min(left, most, self.window)
        place, used = self.place, self.used
        found = self.records(kinds, count)
        fit = fits(found[0])
        length = count if fit.all() else int(np.argmin(fit))
        if not length:
            raise ReadError("ends within its last rows: the file is damaged or was cut off")
        if self.is_binary:
            self.place = place + length * size
        else:
            self.used = used + length * len(kinds)
        # More at once where all rows that were looked at had one form.
        self.window = 4 * count if length == self.window else _WINDOW
        return tuple(part[:length] for part in found)

    def end(self, section: str) -> None:
        """The end of a section; ReadError where numbers are left, or the end is not here."""
        left = len(self.text) - self.used
        if not self.is_binary and left:
            raise ReadError(f"has {left} numbers in ${section} after those that it declares: the file is damaged")
        if self.line() != f"$End{section}":
            raise ReadError(f"has no end of ${section} where its declared rows end: the file is damaged")
        self.text, self.used = np.empty(0), 0

    def skip(self, section: str) -> None:
        """To the end of a section that is not looked at."""
        found = self.data.find(b"$End" + section.encode(), self.place)
        if found < 0:
            raise ReadError(f"has no end of ${section}: the file is damaged or was cut off")
        self.place = found
        self.end(section)


def _whole(values: FloatArray) -> IntArray:
    if values.size and not (np.abs(values) < _EXACT).all():
        raise ReadError("has a tag or a count that is not finite: the file is damaged")
    whole = values.astype(np.int64)
    if (whole != values).any():
        raise ReadError("has a tag or a count that is not whole: the file is damaged")
    return whole


def tag_index(tags: IntArray, wanted: IntArray, what: str) -> IntArray:
    """The number of each wanted tag among the tags; ReadError for one that is not there."""
    if not len(tags):
        raise ReadError(f"uses {wanted.size} {what} and has none: the file is damaged")
    low, high = int(tags.min()), int(tags.max())
    inside = wanted.size == 0 or (wanted.min() >= low and wanted.max() <= high)
    if inside and high - low + 1 == len(tags) and (np.diff(tags) == 1).all():
        return wanted - low
    if inside and high - low < _SPARSE * len(tags) + 1000:
        table = np.full(high - low + 1, -1, np.int64)
        table[tags - low] = np.arange(len(tags))
        found = table[wanted - low]
    else:
        order = np.argsort(tags, kind="stable")
        place = np.searchsorted(tags, wanted, sorter=order)
        found = order[np.minimum(place, len(tags) - 1)]
        found = np.where(tags[found] == wanted, found, -1)
    if (found < 0).any():
        raise ReadError(
            f"uses {(found < 0).sum()} {what} that are not there, such as {wanted[found < 0][0]}: the file is damaged"
        )
    return found


def joined(parts: Sequence[IntArray]) -> IntArray:
    """Whole numbers one after the other; none of no parts."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])


def mapped(path: Path) -> Data:
    """The bytes of a file, which stays on the disk where it can."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
