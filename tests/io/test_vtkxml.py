"""The encodings, byte by byte, where a writer other than VTK or a damaged file differs from VTK's."""

from __future__ import annotations

import base64
import lzma
import struct
import sys
import tracemalloc
import zlib

import numpy as np
import pytest

from flowgrad import ReadError
from flowgrad.errors import MissingDependencyError
from flowgrad.io import read_contents
from flowgrad.io.vtk_xml.arrays import TYPES, parse_ascii

HEAD = (
    '<VTKFile type="UnstructuredGrid" version="{version}" byte_order="{order}" {more}>'
    "<UnstructuredGrid>{fields}<Piece NumberOfPoints='{points}' NumberOfCells='0'><PointData>{data}</PointData><Points>"
    '<DataArray type="Float64" NumberOfComponents="3" format="ascii">{coordinates}</DataArray>'
    "</Points></Piece></UnstructuredGrid>"
)
VALUES = np.array([1.5, np.nan, -2e300])


def document(array: str, tail: str = "", points: int = 3, **attributes: str) -> bytes:
    """A grid of three points with one array, and what follows it."""
    filled = {"version": "1.0", "order": "LittleEndian", "more": "", "fields": "", "data": array, **attributes}
    coordinates = " ".join(["0 0 0"] * points)
    return (HEAD.format(points=points, coordinates=coordinates, **filled) + tail + "</VTKFile>").encode("latin-1")


def inline(text: str | bytes, kind: str = "Float64", **attributes: str) -> bytes:
    text = text.decode() if isinstance(text, bytes) else text
    return document(f'<DataArray type="{kind}" Name="p" format="binary">{text}</DataArray>', **attributes)


def appended(data: bytes, encoding: str = "raw", offset: object = 0, kind: str = "Float64", **attributes: str) -> bytes:
    return document(
        f'<DataArray type="{kind}" Name="p" format="appended" offset="{offset}"/>',
        f'<AppendedData encoding="{encoding}">\n  _{data.decode("latin-1")}\n</AppendedData>',
        **attributes,
    )


def header(*sizes: int, code: str = "I") -> bytes:
    return struct.pack(f"<{len(sizes)}{code}", *sizes)


def zipped(data: bytes, block: int, code: str = "I", **changes: int) -> tuple[bytes, bytes]:
    """The header of the blocks of compressed data, and the blocks; some of its numbers changed."""
    blocks = [zlib.compress(data[i : i + block]) for i in range(0, len(data), block)]
    fields = {"count": len(blocks), "size": block, "last": len(data) % block, **changes}
    return header(*fields.values(), *map(len, blocks), code=code), b"".join(blocks)


ZLIB = {"more": 'compressor="vtkZLibDataCompressor"'}
WIDE = {"more": 'header_type="UInt64"'}
DATA = VALUES.tobytes()


@pytest.fixture
def read(tmp_path):
    def read_bytes(data: bytes):
        path = tmp_path / "case.vtu"
        path.write_bytes(data)
        return read_contents(path)

    return read_bytes


@pytest.mark.parametrize(
    "data",
    [
        inline(base64.b64encode(header(24) + DATA)),
        inline(base64.b64encode(header(24)) + base64.b64encode(DATA)),
        inline(base64.b64encode(header(24, code="Q") + DATA), **WIDE),
        inline(base64.b64encode(header(24, code="Q")) + base64.b64encode(DATA), **WIDE),
        inline(b"\n   ".join(base64.b64encode(header(24) + DATA)[i : i + 7] for i in range(0, 40, 7))),
        inline(b"".join(map(base64.b64encode, zipped(DATA, 16))), **ZLIB),
        inline(b"".join(map(base64.b64encode, zipped(DATA, 24))), **ZLIB),
        inline(b"".join(map(base64.b64encode, zipped(DATA, 24, last=24))), **ZLIB),
        inline(b"".join(map(base64.b64encode, zipped(DATA, 7, "Q"))), more=f"{ZLIB['more']} {WIDE['more']}"),
        appended(header(24) + DATA),
        appended(b"xxxxx" + header(24) + DATA, offset=5),
        appended(base64.b64encode(header(24) + DATA), "base64"),
        appended(b"AAAA" + base64.b64encode(header(24)) + base64.b64encode(DATA) + b"AAAA", "base64", offset=4),
        appended(b"".join(zipped(DATA, 5)), **ZLIB),
        appended(b"".join(map(base64.b64encode, zipped(DATA, 5))), "base64", **ZLIB),
        appended(header(24) + DATA, version="0.1", order="LittleEndian"),
    ],
)
def test_layouts_of_other_writers(read, data):
    contents = read(data)
    np.testing.assert_array_equal(contents.point_data["p"], VALUES)
    assert contents.point_data["p"].flags.aligned
    assert contents.point_data["p"].flags.writeable


@pytest.mark.parametrize(
    ("kind", "data", "values"),
    [
        ("Bit", b"\xa0", [1, 0, 1]),
        ("Int8", struct.pack("<3b", -1, 2, 3), [-1, 2, 3]),
        ("UInt64", struct.pack("<3Q", 2**63, 1, 2), [2**63, 1, 2]),
        ("Float32", struct.pack("<3f", 0.1, 2, 3), [float(np.float32(0.1)), 2, 3]),
    ],
)
def test_types(read, kind, data, values):
    assert read(appended(header(len(data)) + data, kind=kind)).point_data["p"].tolist() == values
    assert read(appended(b"".join(zipped(data, 2)), kind=kind, **ZLIB)).point_data["p"].tolist() == values


@pytest.mark.parametrize(
    "data",
    [
        inline("AAAAAA==", points=0),
        inline("", points=0).replace(b"binary", b"ascii"),
        inline(base64.b64encode(header(0, 32768, 0)), points=0, **ZLIB),
        inline("AAAAAA==", points=0, **ZLIB),
        appended(header(0), points=0),
        appended(header(0), points=0, **ZLIB),
    ],
)
def test_empty_arrays(read, data):
    assert read(data).point_data["p"].shape == (0,)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1 2.5\n-3e2\t nan NaN -inf Infinity 1e-310", [1, 2.5, -300, np.nan, np.nan, -np.inf, np.inf, 1e-310]),
        ("", []),
        (" \n ", []),
    ],
)
def test_numbers_in_text(text, values):
    np.testing.assert_array_equal(parse_ascii(text, TYPES["Float64"]), values)


@pytest.mark.parametrize("text", ["1_0", "0x1f", "1,2", "1d5", "١", "--1", "1e", "1 2 three", "1\x00"])
def test_text_that_is_no_number(text):
    with pytest.raises(ReadError, match="not a number"):
        parse_ascii(text, TYPES["Float64"])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"some text", "not well-formed"),
        (b"<html></html>", "not a VTK-XML file, its root is <html>"),
        (b"\x1f\x8b\x08\x00rest", "not well-formed"),
        (b"<?xml version='1.0' encoding='klingon'?><VTKFile/>", "not well-formed"),
        (b"<VTKFile type='PolyData'><PolyData/></VTKFile>", "holds 'PolyData', not one UnstructuredGrid"),
        (inline("", order="MiddleEndian"), "byte_order MiddleEndian"),
        (inline("", more='compressor="vtkZstdDataCompressor"'), "vtkZstdDataCompressor: write it with vtkZLib"),
        (inline("", more='header_type="UInt16"'), "UInt16"),
        (inline("", version="3.0"), "version 3.0"),
        (inline("").replace(b"binary", b"hex"), "format 'hex'"),
        (inline("").replace(b"binary", b"appended"), "offset ''"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + inline("&a;"), "DOCTYPE"),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/hostname'>" + inline(""), "DOCTYPE"),
        (inline("&a;"), "not well-formed"),
        (inline(""), "has 0 bytes instead of 4"),
        (inline("AAAAAA=="), "has 0 bytes instead of 24"),
        (inline(base64.b64encode(header(24) + DATA[:-1])), "'p' in PointData: "),
        (inline(base64.b64encode(header(24) + DATA + b"1234")), "has 44 characters instead of 40"),
        (inline(base64.b64encode(header(24) + DATA).replace(b"A", b"*", 1)), "not base64"),
        (inline(base64.b64encode(header(24) + DATA).decode().replace("A", "é", 1)), "not base64|not well-formed"),
        (inline(base64.b64encode(header(24) + DATA).replace(b"A", b"*", 1).replace(b"=", b"A", 1)), "not base64"),
        (inline(base64.b64encode(header(25) + DATA + b"1")), "has 25 bytes instead of 24"),
        (inline(base64.b64encode(header(2**63, code="Q") + DATA), **WIDE), "declares 9223372036854775816 bytes"),
        (appended(header(24) + DATA).replace(b"</AppendedData>", b""), "no end of the appended data"),
        (appended(header(24) + DATA).replace(b"_", b"-"), "no '_'"),
        (appended(header(24) + DATA).replace(b"_", b"x_"), "no '_'"),
        (appended(header(24) + DATA, "hex"), "encoding 'hex'"),
        (appended(header(24) + DATA, offset=99), "offset 99 of 29 bytes"),
        (appended(header(24) + DATA, offset=29), "declares 4 bytes but 0 are left"),
        (appended(header(24) + DATA, offset=-1), "offset of <DataArray> is '-1'"),
        (appended(header(24) + DATA, offset="1_0"), "offset of <DataArray> is '1_0'"),
        (appended(header(24) + DATA[:-2]), "declares 24 bytes but 23 are left"),
        (appended(b"".join(zipped(DATA, 8))[:-4], **ZLIB), "declares"),
        (appended(b"".join(zipped(DATA, 8, count=2)), **ZLIB), "has 16 bytes instead of 24"),
        (appended(b"".join(zipped(DATA, 8, count=2**31)), **ZLIB), "declares 8589934592 bytes"),
        (appended(b"".join(zipped(DATA, 8, last=9)), **ZLIB), "declares 25 bytes"),
        (appended(b"".join(zipped(DATA, 24, size=2**31)), **ZLIB), "declares 2147483648 bytes"),
        (appended(header(1, 24, 0, 9) + b"notzlib--", **ZLIB), "cannot be decompressed in block 0"),
    ],
)
def test_refusals(read, refused, tmp_path, data, message):
    with refused(tmp_path / "case.vtu", message):
        read(data)


@pytest.mark.parametrize("payload", [DATA[:-1], DATA + b"1", DATA * 1000, b""])
def test_block_of_another_size_than_declared(read, payload):
    stored = zlib.compress(payload)
    with pytest.raises(ReadError, match="expands in block 0 to another size than the 24 bytes"):
        read(appended(header(1, 24, 0, len(stored)) + stored, **ZLIB))


@pytest.mark.parametrize("stored", [zlib.compress(DATA)[:-2], zlib.compress(DATA) + b"12"])
def test_block_without_its_end_or_with_more(read, stored):
    with pytest.raises(ReadError, match="block 0"):
        read(appended(header(1, 24, 0, len(stored)) + stored, **ZLIB))


LZMA = {"more": 'compressor="vtkLZMADataCompressor"'}
LZ4 = {"more": 'compressor="vtkLZ4DataCompressor"'}


def lz4_compressed(data: bytes) -> bytes:
    return pytest.importorskip("lz4.block", reason="compresses with the extra lz4").compress(data, store_size=False)


COMPRESSED = [(ZLIB, zlib.compress), (LZMA, lzma.compress), (LZ4, lz4_compressed)]


@pytest.mark.parametrize(("codec", "compress"), COMPRESSED)
def test_a_bomb_takes_no_memory(read, codec, compress):
    bomb = compress(bytes(50_000_000))
    data = appended(header(1, 24, 0, len(bomb)) + bomb, **codec)
    # LZMA has a dictionary of 8 MB at its usual level.
    assert _peak(read, data, "expands in block 0|decompressed in block 0") < 10_000_000


@pytest.mark.parametrize(("codec", "compress"), COMPRESSED)
def test_more_than_the_bytes_could_hold_takes_no_memory(read, codec, compress):
    """More than ten times what the compressor reaches; nothing else tells the length of field data."""
    bomb = compress(bytes(1_000_000))
    size = len(bomb) * 80_000
    fields = '<FieldData><DataArray type="UInt8" Name="f" format="appended" offset="0"/></FieldData>'
    data = appended(header(1, size, 0, len(bomb)) + bomb, offset=3, fields=fields, **codec)
    assert _peak(read, data, f"declares {size} bytes in {len(bomb)} compressed ones") < 5_000_000


def test_a_memory_hungry_lzma_block_is_refused(read):
    """Its header asks for a dictionary of 1 GiB: the byte behind the filter's number and length (XZ format 1.1)."""
    stored = bytearray(lzma.compress(DATA))
    stop = 12 + 4 * (stored[12] + 1)
    assert stored[14:16] == b"\x21\x01"
    stored[16] = 36
    stored[stop - 4 : stop] = header(zlib.crc32(stored[12 : stop - 4]))
    data = appended(header(1, 24, 0, len(stored)) + bytes(stored), **LZMA)
    assert _peak(read, data, "Memory usage limit exceeded") < 5_000_000


@pytest.mark.parametrize("count", [10**9, 10**15, 10**30])
@pytest.mark.parametrize("attribute", ["NumberOfPoints", "NumberOfCells"])
def test_counts_that_the_file_cannot_hold_take_no_memory(read, attribute, count):
    was = b"'3'" if attribute == "NumberOfPoints" else b"'0'"
    data = appended(header(24) + DATA).replace(
        attribute.encode() + b"=" + was, b"%s='%d'" % (attribute.encode(), count)
    )
    assert _peak(read, data, "instead of|no array 'types'|not a number") < 5_000_000


def _peak(read, data: bytes, message: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(ReadError, match=message):
            read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def two_arrays(first: int, second: int, data: bytes, encoding: str = "raw", **attributes: str) -> bytes:
    arrays = "".join(
        f'<DataArray type="Float64" Name="{name}" format="appended" offset="{offset}"/>'
        for name, offset in (("p", first), ("q", second))
    )
    tail = f'<AppendedData encoding="{encoding}">_{data.decode("latin-1")}</AppendedData>'
    return document(arrays, tail, **attributes)


@pytest.mark.parametrize("places", [(0, 0), (0, 14), (14, 0)])
def test_arrays_that_share_bytes_are_refused(read, places):
    """The bytes at 14 are those of an array of their own, inside the values of the other."""
    inner = header(24) + DATA
    long = header(24) + DATA[:10] + header(24) + DATA
    with pytest.raises(ReadError, match="of which another array takes a part"):
        read(two_arrays(*places, long if 14 in places else inner))
    stored = b"".join(zipped(DATA, 24))
    with pytest.raises(ReadError, match="of which another array takes a part"):
        read(two_arrays(0, 0, base64.b64encode(inner), "base64"))
    with pytest.raises(ReadError, match="of which another array takes a part"):
        read(two_arrays(0, 0, stored, **ZLIB))


def test_arrays_in_any_order_of_bytes(read):
    inner = header(24) + DATA
    contents = read(two_arrays(28, 0, inner + inner))
    np.testing.assert_array_equal(contents.point_data["p"], VALUES)
    np.testing.assert_array_equal(contents.point_data["q"], VALUES)


@pytest.mark.parametrize("code", "IQ")
def test_big_endian(read, code):
    """Sizes and values alike."""
    values = VALUES.astype(">f8").tobytes()
    head = header(24, code=code)[::-1]
    wide = {"order": "BigEndian", "more": WIDE["more"] if code == "Q" else ""}
    for data in (appended(head + values, **wide), inline(base64.b64encode(head + values), **wide)):
        contents = read(data)
        np.testing.assert_array_equal(contents.point_data["p"], VALUES)
        assert contents.point_data["p"].dtype.isnative


def test_lz4_without_its_package(read, monkeypatch):
    stored = lz4_compressed(DATA)
    monkeypatch.setitem(sys.modules, "lz4", None)
    monkeypatch.setitem(sys.modules, "lz4.block", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[lz4\]"):
        read(appended(header(1, 24, 0, len(stored)) + stored, **LZ4))


def test_field_data_of_any_length(read):
    fields = (
        '<FieldData><DataArray type="Float64" Name="a" NumberOfTuples="2" NumberOfComponents="2" format="ascii">'
        '1 2 3 4</DataArray><DataArray type="Int32" Name="b" format="ascii">5 6 7</DataArray></FieldData>'
    )
    contents = read(document("", fields=fields))
    assert contents.field_data["a"].tolist() == [[1, 2], [3, 4]]
    assert contents.field_data["b"].tolist() == [5, 6, 7]


def test_time_of_float32_is_the_number_the_solver_printed(read):
    text = base64.b64encode(header(4) + struct.pack("<f", 0.1)).decode()
    fields = f'<FieldData><DataArray type="Float32" Name="TimeValue" format="binary">{text}</DataArray></FieldData>'
    contents = read(document("", fields=fields))
    assert contents.time == 0.1
    assert contents.field_data["TimeValue"].tolist() == [float(np.float32(0.1))]
