"""Pieces of a mesh in several files, differentiated one after the other into as many files."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError, OptionError, WriteError
from flowgrad.files import replacing, size_text
from flowgrad.flow import Flow
from flowgrad.formula.array_expression import quoted
from flowgrad.gradient.prepared import scheme_of
from flowgrad.gradient.rates import steady_rates
from flowgrad.gradient.scheme import Gradients, Scheme
from flowgrad.io import Contents, choose_velocity, flow_of, write_vtu
from flowgrad.io.formats import check_only_time
from flowgrad.io.pieces import NUMBERS
from flowgrad.io.validity import FlagCounts, validity_of
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.kinematics.on_mesh import velocity_at
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.transform import scaled
from flowgrad.moments import RunningStatistics
from flowgrad.pipeline.analysis import DEFAULT_QUANTITIES
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.out_of_core.overlap import (
    NotEnoughLayersError,
    Surroundings,
    check_scheme,
    gradients_of,
    layers_of,
    points_of,
    surroundings,
)
from flowgrad.pipeline.out_of_core.piece_files import PieceFiles
from flowgrad.pipeline.out_of_core.result import PartsResult, advice, check_options
from flowgrad.pipeline.summary import WITHOUT_STATISTICS
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray


@dataclass
class SharedPoints:
    """Gradients and velocities of the points that were seen, by their keys, so that rounding, which depends on the
    numbering, is the same in all pieces."""

    _keys: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    _values: FloatArray = field(default_factory=lambda: np.empty((0, 12)))

    def unified(
        self, keys: NDArray[np.uint64], L: FloatArray, velocity: FloatArray
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Gradients (n, 3, 3) and velocities (n, 3) at points with keys (n,), those of earlier pieces where these had
        the point, and which points (n,) are new."""
        values = np.column_stack([L.reshape(-1, 9), velocity])
        place = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        is_new = np.ones(len(keys), bool) if not len(self._keys) else self._keys[place] != keys
        values[~is_new] = self._values[place[~is_new]]
        self._keys = np.concatenate([self._keys, keys[is_new]])
        self._values = np.concatenate([self._values, values[is_new]])
        order = np.argsort(self._keys)
        self._keys, self._values = self._keys[order], self._values[order]
        return np.ascontiguousarray(values[:, :9]).reshape(-1, 3, 3), values[:, 9:], is_new


@dataclass(frozen=True, eq=False)
class Rows:
    """Where a piece's gradients stand among those with its layers (n,), -1 for nowhere; which of them no earlier piece
    has ``counted``, and which are ``valid``."""

    here: IntArray
    counted: BoolArray
    valid: BoolArray


@dataclass
class Tally:
    """Counts of the gradients ``at`` points or cells, and of the cells, of a mesh whose velocity is at ``location``."""

    at: str
    location: str
    points: int = 0
    cells: int = 0
    count: int = 0
    excluded: int = 0
    lowered: int = 0
    missing: int = 0
    flat: int = 0
    folded: int = 0
    layered: bool = False
    measure: float = 0.0
    types: Counter[str] = field(default_factory=Counter)
    # Solid cells by type and sign of their volume.
    signs: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, around: Surroundings, flow: Flow, rows: Rows, found: Gradients, weights: FloatArray) -> None:
        """Count a piece in."""
        self.count += int(rows.counted.sum())
        self.excluded += int((rows.counted & ~rows.valid).sum())
        self.measure += float(weights.sum())
        if found.order is not None:
            order = getattr(getattr(found.operator, "fits", None), "order", 0)
            reached = taken(found.order.astype(float), rows.here)
            self.lowered += int((rows.counted & (reached < order) & (reached > 0)).sum())
        # Velocities at points where gradients are at cells count in each piece.
        own = around.layer == 0
        if self.location == "cells":
            chosen = np.flatnonzero(own)
        else:
            chosen = rows.here[rows.counted] if self.at == "points" else around.own_points
        self.missing += int((~finite_rows(flow.velocity[chosen[chosen >= 0]])).sum())
        self._count_cells(flow.mesh, own)
        self.types.update(around.own.mesh.type_counts())

    def _count_cells(self, mesh: Mesh, own: BoolArray) -> None:
        self.cells += int(own.sum())
        self.flat += int((mesh.is_full & (mesh.measures == 0) & own).sum())
        self.folded += int((mesh.is_folded & own).sum())
        for block in mesh.blocks:
            if block.reference.dimension == 3:
                signs = np.sign(mesh.signed_measures[block.cells[own[block.cells]]])
                for sign in (-1, 1):
                    self.signs[block.reference.vtk_type, sign] += int((signs == sign).sum())

    def notes(self) -> Iterator[str]:
        """What a reader must know: what was lowered, left out or is doubtful."""
        if self.lowered:
            yield f"the order is lowered at {self.lowered} of {self.count} {self.at}: too few samples around"
        if self.missing:
            yield f"{self.missing} velocities at {self.location} are not finite"
        if self.excluded:
            yield f"{self.excluded} of {self.count} {self.at} have no gradient and are excluded"
        if self.layered:
            yield (
                "thin layers along curved walls: by pieces fits do not follow the walls, and gradients there may be "
                "far off: give more --block-memory"
            )
        if self.flat:
            yield f"{self.flat} of {self.cells} cells have no volume"
        inverted = sum(min(self.signs[kind, -1], self.signs[kind, 1]) for kind in {kind for kind, _ in self.signs})
        if inverted:
            yield f"{inverted} of {self.cells} cells are inverted: their volume is negative, their gradient kept"
        if self.folded:
            yield f"{self.folded} of {self.cells} cells are folded: their gradient is kept"


def taken(values: np.ndarray, rows: IntArray) -> np.ndarray:
    """Rows of values, NaN for -1."""
    found = np.array(values[np.maximum(rows, 0)])
    found[rows < 0] = np.nan
    return found


def write_pieces(pieces: PieceFiles, target: Path, options: Options) -> PartsResult:
    """Differentiate a mesh piece by piece, each with layers of its neighbours, and write the quantities as ``target``
    with ``_pieces.pvtu``, its pieces in a folder of that name.

    Raises OptionError for what cannot be done by pieces, and MeshError where there is no gradient anywhere.
    """
    check_options(pieces.path, options, pieces.size)
    names = options.quantities or DEFAULT_QUANTITIES
    for name in names:
        if "hessian" in inputs_of(name):
            raise OptionError(
                f"{pieces.path}: --quantities {name} needs second derivatives, which are not known by pieces: "
                f"{advice(pieces.size)}"
            )
    check_only_time(pieces.survey.time, options.time, pieces.path)
    run = _PiecesRun(pieces, names, options)
    folder = target.with_name(f"{target.name}_pieces")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from error
    for number in range(len(pieces.files)):
        run.add(number, folder / f"{number}.vtu")
    result = run.result()
    _write_index(target.with_name(f"{target.name}_pieces.pvtu"), folder, len(pieces.files), run.written)
    return result


class _PiecesRun:
    """What is written and counted while pieces come."""

    def __init__(self, pieces: PieceFiles, names: tuple[str, ...], options: Options) -> None:
        self._pieces, self._names, self._options = pieces, names, options
        self._shared = SharedPoints()
        self._scheme: tuple[Scheme, str] | None = None
        self._statistics = {name: RunningStatistics() for name in names if name not in WITHOUT_STATISTICS}
        first = next(number for number, box in enumerate(pieces.survey.boxes) if np.isfinite(box).all())
        self._velocity, self._location = _chosen(pieces.read(first), options)
        self._reading = replace(options, velocity=self._velocity, location=self._location)
        self._at = options.at or self._location
        self._tally, self._deepest = Tally(self._at, self._location), 0
        self.written: dict[str, dict[str, np.ndarray]] = {"points": {}, "cells": {}}

    def add(self, number: int, path: Path) -> None:
        """Differentiate a piece, write it, and count it in."""
        # The box of a piece without points.
        if not np.isfinite(self._pieces.survey.boxes[number]).all():
            nothing = steady_rates(VelocityGradient(np.empty((0, 3, 3)), supplied={"velocity": np.empty((0, 3))}))
            arrays = {**{name: nothing[name] for name in self._names}, "valid": np.empty(0, bool)}
            self._write(path, self._pieces.read(number), arrays, np.empty((0, 3)))
            return
        around, flow, found = self._differentiated(number)
        here = np.flatnonzero(around.layer == 0) if self._at == "cells" else around.own_points
        L = taken(found.L, here)
        velocity = taken(velocity_at(flow, found.L, self._at, None), here)
        new = self._unified(around, L, velocity)
        counted = new if self._at == "points" else np.ones(len(here), bool)
        gradient = VelocityGradient(L, supplied={"velocity": velocity})
        gradient = steady_rates(gradient) if self._options.steady else gradient
        arrays = {name: gradient[name] for name in self._names}
        weights = taken(VelocityGradient(found.L, flow, location=self._at).weights, here)
        weights = np.where(counted & gradient.valid, weights, 0.0)
        self._tally.add(around, flow, Rows(here, counted, gradient.valid), found, weights)
        for name, each in self._statistics.items():
            each.add(arrays[name], weights)
        values = np.flatnonzero(around.layer == 0) if flow.location == "cells" else around.own_points
        arrays["valid"] = gradient.valid
        self._write(path, around.own, arrays, taken(flow.velocity, values))

    def _unified(self, around: Surroundings, L: FloatArray, velocity: FloatArray) -> NDArray[np.bool_]:
        """Points (n,) that no earlier piece had; values at the others become those of the earlier piece."""
        others, numbers = points_of(around.contents.mesh, around.layer > 0), around.own_points
        shared = np.flatnonzero((numbers >= 0) & others[np.maximum(numbers, 0)])
        new = np.ones(len(numbers), bool)
        keys = self._pieces.keys(around.own)[shared]
        if self._at == "points":
            L[shared], velocity[shared], new[shared] = self._shared.unified(keys, L[shared], velocity[shared])
        else:
            nothing = np.zeros((len(keys), 3, 3))
            new[shared] = self._shared.unified(keys, nothing, nothing[:, 0])[2]
        self._tally.points += int(new.sum())
        return new

    def _differentiated(self, number: int) -> tuple[Surroundings, Flow, Gradients]:
        """A piece with as many layers as its gradients need."""
        depth = 1 if self._scheme is None else layers_of(self._scheme[0], self._location, self._at)
        while True:
            around = surroundings(self._pieces, number, depth)
            flow = flow_of(replace(around.contents, source=self._pieces.path), self._reading)
            self._tally.layered |= flow.mesh.wall_layers is not None
            flow = replace(flow, mesh=flow.mesh.apart())
            scheme = self._scheme_of(flow)
            if layers_of(scheme, flow.location, self._at) > depth:
                depth = layers_of(scheme, flow.location, self._at)
                continue
            try:
                found = gradients_of(around, flow, scheme, self._at)
            except NotEnoughLayersError:
                depth += 1
                continue
            self._deepest = max(self._deepest, depth)
            return around, flow, found

    def _scheme_of(self, flow: Flow) -> Scheme:
        """The scheme of all pieces; OptionError where the choice would differ from piece to piece."""
        found = scheme_of(self._options.scheme, flow, self._at)
        if self._scheme is None:
            survey, why = self._pieces.survey, advice(self._pieces.size)
            check_scheme(flow, found[0], self._at, survey.types, survey.is_thick, self._options.axisymmetric, why)
            self._scheme = found
        elif found[0] != self._scheme[0]:
            raise OptionError(
                f"{flow.name}: another scheme suits some of its pieces: say --scheme autodiff, or another"
            )
        return found[0]

    def _write(self, path: Path, own: Contents, arrays: dict[str, np.ndarray], velocity: FloatArray) -> None:
        data: dict[str, dict[str, np.ndarray]] = {"points": {}, "cells": {}}
        data[self._at].update(arrays)
        name = "velocity" if self._velocity in arrays else self._velocity
        data[self._location][name] = velocity
        if self._pieces.survey.numbered:
            number = next((each for each in NUMBERS if each in own.point_data), NUMBERS[0])
            data["points"][NUMBERS[0]] = own.point_data.get(number, np.empty(0, np.int64))
        time, scale = self._pieces.survey.time, self._options.length_scale or 1.0
        mesh = own.mesh if scale == 1.0 else scaled(own.mesh, (scale, scale, scale))
        write_vtu(path, mesh, data["points"], data["cells"], {} if time is None else {"TimeValue": np.array([time])})
        for where, each in data.items():
            self.written[where].update({key: values[:0] for key, values in each.items()})

    def result(self) -> PartsResult:
        """What is known when all pieces are written; MeshError where there is no gradient anywhere."""
        tally = self._tally
        if tally.excluded == tally.count:
            raise MeshError(f"{self._pieces.path.name}: there is no gradient anywhere: {'; '.join(tally.notes())}")
        assert self._scheme is not None
        scheme, reason = self._scheme
        size, layers = size_text(self._pieces.size), "layers" if self._deepest > 1 else "layer"
        return PartsResult(
            *(self._velocity, self._location, self._at),
            {"points": tally.points, "cells": tally.cells, "types": dict(tally.types), "measure": tally.measure},
            self._pieces.survey.time,
            str(scheme),
            reason,
            tally.count,
            tally.excluded,
            tuple(tally.notes()),
            {name: each.result() for name, each in self._statistics.items()},
            f"takes {size} of arrays, more than --block-memory {self._options.block_memory}, and was done in "
            f"{len(self._pieces.files)} pieces, each with up to {self._deepest} {layers} of cells from its neighbours",
            {"count": len(self._pieces.files), "overlap": self._deepest},
        )


def _chosen(piece: Contents, options: Options) -> tuple[str, str]:
    """The name and the place of the velocity; two that could both be it are an OptionError, equal or not."""
    data = [
        {
            name: np.full((1, *values.shape[1:]), number, values.dtype)
            for number, (name, values) in enumerate(arrays.items())
        }
        for arrays in (piece.point_data, piece.cell_data)
    ]
    sample = Contents(Mesh(np.zeros((1, 3)), Cells.empty()), piece.source, data[0], data[1])
    name, where, _ = choose_velocity(sample, options.velocity, options.location)

    def unknown(array: str) -> FlagCounts:
        raise OptionError(
            f"{piece.source}: what '{array}' says of the velocity is not known by pieces: say what is measured, "
            f"--valid '{quoted(array)}==1', or give a larger --block-memory to take the file as a whole"
        )

    validity_of(piece.source, sample.data(where), {}, name, options.valid, unknown)
    return name, where


def _write_index(path: Path, folder: Path, count: int, written: dict[str, dict[str, np.ndarray]]) -> None:
    """The file that names the pieces and their arrays."""
    kinds = {"f": "Float64", "b": "UInt8", "i": "Int64", "u": "UInt64"}
    sections = ""
    for tag, where in (("PPointData", "points"), ("PCellData", "cells")):
        arrays = ""
        for name, values in written[where].items():
            kind, width = kinds[values.dtype.kind], math.prod(values.shape[1:])
            arrays += f'<PDataArray type="{kind}" Name="{escape(name)}" NumberOfComponents="{width}"/>\n'
        sections += f"<{tag}>\n{arrays}</{tag}>\n"
    files = "".join(f'<Piece Source="{escape(folder.name)}/{number}.vtu"/>\n' for number in range(count))
    points = '<PPoints>\n<PDataArray type="Float64" Name="Points" NumberOfComponents="3"/>\n</PPoints>\n'
    text = (
        '<?xml version="1.0"?>\n<VTKFile type="PUnstructuredGrid" version="1.0" byte_order="LittleEndian">\n'
        f'<PUnstructuredGrid GhostLevel="0">\n{sections}{points}{files}</PUnstructuredGrid>\n</VTKFile>\n'
    )
    with replacing(path) as handle:
        handle.write(text.encode())
