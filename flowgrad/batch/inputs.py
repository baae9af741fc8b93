"""Which files a result was made of, and whether they are still the same."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowgrad.errors import OptionError

# Size in bytes, time of change in nanoseconds, SHA-256 (empty where only the first two count).
Mark = list[Any]

# Indices of parts that libraries open where Python does not see it: whatever lies in their folder counts.
_INDICES = (".xdmf", ".xmf", ".foam", ".openfoam", ".case", ".encas")

_recorded: set[str] | None = None
_is_hooked = False


@contextmanager
def recorded() -> Iterator[set[str]]:
    """The names of all files opened for reading within the block, by any thread of this process."""
    global _recorded, _is_hooked
    if not _is_hooked:
        sys.addaudithook(_note)
        _is_hooked = True
    before, _recorded = _recorded, set()
    try:
        yield _recorded
    finally:
        _recorded = before


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _recorded is not None and isinstance(arguments[0], str):
        mode = arguments[1]
        if mode is None or not set(mode) & set("wxa+"):
            _recorded.add(arguments[0])


def stamp(path: str | Path) -> Mark | None:
    """Size and time of change of a regular file; None without one."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, ""] if os.path.isfile(path) else None


def marks(source: str, before: Mark | None, digest: str, opened: set[str], folder: Path) -> dict[str, Mark]:
    """The marks of a file, as it was ``before`` it was read, and of the parts it was read with: files of
    formats that are read, among those ``opened``, outside the ``folder`` of the results."""
    if before is None:
        return {}
    found = {source: [*before[:2], digest or _digest(source)]}
    home, own = folder.resolve(), Path(source).resolve()
    for name in sorted(opened):
        resolved = Path(name).resolve()
        is_part = _is_data(resolved) and resolved != own and home not in resolved.parents
        mark = stamp(name) if is_part else None
        if mark is not None:
            found[name] = [*mark[:2], _digest(name)]
    return found | _surroundings(own, home)


def _is_data(path: Path) -> bool:
    from flowgrad.io import SUFFIXES

    return any("".join(path.suffixes[-count:]).lower() in SUFFIXES for count in (1, 2))


def _surroundings(source: Path, home: Path) -> dict[str, Mark]:
    """Size and time of everything beside an index."""
    if source.suffix.lower() not in _INDICES:
        return {}
    beside = (each for each in sorted(source.parent.rglob("*")) if home not in each.parents and each != source)
    return {str(each): mark for each in beside if (mark := stamp(each)) is not None}


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
