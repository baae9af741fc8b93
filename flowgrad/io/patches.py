"""Patches of the boundary with the velocity on them, from files beside that of the flow or from the file itself."""

from __future__ import annotations

import glob
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.files import stem
from flowgrad.flow import Patch
from flowgrad.io.formats import Contents, is_same
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtk_xml.unstructured import read_vtp
from flowgrad.mesh import Mesh


def read_patches(
    pattern: str, source: Path, flow_mesh: Mesh, velocity_name: str, time: float | None = None
) -> tuple[Patch, ...]:
    """The patches of the files that match a pattern such as ``boundary/{stem}/*.vtp``.

    ``{stem}`` stands for the name of ``source`` without its suffix; the pattern is tried from the
    current directory, then from the folder of ``source``. Each patch's cell data hold the velocity, or its point data.
    Raises OptionError if no file matches, if a face of a patch is not a boundary face of the mesh, if
    two patches give one face different velocities, and if a patch has another ``time`` than the flow.
    """
    patches = tuple(_patch(path, flow_mesh, velocity_name, time) for path in matching_files(pattern, source))
    _check_overlap(patches, source)
    return patches


def matched_patches(contents: Contents, velocity_name: str) -> tuple[Patch, ...]:
    """The patches that a file itself names, by name; the same errors."""
    found = tuple(_matched(name, patch, contents.mesh, velocity_name) for name, patch in contents.patches.items())
    _check_overlap(found, contents.source)
    return found


def matching_files(pattern: str, source: Path) -> list[Path]:
    """The files that a pattern names, sorted by name; OptionError if there are none."""
    filled = pattern.replace("{stem}", glob.escape(stem(source)))
    beside = str(Path(glob.escape(str(source.parent))) / filled)
    attempts = list(dict.fromkeys([filled, beside]))
    for attempt in attempts:
        found = [Path(name) for name in sorted(glob.glob(attempt, recursive=True)) if Path(name).is_file()]
        if found:
            return found
    named = ", nor ".join(f"'{attempt}'" for attempt in attempts)
    raise OptionError(f"{source}: no file matches the boundary pattern {named}: check --boundary")


def _patch(path: Path, flow_mesh: Mesh, velocity_name: str, time: float | None) -> Patch:
    contents = read_vtp(path)
    if time is not None and contents.time is not None and not is_same(time, contents.time):
        raise OptionError(f"{path}: the patch has the time {contents.time:g} and the flow {time:g}: choose its files")
    return _matched(path.stem, contents, flow_mesh, velocity_name)


def _matched(name: str, contents: Contents, flow_mesh: Mesh, velocity_name: str) -> Patch:
    velocity = _velocity(contents, velocity_name)
    cells = contents.mesh.cells
    faces = flow_mesh.topology.match(contents.mesh.points, cells.offsets, cells.connectivity)
    unmatched = int((faces < 0).sum())
    if unmatched:
        raise OptionError(
            f"{contents.source}: {unmatched} of the {len(faces)} faces of the patch '{name}' are not boundary faces "
            "of the mesh: give the patches of this mesh"
        )
    return Patch(name, faces, velocity)


def _velocity(contents: Contents, name: str) -> np.ndarray:
    """On the faces (k, 3): that of the patch's cells, or where only its points have one the mean over those of each."""
    parts = [part.strip() for part in name.split(",")]
    known = any(
        name in data or all(map(data.__contains__, parts)) for data in (contents.cell_data, contents.point_data)
    )
    _, location, velocity = choose_velocity(contents, name if known else None)
    if location == "cells":
        return velocity
    cells = contents.mesh.cells
    return np.asarray(
        np.add.reduceat(velocity[cells.connectivity], cells.offsets[:-1]) / np.diff(cells.offsets)[:, None]
    )


def _check_overlap(patches: tuple[Patch, ...], source: Path) -> None:
    if not patches:
        return
    faces = np.concatenate([patch.faces for patch in patches])
    velocity = np.concatenate([patch.velocity for patch in patches])
    owner = np.repeat(np.arange(len(patches)), [len(patch.faces) for patch in patches])
    order = np.argsort(faces, kind="stable")
    same = faces[order][1:] == faces[order][:-1]
    differ = same & (velocity[order][1:] != velocity[order][:-1]).any(axis=1)
    if differ.any():
        at = int(np.flatnonzero(differ)[0])
        first, second = (patches[owner[order[at + step]]].name for step in (0, 1))
        raise OptionError(
            f"{source}: the patches '{first}' and '{second}' give {differ.sum()} faces different velocities: "
            "leave one out"
        )
