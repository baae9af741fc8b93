"""A run: what is left to do, by which engine, and what is known of every file when it ends."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flowgrad.batch import collected, local
from flowgrad.batch.attempt import attempt, entry_file, page_file
from flowgrad.batch.cases import Cases
from flowgrad.batch.inputs import are_same, patches_of
from flowgrad.batch.manifest import DONE, FAILED, Manifest, Record, manifest_file, read_all
from flowgrad.batch.names import SUFFIXES, names, piece_files, remove_parts, shard
from flowgrad.batch.progress import Progress
from flowgrad.batch.settings import Settings
from flowgrad.batch.supervisor import Equipment
from flowgrad.batch.task import DISK, Outcome, Task
from flowgrad.errors import OptionError, WriteError
from flowgrad.files import replacing

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
    from flowgrad.analysis import versions

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
    return local.outcomes(tasks, equipment, settings.processes)


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
    collected.write_summary(folder / "summary.csv", records)
    if settings.report:
        collected.write_index(folder, records, cases.options.given())


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
