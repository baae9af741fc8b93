"""What is counted while pieces of a mesh come, each point once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from flowgrad.blocks.layers import Surroundings
from flowgrad.flow import Flow
from flowgrad.gradient.operator import Gradients
from flowgrad.mesh import Mesh
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray


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
    measure: float = 0.0
    types: Counter[str] = field(default_factory=Counter)
    # Solid cells by type and sign of their volume.
    signs: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, around: Surroundings, flow: Flow, rows: Rows, found: Gradients, weights: FloatArray) -> None:
        """Count a piece in."""
        self.count += int(rows.counted.sum())
        self.excluded += int((rows.counted & ~rows.valid).sum())
        self.measure += float(weights.sum())
        self._count_lowered(rows, found)
        self._count_missing(around, flow, rows)
        self._count_cells(flow.mesh, around.layer == 0)
        self.types.update(around.own.mesh.type_counts())

    def _count_lowered(self, rows: Rows, found: Gradients) -> None:
        if found.order is None:
            return
        order = getattr(getattr(found.operator, "fits", None), "order", 0)
        reached = taken(found.order.astype(float), rows.here)
        self.lowered += int((rows.counted & (reached < order) & (reached > 0)).sum())

    def _count_missing(self, around: Surroundings, flow: Flow, rows: Rows) -> None:
        """Velocities that are not finite; those at points where gradients are at cells count in each piece."""
        if self.location == "cells":
            chosen = np.flatnonzero(around.layer == 0)
        else:
            chosen = rows.here[rows.counted] if self.at == "points" else around.own_points
        self.missing += int((~finite_rows(flow.velocity[chosen[chosen >= 0]])).sum())

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
