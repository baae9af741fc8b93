"""What a run would do, file by file, without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowgrad.batch.cases import Cases
from flowgrad.batch.inputs import stamp
from flowgrad.batch.manifest import Record
from flowgrad.batch.names import shard
from flowgrad.batch.run import plan
from flowgrad.batch.settings import Settings
from flowgrad.errors import FlowgradError
from flowgrad.files import printable
from flowgrad.io.registry import check_file, format_of

TO_DO, DONE, FAILED = "to do", "done before", "would fail"


@dataclass(frozen=True)
class Foreseen:
    """What would become of a file: its ``state``, and where its results would go or the reason why not."""

    file: str
    state: str
    result: str
    reason: str = ""
    size: int = 0

    def __str__(self) -> str:
        where = self.reason or self.result
        return f"{self.state:<12} {self.file} ({self.size / 1e6:.1f} MB): {where}"


def dry_run(files: Sequence[Path], folder: Path, cases: Cases, settings: Settings) -> Iterator[Foreseen]:
    """What would become of each file of this shard; nothing is read but the files' names, sizes and the manifest.

    Raises OptionError where nothing could be started.
    """
    todo = plan(files, folder, cases, settings)
    for file in shard(files, *settings.shard):
        yield _foreseen(file, todo.known.get(file), todo.expected[file], folder)


def _foreseen(file: Path, known: Record | None, expected: Record, folder: Path) -> Foreseen:
    result = printable(folder / f"{expected.name}.vtu")
    name, mark = printable(file), stamp(file)
    size = 0 if mark is None else int(mark[0])
    if known is not None:
        reason = known.reason and f"failed before: {known.reason}"
        return Foreseen(name, DONE, result, reason, size)
    reason = "" if expected.options.get("grid") else _refusal(file)
    return Foreseen(name, FAILED if reason else TO_DO, result, reason, size)


def _refusal(file: Path) -> str:
    """Why a file cannot be read, as far as its name and size tell."""
    try:
        check_file(file)
        format_of(file)
    except FlowgradError as error:
        return str(error).removeprefix(f"{file}: ")
    return ""
