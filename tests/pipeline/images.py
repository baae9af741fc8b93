"""Images with any arrays, raw or in small zlib blocks."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

_TYPES = {"f4": "Float32", "f8": "Float64", "u1": "UInt8"}


def write_image(
    path: Path,
    shape: tuple[int, int, int],
    point_data: dict[str, np.ndarray] | None = None,
    cell_data: dict[str, np.ndarray] | None = None,
    *,
    compressed: bool = False,
    attributes: str = 'Origin="1 2 3" Spacing="0.1 0.2 0.3"',
    field_data: str = "",
    coordinates: str = "",
    extent: str = "",
) -> Path:
    """Write arrays (n,) or (n, k); blocks of 1000 bytes, so that no plane begins with one."""
    kind = "RectilinearGrid" if coordinates else "ImageData"
    whole = extent or " ".join(f"0 {n - 1}" for n in shape)
    sections, data = "", b""
    for tag, arrays in (("PointData", point_data or {}), ("CellData", cell_data or {})):
        sections += f"<{tag}>"
        for name, values in arrays.items():
            width = values.shape[1] if values.ndim > 1 else 1
            sections += (
                f'<DataArray type="{_TYPES[values.dtype.str[1:]]}" Name="{name}" NumberOfComponents="{width}" '
                f'format="appended" offset="{len(data)}"/>'
            )
            data += (
                _compressed(values.tobytes()) if compressed else values.nbytes.to_bytes(8, "little") + values.tobytes()
            )
        sections += f"</{tag}>"
    compressor = ' compressor="vtkZLibDataCompressor"' if compressed else ""
    path.write_bytes(
        (
            f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64"{compressor}>'
            f'<{kind} WholeExtent="{whole}" {attributes}>{field_data}<Piece Extent="{whole}">{sections}{coordinates}'
            f'</Piece></{kind}><AppendedData encoding="raw">_'
        ).encode()
        + data
        + b"</AppendedData></VTKFile>"
    )
    return path


def _compressed(data: bytes, size: int = 1000) -> bytes:
    blocks = [zlib.compress(data[i : i + size]) for i in range(0, len(data), size)]
    sizes = [len(blocks), size, len(data) % size, *map(len, blocks)]
    return np.array(sizes, "<u8").tobytes() + b"".join(blocks)


def rough(count: int, dtype: str = "f4", seed: int = 0) -> np.ndarray:
    """Velocities that no polynomial is."""
    return np.random.default_rng(seed).normal(size=(count, 3)).astype(dtype)
