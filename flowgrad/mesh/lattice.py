"""Lattices: points numbered by three indices, on straight axes or anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import MeshError
from flowgrad.mesh.axis import SAME, Axis, Period, Periods
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.reference.cell import VTK
from flowgrad.typing import FloatArray, IntArray

# Lines along an axis whose roughness is looked at in each of the other two directions.
_LINES = 8
# VTK's order of the corners of a quad or hexahedron, which a lattice numbers with its first axis fastest.
RING = [0, 1, 3, 2, 4, 5, 7, 6]


class Lattice(Mesh, table="shape dimension is_curved"):
    """A mesh whose points are numbered by three indices; points and cells are made when asked for.

    Make one with ``uniform``, ``rectilinear`` or ``curvilinear``. ``shape`` (nx, ny, nz) counts points;
    1 is a direction that the lattice does not have (a plane, a line), and the others are the ``active`` axes;
    ``cell_shape`` counts cells, 1 where there is one point, and ``cell_type`` is VTK's number of their type. The points
    of one that ``is_curved`` lie anywhere, not on straight axes; the axes of one that ``is_aligned`` run along x, y
    and z. Points run as VTK's do, the first index fastest; ``flat`` and ``grid`` lead from arrays indexed [i, j, k] to
    arrays in this order and back. Cells are voxels and pixels on axes along x, y, z, else hexahedra and quads; lines
    where there is one axis. A gap between the last and the first point of a periodic axis is no cell.

    ``periodic`` has an entry an axis: False, True, or the period. A period as long as the axis says
    that its last points repeat the first, a longer one that they do not; True says that the first
    points follow one spacing after the last. See each constructor.
    """

    axes: tuple[Axis, Axis, Axis]
    steps: FloatArray
    origin: FloatArray
    curve: FloatArray | None
    shifts: FloatArray
    shape: tuple[int, int, int]
    cell_shape: tuple[int, int, int]
    active: tuple[int, ...]
    cell_type: int
    is_curved: bool
    is_aligned: bool
    # Aligned, and in the directions of x, y and z.
    _is_upright: bool

    def __init__(
        self,
        axes: tuple[Axis, Axis, Axis],
        steps: FloatArray,
        origin: FloatArray,
        curve: FloatArray | None = None,
        shifts: FloatArray | None = None,
    ) -> None:
        """Points at ``origin`` + Σ coordinate · row of ``steps`` (3, 3), or at ``curve`` (n, 3), where rows
        of ``shifts`` (3, 3) lead once around the periodic axes."""
        put = object.__setattr__
        put(self, "axes", axes)
        put(self, "plates", None)
        put(self, "steps", np.array(steps, float))
        put(self, "origin", np.array(origin, float))
        put(self, "curve", curve)
        put(self, "shifts", np.zeros((3, 3)) if shifts is None else np.array(shifts, float))
        shape = tuple(len(axis) for axis in axes)
        put(self, "shape", shape)
        put(self, "cell_shape", tuple(max(n - 1, 1) for n in shape))
        put(self, "active", tuple(a for a in range(3) if shape[a] > 1))
        put(self, "is_curved", curve is not None)
        put(self, "is_aligned", curve is None and not (self.steps - np.diag(np.diagonal(self.steps))).any())
        rises = all(len(axis) == 1 or axis.coordinates[1] > axis.coordinates[0] for axis in axes)
        put(self, "_is_upright", rises and self.is_aligned and bool((np.diagonal(self.steps) > 0).all()))
        if self.dimension == 0:
            raise MeshError("the lattice has a single point: give two along one axis at least")
        types = (VTK.LINE, VTK.PIXEL, VTK.VOXEL) if self._is_upright else (VTK.LINE, VTK.QUAD, VTK.HEXAHEDRON)
        put(self, "cell_type", types[self.dimension - 1])
        rows = self.steps[list(self.active)]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if curve is None and not (lengths.all() and np.linalg.matrix_rank(rows / lengths) == self.dimension):
            raise MeshError(f"the axes of the lattice lie in one plane or line: {self.steps.tolist()}: turn them apart")

    @classmethod
    def uniform(
        cls,
        shape: Sequence[int],
        spacing: float | Sequence[float] = 1.0,
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        directions: ArrayLike | None = None,
        periodic: Periods = (False, False, False),
    ) -> Lattice:
        """An image: ``shape`` (nx, ny) or (nx, ny, nz) points, ``spacing`` a number or one an axis, the
        first point at ``origin``; rows of ``directions`` (3, 3) are the unit vectors of the axes.

        ``periodic``: True makes the period n spacings, so that the last points do not repeat the first;
        a length of (n − 1) spacings says that they do. MeshError for other sizes, spacings that are
        not positive, and periods shorter than the axis.
        """
        counts = _three(shape, 1, "shape").astype(int)
        h = np.broadcast_to(np.asarray(spacing, float), 3) if np.ndim(spacing) == 0 else _three(spacing, 1.0, "spacing")
        if (counts < 1).any() or not (h > 0).all():
            raise MeshError(f"shape {counts.tolist()} and spacing {h.tolist()} must be positive: put 1 for a plane")
        entries = zip(counts, h, _entries(periodic), strict=True)
        axes = [Axis.even(int(n), float(each_h), each) for n, each_h, each in entries]
        return cls((axes[0], axes[1], axes[2]), h[:, None] * _directions(directions), _three(origin, 0.0, "origin"))

    @classmethod
    def rectilinear(
        cls,
        x: ArrayLike,
        y: ArrayLike = 0.0,
        z: ArrayLike = 0.0,
        directions: ArrayLike | None = None,
        periodic: Periods = (False, False, False),
    ) -> Lattice:
        """Points at all combinations of coordinates along three axes; one number makes a plane there.

        Coordinates rise or fall, at any spacing. ``periodic``: the length of the period; True is
        refused, since the spacing does not tell where the first point comes again.
        """
        entries = zip((x, y, z), _entries(periodic), strict=True)
        axes = [Axis.uneven(coordinates, each) for coordinates, each in entries]
        return cls((axes[0], axes[1], axes[2]), _directions(directions), np.zeros(3))

    @classmethod
    def curvilinear(cls, points: ArrayLike, periodic: Periods = (False, False, False)) -> Lattice:
        """Points (nx, ny, 2) or (nx, ny, nz, 3) indexed [i, j, k], anywhere.

        ``periodic``: True for an axis that closes upon itself (around a cylinder), a vector (3,) for one
        that goes on displaced by it; whether the last points repeat the first is seen from them.
        """
        grid = _vectors(points)
        shape, flat = grid.shape[:3], np.moveaxis(grid, (0, 1, 2), (2, 1, 0)).reshape(-1, 3)
        shifts, axes = np.zeros((3, 3)), []
        for a, each in enumerate(_entries(periodic)):
            is_closed, shifts[a] = _closure(each)
            ends = np.moveaxis(grid, a, 0)
            period = None
            if is_closed:
                period = float(shape[a] - 1 if _coincide(ends, shifts[a]) else shape[a])
            axes.append(Axis(np.arange(shape[a], dtype=float), period))
        return cls((axes[0], axes[1], axes[2]), np.eye(3), np.zeros(3), flat, shifts)

    @property
    def point_count(self) -> int:
        """Number of points, without making them."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return int(np.prod(self.cell_shape))

    def __repr__(self) -> str:
        kind = "curvilinear" if self.is_curved else "straight"
        return f"Lattice({kind}, shape={self.shape})"

    @cached_property
    def dimension(self) -> int:
        """Number of axes with more than one point."""
        return len(self.active)

    @cached_property
    def points(self) -> FloatArray:
        """Positions (n, 3), the first index fastest."""
        if self.curve is not None:
            return self.curve
        points = np.empty((*self.shape[::-1], 3))
        x, y, z = (axis.coordinates[:, None] * step for axis, step in zip(self.axes, self.steps, strict=True))
        np.add((z + self.origin)[:, None], y, out=points[:, :, 0])
        points[:, :, 1:] = points[:, :, :1]
        points += x
        return points.reshape(-1, 3)

    @cached_property
    def cells(self) -> Cells:
        """The cells between neighbouring points, the first index fastest."""
        order = [0, 1, 2, 3, 4, 5, 6, 7] if self._is_upright else RING
        return Cells.of_type(self.cell_type, self.corners(order[: 2**self.dimension]))

    def corners(self, order: Sequence[int] | None = None) -> IntArray:
        """Points of each cell (cells, 2^d): corner c is displaced by bit a of c along the a-th axis that
        the lattice has; ``order`` lists the corners wanted."""
        nx, ny, _ = self.shape
        stride = np.array([1, nx, nx * ny])[list(self.active)]
        i, j, k = (np.arange(n) for n in self.cell_shape)
        first = ((k * nx * ny)[:, None, None] + (j * nx)[:, None] + i).reshape(-1, 1)
        numbers = np.arange(2**self.dimension) if order is None else np.asarray(order)
        return first + (numbers[:, None] >> np.arange(self.dimension) & 1) @ stride

    @cached_property
    def of_centres(self) -> Lattice:
        """The lattice whose points are the centroids of this one's cells."""
        x, y, z = (axis.middles for axis in self.axes)
        if not self.is_curved:
            return Lattice((x, y, z), self.steps, self.origin)
        return Lattice((x, y, z), self.steps, self.origin, self.centroids, self.shifts)

    @cached_property
    def roughness(self) -> float:
        """How unevenly the points of a curvilinear lattice lie: the largest third difference along its axes,
        as a fraction of the first difference there, on some hundred lines along each axis. 0.04 for
        spacings that grow by a fifth each, 0.3 where one is a third larger than the one before."""
        worst = 0.0
        for a in self.active:
            grid = np.moveaxis(self.grid(self.points), a, 0)
            # Lines that are evenly chosen, with both the first and last.
            i, j = (np.unique(np.linspace(0, n - 1, min(n, _LINES)).astype(int)) for n in grid.shape[1:3])
            first = np.diff(grid[:, i[:, None], j], axis=0)
            third = np.linalg.norm(np.diff(first, 2, axis=0), axis=-1)
            spacing = np.linalg.norm(first[1:-1], axis=-1)
            worst = max(worst, float(np.nanmax(third[spacing > 0] / spacing[spacing > 0], initial=0.0)))
        return worst

    def flat(self, values: ArrayLike) -> np.ndarray:
        """Values indexed [i, j, k, …] in the order of the points, or of the cells: (n, …).

        Axes of one point may be left out: (nx, ny, …) on a plane. MeshError for another shape.
        """
        array = np.asanyarray(values)
        for full in (self.shape, self.cell_shape):
            for shape in (full, tuple(full[a] for a in self.active)):
                if array.shape[: len(shape)] == shape:
                    rest = array.shape[len(shape) :]
                    return np.moveaxis(array.reshape(full + rest), (0, 1, 2), (2, 1, 0)).reshape(-1, *rest)
        raise MeshError(
            f"the array has the shape {array.shape}: the lattice has {self.shape} points and {self.cell_shape} cells"
        )

    def grid(self, values: ArrayLike) -> np.ndarray:
        """Values at the points or the cells (n, …) as a view indexed [i, j, k, …]."""
        array = np.asanyarray(values)
        for shape in (self.shape, self.cell_shape):
            if len(array) == np.prod(shape):
                return np.moveaxis(array.reshape(shape[::-1] + array.shape[1:]), (0, 1, 2), (2, 1, 0))
        raise MeshError(f"{len(array)} values do not fit a lattice of {self.shape} points: give one a point or a cell")


def _three(values: ArrayLike, rest: float, name: str) -> FloatArray:
    array = np.asarray(values, float).ravel()
    if not 1 <= len(array) <= 3:
        raise MeshError(f"{name} has {len(array)} numbers: give one an axis")
    return np.concatenate([array, np.full(3 - len(array), rest)])


def _directions(directions: ArrayLike | None) -> FloatArray:
    matrix = np.eye(3) if directions is None else np.asarray(directions, float)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise MeshError(f"directions have the shape {matrix.shape}: give (3, 3), one axis a row")
    return matrix


def _entries(periodic: Periods) -> list[Period]:
    entries = [bool(each) if isinstance(each, np.bool_) else each for each in periodic]
    if not 1 <= len(entries) <= 3:
        raise MeshError(f"periodic has {len(entries)} entries: give one an axis")
    return entries + [False] * (3 - len(entries))


def _vectors(points: ArrayLike) -> FloatArray:
    """Points (nx, ny, nz, 3) from (nx, 2 or 3), (nx, ny, 2 or 3) or the same."""
    grid = np.asarray(points, float)
    if not 2 <= grid.ndim <= 4 or grid.shape[-1] not in (2, 3):
        raise MeshError(f"points have the shape {grid.shape}: give (nx, ny, nz, 3), or (nx, ny, 2) for a plane")
    if grid.shape[-1] == 2:
        grid = np.concatenate([grid, np.zeros((*grid.shape[:-1], 1))], axis=-1)
    return grid.reshape(*grid.shape[:-1], *(1,) * (4 - grid.ndim), 3)


def _closure(period: Period) -> tuple[bool, FloatArray]:
    """Whether an axis is periodic, and the vector that leads once around it."""
    if isinstance(period, bool):
        return period, np.zeros(3)
    shift = np.asarray(period, float)
    if shift.shape != (3,):
        raise MeshError(f"the period of a curvilinear axis is {shift.tolist()}: give True or a vector (3,)")
    return True, shift


def _coincide(planes: FloatArray, shift: FloatArray) -> bool:
    """Whether the last plane of points is the first one, displaced."""
    if len(planes) < 2:
        raise MeshError("an axis with one point is not periodic: leave its entry False")
    gap = np.linalg.norm(planes[-1] - planes[0] - shift, axis=-1)
    spacing = np.linalg.norm(planes[1] - planes[0], axis=-1)
    return bool(np.nanmax(gap) < SAME * np.nanmax(spacing))
