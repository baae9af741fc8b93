"""Reading of a flow: from a file's contents and the options to mesh, velocity, noise and boundary."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError, ReadError
from flowgrad.flow import Flow, Patch, as_vectors, check_places
from flowgrad.io.displacement import SOUND, displacement_of
from flowgrad.io.formats import Contents, naming, read_contents
from flowgrad.io.ghosts import GHOSTS, without_hidden
from flowgrad.io.options import ReadOptions
from flowgrad.io.point_samples import DAVIS, is_angle, masked_zeros, name_and_unit
from flowgrad.io.validity import FLAGLIKE, apply_validity
from flowgrad.io.velocity import choose_velocity
from flowgrad.mesh import Cells, Lattice, Mesh
from flowgrad.mesh.transform import moved, scaled
from flowgrad.option import takes
from flowgrad.spec import nearest

log = logging.getLogger("flowgrad")

_LENGTHS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "km": 1e3, "in": 0.0254, "ft": 0.3048}
_SAME = {"px": "pixel", "pix": "pixel", "pixels": "pixel", "μm": "µm", "um": "µm", "micron": "µm", "inch": "in"}
_WORD = re.compile(r"[^\W\d_]+")
_DEFAULT = ReadOptions()


@takes(ReadOptions)
def read(path: str | Path, options: ReadOptions) -> Flow:
    """Read a flow: ``velocity`` names its array (or ``u,v,w``), ``location`` chooses ``points`` or
    ``cells``, ``boundary`` is the pattern of files with the velocity on the patches,
    ``boundary/{stem}/*.vtp``, ``noise`` is the standard deviation of the velocity samples: a number, or
    the name of an array of the file where the velocity is, with one or as many components as it; without it, and with
    ``auto``, the uncertainties that DaVis writes, where there are some.
    ``axisymmetric`` and ``out_of_plane`` say what a planar mesh leaves open, as in ``Flow``; ``time``
    chooses a step of a file that holds several (default: the last). ``length_scale`` multiplies the positions
    and nothing else (0.001: positions in mm, velocity in m/s), ``velocity_scale`` the velocity, that on the
    boundary and a noise that is an array; ``y_down`` turns the y axis and the velocity along it of images, whose y
    runs down. ``valid`` is a condition over arrays where the velocity is, ``mask==1``,
    ``chc>0 and snr>2``: velocities elsewhere are NaN; without it masks and flags are taken by what the file, or the
    program that writes them, says that they mean.
    ``keep_zeros`` keeps the vectors of DaVis' text that are exactly zero in connected groups, which
    are taken as masked otherwise. ``displacement`` names the array, or the components x,y,z,
    by which the points are moved before all this, or is ``none``; a file that has one which is not zero must be told.

    Raises ReadError for a file that cannot be read and OptionError for arrays or patches that do
    not fit, and for a mask whose meaning is not told.
    """
    return flow_of(read_contents(path, options.time), options)


def flow_of(contents: Contents, options: ReadOptions = _DEFAULT) -> Flow:
    """The flow in what was read of a file at the time that was chosen, with the options of :func:`read`."""
    name, where, vectors = choose_velocity(contents, options.velocity, options.location)
    notes = check_units(contents, name, options)
    if len(contents.mesh) and contents.mesh.dimension == 0:
        contents, where, vectors = _cloud(contents, where, vectors)
    if not len(vectors):
        raise OptionError(f"{contents.source}: has no {where}, so there is nothing to differentiate: check the file")
    if GHOSTS in contents.point_data or GHOSTS in contents.cell_data:
        contents, vectors = without_hidden(contents, vectors, where)
    if options.valid is not None or contents.attributes or any(map(FLAGLIKE.search, contents.data(where))):
        vectors, told = apply_validity(contents, vectors, where, name, options.valid)
        notes = (*notes, *told)
    _check_points(contents, where, vectors)
    if where == "cells" and contents.mesh.dimension == 2:
        from flowgrad.io.cuts import check_no_cut

        check_no_cut(contents, vectors)
    if options.y_down:
        vectors = vectors * (1.0, -1.0, 1.0)
    if contents.producer == DAVIS and not options.keep_zeros:
        vectors = _without_masked(contents, vectors)
    noise = _noise(contents, options, where)
    if noise is None or (isinstance(noise, str) and noise == "auto"):
        uncertainty = _uncertainty(contents, name, where, vectors)
        noise = noise if uncertainty is None else uncertainty * (options.velocity_scale or 1.0)
    mesh, boundary = _boundary(contents, options.boundary, name)
    if options.velocity_scale is not None:
        vectors = vectors * options.velocity_scale
        boundary = tuple(replace(each, velocity=each.velocity * options.velocity_scale) for each in boundary)
    point_data = contents.point_data
    if options.displacement is not None or any(map(SOUND.search, point_data)):
        displacement, point_data = displacement_of(contents, options.displacement, name)
        mesh = mesh if displacement is None else moved(mesh, displacement)
    return Flow(
        _in_place(contents, mesh, options),
        vectors,
        where,
        contents.time,
        point_data,
        contents.cell_data,
        contents.field_data,
        boundary,
        contents.source,
        name,
        contents.producer,
        noise,
        options.axisymmetric,
        options.out_of_plane,
        notes,
    )


def _cloud(contents: Contents, where: str, vectors: np.ndarray) -> tuple[Contents, str, np.ndarray]:
    """Scattered points of a mesh whose cells are vertices, as particles are written; values of the cells are those of
    their points."""
    mesh = contents.mesh
    log.info("%s: all of its %d cells are vertices: the velocity is at scattered points", contents.source, len(mesh))
    none = Cells.empty()
    if where == "points":
        return replace(contents, mesh=Mesh(mesh.points, none), cell_data={}), where, vectors
    rows = mesh.cells.connectivity
    if len(rows) != len(mesh):
        raise ReadError(
            f"{contents.source}: has {len(mesh)} cells of {len(rows)} vertices in all, so that the velocity of a cell "
            "is at no single point: write it at the points"
        )
    data = {name: values[rows] for name, values in contents.point_data.items()} | dict(contents.cell_data)
    return replace(contents, mesh=Mesh(mesh.points[rows], none), point_data=data, cell_data={}), "points", vectors


def _check_points(contents: Contents, where: str, velocity: np.ndarray) -> None:
    """ReadError for points out of bounds, and for ones that are not finite, but for holes of a lattice: points without
    a velocity where it lives at the points."""
    mesh = contents.mesh
    if isinstance(mesh, Lattice) and not mesh.is_curved:
        with naming(contents.source):
            check_places(mesh)
        return
    finite = np.isfinite(mesh.points)
    bad = ~(finite[:, 0] & finite[:, 1] & finite[:, 2])
    if isinstance(mesh, Lattice) and where == "points":
        bad &= np.isfinite(velocity).all(axis=1)
    if bad.any():
        raise ReadError(
            f"{contents.source}: {bad.sum()} of {len(bad)} points are not finite, such as number "
            f"{np.flatnonzero(bad)[0]}: write it again"
        )
    with naming(contents.source):
        check_places(mesh)


def _in_place(contents: Contents, mesh: Mesh, options: ReadOptions) -> Mesh:
    """The mesh in the unit of length that is wanted, its y axis upward."""
    scale = options.length_scale or 1.0
    if scale == 1.0 and not options.y_down:
        return mesh
    if options.y_down and (options.boundary or contents.patches):
        raise OptionError(f"{contents.source}: --y-down is for images, which have no patches: leave one out")
    with naming(contents.source):
        return scaled(mesh, (scale, -scale if options.y_down else scale, scale))


def _boundary(contents: Contents, pattern: str | None, name: str) -> tuple[Mesh, tuple[Patch, ...]]:
    """The mesh, and the patches in the files that a pattern names, else those that the file itself names."""
    if not pattern and not contents.patches:
        return contents.mesh, ()
    from flowgrad.io.patches import matched_patches, read_patches

    if pattern:
        return read_patches(pattern, contents.source, contents.mesh, name, contents.time)
    return matched_patches(contents, name)


def _noise(contents: Contents, options: ReadOptions, where: str) -> Any:
    """A number, a text of a number, the array of that name in the unit that is wanted, or ``auto``."""
    noise = options.noise
    if not isinstance(noise, str):
        return noise
    data = contents.point_data if where == "points" else contents.cell_data
    if noise in data:
        return data[noise] * (options.velocity_scale or 1.0)
    if noise == "auto":
        return noise
    try:
        return float(noise)
    except ValueError:
        raise OptionError(
            f"{contents.source}: noise '{noise}' is neither a number, auto nor an array at the {where}"
            f"{nearest(noise, data)}: arrays there are {', '.join(data) or 'none'}"
        ) from None


def _without_masked(contents: Contents, vectors: np.ndarray) -> np.ndarray:
    """The vectors without those that DaVis wrote as zeros where they are masked."""
    masked, zero = masked_zeros(contents.mesh, vectors), int((vectors == 0).all(axis=1).sum())
    if not zero:
        return vectors
    count = int(masked.sum())
    log.warning(
        "%s: %d of %d vectors are exactly zero, which is how DaVis writes masked ones without a word: the %d in "
        "connected groups are left out (--keep-zeros keeps them), %d are taken as measured",
        *(contents.source, zero, len(vectors), count, zero - count),
    )
    if count == len(vectors):
        raise ReadError(f"{contents.source}: all {count} vectors are masked: check the mask in DaVis")
    return np.where(masked[:, None], np.nan, vectors)


# Standard deviations by component in DaVis' tables, and as its own files name them.
_UNCERTAINTY = re.compile(r"(?:TS:)?Uncertainty[ _]V([xyz])", re.IGNORECASE)


def _uncertainty(contents: Contents, velocity: str, where: str, vectors: np.ndarray) -> np.ndarray | None:
    """Standard deviations (n, 3) that an instrument gives beside the velocity; None where it gives none that serve."""
    data = contents.point_data if where == "points" else contents.cell_data
    scalars = [name for name, values in data.items() if values.ndim == 1]
    names = sorted(filter(_UNCERTAINTY.fullmatch, scalars), key=lambda name: name[-1].lower())
    axes, is_planar = "".join(name[-1].lower() for name in names), not np.nan_to_num(vectors[:, 2]).any()
    if axes != "xyz" and not (axes == "xy" and is_planar):
        return None
    said = {contents.units[name] for name in (*names, *velocity.split(",")) if name in contents.units}
    deviations = as_vectors(np.column_stack([data[name] for name in names]), "uncertainty")
    given = np.isfinite(deviations).all(axis=1) & (deviations[:, : len(names)] > 0).all(axis=1)
    lacking, measured = ~given, np.isfinite(vectors).all(axis=1)
    text = f"{contents.source}: the uncertainties {', '.join(names)} beside the velocity"
    if len(said) > 1 or not (given & measured).any() or (lacking & measured).sum() > 0.5 * measured.sum():
        why = f"are in {' and '.join(sorted(said))}" if len(said) > 1 else "are missing at most vectors"
        log.warning("%s %s: they are not used (--noise gives another)", text, why)
        return None
    deviations[lacking] = np.median(deviations[given & measured], axis=0)
    log.info(
        "%s are taken as its noise%s (--noise gives another)",
        text,
        f", their median at {(lacking & measured).sum()} vectors that have none" if (lacking & measured).any() else "",
    )
    return deviations


def check_units(contents: Contents, velocity: str, options: ReadOptions) -> tuple[str, ...]:
    """A note where the file says that its velocity is in another unit of length than metres, and nothing of its
    positions; OptionError where it says that these have another unit of length and no scale is given, or are angles.

    ``velocity`` is the name of its array or of its components.
    """
    unit = contents.units.get("x", "")
    if unit and is_angle(unit):
        raise OptionError(
            f"{contents.source}: its positions are longitudes and latitudes in {unit}, which are no lengths: project "
            "them and the velocity onto metres"
        )
    if options.length_scale is not None or options.velocity_scale is not None:
        return ()
    names = [part.strip() for part in velocity.split(",")]
    said = next(filter(None, (contents.units.get(name) or _unit(name) for name in names)), "")
    place, speed = _length(unit), _length(said)
    if speed in _LENGTHS and speed != "m" and not place:
        note = (
            f"'{velocity}' is in {said} and the unit of the positions is not told: gradients are right where these "
            f"are in {speed}, else give --length-scale or --velocity-scale"
        )
        log.warning("%s: %s", contents.source, note)
        return (note,)
    if not place or not speed or place == speed:
        return ()
    known = place in _LENGTHS and speed in _LENGTHS
    factor = f"{_LENGTHS[place] / _LENGTHS[speed]:g}" if known else f"the number of {speed} in one {place}"
    raise OptionError(
        f"{contents.source}: its positions are in {place} and '{velocity}' in {said}, so that gradients would be in "
        f"neither: give --length-scale {factor} (1 to leave it), or --velocity-scale"
    )


def _unit(name: str) -> str:
    """The unit that an array's name ends with."""
    return name_and_unit(name)[1] if name.endswith(("]", ")")) else ""


def _length(unit: str) -> str:
    """The unit of length that a unit begins with: ``mm`` of ``mm/s``."""
    match = _WORD.match(unit)
    word = match[0] if match else ""
    return _SAME.get(word.lower(), _SAME.get(word, word))
