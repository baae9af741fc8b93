"""Which files a run is about, and under which names their results are written."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from flowgrad.errors import OptionError

# What a file's results end in; the last to be written makes them complete.
SUFFIXES = (".vtu", "_walls.vtu", ".json")


def expand(patterns: Iterable[str], folder: Path | None = None) -> list[Path]:
    """Files of the given names and glob patterns (``**`` included), each once, in the order given.

    A name that matches nothing is kept, so that it fails by its name; what a pattern finds in the
    ``folder`` of the results is left out, so that the same command runs again.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
        inputs = [match for match in matches if folder is None or folder.resolve() not in Path(match).resolve().parents]
        for match in inputs or [pattern]:
            found[Path(match)] = None
    return list(found)


def names(
    files: Sequence[Path], folder: Path, with_walls: Collection[Path] = (), ours: Collection[str] = ()
) -> dict[Path, str]:
    """Name of each file's results: its stem; with the suffix, then with the folders in front, at last with a
    mark of the path, where two files would share one. ``ours`` are the names of an earlier run's results in the folder.

    Raises OptionError where a result would overwrite an input, or a file that is no result of ours.
    """
    inputs = {file.resolve() for file in files}
    for name_of in (_stem, lambda file: file.name.replace(".", "-"), _long_name, _marked_name):
        chosen = {file: name_of(file) for file in files}
        if _are_apart(chosen, with_walls):
            break
    home = folder.resolve()
    for file, name in chosen.items():
        if any(home / f"{name}{suffix}" in inputs for suffix in SUFFIXES):
            raise OptionError(f"{file}: its result would overwrite an input in {folder}: choose another -o")
        result = folder / f"{name}.vtu"
        if name not in ours and result.exists() and not (folder / f"{name}.json").exists():
            raise OptionError(f"{result} is there and is no result of flowgrad's: choose another -o")
    return chosen


def _are_apart(chosen: dict[Path, str], with_walls: Collection[Path]) -> bool:
    """Whether no two results have one name, on file systems that ignore case too."""
    taken = [name.casefold() for name in chosen.values()]
    taken += [f"{chosen[file]}_walls".casefold() for file in with_walls]
    return len(set(taken)) == len(taken)


def _stem(file: Path) -> str:
    """The name without its suffix, and without that of a compression."""
    return Path(file.stem).stem if file.suffix.lower() in (".gz", ".xz") else file.stem


def _long_name(file: Path) -> str:
    parts = [part for part in file.parts if part not in ("/", "..", ".")]
    return "-".join(parts).replace(".", "-").removesuffix("-vtu")


def _marked_name(file: Path) -> str:
    return f"{_long_name(file)}-{hashlib.sha256(os.fsencode(file)).hexdigest()[:12]}"


def shard(files: Sequence[Path], part: int, count: int) -> list[Path]:
    """The files of one of ``count`` parts, 1 to ``count``: every ``count``-th."""
    return list(files[part - 1 :: count])


def remove_parts(folder: Path, owned: Collection[str]) -> None:
    """Remove what a killed process left of files it had not finished, of the results with these names."""
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if entry.name.startswith(".") and entry.name.endswith(".part") and _owner(entry.name) in owned:
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()


def _owner(part: str) -> str:
    """NAME of ``.NAME.vtu.a1b2c3d4.part``."""
    whole = part[1:].removesuffix(".part").rpartition(".")[0]
    return next((whole.removesuffix(suffix) for suffix in reversed(SUFFIXES) if whole.endswith(suffix)), whole)
