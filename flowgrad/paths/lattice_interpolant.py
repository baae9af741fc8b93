"""Interpolant on straight lattices: tensor products of cubic splines, each span's basis four cubic polynomials."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.flow import Flow
from flowgrad.mesh import Lattice
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.locate import ON_SURFACE
from flowgrad.paths.field import Advance, Interpolant, Stages
from flowgrad.paths.plane import NOT_ACROSS, PathPlane
from flowgrad.paths.spline_kernels import BITS, step_spline, trace_lattice
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Outside an axis by up to this fraction of a spacing is still inside.
BEYOND_END = 1e-9


class SplineAxis:
    """The not-a-knot cubic spline through values at the points of an axis (periodic where the axis is).

    Axes of one, two and three points have the polynomial through them. de Boor 2001, A Practical Guide to Splines,
    ch. IV (not-a-knot), IX and X.

    The spline runs along the ``sign`` of the coordinates, −1 where they fall. ``breaks`` are the points along the axis,
    rising, once around the ``period`` (0 for an axis with two ends). ``starts`` (spans,) is where each span starts, and
    ``basis`` (spans, 4, 4) the coefficients of its four functions, in rising powers of the distance from there. The
    span of a cell is the cell's number less the ``shift``: not-a-knot leaves out the first inner point.
    """

    def __init__(self, axis: Axis) -> None:
        x = axis.coordinates
        self.sign = -1.0 if len(x) > 1 and x[1] < x[0] else 1.0
        self.period, self.count = abs(axis.period or 0.0), len(axis.unique)
        x = self.sign * axis.unique.coordinates
        self.breaks = x = np.append(x, x[0] + self.period) if self.period else x
        self.shift = 0 if self.period else 1
        # Where there are too few points for knots, one polynomial goes through all.
        self.is_polynomial = not self.period and len(x) < 4
        if self.is_polynomial:
            self.basis, self.starts = _lagrange(x)[None], x[:1]
            return
        self.knots = np.concatenate([np.repeat(x[0], 4), x[2:-2], np.repeat(x[-1], 4)])
        if self.period:
            turns, places = np.divmod(np.arange(-3, self.count + 4), self.count)
            self.knots = x[places] + turns * self.period
        self.basis = _b_splines(self.knots, len(self.knots) - 7)
        self.starts = self.knots[3 : 3 + len(self.basis)]

    def coefficients(self, values: FloatArray) -> FloatArray:
        """Of values (n, …) at the axis' points, so that span s has those from s to s + 3."""
        values = values[: self.count]
        if self.is_polynomial:
            return values
        if not self.period:
            from scipy.interpolate import make_interp_spline

            return np.asarray(make_interp_spline(self.breaks, values, k=3, t=self.knots).c)
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu

        # Each point lies where a span starts, and has its first three functions; the last spans go on with the
        # first coefficients.
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
        along = (self._breaks, self._starts, self._basis, self._table, self._ends)
        self._places = (*along, self._origin, self._to_axes)

    def nodal(self, flow: Flow) -> FloatArray:
        """The spline's coefficients (nx, ny, nz, 4), axes of one point first, and which cells have no velocity.
        MeshError without any velocity."""
        velocity = flow.velocity if self.plane is None else flow.velocity @ self.plane.inward
        known = finite_rows(velocity)
        if not known.any():
            raise MeshError(f"{flow.name} has no velocity that is a number: check the array {flow.velocity_name}")
        if not self.notes and np.nanmax(np.abs(velocity - flow.velocity)) > ACROSS * np.nanmax(np.abs(flow.velocity)):
            self.notes = (NOT_ACROSS,)
        values = self._lattice.grid(_without_holes(self._lattice, velocity)).transpose(*self._order, 3)
        for a, axis in enumerate(self._axes):
            values = np.moveaxis(axis.coefficients(np.moveaxis(values, a, 0)), 0, a)
        nx, ny, nz, _ = values.shape
        nodal = np.zeros((nx, max(ny, 4), max(nz, 4), 4))
        nodal[:, :ny, :nz, :3] = values
        if not known.all():
            holes = self._holes(known)
            nodal[: holes.shape[0], : holes.shape[1], : holes.shape[2], 3] = holes
            self._has_holes = True
        return nodal

    def _holes(self, known: BoolArray) -> BoolArray:
        """Cells with a corner that has no velocity."""
        grid = self._lattice.grid(known).transpose(self._order)
        for a, axis in enumerate(self._axes):
            if len(axis.breaks) > 1:
                points = np.moveaxis(grid, a, 0)[: axis.count]
                points = np.concatenate([points, points[:1]]) if axis.period else points
                grid = np.moveaxis(points[1:] & points[:-1], 0, a)
        return ~grid

    def advance(self, nodal: FloatArray, weights: FloatArray, step: Stages, cells: IntArray) -> Advance:
        """Stages of a step through the spline."""
        made = step.made()
        step_spline(nodal, weights, self._places, step.y, step.rates, step.h, cells, step.stages, step.within, made)
        return made

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


def _without_holes(lattice: Lattice, velocity: FloatArray) -> FloatArray:
    """Holes get the nearest value, counted in points along the axes."""
    known = finite_rows(velocity)
    if known.all():
        return velocity
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~lattice.grid(known), return_distances=False, return_indices=True)
    filled: FloatArray = lattice.flat(lattice.grid(velocity)[tuple(nearest)])
    return filled
