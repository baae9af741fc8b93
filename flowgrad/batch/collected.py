"""What all files share: summary.csv and report.html, from the manifest and the parts that lie ready."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowgrad.batch.attempt import section_file
from flowgrad.batch.manifest import DONE, Record
from flowgrad.files import printable, replacing

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


@dataclass(frozen=True)
class StoredSection:
    """A file's part of the report, whose HTML stays on disk until the page is written."""

    name: str
    verdict: str
    origin: str
    statement: str
    path: Path

    @property
    def html(self) -> str:
        """The part below the table."""
        return str(json.loads(self.path.read_text(encoding="utf-8"))["html"])


def write_page(folder: Path, records: Sequence[Record], options: Mapping[str, object]) -> None:
    """report.html of all files; WriteError where it cannot be written."""
    from flowgrad.report import write_report

    write_report(folder / "report.html", list(_sections(folder, records)), options)


def _sections(folder: Path, records: Sequence[Record]) -> Iterator[Any]:
    from flowgrad.report import failed_section

    for record in records:
        if record.state == DONE:
            path = section_file(folder / record.name)
            part = json.loads(path.read_text(encoding="utf-8"))
            yield StoredSection(part["name"], part["verdict"], part["origin"], part["statement"], path)
        else:
            yield failed_section(printable(Path(record.file).name), printable(record.reason))
