"""Formats that VTK's readers know (flowgrad[vtk]): VTK-HDF, EnSight, CGNS, Fluent, run in a process of their own.

Each data set that a reader finds is written as VTK-XML into a temporary folder and read by flowgrad's own strict
readers; arrays are counted on both sides. What VTK reports as an error is one here. Fluent's .cas and the .dat beside
it are looked at before, because VTK takes what there is of them silently (layout: Ansys Fluent user's guide
2022 R1, appendix B, "Case and data file formats").
"""

from __future__ import annotations

import dataclasses
import importlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flowgrad.errors import ReadError
from flowgrad.io.ensight import check_case
from flowgrad.io.formats import Contents, Step, naming, read_contents, register_format
from flowgrad.io.pieces import with_patches
from flowgrad.io.subprocess_reader import guarded

_TEXT = re.compile(rb'"[^"]*"')
# Sections of binary numbers have indices from 2000 on, and an end of their own.
_BINARY = re.compile(rb"^\((?:20|30|[23]3)\d\d\s*\(", re.MULTILINE)
_END = b"End of Binary Section"
_SECTION = re.compile(rb"\(\s*\d+\s")
_VALUES = re.compile(rb"\(\s*300\s*\((?:\s*\d+){7}\s*\)\s*\(")

# Arrays that are the reader's business and not data.
_OWN_ARRAYS = {"vtkGhostType", "HigherOrderDegrees"}
_SELECTIONS = ("PointData", "CellData", "PointDataArray", "CellDataArray")
_LEGACY = tuple(
    (f"ReadAll{kind}On", None) for kind in ("Scalars", "Vectors", "Normals", "Tensors", "Fields", "TCoords")
)


def check_sections(path: Path) -> None:
    """ReadError where brackets do not match or hold no section, in either file; in binary ones, where one has no
    end."""
    for file in (path, path.with_suffix(".dat")):
        if file.is_file():
            with naming(file):
                _check(file.read_bytes())


def _check(data: bytes) -> None:
    begun, ended = len(_BINARY.findall(data)), data.count(_END)
    if begun > ended:
        raise ReadError(f"has {begun} binary sections and {ended} ends of such: the file was cut off")
    if ended:
        return
    for section in _sections(_TEXT.sub(b"", data)):
        is_values = re.match(rb"\(\s*300\s", section)
        if not (_VALUES if is_values else _SECTION).match(section):
            said = section[:40].decode("latin-1").split("\n")[0]
            raise ReadError(f"has '{said}' where a section should begin: the file is damaged")


def _sections(data: bytes) -> Iterator[bytes]:
    """What stands between brackets that are in no others; ReadError where they do not match, and for more."""
    depth = start = stop = 0
    for match in re.finditer(rb"[()]", data):
        depth += 1 if match[0] == b"(" else -1
        if depth == 1 and match[0] == b"(":
            start = match.start()
            if data[stop:start].strip():
                raise ReadError("has something between two sections: the file is damaged")
        if depth == 0:
            stop = match.end()
            yield data[start : start + 200]
        if depth < 0:
            break
    if depth or data[stop:].strip():
        raise ReadError("has brackets that do not match: the file is damaged or was cut off")


@dataclass(frozen=True)
class VtkReader:
    """A class of VTK, the module it is in, what is set before it reads, whether it reads other files too, what
    it takes the file's name by, whether data sets without arrays are left out, and a ``check`` of what VTK does not
    look at, and the ``producer`` of all such files."""

    module: str
    name: str
    switches: tuple[tuple[str, Any], ...] = ()
    refers: bool = False
    takes: str = "SetFileName"
    needs_arrays: bool = False
    check: Callable[[Path], None] | None = None
    producer: str = ""


_ENSIGHT = VtkReader(
    "vtkIOEnSight",
    "vtkGenericEnSightReader",
    (("ReadAllVariablesOn", None),),
    True,
    "SetCaseFileName",
    check=check_case,
)
CLASSES: dict[str, VtkReader] = {
    ".vtk": VtkReader("vtkIOLegacy", "vtkDataSetReader", _LEGACY),
    **dict.fromkeys((".vtkhdf", ".hdf"), VtkReader("vtkIOHDF", "vtkHDFReader")),
    **dict.fromkeys((".case", ".encas"), _ENSIGHT),
    ".cgns": VtkReader("vtkIOCGNSReader", "vtkCGNSReader", (("EnableAllBases", None), ("EnableAllFamilies", None))),
    # Of the boundary it makes cells without values, and not those of the file.
    ".cas": VtkReader(
        "vtkIOGeometry", "vtkFLUENTReader", refers=True, needs_arrays=True, check=check_sections, producer="Fluent"
    ),
}


@dataclass(frozen=True)
class Leaf:
    """A data set as the worker wrote it: its file, its name in the whole, its arrays at points and at cells."""

    file: str
    name: str
    point_arrays: frozenset[str]
    cell_arrays: frozenset[str]


def vtk_steps(path: Path) -> Sequence[Step]:
    """The times that VTK's reader for the suffix finds; one step where it knows of none.

    Raises ReadError for what VTK reports, MissingDependencyError without VTK.
    """
    kind = CLASSES[path.suffix.lower()]
    if kind.check is not None:
        kind.check(path)
    files = path.parent.iterdir() if kind.refers else [path]
    size = sum(file.stat().st_size for file in files if file.is_file())
    with naming(path):
        times = guarded("VTK", "flowgrad.io.vtk_library:times_in", path, size=size)
    return [Step(path, time, partial(_read, path, size, time)) for time in times or [None]]


def _read(path: Path, size: int, time: float | None) -> Contents:
    with tempfile.TemporaryDirectory(prefix="flowgrad-") as folder, naming(path):
        leaves = guarded("VTK", "flowgrad.io.vtk_library:written_in", path, time, folder, size=size)
        parts = read_leaves(leaves, folder)
    found = with_patches(path, parts)
    return dataclasses.replace(found, producer=CLASSES[path.suffix.lower()].producer or found.producer)


def read_leaves(leaves: Sequence[Leaf], folder: str) -> dict[str, Contents]:
    """What the worker wrote, by name; ReadError where an array did not arrive."""
    parts: dict[str, Contents] = {}
    for number, leaf in enumerate(leaves):
        file = Path(folder) / leaf.file
        with naming(leaf.name or "its data set"):
            try:
                part = read_contents(file)
            except ReadError as error:
                raise ReadError(str(error).removeprefix(f"{file}: ")) from None
            lost = (leaf.point_arrays - set(part.point_data)) | (leaf.cell_arrays - set(part.cell_data))
            if lost - _OWN_ARRAYS:
                raise ReadError(f"the array '{min(lost - _OWN_ARRAYS)}' cannot be taken over: write the file as .vtu")
        parts[leaf.name if leaf.name and leaf.name not in parts else f"{leaf.name or 'block'} {number}"] = part
    return parts


def times_in(path: Path) -> list[float]:
    """The times in a file; run by the worker."""
    return with_errors(lambda: times_of(prepared(path)))


def written_in(path: Path, time: float | None, folder: str) -> list[Leaf]:
    """Write what is in the file at a time into a folder; run by the worker."""
    needs_arrays = CLASSES[path.suffix.lower()].needs_arrays
    return with_errors(lambda: written(updated(prepared(path), time), folder, needs_arrays))


def prepared(path: Path) -> Any:
    """The reader of a file, told to read everything."""
    about = CLASSES[path.suffix.lower()]
    reader = getattr(importlib.import_module(f"vtkmodules.{about.module}"), about.name)()
    getattr(reader, about.takes)(str(path))
    for name, value in about.switches:
        getattr(reader, name)(*(() if value is None else (value,)))
    reader.UpdateInformation()
    for kind in _SELECTIONS:
        select = getattr(reader, f"Get{kind}Selection", None)
        if select is not None:
            select().EnableAllArrays()
    for name, value in about.switches:
        getattr(reader, name)(*(() if value is None else (value,)))
    return reader


def times_of(reader: Any) -> list[float]:
    """The times that a reader announces."""
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline as Pipeline

    about = reader.GetOutputInformation(0)
    if not about.Has(Pipeline.TIME_STEPS()):
        return []
    return [about.Get(Pipeline.TIME_STEPS(), i) for i in range(about.Length(Pipeline.TIME_STEPS()))]


def updated(reader: Any, time: float | None) -> Any:
    """The output of a reader at a time."""
    if time is None:
        reader.Update()
    else:
        reader.UpdateTimeStep(time)
    return reader.GetOutputDataObject(0)


def with_errors(work: Callable[[], Any]) -> Any:
    """What some work with VTK gives; ReadError where VTK prints an error or a warning meanwhile: it goes on
    after both, with a part of the data."""
    from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow

    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    window = vtkStringOutputWindow()
    vtkOutputWindow.SetInstance(window)
    result = work()
    said = window.GetOutput()
    if "ERROR" in said or "Warning:" in said:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        raise ReadError(f"VTK cannot read it ({' '.join(lines)[:300]}): write it again, or as .vtu")
    return result


def written(data: Any, folder: str, needs_arrays: bool = False) -> list[Leaf]:
    """Write the data sets of an output that have points, and arrays if they need some, into a folder."""
    if data is None or data.IsA("vtkUniformGridAMR"):
        raise ReadError("holds grids of several levels, which are not read: convert it to one grid, as .vtu")
    leaves = []
    for number, (name, leaf) in enumerate(_leaves(data)):
        if leaf is None or not leaf.GetNumberOfPoints():
            continue
        if not needs_arrays or leaf.GetCellData().GetNumberOfArrays() or leaf.GetPointData().GetNumberOfArrays():
            leaves.append(_write(leaf, name, Path(folder) / str(number)))
    if not leaves:
        raise ReadError("has no points that VTK can read: check the file, and those that it names")
    return leaves


def _leaves(data: Any) -> list[tuple[str, Any]]:
    if not data.IsA("vtkCompositeDataSet"):
        return [("", data)]
    from vtkmodules.vtkCommonDataModel import vtkCompositeDataSet

    found, iterator = [], data.NewIterator()
    iterator.InitTraversal()
    while not iterator.IsDoneWithTraversal():
        about = iterator.GetCurrentMetaData() if iterator.HasCurrentMetaData() else None
        name = about.Get(vtkCompositeDataSet.NAME()) if about is not None else None
        found.append((name or "", iterator.GetCurrentDataObject()))
        iterator.GoToNextItem()
    return found


def _write(data: Any, name: str, stem: Path) -> Leaf:
    from vtkmodules.vtkIOXML import vtkXMLDataObjectWriter

    arrays = [_named(data.GetPointData()), _named(data.GetCellData())]
    writer = vtkXMLDataObjectWriter.NewWriter(data.GetDataObjectType())
    if writer is None:
        raise ReadError(f"holds a {data.GetClassName()}, which is not read: convert it to .vtu")
    file = stem.with_name(f"{stem.name}.{writer.GetDefaultFileExtension()}")
    writer.SetFileName(str(file))
    writer.SetInputDataObject(0, data)
    writer.SetDataModeToAppended()
    writer.EncodeAppendedDataOff()
    writer.SetCompressorTypeToNone()
    writer.SetHeaderTypeToUInt64()
    if writer.Write() != 1:
        raise ReadError("cannot be converted in the temporary folder: is the disk full?")
    return Leaf(file.name, name, *arrays)


def _named(attributes: Any) -> frozenset[str]:
    """The names of the numeric arrays; those without get one."""
    names = set()
    for index in range(attributes.GetNumberOfArrays()):
        array = attributes.GetArray(index)
        if array is None:
            continue
        if not array.GetName():
            array.SetName(f"array {index}")
        names.add(array.GetName())
    return frozenset(names)


for _suffix, _kind in CLASSES.items():
    # Legacy files have a module of their own, which comes here for some of them.
    if _suffix != ".vtk":
        register_format(
            (_suffix,),
            steps=vtk_steps,
            keeps="points, cells, point data, cell data, times, patches",
            needs={"vtkmodules": "flowgrad[vtk]"},
            refers=_kind.refers,
        )
