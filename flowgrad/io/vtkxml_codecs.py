"""The compressors of VTK's XML files: each expands one block to the size declared, and no further."""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from flowgrad.errors import MissingDependencyError, ReadError

# LZMA's dictionary at its highest level takes 65 MB; a block that asks for much more is damaged.
_LZMA_MEMORY = 1 << 28


@dataclass(frozen=True)
class Codec:
    """``expand(data, size)`` returns at most size + 1 bytes, or raises ReadError; ``ratio`` bounds what a
    byte can expand to."""

    expand: Callable[[memoryview, int], bytes]
    ratio: int


def _zlib(data: memoryview, size: int) -> bytes:
    expander = zlib.decompressobj()
    try:
        # One byte more than declared: enough to notice a block that expands beyond it, and no more.
        values = expander.decompress(data, size + 1)
    except zlib.error as error:
        raise ReadError(str(error)) from None
    return _whole(values, size, expander.eof and not expander.unused_data)


def _lzma(data: memoryview, size: int) -> bytes:
    expander = lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY)
    try:
        values = expander.decompress(data, size + 1)
    except lzma.LZMAError as error:
        raise ReadError(str(error)) from None
    return _whole(values, size, expander.eof and not expander.unused_data)


def _lz4(data: memoryview, size: int) -> bytes:
    try:
        from lz4.block import LZ4BlockError, decompress
    except ImportError:
        raise MissingDependencyError(
            "the file is compressed with LZ4, which needs the package lz4: pip install 'flowgrad[lz4]'"
        ) from None
    try:
        values: bytes = decompress(data, uncompressed_size=size)
    except LZ4BlockError as error:
        raise ReadError(str(error)) from None
    return values


def _whole(values: bytes, size: int, is_ended: bool) -> bytes:
    if len(values) <= size and not is_ended:
        raise ReadError("it does not end where it should")
    return values


# By VTK's names. The ratios: deflate's own bound; measured on zeros, rounded up; one length byte for 255.
CODECS: dict[str, Codec] = {
    "vtkZLibDataCompressor": Codec(_zlib, 1032),
    "vtkLZMADataCompressor": Codec(_lzma, 7168),
    "vtkLZ4DataCompressor": Codec(_lz4, 256),
}
