"""Finite differences where a flow's values are a lattice, in a file's own numbering too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.lattice_differences import AXES, ROUGH, LatticeDifferences, holes_of
from flowgrad.gradient.operator import Operator
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.sited import SitedMesh
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


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
    inner, chosen, rows = _without_repeats(lattice)
    used = _composed(samples, chosen)
    values = flow.velocity if used is None else flow.velocity[used]
    holes = holes_of(inner, values)
    at_cells, finite = flow.location == "cells", None if holes is not None else values
    operator = LatticeDifferences(inner, order, holes, at_cells, finite, () if at_cells else _same_ends(inner, values))
    if used is None:
        return operator
    return Selected(operator, used, _positions(samples, rows, flow.count(flow.location)))


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


def _without_repeats(lattice: Lattice) -> tuple[Lattice, IntArray | None, IntArray | None]:
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


def _composed(samples: IntArray | None, chosen: IntArray | None) -> IntArray | None:
    if samples is None or chosen is None:
        return chosen if samples is None else samples
    return samples[chosen]


def _positions(samples: IntArray | None, rows: IntArray | None, count: int) -> IntArray:
    """For each point of the flow the row of the lattice without repeats."""
    if samples is None:
        assert rows is not None
        return rows
    result = np.empty(count, np.int64)
    result[samples] = np.arange(count) if rows is None else rows
    return result


@dataclass(frozen=True, eq=False)
class Selected(Operator):
    """An operator on some of the samples, ``samples`` (m,), whose results go to many: result i is its
    row ``rows[i]``. For lattices numbered otherwise, and for points that are there twice."""

    inner: LatticeDifferences
    used: IntArray
    rows: IntArray

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the operator."""
        return self.inner.notes

    @property
    def one_sided(self) -> BoolArray | None:
        """Those of the operator, at their places."""
        inner = self.inner.one_sided
        return None if inner is None else inner[self.rows]

    def suits(self, flow: Flow) -> bool:
        """Whether another flow has its holes at the same places."""
        return self.inner.has_holes_of(flow.velocity[self.used])

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of vectors (n, 3)."""
        return self.inner.vectors(values[self.used])[self.rows]

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (n, 3, 3, 3) of vectors (n, 3)."""
        return self.inner.second(values[self.used])[self.rows]

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n, n)."""
        from scipy.sparse import csr_array

        n = len(self.rows)
        chosen = [matrix[self.rows] for matrix in self.inner.matrices]
        return tuple(csr_array((each.data, self.used[each.indices], each.indptr), shape=(n, n)) for each in chosen)
