"""Operators: prepared schemes as linear maps from the samples of a flow to gradients, and how these compose."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.noise import stencil_covariance
from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import runs
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray

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
    def faces(self) -> IntArray | None:
        """The boundary faces (b,) whose values are samples, patch after patch; None where values there do not count."""
        return None

    @property
    def one_sided(self) -> BoolArray | None:
        """Where the gradients lack samples on one side (m,); None where nowhere."""
        return None

    @property
    def sampled_directions(self) -> Directions | None:
        """The directions that the samples of the whole mesh resolve; None where these are not looked for."""
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

    @property
    def boundary_count(self) -> int:
        """How many of the samples, the last ones, are values on the boundary."""
        return 0 if self.faces is None else len(self.faces)

    def samples(self, flow: Flow) -> FloatArray:
        """The vectors (n, 3) of a flow that the operator differentiates: its velocity, and after it the
        values on the boundary where the scheme uses these."""
        return boundary_samples(flow) if self.boundary_count else flow.velocity

    def takes(self, values: FloatArray) -> bool:
        """Whether samples (n, 3) are missing where the operator takes them to be missing."""
        return True

    def suits(self, flow: Flow) -> bool:
        """Whether the operator, prepared for another flow on the same mesh, serves this one too."""
        same = self.faces is None or np.array_equal(patch_faces(flow.boundary), self.faces)
        return same and self.takes(self.samples(flow))

    def keep(self) -> None:  # noqa: B027 - most have nothing to keep
        """Compute now what is worth its memory when further flows come."""

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        """Notes on the values of one flow."""
        return ()

    def gradients(self, flow: Flow) -> Gradients:
        """Velocity gradients of a flow that the operator suits."""
        L = self.vectors(self.samples(flow))
        return Gradients(L, (*self.notes, *self.remarks(flow)), self.one_sided, self)

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
        width = columns.shape[1]
        if width % 3:
            columns = np.column_stack([columns, np.zeros((len(columns), 3 - width % 3))])
        parts = [self.vectors(np.ascontiguousarray(columns[:, i : i + 3])) for i in range(0, width, 3)]
        gradients = (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1))[:, :width]
        return gradients[:, 0] if values.ndim == 1 else gradients


@dataclass(frozen=True, eq=False)
class MatrixOperator(Operator):
    """Operator that is nothing but its matrices d/dx, d/dy, d/dz (m, n), for schemes of other packages."""

    derivatives: tuple[csr_array, ...]

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """The matrices (m, n)."""
        return self.derivatives

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of the samples (n, 3)."""
        return np.stack([matrix @ values for matrix in self.derivatives], axis=-1)


@dataclass(frozen=True, eq=False)
class Gradients(ReprMixin):
    """Result of a scheme: L (n, 3, 3), notes on how, where L is one-sided (n,), if anywhere, the operator
    that made L (None for gradients that were not computed from the velocity), and the order reached at each
    place (n,) where that may differ."""

    L: FloatArray
    notes: tuple[str, ...] = ()
    one_sided: BoolArray | None = None
    operator: Operator | None = None
    order: IntArray | None = None


@dataclass(frozen=True, eq=False)
class Composed(Operator):
    """An operator made of an ``inner`` one, whose samples, notes and directions it hands on."""

    inner: Operator

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the inner operator."""
        return self.inner.notes

    @property
    def faces(self) -> IntArray | None:
        """Those of the inner operator."""
        return self.inner.faces

    @property
    def one_sided(self) -> BoolArray | None:
        """Those of the inner operator."""
        return self.inner.one_sided

    @property
    def sampled_directions(self) -> Directions | None:
        """Those of the inner operator."""
        return self.inner.sampled_directions

    def takes(self, values: FloatArray) -> bool:
        """As the inner operator does."""
        return self.inner.takes(values)

    def keep(self) -> None:
        """What the inner operator keeps."""
        self.inner.keep()


@dataclass(frozen=True, eq=False)
class OnRows(Composed):
    """Rows of another operator: gradient i is its ``rows[i]`` (m,), NaN for -1. It sees the samples ``used`` (k,) of
    those that there are, all unless given."""

    rows: IntArray
    used: IntArray | None = None

    @property
    def one_sided(self) -> BoolArray | None:
        """Those of the rows."""
        one_sided = self.inner.one_sided
        return None if one_sided is None else one_sided[self.rows] & (self.rows >= 0)

    def takes(self, values: FloatArray) -> bool:
        """As the inner operator does of the samples that it sees."""
        return self.inner.takes(values if self.used is None else values[self.used])

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.vectors(values if self.used is None else values[self.used]))

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.second(values if self.used is None else values[self.used]))

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """That of the rows."""
        seen = noise if self.used is None or np.ndim(noise) == 0 else np.asarray(noise)[self.used]
        return self._placed(self.inner.covariance(seen))

    def _placed(self, derivatives: FloatArray) -> FloatArray:
        if not len(derivatives):
            return np.full((len(self.rows), *derivatives.shape[1:]), np.nan)
        placed = derivatives[self.rows]
        placed[self.rows < 0] = np.nan
        return placed

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n)."""
        from scipy.sparse import csr_array

        if self.used is None:
            return tuple(spread_rows(matrix, self.rows) for matrix in self.inner.matrices)
        shape, chosen = (len(self.rows), len(self.rows)), [matrix[self.rows] for matrix in self.inner.matrices]
        return tuple(csr_array((each.data, self.used[each.indices], each.indptr), shape=shape) for each in chosen)


def on_owners(mesh: Mesh, operator: Operator) -> Operator:
    """An operator on the cells of full dimension for all: lower ones carry the gradient of one that they bound."""
    return operator if mesh.is_full.all() else OnRows(operator, mesh.topology.owners)


@dataclass(frozen=True, eq=False)
class PointMeans(Composed):
    """Gradients at the points: the measure-weighted mean of those of the full cells around."""

    mesh: Mesh
    one_sided: None = None

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n)."""
        from scipy.sparse import csr_array

        mesh = self.mesh
        full = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
        sizes = np.diff(mesh.cells.offsets)[full]
        points = mesh.cells.connectivity[runs(mesh.cells.offsets[full], sizes)]
        cells = np.repeat(full, sizes)
        total = np.bincount(points, mesh.measures[cells], minlength=len(mesh.points))
        values = mesh.measures[cells] / total[points]
        mean = csr_array((values, (points, cells)), shape=(len(mesh.points), len(mesh)))
        return tuple((mean @ matrix).tocsr() for matrix in self.inner.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of the samples."""
        sums = kernels.empty_sums(len(self.mesh.points))
        add_to_points(self.mesh, self.inner.vectors(values), np.flatnonzero(self.mesh.is_full), sums)
        return kernels.mean_of_sums(sums)


def add_to_points(mesh: Mesh, gradients: FloatArray, cells: IntArray, sums: FloatArray) -> None:
    """Add the gradients of cells, weighted with their measures, to the sums at their points."""
    cells = cells[np.isfinite(gradients[cells]).all(axis=(1, 2))]
    kernels.add_cell_gradients(gradients, mesh.measures, mesh.cells.offsets, mesh.cells.connectivity, cells, sums)


def from_owners(mesh: Mesh, gradients: FloatArray) -> FloatArray:
    """Cells of lower dimension carry the derivatives (cells, 3, 3, ...) of the full cell that they bound;
    NaN without one."""
    lower = np.flatnonzero(~mesh.is_full)
    if len(lower):
        owners = mesh.topology.owners[lower]
        gradients[lower] = gradients[owners]
        gradients[lower[owners < 0]] = np.nan
    return gradients


def spread_rows(matrix: csr_array, sources: IntArray) -> csr_array:
    """The rows of a matrix that ``sources`` (m,) name, NaN for -1."""
    from scipy.sparse import csr_array, diags_array

    if not matrix.shape[0]:
        places = np.arange(len(sources)), np.zeros(len(sources), np.int64)
        return csr_array((np.full(len(sources), np.nan), places), shape=(len(sources), matrix.shape[1]))
    known = diags_array(np.where(sources >= 0, 1.0, np.nan))
    return (known @ matrix[np.maximum(sources, 0)]).tocsr()


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
