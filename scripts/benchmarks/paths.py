"""FTLE on a lattice beside SciPy's interpolators, with the same Runge–Kutta method and steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import NdBSpline, make_interp_spline
from scipy.ndimage import map_coordinates, spline_filter

from flowgrad import Flow, Lattice, velocity_gradient
from flowgrad.exact import TaylorGreen3D
from flowgrad.paths import ftle
from flowgrad.paths.dormand_prince import step
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, timed

STEPS, DURATION = 100, 4.0
# The peers move so many times fewer particles for so many steps, and their times are scaled.
_FEWER, _PEER_STEPS = 50, 2
_TURNS = 3

# v (m, 3) and L (m, 3, 3) at positions (m, 3).
Sampler = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """Taylor and Green's vortices on an image of n³ points in [0, 2π]³, which no particle leaves."""

    n: int

    @property
    def flow(self) -> Flow:
        """On a new lattice."""
        lattice = Lattice.uniform((self.n,) * 3, self.spacing)
        return Flow(lattice, TaylorGreen3D().velocity(lattice.points), "points")

    @property
    def spacing(self) -> float:
        """Of the points."""
        return 2 * np.pi / (self.n - 1)

    def seeds(self, count: int) -> np.ndarray:
        """Random positions (count, 3)."""
        return np.random.default_rng(0).uniform(0, 2 * np.pi, (count, 3))


def paths(sizes: Sizes) -> Rows:
    """FTLE of a million particles in 100 steps, the spline's making included, beside the faster peer."""
    case, count = Case(sizes.image), sizes.positions
    seeds, few = case.seeds(count), case.seeds(count // _FEWER)
    flow = case.flow
    ftle(flow, few, 0.0, DURATION, steps=1)
    ours = timed(lambda: ftle(flow, seeds, 0.0, DURATION, steps=STEPS))
    scale = (count / len(few)) * (STEPS / _PEER_STEPS)
    samplers = {name: make(flow, case) for name, make in PEERS.items()}
    times = {
        name: scale * min(timed(lambda each=each: deformed(each, few, _PEER_STEPS)) for _ in range(_TURNS))
        for name, each in samplers.items()
    }
    what = f"FTLE of {count:,} particles, {STEPS} steps, image {case.n}³"
    fastest = min(times, key=lambda name: times[name])
    for name, seconds in times.items():
        peer = f"{name}, from {len(few):,} particles and {_PEER_STEPS} steps"
        yield Speed(what, ours, peer, seconds, 5.0 if name == fastest else 0.0)
    yield _accuracy(flow, few[:1000], samplers)


def _accuracy(flow: Flow, seeds: np.ndarray, samplers: dict[str, Sampler]) -> Accuracy:
    """Of the exponents, against those of the flow itself."""
    exact = ftle(TaylorGreen3D(), seeds, 0.0, DURATION).values

    def deviation(values: np.ndarray) -> float:
        return float(np.sqrt(np.nanmean((values - exact) ** 2) / np.mean(exact**2)))

    ours = deviation(ftle(flow, seeds, 0.0, DURATION, steps=STEPS).values)
    theirs = {name: deviation(exponents(deformed(each, seeds, STEPS))) for name, each in samplers.items()}
    beside = ", ".join(f"{name} {value:.1e}" for name, value in theirs.items())
    return Accuracy("FTLE on that image: rms error over the rms", (ours,), beside)


def deformed(sampler: Sampler, seeds: np.ndarray, steps: int) -> np.ndarray:
    """F (m, 3, 3) after some of the 100 steps, all particles at once."""
    h = DURATION / STEPS

    def rate(t: float, y: np.ndarray) -> np.ndarray:
        v, L = sampler(y[:, :3])
        return np.hstack([v, np.einsum("nij,njk->nik", L, y[:, 3:].reshape(-1, 3, 3)).reshape(-1, 9)])

    y, first = np.hstack([seeds, np.tile(np.eye(3).ravel(), (len(seeds), 1))]), None
    for number in range(steps):
        y, rates = step(rate, number * h, y, h, first)
        first = rates[-1]
    return y[:, 3:].reshape(-1, 3, 3)


def exponents(F: np.ndarray) -> np.ndarray:
    """FTLE (m,)."""
    return np.log(np.linalg.svd(F, compute_uv=False)[:, 0]) / DURATION


def by_map_coordinates(flow: Flow, case: Case) -> Sampler:
    """v and L, at the points by differences of order 6, as twelve fields of cubic splines."""
    L = velocity_gradient(flow, "finite-difference(order=6)", at="points").L
    fields = np.hstack([flow.velocity, L.reshape(-1, 9)])
    filtered = [spline_filter(np.ascontiguousarray(flow.mesh.grid(each)), order=3) for each in fields.T]

    def sample(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = x.T / case.spacing
        found = [map_coordinates(each, at, order=3, prefilter=False, mode="nearest") for each in filtered]
        return np.stack(found[:3], axis=1), np.stack(found[3:], axis=1).reshape(-1, 3, 3)

    return sample


def by_nd_splines(flow: Flow, case: Case) -> Sampler:
    """v and its three derivatives by one tensor-product spline."""
    values, x = flow.mesh.grid(flow.velocity), case.spacing * np.arange(case.n)
    for axis in range(3):
        spline = make_interp_spline(x, np.moveaxis(values, axis, 0), k=3)
        values = np.moveaxis(spline.c, 0, axis)
    whole = NdBSpline((spline.t,) * 3, np.ascontiguousarray(values), 3)

    def sample(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        slopes = [whole(positions, nu=nu) for nu in np.eye(3, dtype=int)]
        return whole(positions), np.stack(slopes, axis=-1)

    return sample


PEERS: dict[str, Callable[[Flow, Case], Sampler]] = {
    "scipy map_coordinates(order=3) of v and L": by_map_coordinates,
    "scipy NdBSpline and its derivatives": by_nd_splines,
}
