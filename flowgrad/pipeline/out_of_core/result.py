"""Result of an analysis that was made in parts, and the options that parts cannot answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.files import printable, size_text
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.kinematics.registry import OF_FIELD
from flowgrad.moments import PERCENTILE_ERROR, Statistics
from flowgrad.option import flag
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.summary import summary_of
from flowgrad.separation import separate

# They need the whole of a file.
_OF_THE_WHOLE = (
    *("boundary", "noise", "gradient_field", "error", "stress", "viscosity", "walls", "pressure", "density", "length"),
    *("body_force", "axisymmetric", "out_of_plane", "displacement"),
)


def advice(size: int) -> str:
    """What to do instead, with the size of all arrays in bytes."""
    return f"leave it out, or give --block-memory {size_text(size)} to take the file as a whole"


def check_options(path: Path, options: Options, size: int) -> None:
    """OptionError for options and quantities that need the whole of a file whose arrays take ``size`` bytes."""
    harmless = (("axisymmetric", "none"), ("displacement", "none"))
    given = {name: value for name, value in options.given().items() if (name, value) not in harmless}
    refused = [flag(name) for name in _OF_THE_WHOLE if name in given]
    refused += [f"--quantities {name}" for name in options.quantities if inputs_of(name) & OF_FIELD]
    if refused:
        raise OptionError(
            f"{path}: takes {size_text(size)} of arrays, more than --block-memory {options.block_memory}, and is done "
            f"in blocks, where {', '.join(refused)} cannot be known: {advice(size)}"
        )


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
        facts = {
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
        }
        no_stress = separate(VelocityGradient(np.eye(3)[None]))
        about: dict[str, Any] = {"source": path, "digest": digest, "options": options}
        return summary_of(printable(path.name), no_stress, facts, self.statistics, **about)
