"""Patches of the boundary with the velocity on them, from files beside that of the flow or from the file itself."""

from __future__ import annotations

import glob
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.files import stem
from flowgrad.flow import Patch
from flowgrad.io.formats import Contents, is_same
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtk_xml.unstructured import read_vtp
from flowgrad.mesh import Mesh
from flowgrad.typing import IntArray

log = logging.getLogger("flowgrad")


def read_patches(
    pattern: str, source: Path, flow_mesh: Mesh, velocity_name: str, time: float | None = None
) -> tuple[Mesh, tuple[Patch, ...]]:
    """The patches of the files that a pattern such as ``boundary/{stem}/*.vtp`` matches, and the mesh, which has plates
    where two of their faces lie on both sides of one between cells: a baffle.

    ``{stem}`` stands for the name of ``source`` without its suffix; the pattern is tried from the
    current directory, then from the folder of ``source``. Each patch's cell data hold the velocity, or its point data.
    Faces that are no boundary faces of the mesh are left out, with a warning that names the patch. Raises OptionError
    if no file matches, if no face of any patch is one of the mesh, if two patches give one face different velocities,
    and if a patch has another ``time`` than the flow.
    """
    paths = matching_files(pattern, source)
    given = {path.stem: _contents(path, time) for path in paths}
    if len(given) < len(paths):
        given = {str(path): _contents(path, time) for path in paths}
    mesh, patches = _placed(given, flow_mesh, velocity_name, source)
    if not patches:
        name, contents = next(iter(given.items()))
        count = len(contents.mesh)
        raise OptionError(
            f"{contents.source}: {count} of the {count} faces of the patch '{name}' are not boundary faces "
            "of the mesh, nor are those of others: give the patches of this mesh"
        )
    return mesh, patches


def matched_patches(contents: Contents, velocity_name: str) -> tuple[Mesh, tuple[Patch, ...]]:
    """The patches that a file itself names, by name, and the mesh with its plates; those whose faces are not the
    mesh's are left out, with a warning."""
    return _placed(contents.patches, contents.mesh, velocity_name, contents.source)


def _placed(
    given: Mapping[str, Contents], mesh: Mesh, velocity_name: str, source: Path
) -> tuple[Mesh, tuple[Patch, ...]]:
    """The mesh, with plates where patches lie on both sides of faces between cells, and the patches on its boundary."""
    faces = {name: _matched(each, mesh) for name, each in given.items()}
    plates = _plates(given, faces, mesh)
    if len(plates):
        log.info("%s: %d faces between cells have patches on both sides: baffles", source, len(plates))
        known = () if mesh.plates is None else (mesh.plates,)
        mesh = Mesh(mesh.points, mesh.cells, plates=np.unique(np.concatenate([*known, plates])))
        faces = _on_both_sides({name: _matched(each, mesh) for name, each in given.items()}, mesh)
    patches = []
    for name, rows in faces.items():
        velocity, found = _velocity(given[name], velocity_name), rows >= 0
        if not found.all():
            log.warning(
                "%s: %d of the %d faces of the patch '%s' are not boundary faces of the mesh: %s left out",
                given[name].source,
                (~found).sum(),
                len(rows),
                name,
                "these are" if found.any() else "it is",
            )
        if found.any() or not len(rows):
            data = {key: values[found] for key, values in given[name].cell_data.items()}
            patches.append(Patch(name, rows[found], velocity[found], data))
    _check_overlap(tuple(patches), source)
    return mesh, tuple(patches)


def _on_both_sides(faces: Mapping[str, IntArray], mesh: Mesh) -> dict[str, IntArray]:
    """The faces of patches, of which two that look the same way and lie on one side of a plate are one on each."""
    taken, behind, found = np.zeros(len(mesh.topology.boundary), bool), mesh.topology.behind, {}
    every = np.concatenate(list(faces.values()))
    claimed = np.bincount(every[every >= 0], minlength=len(taken)) > 0
    for name, rows in faces.items():
        again = (rows >= 0) & taken[rows] & (behind[rows] >= 0) & ~claimed[behind[rows]]
        found[name] = np.where(again, behind[rows], rows)
        taken[rows[rows >= 0]] = True
    return found


def _matched(patch: Contents, mesh: Mesh) -> IntArray:
    """Boundary faces (k,) of the mesh at the faces of a patch, −1 where there is none."""
    cells = patch.mesh.cells
    return mesh.topology.match(patch.mesh.points, cells.offsets, cells.connectivity)


def _plates(given: Mapping[str, Contents], faces: Mapping[str, IntArray], mesh: Mesh) -> IntArray:
    """Faces between cells, rows of ``mesh.faces``, that two or more faces of the patches lie on."""
    found = [np.empty(0, np.int64)]
    for name, patch in given.items():
        rest = np.flatnonzero(faces[name] < 0)
        if len(rest):
            cells = patch.mesh.cells.take(rest)
            found.append(mesh.topology.match_inner(patch.mesh.points, cells.offsets, cells.connectivity))
    inner, count = np.unique(np.concatenate(found), return_counts=True)
    return inner[(inner >= 0) & (count > 1)]


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


def _contents(path: Path, time: float | None) -> Contents:
    contents = read_vtp(path)
    if time is not None and contents.time is not None and not is_same(time, contents.time):
        raise OptionError(f"{path}: the patch has the time {contents.time:g} and the flow {time:g}: choose its files")
    return contents


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
