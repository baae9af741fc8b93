"""A flow: a velocity on a mesh, and everything else that is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import MeshError, OptionError
from flowgrad.files import printable
from flowgrad.mesh import Lattice, Mesh
from flowgrad.mesh.from_arrays import GivenCells, cells_of, lattice_of
from flowgrad.mesh.planar import FLAT
from flowgrad.option import LOCATIONS, check_symmetry
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.mesh.axisymmetric_wedge import Wedge
    from flowgrad.noise import FoundNoise

# Products of three coordinates beyond this are infinite.
LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class Patch(ReprMixin):
    """Velocity known on a part of the boundary.

    ``faces`` (k,) are boundary faces of the mesh (rows of ``mesh.topology.boundary``), ``velocity``
    (k, 3) the values at their centroids, ``data`` other arrays (k, …) there, by name.
    """

    name: str
    faces: NDArray[np.int64]
    velocity: NDArray[np.float64]
    data: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Flow(
    ReprMixin,
    line="name velocity_name location mesh time",
    table="name time mesh velocity_name location velocity point_data cell_data boundary noise producer",
):
    """A velocity (n, 3) at the ``points`` or ``cells`` of a mesh, with all arrays of its file.

    Cell values sit at ``mesh.centroids``. Velocities of shape (n, 2) get a zero third component.
    ``noise`` is the standard deviation of the velocity samples, independent of each other: a number
    or (n,) for every component, (n, 3) for each, ``auto`` to find it in the velocity (:attr:`found_noise`), None where
    it is not known or not seen; velocity known on the boundary is exact, and so is a z component that is zero
    throughout on a mesh in a plane of constant z. ``axisymmetric`` is ``x`` or ``y`` where the mesh is a meridian plane
    (z constant, the third velocity component the swirl) of a flow symmetric about that axis; None leaves it to the
    mesh, which may be a wedge of OpenFOAM, and ``none`` (or False) forbids it; ``is_meridian`` tells whether ``x`` or
    ``y`` is given.
    ``out_of_plane`` says what is known of the derivatives across a planar mesh: they are ``zero`` (2-D flow),
    ``unknown`` (a plane cut from a 3-D flow), or one follows because the flow is ``incompressible``. ``notes`` say
    what was done to the data when they were read. Raises
    OptionError for another shape, a wrong length, an unknown location, axis or closure, and noise that is negative or
    not finite.
    """

    mesh: Mesh
    velocity: NDArray[np.float64]
    location: str
    time: float | None = None
    point_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    cell_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    field_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    boundary: tuple[Patch, ...] = ()
    source: Path | None = None
    velocity_name: str = "velocity"
    producer: str = ""
    noise: float | FloatArray | None = None
    axisymmetric: str | None = None
    out_of_plane: str = "zero"
    notes: tuple[str, ...] = ()
    is_meridian: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.location not in LOCATIONS:
            raise OptionError(f"location '{self.location}' is unknown: choose one of {', '.join(LOCATIONS)}")
        object.__setattr__(self, "axisymmetric", "none" if self.axisymmetric is False else self.axisymmetric)
        check_symmetry(self.axisymmetric, self.out_of_plane)
        object.__setattr__(self, "is_meridian", self.axisymmetric in ("x", "y"))
        object.__setattr__(self, "velocity", as_vectors(self.velocity, self.velocity_name))
        count = self.count(self.location)
        if len(self.velocity) != count:
            raise OptionError(
                f"{self.velocity_name} has {len(self.velocity)} vectors but the mesh has {count} {self.location}"
            )
        if isinstance(self.noise, str):
            if self.noise != "auto":
                raise OptionError(
                    f"noise is '{self.noise}': give a number, an array, or auto to find it in the velocity"
                )
            object.__setattr__(self, "noise", self.found_noise.of_samples if self.found_noise.found else None)
        elif self.noise is not None:
            object.__setattr__(self, "noise", self._deviations(as_noise(self.noise, self.velocity)))

    @classmethod
    def from_arrays(
        cls,
        points: ArrayLike,
        cells: GivenCells,
        velocity: ArrayLike,
        location: str | None = None,
        *,
        point_data: Mapping[str, ArrayLike] | None = None,
        cell_data: Mapping[str, ArrayLike] | None = None,
        time: float | None = None,
        noise: ArrayLike | None = None,
        axisymmetric: str | None = None,
        out_of_plane: str = "zero",
    ) -> Flow:
        """A flow from arrays: ``points`` (n, 2) or (n, 3), ``cells`` rows of point numbers (m, k), or those by the name
        of their type, ``{"tetra": …}`` (None for scattered points; see ``flowgrad.mesh.from_arrays``), ``velocity``
        (n, 2) or (n, 3), ``noise`` its standard deviation: a number, (n,), (n, 2) or (n, 3).

        Without ``location`` the length of the velocity tells it; OptionError where it fits both. ``point_data`` and
        ``cell_data`` are further arrays, one value or row a point or cell. The other arguments are those of the class.
        """
        at = as_vectors(points, "points")
        mesh = Mesh(at, cells_of(cells, at))
        check_places(mesh)
        vectors = as_vectors(velocity, "velocity")
        where = location or _location_by_length(mesh, len(vectors))
        about = {"axisymmetric": axisymmetric, "out_of_plane": out_of_plane}
        data = as_data(point_data, mesh.point_count, "points"), as_data(cell_data, len(mesh), "cells")
        return cls(mesh, vectors, where, time, *data, noise=noise, **about)  # type: ignore[arg-type]

    @classmethod
    def on_lattice(
        cls,
        lattice: Lattice | Sequence[ArrayLike],
        velocity: ArrayLike,
        *,
        point_data: Mapping[str, ArrayLike] | None = None,
        cell_data: Mapping[str, ArrayLike] | None = None,
        time: float | None = None,
        noise: ArrayLike | None = None,
        axisymmetric: str | None = None,
        out_of_plane: str = "zero",
    ) -> Flow:
        """A flow on a lattice, ``velocity`` (nx, ny, nz, 3) indexed [i, j, k], at its points or its cells:
        the shape tells. Axes of one point may be left out, and z on a lattice in x and y: (nx, ny, 2).

        ``lattice`` may be the coordinates: ``(x, y)`` or ``(x, y, z)`` along the axes, (nx,), (ny,), …, or of every
        point, (nx, ny) each. NaN, or masked values, are holes. ``noise`` is a number or an array indexed like the
        velocity, and so are the arrays in ``point_data`` and ``cell_data``; the other arguments are those of the class.
        """
        lattice = lattice if isinstance(lattice, Lattice) else lattice_of(lattice)
        check_places(lattice)
        vectors = lattice.flat(velocity)
        if vectors.shape[1:] == (2,) and lattice.active != (0, 1):
            raise OptionError(f"velocity has two components on {lattice}: give all three, x, y and z")
        known = noise if noise is None or np.ndim(noise) == 0 else lattice.flat(noise)
        where = "points" if len(vectors) == lattice.point_count else "cells"
        about = {"axisymmetric": axisymmetric, "out_of_plane": out_of_plane}
        points, cells = (
            as_data({name: lattice.flat(values) for name, values in (given or {}).items()}, count, location)
            for given, count, location in (
                (point_data, lattice.point_count, "points"),
                (cell_data, len(lattice), "cells"),
            )
        )
        return cls(lattice, as_vectors(vectors, "velocity"), where, time, points, cells, noise=known, **about)  # type: ignore[arg-type]

    def _deviations(self, noise: float | FloatArray) -> float | FloatArray:
        """The noise, with none in z where the velocity has two components."""
        if np.ndim(noise) == 2 or np.nan_to_num(self.velocity[:, 2]).any():
            return noise
        z = self.mesh.points[:, 2]
        if (z != z[:1]).any():
            return noise
        in_plane = np.broadcast_to(noise, len(self.velocity))
        return np.column_stack([in_plane, in_plane, np.zeros(len(in_plane))])

    @property
    def measures(self) -> FloatArray:
        """What each cell stands for (n,): its volume, area or length, or the volume of its whole ring."""
        if not self.is_meridian:
            return self.mesh.measures
        return volumes_of_revolution(self.mesh, 1 if self.axisymmetric == "x" else 0)

    @cached_property
    def joined(self) -> Flow:
        """The flow on :attr:`Mesh.joined`, where points that coincide are one and those on plates are parted; itself
        where each point is just itself. Values that differ at points that are one are replaced by their mean."""
        joints = self.mesh.joints
        if joints is None:
            return self
        at_points = {name: joints.joined(values) for name, values in self.point_data.items()}
        velocity, noise = self.velocity, self.noise
        if self.location == "points":
            velocity = joints.joined(velocity)
            noise = noise if noise is None or np.ndim(noise) == 0 else np.asarray(noise)[joints.source]
        return replace(self, mesh=self.mesh.joined, velocity=velocity, noise=noise, point_data=at_points)

    @cached_property
    def jump(self) -> tuple[float, int]:
        """The largest distance of a velocity from the mean of those at points that are one, and the number of places
        where they differ by more than rounding: there the field is discontinuous."""
        if self.location != "points" or self.mesh.joints is None:
            return 0.0, 0
        return self.mesh.joints.jump(self.velocity)

    @cached_property
    def is_constant_by_cell(self) -> bool:
        """Whether the velocity at points jumps between cells and does not change within any, as of one value for each
        cell that was written at the cell's own points."""
        if not self.jump[1]:
            return False
        cells = self.mesh.cells
        filled = np.flatnonzero(np.diff(cells.offsets) > 0)
        values, starts = self.velocity[cells.connectivity], cells.offsets[:-1][filled]
        change = np.maximum.reduceat(values, starts) - np.minimum.reduceat(values, starts)
        return bool(np.nanmax(change) <= FLAT * np.nanmax(np.abs(values)))

    @property
    def wedge(self) -> Wedge | None:
        """The wedge that the mesh is, whose flow is taken as axisymmetric unless the user has said that it is not."""
        wedge = self.mesh.joined.structure.wedge if self.axisymmetric is None and type(self.mesh) is Mesh else None
        return wedge if wedge is not None and wedge.partners is not None else None

    @cached_property
    def found_noise(self) -> FoundNoise:
        """The noise that the velocity itself shows."""
        from flowgrad.noise import noise_of

        if isinstance(self.mesh, Lattice) and not self.mesh.is_curved:
            return noise_of(self.mesh if self.location == "points" else self.mesh.of_centres, self.velocity)
        return noise_of(self.mesh.points if self.location == "points" else self.mesh.centroids, self.velocity)

    @property
    def with_found_noise(self) -> Flow:
        """The same flow with that noise; itself where its noise is known already, or none is seen."""
        if self.noise is not None or not self.found_noise.found:
            return self
        flow = replace(self, noise=self.found_noise.of_samples)
        flow.__dict__["found_noise"] = self.found_noise
        return flow

    @property
    def outlier(self) -> NDArray[np.bool_] | None:
        """Velocities (n,) that were taken as outliers when the noise was sought; None where there are none."""
        found: FoundNoise | None = self.__dict__.get("found_noise")
        return None if found is None or not found.found or not found.outlier.any() else found.outlier

    @property
    def noise_size(self) -> float:
        """Root mean square of the standard deviations; 0 where they are not known."""
        return 0.0 if self.noise is None else float(np.sqrt(np.nanmean(np.square(self.noise))))

    def count(self, location: str) -> int:
        """Number of points or cells."""
        return self.mesh.point_count if location == "points" else len(self.mesh)

    def data(self, location: str) -> Mapping[str, np.ndarray]:
        """The arrays at the points or at the cells; none at other places."""
        return {"points": self.point_data, "cells": self.cell_data}.get(location, {})

    @property
    def name(self) -> str:
        """The file's name, or a stand-in for a flow that comes from arrays."""
        return printable(self.source.name) if self.source else "flow"


def volumes_of_revolution(mesh: Mesh, radial: int) -> FloatArray:
    """Volume (n,) of the ring of each cell of a planar mesh about the axis where the coordinate ``radial``
    is zero: 2π |ρ| A with ρ at the centroid (Pappus).

    A mesh on both sides of the axis has every ring twice, and each cell half of it. In a cell across the
    axis |ρ| is the mean over its extent, exact for rectangles.
    """
    if not len(mesh):
        return np.zeros(0)
    rho = mesh.points[mesh.cells.connectivity, radial]
    starts = mesh.cells.offsets[:-1]
    low, high = np.minimum.reduceat(rho, starts), np.maximum.reduceat(rho, starts)
    rounding = FLAT * np.nanmax(np.abs(rho))
    crossing = (low < -rounding) & (high > rounding)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(crossing, (low**2 + high**2) / (2 * (high - low)), np.abs(mesh.centroids[:, radial]))
    whole = (low < -rounding).any() and (high > rounding).any()
    return np.asarray((np.pi if whole else 2 * np.pi) * mean * mesh.measures)


def as_vectors(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Vectors (n, 3) from (n, 2) or (n, 3), masked ones NaN; OptionError for another shape."""
    if np.iscomplexobj(values):
        raise OptionError(f"{name} is complex: give its real or imaginary part")
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    given = np.asarray(values)
    if given.dtype.kind == "O":
        given = np.array(given.tolist())
    if given.dtype.kind not in "fiub":
        kind = {"M": "dates", "m": "durations", "U": "text", "S": "text"}.get(given.dtype.kind, "no numbers")
        raise OptionError(f"{name} is {given.dtype}, {kind}: give numbers")
    vectors = np.asarray(given, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] not in (2, 3):
        raise OptionError(f"{name} has the shape {vectors.shape}: give vectors (n, 2) or (n, 3)")
    if vectors.shape[1] == 2:
        vectors = np.column_stack([vectors, np.zeros(len(vectors))])
    return np.ascontiguousarray(vectors)


def check_places(mesh: Mesh) -> None:
    """MeshError for scattered points that are not finite, and for coordinates whose products no computer holds."""
    if isinstance(mesh, Lattice) and not mesh.is_curved:
        ends = np.array([np.abs(axis.coordinates).max() for axis in mesh.axes])
        with np.errstate(over="ignore"):
            largest = float((np.abs(mesh.origin) + ends @ np.abs(mesh.steps)).max())
    else:
        largest = float(np.nanmax(np.abs(mesh.points), initial=0.0, where=np.isfinite(mesh.points)))
        if not len(mesh) and (missing := ~finite_rows(mesh.points)).any():
            raise MeshError(
                f"{missing.sum()} of {len(missing)} points are not finite, such as number "
                f"{np.flatnonzero(missing)[0]}: leave them out"
            )
    if largest > LARGEST:
        raise MeshError(
            f"a coordinate of {largest:.3g} is beyond {LARGEST:.0e}, and areas and volumes are beyond what a computer "
            "holds: give the positions in another unit, or leave that point out"
        )


def as_data(arrays: Mapping[str, ArrayLike] | None, count: int, location: str) -> dict[str, np.ndarray]:
    """Arrays of numbers, a row for each of ``count`` points or cells, components (n, k); OptionError for others."""
    result = {}
    for name, given in (arrays or {}).items():
        values = np.asarray(np.ma.filled(given, np.nan) if isinstance(given, np.ma.MaskedArray) else given)
        if values.dtype.kind not in "fiub" or values.shape[:1] != (count,):
            raise OptionError(
                f"'{name}' is {values.dtype} {values.shape}: give numbers, a row for each of {count} {location}"
            )
        rows = values.reshape(count, int(np.prod(values.shape[1:]))) if values.ndim > 2 else values
        result[name] = np.ascontiguousarray(rows, np.float64 if rows.dtype.kind == "f" else None)
    return result


def as_noise(noise: ArrayLike, velocity: FloatArray) -> float | FloatArray:
    """Standard deviations of velocities (n, 3): a number, (n,) or (n, 3); OptionError for others."""
    try:
        values = np.asarray(np.ma.filled(noise, np.nan), np.float64)
    except (TypeError, ValueError):
        raise OptionError(f"noise is {noise!r}: give a number or an array of standard deviations") from None
    if values.ndim == 2 and values.shape[1] < 3:
        values = values[:, 0] if values.shape[1] == 1 else as_vectors(values, "noise")
    count = len(velocity)
    if values.ndim and values.shape not in ((count,), (count, 3)):
        raise OptionError(f"noise has the shape {values.shape}: give a number, ({count},) or ({count}, 3)")
    if not values.ndim:
        if not 0 <= values < np.inf:
            raise OptionError(f"noise is {values}: give the standard deviation of the velocity, zero or more")
        return float(values)
    _check_deviations(values.reshape(count, -1), velocity)
    return np.ascontiguousarray(values)


def _check_deviations(values: FloatArray, velocity: FloatArray) -> None:
    """OptionError for a negative value, and for one that is not finite beside a velocity that is."""
    missing = np.isfinite(velocity).all(axis=1) & ~np.isfinite(values).all(axis=1)
    bad = int(((values < 0).any(axis=1) | missing).sum())
    if bad:
        raise OptionError(
            f"noise is negative or not finite at {bad} of {len(values)} velocities: give their standard deviations, "
            "zero or more, or leave out those velocities (NaN)"
        )


def _location_by_length(mesh: Mesh, count: int) -> str:
    fits = [name for name, n in (("points", len(mesh.points)), ("cells", len(mesh))) if n == count]
    if len(fits) != 1:
        raise OptionError(
            f"{count} velocities for {len(mesh.points)} points and {len(mesh)} cells: say location='points' or 'cells'"
        )
    return fits[0]
