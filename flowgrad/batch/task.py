"""What is asked of a worker and what it answers, as JSON types: they travel between processes and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Why a file failed. Those of a refusal last as long as the input does; the others are tried again.
REFUSED = "refused"
DISK = "disk"


@dataclass(frozen=True)
class Task:
    """A file to analyse, where its results go (``folder`` and ``name``), and the options given."""

    source: str
    folder: str
    name: str
    options: Mapping[str, Any]
    report: bool

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return {**asdict(self), "options": dict(self.options)}

    @property
    def target(self) -> Path:
        """The results' path, without suffix."""
        return Path(self.folder) / self.name


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its ``row`` of the summary, or ``error`` and the ``kind`` of failure.

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

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)
