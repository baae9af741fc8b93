"""The readers by suffix, and :func:`read`, which makes a Flow of a file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError, ReadError
from flowgrad.flow import Flow, Patch
from flowgrad.io import exodus, meshio_guard
from flowgrad.io.composite import read_vtm
from flowgrad.io.compressed import expanded, is_compressed
from flowgrad.io.contents import Contents
from flowgrad.io.file_series import collection_steps, series_steps
from flowgrad.io.ghosts import without_hidden
from flowgrad.io.lattices import read_pvti, read_pvtr, read_pvts, read_vti, read_vtr, read_vts
from flowgrad.io.legacy import read_legacy
from flowgrad.io.naming import naming, system_errors
from flowgrad.io.netcdf import netcdf_steps
from flowgrad.io.npz import read_npz
from flowgrad.io.openfoam import foam_steps
from flowgrad.io.options import ReadOptions
from flowgrad.io.parallel import read_pvtp, read_pvtu
from flowgrad.io.positions import check_points
from flowgrad.io.refused import reason_of
from flowgrad.io.steps import Step, at_time
from flowgrad.io.tables import read_dat, read_table
from flowgrad.io.units import check_units
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtk_readers import CLASSES, vtk_steps
from flowgrad.io.vtp import read_vtp
from flowgrad.io.vtu import read_vtu
from flowgrad.io.xdmf import xdmf_steps
from flowgrad.mesh import Mesh
from flowgrad.mesh.transform import scaled
from flowgrad.option import takes
from flowgrad.spec import nearest


@dataclass(frozen=True)
class Format:
    """What belongs to a suffix: what is kept of its files, and the reader of files of one time or the
    function that finds the steps of files of several. ``refers``: the file names others beside it."""

    keeps: str
    read: Callable[[Path], Contents] | None = None
    steps: Callable[[Path], Sequence[Step]] | None = None
    refers: bool = False


_OWN = "points, cells, point data, cell data, field data, time (LZ4: needs flowgrad[lz4])"
_LATTICE = "a grid, point data, cell data, field data, time, blanking (LZ4: needs flowgrad[lz4])"
_PIECES = "the same of the pieces that it names, as one, without ghosts"
_TABLE = "points or a grid, point data, masks, one time"
_NETCDF = "a grid, point data, field data, times, masks (needs flowgrad[netcdf])"
_XDMF = "points, cells, point data, cell data, times (HDF5: needs flowgrad[hdf5])"
_EXODUS = "points, cells, point data, cell data, field data, times (needs flowgrad[netcdf])"
_LEGACY = "points, cells, point data, cell data, field data, time (grids of version 5: needs flowgrad[vtk])"
_FOAM = "the case's cells, cell data, times, patches; decomposed too (needs flowgrad[vtk])"
_VTK = "points, cells, point data, cell data, times, patches (needs flowgrad[vtk])"
_MESHIO = "points, cells, point data, cell data (HDF5: needs flowgrad[hdf5])"

FORMATS: dict[str, Format] = {
    ".vtu": Format(_OWN, read_vtu),
    ".vtp": Format(_OWN, read_vtp),
    ".vti": Format(_LATTICE, read_vti),
    ".vtr": Format(_LATTICE, read_vtr),
    ".vts": Format(_LATTICE, read_vts),
    ".pvtu": Format(_PIECES, read_pvtu, refers=True),
    ".pvtp": Format(_PIECES, read_pvtp, refers=True),
    ".pvti": Format(_PIECES, read_pvti, refers=True),
    ".pvtr": Format(_PIECES, read_pvtr, refers=True),
    ".pvts": Format(_PIECES, read_pvts, refers=True),
    ".vtm": Format("the one mesh among its blocks, its boundary as patches, time", read_vtm, refers=True),
    **dict.fromkeys((".csv", ".tsv", ".txt", ".vec", ".v3d"), Format(_TABLE, read_table)),
    ".npz": Format("points, cells or a grid; point data, cell data, masks, one time", read_npz),
    **dict.fromkeys((".nc", ".nc4", ".cdf"), Format(_NETCDF, steps=netcdf_steps)),
    **dict.fromkeys(exodus.SUFFIXES, Format(_EXODUS, steps=exodus.exodus_steps)),
    **dict.fromkeys((".xdmf", ".xmf"), Format(_XDMF, steps=xdmf_steps, refers=True)),
    **dict.fromkeys(meshio_guard.SUFFIXES, Format(_MESHIO, meshio_guard.read_with_meshio)),
    **dict.fromkeys((".dat", ".tec", ".plt"), Format(_TABLE, read_dat)),
    ".vtk": Format(_LEGACY, read_legacy),
    ".foam": Format(_FOAM, steps=foam_steps, refers=True),
    **{name: Format(_VTK, steps=vtk_steps, refers=each.refers) for name, each in CLASSES.items() if name != ".vtk"},
}
_TIMES = "the files that it names: times"
FORMATS[".pvd"] = Format(_TIMES, steps=lambda path: collection_steps(path, read_contents), refers=True)
FORMATS[".series"] = Format(
    f"{_TIMES} (.vtm.series, .vtu.series, …)", steps=lambda path: series_steps(path, read_contents), refers=True
)
SUFFIXES = tuple(FORMATS)
_DEFAULT = ReadOptions()


@takes(ReadOptions)
def read(path: str | Path, options: ReadOptions) -> Flow:
    """Read a flow: ``velocity`` names its array (or ``u,v,w``), ``location`` chooses ``points`` or
    ``cells``, ``boundary`` is the pattern of files with the velocity on the patches,
    ``boundary/{stem}/*.vtp``, ``noise`` is the standard deviation of the velocity samples: a number, or
    the name of an array of the file where the velocity is, with one or as many components as it.
    ``axisymmetric`` and ``out_of_plane`` say what a planar mesh leaves open, as in ``Flow``; ``time``
    chooses a step of a file that holds several (default: the last). ``length_scale`` multiplies the positions
    and nothing else (0.001: positions in mm, velocity in m/s); ``y_down`` turns the y axis and the velocity along it
    of images, whose y runs down.

    Raises ReadError for a file that cannot be read and OptionError for arrays or patches that do
    not fit.
    """
    return flow_of(read_contents(path, options.time), options)


def flow_of(contents: Contents, options: ReadOptions = _DEFAULT) -> Flow:
    """The flow in what was read of a file at the time that was chosen, with the options of :func:`read`."""
    name, where, vectors = choose_velocity(contents, options.velocity, options.location)
    if options.length_scale is None:
        check_units(contents, name)
    if not len(vectors):
        raise OptionError(f"{contents.source}: has no {where}, so there is nothing to differentiate: check the file")
    contents, vectors = without_hidden(contents, vectors, where)
    check_points(contents, where, vectors)
    return Flow(
        _in_place(contents, options.length_scale or 1.0, options.y_down, options.boundary),
        _measured(contents, where, vectors, options.y_down),
        where,
        contents.time,
        contents.point_data,
        contents.cell_data,
        contents.field_data,
        _boundary(contents, options.boundary, name),
        contents.source,
        name,
        contents.producer,
        _noise(contents, options.noise, where),
        options.axisymmetric,
        options.out_of_plane,
    )


def _in_place(contents: Contents, scale: float, y_down: bool, boundary: str | None) -> Mesh:
    """The mesh in the unit of length that is wanted, its y axis upward."""
    if scale == 1.0 and not y_down:
        return contents.mesh
    if y_down and (boundary or contents.patches):
        raise OptionError(f"{contents.source}: --y-down is for images, which have no patches: leave one out")
    with naming(contents.source):
        return scaled(contents.mesh, (scale, -scale if y_down else scale, scale))


def _measured(contents: Contents, where: str, vectors: np.ndarray, y_down: bool) -> np.ndarray:
    """The vectors, upward; NaN where the file says that they are none."""
    if y_down:
        vectors = vectors * (1.0, -1.0, 1.0)
    if contents.invalid is None or where != "points":
        return vectors
    return np.where(contents.invalid[:, None], np.nan, vectors)


def _boundary(contents: Contents, pattern: str | None, name: str) -> tuple[Patch, ...]:
    """The patches in the files that a pattern names, else those that the file itself names."""
    if not pattern and not contents.patches:
        return ()
    from flowgrad.io.patches import matched_patches, read_patches

    if pattern:
        return read_patches(pattern, contents.source, contents.mesh, name, contents.time)
    return matched_patches(contents, name)


def _noise(contents: Contents, noise: float | str | None, where: str) -> float | np.ndarray | None:
    """A number, a text of a number, or the array of that name."""
    if not isinstance(noise, str):
        return noise
    data = contents.point_data if where == "points" else contents.cell_data
    if noise in data:
        return data[noise]
    try:
        return float(noise)
    except ValueError:
        raise OptionError(
            f"{contents.source}: noise '{noise}' is neither a number nor an array at the {where}"
            f"{nearest(noise, data)}: arrays there are {', '.join(data) or 'none'}"
        ) from None


def read_contents(path: str | Path, time: float | None = None) -> Contents:
    """Everything a file holds at a time (default: the last), by the reader of its suffix.

    Raises ReadError for a file that is not read, OptionError for a time that it does not hold.
    """
    path = Path(path)
    return at_time(steps_of(path), time, path)


def steps_of(path: str | Path) -> Sequence[Step]:
    """The times that a file holds, each with the way to its contents; ReadError for a file that is not read."""
    path = Path(path)
    with system_errors(path):
        check_file(path)
        if is_compressed(path):
            return _compressed_steps(path)
        kind = format_of(path)
        if kind.steps is not None:
            return kind.steps(path)
        assert kind.read is not None
        return (Step(path, None, partial(kind.read, path)),)


def _compressed_steps(path: Path) -> Sequence[Step]:
    """The steps of a compressed file, which is expanded anew for each."""
    kind = format_of(path)
    if kind.refers:
        raise ReadError(f"{path}: names other files beside it: expand it first, where it is")
    if kind.steps is None:
        return (Step(path, None, partial(_read_compressed, path, 0)),)
    with expanded(path) as copy:
        times = [step.time for step in kind.steps(copy)]
    return [Step(path, time, partial(_read_compressed, path, number)) for number, time in enumerate(times)]


def _read_compressed(path: Path, number: int) -> Contents:
    with expanded(path) as copy:
        return dataclasses.replace(steps_of(copy)[number].contents(), source=path)


def format_of(path: Path) -> Format:
    """The format of a file's suffix, without that of its compression; ReadError if there is none."""
    plain = path.with_suffix("") if is_compressed(path) else path
    for count in (2, 1):
        suffix = "".join(plain.suffixes[-count:]).lower()
        if suffix in FORMATS:
            return FORMATS[suffix]
    reason = reason_of(plain)
    if reason:
        raise ReadError(f"{path}: {reason}")
    raise ReadError(
        f"{path}: files with the suffix '{plain.suffix}' are not read: convert to one of {' '.join(SUFFIXES)}"
    )


def check_file(path: Path) -> None:
    """ReadError for what is not a file with something in it."""
    if not path.exists():
        raise ReadError(f"{path}: there is no such file: check the name")
    if not path.is_file():
        raise ReadError(f"{path}: is {'a directory' if path.is_dir() else 'not a file'}: give a file")
    # A .foam only says which folder.
    if not path.stat().st_size and path.suffix.lower() != ".foam":
        raise ReadError(f"{path}: is empty: write it again")
