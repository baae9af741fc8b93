"""Batch run: the plan of what is left to do, the engine that does it, manifest, summary and report."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flowgrad.batch import supervisor
from flowgrad.batch.files import SUFFIXES, are_same, names, patches_of, piece_files, remove_parts, shard, stamp
from flowgrad.batch.manifest import DISK, DONE, FAILED, Manifest, Outcome, Record, Task, manifest_file, read_all
from flowgrad.batch.process_file import attempt, entry_file, page_file
from flowgrad.batch.progress import Progress
from flowgrad.batch.settings import Cases, Settings
from flowgrad.batch.supervisor import Equipment
from flowgrad.errors import FlowgradError, OptionError, WriteError
from flowgrad.files import printable, replacing
from flowgrad.io.compressed import is_compressed
from flowgrad.io.registry import check_file, format_of

if TYPE_CHECKING:
    from flowgrad.report import Entry

log = logging.getLogger("flowgrad")


class Terminated(KeyboardInterrupt):
    """SIGTERM, as schedulers of clusters send it before they kill."""


@dataclass(frozen=True, eq=False)
class Plan:
    """All files of a list as they were ``known`` when it was made, and those that this run is ``to_do``."""

    folder: Path
    expected: Mapping[Path, Record]
    known: Mapping[Path, Record]
    to_do: tuple[Path, ...]


def plan(files: Sequence[Path], folder: Path, cases: Cases, settings: Settings) -> Plan:
    """What is done already and what is left; nothing is written. OptionError where nothing can be started."""
    options = {file: cases.of(file) for file in files}
    before = read_all(folder)
    with_walls = [file for file in files if options[file].walls is not None]
    chosen = names(files, folder, with_walls, {record.name for record in before.values()})
    version = _version()
    expected = {
        file: Record(
            str(file),
            chosen[file],
            options=_as_json(options[file].given()),
            version=version,
            patches=patches_of(options[file].boundary, file),
        )
        for file in files
    }
    known = {
        file: before[str(file)]
        for file in files
        if str(file) in before and _is_finished(before[str(file)], expected[file], folder, settings.report)
    }
    own = shard(files, *settings.shard)
    return Plan(folder, expected, known, tuple(file for file in own if file not in known))


def _version() -> str:
    from flowgrad.pipeline.analysis import versions

    return ", ".join(f"{name} {number}" for name, number in versions().items())


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}


def _is_finished(record: Record, expected: Record, folder: Path, report: bool) -> bool:
    """Whether a file has ended for good, under the same conditions, and its results are still there."""
    same = all(getattr(record, name) == getattr(expected, name) for name in ("name", "options", "version", "patches"))
    if not same or not record.is_final or not (are_same(record.inputs) or _is_grid(record)):
        return False
    if record.state == FAILED:
        return True
    there = all(_size(folder / name) == size for name, size in record.sizes.items())
    pages = (entry_file(folder / record.name), page_file(folder / record.name))
    return there and (not report or all(path.exists() for path in pages))


def _is_grid(record: Record) -> bool:
    return record.options.get("grid") is not None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def run(
    files: Sequence[Path],
    folder: Path,
    cases: Cases,
    settings: Settings | None = None,
    *,
    configuration: str = "",
    as_json: bool = False,
) -> list[Record]:
    """Analyse files into ``folder``: NAME.vtu and NAME.json each, summary.csv and report.html for all, and the
    manifest, with which the same call goes on where an earlier one was stopped.

    Every file is tried; the records of this shard's files, in their order, tell which failed and why.
    ``configuration`` is written beside the results as run.toml. Raises OptionError where nothing can be started
    and WriteError where the results cannot be written any more.
    """
    settings = settings or Settings()
    todo = plan(files, folder, cases, settings)
    for name in cases.unused(files):
        log.warning("the table [%s] of the cases matches none of the files", name)
    _make(folder, settings.report)
    with Manifest(manifest_file(folder, settings.shard)) as manifest, _terminable():
        _tidy(todo)
        with _stopped(folder):
            manifest.start(todo.expected[file] for file in todo.to_do)
            if configuration:
                with replacing(folder / "run.toml") as stream:
                    stream.write(configuration.encode())
            ended = dict(todo.known) | _do(todo, settings, cases, manifest, as_json)
            _collect(files, folder, cases, settings, ended)
    return [ended[file] for file in shard(files, *settings.shard)]


@contextmanager
def _stopped(folder: Path) -> Iterator[None]:
    """What cannot be written ends the run with what was done, and how it goes on."""
    try:
        yield
    except WriteError as error:
        raise WriteError(
            f"{error}; what has ended is kept in {folder}: make room there, or make it writable, and give the same "
            "command again"
        ) from error


def _make(folder: Path, report: bool) -> None:
    try:
        (folder / "report" if report else folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None


def _do(todo: Plan, settings: Settings, cases: Cases, manifest: Manifest, as_json: bool) -> dict[Path, Record]:
    """The files that are left, each recorded as it ends."""
    tasks = [
        Task(
            str(file),
            str(todo.folder),
            todo.expected[file].name,
            _as_json(dataclasses.asdict(cases.of(file))),
            settings.report,
        )
        for file in todo.to_do
    ]
    own = len(todo.to_do) + sum(file in todo.known for file in shard([*todo.expected], *settings.shard))
    progress = Progress(own, own - len(tasks), as_json)
    if len(tasks) < own:
        log.info("%d of %d files have ended before, with the same input, options and version", own - len(tasks), own)
    ended: dict[Path, Record] = {}
    try:
        with closing(_outcomes(tasks, settings)) as outcomes:
            for outcome in outcomes:
                _stop_at_a_full_disk(outcome, progress.count)
                file = Path(outcome.source)
                ended[file] = _record(todo.expected[file], outcome, todo.folder)
                manifest.add(ended[file])
                progress.ended(ended[file], outcome.messages)
    finally:
        progress.close()
        _tidy(todo)
    return ended


def _tidy(todo: Plan) -> None:
    """Remove what workers that were killed have left of their files."""
    for folder in (todo.folder, todo.folder / "report"):
        remove_parts(folder, {todo.expected[file].name for file in todo.to_do})


def _outcomes(tasks: Sequence[Task], settings: Settings) -> Generator[Outcome]:
    """By the engine that suits: a single file without limits needs no process of its own."""
    equipment = Equipment(
        settings.limits, settings.threads_each, os.getcwd(), log.getEffectiveLevel() or logging.WARNING
    )
    if settings.engine == "dask":
        from flowgrad.batch import dask_engine

        return dask_engine.outcomes(tasks, equipment, settings.processes, settings.scheduler)
    if len(tasks) <= 1 and not settings.limits and settings.threads is None and (settings.jobs or 1) == 1:
        return (attempt(task) for task in tasks)
    return supervisor.outcomes(tasks, equipment, settings.processes)


def _stop_at_a_full_disk(outcome: Outcome, count: int) -> None:
    if outcome.kind == DISK:
        raise WriteError(f"stopped at {outcome.source}, after {count} files: {outcome.error}")


def _record(expected: Record, outcome: Outcome, folder: Path) -> Record:
    results = [*(folder / f"{expected.name}{suffix}" for suffix in SUFFIXES), *piece_files(folder / expected.name)]
    sizes = {path.relative_to(folder).as_posix(): size for path in results if (size := _size(path)) is not None}
    return dataclasses.replace(
        expected,
        state=FAILED if outcome.row is None else DONE,
        kind=outcome.kind,
        reason=outcome.error,
        seconds=outcome.seconds,
        inputs=outcome.inputs,
        sizes={} if outcome.row is None else sizes,
        row=outcome.row,
    )


def _collect(
    files: Sequence[Path], folder: Path, cases: Cases, settings: Settings, ended: Mapping[Path, Record]
) -> None:
    """Summary and report, of all shards as soon as the last has ended."""
    if settings.shard[1] > 1:
        ended = {**plan(files, folder, cases, settings).known, **_tried(folder, files), **ended}
        missing = len(files) - len(ended)
        if missing:
            log.info("%d files of other shards have not ended: the last shard writes the summary of all", missing)
            return
    records = [ended[file] for file in files]
    write_summary(folder / "summary.csv", records)
    if settings.report:
        write_index(folder, records, cases.options.given())


def _tried(folder: Path, files: Sequence[Path]) -> dict[Path, Record]:
    """Those that failed in a way that would be tried again."""
    found = read_all(folder)
    return {file: found[str(file)] for file in files if str(file) in found and found[str(file)].state == FAILED}


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(*_: object) -> None:
    raise Terminated


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


TO_DO, DONE_BEFORE, WOULD_FAIL = "to do", "done before", "would fail"


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
        return Foreseen(name, DONE_BEFORE, result, reason, size)
    reason = "" if expected.options.get("grid") else _refusal(file)
    return Foreseen(name, WOULD_FAIL if reason else TO_DO, result, reason, size)


def _refusal(file: Path) -> str:
    """Why a file cannot be read, as far as its name and size tell."""
    try:
        check_file(file)
        format_of(file.with_suffix("") if is_compressed(file) else file)
    except FlowgradError as error:
        return str(error).removeprefix(f"{file}: ")
    return ""
