"""Images, rectilinear and structured grids: as VTK's readers have them, in any layout and any number of pieces."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Lattice, ReadError, read
from flowgrad.io import read_contents
from flowgrad.io.vtk_xml.structured import Extent

pytest.importorskip("vtkmodules", reason="compares with VTK's own readers and writers")

from vtkmodules import vtkIOParallelXML
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkRectilinearGrid, vtkStructuredGrid

from tests.io.test_vtu import COMPRESSORS
from tests.io.vtk_twin import assert_same_arrays, attach_arrays, read_with_vtk, vtk_arrays, write_with_vtk

KINDS = {"ImageData": "vti", "RectilinearGrid": "vtr", "StructuredGrid": "vts"}
EXTENTS = [(0, 3, 0, 2, 0, 4), (2, 6, -1, 3, 5, 5), (0, 0, 1, 4, 0, 3), (3, 7, 0, 0, 0, 0)]
TURNED = (0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1)


def made(kind: str, extent: tuple[int, ...], arrays=None):
    """A data set of VTK's with that extent, on uneven axes or bent."""
    shape = np.array(extent[1::2]) - extent[::2] + 1
    if kind == "ImageData":
        data = vtkImageData()
        data.SetOrigin(0.1, -2, 3)
        data.SetSpacing(0.5, 0.25, 2)
        data.SetDirectionMatrix(TURNED)
    elif kind == "RectilinearGrid":
        data = vtkRectilinearGrid()
        for axis, start, n in zip("XYZ", extent[::2], shape, strict=True):
            getattr(data, f"Set{axis}Coordinates")(numpy_to_vtk((start + np.arange(n)) ** 3 / 7, deep=True))
    else:
        data, points = vtkStructuredGrid(), vtkPoints()
        z, y, x = (each.ravel() for each in np.meshgrid(*(np.arange(n) for n in shape[::-1]), indexing="ij"))
        points.SetData(numpy_to_vtk(np.column_stack([x + 0.1 * y**2, y - 0.2 * x, z + 0.05 * x * y]), deep=True))
        data.SetPoints(points)
    data.SetExtent(*extent)
    if arrays is not None:
        attach_arrays(data, arrays)
    return data


def positions(data) -> np.ndarray:
    return np.array([data.GetPoint(i) for i in range(data.GetNumberOfPoints())])


def assert_same(contents, data) -> None:
    assert isinstance(contents.mesh, Lattice)
    extent, points = np.array(data.GetExtent()), positions(data)
    assert contents.mesh.shape == tuple(extent[1::2] - extent[::2] + 1)
    np.testing.assert_allclose(contents.mesh.points, points, rtol=0, atol=4e-15 * np.abs(points).max())
    assert_same_arrays(contents.point_data, vtk_arrays(data.GetPointData()))
    assert_same_arrays(contents.cell_data, vtk_arrays(data.GetCellData()))
    assert_same_arrays(contents.field_data, vtk_arrays(data.GetFieldData()))
    assert contents.time == 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extent", EXTENTS)
def test_reads_what_vtk_writes(tmp_path, arrays, kind, extent):
    data = made(kind, extent, arrays)
    path = tmp_path / f"a.{KINDS[kind]}"
    for number, (mode, compressor) in enumerate(product(("Ascii", "Binary", "Appended"), COMPRESSORS)):
        order, header = ("LittleEndian", "BigEndian")[number % 2], (32, 64)[number // 2 % 2]
        write_with_vtk(data, path, mode, bool(number % 3), compressor, header, 512, kind=kind, order=order)
        assert_same(read_contents(path), data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("pieces", [2, 5])
def test_pieces_are_put_together_as_by_vtk(tmp_path, arrays, kind, extent, pieces):
    path = tmp_path / f"a.{KINDS[kind]}"
    write_with_vtk(made(kind, extent, arrays), path, pieces=pieces, kind=kind)
    assert path.read_bytes().count(b"<Piece") > 1
    assert_same(read_contents(path), read_with_vtk(path, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ghosts", [0, 1])
def test_parallel_files_are_put_together(tmp_path, arrays, kind, ghosts):
    """As written by VTK, each piece a file of its own, which may overlap."""
    data = made(kind, EXTENTS[0], arrays)
    writer = getattr(vtkIOParallelXML, f"vtkXMLP{kind}Writer")()
    writer.SetInputData(data)
    writer.SetNumberOfPieces(3)
    writer.SetStartPiece(0)
    writer.SetEndPiece(2)
    writer.SetGhostLevel(ghosts)
    path = tmp_path / f"a.p{KINDS[kind]}"
    writer.SetFileName(str(path))
    assert writer.Write()
    assert len(list(tmp_path.iterdir())) == 4
    contents = read_contents(path)
    contents.point_data.pop("vtkGhostType", None)
    contents.cell_data.pop("vtkGhostType", None)
    assert_same(contents, data)


@pytest.mark.parametrize("kind", KINDS)
def test_blanked_cells_and_points_have_no_velocity(tmp_path, kind):
    data = made(kind, EXTENTS[0])
    velocity = np.random.default_rng(0).normal(size=(data.GetNumberOfPoints(), 3))
    for target, values in ((data.GetPointData(), velocity), (data.GetCellData(), velocity[: data.GetNumberOfCells()])):
        converted = numpy_to_vtk(values, deep=True)
        converted.SetName("U")
        target.AddArray(converted)
    data.AllocatePointGhostArray()
    data.GetPointGhostArray().SetValue(5, 2)
    data.AllocateCellGhostArray()
    data.GetCellGhostArray().SetValue(20, 32)
    path = tmp_path / f"a.{KINDS[kind]}"
    write_with_vtk(data, path, kind=kind)
    hidden = read(path, location="cells")
    visible = [bool(data.IsCellVisible(c)) for c in range(data.GetNumberOfCells())]
    np.testing.assert_array_equal(np.isfinite(hidden.velocity).all(axis=1), visible)
    np.testing.assert_array_equal(hidden.velocity[visible], velocity[: len(visible)][visible])
    assert isinstance(hidden.mesh, Lattice)


def test_points_of_hidden_cells_only_have_no_velocity(tmp_path):
    """Two layers of hidden cells: the lattice keeps a hole. One layer: the mesh goes without its cells."""
    for layers, holes in ((2, 12), (1, 0)):
        data = made("ImageData", (0, 3, 0, 2, 0, 4))
        velocity = numpy_to_vtk(np.ones((data.GetNumberOfPoints(), 3)), deep=True)
        velocity.SetName("U")
        data.GetPointData().AddArray(velocity)
        data.AllocateCellGhostArray()
        marks = vtk_to_numpy(data.GetCellGhostArray())
        marks.reshape(4, 2, 3)[1 : 1 + layers] = 32
        write_with_vtk(data, tmp_path / "a.vti", kind="ImageData")
        flow = read(tmp_path / "a.vti")
        assert isinstance(flow.mesh, Lattice) == (layers == 2)
        assert np.isnan(flow.velocity[:, 0]).sum() == holes
        if layers == 1:
            assert (len(flow.mesh), len(flow.velocity)) == (18, 60)


def test_spacing_of_a_plane_may_be_zero_or_negative(tmp_path):
    data = made("ImageData", (0, 2, 0, 3, 4, 4))
    write_with_vtk(data, tmp_path / "a.vti", mode="Ascii", kind="ImageData")
    text = (tmp_path / "a.vti").read_text().replace('Spacing="0.5 0.25 2"', 'Spacing="-0.5 0.25 0"')
    (tmp_path / "a.vti").write_text(text)
    mesh = read_contents(tmp_path / "a.vti").mesh
    axes = np.array(TURNED).reshape(3, 3).T
    np.testing.assert_allclose(mesh.points[1] - mesh.points[0], -0.5 * axes[0], atol=1e-15)
    np.testing.assert_allclose(mesh.points[0], (0.1, -2, 3), atol=1e-15)


def image(whole="0 2 0 1 0 0", piece="0 2 0 1 0 0", data="", more="", pieces="") -> str:
    return (
        '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian">'
        f'<ImageData WholeExtent="{whole}" {more}><Piece Extent="{piece}"><PointData>{data}</PointData></Piece>'
        f"{pieces}</ImageData></VTKFile>"
    )


def numbers(values: str, name: str = "p") -> str:
    return f'<DataArray type="Float64" Name="{name}" format="ascii">{values}</DataArray>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (image(whole="0 2 0 1"), "extent '0 2 0 1' instead of six numbers"),
        (image(piece="a 2 0 1 0 0"), "extent 'a 2 0 1 0 0'"),
        (image(whole="0 9999999999 0 1 0 0"), "beyond 32 bits"),
        (image(piece="0 3 0 1 0 0"), "which it leaves"),
        (image(piece="0 0 0 1 0 0"), "a flat part"),
        (image(piece="0 1 0 1 0 0"), "has 4 points in its pieces for 6"),
        (image(piece="0 -1 0 -1 0 -1"), "no points"),
        (image(whole="0 0 0 0 0 0", piece="0 0 0 0 0 0"), "a single point"),
        (image(data=numbers("1 2 3 4 5")), "has 5 values instead of 6"),
        (image(more='Spacing="0 1 1"'), "must be positive"),
        (image(more='Spacing="1 1"'), "Spacing is '1 1' instead of 3 numbers"),
        (image(more='Origin="nan 0 0"'), "Origin is 'nan 0 0'"),
        (image(more='Direction="1 0 0 1 0 0 0 0 1"'), "lie in one plane"),
        (image(whole="0 2000000000 0 1 0 0", piece="0 2000000000 0 1 0 0"), "no array, so that the extent"),
        (
            image(whole="0 2000000000 0 1 0 0", piece="0 2000000000 0 1 0 0", data=numbers("1")),
            "1 values instead of 40000",
        ),
        (
            image("0 4 0 1 0 0", data=numbers("1 2 3 4 5 6"), pieces='<Piece Extent="2 4 0 1 0 0"/>'),
            "piece 1 of 2 lacks the array 'p'",
        ),
        (
            image("0 4 0 2 0 0", pieces='<Piece Extent="0 2 0 1 0 0"/>' * 5),
            "lacks 9 of 15 points",
        ),
        (image().replace("ImageData", "StructuredGrid"), "<Points> has 0 arrays instead of 1"),
        (image().replace("ImageData", "RectilinearGrid"), "<Coordinates> has 0 arrays instead of 3"),
    ],
)
def test_contradictions_are_refused(refused, tmp_path, text, message):
    kind = text.split('"')[1]
    path = tmp_path / f"a.{KINDS[kind]}"
    path.write_text(text)
    with refused(path, message):
        read_contents(path)


def test_coordinates_that_turn_back_are_refused(refused, tmp_path):
    axes = numbers("0 2 1", "x") + numbers("0 1", "y") + numbers("0", "z")
    text = (
        image()
        .replace("ImageData", "RectilinearGrid")
        .replace("</Piece>", f"<Coordinates>{axes}</Coordinates></Piece>")
    )
    (tmp_path / "a.vtr").write_text(text)
    with refused(tmp_path / "a.vtr", "turn back"):
        read_contents(tmp_path / "a.vtr")


def test_extent():
    extent = Extent.parse(" 1 4 -2 -2 0 7 ")
    assert (extent.shape, extent.cell_shape) == ((4, 1, 8), (3, 1, 7))
    assert str(extent) == "1 4 -2 -2 0 7"
    assert extent.within(Extent.parse("0 9 -3 0 0 9"), of_cells=False) == (slice(0, 8), slice(1, 2), slice(1, 5))


def test_points_that_are_not_finite_are_refused(tmp_path):
    data = made("StructuredGrid", (0, 2, 0, 2, 0, 0))
    velocity = numpy_to_vtk(np.ones((9, 3)), deep=True)
    velocity.SetName("U")
    data.GetPointData().AddArray(velocity)
    vtk_to_numpy(data.GetPoints().GetData())[4] = np.nan
    write_with_vtk(data, tmp_path / "a.vts", kind="StructuredGrid")
    with pytest.raises(ReadError, match="1 of 9 points are not finite, such as number 4"):
        read(tmp_path / "a.vts")
    vtk_to_numpy(data.GetPointData().GetArray("U"))[4] = np.nan
    write_with_vtk(data, Path(tmp_path / "a.vts"), kind="StructuredGrid")
    assert np.isnan(read(tmp_path / "a.vts").velocity[4]).all()
