"""Arrays of VTK XML files, ascii, base64 or raw, inline or appended, whole or in part.

Sizes that a file declares are compared with the bytes that are there before memory is taken for them.
"""

from __future__ import annotations

import binascii
import io
import warnings
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, Literal
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import native
from flowgrad.io.vtk_xml.blocks import Codec, compressed

# In the byte order of most files.
TYPES = {
    **{f"Int{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"UInt{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    "Float32": np.dtype("<f4"),
    "Float64": np.dtype("<f8"),
    "Bit": np.dtype("u1"),
}

# Where what a writer did otherwise than VTK is said.
Note = Callable[[str], None]

_CUT_OFF = "the file is damaged or was cut off, write it again"

_OTHERWISE = "write it appended and raw, or take it as a whole with a larger --block-memory"


@dataclass(frozen=True)
class Encoding:
    """How binary data are laid out: the type of the sizes before them, the byte order of all numbers
    (``<`` or ``>``) and the compressor."""

    header: np.dtype
    order: Literal["<", ">"] = "<"
    codec: Codec | None = None


@dataclass(eq=False)
class Stream:
    """Bytes of a file from ``position`` to ``end``, the sizes of an array first; ``reach`` is where those
    end that were taken."""

    handle: BinaryIO
    position: int
    end: int
    reach: int = 0

    def take(self, start: int, count: int) -> np.ndarray:
        """``count`` bytes from ``start`` (counted from the stream's beginning) as a new array."""
        if self.position + start + count > self.end:
            left = max(0, self.end - self.position - start)
            raise ReadError(f"declares {count} bytes but {left} are left: {_CUT_OFF}")
        self.reach = max(self.reach, self.position + start + count)
        buffer = np.empty(count, np.uint8)
        self.handle.seek(self.position + start)
        if self.handle.readinto(buffer.data) != count:  # type: ignore[attr-defined]
            raise ReadError(f"could not be read to its end ({count} bytes): {_CUT_OFF}")
        return buffer


@dataclass(frozen=True, eq=False)
class Appended:
    """The appended data: the bytes of the file from ``start``, behind the mark, to ``end``."""

    handle: BinaryIO
    start: int
    end: int
    base64: bool
    used: list[tuple[int, int]] = field(default_factory=list)

    @cached_property
    def text(self) -> bytes:
        """All of base64 data."""
        return Stream(self.handle, self.start, self.end).take(0, self.end - self.start).tobytes().rstrip()

    def claim(self, start: int, stop: int) -> None:
        """Note that an array takes these bytes; ReadError where they are another's too."""
        place = bisect(self.used, (start, stop))
        for low, high in self.used[max(place - 1, 0) : place + 1]:
            if low < stop and start < high:
                raise ReadError(f"takes the bytes {start} to {stop}, of which another array takes a part: {_CUT_OFF}")
        self.used.insert(place, (start, stop))

    def values(self, offset: int, count: int | None, kind: str, encoding: Encoding) -> np.ndarray:
        """The numbers of the array at an offset."""
        if offset > self.end - self.start:
            raise ReadError(f"lies at offset {offset} of {self.end - self.start} bytes: {_CUT_OFF}")
        if self.base64:
            data, size = _decoded(memoryview(self.text)[offset:], encoding)
            # Of an empty array the text does not tell the end.
            width = encoding.header.itemsize
            self.claim(offset, offset + (size if len(data) > 3 * width else _characters(width)))
            return _read_binary(Stream(io.BytesIO(data), 0, len(data)), count, kind, encoding)
        stream = Stream(self.handle, self.start + offset, self.end)
        values = _read_binary(stream, count, kind, encoding)
        self.claim(offset, stream.reach - self.start)
        return values


def natural(element: ET.Element, attribute: str, default: int) -> int:
    """A whole number from an attribute; ReadError if it is anything else."""
    text = element.get(attribute)
    if text is None:
        return default
    digits = text.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(text) < 40):
        raise ReadError(f"{attribute} of <{element.tag}> is '{text[:40]}', not a number: the file is damaged")
    return int(digits)


def layout_of(element: ET.Element) -> str:
    """``ascii``, ``binary`` or ``appended``, which uvw 0.7.0 calls ``append``; VTK takes it by the offset."""
    layout = element.get("format", "ascii")
    return "appended" if layout == "append" and "offset" in element.attrib else layout


def components_of(element: ET.Element) -> int:
    """Components of an array: 1 where it does not say; VTK leaves it out for scalars, PyFR 3.1 empty."""
    if not element.get("NumberOfComponents", "").strip():
        return 1
    count = natural(element, "NumberOfComponents", 1)
    if not count:
        raise ReadError("NumberOfComponents is 0: the file is damaged")
    return count


def tuples_of(element: ET.Element, count: int | None) -> int | None:
    """Rows of an array of which there must be ``count`` (None: the file leaves it open); None where it does not say.

    uvw 0.7.0 writes the number of values instead.
    """
    rows = natural(element, "NumberOfTuples", -1)
    if count is None:
        return None if rows < 0 else rows
    if rows not in (-1, count, count * components_of(element)):
        raise ReadError(f"NumberOfTuples is {rows} instead of {count}: the file is damaged")
    return count


def read_values(
    element: ET.Element, count: int | None, encoding: Encoding, appended: Appended | None, note: Note
) -> np.ndarray:
    """The values of a DataArray, flat: float64 for floats, the file's own type for integers.

    ``count`` is the number of values there must be, None where the file leaves it open; ``note`` is told what a writer
    did otherwise than VTK. Raises ReadError, which the caller completes with the names of the file and the array.
    """
    kind = element.get("type", "")
    if kind not in TYPES:
        raise ReadError(f"has the type '{kind}', known are {', '.join(TYPES)}: convert it")
    layout = layout_of(element)
    if layout == "ascii":
        values = parse_ascii(element.text or "", TYPES[kind])
    elif layout == "binary":
        data = _inline(element.text or "", encoding, TYPES[kind].itemsize, note)
        values = _read_binary(Stream(io.BytesIO(data), 0, len(data)), count, kind, encoding)
    else:
        values = _appended(element, layout, appended).values(offset_of(element), count, kind, encoding)
    if count is not None and len(values) != count:
        raise ReadError(f"has {len(values)} values instead of {count}: {_CUT_OFF}")
    return native(values)


def parse_ascii(text: str, dtype: np.dtype) -> np.ndarray:
    """Numbers in text; ReadError for anything else, and for a number that its type cannot hold."""
    # A float is kept to all of its digits, even where the file calls it Float32.
    wide = np.dtype({"f": "f8", "i": "i8", "u": "u8"}[dtype.kind])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(text.strip(), wide, sep=" ")
    except (ValueError, DeprecationWarning):
        raise ReadError("has text that is not a number: the file is damaged") from None
    if dtype.kind != "f" and len(values):
        limits = np.iinfo(dtype)
        # The parser cuts what 64 bits cannot hold to the last number they can.
        if values.min() < limits.min or values.max() > limits.max or values.max() == np.iinfo(wide).max:
            raise ReadError(f"has numbers outside {dtype.name}: the file is damaged")
    return values if dtype.kind == "f" else values.astype(dtype)


def _appended(element: ET.Element, layout: str, appended: Appended | None) -> Appended:
    if layout != "appended":
        raise ReadError(f"has the format '{layout}': write it as ascii, binary or appended")
    if appended is None:
        raise ReadError(f"points to offset '{element.get('offset', '')[:40]}' of data that are not there: {_CUT_OFF}")
    return appended


def offset_of(element: ET.Element) -> int:
    """Where in the appended data an array begins; ReadError where it does not say."""
    offset = natural(element, "offset", -1)
    if offset < 0:
        raise ReadError(f"says no offset in the appended data: {_CUT_OFF}")
    return offset


def _read_binary(stream: Stream, count: int | None, kind: str, encoding: Encoding) -> np.ndarray:
    dtype = TYPES[kind].newbyteorder(encoding.order)
    if kind == "Bit":
        if count is None:
            raise ReadError("has bits without NumberOfTuples: write it as UInt8")
        # Eight in a byte, the first in the highest place; the last byte is filled with zeros.
        return np.unpackbits(_payload(stream, (count + 7) // 8, encoding))[:count]
    data = _payload(stream, None if count is None else count * dtype.itemsize, encoding)
    if len(data) % dtype.itemsize:
        raise ReadError(f"has {len(data)} bytes, not a multiple of {dtype.itemsize}: {_CUT_OFF}")
    return data.view(dtype)


def _payload(stream: Stream, expected: int | None, encoding: Encoding) -> np.ndarray:
    """The bytes of an array behind its sizes (``expected`` of them, unless that is open)."""
    header = encoding.header
    if encoding.codec is not None:
        array = compressed(stream.take, header, expected, encoding.codec)
        return array.bytes_between(0, array.total)
    size = int(stream.take(0, header.itemsize).view(header)[0])
    if expected is not None and size != expected:
        raise ReadError(f"has {size} bytes instead of {expected}: {_CUT_OFF}")
    return stream.take(header.itemsize, size)


def _inline(text: str, encoding: Encoding, width: int, note: Note) -> bytes:
    """Sizes and data of an inline array of numbers of ``width`` bytes as they would lie in a raw file."""
    try:
        characters = "".join(text.split()).encode("ascii")
    except UnicodeEncodeError:
        raise ReadError("is not base64: the file is damaged") from None
    whole = _of_values_announced(characters, encoding, width)
    if whole is not None:
        note(f"announces {width} times the bytes that it has, as OpenFOAM 1912 does: all there are is read")
        return whole
    data, used = _decoded(memoryview(characters), encoding)
    if used != len(characters):
        raise ReadError(f"has {len(characters)} characters instead of {used}: {_CUT_OFF}")
    return data


def _of_values_announced(characters: bytes, encoding: Encoding, width: int) -> bytes | None:
    """An array whose size was multiplied twice by the bytes of a number, with its true size; None for any other.

    OpenFOAM 1912 writes the connectivity of poly data so. A text that was cut off has another length.
    """
    header = encoding.header.itemsize
    if encoding.codec is not None or width == 1 or len(characters) % 4 or len(characters) <= _characters(header):
        return None
    size = int(np.frombuffer(_base64(memoryview(characters)[: _characters(header)])[:header], encoding.header)[0])
    padding = len(characters) - len(characters.rstrip(b"="))
    present = len(characters) // 4 * 3 - padding - header
    if size != width * present or present % width:
        return None
    return np.array([present], encoding.header).tobytes() + _base64(memoryview(characters))[header:]


def _decoded(text: memoryview, encoding: Encoding) -> tuple[bytes, int]:
    """Decode one array; also the number of characters it takes.

    Uncompressed data form one base64 text with their size; the sizes of compressed blocks have a
    text of their own before that of the blocks.
    """
    width = encoding.header.itemsize
    head = _base64(text[: _characters(width)])
    first = int(np.frombuffer(_at_least(head, width)[:width], encoding.header)[0])
    if encoding.codec is not None:
        return _decoded_blocks(text, first, encoding.header)
    if first and len(head) == width:
        # Some writers close the text of the size with '=' and begin another for the data.
        data, used = _exact(text[_characters(width) :], first)
        return head + data, _characters(width) + used
    return _exact(text, width + first)


def _decoded_blocks(text: memoryview, blocks: int, header: np.dtype) -> tuple[bytes, int]:
    if not blocks:
        # Newer writers give all three numbers of the header of an empty array, older ones the first.
        return bytes(3 * header.itemsize), len(text)
    sizes, used = _exact(text, (3 + blocks) * header.itemsize)
    stored = sum(np.frombuffer(sizes, header)[3:].tolist())
    data, more = _exact(text[used:], stored)
    return sizes + data, used + more


def _exact(text: memoryview, count: int) -> tuple[bytes, int]:
    """``count`` bytes and the number of characters that encode them."""
    characters = _characters(count)
    if characters > len(text):
        raise ReadError(f"declares {count} bytes but has {len(text)} of {characters} characters: {_CUT_OFF}")
    return _at_least(_base64(text[:characters]), count)[:count], characters


def _at_least(data: bytes, count: int) -> bytes:
    if len(data) < count:
        raise ReadError(f"has {len(data)} bytes instead of {count}: {_CUT_OFF}")
    return data


def _characters(count: int) -> int:
    return 4 * ((count + 2) // 3)


def _base64(text: memoryview) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise ReadError(f"is not base64 ({error}): the file is damaged") from None


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
    kind, layout = element.get("type", ""), layout_of(element)
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
        begin = encoding.header.itemsize
        size = int(stream.take(0, begin).view(encoding.header)[0])
        if size != due:
            raise ReadError(f"has {size} bytes instead of {due}: {_CUT_OFF}")
        stream.take(begin + size, 0)  # all of it is there
        found = Slices(dtype, lambda low, high: stream.take(begin + low, high - low))
    appended.claim(offset, stream.reach - appended.start)
    return found
