"""Extents of structured data sets: the ranges of point numbers along three axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from flowgrad.errors import ReadError

Shape = tuple[int, int, int]
Ranges = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Extent:
    """The first and the last point number along each axis."""

    low: Shape
    high: Shape

    @classmethod
    def parse(cls, text: str) -> Extent:
        """From VTK's six numbers ``i0 i1 j0 j1 k0 k1``; ReadError for anything else."""
        try:
            i0, i1, j0, j1, k0, k1 = map(int, text.split())
        except ValueError:
            raise ReadError(f"has the extent '{text[:60]}' instead of six numbers: the file is damaged") from None
        if max(map(abs, (i0, i1, j0, j1, k0, k1))) > np.iinfo(np.int32).max:
            raise ReadError(f"has the extent '{text[:60]}', beyond 32 bits: the file is damaged")
        return cls((i0, j0, k0), (i1, j1, k1))

    @property
    def is_empty(self) -> bool:
        """Whether there is no point, as in 0 -1 0 -1 0 -1."""
        return any(high < low for low, high in zip(self.low, self.high, strict=True))

    @property
    def shape(self) -> Shape:
        """Number of points along each axis (nx, ny, nz)."""
        nx, ny, nz = (max(high - low + 1, 0) for low, high in zip(self.low, self.high, strict=True))
        return nx, ny, nz

    @property
    def cell_shape(self) -> Shape:
        """Number of cells along each axis: 1 where there is one point."""
        nx, ny, nz = (n - 1 if n > 1 else n for n in self.shape)
        return nx, ny, nz

    @property
    def point_count(self) -> int:
        """Number of points."""
        return math.prod(self.shape)

    @property
    def cell_count(self) -> int:
        """Number of cells."""
        return math.prod(self.cell_shape)

    def check_inside(self, whole: Extent) -> None:
        """ReadError for a piece that leaves the whole, or is flat along an axis along which the whole is not."""
        pairs = zip(self.low, self.high, whole.low, whole.high, strict=True)
        if any(low < first or high > last or (low == high and first < last) for low, high, first, last in pairs):
            raise ReadError(
                f"has a piece of the extent {self} in a whole of {whole}, which it leaves or of which it is a flat "
                "part: the file is damaged"
            )

    def within(self, whole: Extent, of_cells: bool) -> Ranges:
        """Where this piece's points or cells stand in arrays indexed [k, j, i] of the whole."""
        sizes = self.cell_shape if of_cells else self.shape
        starts = (low - first for low, first in zip(self.low, whole.low, strict=True))
        i, j, k = (slice(start, start + size) for start, size in zip(starts, sizes, strict=True))
        return k, j, i

    def __str__(self) -> str:
        return " ".join(f"{low} {high}" for low, high in zip(self.low, self.high, strict=True))
