"""A series: flows on one mesh, each made only when it is asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow
from flowgrad.mesh import CellFaces, Lattice, Mesh
from flowgrad.reprs import html_table, in_line

if TYPE_CHECKING:
    from flowgrad.io import ReadOptions, Step


@dataclass(frozen=True, eq=False)
class Series(Sequence[Flow]):
    """A lazy sequence of flows on one mesh, with the velocity at one location.

    ``makers`` make its steps; a step is made each time it is asked for, only the first is kept. All get
    the mesh object of the first, so that the mesh's geometry is computed once. Raises MeshError for a step whose
    mesh is another one and OptionError for one whose velocity is elsewhere, both naming the step.
    """

    makers: tuple[Callable[[], Flow], ...]

    def __post_init__(self) -> None:
        if not self.makers:
            raise OptionError("a series needs at least one step: give flows, files or times")

    @classmethod
    def from_flows(cls, flows: Iterable[Flow]) -> Series:
        """A series of flows that are in memory."""
        return cls(tuple(partial(_itself, flow) for flow in flows))

    @classmethod
    def read(cls, paths: Iterable[str | Path], **options: Any) -> Series:
        """A series of files, in the order given, with the options of :func:`flowgrad.read`."""
        from flowgrad.io import read

        return cls(tuple(partial(read, path, **options) for path in paths))

    @classmethod
    def from_arrays(
        cls,
        mesh: Mesh,
        times: ArrayLike,
        velocities: Sequence[ArrayLike] | np.ndarray,
        location: str = "points",
        **fields: Any,
    ) -> Series:
        """A series of velocities (k, n, 3) at times (k,) on a mesh; ``fields`` are others of every
        :class:`Flow`, such as ``noise``."""
        moments = np.asarray(times, float).tolist()
        if len(moments) != len(velocities):
            raise OptionError(f"there are {len(moments)} times for {len(velocities)} velocities: give one for each")
        pairs = zip(moments, velocities, strict=True)
        return cls(tuple(partial(Flow, mesh, v, location, time, **fields) for time, v in pairs))

    def __len__(self) -> int:
        return len(self.makers)

    def __repr__(self) -> str:
        return f"Series({len(self)} steps{f', first {self._first!r}' if '_first' in self.__dict__ else ''})"

    def _repr_html_(self) -> str:
        first = self._first
        rows = (("steps", str(len(self))), ("first", in_line(first)), ("velocity", f"at {first.location}"))
        return html_table("Series", rows)

    @overload
    def __getitem__(self, index: int) -> Flow: ...
    @overload
    def __getitem__(self, index: slice) -> Series: ...
    def __getitem__(self, index: int | slice) -> Flow | Series:
        """A step, or a part of the series."""
        if isinstance(index, slice):
            return Series(self.makers[index])
        number = range(len(self))[index]
        return self._first if number == 0 else self._checked(number, self.makers[number]())

    @cached_property
    def _first(self) -> Flow:
        return self.makers[0]()

    @property
    def mesh(self) -> Mesh:
        """The mesh of all steps."""
        return self._first.mesh

    def _checked(self, number: int, flow: Flow) -> Flow:
        """The flow on the mesh of the first step."""
        what = f"step {number} of the series ({flow.name})"
        if flow.location != self._first.location:
            where = f"at {flow.location}, step 0 at {self._first.location}"
            raise OptionError(f"{what} has its velocity {where}: say which is meant with location=")
        if flow.mesh is self.mesh:
            return flow
        reason = difference(self.mesh, flow.mesh)
        if reason:
            raise MeshError(f"{what} is on another mesh than step 0: {reason}; analyse it on its own")
        return dataclasses.replace(flow, mesh=self.mesh)


def read_series(path: str | Path, **options: Any) -> Series:
    """All times of a file, in their order, with the options of :func:`flowgrad.read` but ``time``; a file of
    one time makes a series of one.

    A step is read when it is asked for. Raises ReadError for a file that cannot be read.
    """
    from flowgrad.io import ReadOptions, steps_of

    if options.get("time") is not None:
        raise OptionError(f"{path}: a series takes all times: leave out time, or index the series")
    steps = [step for step in steps_of(path) if not step.is_start]
    return Series(tuple(partial(_flow_of, step, ReadOptions(**options)) for step in steps))


def _flow_of(step: Step, options: ReadOptions) -> Flow:
    from flowgrad.io import flow_of

    return flow_of(step.contents(), options)


def _itself(flow: Flow) -> Flow:
    return flow


def difference(one: Mesh, other: Mesh) -> str:
    """What distinguishes two meshes; empty where all their numbers are equal."""
    if isinstance(one, Lattice) and isinstance(other, Lattice):
        same = all(np.array_equal(a, b) for a, b in zip(_numbers(one), _numbers(other), strict=True))
        return "" if same else "its lattice is another one"
    for what, a, b in (("points", one.points, other.points), ("cells", one.cells.types, other.cells.types)):
        if len(a) != len(b):
            return f"it has {len(b)} {what} instead of {len(a)}"
    moved = (one.points != other.points) & ~(np.isnan(one.points) & np.isnan(other.points))
    if moved.any():
        return f"{int(moved.any(axis=1).sum())} of {len(moved)} points have moved"
    here, there = (np.empty(0) if each.plates is None else each.plates for each in (one, other))
    if not np.array_equal(here, there):
        return "its plates, faces with patches on both sides, are others"
    same = all(np.array_equal(getattr(one.cells, n), getattr(other.cells, n)) for n in _CELLS)
    return "" if same and _same_faces(one.cells.polyhedra, other.cells.polyhedra) else "its cells are others"


def _numbers(lattice: Lattice) -> list[np.ndarray]:
    """All that makes a lattice, without its points."""
    axes = [axis.coordinates for axis in lattice.axes]
    periods = np.array([axis.period or 0.0 for axis in lattice.axes])
    curve = np.empty(0) if lattice.curve is None else lattice.curve
    return [*axes, periods, lattice.steps, lattice.origin, lattice.shifts, curve]


_CELLS = ("types", "offsets", "connectivity")


def _same_faces(one: CellFaces | None, other: CellFaces | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("connectivity", "offsets", "cell_offsets"))
