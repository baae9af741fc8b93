"""What is known of a file that was done in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.files import printable
from flowgrad.kinematics import VelocityGradient
from flowgrad.pipeline.analysis import Statistics, plain, versions
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.out_of_core.result import PERCENTILE_ERROR
from flowgrad.separation import separate


@dataclass(frozen=True, eq=False)
class PartsResult:
    """Of ``count`` places ``excluded`` have no gradient; ``said`` is how it was done, in one line, and ``parts`` the
    same in numbers; ``mesh`` are its points, cells, types and measure."""

    velocity: str
    location: str
    at: str
    mesh: Mapping[str, Any]
    time: float | None
    scheme: str
    reason: str
    count: int
    excluded: int
    notes: tuple[str, ...]
    statistics: Mapping[str, Statistics]
    said: str
    parts: Mapping[str, int]

    def summary(self, path: Path, options: Options, digest: str) -> dict[str, Any]:
        """As that of a whole analysis, as JSON types, as far as parts tell it."""
        nothing = separate(VelocityGradient(np.eye(3)[None]))
        summary: dict[str, Any] = plain(
            {
                "file": printable(path.name),
                "verdict": str(nothing.verdict.value),
                "origin": nothing.origin,
                "statement": nothing.sentence,
                "evidence": {},
                "velocity": {"name": self.velocity, "location": self.location},
                "mesh": {**self.mesh, "patches": []},
                "time": self.time,
                "gradient": {
                    "scheme": self.scheme,
                    "reason": self.reason,
                    "at": self.at,
                    "count": self.count,
                    "excluded": self.excluded,
                    "notes": list(self.notes),
                },
                "blocks": {**self.parts, "note": self.said, "percentile_error": PERCENTILE_ERROR},
                "statistics": {
                    name: {key: value for key, value in asdict(each).items() if value != ""}
                    for name, each in self.statistics.items()
                },
                "provenance": {
                    "input": printable(path),
                    "sha256": digest,
                    "options": options.given(),
                    "versions": versions(),
                },
            }
        )
        return summary
