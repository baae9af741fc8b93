"""Progress of a batch: a line for each file that ends, a bar below them on a terminal, or JSON for machines."""

from __future__ import annotations

import functools
import json
import logging
import os
import sys
import time
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flowgrad.batch.manifest import DONE, FileRecord
from flowgrad.files import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

log = logging.getLogger("flowgrad")


class Progress(ExitStack):
    """Tells each file as it ends; ``total`` of them, of which ``known`` have ended in an earlier run."""

    def __init__(self, total: int, known: int, as_json: bool = False) -> None:
        super().__init__()
        self.total, self.known, self.count, self.failed, self.as_json = total, known, known, 0, as_json
        self._start = time.monotonic()
        self._bar: Bar | None = None
        if as_json:
            say(event="start", files=total, known=known)
        elif log.isEnabledFor(logging.INFO) and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._bar = self.enter_context(_bar())
            self._bar.add_task("", total=total, completed=known, failed="", rate="")
            self.callback(_lines_above(self._bar.console))

    def ended(self, record: FileRecord, messages: list[tuple[int, str]]) -> None:
        """One file has ended; ``messages`` are what was to be said of it."""
        self.count += 1
        self.failed += record.state != DONE
        for level, text in messages:
            log.log(level, "%s", text)
        if self.as_json:
            say(event="file", number=self.count, files=self.total, **brief(record))
        else:
            level = logging.INFO if record.state == DONE else logging.ERROR
            log.log(level, "[%d/%d] %s", self.count, self.total, line(record))
        if self._bar is not None:
            rate = 60 * (self.count - self.known) / max(time.monotonic() - self._start, 1e-3)
            shown: dict[str, Any] = {
                "failed": f"{self.failed} failed" if self.failed else "",
                "rate": f"{rate:.1f} files/min",
            }
            self._bar.update(self._bar.task_ids[0], completed=self.count, refresh=True, **shown)


def _bar() -> Bar:
    """Bar, files done, failures, files a minute, time left; imported where there is a terminal to show it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Column

    rate = TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True))
    columns = (BarColumn(20), MofNCompleteColumn(), "{task.fields[failed]}", rate, TimeRemainingColumn())
    console = Console(file=sys.stderr)
    return Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)


def _lines_above(console: Console) -> Any:
    """Let the lines of the log appear above what a console keeps at its end; what undoes this."""
    streams = [each for each in logging.getLogger().handlers if isinstance(each, logging.StreamHandler)]
    handlers = [each for each in streams if each.stream is sys.stderr]
    write = functools.partial(console.print, end="", markup=False, highlight=False, soft_wrap=True)
    above: Any = SimpleNamespace(write=write, flush=console.file.flush)
    before = [each.setStream(above) for each in handlers]

    def undo() -> None:
        for handler, stream in zip(handlers, before, strict=True):
            if stream is not None:
                handler.setStream(stream)

    return undo


def line(record: FileRecord) -> str:
    """A file that has ended, in a line."""
    if record.row is None:
        return f"{printable(record.file)}: FAILED: {record.reason}"
    row = record.row
    left_out = f", {row['excluded']} of {row['count']} {row['at']} excluded" if row["excluded"] else ""
    return f"{printable(record.file)}: {row['verdict']}{left_out} ({record.seconds:.1f} s)"


def brief(record: FileRecord) -> dict[str, Any]:
    """What a machine wants to know of a file."""
    told = {"file": printable(record.file), "name": printable(record.name), "state": record.state}
    told |= {"kind": record.kind, "reason": record.reason} if record.row is None else record.row
    return {**told, "seconds": round(record.seconds, 3)}


def say(**event: Any) -> None:
    """One line of JSON on the standard output."""
    print(json.dumps(event, ensure_ascii=True), flush=True)
