"""Elements of VTK-XML files that are none of VTK's: whatever they hold would be left out without a word."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from flowgrad.errors import ReadError

_DATA_SETS = {"UnstructuredGrid", "PolyData", "ImageData", "RectilinearGrid", "StructuredGrid"}
_SECTIONS = {
    "FieldData",
    "PointData",
    "CellData",
    "Points",
    "Cells",
    "Coordinates",
    "Verts",
    "Lines",
    "Strips",
    "Polys",
}
_KNOWN = {
    *("VTKFile", "Piece", "DataArray", "Array", "AppendedData", "InformationKey", "Value"),
    *("vtkMultiBlockDataSet", "Block", "DataSet", "Collection"),
    *(kind for each in (*_DATA_SETS, *_SECTIONS, "DataArray", "Array") for kind in (each, f"P{each}")),
}
_TEXTS = {"DataArray", "Array", "AppendedData", "InformationKey", "Value"}
# Attributes that say that an element holds values, or names a file that does.
_HOLDS = {"format", "offset", "Source", "file"}


def check_tags(root: ET.Element) -> None:
    """ReadError for an element of an unknown name that holds data or names a file."""
    for element in root.iter():
        if element.tag not in _KNOWN and any(map(_holds_data, element.iter())):
            raise ReadError(
                f"has a <{element.tag[:40]}>, which is no element of VTK's, with data in it: the file is damaged"
            )
        # Where the sign before an element is damaged, the element is text.
        text = ("" if element.tag in _TEXTS else element.text or "").strip() or (element.tail or "").strip()
        if text:
            raise ReadError(f"has the text {text[:40]!a} in or behind <{element.tag[:40]}>: the file is damaged")


def _holds_data(element: ET.Element) -> bool:
    return element.tag in ("DataArray", "Array") or not _HOLDS.isdisjoint(element.attrib)
