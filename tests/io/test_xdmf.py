from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError, read
from flowgrad.io import read_contents

meshio = pytest.importorskip("meshio")

POINTS = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [2, 0], [2, 1]])
CELLS = [("triangle", np.array([[0, 1, 2], [0, 2, 3], [1, 4, 5]]))]


def velocity(number: float) -> np.ndarray:
    return np.column_stack([POINTS[:, 1] * (1 + number), -POINTS[:, 0], 0 * POINTS[:, 0]])


def write_series(path: Path, form: str) -> Path:
    with meshio.xdmf.TimeSeriesWriter(path, data_format=form) as writer:
        writer.write_points_cells(POINTS, CELLS)
        for number in range(3):
            cell_data = {"p": [np.arange(3.0) + number]}
            writer.write_data(0.5 * number, point_data={"U": velocity(number)}, cell_data=cell_data)
    return path


@pytest.mark.parametrize("form", ["XML", "HDF"])
def test_series(tmp_path, monkeypatch, form):
    if form == "HDF":
        pytest.importorskip("h5py")
    # meshio writes the HDF5 file into the current directory.
    monkeypatch.chdir(tmp_path)
    series = flowgrad.read_series(write_series(tmp_path / "a.xdmf", form))
    assert len(series) == 3
    for number in (0, 2):
        flow = series[number]
        assert flow.time == 0.5 * number
        np.testing.assert_array_equal(flow.velocity, velocity(number))
        np.testing.assert_array_equal(flow.cell_data["p"], np.arange(3.0) + number)
        assert flow.mesh.type_counts() == {"triangle": 3}


@pytest.mark.parametrize("form", ["XML", "HDF"])
def test_a_mesh_for_each_time(tmp_path, monkeypatch, form):
    """As DOLFIN writes it, and where a mesh is refined meanwhile."""
    pytest.importorskip("h5py", reason="meshio's writer needs it")
    monkeypatch.chdir(tmp_path)
    grids = []
    for number, scale in enumerate((1.0, 2.0)):
        mesh = meshio.Mesh(scale * POINTS, [(CELLS[0][0], CELLS[0][1][: 2 + number])], {"U": velocity(number)})
        meshio.write(tmp_path / f"{number}.xdmf", mesh, data_format=form)
        grid = ET.parse(tmp_path / f"{number}.xdmf").getroot().find(".//Grid")
        ET.SubElement(grid, "Time", Value=str(0.5 * number))
        grids.append(grid)
    whole = ET.Element("Xdmf", Version="3.0")
    collection = ET.SubElement(ET.SubElement(whole, "Domain"), "Grid", GridType="Collection", CollectionType="Temporal")
    collection.extend(grids)
    ET.ElementTree(whole).write(tmp_path / "a.xdmf")
    for number, scale in enumerate((1.0, 2.0)):
        flow = read(tmp_path / "a.xdmf", time=0.5 * number)
        np.testing.assert_array_equal(flow.mesh.points[:, :2], scale * POINTS)
        np.testing.assert_array_equal(flow.velocity, velocity(number))
        assert flow.mesh.type_counts() == {"triangle": 2 + number}


def test_one_time_of_several(tmp_path):
    path = write_series(tmp_path / "a.xdmf", "XML")
    np.testing.assert_array_equal(read(path, time=0.5).velocity, velocity(1))
    with pytest.raises(OptionError, match=r"has no time 0\.7: it holds 0, 0\.5, 1"):
        read(path, time=0.7)


def test_a_single_grid(tmp_path):
    pytest.importorskip("h5py", reason="meshio's writer needs it")
    mesh = meshio.Mesh(POINTS, CELLS, point_data={"U": velocity(0)})
    meshio.write(tmp_path / "a.xdmf", mesh, data_format="XML")
    np.testing.assert_array_equal(read(tmp_path / "a.xdmf").velocity, velocity(0))


XML = """<?xml version="1.0" ?>
<Xdmf Version="3.0"><Domain><Grid Name="Grid" GridType="Uniform">
<Geometry GeometryType="XY">
<DataItem DataType="Float" Dimensions="3 2" Format="XML" Precision="8">0 0 1 0 0 1</DataItem></Geometry>
<Topology TopologyType="Triangle" NumberOfElements="1">
<DataItem DataType="Int" Dimensions="1 3" Format="XML" Precision="8">0 1 2</DataItem></Topology>
<Attribute Name="U" AttributeType="Vector" Center="Node">{item}</Attribute>
</Grid></Domain></Xdmf>
"""
ITEM = '<DataItem DataType="Float" Dimensions="{dimensions}" Format="{form}" Precision="8">{text}</DataItem>'
GOOD = {"dimensions": "3 3", "form": "XML", "text": "1 2 3 4 5 6 7 8 9"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"form": "Binary", "text": "a.bin"}, "in the format Binary, which is not read"),
        ({"form": "HDF", "text": "../a.h5:/U"}, r"'\.\./a\.h5' outside its folder"),
        ({"form": "HDF", "text": "/etc/passwd:/U"}, "'/etc/passwd' outside its folder"),
        ({"form": "HDF", "text": "a.h5:/U"}, "'a.h5', which is not there"),
        ({"form": "HDF", "text": "a.h5"}, "is not FILE:/PATH"),
        ({"dimensions": "3000000000 3"}, "declares 9000000000 values in a DataItem that has 9"),
        ({"dimensions": "3 x"}, "Dimensions '3 x'"),
        ({"text": "1 2 3 4 5 6 7 8 nine"}, "meshio"),
        ({"text": "<DataItem/>"}, "declares 9 values"),
    ],
)
def test_what_is_not_followed(tmp_path, refused, changes, message):
    if message == "meshio":
        pytest.importorskip("h5py", reason="meshio reads no XDMF without it")
    path = tmp_path / "a.xdmf"
    path.write_text(XML.format(item=ITEM.format(**GOOD)))
    assert read_contents(path).point_data["U"].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]] if not changes else True
    path.write_text(XML.format(item=ITEM.format(**GOOD | changes)))
    with refused(path, message):
        read_contents(path)


def test_a_link_that_leads_out_is_refused(tmp_path, refused):
    (tmp_path / "in").mkdir()
    (tmp_path / "a.h5").write_bytes(b"x")
    (tmp_path / "in/a.h5").symlink_to(tmp_path / "a.h5")
    path = tmp_path / "in/a.xdmf"
    path.write_text(XML.format(item=ITEM.format(**GOOD | {"form": "HDF", "text": "a.h5:/U"})))
    with refused(path, "outside its folder"):
        read_contents(path)


def test_entities_are_refused(tmp_path, refused):
    path = tmp_path / "a.xdmf"
    text = XML.format(item=ITEM.format(**GOOD | {"text": "&a;"}))
    path.write_text(text.replace("<Xdmf", '<!DOCTYPE Xdmf [<!ENTITY a "1 2 3 4 5 6 7 8 9">]><Xdmf'))
    with refused(path, "XML entities"):
        read_contents(path)


def test_a_mesh_that_changes_is_refused(tmp_path, refused):
    path = write_series(tmp_path / "a.xdmf", "XML")
    grid = XML.format(item=ITEM.format(**GOOD)).split("<Domain>")[1].split("</Domain>")[0]
    grid = grid.replace("<Geometry", '<Time Value="9"/><Geometry', 1)
    text = path.read_text()
    end = text.rindex("</Grid>")
    path.write_text(text[:end] + grid + text[end:])
    with refused(path, "has 2 meshes in its times"):
        read_contents(path)


def test_an_h5_that_declares_45_gib(tmp_path, refused):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("U", (2_000_000_000, 3), "f8", chunks=(1000, 3))
    path = tmp_path / "a.xdmf"
    path.write_text(XML.format(item=ITEM.format(**GOOD | {"form": "HDF", "text": "a.h5:/U"})))
    with refused(path, "declares what takes more than 1024 MiB, in a file of"):
        read_contents(path)
