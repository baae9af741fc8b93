"""OpenFOAM's case folders, whole, decomposed or collated: the cells' values, and the patches with theirs.

A case is named by its folder, or by a file CASE.foam in it. Each time is read where it is: in the case itself, or in
its processors (processor0, …, or processorsN, where the file of all is one), whose parts are joined by the numbers that
decomposePar gives their points. The mesh is the newest up to the time. Patches that hold no values of their own (empty,
wedge, cyclic, processor, symmetry) are not taken.
"""

from __future__ import annotations

import dataclasses
import gzip
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.foam.fields import FoamPatch, kind_of, read_field
from flowgrad.io.foam.grammar import Dictionary, FoamFile
from flowgrad.io.formats import Arrays, Contents, Step, listed, naming, register_format
from flowgrad.io.pieces import merged, with_patches

if TYPE_CHECKING:
    from flowgrad.io.foam.poly_mesh import PolyMesh

log = logging.getLogger("flowgrad")

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?$")
_PROCESSOR, _COLLATED = re.compile(r"processor(\d+)$"), re.compile(r"processors(\d+)(_\d+-\d+)?$")
_MESH = "polyMesh"
# Bytes that a file may have when it is expanded, for one that it has.
_EXPANSION = 1100


@dataclass(frozen=True)
class CasePart:
    """A folder with a mesh and times: a case, a processor, or block ``number`` of the files of several."""

    folder: Path
    number: int | None = None

    def times(self) -> list[str]:
        """The folders of times."""
        return [each.name for each in self.folder.iterdir() if _NUMBER.match(each.name) and each.is_dir()]

    def has_mesh(self) -> bool:
        """Whether there is a mesh."""
        return (self.folder / "constant" / _MESH).is_dir()

    def names(self, folder: str) -> list[str]:
        """The files of a folder, without the suffix of compression."""
        files = (each for each in (self.folder / folder).iterdir() if each.is_file())
        return sorted({each.name.removesuffix(".gz") for each in files})

    def has(self, name: str) -> bool:
        """Whether a file is there, as it is or compressed."""
        return (self.folder / name).is_file() or (self.folder / f"{name}.gz").is_file()

    def file(self, name: str) -> FoamFile:
        """A file; ReadError where it is missing."""
        path = self.folder / name
        if path.is_file():
            data = path.read_bytes()
        elif self.has(name):
            packed = path.with_name(f"{path.name}.gz")
            try:
                with gzip.open(packed) as handle:
                    data = handle.read(_EXPANSION * packed.stat().st_size)
            except (OSError, EOFError) as error:
                raise ReadError(f"{packed.name} cannot be expanded ({error}): it is damaged or was cut off") from None
        else:
            raise ReadError(f"has no file {name} in {self.folder.name}: put it there")
        found = FoamFile(data)
        if self.number is None or found.kind != "decomposedBlockData":
            return found
        for number, block in enumerate(found.blocks()):
            if number == self.number:
                return block
        raise ReadError(f"has no block of the processor {self.number}: the file was cut off")


def case_steps(path: Path) -> Sequence[Step]:
    """The times of a case; 0, where there are others, is no step of the series.

    Raises ReadError for a folder that is no case.
    """
    folder = path if path.is_dir() else path.parent
    with naming(path):
        own, processors = [CasePart(folder)], _processors(folder)
        known = {time: own for time in own[0].times() if own[0].names(time)} if own[0].has_mesh() else {}
        common = set.intersection(*(set(part.times()) for part in processors)) if processors else set()
        known |= {time: processors for time in common - set(known) if processors[0].names(time)}
        if not known:
            raise ReadError(_nothing(folder))
    times = sorted(known, key=float)
    if known[times[-1]] is processors and any(known[time] is own for time in times):
        log.info("%s: its newest time, %s, is in its processors only", path, times[-1])
    found = []
    for time in times:
        parts, is_start = tuple(known[time]), not float(time) and len(times) > 1
        files = partial(_files, folder, parts, time)
        found.append(Step(path, float(time), partial(_read, path, parts, time), is_start, files))
    return found


def is_case(folder: Path) -> bool:
    """Whether a folder is a case."""
    return (folder / "system/controlDict").is_file() and (folder / "constant").is_dir()


def _files(folder: Path, parts: Sequence[CasePart], time: str) -> list[Path]:
    """What a time is read from: fields, meshes, and what the case says of the fluid."""
    found = [folder / f"constant/{name}" for name in ("transportProperties", "physicalProperties")]
    for part in parts:
        found += (part.folder / time).iterdir()
        for place in (part.folder / "constant", *(part.folder / each for each in part.times())):
            found += (place / _MESH).glob("*")
    return sorted({each for each in found if each.is_file()})


def _nothing(folder: Path) -> str:
    """Why there is nothing to read in a folder."""
    if CasePart(folder).has_mesh():
        return "is in a folder without results: run the solver, or put it into the case's folder"
    regions = sorted(each.parent.name for each in (folder / "constant").glob(f"*/{_MESH}"))
    if regions:
        return f"is a case of the regions {', '.join(regions)}, which are not read: convert it (foamToVTK -allRegions)"
    return "is in a folder without constant/polyMesh: put it into the folder of an OpenFOAM case"


def _processors(folder: Path) -> list[CasePart]:
    """The parts of a decomposed case; ReadError where some are missing."""
    single = {int(found[1]): each for each in folder.iterdir() if (found := _PROCESSOR.match(each.name))}
    single = {number: each for number, each in single.items() if each.is_dir()}
    if single:
        if sorted(single) != list(range(len(single))):
            raise ReadError(
                f"is beside {', '.join(single[n].name for n in sorted(single))}: some processors are missing"
            )
        return [CasePart(single[number]) for number in sorted(single)]
    together = [(each, found) for each in sorted(folder.iterdir()) if (found := _COLLATED.match(each.name))]
    if not together:
        return []
    if len(together) > 1 or together[0][1][2]:
        raise ReadError(
            f"is beside {', '.join(each.name for each, _ in together)}: reconstruct the case (reconstructPar)"
        )
    return [CasePart(together[0][0], number) for number in range(int(together[0][1][1]))]


def _has_fields(part: CasePart, time: str) -> bool:
    return any((part.folder / time).is_file() or True for _ in part.names(time))


def _read(path: Path, parts: tuple[CasePart, ...], time: str) -> Contents:
    pieces: dict[str, list[Contents]] = {}
    for part in parts:
        with naming(f"{path}: {part.folder.name if len(parts) > 1 else time}"):
            for name, piece in _read_part(path, part, time).items():
                pieces.setdefault(name, []).append(piece)
    found = {name: each[0] if len(each) == 1 else merged(each) for name, each in pieces.items()}
    # The transpose of its gradients is this producer's.
    return dataclasses.replace(with_patches(path, found), time=float(time), producer="OpenFOAM")


def _read_part(path: Path, part: CasePart, time: str) -> dict[str, Contents]:
    """The mesh and its patches, with the fields of a time."""
    given, patches = _poly_mesh(part, time)
    cells: Arrays = {}
    on_patches: dict[str, Arrays] = {name: {} for name in patches}
    left_out = []
    for name in part.names(time):
        file = part.file(f"{time}/{name}")
        kind = kind_of(file)
        if kind is None:
            continue
        try:
            cells[name], values = read_field(file, kind, given.count, patches)
        except ReadError as error:
            left_out.append(f"{name} ({error})")
            continue
        for where, each in values.items():
            on_patches[where][name] = each
    if left_out:
        log.warning("%s: %s cannot be read and is left out", path, listed(left_out))
    numbers = _numbers(part)
    points = {} if numbers is None else {"GlobalPointIds": numbers}
    found = {"internalMesh": Contents(given.mesh(), path, points, cells)}
    for name, patch in patches.items():
        if on_patches[name]:
            found[name] = Contents(given.patch(patch.start, len(patch.cells)), path, {}, on_patches[name])
    return found


def _numbers(part: CasePart) -> np.ndarray | None:
    """The numbers of a processor's points in the whole case, where decomposePar left them."""
    name = f"constant/{_MESH}/pointProcAddressing"
    return part.file(name).labels() if part.has(name) else None


def _poly_mesh(part: CasePart, time: str) -> tuple[PolyMesh, dict[str, FoamPatch]]:
    """The newest mesh up to a time: its points may be newer than its faces."""
    from flowgrad.io.foam.poly_mesh import PolyMesh  # compiled

    before = sorted((each for each in part.times() if float(each) <= float(time)), key=float, reverse=True)

    def newest(name: str) -> FoamFile:
        places = [f"{folder}/{_MESH}/{name}" for folder in (*before, "constant")]
        return part.file(next((each for each in places if part.has(each)), places[-1]))

    with naming(f"{_MESH}/faces"):
        offsets, corners = newest("faces").faces()
    with naming(f"{_MESH}/points"):
        points = newest("points").vectors()
    of_faces = []
    for name in ("owner", "neighbour"):
        with naming(f"{_MESH}/{name}"):
            of_faces.append(newest(name).labels())
    with naming(_MESH):
        given = PolyMesh(points, offsets, corners, *of_faces)
    with naming(f"{_MESH}/boundary"):
        patches = {name: _patch(each, given) for name, each in _boundary(newest("boundary"))}
    return given, patches


def _boundary(file: FoamFile) -> Iterator[tuple[str, Dictionary]]:
    """The patches: ``n ( name { … } … )``."""
    scanner = file.scanner()
    count = scanner.number()
    scanner.expect(b"(")
    entries = scanner.entries(b")")
    if len(entries) != count:
        raise ReadError(f"has {len(entries)} patches of {count}: the file is damaged")
    for name in entries:
        yield name, entries.child(name)


def _patch(about: Dictionary, given: PolyMesh) -> FoamPatch:
    start, count = (int(about.text(key)) if about.text(key).isdigit() else -1 for key in ("startFace", "nFaces"))
    if start < 0 or count < 0 or start + count > len(given.owner):
        raise ReadError(f"has a patch of {count} faces from {start} on, of {len(given.owner)}: the mesh is damaged")
    return FoamPatch(about.text("type"), start, given.owner[start : start + count])


register_format(
    (".foam",),
    steps=case_steps,
    keeps="the case's cells, cell data, times, patches; decomposed and collated too",
    refers=True,
    folder=is_case,
)
