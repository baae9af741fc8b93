"""Cubic splines through values along one axis of a lattice, each span's basis written as four cubic polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.errors import MeshError
from flowgrad.flow import Flow
from flowgrad.mesh import Lattice
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.locate import ON_SURFACE
from flowgrad.paths.field import Interpolant, Sample
from flowgrad.paths.plane import NOT_ACROSS, PathPlane
from flowgrad.paths.spline_kernels import BITS, CELLS, FIRST_BREAK, _cell, sample_spline
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Outside an axis by up to this fraction of a spacing is still inside.
BEYOND_END = 1e-9


@dataclass(frozen=True, eq=False)
class SplineAxis:
    """The not-a-knot cubic spline through values at the points of an axis (periodic where the axis is).

    Axes of one, two and three points have the polynomial through them. de Boor 2001, A Practical Guide to Splines,
    ch. IV (not-a-knot), IX and X.
    """

    axis: Axis

    @property
    def sign(self) -> float:
        """−1 where the coordinates fall: the spline runs along their negatives."""
        x = self.axis.coordinates
        return -1.0 if len(x) > 1 and x[1] < x[0] else 1.0

    @property
    def period(self) -> float:
        """Positive, 0 for an axis with two ends."""
        return abs(self.axis.period or 0.0)

    @cached_property
    def breaks(self) -> FloatArray:
        """The points along the axis, rising; once around where it is periodic."""
        x = self.sign * self.axis.unique.coordinates
        return np.append(x, x[0] + self.period) if self.period else x

    @cached_property
    def knots(self) -> FloatArray:
        """Of the B-splines (spans + 7,), for four points or more; round and round where the axis is periodic."""
        x = self.breaks
        if not self.period:
            return np.concatenate([np.repeat(x[0], 4), x[2:-2], np.repeat(x[-1], 4)])
        count = len(x) - 1
        turns, places = np.divmod(np.arange(-3, count + 4), count)
        return x[places] + turns * self.period

    @property
    def is_polynomial(self) -> bool:
        """Whether one polynomial goes through all points: there are too few for knots."""
        return not self.period and len(self.breaks) < 4

    @property
    def shift(self) -> int:
        """The span of a cell is the cell's number less this: not-a-knot leaves out the first inner point."""
        return 0 if self.period else 1

    @cached_property
    def basis(self) -> FloatArray:
        """Coefficients (spans, 4, 4) of the four functions of each span, in rising powers of the distance from
        its start."""
        if self.is_polynomial:
            return _lagrange(self.breaks)[None]
        return _b_splines(self.knots, len(self.knots) - 7)

    @property
    def starts(self) -> FloatArray:
        """Where each span starts (spans,)."""
        return self.breaks[:1] if self.is_polynomial else self.knots[3 : 3 + len(self.basis)]

    def coefficients(self, values: FloatArray) -> FloatArray:
        """Of values (n, …) at the axis' points, so that span s has those from s to s + 3."""
        values = values[: len(self.axis.unique)]
        if self.is_polynomial:
            return values
        return self._periodic(values) if self.period else self._not_a_knot(values)

    def _not_a_knot(self, values: FloatArray) -> FloatArray:
        from scipy.interpolate import make_interp_spline

        found: FloatArray = make_interp_spline(self.breaks, values, k=3, t=self.knots).c
        return found

    def _periodic(self, values: FloatArray) -> FloatArray:
        """Each point lies where a span starts, and has its first three functions; the last spans go on with the
        first coefficients."""
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu

        count = len(self.basis)
        span, function = np.mgrid[:count, :3]
        entries = (self.basis[:, :3, 0].ravel(), (span.ravel(), (span + function).ravel() % count))
        solver = splu(coo_array(entries, shape=(count, count)).tocsc())
        found: FloatArray = solver.solve(values.reshape(count, -1)).reshape(values.shape)
        return found[np.arange(count + 3) % count]


def _b_splines(knots: FloatArray, spans: int) -> FloatArray:
    """The recursion of de Boor and Cox on polynomials: (spans, 4, 4), function then power."""
    span = np.arange(3, 3 + spans)
    start = knots[span]
    found = np.zeros((spans, 4, 4))
    found[:, 3, 0] = 1.0
    for degree in (1, 2, 3):
        lower, found = found, np.zeros_like(found)
        for r in range(3 - degree, 4):
            i = span - 3 + r
            found[:, r] += _times_line(lower[:, r], knots[i], knots[i + degree], start)
            if r < 3:
                found[:, r] += _times_line(lower[:, r + 1], knots[i + degree + 1], knots[i + 1], start)
    return found


def _times_line(polynomials: FloatArray, zero: FloatArray, one: FloatArray, start: FloatArray) -> FloatArray:
    """Polynomials (spans, 4) in u = x − start times (x − zero)/(one − zero); 0 where these coincide."""
    width = one - zero
    slope = np.divide(1.0, width, where=width != 0, out=np.zeros_like(width))
    found = polynomials * ((start - zero) * slope)[:, None]
    found[:, 1:] += polynomials[:, :-1] * slope[:, None]
    return found


def _lagrange(points: FloatArray) -> FloatArray:
    """The Lagrange polynomials (4, 4) of one to three points, in powers of the distance from the first."""
    found = np.zeros((4, 4))
    u = points - points[0]
    count = len(u)
    found[:count, :count] = np.linalg.inv(np.vander(u / max(u[-1], 1e-300), count, increasing=True)).T
    found[:, 1:count] /= np.maximum(u[-1:], 1e-300) ** np.arange(1, count)
    return found


# A cell of which a way takes up less than this fraction is touched at a corner.
_TOUCHED = 1e-12


@inlined
def _place(position, origin, to_axes, ends, x):  # type: ignore[no-untyped-def]
    """Coordinates along the axes, not led back into a period; whether they are within the ends."""
    inside = True
    for a in range(3):
        x[a] = 0.0
        for j in range(3):
            x[a] += to_axes[a, j] * (position[j] - origin[j])
        if ends[a, 2] <= 0.0 and not (x[a] >= ends[a, 0] and x[a] <= ends[a, 1]):
            inside = False
    return inside


@inlined
def _enter(breaks, table, ends, start, end, x, way, cell):  # type: ignore[no-untyped-def]
    """The first coordinates led back into the period, the way from there, and the cell."""
    for a in range(3):
        period = ends[a, 2]
        turns = np.floor((start[a] - ends[a, 0]) / period) if period > 0.0 else 0.0
        x[a], way[a] = start[a] - turns * period, end[a] - start[a]
        cell[a] = _cell(breaks, table[a, FIRST_BREAK], table[a, CELLS], x[a], -1)


@inlined
def _leave(breaks, table, ends, x, way, cell):  # type: ignore[no-untyped-def]
    """Across which axis' end of the cell the way goes first, and after what fraction of it; −1 where it ends before."""
    axis, first = -1, 1.0
    for a in range(3):
        ahead = 1 if way[a] > 0.0 else 0
        following = cell[a] + 2 * ahead - 1
        if way[a] == 0.0 or (ends[a, 2] <= 0.0 and (following < 0 or following >= table[a, CELLS])):
            continue
        fraction = (breaks[table[a, FIRST_BREAK] + cell[a] + ahead] - x[a]) / way[a]
        if fraction < first:
            axis, first = a, fraction
    return axis, first


@inlined
def _is_hole(C, cell):  # type: ignore[no-untyped-def]
    found = False
    for s in range(len(C)):
        found |= C[s, cell[0], cell[1], cell[2], 3] != 0.0
    return found


@called
def _meets_hole(C, breaks, table, ends, start, end, x, way, cell):  # type: ignore[no-untyped-def]
    """Whether the way between coordinates goes through a cell that is a hole of one of the steps (Amanatides & Woo
    1987, A fast voxel traversal algorithm for ray tracing, Eurographics)."""
    _enter(breaks, table, ends, start, end, x, way, cell)
    reached = 0.0
    while True:
        a, fraction = _leave(breaks, table, ends, x, way, cell)
        if fraction - reached > _TOUCHED and _is_hole(C, cell):
            return True
        if a < 0:
            return False
        reached = max(reached, fraction)
        turn = 1 if way[a] > 0.0 else -1
        cell[a] += turn
        if cell[a] < 0 or cell[a] >= table[a, CELLS]:
            cell[a] -= turn * table[a, CELLS]
            x[a] -= turn * ends[a, 2]


@kernel()
def trace_lattice(C, breaks, table, ends, origin, to_axes, ways, with_holes, inside):  # type: ignore[no-untyped-def]
    """Set inside (m,) to False for ``ways`` (m, k, 3), polylines that start inside, which leave the lattice or, where
    it is ``with_holes``, meet one; all else as in :func:`~flowgrad.paths.spline_kernels.sample_spline`."""
    start, end, x, way = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    cell = np.empty(3, np.int64)
    for p in range(len(ways)):
        for j in range(ways.shape[1]):
            if not inside[p]:
                break
            inside[p] = _place(ways[p, j], origin, to_axes, ends, end)
            if with_holes and j > 0 and inside[p]:
                inside[p] = not _meets_hole(C, breaks, table, ends, start, end, x, way, cell)
            start[:] = end


# Velocities across the plane of a planar flow beyond this fraction of the largest velocity are noted.
ACROSS = 1e-9


class LatticeSpline(Interpolant):
    """The interpolating cubic spline: not-a-knot, periodic along periodic axes, twice continuously differentiable.

    It reproduces polynomials of degree 3 in each coordinate; errors are of fourth order in v and third in L. Where the
    velocity lives at the cells the spline goes through their centres and on to the lattice's outer points. Cells
    with a point of unknown velocity are outside (with velocities at the cells: cells between such centres), in a
    series while one of the steps around has none.
    """

    def __init__(self, flow: Flow) -> None:
        lattice = flow.mesh
        assert isinstance(lattice, Lattice)
        if lattice.dimension == 1:
            raise MeshError(f"{lattice} is a line: paths need a plane or a volume")
        self._has_holes = False
        self._lattice = lattice if flow.location == "points" else lattice.of_centres
        self._order = [a for a in range(3) if a not in lattice.active] + list(lattice.active)
        self._axes = [SplineAxis(self._lattice.axes[a]) for a in self._order]
        if max(self._lattice.shape) >= 1 << BITS:
            raise MeshError(f"{lattice} has {max(lattice.shape)} points along an axis: take {1 << BITS} at most")
        self._place(lattice)
        self._tabulate(lattice)

    def _place(self, lattice: Lattice) -> None:
        """Where the lattice lies, and its plane if it is one."""
        active = list(lattice.active)
        flat = [a for a in range(3) if a not in active]
        offsets = [lattice.axes[a].coordinates[0] * lattice.steps[a] for a in flat]
        self._origin = np.array(lattice.origin + sum(offsets, np.zeros(3)))
        inverse = np.zeros((3, 3))
        inverse[active] = np.linalg.pinv(lattice.steps[active]).T
        self._to_axes = np.array([axis.sign for axis in self._axes])[:, None] * inverse[self._order]
        if flat:
            spacings = [np.ptp(lattice.axes[a].coordinates) / (lattice.shape[a] - 1) for a in active]
            size = np.linalg.norm(np.array(spacings)[:, None] * lattice.steps[active])
            axes = np.linalg.qr(lattice.steps[active].T)[0].T
            self.plane = PathPlane(axes, self._origin, float(ON_SURFACE * size))

    def _tabulate(self, lattice: Lattice) -> None:
        """The axes as the kernel reads them."""
        breaks, bases = [axis.breaks for axis in self._axes], [axis.basis for axis in self._axes]
        self._breaks, self._basis = np.concatenate(breaks), np.concatenate(bases)
        self._starts = np.concatenate([axis.starts for axis in self._axes])
        lengths, spans = [len(each) for each in breaks], [len(each) for each in bases]
        self._table = np.array(
            [
                np.cumsum([0, *lengths[:2]]),
                np.array(lengths) - 1,
                np.cumsum([0, *spans[:2]]),
                spans,
                [axis.shift for axis in self._axes],
                [min(length, 4) if axis.is_polynomial else 4 for axis, length in zip(self._axes, lengths, strict=True)],
            ]
        ).T.copy()
        outer = (SplineAxis(lattice.axes[a]) for a in self._order)
        self._ends = np.array([_ends(axis, own) for axis, own in zip(outer, self._axes, strict=True)])

    def nodal(self, flow: Flow) -> FloatArray:
        """The spline's coefficients (nx, ny, nz, 4), axes of one point first, and which cells have no velocity.
        MeshError without any velocity."""
        velocity = self._in_plane(flow.velocity)
        known = finite_rows(velocity)
        if not known.any():
            raise MeshError(f"{flow.name} has no velocity that is a number: check the array {flow.velocity_name}")
        if not self.notes and np.nanmax(np.abs(velocity - flow.velocity)) > ACROSS * np.nanmax(np.abs(flow.velocity)):
            self.notes = (NOT_ACROSS,)
        values = self._lattice.grid(_without_holes(self._lattice, velocity)).transpose(*self._order, 3)
        for a, axis in enumerate(self._axes):
            values = np.moveaxis(axis.coefficients(np.moveaxis(values, a, 0)), 0, a)
        nx, ny, nz, _ = values.shape
        nodal = np.zeros((nx, ny, max(nz, 4), 4))
        nodal[:, :, :nz, :3] = values
        if not known.all():
            holes = self._holes(known)
            nodal[: holes.shape[0], : holes.shape[1], : holes.shape[2], 3] = holes
            self._has_holes = True
        return nodal

    def _in_plane(self, velocity: FloatArray) -> FloatArray:
        return velocity if self.plane is None else velocity @ self.plane.inward

    def _holes(self, known: BoolArray) -> BoolArray:
        """Cells with a corner that has no velocity."""
        grid = self._lattice.grid(known).transpose(self._order)
        for a, axis in enumerate(self._axes):
            grid = np.moveaxis(_both_ends(np.moveaxis(grid, a, 0), axis), 0, a)
        return ~grid

    def sample(self, nodal: FloatArray, weights: FloatArray, positions: FloatArray, cells: IntArray) -> Sample:
        """The spline and its gradient at positions (m, 3)."""
        count = len(positions)
        found = Sample(np.empty((count, 3)), np.empty((count, 3, 3)), np.empty(count, bool))
        places = (self._breaks, self._starts, self._basis, self._table, self._ends)
        sample_spline(nodal, weights, *places, self._origin, self._to_axes, positions, cells, *found)
        return found

    def trace(self, nodal: FloatArray, way: FloatArray, cells: IntArray, inside: BoolArray) -> None:
        """Through the cells between one position and the next."""
        place = (self._breaks, self._table, self._ends, self._origin, self._to_axes)
        trace_lattice(nodal, *place, way, self._has_holes, inside)


def _ends(outer: SplineAxis, own: SplineAxis) -> tuple[float, float, float]:
    """Lowest and highest coordinate that are inside, and the period; no ends across a plane."""
    x = own.breaks if own.period else outer.breaks
    if len(x) == 1:
        return -np.inf, np.inf, 0.0
    return float(x[0] - BEYOND_END * (x[1] - x[0])), float(x[-1] + BEYOND_END * (x[-1] - x[-2])), own.period


def _both_ends(known: BoolArray, axis: SplineAxis) -> BoolArray:
    """Whether both points of each cell along the first axis are known."""
    if len(axis.breaks) == 1:
        return known
    points = known[: len(axis.axis.unique)]
    if axis.period:
        points = np.concatenate([points, points[:1]])
    return points[1:] & points[:-1]


def _without_holes(lattice: Lattice, velocity: FloatArray) -> FloatArray:
    """Holes get the nearest value, counted in points along the axes."""
    known = finite_rows(velocity)
    if known.all():
        return velocity
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~lattice.grid(known), return_distances=False, return_indices=True)
    filled: FloatArray = lattice.flat(lattice.grid(velocity)[tuple(nearest)])
    return filled
