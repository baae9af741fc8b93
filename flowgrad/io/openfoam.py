"""OpenFOAM's case folders, named by a file CASE.foam in them: the cells' values, and the patches with theirs.

VTK's reader reads each mesh (flowgrad[vtk]). The processors of a decomposed case are read one by one and joined where
their points coincide. Patches that hold no values of their own (empty, wedge, cyclic, processor) are not taken.
"""

from __future__ import annotations

import dataclasses
import gzip
import re
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents, Step, naming, register_format
from flowgrad.io.pieces import merged, with_patches
from flowgrad.io.subprocess_reader import guarded
from flowgrad.io.vtk_library import Leaf, read_leaves, times_of, updated, with_errors, written

_PATCH = re.compile(r"(?P<name>[^\s{}();]+)\s*\{(?P<about>[^{}]*)\}")
_TYPE = re.compile(r"\btype\s+(\w+)\s*;")
# Constraints, whose values VTK copies from the cells.
_WITHOUT_VALUES = re.compile(r"empty|wedge|cyclic\w*|processor\w*|symmetry\w*")
_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?$")


def foam_steps(path: Path) -> Sequence[Step]:
    """The times of a case, 0 only where there is no other; of its processors where it is not reconstructed.

    Raises ReadError for a folder that is no case, MissingDependencyError without VTK.
    """
    with naming(path):
        cases = _cases(path.parent)
        names = (each.name for each in cases[0].iterdir() if _NUMBER.match(each.name))
        times = sorted((name for name in names if all((case / name).is_dir() for case in cases)), key=float)
        if not times:
            raise ReadError("is in a folder without results: run the solver, or put it into the case's folder")
        chosen = [time for time in times if float(time)] or times
    return [Step(path, float(time), partial(_read, path, tuple(cases), time)) for time in chosen]


def _cases(folder: Path) -> list[Path]:
    """The folder of the case, or those of its processors."""
    if (folder / "constant/polyMesh").is_dir():
        times = (each.name for each in folder.iterdir() if each.is_dir() and _NUMBER.match(each.name))
        if any(map(float, times)):
            return [folder]
    processors = sorted(folder.glob("processor[0-9]*"), key=lambda each: int(re.sub(r"\D", "", each.name)))
    found = [each for each in processors if (each / "constant/polyMesh").is_dir()]
    if not found and not (folder / "constant/polyMesh").is_dir():
        raise ReadError("is in a folder without constant/polyMesh: put it into the folder of an OpenFOAM case")
    numbers = [each.name for each in processors]
    if found and numbers != [f"processor{i}" for i in range(len(numbers))]:
        raise ReadError(f"is beside {', '.join(numbers)}: some processors are missing")
    return found or [folder]


def _read(path: Path, cases: tuple[Path, ...], time: str) -> Contents:
    pieces: dict[str, list[Contents]] = {}
    for case in cases:
        with naming(path):
            for name, part in _read_case(path, case, time).items():
                pieces.setdefault(name, []).append(part)
    parts = {name: each[0] if len(each) == 1 else merged(each) for name, each in pieces.items()}
    # The transpose of its gradients is this producer's.
    return dataclasses.replace(with_patches(path, parts), time=float(time), producer="OpenFOAM")


def _read_case(path: Path, case: Path, time: str) -> dict[str, Contents]:
    """The mesh and the patches of one folder, seen as a case with this time alone."""
    with tempfile.TemporaryDirectory(prefix="flowgrad-") as folder:
        alone = Path(folder) / "case"
        alone.mkdir()
        for name, target in (("constant", case), (time, case), ("system", path.parent)):
            (alone / name).symlink_to((target / name).resolve())
        (alone / path.name).write_text("")
        size = sum(file.stat().st_size for part in (case / "constant", case / time) for file in part.rglob("*"))
        leaves = guarded("VTK", "flowgrad.io.openfoam:written_in", alone / path.name, float(time), folder, size=size)
        parts = read_leaves(leaves, folder)
    file = case / "constant/polyMesh/boundary"
    data = file.read_bytes() if file.is_file() else gzip.decompress(file.with_suffix(".gz").read_bytes())
    types = {match["name"]: _TYPE.search(match["about"]) for match in _PATCH.finditer(data.decode("latin-1"))}
    empty = {name for name, found in types.items() if found and _WITHOUT_VALUES.fullmatch(found[1])}
    kept = {name: part for name, part in parts.items() if name not in empty}
    return {name: dataclasses.replace(part, source=path) for name, part in kept.items()}


def written_in(path: Path, time: float, folder: str) -> list[Leaf]:
    """Write the mesh and the patches at a time into a folder; run by the worker."""
    return with_errors(lambda: written(updated(_reader(path), time), folder))


def _reader(path: Path) -> Any:
    from vtkmodules.vtkIOGeometry import vtkOpenFOAMReader

    reader = vtkOpenFOAMReader()
    reader.SetFileName(str(path))
    # Values at points would be VTK's interpolation.
    reader.SetCreateCellToPoint(False)
    reader.SetSkipZeroTime(False)
    reader.UpdateInformation()
    assert times_of(reader)
    reader.EnableAllPatchArrays()
    reader.EnableAllCellArrays()
    reader.EnableAllPointArrays()
    reader.DisableAllLagrangianArrays()
    return reader


register_format(
    (".foam",),
    steps=foam_steps,
    keeps="the case's cells, cell data, times, patches; decomposed too",
    needs={"vtkmodules": "flowgrad[vtk]"},
    refers=True,
)
