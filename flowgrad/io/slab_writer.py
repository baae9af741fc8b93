"""Images and rectilinear grids written plane after plane: appended raw, uncompressed, as ParaView opens them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import BinaryIO

import numpy as np

from flowgrad.io.slabs import plane_count, plane_size
from flowgrad.io.vtu_writer import TENSOR
from flowgrad.mesh import Lattice

# What marks the places with a result, as in the files of whole results.
VALID = "valid"


def suffix_of(lattice: Lattice) -> str:
    """``.vti`` for even spacing, else ``.vtr``: what the name of a file of slabs ends in."""
    return ".vti" if all(axis.is_uniform for axis in lattice.axes) else ".vtr"


class SlabWriter:
    """A file that is written from the first plane to the last: arrays with so many ``components`` at the points or
    cells of a lattice with straight axes, along x, y and z where they are uneven; and ``valid``, which is there in
    the end only if some places have no result.

    The head takes its room first and is written last.
    """

    def __init__(
        self,
        handle: BinaryIO,
        lattice: Lattice,
        location: str,
        components: Mapping[str, int],
        dtype: np.dtype,
        time: float | None = None,
    ) -> None:
        self._handle, self._lattice, self._location, self._time = handle, lattice, location, time
        self._types = {name: dtype.newbyteorder("<") for name in components} | {VALID: np.dtype("u1")}
        self._components = {**components, VALID: 1}
        self._plane = plane_size(lattice, location)
        count = self._plane * plane_count(lattice, location)
        self._places, place = {}, 0
        for name, width in self._components.items():
            self._places[name] = place
            place += 8 + width * count * self._types[name].itemsize
        self._end, self._count, self._written = place, count, 0
        self._start = len(self._head(True))
        self._all_valid = True

    def write(self, arrays: Mapping[str, np.ndarray], valid: np.ndarray) -> None:
        """The next planes of all arrays, (n, …) each, and where they are valid (n,)."""
        self._all_valid &= bool(valid.all())
        for name, values in {**arrays, VALID: valid}.items():
            dtype, width = self._types[name], self._components[name]
            at = self._start + self._places[name] + 8 + self._written * width * dtype.itemsize
            self._handle.seek(at)
            with np.errstate(over="ignore"):
                self._handle.write(np.ascontiguousarray(values, dtype).data.cast("B"))
        self._written += len(valid)

    def finish(self) -> None:
        """The head, the sizes and the end, when all planes are written."""
        assert self._written == self._count
        names = [name for name in self._places if name != VALID or not self._all_valid]
        for name in names:
            size = self._components[name] * self._count * self._types[name].itemsize
            self._handle.seek(self._start + self._places[name])
            self._handle.write(size.to_bytes(8, "little"))
        end = self._start + (self._places[VALID] if self._all_valid else self._end)
        self._handle.seek(end)
        self._handle.truncate()
        self._handle.write(b"\n</AppendedData>\n</VTKFile>\n")
        self._handle.seek(0)
        self._handle.write(self._head(not self._all_valid, self._start))

    def _head(self, with_valid: bool, length: int = 0) -> bytes:
        """The file up to its appended data, filled up with spaces to a length."""
        kind = "ImageData" if suffix_of(self._lattice) == ".vti" else "RectilinearGrid"
        extent = " ".join(f"0 {n - 1}" for n in self._lattice.shape)
        image = _image(self._lattice) if kind == "ImageData" else ""
        head = (
            '<?xml version="1.0"?>\n'
            f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'
            f'<{kind} WholeExtent="{extent}"{image}>\n{self._field_data()}<Piece Extent="{extent}">\n'
            f"{self._sections(with_valid)}{_coordinates(self._lattice) if not image else ''}</Piece>\n</{kind}>\n"
        )
        end = '<AppendedData encoding="raw">\n_'
        return f"{head}{' ' * (length - len(head.encode()) - len(end))}{end}".encode()

    def _sections(self, with_valid: bool) -> str:
        arrays = "".join(
            f'<DataArray type="{_type_name(self._types[name])}" Name="{escape(name)}" NumberOfComponents="{width}" '
            f'format="appended" offset="{self._places[name]}"{" " + TENSOR if width == 9 else ""}/>\n'
            for name, width in self._components.items()
            if with_valid or name != VALID
        )
        here, there = ("PointData", "CellData") if self._location == "points" else ("CellData", "PointData")
        sections = {here: f"<{here}>\n{arrays}</{here}>\n", there: f"<{there}>\n</{there}>\n"}
        return sections["PointData"] + sections["CellData"]

    def _field_data(self) -> str:
        if self._time is None:
            return ""
        array = f'type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">{self._time!r}'
        return f"<FieldData>\n<DataArray {array}</DataArray>\n</FieldData>\n"


def _type_name(dtype: np.dtype) -> str:
    return {"f": "Float", "u": "UInt"}[dtype.kind] + str(8 * dtype.itemsize)


def _image(lattice: Lattice) -> str:
    first = np.array([axis.coordinates[0] for axis in lattice.axes])
    spacing = np.sqrt((lattice.steps**2).sum(axis=1))
    # Columns of VTK's Direction are the axes.
    direction = (lattice.steps / spacing[:, None]).T + 0.0
    origin = lattice.origin + first @ lattice.steps
    return f' Origin="{_text(origin)}" Spacing="{_text(spacing)}" Direction="{_text(direction)}"'


def _coordinates(lattice: Lattice) -> str:
    lines = [
        f'<DataArray type="Float64" Name="{name}" format="ascii">{_text(axis.coordinates * step + start)}</DataArray>\n'
        for name, axis, step, start in zip("xyz", lattice.axes, np.diagonal(lattice.steps), lattice.origin, strict=True)
    ]
    return f"<Coordinates>\n{''.join(lines)}</Coordinates>\n"


def _text(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in values.ravel())
