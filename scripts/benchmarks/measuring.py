"""Rows of the table of speed, times and sizes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from vtkmodules.vtkCommonCore import vtkSMPTools

from flowgrad import Flow, Mesh, velocity_gradient
from flowgrad.gradient import Scheme
from scripts.convergence import table
from scripts.convergence.table import Accuracy

# The first touch of memory is slow on virtual machines: so many runs come before those that count, or as
# many as fit into some seconds.
WARM_UP, WARM_SECONDS, PEER_SECONDS, REPEATS = 9, 12.0, 4.0, 7
# Tasks that take longer than this count three times.
LONG = 1.0


@dataclass(frozen=True)
class Sizes(table.Sizes):
    """How large the meshes are: points a side, and cubes a side of the blocks of tetrahedra."""

    tetrahedra: int = 55
    large: int = 110
    positions: int = 1_000_000
    files: int = 21
    step: int = 16


FULL = Sizes()
SMALL = Sizes(box=12, square=21, image=24, tetrahedra=10, large=20, draws=100, positions=10_000, files=4, step=5)


@dataclass(frozen=True)
class Speed:
    """Seconds of flowgrad and of a peer for the same, NaN where there is none to compare with, and of the peer on all
    cores, NaN where that is no difference; ``asked`` is the ratio that is wanted, 0 for none."""

    what: str
    ours: float
    peer: str
    theirs: float
    asked: float = 0.0
    threaded: float = np.nan

    @property
    def ratio(self) -> float:
        """How many times faster."""
        return self.theirs / self.ours

    @property
    def is_compared(self) -> bool:
        """Whether there was a peer."""
        return bool(np.isfinite(self.theirs))

    def markdown(self) -> str:
        """A line of the table of speed; dashes where there was no peer, ``peer`` says why."""
        if not self.is_compared:
            return f"| {self.what} | {seconds(self.ours)} | {self.peer or '–'} | – | – |"
        times, ratios = seconds(self.theirs), f"{self.ratio:.3g} ×"
        if np.isfinite(self.threaded):
            times, ratios = f"{times} ({seconds(self.threaded)})", f"{ratios} ({self.threaded / self.ours:.3g} ×)"
        return f"| {self.what} | {seconds(self.ours)} | {self.peer} | {times} | {ratios} |"

    def verdict(self) -> str:
        """What was asked for, and whether it is met."""
        if not self.asked:
            return ""
        met = ("met" if self.ratio >= self.asked else "MISSED") if self.is_compared else "not compared"
        return f"asked {self.asked:g} ×: {met}"


Row = Speed | Accuracy
Rows = Iterator[Row]


def seconds(value: float) -> str:
    """A time to three digits."""
    return f"{value:.3g} s" if value >= 0.1 else f"{1000 * value:.3g} ms"


def median_time(task: Callable[[], object], warm_seconds: float = WARM_SECONDS) -> float:
    """Median seconds of a task after runs that are not counted; long ones are repeated less often."""
    first = timed(task)
    for _ in range(1, min(WARM_UP, int(warm_seconds / first))):
        task()
    return statistics.median(timed(task) for _ in range(REPEATS if first < LONG else 3))


def timed(task: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def vtk_times(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of VTK's sequential backend, which counts, and of its threads."""
    found = []
    for backend in ("Sequential", "STDThread"):
        vtkSMPTools.SetBackend(backend)
        found.append(median_time(run, PEER_SECONDS))
    return found[0], found[1]


def beside_vtk(what: str, ours: float, peer: str, times: tuple[float, float], asked: float = 0.0) -> Speed:
    """A row against VTK."""
    return Speed(what, ours, peer, times[0], asked, times[1])


def fresh(mesh: Mesh, velocity: np.ndarray, location: str = "points") -> Flow:
    """A flow on a new mesh, which has no topology yet."""
    return Flow(Mesh(mesh.points, mesh.cells), velocity, location)


def scheme_time(mesh: Mesh, velocity: np.ndarray, scheme: Scheme, at: str = "points") -> float:
    """Median seconds of ``velocity_gradient`` on a new mesh each time."""
    return median_time(lambda: velocity_gradient(fresh(mesh, velocity), scheme, at))
