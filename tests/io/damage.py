"""Damage to a file, and what may become of it: a named refusal of one line, or all that the file declares."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad import FlowgradError
from flowgrad.io import Contents, ReadOptions, flow_of, read_contents

# Bytes beyond what the process holds, and seconds, for a file of some kilobytes.
MEMORY, SECONDS = 1 << 30, 30.0


class Hang(BaseException):
    """Reading has taken too long."""


@dataclass(frozen=True)
class Damage:
    """A file, what was done to it, and its bytes since."""

    file: Path
    what: str
    data: bytes
    is_cut: bool


@dataclass(frozen=True)
class Size:
    """How many points, cells, and arrays at either there are; a changed name is no loss."""

    points: int
    cells: int
    point_arrays: int
    cell_arrays: int

    def lost(self, whole: Size) -> set[str]:
        """What of the whole is not there in its number."""
        return {name for name, count in asdict(whole).items() if getattr(self, name) < count}


def size_of(contents: Contents) -> Size:
    """How much there is; AssertionError where its parts contradict one another."""
    mesh, sets = contents.mesh, {"points": contents.point_data, "cells": contents.cell_data}
    for where, count in (("points", mesh.point_count), ("cells", len(mesh))):
        for name, values in sets[where].items():
            assert len(values) == count, f"'{name}' has {len(values)} rows for {count} {where}"
            assert values.dtype.kind in "fiu", f"'{name}' is {values.dtype}"
    used = mesh.cells.connectivity
    assert not len(used) or 0 <= used.min() <= used.max() < mesh.point_count, "connectivity is out of range"
    assert (np.diff(mesh.cells.offsets) >= 0).all(), "offsets fall"
    return Size(mesh.point_count, len(mesh), *map(len, sets.values()))


def damages(files: list[Path], cuts: int, changes: int, seed: int) -> Iterator[Damage]:
    """Cuts and changes of random bytes (one to three; half of them ASCII digits), over the files in turn."""
    rng = np.random.default_rng(seed)
    whole = [file for file in files if file.stat().st_size]
    datas = {file: file.read_bytes() for file in whole}
    for number in range(cuts):
        file = whole[number % len(whole)]
        length = int(1 + (len(datas[file]) - 2) * (number + rng.random()) / cuts)
        yield Damage(file, f"cut at {length}", datas[file][:length], True)
    for number in range(changes):
        file = whole[number % len(whole)]
        yield _changed(file, datas[file], rng, digits=number // len(whole) % 2 == 1)


def _changed(file: Path, data: bytes, rng: np.random.Generator, digits: bool) -> Damage:
    changed, what = bytearray(data), []
    # Half of the places are ones where something stands: HDF5 files are zeros for the most part.
    filled = np.flatnonzero(np.frombuffer(data, np.uint8))
    for _ in range(rng.integers(1, 4)):
        place = int(rng.choice(filled) if rng.random() < 0.5 else rng.integers(len(data)))
        new = int(rng.integers(48, 58) if digits else rng.integers(256))
        what.append(f"{place}: {bytes([changed[place]])!r} -> {bytes([new])!r}")
        changed[place] = new
    return Damage(file, ", ".join(what), bytes(changed), False)


@contextmanager
def limits() -> Iterator[None]:
    """What is read in the block may take so much memory and so many seconds at most."""

    def late(*_: Any) -> None:
        raise Hang

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, late)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, hard))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def is_same(one: Contents, other: Contents) -> bool:
    """Whether all numbers are the same."""

    def numbers(each: Contents) -> list[np.ndarray]:
        return [each.mesh.points, each.mesh.cells.connectivity, *each.point_data.values(), *each.cell_data.values()]

    pairs = zip(numbers(one), numbers(other), strict=True)
    return size_of(one) == size_of(other) and all(a.tobytes() == b.tobytes() for a, b in pairs)


def outcome(path: Path, whole: Contents, damage: Damage, untold: set[str], velocity: str | None = None) -> str:
    """What is wrong with what became of a damaged file, ``refused``, or ``read``; ``untold`` is what files of this
    kind do not declare: names of :class:`Size`, and ``values`` where the last number may be cut."""
    kept = damage.file.read_bytes()
    damage.file.write_bytes(damage.data)
    try:
        with limits():
            contents = read_contents(path)
            flow_of(contents, ReadOptions(velocity))
        return _difference(contents, whole, damage, untold)
    except FlowgradError as error:
        return _refusal(str(error), path, damage)
    except AssertionError as error:
        return f"contradicts itself: {error}"
    except (Exception, Hang) as error:
        return f"raises {type(error).__name__}: {error}"
    finally:
        damage.file.write_bytes(kept)


def _difference(contents: Contents, whole: Contents, damage: Damage, untold: set[str]) -> str:
    size = size_of(contents)
    if size.lost(size_of(whole)) - untold:
        return f"is less: {size} instead of {size_of(whole)}"
    if damage.is_cut and "values" not in untold and not is_same(contents, whole):
        return "is cut off and other than the whole"
    return "read"


def _refusal(text: str, path: Path, damage: Damage) -> str:
    if "\n" in text or not text.startswith((str(path), str(damage.file))):
        return f"is refused in the words {text!r}"
    if ": " not in text.replace(str(path), "").lstrip(": "):
        return f"is refused without advice: {text!r}"
    return "refused"
