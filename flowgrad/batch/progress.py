"""What a run says while it works: lines, a bar on a terminal, or JSON for machines."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

from flowgrad.batch.manifest import DONE, Record
from flowgrad.files import printable

log = logging.getLogger("flowgrad")

_CLEAR = "\r\x1b[K"
# Columns of a terminal that does not tell.
_USUAL = 80


class Progress:
    """Tells each file as it ends; ``total`` of them, of which ``known`` have ended in an earlier run."""

    def __init__(self, total: int, known: int, as_json: bool = False) -> None:
        self.total, self.known, self.count, self.failed = total, known, known, 0
        self.as_json = as_json
        self._is_terminal = not as_json and log.isEnabledFor(logging.INFO) and _has_lines_to_redraw()
        self._start = time.monotonic()
        if as_json:
            say(event="start", files=total, known=known)
        self._draw()

    def ended(self, record: Record, messages: list[tuple[int, str]]) -> None:
        """One file has ended; ``messages`` are what was to be said of it."""
        self.count += 1
        self.failed += record.state != DONE
        self._clear()
        for level, text in messages:
            log.log(level, "%s", text)
        if self.as_json:
            say(event="file", number=self.count, files=self.total, **brief(record))
        else:
            level = logging.INFO if record.state == DONE else logging.ERROR
            log.log(level, "[%d/%d] %s", self.count, self.total, line(record))
        self._draw()

    def close(self) -> None:
        """Take the bar away."""
        self._clear()

    def _clear(self) -> None:
        if self._is_terminal:
            sys.stderr.write(_CLEAR)

    def _draw(self) -> None:
        if self._is_terminal:
            shown = bar(self.count, self.total, self.failed, self._passed(), self.known)
            # A bar that is wrapped could not be taken away.
            sys.stderr.write(f"{_CLEAR}{shown[: _columns() - 1]}")
            sys.stderr.flush()

    def _passed(self) -> float:
        return time.monotonic() - self._start


def _has_lines_to_redraw() -> bool:
    """Whether people look at a terminal that can take a line away again."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
    except (OSError, ValueError):
        return _USUAL


def bar(count: int, total: int, failed: int, seconds: float, known: int = 0) -> str:
    """``[####......]  40/100  2 failed  12.3 files/min  5 min left``; ``known`` took no time of this run."""
    filled = round(20 * count / total) if total else 20
    rate = (count - known) / seconds if seconds > 0 else 0.0
    parts = [f"[{'#' * filled}{'.' * (20 - filled)}]", f"{count}/{total}"]
    parts += [f"{failed} failed"] if failed else []
    if rate > 0:
        parts += [f"{60 * rate:.1f} files/min", f"{duration((total - count) / rate)} left"]
    return "  ".join(parts)


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def line(record: Record) -> str:
    """A file that has ended, in a line."""
    if record.row is None:
        return f"{printable(record.file)}: FAILED: {record.reason}"
    row = record.row
    left_out = f", {row['excluded']} of {row['count']} {row['at']} excluded" if row["excluded"] else ""
    return f"{printable(record.file)}: {row['verdict']}{left_out} ({record.seconds:.1f} s)"


def brief(record: Record) -> dict[str, Any]:
    """What a machine wants to know of a file."""
    told = {"file": printable(record.file), "name": printable(record.name), "state": record.state}
    if record.row is not None:
        told |= record.row
    else:
        told |= {"kind": record.kind, "reason": record.reason}
    return {**told, "seconds": round(record.seconds, 3)}


def say(**event: Any) -> None:
    """One line of JSON on the standard output."""
    print(json.dumps(event, ensure_ascii=True), flush=True)
