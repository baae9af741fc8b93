"""Files of VTK XML in the forms of writers other than VTK's, and what is damaged in almost the same way."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import numpy as np

from flowgrad.io import read_contents

POINTS = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.5]])
VELOCITY = POINTS @ np.array([[0.3, 1, 2], [-1, 0.5, 0], [0, 2, 1]])
_FORM = '<DataArray Name="{name}" type="{kind}" {more}>{text}</DataArray>'


def packed(values: np.ndarray, announced: int = 1, header: str = "<I") -> str:
    """Base64 of a size and the values; the size may be announced several times too large."""
    data = np.ascontiguousarray(values).tobytes()
    return base64.b64encode(struct.pack(header, announced * len(data)) + data).decode()


def grid(folder: Path, **parts: str) -> Path:
    """A file of one tetrahedron, its arrays as the parts give them."""
    given = {
        "points": _FORM.format(
            name="points", kind="Float64", more='NumberOfComponents="3"', text=_numbers(POINTS.ravel())
        ),
        "connectivity": _FORM.format(name="connectivity", kind="Int32", more="", text="0 1 2 3"),
        "types": _FORM.format(name="types", kind="UInt8", more="", text="10"),
        "data": "",
        "appended": "",
        **parts,
    }
    path = folder / "a.vtu"
    path.write_text(
        '<VTKFile type="UnstructuredGrid" version="0.1" byte_order="LittleEndian"><UnstructuredGrid>'
        '<Piece NumberOfPoints="4" NumberOfCells="1"><PointData>{data}</PointData><Cells>{connectivity}'
        '<DataArray Name="offsets" type="Int32">4</DataArray>{types}</Cells><Points>{points}</Points></Piece>'
        "</UnstructuredGrid>{appended}</VTKFile>".format(**given)
    )
    return path


def _numbers(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in values)


def test_uvw_counts_values_and_appends_without_an_encoding(tmp_path):
    more = 'NumberOfComponents="3" NumberOfTuples="12" format="{}"'
    velocity = _FORM.format(name="U", kind="Float64", more=more.format("binary"), text=packed(VELOCITY))
    points = _FORM.format(name="points", kind="Float64", more=more.format("append") + ' offset="0"', text="")
    tail = f'<AppendedData format="base64">_{packed(POINTS)}</AppendedData>'
    found = read_contents(grid(tmp_path, data=velocity, points=points, appended=tail))
    np.testing.assert_array_equal(found.point_data["U"], VELOCITY)
    np.testing.assert_array_equal(found.mesh.points, POINTS)


def test_components_that_are_left_out_or_empty_are_one(tmp_path):
    for more in ("", 'NumberOfComponents=""'):
        scalar = _FORM.format(name="p", kind="Float32", more=more, text="1 2 3 4")
        assert read_contents(grid(tmp_path, data=scalar)).point_data["p"].tolist() == [1, 2, 3, 4]


def test_types_of_cells_as_floats(tmp_path, caplog, refused):
    types = _FORM.format(name="types", kind="Float64", more="", text="10.0")
    with caplog.at_level("INFO", "flowgrad"):
        assert read_contents(grid(tmp_path, types=types)).mesh.cells.types.tolist() == [10]
    assert "'types' in Cells are floats" in caplog.text
    half = _FORM.format(name="types", kind="Float64", more="", text="10.5")
    with refused(tmp_path / "a.vtu", "'types' is float64"):
        read_contents(grid(tmp_path, types=half))


def test_connectivity_announced_four_times_too_long(tmp_path, caplog, refused):
    whole = np.arange(4, dtype="<i4")
    for header in ("<I", "<Q"):
        text = packed(whole, announced=4, header=header)
        path = grid(
            tmp_path, connectivity=_FORM.format(name="connectivity", kind="Int32", more='format="binary"', text=text)
        )
        if header == "<Q":
            path.write_text(path.read_text().replace("byte_order", 'header_type="UInt64" byte_order'))
        with caplog.at_level("INFO", "flowgrad"):
            assert read_contents(path).mesh.cells.connectivity.tolist() == [0, 1, 2, 3]
        assert "announces 4 times the bytes that it has" in caplog.text
    for values, announced in ((whole[:3], 4), (whole, 3)):
        text = packed(values, announced)
        binary = _FORM.format(name="connectivity", kind="Int32", more='format="binary"', text=text)
        with refused(tmp_path / "a.vtu", "damaged"):
            read_contents(grid(tmp_path, connectivity=binary))


def test_a_plus_before_a_number(tmp_path, refused):
    path = grid(tmp_path)
    path.write_text(path.read_text().replace('NumberOfPoints="4"', 'NumberOfPoints="+4"'))
    assert len(read_contents(path).mesh.points) == 4
    path.write_text(path.read_text().replace('"+4"', '"++4"'))
    with refused(path, "NumberOfPoints"):
        read_contents(path)
