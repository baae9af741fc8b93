"""The readers by suffix, and :func:`read`, which makes a Flow of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError, ReadError
from flowgrad.flow import Flow, Patch
from flowgrad.io import meshio_guard
from flowgrad.io.contents import Contents
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtp import read_vtp
from flowgrad.io.vtu import read_vtu
from flowgrad.spec import nearest

READERS: dict[str, Callable[[Path], Contents]] = {
    ".vtu": read_vtu,
    ".vtp": read_vtp,
    **dict.fromkeys(meshio_guard.SUFFIXES, meshio_guard.read_with_meshio),
}
SUFFIXES = tuple(READERS)


def read(
    path: str | Path,
    velocity: str | None = None,
    location: str | None = None,
    boundary: str | None = None,
    *,
    noise: float | str | None = None,
    axisymmetric: str | None = None,
    out_of_plane: str = "zero",
) -> Flow:
    """Read a flow: ``velocity`` names its array (or ``u,v,w``), ``location`` chooses ``points`` or
    ``cells``, ``boundary`` is the pattern of files with the velocity on the patches,
    ``boundary/{stem}/*.vtp``, ``noise`` is the standard deviation of the velocity samples: a number, or
    the name of an array of the file where the velocity is, with one or as many components as it.
    ``axisymmetric`` and ``out_of_plane`` say what a planar mesh leaves open, as in ``Flow``.

    Raises ReadError for a file that cannot be read and OptionError for arrays or patches that do
    not fit.
    """
    contents = read_contents(path)
    name, where, vectors = choose_velocity(contents, velocity, location)
    if not len(vectors):
        raise OptionError(f"{contents.source}: has no {where}, so there is nothing to differentiate: check the file")
    patches: tuple[Patch, ...] = ()
    if boundary:
        from flowgrad.io.patches import read_patches

        patches = read_patches(boundary, contents.source, contents.mesh, name, contents.time)
    return Flow(
        contents.mesh,
        vectors,
        where,
        contents.time,
        contents.point_data,
        contents.cell_data,
        contents.field_data,
        patches,
        contents.source,
        name,
        contents.producer,
        _noise(contents, noise, where),
        axisymmetric,
        out_of_plane,
    )


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


def read_contents(path: str | Path) -> Contents:
    """Everything a file holds, by the reader of its suffix; ReadError for a file that is not read."""
    path = Path(path)
    try:
        _check_file(path)
        return reader_of(path)(path)
    except OSError as error:
        raise ReadError(f"{path}: cannot be read ({error.strerror or error}): check its permissions") from None


def reader_of(path: Path) -> Callable[[Path], Contents]:
    """The reader for a file's suffix; ReadError if there is none."""
    for count in (2, 1):
        suffix = "".join(path.suffixes[-count:]).lower()
        if suffix in READERS:
            return READERS[suffix]
    raise ReadError(
        f"{path}: files with the suffix '{path.suffix}' are not read: convert to one of {' '.join(SUFFIXES)}"
    )


def _check_file(path: Path) -> None:
    if not path.exists():
        raise ReadError(f"{path}: there is no such file: check the name")
    if not path.is_file():
        raise ReadError(f"{path}: is {'a directory' if path.is_dir() else 'not a file'}: give a file")
    if not path.stat().st_size:
        raise ReadError(f"{path}: is empty: write it again")
