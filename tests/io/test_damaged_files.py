"""Whole files cut off or changed at random: an error, or what was there, but nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from flowgrad import FlowgradError, ReadError
from flowgrad.io import Contents, read_contents, write_vtu
from tests.io.vtk_twin import write_with_vtk

pytestmark = pytest.mark.slow

LAYOUTS = {
    "ascii": {"mode": "Ascii"},
    "inline": {"mode": "Binary", "compressor": "None", "header": 64},
    "inline zlib": {"mode": "Binary"},
    "raw": {"compressor": "None"},
    "raw zlib": {"block": 64},
    "base64": {"base64": True, "compressor": "None"},
    "base64 zlib": {"base64": True, "header": 64},
    "raw lzma big": {"compressor": "LZMA", "order": "BigEndian"},
    "raw lz4": {"compressor": "LZ4", "header": 64},
}


@pytest.fixture(params=["ours", *LAYOUTS])
def file(request, tmp_path, mixed_mesh, arrays) -> Path:
    path = tmp_path / "case.vtu"
    if request.param == "ours":
        write_vtu(path, mixed_mesh, arrays(27), arrays(15), {"TimeValue": 0.1})
    else:
        write_with_vtk(request.getfixturevalue("vtk_grid"), path, **LAYOUTS[request.param])
    return path


def everything(contents: Contents) -> list[np.ndarray]:
    cells = contents.mesh.cells
    return [
        *(contents.mesh.points, cells.types, cells.offsets, cells.connectivity),
        *(getattr(cells.polyhedra, name) for name in ("connectivity", "offsets", "cell_offsets")),
        *(array for data in (contents.point_data, contents.cell_data, contents.field_data) for array in data.values()),
    ]


def test_cut_off_anywhere(file):
    whole, data = everything(read_contents(file)), file.read_bytes()
    for length in np.linspace(1, len(data) - 1, 90).astype(int):
        file.write_bytes(data[:length])
        if length < len(data) - 80:
            with pytest.raises(ReadError, match=r"case\.vtu: .*: "):
                read_contents(file)
        elif not _is_refused(read_contents, file):
            # What is missing was of no use: the end tags behind appended data.
            part = everything(read_contents(file))
            assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(part, whole, strict=True))


@pytest.mark.parametrize("seed", range(2))
def test_changed_anywhere(file, seed):
    data, rng = file.read_bytes(), np.random.default_rng(seed)
    refused = 0
    for _ in range(100):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        file.write_bytes(bytes(changed))
        refused += _is_refused(read_contents, file)
    assert refused > 5


@pytest.mark.parametrize("seed", range(2))
def test_changed_in_the_header(file, seed):
    """Digits and letters of the XML replaced by others: it stays well-formed more often."""
    data, rng = file.read_bytes(), np.random.default_rng(seed + 10)
    text = np.flatnonzero(np.frombuffer(data[:4000].split(b"<AppendedData")[0], np.uint8) >= ord("0"))
    for _ in range(100):
        changed = bytearray(data)
        for place in rng.choice(text, 2):
            changed[place] = rng.choice(np.frombuffer(b"0123456789", np.uint8))
        file.write_bytes(bytes(changed))
        _is_refused(read_contents, file)


def _is_refused(read: Callable[[Path], Contents], path: Path) -> bool:
    try:
        contents = read(path)
    except FlowgradError:
        return True
    for data, count in ((contents.point_data, len(contents.mesh.points)), (contents.cell_data, len(contents.mesh))):
        assert all(len(values) == count for values in data.values())
    return False
