"""Summary of an analysis that was made in parts: running statistics, and what parts cannot tell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.files import printable, size_text
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.kinematics.registry import OF_FIELD
from flowgrad.pipeline.analysis import Statistics, plain, versions
from flowgrad.pipeline.options import DEFAULT, Options
from flowgrad.separation import separate
from flowgrad.typing import FloatArray

_OPTIONS = (
    *("boundary", "noise", "gradient_field", "error", "stress", "viscosity", "walls", "pressure", "density", "length"),
    "body_force",
)


def advice(size: int) -> str:
    """What to do instead, with the size of all arrays in bytes."""
    return f"leave it out, or give --block-memory {size_text(size)} to take the file as a whole"


def check_options(path: Path, options: Options, size: int) -> None:
    """OptionError for options and quantities that need the whole of a file whose arrays take ``size`` bytes."""
    refused = [f"--{name.replace('_', '-')}" for name in _OPTIONS if getattr(options, name) != getattr(DEFAULT, name)]
    if options.axisymmetric in ("x", "y"):
        refused.append("--axisymmetric")
    if options.out_of_plane != DEFAULT.out_of_plane:
        refused.append("--out-of-plane")
    refused += [f"--quantities {name}" for name in options.quantities if inputs_of(name) & OF_FIELD]
    if refused:
        raise OptionError(
            f"{path}: takes {size_text(size)} of arrays, more than --block-memory {options.block_memory}, and is done "
            f"in blocks, where {', '.join(refused)} cannot be known: {advice(size)}"
        )


# Percentiles come from bins of values that share the sign, the exponent and so many bits of the fraction of float32.
_FRACTION_BITS = 11
_SHIFT = 23 - _FRACTION_BITS
# The largest error of a percentile, relative to it: half a bin.
PERCENTILE_ERROR = 2.0 ** -(_FRACTION_BITS + 1)
_SHARES = (0.05, 0.5, 0.95)
_SIGN = np.uint32(1 << 31)


class RunningStatistics:
    """Those of one quantity: of its magnitude for vectors and tensors. Minimum, maximum and mean are exact, percentiles
    those of bins, each within ``PERCENTILE_ERROR`` of its value."""

    def __init__(self) -> None:
        self._minimum, self._maximum = math.inf, -math.inf
        self._sums: list[float] = []
        self._measures: list[float] = []
        self._bins = np.zeros(1 << (32 - _SHIFT))

    def add(self, values: np.ndarray, weights: FloatArray) -> None:
        """Values (n, …) that stand for measures (n,); those that are not finite, or stand for none, do not count."""
        if values.ndim > 1:
            values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
        chosen = (weights > 0) & np.isfinite(values)
        if not chosen.all():
            values, weights = values[chosen], weights[chosen]
        if not len(values):
            return
        self._minimum, self._maximum = min(self._minimum, float(values.min())), max(self._maximum, float(values.max()))
        self._sums.append(float((weights * values).sum()))
        self._measures.append(float(weights.sum()))
        self._bins += np.bincount(_codes(values), weights, minlength=len(self._bins))

    def result(self) -> Statistics:
        """The statistics of all that was added; NaN of nothing."""
        if not self._measures:
            return Statistics(*[math.nan] * 6)
        mean = math.fsum(self._sums) / math.fsum(self._measures)
        share = np.cumsum(self._bins)
        codes = np.searchsorted(share, np.array(_SHARES) * share[-1])
        inside = np.clip(_middles(codes.astype(np.uint32)), self._minimum, self._maximum)
        return Statistics(self._minimum, self._maximum, mean, *inside.tolist())


def _codes(values: np.ndarray) -> np.ndarray:
    """Numbers of bins that rise with the values: a float's bits do, once those of negative ones are turned round."""
    largest = np.finfo(np.float32).max
    bits = np.clip(values, -largest, largest).astype(np.float32).view(np.uint32)
    return (np.where(bits & _SIGN, ~bits, bits | _SIGN) >> np.uint32(_SHIFT)).astype(np.int64)


def _middles(codes: np.ndarray) -> FloatArray:
    """The values in the middle of bins; what float32 keeps with fewer digits is zero."""
    bits = (codes << np.uint32(_SHIFT)) | np.uint32(1 << (_SHIFT - 1))
    middles = np.where(bits & _SIGN, bits ^ _SIGN, ~bits).astype(np.uint32).view(np.float32).astype(np.float64)
    return np.where(np.abs(middles) < np.finfo(np.float32).tiny, 0.0, middles)


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
