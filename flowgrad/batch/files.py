"""Files of a batch: inputs by pattern, names of results, and marks that tell whether inputs have changed."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowgrad.batch.manifest import read_all
from flowgrad.errors import OptionError
from flowgrad.files import READ_EVENT, stem
from flowgrad.pipeline.summary import digest_of

# What a file's results end in; the last to be written makes them complete.
SUFFIXES = (".vtu", "_walls.vtu", "_walls_over_time.vtu", "_blocks.vti", "_blocks.vtr", "_pieces.pvtu", ".json")
# Averages over time on the walls of all files that are steps of one series.
OF_SERIES = "walls_over_time"
_PIECE = re.compile(r"\d+\.vtu|\.\d+\.vtu\.[0-9a-f]+\.part")
# What all files share.
SHARED = ("summary.csv", "report.html", "run.toml", f"{OF_SERIES}.vtu", f"{OF_SERIES}.json")


def expand(patterns: Iterable[str], folder: Path | None = None) -> list[Path]:
    """Files of the given names and glob patterns (``**`` included), each once, in the order given, those of a pattern
    by the numbers in their names.

    A name that matches nothing is kept, so that it fails by its name; results that a pattern finds in their
    ``folder`` are left out, so that the same command runs again.
    """
    found: dict[Path, None] = {}
    ours = None if folder is None else _results_in(folder)
    for pattern in patterns:
        matches = [] if os.path.exists(pattern) else glob.glob(pattern, recursive=True)
        # Numbers as such: step_2 before step_10.
        split = {match: re.split(r"(\d+)", match) for match in matches}
        order = {match: [(int(p), p) if p.isdecimal() else (-1, p) for p in parts] for match, parts in split.items()}
        matches.sort(key=order.__getitem__)
        for match in [match for match in matches if ours is None or not ours(Path(match))] or [pattern]:
            found[Path(match)] = None
    return list(found)


def _results_in(folder: Path) -> Callable[[Path], bool]:
    """Whether a file is a result of a run into the folder."""
    home = folder.resolve()
    names = {record.name for record in read_all(folder).values()}

    def is_result(path: Path) -> bool:
        place = path.resolve()
        if place.parent != home:
            above = place.parent
            is_piece = above.parent == home and above.name.removesuffix("_pieces") in names and above.name not in names
            return is_piece or home / "report" in place.parents
        stems = (place.name.removesuffix(suffix) for suffix in SUFFIXES if place.name.endswith(suffix))
        is_shared = place.name in SHARED and any(home.glob("manifest*.jsonl"))
        return is_shared or any(stem in names or _has_summary(home, stem) for stem in stems)

    return is_result


def names(
    files: Sequence[Path], folder: Path, with_walls: Collection[Path] = (), ours: Collection[str] = ()
) -> dict[Path, str]:
    """Name of each file's results: its stem; with the suffix, then with the folders in front, at last with a
    mark of the path, where two files would share one. ``ours`` are the names of an earlier run's results in the folder.

    Raises OptionError where a result would overwrite an input, or a file that is no result of ours.
    """

    long: dict[Path, str] = {}
    for file in files:
        parts = [part for part in file.parts if part not in ("/", "..", ".")]
        long[file] = "-".join(parts).replace(".", "-").removesuffix("-vtu")
    marks = {file: hashlib.sha256(os.fsencode(file)).hexdigest()[:12] for file in files}
    for chosen in (
        {file: stem(file) for file in files},
        {file: file.name.replace(".", "-") for file in files},
        long,
        {file: f"{long[file]}-{marks[file]}" for file in files},
    ):
        results = [*chosen.values(), *(f"{chosen[file]}_walls" for file in with_walls)]
        results += [OF_SERIES, *(f"{chosen[file]}_walls_over_time" for file in with_walls)] if with_walls else []
        # No two have one name, on file systems that ignore case too.
        if len({name.casefold() for name in results}) == len(results):
            break
    inputs = {identity for file in files if (identity := _identity(file))}
    for file, name in chosen.items():
        is_ours = name in ours or _has_summary(folder, name)
        for suffix in SUFFIXES:
            _check_free(folder / f"{name}{suffix}", is_ours, inputs, str(file))
        for path in (piece_folder(folder / name), *piece_files(folder / name)):
            _check_free(path, is_ours, inputs, str(file))
    for name in SHARED:
        _check_free(folder / name, any(folder.glob("manifest*.jsonl")), inputs, "the files")
    return chosen


def _check_free(result: Path, is_ours: bool, inputs: Collection[tuple[int, int]], source: str) -> None:
    """OptionError for a result whose place is taken by an input, or by what is no result of ours."""
    identity = _identity(result)
    if identity in inputs:
        raise OptionError(f"{source}: the result {result} would overwrite an input: choose another -o")
    if identity and not is_ours:
        raise OptionError(f"{result} is there and is no result of flowgrad's: choose another -o")


def _identity(path: Path) -> tuple[int, int] | None:
    """What a file is, under whatever name, link or case of letters; None without one."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _has_summary(folder: Path, name: str) -> bool:
    """Whether NAME.json is the summary of a run: the others of its results have been written before it."""
    try:
        found = json.loads((folder / f"{name}.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "provenance" in found


def piece_folder(target: Path) -> Path:
    """Where the pieces of a result lie that NAME_pieces.pvtu names."""
    return target.with_name(f"{target.name}_pieces")


def piece_files(target: Path) -> list[Path]:
    """The pieces of a result, and what a killed process left of them; none of a result that is whole."""
    found = piece_folder(target).iterdir() if piece_folder(target).is_dir() else ()
    return sorted(path for path in found if _PIECE.fullmatch(path.name))


def remove_parts(folder: Path, owned: Collection[str]) -> None:
    """Remove what a killed process left of files it had not finished, of the results with these names."""
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        # NAME of ``.NAME.vtu.a1b2c3d4.part``, a page of the report among them.
        whole = entry.name[1:].removesuffix(".part").rpartition(".")[0]
        ends = (*reversed(SUFFIXES), ".html")
        owner = next((whole.removesuffix(suffix) for suffix in ends if whole.endswith(suffix)), whole)
        if entry.name.startswith(".") and entry.name.endswith(".part") and owner in owned:
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()


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
    """All files read within the block, by any thread of this process or as the audit event READ_EVENT says."""
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
    """Size and time of change of a regular file, or of a folder, whose size is 0; None for anything else."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if os.path.isdir(path):
        return [0, found.st_mtime_ns, ""]
    return [found.st_size, found.st_mtime_ns, ""] if os.path.isfile(path) else None


def input_marks(source: str, before: Mark | None, digest: str, opened: Opened, folder: Path) -> dict[str, Mark]:
    """The marks of a file, as it was ``before`` it was read, and of the parts it was read with: those
    ``opened`` that are data, outside the ``folder`` of the results, and all beside an index."""
    if before is None:
        return {}
    found = {source: [*before[:2], digest or digest_of(Path(source))]}
    home, own = folder.resolve(), Path(source).resolve()
    # Where packages lie, whose own tables and lists are no data of the user's.
    installed = (path for name, path in sysconfig.get_paths().items() if name.endswith("lib"))
    elsewhere = {home, *(Path(each).resolve() for each in installed)}
    around = _surroundings(own, home)
    for name in sorted(opened):
        resolved = Path(name).resolve()
        is_part = (opened[name] or _is_data(resolved)) and resolved != own and elsewhere.isdisjoint(resolved.parents)
        mark = stamp(name) if is_part else None
        if mark is not None:
            found[name] = [*mark[:2], digest_of(Path(name))]
            around |= _surroundings(resolved, home)
    return found | {name: mark for name, mark in around.items() if name not in found}


def _is_data(path: Path) -> bool:
    from flowgrad.io import formats

    return any("".join(path.suffixes[-count:]).lower() in formats() for count in (1, 2))


def _surroundings(index: Path, home: Path) -> dict[str, Mark]:
    """Size and time of what a library may open beside a file, links followed."""
    beside: Iterable[Path] = ()
    if index.is_dir():
        beside = _files_below(index, home)
    elif index.suffix.lower() in _INDICES:
        beside = _files_below(index.parent, home)
        if index.suffix.lower() == ".foam":
            beside = (index.parent, *beside)  # a new time changes the folder
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


def are_same(known: Mapping[str, Mark]) -> bool:
    """Whether all files are as they were: of the same size and either time or content."""
    for path, mark in known.items():
        now = stamp(path)
        if now is None or now[0] != mark[0]:
            return False
        if now[1] != mark[1] and not (mark[2] and digest_of(Path(path)) == mark[2]):
            return False
    return bool(known)


def patches_of(boundary: str | None, source: Path) -> list[str]:
    """The names of the files that ``--boundary`` stands for; none where nothing matches."""
    from flowgrad.io.patches import matching_files

    try:
        return [] if boundary is None else [str(each) for each in matching_files(boundary, source)]
    except OptionError:
        return []
