"""Several data sets of one time: a mesh, the patches of its boundary, and pieces of either.

The mesh is what has the highest dimension; everything else must be a part of its boundary.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.io.contents import Contents
from flowgrad.io.lattices import read_pvti, read_pvtr, read_pvts, read_vti, read_vtr, read_vts
from flowgrad.io.merging import merged
from flowgrad.io.parallel import read_pvtp, read_pvtu
from flowgrad.io.references import referred
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.io.vtp import read_vtp
from flowgrad.io.vtu import file_data, read_vtu

READERS = {
    ".vtu": read_vtu,
    ".pvtu": read_pvtu,
    ".vtp": read_vtp,
    ".pvtp": read_pvtp,
    ".vti": read_vti,
    ".pvti": read_pvti,
    ".vtr": read_vtr,
    ".pvtr": read_pvtr,
    ".vts": read_vts,
    ".pvts": read_pvts,
}

# What a block without a file may have.
_EMPTY = frozenset(("index", "name", "group", "part", "timestep"))


def read_vtm(path: Path) -> Contents:
    """Everything in the blocks of a multi-block file: one mesh, and surfaces of its boundary as patches.

    Raises ReadError for several meshes of the highest dimension, which would need a rule for what lies
    between them, and for blocks that are missing, damaged or elsewhere than in the folder of the file.
    """
    with open_document(path, "vtkMultiBlockDataSet") as document:
        blocks = _blocks(document)
        common = file_data(document)
    whole = with_patches(path, {name: _read(path, file) for name, file in blocks.items()})
    return dataclasses.replace(
        whole,
        field_data={**whole.field_data, **common.field_data},
        time=whole.time if common.time is None else common.time,
    )


def with_patches(path: Path, parts: Mapping[str, Contents], join: bool = False) -> Contents:
    """The mesh among the parts, with the others as its patches; several meshes are joined as the pieces of
    one, or refused."""
    filled = {name: part for name, part in parts.items() if len(part.mesh) or part.mesh.point_count}
    if not filled:
        raise ReadError(f"{path}: names no file with points: write it again")
    highest = max(part.mesh.dimension for part in filled.values())
    meshes = {name: part for name, part in filled.items() if part.mesh.dimension == highest}
    if len(meshes) > 1 and not join:
        raise ReadError(
            f"{path}: has {len(meshes)} meshes of dimension {highest} ({', '.join(meshes)}), which are not joined: "
            "read the file of one of them"
        )
    whole = _joined(path, list(meshes.values()))
    patches = {name: part for name, part in filled.items() if name not in meshes}
    return dataclasses.replace(whole, source=path, patches={**whole.patches, **patches})


def _joined(path: Path, meshes: Sequence[Contents]) -> Contents:
    if len(meshes) == 1:
        return meshes[0]
    return merged([dataclasses.replace(mesh, source=path) for mesh in meshes])


def _blocks(document: Document) -> dict[str, Path]:
    """The files of the blocks by name; by number too where a name comes twice."""
    found: dict[str, Path] = {}
    for number, element in enumerate(document.grid.iter("DataSet")):
        name = element.get("file", "")
        if not name and not _EMPTY.issuperset(element.attrib):
            raise ReadError(
                f"{document.path}: has a block that is no file ({', '.join(element.attrib)}): it is damaged"
            )
        if name:
            file = referred(document.path, name)
            key = element.get("name") or file.stem
            found[f"{key} {number}" if key in found else key] = file
    return found


def _read(path: Path, file: Path) -> Contents:
    read = READERS.get(file.suffix.lower())
    if read is None:
        raise ReadError(f"{path}: names the file '{file.name}', which is none of {' '.join(READERS)}: convert it")
    return read(file)
