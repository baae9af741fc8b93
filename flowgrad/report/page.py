"""The page: a table of all files with their verdicts, then each file's part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flowgrad.files import replacing
from flowgrad.report.section import FileSection
from flowgrad.report.template import stylesheet, template


@dataclass(frozen=True)
class Wording:
    """What a page calls itself and its items, and what it says of units."""

    title: str
    item: str
    units: str


FLOWS = Wording(
    "From the velocity field to the fluid",
    "file",
    "Dimensions are in mass M, length L and time T, in the units of the input. Stresses and viscosities are dynamic "
    "where the input is, else divided by the density.",
)
CURVES = Wording(
    "From the flow curve to the fluid",
    "curve",
    "Shear rates are in 1/s, stresses in Pa and viscosities in Pa s where the table states its units, else in its own.",
)


def write_report(
    path: Path | str,
    sections: Sequence[FileSection],
    command: str | Mapping[str, object] = "",
    wording: Wording = FLOWS,
) -> None:
    """Write the report on all files, or all curves, whole or not at all.

    ``command`` is the command line, or the options by their names. Raises WriteError where the file
    cannot be written.
    """
    stream = template("report.html").stream(
        sections=sections,
        counts=Counter(section.verdict for section in sections),
        command=command if isinstance(command, str) else _options(command),
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        style=stylesheet(),
        wording=wording,
    )
    stream.enable_buffering(50)
    with replacing(Path(path)) as file:
        stream.dump(file, encoding="utf-8")


def _options(given: Mapping[str, object]) -> str:
    return " ".join(f"--{key.replace('_', '-')}={_text(value)}" for key, value in given.items())


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
