"""Parts of one array of a VTK-XML file, read where they lie: appended raw, uncompressed or in compressed blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.vtkxml_arrays import TYPES, Appended, Encoding, Stream, offset_of
from flowgrad.io.vtkxml_blocks import compressed

_OTHERWISE = "write it appended and raw, or take it as a whole with a larger --block-memory"


@dataclass(frozen=True, eq=False)
class Slices:
    """An array of numbers of the type ``dtype``, of which ``bytes_between(low, high)`` gives the bytes."""

    dtype: np.dtype
    bytes_between: Callable[[int, int], np.ndarray]

    def values(self, start: int, stop: int) -> np.ndarray:
        """The numbers from ``start`` to ``stop``, as they are in the file."""
        size = self.dtype.itemsize
        return self.bytes_between(size * start, size * stop).view(self.dtype)


def slices(element: ET.Element, count: int, encoding: Encoding, appended: Appended | None) -> Slices:
    """The array of a DataArray that must have ``count`` numbers; its header is read and checked.

    Raises ReadError for an array that does not lie in raw appended data and for a header that contradicts the count.
    """
    kind, layout = element.get("type", ""), element.get("format", "ascii")
    if kind not in TYPES or kind == "Bit":
        raise ReadError(f"has the type '{kind}', which is not read in blocks: {_OTHERWISE}")
    if layout != "appended" or appended is None or appended.base64:
        raise ReadError(f"is not appended raw, so that no part of it can be read alone: {_OTHERWISE}")
    dtype = TYPES[kind].newbyteorder(encoding.order)
    offset = offset_of(element)
    stream = Stream(appended.handle, appended.start + offset, appended.end)
    due = count * dtype.itemsize
    if encoding.codec is not None:
        blocks = compressed(stream.take, encoding.header, due, encoding.codec)
        found = Slices(dtype, blocks.bytes_between)
    else:
        found = Slices(dtype, _uncompressed(stream, encoding.header, due))
    appended.claim(offset, stream.reach - appended.start)
    return found


def _uncompressed(stream: Stream, header: np.dtype, due: int) -> Callable[[int, int], np.ndarray]:
    size = int(stream.take(0, header.itemsize).view(header)[0])
    if size != due:
        raise ReadError(f"has {size} bytes but {due} are needed: the file is damaged or was cut off, write it again")
    stream.take(header.itemsize + size, 0)  # all of it is there
    return lambda low, high: stream.take(header.itemsize + low, high - low)
