"""Comparisons with VTK's own objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad import Mesh


def write_with_vtk(
    data: Any,
    path: Path,
    mode="Appended",
    base64=False,
    compressor="ZLib",
    header=32,
    block=4096,
    pieces=1,
    kind="UnstructuredGrid",
    order="LittleEndian",
) -> None:
    """Write with VTK's own writer of the kind, in one of its layouts."""
    from vtkmodules import vtkIOXML

    writer = getattr(vtkIOXML, f"vtkXML{kind}Writer")()
    writer.SetInputData(data)
    getattr(writer, f"SetDataModeTo{mode}")()
    writer.SetEncodeAppendedData(base64)
    writer.SetHeaderType(header)
    writer.SetBlockSize(block)
    writer.SetNumberOfPieces(pieces)
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    getattr(writer, f"SetByteOrderTo{order}")()
    writer.SetFileName(str(path))
    assert writer.Write()


def read_with_vtk(path: Path, kind: str = "UnstructuredGrid") -> Any:
    """What VTK's own reader makes of a file."""
    from vtkmodules import vtkIOXML

    reader = getattr(vtkIOXML, f"vtkXML{kind}Reader")()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def attach_arrays(data: Any, arrays: Callable[[int], dict[str, np.ndarray]]) -> None:
    from vtkmodules.util.numpy_support import numpy_to_vtk

    sets = (
        (data.GetPointData(), arrays(data.GetNumberOfPoints())),
        (data.GetCellData(), arrays(data.GetNumberOfCells())),
        (data.GetFieldData(), {"TimeValue": np.array([0.1]), "table": np.arange(6.0).reshape(2, 3)}),
    )
    for target, values in sets:
        for name, array in values.items():
            converted = numpy_to_vtk(np.ascontiguousarray(array), deep=True)
            converted.SetName(name)
            target.AddArray(converted)


def vtk_arrays(data: Any) -> dict[str, np.ndarray]:
    """The arrays of a vtkFieldData by name."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return {data.GetArrayName(i): vtk_to_numpy(data.GetArray(i)) for i in range(data.GetNumberOfArrays())}


def assert_same_arrays(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> None:
    """Equal names, values and kinds; a float of ours may have more digits than a Float32."""
    assert list(ours) == list(theirs)
    for name, array in theirs.items():
        assert ours[name].flags.c_contiguous
        assert ours[name].dtype.isnative
        assert ours[name].dtype == (np.float64 if array.dtype.kind == "f" else array.dtype), name
        np.testing.assert_array_equal(ours[name].astype(array.dtype), array, err_msg=name)


def assert_same_mesh(mesh: Mesh, grid: Any, faces: bool = True) -> None:
    """Points, cells and, if asked for, faces as in a vtkUnstructuredGrid."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkIdList

    points = vtk_to_numpy(grid.GetPoints().GetData())
    np.testing.assert_array_equal(mesh.points.astype(points.dtype), points)
    np.testing.assert_array_equal(mesh.cells.types, [grid.GetCellType(c) for c in range(grid.GetNumberOfCells())])
    np.testing.assert_array_equal(mesh.cells.offsets, vtk_to_numpy(grid.GetCells().GetOffsetsArray()))
    np.testing.assert_array_equal(mesh.cells.connectivity, vtk_to_numpy(grid.GetCells().GetConnectivityArray()))
    for cell in np.flatnonzero(mesh.cells.types == 42) if faces else ():
        stream = vtkIdList()
        grid.GetFaceStream(int(cell), stream)
        assert face_stream(mesh, cell) == [stream.GetId(i) for i in range(stream.GetNumberOfIds())]


def face_stream(mesh: Mesh, cell: int) -> list[int]:
    """Number of faces, and for each face its number of points and the points."""
    faces = mesh.cells.polyhedra
    assert faces is not None
    rows = range(faces.cell_offsets[cell], faces.cell_offsets[cell + 1])
    parts = [faces.connectivity[faces.offsets[f] : faces.offsets[f + 1]].tolist() for f in rows]
    return [len(parts), *(entry for part in parts for entry in (len(part), *part))]
