"""Blocks compressed by vtkZLibDataCompressor, decompressed by a few threads into one buffer."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from flowgrad.errors import ReadError

Take = Callable[[int, int], np.ndarray]

# zlib's own bound on what a byte can expand to; a header that declares more is damaged.
MAX_RATIO = 1032
_THREADS = min(4, os.cpu_count() or 1)
# Below this size the threads cost more than they save.
_WORTH_THREADS = 1 << 20


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Where each block lies in the compressed data, and how long it is when expanded."""

    starts: list[int]
    sizes: list[int]
    full: int
    last: int

    def expanded(self, block: int) -> int:
        return self.last if block == len(self.sizes) - 1 else self.full


def inflate(take: Take, header: np.dtype, expected: int | None) -> np.ndarray:
    """Expand the array at the beginning of a stream whose ``take(start, count)`` gives its bytes.

    The header is the number of blocks, the size of a block, the size of the last one if it is
    shorter, and the compressed size of each. Raises ReadError if it contradicts the blocks, or the
    number of bytes ``expected``.
    """
    width = header.itemsize
    count = int(take(0, width).view(header)[0])
    if not count:
        return np.empty(0, np.uint8)
    full, last = take(width, 2 * width).view(header).tolist()
    sizes = take(3 * width, count * width).view(header).tolist()
    blocks = _Blocks([0, *accumulate(sizes)], sizes, full, last or full)
    total = (count - 1) * full + blocks.last
    if blocks.last > full or total > MAX_RATIO * sum(sizes):
        raise ReadError(f"declares {total} bytes in {sum(sizes)} compressed ones: the file is damaged")
    if expected is not None and total != expected:
        raise ReadError(f"has {total} bytes but {expected} are needed: the file is damaged")
    return _expanded(take((3 + count) * width, sum(sizes)), blocks, total)


def _expanded(data: np.ndarray, blocks: _Blocks, total: int) -> np.ndarray:
    out = np.empty(total, np.uint8)
    if total < _WORTH_THREADS or _THREADS == 1:
        _expand(data, blocks, out, range(len(blocks.sizes)))
        return out
    bounds = np.linspace(0, len(blocks.sizes), _THREADS + 1).astype(int).tolist()
    parts = [range(*pair) for pair in pairwise(bounds)]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda part: _expand(data, blocks, out, part), parts))
    return out


def _expand(data: np.ndarray, blocks: _Blocks, out: np.ndarray, chosen: range) -> None:
    view = data.data
    for block in chosen:
        start, size = blocks.starts[block], blocks.expanded(block)
        values = _expand_block(view[start : start + blocks.sizes[block]], size, block)
        out[block * blocks.full : block * blocks.full + size] = np.frombuffer(values, np.uint8)


def _expand_block(data: memoryview, size: int, block: int) -> bytes:
    expander = zlib.decompressobj()
    try:
        # One byte more than declared: enough to notice a block that expands beyond it, and no more.
        values = expander.decompress(data, size + 1)
    except zlib.error as error:
        raise ReadError(f"cannot be decompressed in block {block} ({error}): the file is damaged") from None
    if len(values) != size or not expander.eof or expander.unused_data:
        raise ReadError(f"expands in block {block} to another size than the {size} bytes declared: damaged")
    return values
