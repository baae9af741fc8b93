"""Summary of an analysis as JSON types: statistics weighted by measure, of values whole or in parts; provenance."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.files import printable
from flowgrad.pipeline.options import Options
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.separation import Separation

# Tensors that have no statistics of their own: those of the quantities tell.
WITHOUT_STATISTICS = ("L", "D", "W")

_SHARES = (0.05, 0.5, 0.95)
# Percentiles of parts come from bins of values that share the sign, the exponent and so many bits of the fraction of
# float32.
_FRACTION_BITS = 11
_SHIFT = 23 - _FRACTION_BITS
# The largest error of such a percentile, relative to it: half a bin.
PERCENTILE_ERROR = 2.0 ** -(_FRACTION_BITS + 1)
_SIGN = np.uint32(1 << 31)


@dataclass(frozen=True)
class Statistics:
    """Measure-weighted statistics of one quantity: of its magnitude for vectors and tensors, of the
    ``component`` (x, y or z) of a vector of which no other is known."""

    minimum: float
    maximum: float
    mean: float
    percentile_5: float
    median: float
    percentile_95: float
    component: str = field(default="", kw_only=True)

    @classmethod
    def of(cls, values: np.ndarray, weights: FloatArray) -> Statistics:
        """Those of values (n, …) that stand for measures (n,); what is not finite does not count, NaN of nothing."""
        component = ""
        if values.ndim == 2:
            known = np.flatnonzero(np.isfinite(values).any(axis=0))
            component = "xyz"[known[0]] if len(known) == 1 else ""
        values, weights = _counted(values[:, "xyz".index(component)] if component else values, weights)
        if not len(values):
            return cls(*[math.nan] * 6)
        mean = float((weights * values).sum() / weights.sum())
        order = np.argsort(values)
        share = np.cumsum(weights[order])
        positions = np.searchsorted(share, np.array(_SHARES) * share[-1])
        percentiles = [float(values[order[min(i, len(order) - 1)]]) for i in positions]
        return cls(float(values.min()), float(values.max()), mean, *percentiles, component=component)


class RunningStatistics:
    """Statistics of one quantity whose values come in parts. Minimum, maximum and mean are exact, percentiles those of
    bins, each within ``PERCENTILE_ERROR`` of its value."""

    def __init__(self) -> None:
        self._minimum, self._maximum = math.inf, -math.inf
        self._sums: list[float] = []
        self._measures: list[float] = []
        self._bins = np.zeros(1 << (32 - _SHIFT))

    def add(self, values: np.ndarray, weights: FloatArray) -> None:
        """Values (n, …) that stand for measures (n,); those that are not finite, or stand for none, do not count."""
        values, weights = _counted(values, weights)
        if not len(values):
            return
        self._minimum, self._maximum = min(self._minimum, float(values.min())), max(self._maximum, float(values.max()))
        self._sums.append(float((weights * values).sum()))
        self._measures.append(float(weights.sum()))
        # A float's bits rise with its value, once those of negative ones are turned round.
        largest = np.finfo(np.float32).max
        bits = np.clip(values, -largest, largest).astype(np.float32).view(np.uint32)
        codes = (np.where(bits & _SIGN, ~bits, bits | _SIGN) >> np.uint32(_SHIFT)).astype(np.int64)
        self._bins += np.bincount(codes, weights, minlength=len(self._bins))

    def result(self) -> Statistics:
        """The statistics of all that was added; NaN of nothing."""
        if not self._measures:
            return Statistics(*[math.nan] * 6)
        mean = math.fsum(self._sums) / math.fsum(self._measures)
        share = np.cumsum(self._bins)
        codes = np.searchsorted(share, np.array(_SHARES) * share[-1]).astype(np.uint32)
        # The middles of bins; what float32 keeps with fewer digits is zero.
        bits = (codes << np.uint32(_SHIFT)) | np.uint32(1 << (_SHIFT - 1))
        middles = np.where(bits & _SIGN, bits ^ _SIGN, ~bits).astype(np.uint32).view(np.float32).astype(np.float64)
        middles = np.where(np.abs(middles) < np.finfo(np.float32).tiny, 0.0, middles)
        inside = np.clip(middles, self._minimum, self._maximum)
        return Statistics(self._minimum, self._maximum, mean, *inside.tolist())


def _counted(values: np.ndarray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values, or magnitudes of vectors and tensors, with their measures, where both count."""
    if values.ndim > 1:
        values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
    counts = (weights > 0) & np.isfinite(values)
    return (values, weights) if counts.all() else (values[counts], weights[counts])


@dataclass(frozen=True)
class Deviation:
    """Measure-weighted root mean square of a quantity's standard deviation (of all its known components
    together), and the share of the measure where the quantity has no derivative and so no deviation."""

    rms: float
    undefined: float

    @classmethod
    def of(cls, values: np.ndarray, weights: FloatArray) -> Deviation:
        """That of standard deviations (n, …) that stand for measures (n,)."""
        components = values.reshape(len(values), -1)
        known = np.isfinite(components).any(axis=1)
        squares = np.nansum(components**2, axis=1)
        total, measure = float(weights[known].sum()), float(weights.sum())
        rms = math.sqrt(float((weights[known] * squares[known]).sum()) / total) if total > 0 else math.nan
        return cls(rms, 1 - total / measure if measure > 0 else math.nan)


def summary_of(
    file: str,
    separation: Separation,
    facts: Mapping[str, Any],
    statistics: Mapping[str, Statistics],
    *,
    source: Path | None,
    digest: str,
    options: Options,
) -> dict[str, Any]:
    """Everything a machine may want to know of a run, as JSON types; NaN becomes null.

    ``facts`` are what is known of the velocity, the mesh and the gradient, by the names that they have in NAME.json.
    """
    written = {
        name: {key: value for key, value in asdict(each).items() if value != ""} for name, each in statistics.items()
    }
    provenance = {
        "input": printable(source) if source else None,
        "sha256": digest,
        "options": options.given(),
        "versions": versions(),
    }
    verdict = {
        "file": file,
        "verdict": str(separation.verdict.value),
        "origin": separation.origin,
        "statement": separation.sentence,
    }
    summary: dict[str, Any] = plain({**verdict, **facts, "statistics": written, "provenance": provenance})
    return summary


def versions() -> dict[str, str]:
    """Versions of everything a result depends on."""
    packages = ("flowgrad", "numpy", "scipy", "numba", "meshio", "matplotlib")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def digest_of(path: Path) -> str:
    """SHA-256 of a file; empty for what is none or cannot be opened (the reader says why)."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def plain(value: Any) -> Any:
    """The same as JSON types: no NumPy scalars, no NaN."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
