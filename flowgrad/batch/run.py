"""Batch run: the plan of what is left to do, the engine that does it, manifest, summary and report."""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
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
from flowgrad.batch.files import OF_SERIES, SUFFIXES, are_same, names, patches_of, piece_files, remove_parts, stamp
from flowgrad.batch.manifest import COLUMNS, DISK, DONE, FAILED, REFUSED, FileRecord, Manifest, Outcome, Task, read_all
from flowgrad.batch.process_file import attempt, report_files
from flowgrad.batch.progress import Progress
from flowgrad.batch.settings import Cases, Limits, Settings
from flowgrad.errors import FlowgradError, MeshError, OptionError, WriteError
from flowgrad.files import printable, replacing
from flowgrad.io.formats import check_file, format_of

if TYPE_CHECKING:
    from flowgrad.report import Entry
    from flowgrad.walls import WallStatistics

log = logging.getLogger("flowgrad")

# States of a dry run.
TO_DO, DONE_BEFORE, WOULD_FAIL = "to do", "done before", "would fail"


class Terminated(KeyboardInterrupt):
    """SIGTERM, as schedulers of clusters send it before they kill."""


@dataclass(frozen=True, eq=False)
class Plan:
    """All files of a list as they were ``known`` when it was made, and those that this run is ``to_do``."""

    folder: Path
    expected: Mapping[Path, FileRecord]
    known: Mapping[Path, FileRecord]
    to_do: tuple[Path, ...]

    def tidy(self) -> None:
        """Remove what workers that were killed have left of their files."""
        for folder in (self.folder, self.folder / "report"):
            remove_parts(folder, {self.expected[file].name for file in self.to_do})


def plan(files: Sequence[Path], folder: Path, cases: Cases, settings: Settings) -> Plan:
    """What is done already and what is left; nothing is written. OptionError where nothing can be started."""
    from flowgrad.pipeline.summary import versions

    options = {file: cases.of(file) for file in files}
    before = read_all(folder)
    with_walls = [file for file in files if options[file].walls is not None]
    chosen = names(files, folder, with_walls, {record.name for record in before.values()})
    version = ", ".join(f"{name} {number}" for name, number in versions().items())
    expected = {
        file: FileRecord(
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
        if str(file) in before and _is_finished(before[str(file)], expected[file], folder, not settings.no_report)
    }
    own = settings.own(files)
    return Plan(folder, expected, known, tuple(file for file in own if file not in known))


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}


def _is_finished(record: FileRecord, expected: FileRecord, folder: Path, report: bool) -> bool:
    """Whether a file has ended for good, under the same conditions, and its results are still there."""
    same = all(getattr(record, name) == getattr(expected, name) for name in ("name", "options", "version", "patches"))
    is_on_grid = record.options.get("grid") is not None
    # Trying the same input again would end alike.
    is_final = record.state == DONE or (record.state == FAILED and record.kind == REFUSED)
    if not same or not is_final or not (are_same(record.inputs) or is_on_grid):
        return False
    if record.state == FAILED:
        return True
    there = all(_size(folder / name) == size for name, size in record.sizes.items())
    return there and (not report or all(path.exists() for path in report_files(folder / record.name)))


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
) -> list[FileRecord]:
    """Analyse files into ``folder``: NAME.vtu and NAME.json each, summary.csv and report.html for all, and the
    manifest, with which the same call goes on where an earlier one was stopped.

    Every file is tried; the records of this shard's files, in their order, tell which failed and why.
    ``configuration`` is written beside the results as run.toml. Raises OptionError where nothing can be started
    and WriteError where the results cannot be written any more.
    """
    settings = settings or Settings()
    todo = plan(files, folder, cases, settings)
    for name in cases.tables:
        if not any(fnmatch.fnmatchcase(file.stem, name) for file in files):
            log.warning("the table [%s] of the cases matches none of the files", name)
    try:
        (folder if settings.no_report else folder / "report").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None
    part, count = map(int, settings.shard.split("/"))
    name = "manifest.jsonl" if count == 1 else f"manifest-{part}-of-{count}.jsonl"
    with Manifest(folder / name) as manifest, _terminable():
        todo.tidy()
        try:
            manifest.add(*(todo.expected[file] for file in todo.to_do))
            if configuration:
                with replacing(folder / "run.toml") as stream:
                    stream.write(configuration.encode())
            ended = dict(todo.known) | _do(todo, settings, cases, manifest, as_json)
            _collect(files, folder, cases, settings, ended)
        except WriteError as error:
            raise WriteError(
                f"{error}; what has ended is kept in {folder}: make room there, or make it writable, and give the "
                "same command again"
            ) from error
    return [ended[file] for file in settings.own(files)]


def _do(todo: Plan, settings: Settings, cases: Cases, manifest: Manifest, as_json: bool) -> dict[Path, FileRecord]:
    """The files that are left, each recorded as it ends."""
    tasks = [
        Task(
            str(file),
            str(todo.folder),
            todo.expected[file].name,
            _as_json(dataclasses.asdict(cases.of(file))),
            not settings.no_report,
        )
        for file in todo.to_do
    ]
    own = len(todo.to_do) + sum(file in todo.known for file in settings.own([*todo.expected]))
    progress = Progress(own, own - len(tasks), as_json)
    if len(tasks) < own:
        log.info("%d of %d files have ended before, with the same input, options and version", own - len(tasks), own)
    ended: dict[Path, FileRecord] = {}
    try:
        with closing(_outcomes(tasks, settings)) as outcomes:
            for outcome in outcomes:
                if outcome.kind == DISK:
                    raise WriteError(f"stopped at {outcome.source}, after {progress.count} files: {outcome.error}")
                file = Path(outcome.source)
                ended[file] = _record(todo.expected[file], outcome, todo.folder)
                manifest.add(ended[file])
                progress.ended(ended[file], outcome.messages)
    finally:
        progress.close()
        todo.tidy()
    return ended


def _outcomes(tasks: Sequence[Task], settings: Settings) -> Generator[Outcome]:
    """By the engine that suits: a single file without limits needs no process of its own."""
    equipment = supervisor.Equipment(
        settings.limits, settings.threads_each, os.getcwd(), log.getEffectiveLevel() or logging.WARNING
    )
    if settings.engine == "dask":
        from flowgrad.batch import dask_engine

        return dask_engine.outcomes(tasks, equipment, settings.processes, settings.scheduler)
    if len(tasks) <= 1 and settings.limits == Limits() and settings.threads is None and settings.processes == 1:
        return (attempt(task) for task in tasks)
    return supervisor.outcomes(tasks, equipment, settings.processes)


def _record(expected: FileRecord, outcome: Outcome, folder: Path) -> FileRecord:
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
    files: Sequence[Path], folder: Path, cases: Cases, settings: Settings, ended: Mapping[Path, FileRecord]
) -> None:
    """Summary and report, of all shards as soon as the last has ended."""
    if int(settings.shard.split("/")[1]) > 1:
        found = read_all(folder)
        # Those that failed in a way that would be tried again are known too.
        tried = {file: found[str(file)] for file in files if str(file) in found and found[str(file)].state == FAILED}
        ended = {**plan(files, folder, cases, settings).known, **tried, **ended}
        missing = len(files) - len(ended)
        if missing:
            log.info("%d files of other shards have not ended: the last shard writes the summary of all", missing)
            return
    records = [ended[file] for file in files]
    write_summary(folder / "summary.csv", records)
    failure: FlowgradError | None = None
    walls: WallStatistics | None = None
    try:
        walls = _averages(folder, records)
    except (OptionError, MeshError) as error:
        failure = error
    if not settings.no_report:
        _write_report(folder, records, cases.options.given(), walls)
    if failure is not None:
        raise failure


def _averages(folder: Path, records: Sequence[FileRecord]) -> WallStatistics | None:
    """Averages over time on walls of the files that are steps of one series, if they were asked for."""
    for name in (f"{OF_SERIES}.vtu", f"{OF_SERIES}.json"):
        # Those of an earlier run would pass for those of this one.
        (folder / name).unlink(missing_ok=True)
    if not any(record.options.get("series_statistics") for record in records):
        return None
    from flowgrad.batch.wall_series import steps_of_series, write_averages

    steps = steps_of_series(folder, records)
    return write_averages(folder, steps) if any(each.state == DONE for each in steps) else None


def write_summary(path: Path, records: Sequence[FileRecord]) -> None:
    """The table of all files, in their order; WriteError where it cannot be written."""
    with replacing(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file", "status", *COLUMNS, "seconds", "kind", "error"], restval="")
        writer.writeheader()
        for record in records:
            known = {"file": printable(record.file), "status": record.state, "seconds": f"{record.seconds:.3f}"}
            row = {name: value for name, value in (record.row or {}).items() if name in COLUMNS}
            writer.writerow({**known, **row, "kind": record.kind, "error": record.reason})


def _write_report(
    folder: Path, records: Sequence[FileRecord], options: Mapping[str, object], walls: WallStatistics | None
) -> None:
    """report.html: the index of all files, or the page of a single one; WriteError where it cannot be written."""
    from flowgrad.report import alone, write_index

    if len(records) > 1 or records[0].state != DONE:
        write_index(folder / "report.html", list(_entries(folder, records)), options, walls)
        return
    page = report_files(folder / records[0].name)[0].read_text(encoding="utf-8")
    with replacing(folder / "report.html") as stream:
        stream.write(alone(page).encode())


def _entries(folder: Path, records: Sequence[FileRecord]) -> Iterator[Entry]:
    from flowgrad.report import entry_of, failed_entry

    shown = display_names([record.file for record in records])
    for record in records:
        if record.state == DONE:
            page, picture = report_files(folder / record.name)
            read = (folder / f"{record.name}.json", picture)
            summary, drawn = (json.loads(file.read_text(encoding="utf-8")) for file in read)
            yield entry_of(shown[record.file], summary, drawn, quote(page.relative_to(folder).as_posix()))
        else:
            yield failed_entry(shown[record.file], record.kind, printable(record.reason))


def display_names(files: Sequence[str]) -> dict[str, str]:
    """What to call files: their names, or where two are the same the paths from the folder that all share."""
    paths = [Path(file) for file in files]
    if len({path.name for path in paths}) == len(paths):
        return {file: printable(path.name) for file, path in zip(files, paths, strict=True)}
    absolute = [Path(os.path.abspath(path)) for path in paths]
    home = Path(os.path.commonpath([path.parent for path in absolute]))
    return {file: printable(path.relative_to(home)) for file, path in zip(files, absolute, strict=True)}


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Foreseen:
    """What would become of a file: its ``state``, and where its results would go or the reason why not."""

    file: str
    state: str
    result: str
    reason: str = ""
    size: int = 0

    def __str__(self) -> str:
        return f"{self.state:<12} {self.file} ({self.size / 1e6:.1f} MB): {self.reason or self.result}"


def dry_run(files: Sequence[Path], folder: Path, cases: Cases, settings: Settings) -> Iterator[Foreseen]:
    """What would become of each file of this shard; nothing is read but the files' names, sizes and the manifest.

    Raises OptionError where nothing could be started.
    """
    todo = plan(files, folder, cases, settings)
    for file in settings.own(files):
        expected, known, mark = todo.expected[file], todo.known.get(file), stamp(file)
        about = (printable(folder / f"{expected.name}.vtu"), 0 if mark is None else int(mark[0]))
        if known is not None:
            state, reason = DONE_BEFORE, known.reason and f"failed before: {known.reason}"
        else:
            reason = "" if expected.options.get("grid") else _refusal(file)
            state = WOULD_FAIL if reason else TO_DO
        yield Foreseen(printable(file), state, about[0], reason, about[1])


def _refusal(file: Path) -> str:
    """Why a file cannot be read, as far as its name and size tell."""
    try:
        check_file(file)
        format_of(file)
    except FlowgradError as error:
        return str(error).removeprefix(f"{file}: ")
    return ""
