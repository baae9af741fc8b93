"""Rows of one table as the parts that belong together: one sample, one step, one temperature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from flowgrad.rheometer.measured import Measured
from flowgrad.typing import FloatArray

# Temperatures [K] farther apart than this are two settings.
_APART = 2.0
# A setting has this many rows at least, else its temperature drifts.
_FEWEST = 4


def settings(numbers: Measured) -> Iterator[tuple[str, str, Measured]]:
    """The parts of the rows with the names of sample (and temperature) and step, in the order of the file; rows of one
    sample need not be together."""
    keys = list(zip(numbers.samples, numbers.steps, strict=True))
    for sample, step in dict.fromkeys(keys):
        same = np.array([each == (sample, step) for each in keys], bool)
        part = numbers.part(same)
        for temperature, rows in _temperatures(part.temperature):
            yield f"{sample} {temperature}".strip(), step if len(set(numbers.steps)) > 1 else "", part.part(rows)


def _temperatures(values: FloatArray | None) -> list[tuple[str, Any]]:
    """The settings of a column of temperatures (n,) with the rows of each; one without a name where there is one."""
    if values is None or np.isfinite(values).sum() < 2 * _FEWEST:
        return [("", slice(None))]
    ordered = np.unique(values[np.isfinite(values)])
    centres = [float(np.mean(each)) for each in np.split(ordered, np.flatnonzero(np.diff(ordered) > _APART) + 1)]
    nearest = np.argmin(np.abs(np.nan_to_num(values)[:, None] - np.array(centres)), axis=1)
    counts = np.bincount(nearest, minlength=len(centres))
    if len(centres) < 2 or counts.min() < _FEWEST:
        return [("", slice(None))]
    return [(f"{centre:.3g} °C", nearest == i) for i, centre in enumerate(centres)]
