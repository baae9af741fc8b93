"""Analysis of one file of a batch, from reading to its results; whatever goes wrong becomes an outcome."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.batch.files import SUFFIXES, input_marks, piece_files, piece_folder, recorded, stamp
from flowgrad.batch.manifest import DISK, REFUSED, Outcome, Task, row_of
from flowgrad.errors import FlowgradError, MissingDependencyError, WriteError
from flowgrad.files import CONTROLS, replacing

if TYPE_CHECKING:
    from flowgrad.flow import Flow
    from flowgrad.gradient.scheme import Scheme
    from flowgrad.pipeline.analysis import Analysis, Differentiate

log = logging.getLogger("flowgrad")

# Of the folder or the disk, not of the file: no other file could be written either.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
_OUT_OF_MEMORY = "not enough memory: use a machine with more, or --at cells and fewer --quantities"


def attempt(task: Task, differentiate: Differentiate | None = None) -> Outcome:
    """Analyse a file and write its results, whole or not at all, NAME.json last; ``differentiate`` may keep
    what it has prepared from file to file."""
    start = time.perf_counter()
    before = stamp(task.source)
    digest = ""
    with recorded() as opened:
        try:
            remove_results(task.target)
            row, digest = _process(task, differentiate)
            kind = error = ""
        except Exception as failure:
            row, (kind, error) = None, _reason(task, failure)
    if error:
        try:
            remove_results(task.target)
        except WriteError:
            log.debug("results of %s are left", task.source, exc_info=True)
    marks = input_marks(task.source, before, digest, opened, Path(task.folder))
    return Outcome(task.source, time.perf_counter() - start, row, marks, error, kind)


def repeated() -> Differentiate:
    """:func:`velocity_gradient` for files that come one after the other, as those of a series: what has been prepared
    is kept as long as mesh and options are the same."""
    from flowgrad.gradient import PreparedGradient
    from flowgrad.gradient.rates import steady_rates

    prepared = lru_cache(1)(PreparedGradient)

    def differentiate(flow: Flow, scheme: Scheme | str, at: str | None, *, steady: bool, **how: bool) -> Any:
        gradient = prepared(scheme, at, **how).of(flow)
        return steady_rates(gradient) if steady else gradient

    return differentiate


def remove_results(target: Path) -> None:
    """Results of an earlier run with other options would pass for those of this one; WriteError."""
    results = (target.with_name(target.name + suffix) for suffix in reversed(SUFFIXES))
    for path in (*results, *piece_files(target), *reversed(report_files(target))):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{path}: cannot be removed ({error.strerror}): choose another -o") from error
    with contextlib.suppress(OSError):
        piece_folder(target).rmdir()


def report_files(target: Path) -> tuple[Path, Path]:
    """A file's own page of the report, and what is drawn of it for the index, which has the rest from NAME.json."""
    return target.parent / "report" / f"{target.name}.html", target.parent / "report" / f"{target.name}.json"


def _reason(task: Task, failure: Exception) -> tuple[str, str]:
    """The kind of a failure and its one line."""
    file = Path(task.source)
    kind, text = REFUSED, str(failure)
    cause = _system_error(failure)
    if isinstance(failure, MemoryError) or "can't start new thread" in text:
        kind, text = "memory", _OUT_OF_MEMORY
    elif isinstance(failure, WriteError):
        kind = DISK if cause in _DISK_ERRORS else "access"
    elif isinstance(failure, MissingDependencyError):
        kind = "dependency"
    elif isinstance(failure, FlowgradError):
        kind = REFUSED if cause is None else "access"
    else:
        log.debug("traceback of %s", file, exc_info=failure)
        text = f"unexpected {type(failure).__name__} ({text}): please report it, with the output of -v"
    reason = text.removeprefix(f"{file}: ").removeprefix(f"{file.name}: ")
    return kind, CONTROLS.sub("?", " ".join(reason.split()))


def _system_error(failure: BaseException | None) -> int | None:
    """The number of the operating system's error behind a failure, None where there is none."""
    while failure is not None:
        if isinstance(failure, OSError) and failure.errno is not None:
            return failure.errno
        failure = failure.__cause__ or failure.__context__
    return None


def _process(task: Task, differentiate: Differentiate | None) -> tuple[dict[str, Any], str]:
    """The row of the table of all files, and the input's digest; NAME.json is written last."""
    from flowgrad.gradient import velocity_gradient
    from flowgrad.pipeline.analysis import analyse
    from flowgrad.pipeline.options import Options
    from flowgrad.pipeline.out_of_core import SUFFIXES as IN_PARTS
    from flowgrad.pipeline.out_of_core import run_in_blocks
    from flowgrad.pipeline.write import write

    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in task.options.items()
    }
    source, target, options = Path(task.source), task.target, Options(**given)
    in_parts = run_in_blocks(source, target, options) if source.suffix.lower() in IN_PARTS else None
    if in_parts is not None:
        _write_results(task, in_parts.summary, None)
        return row_of(in_parts.summary), in_parts.digest
    analysis = analyse(source, options, differentiate or velocity_gradient)
    with ThreadPoolExecutor(1) as pool:
        # While the disk is busy, the statistics are computed.
        file_name, std = target.with_name(target.name + ".vtu"), analysis.gradient.covariance is not None
        written = pool.submit(write, file_name, analysis.separation, analysis.quantities, std=std)
        summary = analysis.summary()
        written.result()
        if analysis.walls is not None:
            write(target.with_name(target.name + "_walls.vtu"), analysis.walls)
        if analysis.walls_over_time is not None:
            write(target.with_name(target.name + "_walls_over_time.vtu"), analysis.walls_over_time)
    _write_results(task, summary, analysis)
    return row_of(summary), analysis.digest


def _write_results(task: Task, summary: dict[str, Any], analysis: Analysis | None) -> None:
    """The page of the report, of parts without an ``analysis``, and NAME.json last."""
    results: dict[Path, str] = {}
    if task.report:
        from flowgrad.report import file_page
        from flowgrad.report.part_section import part_page

        page = part_page(summary) if analysis is None else file_page(analysis)
        page_file, drawn_file = report_files(task.target)
        results = {page_file: page.html, drawn_file: json.dumps(page.drawn, indent=2, ensure_ascii=False) + "\n"}
    results[task.target.with_name(f"{task.target.name}.json")] = (
        json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    )
    for path, text in results.items():
        with replacing(path) as stream:
            stream.write(text.encode())
