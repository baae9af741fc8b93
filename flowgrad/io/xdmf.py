"""XDMF (.xdmf, .xmf): its XML is checked here, before meshio reads the values in a process of its own.

See https://www.xdmf.org/index.php/XDMF_Model_and_Format. One uniform grid, or a temporal collection of uniform grids,
on one mesh or each with its own, as FEniCS and meshio write them.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from flowgrad.errors import ReadError
from flowgrad.files import READ_EVENT
from flowgrad.io.formats import Contents, Step, naming, register_format
from flowgrad.io.meshio_formats import contents_of_parts
from flowgrad.io.subprocess_reader import guarded

_CENTRES = ("Node", "Cell")
_MESH = ("Topology", "Geometry")


def xdmf_steps(path: Path) -> Sequence[Step]:
    """The times of a file, None for that of a single grid.

    Raises ReadError for XML that is damaged or declares entities, for references to files outside its folder, for
    formats other than XML and HDF, and for collections of which some grids alone have a mesh of their own.
    """
    with naming(path):
        root = _parsed(path)
        files = {path, *filter(None, [_checked_item(item, path) for item in root.iter("DataItem")])}
        size = sum(file.stat().st_size for file in files)
        collection = root.find(".//Grid[@GridType='Collection']")
        if collection is None:
            return [Step(path, _time(root.find(".//Grid")), partial(_read, path, size, None))]
        times, own_mesh = _times(root, collection)
    return [Step(path, time, partial(_read, path, size, number, own_mesh)) for number, time in enumerate(times)]


def _parsed(path: Path) -> ET.Element:
    data = path.read_bytes()
    if b"<!ENTITY" in data:
        raise ReadError("declares XML entities, which are refused: write it without")
    try:
        root = ET.fromstring(data)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise ReadError(f"is not well-formed XML ({error}): the file is damaged") from None
    if root.tag != "Xdmf":
        raise ReadError(f"begins with <{root.tag}> instead of <Xdmf>: this is another format")
    return root


def _checked_item(item: ET.Element, path: Path) -> Path | None:
    """The HDF5 file that an item names; ReadError for a reference that is not followed."""
    kind, form, text = item.get("ItemType", "Uniform"), item.get("Format", "XML"), (item.text or "").strip()
    if kind != "Uniform" or form not in ("XML", "HDF"):
        raise ReadError(f"has a DataItem of the type {kind} in the format {form}, which is not read: write it as HDF")
    if "Reference" in item.attrib:
        return None
    if form == "XML":
        _check_count(item, text)
        return None
    name, _, inside = text.rpartition(":")
    if not name or not inside:
        raise ReadError(f"names '{text[:80]}' as HDF, which is not FILE:/PATH: the file is damaged")
    folder = path.resolve().parent
    file = (folder / name).resolve()
    if folder not in file.parents:
        raise ReadError(f"names the file '{name[:80]}' outside its folder, which is not read: put it beside")
    if not file.is_file():
        raise ReadError(f"names the file '{name[:80]}', which is not there: put it beside")
    sys.audit(READ_EVENT, str(file))
    return file


def _check_count(item: ET.Element, text: str) -> None:
    try:
        count = math.prod(int(each) for each in item.get("Dimensions", "").split())
    except ValueError:
        raise ReadError(f"has the Dimensions '{item.get('Dimensions')}': the file is damaged") from None
    found = len(text.split())
    if count != found:
        raise ReadError(f"declares {count} values in a DataItem that has {found}: the file is damaged")


def _times(root: ET.Element, collection: ET.Element) -> tuple[list[float | None], bool]:
    """The times of a temporal collection, and whether each of its grids has a mesh of its own; ReadError where only
    some have."""
    if collection.get("CollectionType") != "Temporal":
        raise ReadError(f"has a {collection.get('CollectionType')} collection of grids: write one grid, or one in time")
    # The texts of a grid's topology and geometry say where its mesh is.
    parts = [[part for tag in _MESH for part in grid.findall(tag)] for grid in root.iter("Grid")]
    meshes = {" ".join("".join(part.itertext()).strip() for part in each) for each in parts if each}
    grids = collection.findall("Grid")
    whole = [grid for grid in grids if all(grid.find(f"{tag}/DataItem") is not None for tag in _MESH)]
    if len(meshes) > 1 and len(whole) < len(grids):
        raise ReadError(
            f"has {len(meshes)} meshes in its times, {len(whole)} of {len(grids)} with one of their own: "
            "write each to a file of its own"
        )
    for attribute in collection.iter("Attribute"):
        if attribute.get("Center") not in _CENTRES:
            raise ReadError(f"has '{attribute.get('Name')}' on {attribute.get('Center')}: only Node and Cell are read")
    return [_time(grid) for grid in grids], len(meshes) > 1


def _time(grid: ET.Element | None) -> float | None:
    time = None if grid is None else grid.find("Time")
    try:
        return None if time is None else float(time.get("Value", ""))
    except ValueError:
        raise ReadError(f"has the time '{time.get('Value')}': the file is damaged") from None  # type: ignore[union-attr]


def _read(path: Path, size: int, number: int | None, own_mesh: bool = False) -> Contents:
    with naming(path):
        parts = guarded("meshio", "flowgrad.io.xdmf:parts_in", path, number, own_mesh, size=size)
        return contents_of_parts(path, parts)


def parts_in(path: Path, number: int | None, own_mesh: bool) -> dict[str, Any]:
    """What meshio finds in the file, or at one of its times; run by the worker."""
    import meshio

    from flowgrad.io.meshio_formats import parts, parts_of

    if number is None:
        return parts(path)
    if own_mesh:
        with tempfile.TemporaryDirectory(prefix="flowgrad-") as folder:
            return parts(_alone(path, number, Path(folder)))
    with meshio.xdmf.TimeSeriesReader(path) as reader:
        points, cells = reader.read_points_cells()
        _, point_data, cell_data = reader.read_data(number)
    return parts_of(meshio.Mesh(points, cells, point_data=point_data, cell_data=cell_data))


def _alone(path: Path, number: int, folder: Path) -> Path:
    """A file of one grid of a collection alone, beside links to what it names."""
    grid = _parsed(path).findall(".//Grid[@GridType='Collection']/Grid")[number]
    for time in grid.findall("Time"):
        grid.remove(time)  # meshio knows none in a single grid
    for item in grid.iter("DataItem"):
        file = _checked_item(item, path)
        if file is not None:
            link = folder / (item.text or "").strip().rpartition(":")[0]
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(file)
    whole = ET.Element("Xdmf", Version="3.0")
    ET.SubElement(whole, "Domain").append(grid)
    ET.ElementTree(whole).write(folder / path.name)
    return folder / path.name


register_format(
    (".xdmf", ".xmf"),
    steps=xdmf_steps,
    keeps="points, cells, point data, cell data, times",
    needs={"h5py": "flowgrad[hdf5]"},
    needs_for="HDF5",
    refers=True,
)
