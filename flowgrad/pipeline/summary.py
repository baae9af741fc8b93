"""Summary of an analysis as JSON types: statistics weighted by measure, of values whole or in parts; provenance."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.errors import FlowgradError
from flowgrad.files import printable
from flowgrad.moments import Statistics
from flowgrad.pipeline.options import Options
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.separation import Separation

# Tensors that have no statistics of their own: those of the quantities tell.
WITHOUT_STATISTICS = ("L", "D", "W")


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
        **separation.told,
        "origin": separation.origin,
        "statement": separation.sentence,
    }
    summary: dict[str, Any] = plain({**verdict, **facts, "statistics": written, "provenance": provenance})
    return summary


@cache
def versions() -> Mapping[str, str]:
    """Versions of everything a result depends on."""
    packages = ("flowgrad", "numpy", "scipy", "numba", "meshio", "matplotlib")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def digest_of_input(path: Path, time: float | None = None) -> str:
    """SHA-256 of an input: of its file, or of the names and the digests of all files that a folder is read from."""
    from flowgrad.io.formats import files_of

    try:
        files = files_of(path, time)
    except FlowgradError:
        return ""  # the reader says why
    if list(files) == [path]:
        return digest_of(path)
    folder = path if path.is_dir() else path.parent
    lines = (f"{each.relative_to(folder)} {digest_of(each)}\n" for each in files)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


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
