"""What all files share: summary.csv and report.html, from the manifest and the parts that lie ready."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flowgrad.batch.attempt import entry_file, page_file
from flowgrad.batch.manifest import DONE, Record
from flowgrad.files import printable, replacing

if TYPE_CHECKING:
    from flowgrad.report import Entry

_COLUMNS = (
    *("verdict", "origin", "statement", "velocity", "at", "scheme", "count", "excluded"),
    *("shear_rate_mean", "shear_rate_max"),
)


def write_summary(path: Path, records: Sequence[Record]) -> None:
    """The table of all files, in their order; WriteError where it cannot be written."""
    names = ["file", "status", *_COLUMNS, "seconds", "kind", "error"]
    with replacing(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(_row(record) for record in records)


def _row(record: Record) -> dict[str, Any]:
    row = record.row or {}
    return {
        "file": printable(record.file),
        "status": record.state,
        **{name: row.get(name, "") for name in _COLUMNS},
        "seconds": f"{record.seconds:.3f}",
        "kind": record.kind,
        "error": record.reason,
    }


def write_index(folder: Path, records: Sequence[Record], options: Mapping[str, object]) -> None:
    """report.html: the index of all files, or the page of a single one; WriteError where it cannot be written."""
    if len(records) == 1 and records[0].state == DONE:
        _write_single(folder, records[0])
        return
    from flowgrad.report import write_index

    write_index(folder / "report.html", list(_entries(folder, records)), options)


def _write_single(folder: Path, record: Record) -> None:
    from flowgrad.report import alone

    page = page_file(folder / record.name).read_text(encoding="utf-8")
    with replacing(folder / "report.html") as stream:
        stream.write(alone(page).encode())


def _entries(folder: Path, records: Sequence[Record]) -> Iterator[Entry]:
    from flowgrad.report import Entry, failed_entry

    names = _names(records)
    for record in records:
        if record.state == DONE:
            target = folder / record.name
            stored = json.loads(entry_file(target).read_text(encoding="utf-8"))
            address = quote(page_file(target).relative_to(folder).as_posix())
            yield Entry(**{**stored, "name": names[record.file], "page": address})
        else:
            yield failed_entry(names[record.file], record.kind, printable(record.reason))


def _names(records: Sequence[Record]) -> dict[str, str]:
    """What to call the files: their names, or where two are the same the paths from the folder that all share."""
    paths = [Path(record.file) for record in records]
    if len({path.name for path in paths}) == len(paths):
        return {record.file: printable(path.name) for record, path in zip(records, paths, strict=True)}
    absolute = [Path(os.path.abspath(path)) for path in paths]
    home = Path(os.path.commonpath([path.parent for path in absolute]))
    return {record.file: printable(path.relative_to(home)) for record, path in zip(records, absolute, strict=True)}
