"""Schemes of differentiation, their registry, and the operators that they prepare: linear maps from samples to
gradients, and maps composed of others."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.noise import stencil_covariance
from flowgrad.mesh import Mesh
from flowgrad.reprs import ReprMixin
from flowgrad.spec import parse, unparse
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Where gradients are wanted: ``points``, ``cells``, or positions (m, 3).
Where: TypeAlias = str | FloatArray


class Scheme(ABC):
    """How to differentiate: a frozen dataclass whose fields are its options, registered by :func:`register_scheme`.

    It is exact for polynomials of the degree ``order``. ``shown`` are the options that its text always has,
    ``location`` is where the values must be (``points`` or ``cells``; None for either), ``differentiates`` is False
    where gradients are not computed from samples, ``is_local`` True where what is done in a cell follows from that cell
    and its neighbours, on thin and planar meshes too, ``by_cell`` where it follows from the values of that cell alone,
    so that a velocity that jumps between cells has a gradient in each, ``knows_symmetry`` where gradients on the
    boundary of wedges and meridian planes are whole tensors, ``finds_noise`` where the noise of the velocity is
    sought in it when it is not known.
    """

    order: int = 1
    shown: ClassVar[tuple[str, ...]] = ()
    location: ClassVar[str | None] = None
    differentiates: ClassVar[bool] = True
    is_local: ClassVar[bool] = False
    by_cell: ClassVar[bool] = False
    knows_symmetry: ClassVar[bool] = False
    finds_noise: ClassVar[bool] = False
    record: ClassVar[SchemeRecord | None] = None

    @abstractmethod
    def prepare(self, flow: Flow, at: Where) -> Operator:
        """Do the geometry of the flow's mesh once, for gradients at its ``points``, at its ``cells`` or
        at positions (m, 3); OptionError where the scheme does not fit the flow or the place."""

    def prepare_on_boundary(self, flow: Flow, faces: IntArray) -> Operator | None:
        """The operator for gradients on boundary faces (k,), rows of ``mesh.topology.boundary``, through the values
        known there; None for a scheme that takes them as any other positions."""
        return None

    def gradients(self, flow: Flow, at: Where) -> Gradients:
        """Velocity gradients of a flow."""
        return self.prepare(flow, at).gradients(flow)

    def may_use_lattice(self, location: str, at: Where) -> bool:
        """Whether values at ``location`` are differentiated along the axes of the whole mesh where it is a lattice."""
        return False

    def variants(self, flow: Flow, on_lattice: bool) -> Mapping[str, Scheme]:
        """The forms of the scheme that are compared on a mesh, by short names."""
        return {str(self): self}

    def finer(self) -> Scheme:
        """The scheme whose gradient, less that of this one, estimates this one's error; OptionError
        where there is none."""
        finer = None if self.record is None else self.record.finer
        if finer is None:
            raise OptionError(f"{self}: no finer one beside it would tell its error: leave out the error")
        return parse_scheme(finer) if isinstance(finer, str) else finer(self)

    def rivals(self, flow: Flow) -> tuple[tuple[Scheme, bool, float], ...]:
        """Schemes whose gradients on the walls of a flow, less this one's, tell its error there together: each with
        whether it knows the velocity on the walls, and the weight of its square. The finer one, beside cells with that
        velocity and without: samples may not fit it. OptionError where there is none."""
        ways = (True, False) if flow.location == "cells" and flow.boundary else (True,)
        return tuple((self.finer(), knows_walls, 1.0) for knows_walls in ways)

    @cached_property
    def _text(self) -> str:
        name = type(self).__name__ if self.record is None else self.record.name
        if not dataclasses.is_dataclass(self):
            return name
        return unparse(name, self, self.shown)

    def __str__(self) -> str:
        return self._text


class KnownGradients(Scheme):
    """A scheme whose gradients are known from elsewhere and not computed from samples."""

    differentiates = False

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """Nothing to prepare: OptionError."""
        raise OptionError(f"{self}: a gradient that is not computed from samples cannot differentiate other fields")


@dataclass(frozen=True)
class SchemeRecord:
    """What is known of a registered scheme; see :func:`register_scheme`."""

    name: str
    summary: str
    finer: str | Callable[[Scheme], Scheme] | None = None
    reach: Callable[[Scheme, str, str], int] | int | None = None


SCHEMES: dict[str, type[Scheme]] = {}


def register_scheme(
    name: str,
    cls: type[Scheme],
    *,
    summary: str,
    finer: str | Callable[[Scheme], Scheme] | None = None,
    reach: Callable[[Scheme, str, str], int] | int | None = None,
) -> None:
    """Make a scheme known by a name: to texts such as ``name(order=2)``, the command, its help, lists and reports.

    ``summary`` says in one phrase what the scheme does. ``finer`` is the scheme whose gradient estimates its error, as
    text or as a function of the scheme; None where there is none. ``reach`` is how many layers of neighbouring cells a
    gradient depends on, a number or a function of the scheme, the location of the values and the place of the
    gradient; with None meshes are not differentiated piece by piece. OptionError for a name that is taken.
    """
    known = SCHEMES.get(name)
    if known is not None and known is not cls:
        one, other = (f"{kind.__module__}.{kind.__qualname__}" for kind in (known, cls))
        raise OptionError(f"the scheme '{name}' is {one} already: give {other} another name")
    SCHEMES[name] = cls
    cls.record = SchemeRecord(name, summary, finer, reach)


@cache
def parse_scheme(text: str) -> Scheme:
    """The scheme that a text such as ``finite-difference(order=2)`` names; OptionError for an unknown one."""
    return parse(text, SCHEMES, "scheme")


@dataclass(frozen=True, eq=False, kw_only=True)
class Operator(ABC):
    """A prepared scheme: ``apply`` differentiates fields of any number of components.

    What it differentiates are ``samples`` of a flow: the values at the points or cells, and, where
    a scheme uses them, the values known on the boundary after these.

    ``notes`` are what the reader of a result should know about how it was obtained; ``faces`` (b,) the boundary faces
    whose values are samples, patch after patch, None where values there do not count; ``known`` (n,) the samples that
    have a value, None where that does not matter; ``one_sided`` (m,) where gradients lack samples on one side;
    ``directions`` what the samples of the whole mesh resolve, None where these are not looked for.
    """

    notes: tuple[str, ...] = ()
    faces: IntArray | None = None
    known: BoolArray | None = None
    one_sided: BoolArray | None = None
    directions: Directions | None = None

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
        return self.known is None or np.array_equal(finite_rows(values), self.known)

    def suits(self, flow: Flow) -> bool:
        """Whether the operator, prepared for another flow on the same mesh, serves this one too."""
        same = self.faces is None or np.array_equal(patch_faces(flow.boundary), self.faces)
        return same and self.takes(self.samples(flow))

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        """Notes on the values of one flow."""
        return ()

    def gradients(self, flow: Flow, keep: bool = False) -> Gradients:
        """Velocity gradients of a flow that the operator suits; ``keep`` what is worth its memory when further flows
        come."""
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
class Gradients(ReprMixin):
    """Result of a scheme: L (n, 3, 3), notes on how, where L is one-sided (n,), if anywhere, the operator
    that made L (None for gradients that were not computed from the velocity), and the order reached at each
    place (n,) where that may differ."""

    L: FloatArray
    notes: tuple[str, ...] = ()
    one_sided: BoolArray | None = None
    operator: Operator | None = None
    order: IntArray | None = None


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
class Composed(Operator):
    """An operator made of an ``inner`` one; :func:`handed_on` gives what it takes over from that."""

    inner: Operator

    def seen(self, values: FloatArray) -> FloatArray:
        """The samples of the inner operator, of those of this one."""
        return values

    def takes(self, values: FloatArray) -> bool:
        """As the inner operator does of the samples that it sees."""
        return self.inner.takes(self.seen(values))


def handed_on(inner: Operator, **others: Any) -> dict[str, Any]:
    """Notes, boundary faces, one-sided places and directions of an operator, for one that is composed of it."""
    names = ("notes", "faces", "one_sided", "directions")
    return {**{name: getattr(inner, name) for name in names}, **others}


@dataclass(frozen=True, eq=False)
class OnRows(Composed):
    """Rows of another operator: gradient i is its ``rows[i]`` (m,), NaN for -1. It sees the samples ``used`` (k,) of
    those that there are, all unless given."""

    rows: IntArray
    used: IntArray | None = None

    def seen(self, values: FloatArray) -> FloatArray:
        """Those that are used."""
        return values if self.used is None else values[self.used]

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.vectors(self.seen(values)))

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.second(self.seen(values)))

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


def on_rows(inner: Operator, rows: IntArray, used: IntArray | None = None) -> OnRows:
    """Rows of an operator, -1 for none, that sees some of the samples."""
    one_sided = None if inner.one_sided is None else inner.one_sided[rows] & (rows >= 0)
    return OnRows(inner, rows, used, **handed_on(inner, one_sided=one_sided))


def on_owners(mesh: Mesh, operator: Operator) -> Operator:
    """An operator on the cells of full dimension for all: lower ones carry the gradient of one that they bound."""
    return operator if mesh.is_full.all() else on_rows(operator, mesh.topology.owners)


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
