"""Compressed blocks of VTK XML arrays: zlib, LZMA and LZ4, expanded by a few threads into one buffer and no further."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np

from flowgrad.compiled import threads
from flowgrad.errors import MissingDependencyError, ReadError

# LZMA's dictionary at its highest level takes 65 MB; a block that asks for much more is damaged.
_LZMA_MEMORY = 1 << 28

_XZ = partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _LZMA_MEMORY)
Take = Callable[[int, int], np.ndarray]
# More threads than these wait for the memory.
_MOST_THREADS = 4
# Below this size the threads cost more than they save.
_WORTH_THREADS = 1 << 20
# Compressed bytes that are in memory at once.
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Codec:
    """``expand(data, size)`` returns at most size + 1 bytes, or raises ReadError; ``ratio`` bounds what a
    byte can expand to."""

    expand: Callable[[memoryview, int], bytes]
    ratio: int


def _streamed(begin: Callable[[], Any], data: memoryview, size: int) -> bytes:
    """A block of a format that says itself where it ends."""
    expander = begin()
    try:
        # One byte more than declared: enough to notice a block that expands beyond it, and no more.
        values: bytes = expander.decompress(data, size + 1)
    except (zlib.error, lzma.LZMAError) as error:
        raise ReadError(str(error)) from None
    if len(values) <= size and not (expander.eof and not expander.unused_data):
        raise ReadError("it does not end where it should")
    return values


def _lz4(data: memoryview, size: int) -> bytes:
    try:
        from lz4.block import LZ4BlockError, decompress
    except ImportError:
        raise MissingDependencyError(
            "the file is compressed with LZ4, which needs the package lz4: install flowgrad[lz4]"
        ) from None
    try:
        values: bytes = decompress(data, uncompressed_size=size)
    except LZ4BlockError as error:
        raise ReadError(str(error)) from None
    return values


LZ4 = {"lz4": "flowgrad[lz4]"}
# By VTK's names. The ratios: deflate's own bound; measured on zeros, rounded up; one length byte for 255.
CODECS: dict[str, Codec] = {
    "vtkZLibDataCompressor": Codec(partial(_streamed, zlib.decompressobj), 1032),
    "vtkLZMADataCompressor": Codec(partial(_streamed, _XZ), 7168),
    "vtkLZ4DataCompressor": Codec(_lz4, 256),
}


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Where each block lies in the compressed data, and how long it is when expanded."""

    codec: Codec
    starts: list[int]
    sizes: list[int]

    def runs(self) -> Iterator[range]:
        """Blocks that are read together."""
        first = 0
        for block in range(len(self.sizes)):
            if self.starts[block + 1] - self.starts[first] > _AT_ONCE and block > first:
                yield range(first, block)
                first = block
        yield range(first, len(self.sizes))


@dataclass(frozen=True, eq=False)
class Compressed:
    """A compressed array, whose bytes ``take`` gives from ``start`` on: its header has been read, its blocks not."""

    take: Take
    start: int
    blocks: _Blocks
    total: int

    def bytes_between(self, low: int, high: int) -> np.ndarray:
        """The expanded bytes from ``low`` to ``high``: only the blocks that hold them are read."""
        if low >= high:
            return np.empty(0, np.uint8)
        full = self.blocks.sizes[0]
        first, last = low // full, (high - 1) // full + 1
        begin = self.blocks.starts[first]
        # These blocks, as if there were no others.
        starts = [start - begin for start in self.blocks.starts[first : last + 1]]
        part = _Blocks(self.blocks.codec, starts, self.blocks.sizes[first:last])
        place = self.start + begin
        expanded = _expanded(lambda start, size: self.take(place + start, size), part, first)
        shift = first * full
        return expanded[low - shift : high - shift]


def compressed(take: Take, header: np.dtype, expected: int | None, codec: Codec) -> Compressed:
    """The array at the beginning of a stream whose ``take(start, count)`` gives its bytes, its header read and checked.

    The header is the number of blocks, the size of a block, the size of the last one if it is
    shorter, and the compressed size of each. Raises ReadError if it contradicts the blocks, or the
    number of bytes ``expected``.
    """
    width = header.itemsize
    count = int(take(0, width).view(header)[0])
    if not count:
        return Compressed(take, 0, _Blocks(codec, [0], []), 0)
    full, last = take(width, 2 * width).view(header).tolist()
    sizes = take(3 * width, count * width).view(header).tolist()
    last = last or full
    blocks = _Blocks(codec, [0, *accumulate(sizes)], [full] * (count - 1) + [last])
    total, stored = (count - 1) * full + last, blocks.starts[-1]
    if last > full or total > codec.ratio * stored:
        raise ReadError(f"declares {total} bytes in {stored} compressed ones: the file is damaged")
    if expected is not None and total != expected:
        raise ReadError(f"has {total} bytes instead of {expected}: the file is damaged")
    start = (3 + count) * width
    take(start + stored, 0)  # all of the blocks are there
    return Compressed(take, start, blocks, total)


def _expanded(take: Take, blocks: _Blocks, number: int = 0) -> np.ndarray:
    """All of some blocks, of which the first is the block ``number`` of the array."""
    out, count = np.empty(sum(blocks.sizes), np.uint8), min(_MOST_THREADS, threads())
    if len(out) < _WORTH_THREADS or count == 1:
        for run in blocks.runs():
            data = take(blocks.starts[run.start], blocks.starts[run.stop] - blocks.starts[run.start]).data
            _expand(data, blocks, out, number, run.start, run)
        return out
    with ThreadPoolExecutor(count) as pool:
        for run in blocks.runs():
            parts = [run[k * len(run) // count : (k + 1) * len(run) // count] for k in range(count)]
            data = take(blocks.starts[run.start], blocks.starts[run.stop] - blocks.starts[run.start]).data
            list(pool.map(partial(_expand, data, blocks, out, number, run.start), parts))
    return out


def _expand(data: memoryview, blocks: _Blocks, out: np.ndarray, number: int, first: int, chosen: range) -> None:
    """Expand some blocks of the data, which begin with the block ``first``; errors count from ``number`` on."""
    shift, full = blocks.starts[first], blocks.sizes[0]
    for block in chosen:
        start, stop, size = blocks.starts[block] - shift, blocks.starts[block + 1] - shift, blocks.sizes[block]
        values = _expand_block(data[start:stop], size, number + block, blocks.codec)
        out[block * full : block * full + size] = np.frombuffer(values, np.uint8)


def _expand_block(data: memoryview, size: int, block: int, codec: Codec) -> bytes:
    try:
        values = codec.expand(data, size)
    except ReadError as error:
        raise ReadError(f"cannot be decompressed in block {block} ({error}): the file is damaged") from None
    if len(values) != size:
        raise ReadError(f"expands in block {block} to another size than the {size} bytes declared: damaged")
    return values
