"""Which files a result was made of, and whether they are still the same."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowgrad.errors import OptionError
from flowgrad.files import READ_EVENT

# Size in bytes, time of change in nanoseconds, SHA-256 (empty where only the first two count).
Mark = list[Any]

# Files opened for reading, and whether this is said of data for certain (else their suffixes tell).
Opened = dict[str, bool]

# Files beside which a library opens others by names of its own: whatever lies there and below counts.
_INDICES = (".foam", ".case", ".encas")
# The same of files that share their stem.
_TWINS = (".cas", ".ele", ".node")

_recorded: Opened | None = None
_is_hooked = False


@contextmanager
def recorded() -> Iterator[Opened]:
    """All files read within the block, by any thread of this process or as :func:`note_read` says."""
    global _recorded, _is_hooked
    if not _is_hooked:
        sys.addaudithook(_note)
        _is_hooked = True
    before, _recorded = _recorded, {}
    try:
        yield _recorded
    finally:
        _recorded = before


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if _recorded is None or event not in ("open", READ_EVENT) or not isinstance(arguments[0], str):
        return
    if event == READ_EVENT:
        _recorded[arguments[0]] = True
    elif arguments[1] is None or not set(arguments[1]) & set("wxa+"):
        _recorded.setdefault(arguments[0], False)


def stamp(path: str | Path) -> Mark | None:
    """Size and time of change of a regular file; None without one."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, ""] if os.path.isfile(path) else None


def marks(source: str, before: Mark | None, digest: str, opened: Opened, folder: Path) -> dict[str, Mark]:
    """The marks of a file, as it was ``before`` it was read, and of the parts it was read with: those
    ``opened`` that are data, outside the ``folder`` of the results, and all beside an index."""
    if before is None:
        return {}
    found = {source: [*before[:2], digest or _digest(source)]}
    home, own = folder.resolve(), Path(source).resolve()
    elsewhere = {home, *_installed()}
    around = _surroundings(own, home)
    for name in sorted(opened):
        resolved = Path(name).resolve()
        is_part = (opened[name] or _is_data(resolved)) and resolved != own and elsewhere.isdisjoint(resolved.parents)
        mark = stamp(name) if is_part else None
        if mark is not None:
            found[name] = [*mark[:2], _digest(name)]
            around |= _surroundings(resolved, home)
    return found | {name: mark for name, mark in around.items() if name not in found}


def _installed() -> set[Path]:
    """Where packages lie, whose own tables and lists are no data of the user's."""
    return {Path(each).resolve() for name, each in sysconfig.get_paths().items() if name.endswith("lib")}


def _is_data(path: Path) -> bool:
    from flowgrad.io import formats

    return any("".join(path.suffixes[-count:]).lower() in formats() for count in (1, 2))


def _surroundings(index: Path, home: Path) -> dict[str, Mark]:
    """Size and time of what a library may open beside a file, links followed."""
    beside: Iterable[Path] = ()
    if index.suffix.lower() in _INDICES:
        beside = _files_below(index.parent, home)
    elif index.suffix.lower() in _TWINS:
        beside = (each for each in index.parent.iterdir() if each.stem == index.stem)
    return {str(each): mark for each in sorted(beside) if each != index and (mark := stamp(each)) is not None}


def _files_below(folder: Path, home: Path) -> Iterator[Path]:
    """All files but those of the results, each folder once, even where links go round in a circle."""
    seen: set[Path] = set()
    for path, folders, files in os.walk(folder, followlinks=True):
        here = Path(path).resolve()
        if here in seen or here == home or home in here.parents:
            folders.clear()
            continue
        seen.add(here)
        yield from (Path(path) / name for name in files)


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def are_same(known: Mapping[str, Mark]) -> bool:
    """Whether all files are as they were: of the same size and either time or content."""
    return bool(known) and all(_is_same(path, mark) for path, mark in known.items())


def _is_same(path: str, mark: Mark) -> bool:
    now = stamp(path)
    if now is None or now[0] != mark[0]:
        return False
    return now[1] == mark[1] or (bool(mark[2]) and _digest(path) == mark[2])


def patches_of(boundary: str | None, source: Path) -> list[str]:
    """The names of the files that ``--boundary`` stands for; none where nothing matches."""
    from flowgrad.io.patches import matching_files

    try:
        return [] if boundary is None else [str(each) for each in matching_files(boundary, source)]
    except OptionError:
        return []
