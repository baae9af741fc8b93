"""The page: a table of all files with their verdicts, then each file's part."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flowgrad.report.section import FileSection
from flowgrad.report.template import stylesheet, template


def write_report(path: Path | str, sections: Sequence[FileSection], command: str | Mapping[str, object] = "") -> None:
    """Write the report on all files, whole or not at all.

    ``command`` is the command line, or the options by their names. Raises OSError where the file
    cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    stream = template("report.html").stream(
        sections=sections,
        counts=Counter(section.verdict for section in sections),
        command=command if isinstance(command, str) else _options(command),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        style=stylesheet(),
    )
    try:
        with temporary.open("wb") as file:
            stream.enable_buffering(50)
            stream.dump(file, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _options(given: Mapping[str, object]) -> str:
    return " ".join(f"--{key.replace('_', '-')}={_text(value)}" for key, value in given.items())


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
