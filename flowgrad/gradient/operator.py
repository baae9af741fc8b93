"""What every prepared scheme is: a linear map from values to gradients, used as often as one likes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.mesh import Mesh

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Operator(ABC):
    """A prepared scheme: ``apply`` differentiates fields of any number of components."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know about how it was obtained."""
        return ()

    @property
    def one_sided(self) -> NDArray[np.bool_] | None:
        """Where the gradients lack samples on one side (m,); None where nowhere."""
        return None

    @property
    @abstractmethod
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz; rows of NaN where there is no gradient."""

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

    def gradients(self, flow: Flow, at: str) -> Gradients:
        """Velocity gradients of a flow."""
        operator = self.prepare(flow, at)
        return Gradients(operator.vectors(flow.velocity), operator.notes, operator.one_sided)


@dataclass(frozen=True, eq=False)
class Gradients:
    """What a scheme finds: L (n, 3, 3), notes on how, and where L is one-sided (n,), if anywhere."""

    L: FloatArray
    notes: tuple[str, ...] = ()
    one_sided: NDArray[np.bool_] | None = None


def from_owners(mesh: Mesh, gradients: FloatArray) -> FloatArray:
    """Cells of lower dimension carry the gradient of the full cell that they bound; NaN without one."""
    lower = np.flatnonzero(~mesh.is_full)
    if len(lower):
        owners = mesh.topology.owners[lower]
        gradients[lower] = np.where((owners >= 0)[:, None, None], gradients[owners], np.nan)
    return gradients


def rows_of_owners(mesh: Mesh, matrix: csr_array) -> csr_array:
    """Rows of a matrix on the full cells for all cells: those of their owners, NaN without one."""
    from scipy.sparse import diags_array

    owners = mesh.topology.owners
    known = diags_array(np.where(owners >= 0, 1.0, np.nan))
    return (known @ matrix[np.maximum(owners, 0)]).tocsr()


def average_to_points(mesh: Mesh, gradients: FloatArray, cells: IntArray, sums: FloatArray) -> None:
    """Add the gradients of cells, weighted with their measures, to the sums at their points."""
    from flowgrad.gradient.element_kernels import add_cell_gradients

    cells = cells[np.isfinite(gradients[cells]).all(axis=(1, 2))]
    add_cell_gradients(gradients, mesh.measures, mesh.cells.offsets, mesh.cells.connectivity, cells, sums)
