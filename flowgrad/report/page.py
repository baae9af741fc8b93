"""The page: a table of all files with their verdicts, then each file's part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flowgrad.files import replacing
from flowgrad.report.section import FileSection
from flowgrad.report.template import stylesheet, template


def write_report(path: Path | str, sections: Sequence[FileSection], command: str | Mapping[str, object] = "") -> None:
    """Write the report on all files, whole or not at all.

    ``command`` is the command line, or the options by their names. Raises WriteError where the file
    cannot be written.
    """
    stream = template("report.html").stream(
        sections=sections,
        counts=Counter(section.verdict for section in sections),
        command=command if isinstance(command, str) else _options(command),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        style=stylesheet(),
    )
    stream.enable_buffering(50)
    with replacing(Path(path)) as file:
        stream.dump(file, encoding="utf-8")


def _options(given: Mapping[str, object]) -> str:
    return " ".join(f"--{key.replace('_', '-')}={_text(value)}" for key, value in given.items())


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
