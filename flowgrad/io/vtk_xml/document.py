"""VTK XML documents: the header, the pieces and their sections, for every type of data set.

The values of a single array are the business of :mod:`flowgrad.io.vtk_xml.arrays`. The layout is that
of "VTK XML Formats", https://docs.vtk.org/en/latest/vtk_file_formats/vtkxml_file_format.html. Elements unknown to
VTK that hold data are refused: what they hold would be left out silently.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, naming, time_of
from flowgrad.io.vtk_xml.arrays import Appended, Encoding, Note, components_of, natural, read_values, tuples_of
from flowgrad.io.vtk_xml.blocks import CODECS
from flowgrad.mesh import Cells, Mesh

log = logging.getLogger("flowgrad")

# With a P before them in parallel files.
_IN_BOTH = (
    *("UnstructuredGrid", "PolyData", "ImageData", "RectilinearGrid", "StructuredGrid", "DataArray", "Array"),
    *("FieldData", "PointData", "CellData", "Points", "Cells", "Coordinates", "Verts", "Lines", "Strips", "Polys"),
)
_KNOWN = {
    *("VTKFile", "Piece", "AppendedData", "InformationKey", "Value"),
    *("vtkMultiBlockDataSet", "Block", "DataSet", "Collection"),
    *(kind for each in _IN_BOTH for kind in (each, f"P{each}")),
}
_TEXTS = {"DataArray", "Array", "AppendedData", "InformationKey", "Value"}
# Attributes that say that an element holds values, or names a file that does.
_HOLDS = {"format", "offset", "Source", "file"}

VERSIONS = ("0", "1", "2")
HEADERS: dict[str, np.dtype] = {"UInt32": np.dtype("<u4"), "UInt64": np.dtype("<u8")}
ORDERS: dict[str, Literal["<", ">"]] = {"LittleEndian": "<", "BigEndian": ">"}
# foamToVTK begins its files with a comment on the case or the patch.
_OPENFOAM = re.compile(r"\s*(case='[^']*' region=|patch=')")
_APPENDED = b"<AppendedData"
_CHUNK = 1 << 20
# Blocks of VTK's may hold blocks, but not so many.
_DEEPEST = 100
# The end tags stand in the last bytes of a file; a longer tail would be searched in vain.
_TAIL = 1 << 16


def check_tags(root: ET.Element) -> None:
    """ReadError for an element of an unknown name that holds data or names a file."""
    for element in root.iter():
        if element.tag not in _KNOWN and any(
            inner.tag in ("DataArray", "Array") or not _HOLDS.isdisjoint(inner.attrib) for inner in element.iter()
        ):
            raise ReadError(
                f"has a <{element.tag[:40]}>, which VTK does not define, with data in it: the file is damaged"
            )
        # Where the sign before an element is damaged, the element is text.
        text = ("" if element.tag in _TEXTS else element.text or "").strip() or (element.tail or "").strip()
        if text:
            raise ReadError(f"has the text {text[:40]!a} in or behind <{element.tag[:40]}>: the file is damaged")


@dataclass(frozen=True, eq=False)
class Document:
    """An open file: its data set element, the comments before it, and the way to its values."""

    path: Path
    grid: ET.Element
    comments: tuple[str, ...]
    encoding: Encoding
    appended: Appended | None
    version: tuple[int, int]
    root: ET.Element

    def pieces(self) -> list[ET.Element]:
        """The pieces of the data set, at least one."""
        pieces = self.grid.findall("Piece")
        if not pieces:
            raise ReadError(f"{self.path}: <{self.grid.tag}> has no <Piece>: the file is damaged")
        return pieces

    def section(self, parent: ET.Element, tag: str, count: int | None) -> Arrays:
        """The numeric arrays of a section by name, (count,) or (count, k); empty if it is not there.

        Without ``count`` (field data) the array says itself how many rows it has. Floats come as
        float64, integers as they are. Text arrays are left out. Raises ReadError for an array
        without a name, two of one name and a length that does not fit.
        """
        arrays: Arrays = {}
        for element in self._elements(parent, tag):
            name = element.get("Name")
            if not name or name in arrays:
                fault = f"two arrays named '{name}'" if name else "an array without a name"
                raise ReadError(f"{self.path}: <{tag}> has {fault}, of several time steps perhaps: rename it")
            values = self._array(element, tag, name, count)
            if values is not None:
                arrays[name] = values
        return arrays

    def points(self, piece: ET.Element, count: int) -> np.ndarray:
        """The coordinates (count, 3) of a piece."""
        elements = self._elements(piece, "Points")
        if not elements and not count:
            return np.empty((0, 3))
        if len(elements) != 1:
            raise ReadError(f"{self.path}: <Points> has {len(elements)} arrays instead of 1: the file is damaged")
        points = self._array(elements[0], "Points", elements[0].get("Name", ""), count)
        if points is None or points.shape != (count, 3):
            raise ReadError(
                f"{self.path}: Points has NumberOfComponents {elements[0].get('NumberOfComponents', '1')} "
                "instead of 3: write planar meshes with z = 0"
            )
        return points.astype(np.float64, copy=False)

    def coordinates(self, piece: ET.Element, counts: Sequence[int]) -> list[np.ndarray]:
        """The coordinates along the three axes of a rectilinear piece, (nx,), (ny,) and (nz,)."""
        elements = self._elements(piece, "Coordinates")
        if len(elements) != 3:
            raise ReadError(f"{self.path}: <Coordinates> has {len(elements)} arrays instead of 3: the file is damaged")
        found = []
        for axis, element, count in zip("xyz", elements, counts, strict=True):
            values = self._array(element, "Coordinates", axis, count)
            if values is None or values.ndim != 1:
                raise ReadError(
                    f"{self.path}: the coordinates along {axis} are not numbers of the shape (n,): the file is damaged"
                )
            found.append(values.astype(np.float64, copy=False))
        return found

    def count(self, element: ET.Element, attribute: str) -> int:
        """A number in an attribute that must be there."""
        with naming(self.path):
            if attribute not in element.attrib:
                raise ReadError(f"<{element.tag}> has no {attribute}: the file is damaged")
            return natural(element, attribute, 0)

    def _elements(self, parent: ET.Element, tag: str) -> list[ET.Element]:
        sections = parent.findall(tag)
        if len(sections) > 1:
            raise ReadError(f"{self.path}: a <{parent.tag}> has {len(sections)} <{tag}>: the file is damaged")
        return [child for section in sections for child in section if child.tag in ("DataArray", "Array")]

    def _array(self, element: ET.Element, tag: str, name: str, count: int | None) -> np.ndarray | None:
        if element.get("type") == "String":
            log.info("%s: '%s' in %s is text and is left out", self.path, name, tag)
            return None

        def note(text: str) -> None:
            log.info("%s: '%s' in %s %s", self.path, name, tag, text)

        with naming(f"{self.path}: array '{name}' in {tag}"):
            return _shaped(element, count, self.encoding, self.appended, note)


@contextmanager
def open_document(path: Path, kind: str) -> Iterator[Document]:
    """Open a file that must hold a data set of the ``kind`` ``UnstructuredGrid``, ``PolyData``, ….

    Raises ReadError for anything but VTK-XML of version 0, 1 or 2, uncompressed or compressed with one
    of VTK's three compressors, and for a file that was cut off.
    """
    with path.open("rb") as handle:
        with naming(path):
            text, start = _header(handle)
            builder = _Builder()
            root = _parsed(text, builder, start is not None)
            appended = None if start is None else _appended(handle, root, start)
            encoding, grid = _encoding(root), _grid(root, kind)
            check_tags(root)
        # Major and minor number; 0 for what is not a number.
        major, minor, *_ = [int(part) if part.isdigit() else 0 for part in root.get("version", "0.1").split(".")] + [0]
        yield Document(path, grid, tuple(builder.comments), encoding, appended, (major, minor), root)


def file_data(document: Document) -> Contents:
    """What belongs to all of a file: field data, time and producer; the mesh is still empty."""
    # foamToVTK writes those of a .vtm behind the blocks.
    fields = document.section(document.grid, "FieldData", None) or document.section(document.root, "FieldData", None)
    producer = "OpenFOAM" if any(_OPENFOAM.match(comment) for comment in document.comments) else ""
    empty = Mesh(np.empty((0, 3)), Cells.empty())
    return Contents(empty, document.path, field_data=fields, time=time_of(fields), producer=producer)


def _shaped(
    element: ET.Element, count: int | None, encoding: Encoding, appended: Appended | None, note: Note
) -> np.ndarray:
    components, rows = components_of(element), tuples_of(element, count)
    values = read_values(element, None if rows is None else rows * components, encoding, appended, note)
    if len(values) % components:
        raise ReadError(f"has {len(values)} values in {components} components: the file is damaged")
    return values if components == 1 else values.reshape(-1, components)


class _Builder(ET.TreeBuilder):
    """Builds the tree, keeps the comments, and refuses what could hold entities."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: list[str] = []
        self.depth = 0

    def start(self, tag: str, attributes: dict[str, str], /) -> ET.Element:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ReadError(f"has elements in one another to the depth {self.depth}: the file is damaged")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> ET.Element:
        self.depth -= 1
        return super().end(tag)

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ReadError("has a DOCTYPE, which VTK does not write: take it out if you trust the file")

    def comment(self, text: str | None) -> None:  # type: ignore[override]
        self.comments.append(text or "")


def _header(handle: BinaryIO) -> tuple[bytes, int | None]:
    """The XML up to and with the start tag of the appended data, and the position behind the tag."""
    text = bytearray()
    while chunk := handle.read(_CHUNK):
        overlap = max(0, len(text) - len(_APPENDED))
        text += chunk
        found = text.find(_APPENDED, overlap)
        if found >= 0:
            text += handle.read(_CHUNK)
            stop = text.find(b">", found) + 1
            if not stop:
                raise ReadError("ends inside <AppendedData>: the file was cut off, write it again")
            return bytes(text[:stop]), stop
    return bytes(text), None


def _parsed(text: bytes, builder: _Builder, appended: bool) -> ET.Element:
    parser = ET.XMLParser(target=builder)
    try:
        parser.feed(text)
        if appended:
            parser.feed(b"</AppendedData></VTKFile>")
        root = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ReadError(f"is not well-formed XML ({error}): the file is damaged or was cut off") from None
    if root is None or root.tag != "VTKFile":
        raise ReadError(f"is not a VTK-XML file, its root is <{getattr(root, 'tag', '')}>: check the suffix")
    return root


def _grid(root: ET.Element, kind: str) -> ET.Element:
    grids = root.findall(kind)
    if root.get("type") != kind or len(grids) != 1:
        raise ReadError(f"holds '{root.get('type')}', not one {kind}: give the file the suffix of its kind")
    return grids[0]


def _encoding(root: ET.Element) -> Encoding:
    version, order = root.get("version", "0.1"), root.get("byte_order", "LittleEndian")
    header, compressor = root.get("header_type", "UInt32"), root.get("compressor", "")
    if version.split(".")[0] not in VERSIONS:
        raise ReadError(f"has version {version}, known are 0.1, 1.0 and 2.x: write it with an older version")
    if order not in ORDERS:
        raise ReadError(f"has byte_order {order}: write it with {' or '.join(ORDERS)}")
    if header not in HEADERS:
        raise ReadError(f"has header_type {header}: write it with {' or '.join(HEADERS)}")
    if compressor and compressor not in CODECS:
        raise ReadError(f"is compressed with {compressor}: write it with {', '.join(CODECS)} or without")
    return Encoding(HEADERS[header].newbyteorder(ORDERS[order]), ORDERS[order], CODECS.get(compressor))


def _appended(handle: BinaryIO, root: ET.Element, start: int) -> Appended:
    element = root.find("AppendedData")
    # VTK takes what does not say it, as in files of uvw 0.7.0, for base64.
    encoding = "base64" if element is None else element.get("encoding", "base64")
    if element is None or encoding not in ("raw", "base64"):
        raise ReadError(f"has appended data in the encoding '{encoding}': write it as raw or base64")
    size = os.fstat(handle.fileno()).st_size
    tail = max(start, size - _TAIL)
    handle.seek(tail)
    end = handle.read(size - tail).rfind(b"</AppendedData")
    if end < 0:
        raise ReadError("has no end of the appended data: the file was cut off, write it again")
    handle.seek(start)
    gap = handle.read(min(_CHUNK, tail + end - start))
    mark = gap.find(b"_")
    if mark < 0 or gap[:mark].strip():
        raise ReadError("has no '_' before the appended data: the file is damaged")
    return Appended(handle, start + mark + 1, tail + end, encoding == "base64")
