"""Manifest of a batch: a line for every file, appended as it ends; tasks and outcomes of workers, as JSON types."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flowgrad.errors import OptionError, WriteError

log = logging.getLogger("flowgrad")

WAITING, DONE, FAILED = "waiting", "done", "failed"

# Why a file failed. Those of a refusal last as long as the input does; the others are tried again.
REFUSED = "refused"
DISK = "disk"

# What the table of all files says of one, and where that stands in its NAME.json.
COLUMNS = {
    "newtonian": ("newtonian",),
    "verdict": ("verdict",),
    "origin": ("origin",),
    "statement": ("statement",),
    "velocity": ("velocity", "name"),
    "at": ("gradient", "at"),
    "scheme": ("gradient", "scheme"),
    "count": ("gradient", "count"),
    "excluded": ("gradient", "excluded"),
    "shear_rate_mean": ("statistics", "shear_rate", "mean"),
    "shear_rate_max": ("statistics", "shear_rate", "maximum"),
}

# Of every line, and of what a line that was cut off leaves.
_BEGIN = b'{"file": "'


@dataclass(frozen=True)
class Task:
    """A file to analyse, where its results go (``folder`` and ``name``), and the options given; JSON types."""

    source: str
    folder: str
    name: str
    options: Mapping[str, Any]
    report: bool

    @property
    def target(self) -> Path:
        """The results' path, without suffix."""
        return Path(self.folder) / self.name


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its ``row`` of the summary, or ``error`` and the ``kind`` of failure; JSON types.

    ``inputs`` are the files that were read, each with size, time of change and digest; ``messages`` are
    what was to be said of it, each with its level. A ``kind`` is refused, access, dependency, memory,
    timeout, signal, lost or disk.
    """

    source: str
    seconds: float
    row: dict[str, Any] | None = None
    inputs: dict[str, list[Any]] = field(default_factory=dict)
    error: str = ""
    kind: str = ""
    messages: list[tuple[int, str]] = field(default_factory=list)


def row_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the table of all files says of one, from its summary as NAME.json has it."""
    row: dict[str, Any] = {}
    for name, path in COLUMNS.items():
        value: Any = summary
        for key in path:
            value = value.get(key, {})
        row[name] = "" if value == {} else value
    return row


@dataclass(frozen=True)
class FileRecord:
    """The state of one file: ``options`` and ``version`` it was analysed with, the ``inputs`` that were read,
    the ``sizes`` of its results by name, its ``row`` of the summary or its ``reason`` and ``kind`` of failure."""

    file: str
    name: str
    state: str = WAITING
    kind: str = ""
    reason: str = ""
    seconds: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    inputs: dict[str, list[Any]] = field(default_factory=dict)
    patches: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    row: dict[str, Any] | None = None


class Manifest(contextlib.ExitStack):
    """The records of one run, by file, on disk as they are in memory; closed at the end of a ``with`` block.

    Raises OptionError where another run writes the same one or the file is another one, and WriteError where it
    cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._lock = threading.Lock()
        self._handle = _locked(path)
        self.callback(os.close, self._handle)
        content = path.read_bytes()
        # A line that was cut off stays one.
        self._cut_off = not content.endswith(b"\n") and bool(content)
        is_ours = _BEGIN.startswith(content[: len(_BEGIN)].split(b"\n")[0])
        if not is_ours:
            self.close()
            raise OptionError(f"{path} is there and is no manifest of flowgrad's: choose another -o")

    def add(self, *records: FileRecord) -> None:
        """Append the states of files, in one go; WriteError, and nothing is there, where that is not possible."""
        text = ("\n" if self._cut_off else "") + "".join(json.dumps(asdict(each)) + "\n" for each in records)
        with self._lock:
            size = os.fstat(self._handle).st_size
            try:
                if os.write(self._handle, text.encode()) != len(text.encode()):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                os.ftruncate(self._handle, size)
                raise WriteError(f"{self.path}: cannot be written ({error.strerror}): free some space") from error
            self._cut_off = False


def read_all(folder: Path) -> dict[str, FileRecord]:
    """The last state of every file in all manifests of a folder; lines that are not whole are passed over."""
    found: dict[str, FileRecord] = {}
    for path in sorted(folder.glob("manifest*.jsonl"), key=_age):
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise OptionError(f"{path}: cannot be read ({error.strerror}): check its permissions") from None
        for line in lines:
            with contextlib.suppress(ValueError, TypeError):
                record = FileRecord(**json.loads(line))
                if record.state != WAITING or record.file not in found:
                    found[record.file] = record
    return found


def _age(path: Path) -> int:
    """Time of change in nanoseconds; zero of a file that is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _locked(path: Path) -> int:
    """A handle to append with, locked as long as this process lives where the system has such locks."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror}): choose another -o") from error
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OptionError(f"{path}: another run is writing it: wait for that one, or choose another -o") from None
    except (ImportError, OSError):
        log.debug("%s cannot be locked", path)
    return handle
