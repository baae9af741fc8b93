"""Ragged arrays: runs of different lengths, one after another in one flat array."""

from __future__ import annotations

import numpy as np

from flowgrad.typing import IntArray


def offsets(sizes: IntArray) -> IntArray:
    """Where each of consecutive runs of the given sizes starts, and the end: (n + 1,)."""
    result = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=result[1:])
    return result


def runs(starts: IntArray, sizes: IntArray) -> IntArray:
    """The integers start, start + 1, … of every run, one run after another."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - sizes), sizes)


def take(starts: IntArray, values: np.ndarray, chosen: IntArray) -> tuple[IntArray, np.ndarray]:
    """Some of the runs of an array, those between consecutive ``starts`` (n + 1,): their offsets and values."""
    sizes = np.diff(starts)[chosen]
    return offsets(sizes), values[runs(starts[chosen], sizes)]


def successor(starts: IntArray) -> IntArray:
    """Place of the next entry in the ring of each (m,), where the runs between ``starts`` (n + 1,) are rings: after the
    last one comes the first."""
    following = np.arange(1, starts[-1] + 1)
    filled = np.diff(starts) > 0
    following[starts[1:][filled] - 1] = starts[:-1][filled]
    return following
