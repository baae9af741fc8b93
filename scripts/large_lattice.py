#!/usr/bin/env python3
"""Differentiate a lattice that is larger than the memory given to it, and say what it took.

    scripts/large_lattice.py --points 512 --compressed --keep /data/big

Makes a .vti of float32 velocities plane after plane (raw appended, or in zlib blocks of 32 KiB), runs
``flowgrad run`` on it in a process of its own, reports its peak of memory and its time, and compares planes of the
result with the shear rate of the flow, u = (sin y cos z, sin z cos x, sin x cos y).
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

BLOCK = 1 << 15
HEAD = (
    '<VTKFile type="ImageData" version="1.0" byte_order="LittleEndian" header_type="UInt64"{compressor}>\n'
    '<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{h} {h} {h}">\n<Piece Extent="{extent}">\n<PointData>\n'
    '<DataArray type="Float32" Name="U" NumberOfComponents="3" format="appended" offset="0"/>\n</PointData>\n'
    '</Piece>\n</ImageData>\n<AppendedData encoding="raw">\n_'
)
END = b"\n</AppendedData>\n</VTKFile>\n"


def main() -> None:
    """Make, run, report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=512, help="along each axis")
    parser.add_argument("--compressed", action="store_true", help="in zlib blocks, as VTK writes them")
    parser.add_argument("--block-memory", default="1G")
    parser.add_argument("--keep", type=Path, help="folder for the files (default: a temporary one)")
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        source = make(folder / "big.vti", args.points, args.compressed)
        print(f"{source.stat().st_size / 1e9:.2f} GB of {args.points}³ float32 velocities")
        seconds = run(source, folder / "out", args.block_memory)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        result = folder / "out" / "big_blocks.vti"
        print(f"shear rate in {seconds:.0f} s, {peak:.2f} GiB at most, {result.stat().st_size / 1e9:.2f} GB written")
        print(f"largest error in {PLANES} planes: {error(result, args.points):.2g} of the largest shear rate")
    finally:
        if not args.keep:
            shutil.rmtree(folder)


def make(path: Path, n: int, compressed: bool) -> Path:
    """Write the velocity plane after plane; the file is not in memory."""
    h = 2 * np.pi / (n - 1)
    extent = " ".join(["0", str(n - 1)] * 3)
    compressor = ' compressor="vtkZLibDataCompressor"' if compressed else ""
    with path.open("wb") as file:
        file.write(HEAD.format(extent=extent, h=repr(h), compressor=compressor).encode())
        data = (plane(n, k).tobytes() for k in range(n))
        if compressed:
            write_blocks(file, data, 12 * n**3)
        else:
            file.write((12 * n**3).to_bytes(8, "little"))
            for each in data:
                file.write(each)
        file.write(END)
    return path


def plane(n: int, k: int) -> np.ndarray:
    """Velocities (n², 3) of one plane, float32."""
    s = np.linspace(0, 2 * np.pi, n)
    x, y, z = s, s[:, None], s[k]
    parts = np.broadcast_arrays(np.sin(y) * np.cos(z) + 0 * x, np.sin(z) * np.cos(x) + 0 * y, np.sin(x) * np.cos(y))
    return np.stack([part.ravel() for part in parts], axis=1).astype("<f4")


def write_blocks(file, data: Iterator[bytes], total: int) -> None:  # type: ignore[no-untyped-def]
    """Blocks one after the other, and then, before them, the table of their sizes."""
    count, start = -(-total // BLOCK), file.tell()
    file.seek(start + 8 * (3 + count))
    sizes, rest = [], b""
    for each in data:
        rest += each
        whole = len(rest) // BLOCK * BLOCK
        blocks = [zlib.compress(rest[i : i + BLOCK], 1) for i in range(0, whole, BLOCK)]
        sizes += map(len, blocks)
        file.write(b"".join(blocks))
        rest = rest[whole:]
    if rest:
        sizes.append(file.write(zlib.compress(rest, 1)))
    file.seek(start)
    file.write(np.array([count, BLOCK, total % BLOCK, *sizes], "<u8").tobytes())
    file.seek(0, 2)


def run(source: Path, out: Path, memory: str) -> float:
    """Seconds of the command."""
    command = [sys.executable, "-m", "flowgrad", "run", str(source), "-o", str(out), "--quantities", "shear_rate"]
    start = time.perf_counter()
    subprocess.run([*command, "--no-report", "--block-memory", memory], check=True)
    return time.perf_counter() - start


PLANES = 5


def error(result: Path, n: int) -> float:
    """Largest difference from the shear rate of the flow away from the faces, where differences are one-sided."""
    with contextlib.closing(result.open("rb")) as file:
        start = file.read(1 << 16).index(b"\n_") + 2 + 8
        s = np.linspace(0, 2 * np.pi, n)
        worst = 0.0
        for k in np.linspace(1, n - 2, PLANES).astype(int):
            file.seek(start + 4 * n * n * int(k))
            found = np.frombuffer(file.read(4 * n * n), "<f4").reshape(n, n)
            inner = slice(1, -1)
            worst = max(worst, float(np.abs(found - shear_rate(s, s[:, None], s[k]))[inner, inner].max()))
    return worst / 3


def shear_rate(x: np.ndarray, y: np.ndarray, z: float) -> np.ndarray:
    """√(2 D:D) of the flow."""
    xy = np.cos(y) * np.cos(z) - np.sin(z) * np.sin(x)
    xz = -np.sin(y) * np.sin(z) + np.cos(x) * np.cos(y)
    yz = np.cos(z) * np.cos(x) - np.sin(x) * np.sin(y)
    return np.sqrt(xy**2 + xz**2 + yz**2)


if __name__ == "__main__":
    main()
