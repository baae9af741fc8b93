"""Number of independent steps of a series: by blocks of successive steps, pooled over places.

The mean of N correlated values has the variance gσ²/N. With means of blocks of m = 1, 2, 4, … successive values, whose
differences have half the mean square A(m) (Allan's variance), g = m A(m)/σ² rises with m until blocks are longer than
the correlation (Flyvbjerg & Petersen 1989, J. Chem. Phys. 91, 461); the largest is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from flowgrad.typing import FloatArray

# Places that are looked at, evenly through the mesh: correlation in time is pooled, and so needs no more.
_PLACES = 4096
# Differences of blocks, of which fewer tell nothing.
_FEWEST = 7


@dataclass
class _Level:
    """Blocks of one length: the last whole one, a half of the next, and squares of differences with their number."""

    last: FloatArray | None = None
    half: FloatArray | None = None
    squares: float = 0.0
    count: int = 0
    pairs: int = 0


@dataclass
class BlockVariances:
    """Allan's variances of a series of values, taken up step by step; those of parts merge."""

    levels: list[_Level] = field(default_factory=list)

    def add(self, values: FloatArray, known: np.ndarray) -> None:
        """The next step's values (n, k), where they are ``known`` (n,)."""
        every = max(-(-len(values) // _PLACES), 1)
        self._add(np.where(known[::every, None], values[::every], np.nan), 0)

    def _add(self, block: FloatArray, number: int) -> None:
        if number == len(self.levels):
            self.levels.append(_Level())
        level = self.levels[number]
        if level.last is not None:
            squares = (block - level.last) ** 2
            known = np.isfinite(squares)
            level.squares += float(squares[known].sum())
            level.count += int(known.sum())
            level.pairs += 1
        level.last = block
        if level.half is None:
            level.half = block
            return
        whole, level.half = 0.5 * (level.half + block), None
        self._add(whole, number + 1)

    def merge(self, other: BlockVariances) -> BlockVariances:
        """Those of both parts, whose blocks are not joined."""
        merged = []
        for number in range(max(len(self.levels), len(other.levels))):
            both = [each.levels[number] for each in (self, other) if number < len(each.levels)]
            squares, count, pairs = (sum(getattr(each, n) for each in both) for n in ("squares", "count", "pairs"))
            merged.append(_Level(None, None, squares, count, pairs))
        return BlockVariances(merged)

    def factor(self, variance: float) -> float:
        """g ≥ 1 of values whose mean variance over places is ``variance`` (divided by N − 1); NaN of fewer than eight
        steps."""
        told = [
            2**number * 0.5 * level.squares / level.count
            for number, level in enumerate(self.levels)
            if level.pairs >= _FEWEST and level.count
        ]
        if not told:
            return np.nan
        return max(1.0, max(told) / variance) if variance > 0 else 1.0
