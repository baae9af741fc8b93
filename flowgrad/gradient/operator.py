"""Prepared schemes as operators: linear maps from samples to gradients, used as often as one likes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.noise import stencil_covariance
from flowgrad.mesh import Mesh
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Operator(ABC):
    """A prepared scheme: ``apply`` differentiates fields of any number of components.

    What it differentiates are ``samples`` of a flow: the values at the points or cells, and, where
    a scheme uses them, the values known on the boundary after these.
    """

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
        """Sparse d/dx, d/dy, d/dz, one column a sample; rows of NaN where there is no gradient."""

    @abstractmethod
    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3), the samples; NaN in all components where there is none."""

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives H_ijk = ∂²v_i/∂x_j∂x_k (m, 3, 3, 3) of vectors (n, 3); NaN where there
        are none. OptionError for a scheme without them."""
        raise OptionError("this scheme has no second derivatives: use finite-difference(order=2), or a higher order")

    def samples(self, flow: Flow) -> FloatArray:
        """The vectors (n, 3) of a flow that the operator differentiates: its velocity, and after it the
        values on the boundary where the scheme uses these."""
        return flow.velocity

    @property
    def sampled_directions(self) -> Directions | None:
        """The directions that samples resolve, where the scheme looks for them in the whole mesh."""
        return None

    @property
    def boundary_count(self) -> int:
        """How many of the samples, the last ones, are values on the boundary."""
        return 0

    def suits(self, flow: Flow) -> bool:
        """Whether the operator, prepared for another flow on the same mesh, serves this one too."""
        return True

    def keep(self) -> None:  # noqa: B027 - most have nothing to keep
        """Compute now what is worth its memory when further flows come."""

    def gradients(self, flow: Flow) -> Gradients:
        """Velocity gradients of a flow that the operator suits."""
        return Gradients(self.vectors(self.samples(flow)), self.notes, self.one_sided, self)

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """Covariance of the gradients of samples with independent noise.

        ``noise`` is the standard deviation of each sample: a number or (n,), the same for every
        component, or (n, 3), one for each. With the stencil weights w_n, cov(L_ij, L_kl) = δ_ik C_jl,
        C = Σ_n σ_n² w_n w_nᵀ: C (m, 3, 3), or (m, 3, 3, 3) with one C for each component i. Values on
        the boundary are taken as exact. NaN where there is no gradient.
        """
        return stencil_covariance(self.matrices, noise, self.boundary_count)

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


@dataclass(frozen=True, eq=False)
class Gradients(ReprMixin):
    """What a scheme finds: L (n, 3, 3), notes on how, where L is one-sided (n,), if anywhere, the operator
    that made L (None for gradients that were not computed from the velocity), and the order reached at each
    place (n,) where that may differ."""

    L: FloatArray
    notes: tuple[str, ...] = ()
    one_sided: NDArray[np.bool_] | None = None
    operator: Operator | None = None
    order: IntArray | None = None


def from_owners(mesh: Mesh, gradients: FloatArray) -> FloatArray:
    """Cells of lower dimension carry the derivatives (cells, 3, 3, ...) of the full cell that they bound;
    NaN without one."""
    lower = np.flatnonzero(~mesh.is_full)
    if len(lower):
        owners = mesh.topology.owners[lower]
        gradients[lower] = gradients[owners]
        gradients[lower[owners < 0]] = np.nan
    return gradients


def rows_of_owners(mesh: Mesh, matrix: csr_array) -> csr_array:
    """Rows of a matrix on the full cells for all cells: those of their owners, NaN without one."""
    return spread_rows(matrix, mesh.topology.owners)


def spread_rows(matrix: csr_array, sources: IntArray) -> csr_array:
    """The rows of a matrix that ``sources`` (m,) name, NaN for -1."""
    from scipy.sparse import csr_array, diags_array

    if not matrix.shape[0]:
        places = np.arange(len(sources)), np.zeros(len(sources), np.int64)
        return csr_array((np.full(len(sources), np.nan), places), shape=(len(sources), matrix.shape[1]))
    known = diags_array(np.where(sources >= 0, 1.0, np.nan))
    return (known @ matrix[np.maximum(sources, 0)]).tocsr()


def average_to_points(mesh: Mesh, gradients: FloatArray, cells: IntArray, sums: FloatArray) -> None:
    """Add the gradients of cells, weighted with their measures, to the sums at their points."""
    from flowgrad.gradient.element_kernels import add_cell_gradients

    cells = cells[np.isfinite(gradients[cells]).all(axis=(1, 2))]
    add_cell_gradients(gradients, mesh.measures, mesh.cells.offsets, mesh.cells.connectivity, cells, sums)


def patch_faces(boundary: tuple[Patch, ...]) -> IntArray:
    """The faces of all patches (b,), rows of ``mesh.topology.boundary``."""
    return np.concatenate([np.empty(0, np.int64), *(patch.faces for patch in boundary)])


def patch_centroids(mesh: Mesh, boundary: tuple[Patch, ...]) -> FloatArray:
    """Where the values of all patches sit (b, 3)."""
    faces = patch_faces(boundary)
    return mesh.topology.boundary_geometry[1][faces] if len(faces) else np.empty((0, 3))


def boundary_samples(flow: Flow) -> FloatArray:
    """The velocity of a flow, and after it the values on its patches (n + b, 3)."""
    if not flow.boundary:
        return flow.velocity
    return np.concatenate([flow.velocity, *(patch.velocity for patch in flow.boundary)])
