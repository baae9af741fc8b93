"""What every prepared scheme is: a linear map from values to gradients, used as often as one likes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.mesh import Mesh

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Operator(ABC):
    """A prepared scheme: ``apply`` differentiates fields of any number of components."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know about how it was obtained."""
        return ()

    @abstractmethod
    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3); NaN in all components where there is none."""

    def apply(self, values: ArrayLike) -> FloatArray:
        """Gradients (m, 3) of scalars (n,), (m, k, 3) of (n, k): the derivative is the last axis."""
        values = np.asarray(values, float)
        if values.ndim not in (1, 2):
            raise OptionError(f"values have the shape {values.shape}: give (n,) or (n, k)")
        columns = values.reshape(len(values), -1)
        parts = [self._three(columns[:, i : i + 3]) for i in range(0, columns.shape[1], 3)]
        gradients = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return gradients[:, 0] if values.ndim == 1 else gradients

    def _three(self, columns: FloatArray) -> FloatArray:
        width = columns.shape[1]
        if width < 3:
            columns = np.column_stack([columns, np.zeros((len(columns), 3 - width))])
        return self.vectors(np.ascontiguousarray(columns))[:, :width]


class Scheme(ABC):
    """How to differentiate; a frozen dataclass whose fields are its options."""

    @abstractmethod
    def prepare(self, flow: Flow, at: str) -> Operator:
        """Do the geometry of the flow's mesh once, for gradients at its ``points`` or ``cells``."""

    def gradients(self, flow: Flow, at: str) -> tuple[FloatArray, tuple[str, ...]]:
        """Velocity gradients (n, 3, 3) of a flow, and notes on how they were obtained."""
        operator = self.prepare(flow, at)
        return operator.vectors(flow.velocity), operator.notes


def from_owners(mesh: Mesh, gradients: FloatArray) -> FloatArray:
    """Cells of lower dimension carry the gradient of the full cell that they bound; NaN without one."""
    lower = np.flatnonzero(~mesh.is_full)
    if len(lower):
        owners = mesh.topology.owners[lower]
        gradients[lower] = np.where((owners >= 0)[:, None, None], gradients[owners], np.nan)
    return gradients


def average_to_points(mesh: Mesh, gradients: FloatArray, cells: IntArray, sums: FloatArray) -> None:
    """Add the gradients of cells, weighted with their measures, to the sums at their points."""
    from flowgrad.gradient.element_kernels import add_cell_gradients

    cells = cells[np.isfinite(gradients[cells]).all(axis=(1, 2))]
    add_cell_gradients(gradients, mesh.measures, mesh.cells.offsets, mesh.cells.connectivity, cells, sums)
