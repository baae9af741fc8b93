"""Pieces of a mesh in several files, read one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError, ReadError
from flowgrad.io.formats import Contents, naming
from flowgrad.io.ghosts import GHOSTS, HIDDEN_CELL, HIDDEN_POINT, marks_of
from flowgrad.io.pieces import NUMBERS, without_ghosts
from flowgrad.io.references import piece_files
from flowgrad.io.vtk_xml.arrays import TYPES, components_of
from flowgrad.io.vtk_xml.document import open_document
from flowgrad.io.vtk_xml.unstructured import read_vtu
from flowgrad.mesh.places import place_keys
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray

# A mesh is thick where its centroids deviate in each direction by so much of its size: as for the fits of the whole.
_THICK = 1e-2
_FEW = 1000


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of a mesh in pieces after one look at each: boxes (k, 2, 3), whether every piece numbers its
    points, VTK's types of all cells, and whether the mesh is a solid with many cells in every direction."""

    boxes: FloatArray
    numbered: bool
    types: frozenset[int]
    is_thick: bool
    time: float | None
    producer: str


@dataclass(frozen=True, eq=False)
class PieceFiles:
    """The files of a .pvtu."""

    path: Path
    files: tuple[Path, ...]

    @classmethod
    def of(cls, path: Path) -> PieceFiles:
        """Those that a file names; ReadError where one is missing."""
        with open_document(path, "PUnstructuredGrid") as document:
            files = piece_files(document)
        return cls(path, tuple(files))

    @cached_property
    def size(self) -> int:
        """Bytes of all arrays in memory, as the files declare them."""
        return sum(_declared_size(file) for file in self.files)

    def read(self, number: int) -> Contents:
        """A piece without the ghosts that others own."""
        contents = read_vtu(self.files[number])
        blanked = (marks_of(contents.point_data, GHOSTS, len(contents.mesh.points)) & HIDDEN_POINT).any()
        if blanked or (marks_of(contents.cell_data, GHOSTS, len(contents.mesh)) & HIDDEN_CELL).any():
            raise OptionError(
                f"{self.files[number]}: blanks points or cells, which is not known by pieces: give a larger "
                "--block-memory to take the file as a whole"
            )
        return without_ghosts(contents)

    @cached_property
    def survey(self) -> Survey:
        """One look at each piece."""
        boxes, types, numbered, sample = [], set(), True, []
        time, producer = None, ""
        for number in range(len(self.files)):
            piece = self.read(number)
            points = piece.mesh.points
            boxes.append(_box(points))
            types |= set(np.unique(piece.mesh.cells.types).tolist())
            self._check(piece)
            numbered &= not len(points) or any(name in piece.point_data for name in NUMBERS)
            if piece.mesh.dimension == 3:
                full = np.flatnonzero(piece.mesh.is_full)
                sample.append(piece.mesh.centroids[full[:: max(1, len(full) // _FEW)]])
            time, producer = piece.time if time is None else time, producer or piece.producer
        if not types:
            raise ReadError(f"{self.path}: has no cells in its pieces: check the files")
        spans = np.array(boxes)
        return Survey(spans, numbered, frozenset(types), _is_thick(sample, spans), time, producer)

    def _check(self, piece: Contents) -> None:
        """OptionError for points without cells, and for points at one place, of which only numbers tell which belongs
        to another piece."""
        if len(piece.mesh.points) and not len(piece.mesh):
            raise OptionError(f"{piece.source}: has points and no cells, which is not known by pieces: leave it out")
        keys = place_keys(piece.mesh.points)
        if len(np.unique(keys)) < len(keys) and not any(name in piece.point_data for name in NUMBERS):
            raise OptionError(
                f"{piece.source}: has several points at one place and no GlobalPointIds, so that its neighbours are "
                "not known by pieces: write these, or give a larger --block-memory to take the file as a whole"
            )

    def keys(self, piece: Contents) -> NDArray[np.uint64]:
        """Numbers of the points, the same for the same point in every piece."""
        if self.survey.numbered and len(piece.mesh.points):
            name = next(name for name in NUMBERS if name in piece.point_data)
            return piece.point_data[name].astype(np.uint64)
        return place_keys(piece.mesh.points)

    def touching(self, points: FloatArray, number: int) -> list[int]:
        """The other pieces whose boxes hold one of the points at least."""
        found = []
        for other, (low, high) in enumerate(self.survey.boxes):
            if other != number and ((points >= low) & (points <= high)).all(axis=1).any():
                found.append(other)
        return found


def _box(points: FloatArray) -> FloatArray:
    """Least and greatest coordinates (2, 3); of no points a box that holds none."""
    finite = points[finite_rows(points)]
    if not len(finite):
        return np.array([[np.inf] * 3, [-np.inf] * 3])
    return np.stack([finite.min(axis=0), finite.max(axis=0)])


def _is_thick(sample: list[FloatArray], boxes: FloatArray) -> bool:
    centroids = np.concatenate(sample) if sample else np.empty((0, 3))
    if len(centroids) < 8 or not finite_rows(centroids).all():
        return False
    size = np.linalg.norm(boxes[:, 1].max(axis=0) - boxes[:, 0].min(axis=0))
    return bool(np.linalg.eigvalsh(np.cov(centroids.T))[0] > (_THICK * size) ** 2)


def _declared_size(file: Path) -> int:
    with open_document(file, "UnstructuredGrid") as document:
        size = 0
        for piece in document.pieces():
            points, cells = document.count(piece, "NumberOfPoints"), document.count(piece, "NumberOfCells")
            for tag, count in (("PointData", points), ("CellData", cells), ("Points", points)):
                for array in piece.iterfind(f"{tag}/DataArray"):
                    kind = TYPES.get(array.get("type", ""))
                    if kind is not None:
                        with naming(file):
                            size += count * components_of(array) * (8 if kind.kind == "f" else kind.itemsize)
        return size
