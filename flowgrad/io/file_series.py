"""File series: ParaView's collections (.pvd) and JSON series (.vtu.series, …), which name a file for each time."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents, Step, naming, read_contents, register_format
from flowgrad.io.pieces import with_patches
from flowgrad.io.references import different, referred
from flowgrad.io.vtk_xml.document import open_document

# A collection that names another could name itself.
_COLLECTIONS = (".pvd", ".series")


def collection_steps(path: Path) -> Sequence[Step]:
    """The times of a collection, in their order; the parts of one time are pieces of one mesh, or patches of
    its boundary. Raises ReadError for files that are elsewhere than in its folder."""
    with open_document(path, "Collection") as document:
        entries = [
            (_number(path, entry.get("timestep", "0")), _child(path, entry.get("file", "")))
            for entry in document.grid.findall("DataSet")
        ]
    parts: dict[float, list[Path]] = {}
    for time, file in entries:
        parts.setdefault(time, []).append(file)
    timed = sum("timestep" in entry.attrib for entry in document.grid.findall("DataSet"))
    if timed not in (0, len(entries)):
        raise ReadError(f"{path}: has {len(entries)} files, of which {timed} have a timestep: give all of them one")
    return [Step(path, time if timed else None, partial(_together, path, tuple(parts[time]))) for time in sorted(parts)]


def series_steps(path: Path) -> Sequence[Step]:
    """The times of a JSON file of the form ``{"files": [{"name": …, "time": …}, …]}``, in their order."""
    try:
        entries = json.loads(path.read_bytes())["files"]
        listed = [(entry["time"], entry["name"]) for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ReadError(
            f'{path}: is not JSON of the form {{"files": [{{"name": …, "time": …}}, …]}}: write it again'
        ) from None
    found = [(_number(path, time), _child(path, name)) for time, name in listed]
    return [Step(path, time, partial(read_contents, file)) for time, file in sorted(found)]


def _number(path: Path, value: object) -> float:
    try:
        time = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        time = math.nan
    if not math.isfinite(time):
        raise ReadError(f"{path}: has the time '{value}', which is not a number: write it again")
    return time


def _child(path: Path, name: object) -> Path:
    file = referred(path, str(name))
    if file.suffix.lower() in _COLLECTIONS:
        raise ReadError(f"{path}: names the collection '{name}': name the files themselves")
    return file


def _together(path: Path, files: tuple[Path, ...]) -> Contents:
    if len(files) == 1:
        return read_contents(files[0])
    with naming(path):
        stems = Counter(file.stem for file in files)
        names = {file: file.stem if stems[file.stem] == 1 else str(file) for file in different(path, files)}
        parts = {name: read_contents(file) for file, name in names.items()}
        return with_patches(path, parts)


_KEEPS = "the files that it names: times"
register_format((".pvd",), steps=collection_steps, keeps=_KEEPS, refers=True)
register_format((".series",), steps=series_steps, keeps=f"{_KEEPS} (.vtm.series, .vtu.series, …)", refers=True)
