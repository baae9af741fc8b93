"""Differences along the axes of a lattice, put together to gradients.

Along each axis the derivative is that of the polynomial through p + 1 neighbouring samples (Fornberg
1988, Math. Comp. 51, 699). On straight axes L = Σ_a ∂v/∂c_a ⊗ ∇c_a; on curvilinear ones, with the same
stencils, L = (∂v/∂ξ)(∂x/∂ξ)⁻¹ (Vinokur 1974, J. Comput. Phys. 14, 105), exact for linear fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import lattice_kernels as kernels
from flowgrad.gradient.lattice_stencils import AxisStencils, Detours, detours, reach, stencils_at
from flowgrad.gradient.scheme import Operator, on_rows
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.sited import SitedMesh
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Names of the axes in messages: those of the indices, since axes need not run along x, y and z.
AXES = "ijk"
# Curvilinear lattices whose third differences are larger, as a fraction of the first, do not look smooth
# to stencils: differences in their indices lose their order (spacings that jump by a quarter reach it).
ROUGH = 0.25


def holes_of(lattice: Lattice, values: FloatArray) -> BoolArray | None:
    """Points (n,) whose value or position is not finite; None where there are none."""
    fields = [values] if lattice.curve is None else [values, lattice.curve]
    bad = [~np.isfinite(each).all(axis=1) for each in fields if not kernels.all_finite(each.ravel())]
    return np.any(bad, axis=0) if bad else None


@dataclass(frozen=True, eq=False)
class LatticeDifferences(Operator):
    """Differences of one order on a lattice without repeated points.

    ``holes`` (n,) are points without a value, and ``around`` those next to them, with windows of their own; None where
    there are none. ``finite`` are values known to have no holes, which need not be looked through again.
    """

    lattice: Lattice
    order: int
    holes: BoolArray | None = None
    around: Detours | None = None
    finite: FloatArray | None = None

    @cached_property
    def stencils(self) -> tuple[AxisStencils, AxisStencils, AxisStencils]:
        """First derivatives along the three axes."""
        x, y, z = (stencils_at(axis, np.arange(len(axis)), *reach(axis), self.order) for axis in self.lattice.axes)
        return x, y, z

    def takes(self, values: FloatArray) -> bool:
        """Whether values (n, 3) are missing where the operator takes them to be."""
        holes = holes_of(self.lattice, values)
        if holes is None or self.holes is None:
            return holes is self.holes
        return np.array_equal(holes, self.holes)

    @cached_property
    def dual(self) -> FloatArray:
        """Gradients of the coordinates of straight axes, one a row (3, 3); zero on axes of one point."""
        dual = np.zeros((3, 3))
        active = list(self.lattice.active)
        steps = self.lattice.steps[active]
        lengths = np.linalg.norm(steps, axis=1, keepdims=True)
        dual[active] = np.linalg.pinv(steps / lengths).T / lengths
        return dual

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of vectors (n, 3)."""
        flat = np.ascontiguousarray(values, float).ravel()
        result = np.empty((self.lattice.point_count, 3, 3))
        self._differentiate(flat, result.ravel())
        if self.holes is not None:
            if self.around is not None:
                matrices = [self.around.matrix(a) for a in range(3)]
                along = np.stack([matrix @ values for matrix in matrices], axis=-1)
                metric = self._inverse_metric(matrices, [each.jump for each in self.around.stencils])
                result[self.around.points] = along @ metric
            result[self.holes] = np.nan
        return result if values is self.finite or kernels.all_finite(flat) else _whole(result)

    def _differentiate(self, flat: FloatArray, result: FloatArray) -> None:
        lattice, shape = self.lattice, self.lattice.shape
        if lattice.curve is not None:
            axes = [each.packed(1.0) for each in self.stencils]
            single = sum(1 << a for a in range(3) if shape[a] == 1)
            kernels.curved_gradients(flat, lattice.curve.ravel(), shape, *axes, lattice.shifts, single, result)
            return
        scales = np.diagonal(self.dual) if lattice.is_aligned else np.ones(3)
        axes = [each.packed(float(scale)) for each, scale in zip(self.stencils, scales, strict=True)]
        kernels.straight_gradients(flat, shape, *axes, self.dual, lattice.is_aligned, result)

    def _inverse_metric(self, matrices: list[csr_array], jumps: list[FloatArray]) -> FloatArray:
        """Gradients of the axes' coordinates, one a row (k, 3, 3) or, on straight axes, (3, 3)."""
        if self.lattice.curve is None:
            return self.dual
        columns = zip(matrices, jumps, self.lattice.shifts, strict=True)
        J = np.stack([matrix @ self.lattice.curve + jump[:, None] * shift for matrix, jump, shift in columns], axis=-1)
        return inverse(J, self.lattice.active)

    @cached_property
    def _along_axes(self) -> list[csr_array]:
        return [self._axis_matrix(a, self.stencils[a], self.around) for a in range(3)]

    @cached_property
    def metric(self) -> FloatArray:
        """Gradients of the axes' coordinates, one a row: (n, 3, 3) or, on straight axes, (3, 3)."""
        jumps = [on_axis(each.jump, a, self.lattice) for a, each in enumerate(self.stencils)]
        if self.around is not None:
            for jump, each in zip(jumps, self.around.stencils, strict=True):
                jump[self.around.points] = each.jump
        return self._inverse_metric(self._along_axes, jumps)

    def _axis_matrix(self, a: int, stencils: AxisStencils, around: Detours | None) -> csr_array:
        """Derivatives along one axis (n, n)."""
        from scipy.sparse import csr_array, diags_array

        n = self.lattice.point_count
        place = on_axis(np.arange(self.lattice.shape[a]), a, self.lattice)
        stride = int(np.prod(self.lattice.shape[:a]))
        columns = (np.arange(n) - stride * place)[:, None] + stride * stencils.columns[place]
        width = columns.shape[1]
        matrix = csr_array((stencils.weights[place].ravel(), columns.ravel(), np.arange(n + 1) * width), shape=(n, n))
        if around is not None:
            kept, k = np.ones(n), len(around.points)
            kept[around.points] = 0.0
            spread = csr_array((np.ones(k), (around.points, np.arange(k))), shape=(n, k))
            matrix = diags_array(kept) @ matrix + spread @ around.matrix(a)
        matrix = csr_array(matrix)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        return matrix

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n, n)."""
        from scipy.sparse import csr_array, diags_array

        n = self.lattice.point_count
        metric = np.broadcast_to(self.metric, (n, 3, 3))
        known = np.isfinite(metric).all(axis=(1, 2))
        known &= np.all([np.isfinite(matrix.sum(axis=1)) for matrix in self._along_axes], axis=0)
        if self.holes is not None:
            known &= ~self.holes
        unknown = np.flatnonzero(~known)
        missing = csr_array((np.full(len(unknown), np.nan), (unknown, unknown)), shape=(n, n))
        result = []
        for j in range(3):
            parts = [
                diags_array(np.where(known, metric[:, a, j], 0.0)) @ self._along_axes[a] for a in self.lattice.active
            ]
            total = csr_array(sum(parts[1:], parts[0]))
            total.data[np.repeat(~known, np.diff(total.indptr))] = 0.0
            total.eliminate_zeros()
            result.append(csr_array(total + missing))
        return tuple(result)

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives H_ijk = ∂²v_i/∂x_j∂x_k (n, 3, 3, 3) of vectors (n, 3).

        On straight axes of order p, from stencils of their own; on curvilinear ones the gradient of
        the gradient, of order p inside and p − 1 near ends and holes, where the error of the gradient jumps.
        """
        if self.lattice.curve is None:
            return _whole(self._straight_second(values))
        L = self.vectors(values)
        H = np.stack([self.vectors(L[:, i]) for i in range(3)], axis=1)
        return _whole(0.5 * (H + H.transpose(0, 1, 3, 2)))

    def _straight_second(self, values: FloatArray) -> FloatArray:
        H = np.zeros((len(values), 3, 3, 3))
        first = {a: self._along_axes[a] @ values for a in self.lattice.active}
        for a in self.lattice.active:
            for b in self.lattice.active:
                if a <= b:
                    along = self._along_axes[a] @ first[b] if a < b else self._twice_along[a] @ values
                    both = np.outer(self.dual[a], self.dual[b])
                    H += along[:, :, None, None] * (both + both.T if a < b else both)
        if self.holes is not None:
            H[self.holes] = np.nan
        return H

    @cached_property
    def _twice_along(self) -> list[csr_array]:
        around = None if self.holes is None else detours(self.lattice, self.holes, self.order, 2)
        axes = self.lattice.axes
        stencils = [stencils_at(axis, np.arange(len(axis)), *reach(axis), self.order, 2) for axis in axes]
        return [self._axis_matrix(a, each, around) for a, each in enumerate(stencils)]


def differences(
    lattice: Lattice,
    order: int,
    holes: BoolArray | None = None,
    at_cells: bool = False,
    finite: FloatArray | None = None,
    notes: tuple[str, ...] = (),
) -> LatticeDifferences:
    """The differences on a lattice, with notes on directions without a derivative and where the order is lower than
    asked for; ``at_cells`` says that the lattice is that of the centres of cells, whose outermost are one-sided."""
    around = None if holes is None else detours(lattice, holes, order)
    what, found, shape = {1: "line", 2: "surface"}.get(lattice.dimension), list[str](), lattice.shape
    if what:
        found.append(f"the lattice is a {what}: derivatives out of it are taken as zero")
    for a in (a for a in lattice.active if shape[a] <= order):
        few = "" if shape[a] > 2 else " (second derivatives along it are taken as zero)"
        found.append(f"order lowered to {shape[a] - 1} along axis {AXES[a]}, which has {shape[a]} points{few}")
    if around is not None:
        found += lowered_notes(*(int(each.sum()) for each in around.lowered(order)))
    if lattice.is_curved and lattice.roughness > ROUGH:
        found.append(
            f"the lattice is not smooth (third differences up to {lattice.roughness:.2g} of the first): "
            "only linear fields are differentiated as the order says"
        )
    ends = np.zeros(shape[::-1], bool)
    for a in lattice.active if at_cells else ():
        if lattice.axes[a].period is None:
            across = np.moveaxis(ends, 2 - a, 0)
            across[0] = across[-1] = True
    one_sided = ends.ravel() if ends.any() else None
    # With a value known on the boundary those at cells form no lattice.
    faces = np.empty(0, np.int64) if at_cells else None
    about = {"notes": (*found, *notes), "one_sided": one_sided, "faces": faces}
    return LatticeDifferences(lattice, order, holes, around, finite, **about)  # type: ignore[arg-type]


def lowered_notes(lowered: int, alone: int) -> list[str]:
    """What holes do to so many points between them: a lower order, or no neighbour along an axis at all."""
    notes = [f"order lowered at {lowered} points between missing ones"] if lowered else []
    return [*notes, f"{alone} points between missing ones have no neighbour along an axis"] if alone else notes


def on_axis(values: np.ndarray, a: int, lattice: Lattice) -> np.ndarray:
    """Values along one axis, for every point of the lattice (n,)."""
    along = values.reshape([-1 if axis == 2 - a else 1 for axis in range(3)])
    return np.broadcast_to(along, lattice.shape[::-1]).ravel()


def inverse(J: FloatArray, active: tuple[int, ...]) -> FloatArray:
    """J⁻¹ (k, 3, 3) of J (k, 3, 3), the pseudoinverse of its ``active`` columns; NaN where they are not
    independent."""
    columns = J[:, :, list(active)]
    lengths = np.sqrt((columns**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = columns / lengths
        good = np.linalg.det(unit.transpose(0, 2, 1) @ unit) > kernels.DEGENERATE**2
    result = np.zeros((len(J), 3, 3))
    result[~good] = np.nan
    inverted = np.linalg.inv(unit[good]) if len(active) == 3 else np.linalg.pinv(unit[good])
    result[np.ix_(np.flatnonzero(good), np.array(active))] = inverted / lengths[good].transpose(0, 2, 1)
    return result


def _whole(result: FloatArray) -> FloatArray:
    """NaN in all components where one is not finite."""
    bad = ~np.isfinite(result.reshape(len(result), -1)).all(axis=1)
    result[bad] = np.nan
    return result


def lattice_operator(flow: Flow, order: int = 2) -> Operator | None:
    """Differences of a given order for a flow on a lattice, where its values are; None elsewhere.

    The mesh is a ``Lattice``, or cells or points that are one (see ``mesh.structure``) and, where curvilinear,
    lie smoothly: where spacings jump, fits to the positions are better. ``order`` p is even or
    odd, 1 at least; ends and holes are closed with the same p. It is lowered, and noted, along axes of
    fewer than p + 1 points and between holes too near to each other. Holes are velocities or
    points that are not finite: only they, and points with no neighbour along an axis, have no
    gradient. Values at cells are taken as samples at the centroids; with values known on the
    boundary there is no lattice, since these do not lie on it. A note says so where the last velocities
    on a periodic axis repeat the first, though its period says that they do not. OptionError for an
    order below 1.
    """
    if order < 1:
        raise OptionError(f"the order of finite differences is 1 at least, not {order}")
    if flow.location == "cells" and flow.boundary:
        return None
    found = _lattice_of(flow)
    if found is None:
        return None
    lattice, samples = found
    inner, chosen, rows = without_repeats(lattice)
    used = chosen if samples is None else samples if chosen is None else samples[chosen]
    values = flow.velocity if used is None else flow.velocity[used]
    holes = holes_of(inner, values)
    at_cells, finite = flow.location == "cells", None if holes is not None else values
    operator = differences(inner, order, holes, at_cells, finite, () if at_cells else _same_ends(inner, values))
    if used is None:
        return operator
    if samples is not None:
        places = np.empty(len(flow.velocity), np.int64)
        places[samples] = np.arange(len(places)) if rows is None else rows
        rows = places
    assert rows is not None
    return on_rows(operator, rows, used)


def _lattice_of(flow: Flow) -> tuple[Lattice, IntArray | None] | None:
    """The lattice of the values, and the order in which it takes them; None for the flow's own."""
    if isinstance(flow.mesh, Lattice):
        return (flow.mesh if flow.location == "points" else flow.mesh.of_centres), None
    # Cells whose values sit elsewhere than at their centroids are none.
    found = None if isinstance(flow.mesh, SitedMesh) else flow.mesh.structure.lattice
    if found is None:
        return None
    lattice = Lattice(*found.geometry)
    if lattice.is_curved and lattice.roughness > ROUGH:
        return None
    if flow.location == "points":
        return lattice, found.points
    return (lattice.of_centres, found.cells) if len(found.cells) else None


def _same_ends(lattice: Lattice, values: FloatArray) -> tuple[str, ...]:
    """Periodic axes on which the last velocities are the first ones again: a symmetric flow, or a mistake."""
    grid, notes = values.reshape(*lattice.shape[::-1], 3), []
    for a in lattice.active:
        first, second, last = (np.take(grid, i, axis=2 - a) for i in (0, 1, -1))
        changes = not np.array_equal(first, second, equal_nan=True)
        if lattice.axes[a].period is not None and changes and np.array_equal(first, last, equal_nan=True):
            notes.append(
                f"the last velocities along axis {AXES[a]} are the first ones again: if these are the same points, "
                "give the distance between them as the period"
            )
    return tuple(notes)


def without_repeats(lattice: Lattice) -> tuple[Lattice, IntArray | None, IntArray | None]:
    """The lattice without repeated points, its points in the whole, and the point that each one is."""
    x, y, z = (axis.unique for axis in lattice.axes)
    kept = Lattice((x, y, z), lattice.steps, lattice.origin, None, lattice.shifts)
    if kept.shape == lattice.shape:
        return lattice, None, None
    number = np.arange(lattice.point_count).reshape(lattice.shape[::-1])
    chosen = number[: len(z), : len(y), : len(x)].ravel()
    i, j, k = (np.arange(n) % m for n, m in zip(lattice.shape, kept.shape, strict=True))
    rows = (i + len(x) * (j[:, None] + len(y) * k[:, None, None])).ravel()
    curve = None if lattice.curve is None else lattice.curve[chosen]
    return Lattice((x, y, z), lattice.steps, lattice.origin, curve, lattice.shifts), chosen, rows
