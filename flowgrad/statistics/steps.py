"""Statistics of a series: one pass over its steps, in parts that merge."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import Scheme, velocity_gradients
from flowgrad.gradient.rates import check_times, time_of
from flowgrad.kinematics import VelocityGradient
from flowgrad.moments import Moments
from flowgrad.reprs import ReprMixin
from flowgrad.series import difference
from flowgrad.statistics.sampling import BlockVariances
from flowgrad.typing import FloatArray

# Of so small a part of the steps that are independent a note tells.
_CORRELATED = 0.8

__all__ = ["Moments", "SeriesStatistics", "series_statistics"]


@dataclass(frozen=True, eq=False)
class SeriesStatistics(ReprMixin, line="moments steps location", table="moments steps location notes"):
    """Statistics over the steps of a series, of each quantity by its name, at each place of the mesh.

    ⟨ ⟩ is the mean over the steps, weighted if weights were given, and a prime the deviation from it: ``rms`` is
    √⟨q'²⟩, ``reynolds_stress`` ⟨v'_i v'_j⟩ (divided by the sum of the weights, not by one less than the number of
    steps). A step without a value at a place is left out there, and ``count`` tells how many were not. ``first`` is the
    first step without its arrays (None for tensors without a flow), ``boundary`` the moments of the velocities on its
    patches.
    """

    moments: Mapping[str, Moments]
    steps: int
    first: Flow | None = None
    location: str | None = None
    positions: FloatArray | None = None
    boundary: Moments | None = None
    noise: Mapping[str, Moments] = field(default_factory=dict)
    blocks: Mapping[str, BlockVariances] = field(default_factory=dict)

    def mean(self, name: str) -> FloatArray:
        """⟨q⟩, of the quantity's own shape; NaN where no step has a value."""
        moments = self._of(name)
        return moments.known(moments.mean)

    def variance(self, name: str) -> FloatArray:
        """⟨q'²⟩ of each component."""
        return self._of(name).variance

    def rms(self, name: str) -> FloatArray:
        """Root mean square of the fluctuations, √⟨q'²⟩, of each component."""
        return np.sqrt(self.variance(name))

    def minimum(self, name: str) -> FloatArray:
        """Smallest value of each component."""
        return self._of(name).known(self._of(name).lowest)

    def maximum(self, name: str) -> FloatArray:
        """Largest value of each component."""
        return self._of(name).known(self._of(name).highest)

    def count(self, name: str) -> NDArray[np.int64]:
        """Number of steps that have a value (n,)."""
        return self._of(name).count

    def covariance(self, name: str) -> FloatArray:
        """⟨q'_i q'_j⟩ (n, 3, 3) of a vector; OptionError for others."""
        return self._of(name).covariance

    @property
    def reynolds_stress(self) -> FloatArray:
        """⟨v'_i v'_j⟩ (n, 3, 3) (Pope 2000, Turbulent Flows, §4.2, without the density)."""
        return self.covariance("velocity")

    def independent(self, name: str = "velocity") -> float:
        """Number of independent steps that tell as much of the mean of a quantity as all do, pooled over places; that
        of all where fewer than eight do not tell."""
        count = self.count(name)
        spread = (self.variance(name).reshape(len(count), -1) * (count / np.maximum(count - 1, 1))[:, None])[count > 1]
        known = spread[np.isfinite(spread)]
        factor = self.blocks[name].factor(float(known.mean())) if name in self.blocks and len(known) else math.nan
        return self.steps / factor if factor >= 1 else float(self.steps)

    def standard_error(self, name: str) -> FloatArray:
        """Standard deviation of the mean of a quantity that so many :meth:`independent` steps leave, of its shape."""
        return np.sqrt(self.variance(name) / self._spared(name))

    @property
    def reynolds_stress_error(self) -> FloatArray:
        """Standard deviation (n, 3, 3) of ⟨v'_i v'_j⟩ that so many independent steps leave, of Gaussian velocities:
        √((⟨v'_i²⟩⟨v'_j²⟩ + ⟨v'_i v'_j⟩²)/N) (Benedict & Gould 1996, Exp. Fluids 22, 129)."""
        stress = self.reynolds_stress
        normal = np.einsum("nii->ni", stress)
        return np.sqrt((normal[:, :, None] * normal[:, None, :] + stress**2) / self._spared("velocity"))

    def _spared(self, name: str) -> float:
        """Independent steps but the one that gives the mean."""
        return max(self.independent(name) - 1, 1.0) if self.steps > 1 else math.nan

    def noise_variance(self, name: str) -> FloatArray:
        """⟨σ²⟩ that the noise of the velocity makes of each component, of the quantity's own shape: of the velocity and
        of what is linear in L; zero where it is not known."""
        moments = self._of(name)
        if name not in self.noise:
            return np.zeros((len(moments.mean), *moments.shape))
        noise = self.noise[name]
        return noise.known(noise.mean)

    @property
    def turbulent_reynolds_stress(self) -> FloatArray:
        """``reynolds_stress`` without the part of the velocity's noise, ⟨σ_i²⟩δ_ij; the same where it is not known."""
        stress = self.reynolds_stress.copy()
        noise = self.noise_variance("velocity")
        for i in range(3):
            stress[:, i, i] -= noise[:, i]
        return stress

    @property
    def notes(self) -> tuple[str, ...]:
        """Where steps lack values, how many are independent, what noise makes, and what was left out."""
        lines = []
        if self.steps == 1:
            lines.append("one step tells no fluctuations: what is said of them is zero or not known")
        if "velocity" in self.blocks and self.independent() < _CORRELATED * self.steps:
            lines.append(
                f"velocities of successive steps resemble each other: {self.steps} count as {self.independent():.3g} "
                "independent ones"
            )
        if "velocity" in self.noise and "velocity" in self.moments:
            part, whole = (np.nansum(each) for each in (self.noise_variance("velocity"), self.variance("velocity")))
            if whole > 0:
                lines.append(f"noise makes {min(part / whole, 9.99):.2g} of the fluctuations' energy")
        for name, each in self.moments.items():
            short, none = int((each.count < self.steps).sum()), int((each.count == 0).sum())
            if short:
                lines.append(f"{name}: {short} of {len(each.count)} places lack some of {self.steps} steps, {none} all")
        if self.first is not None and self.first.boundary and self.boundary is None:
            lines.append("velocities on the boundary are known on other faces at other steps and have no mean")
        return tuple(lines)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it by names for files: ``NAME_mean``, ``NAME_rms``, ``NAME_minimum``, ``NAME_maximum``,
        ``NAME_standard_error``, ``NAME_count`` where steps are missing, and ``reynolds_stress`` with its error."""
        result: dict[str, np.ndarray] = {}
        for name, moments in self.moments.items():
            result |= {f"{name}_{what}": getattr(self, what)(name) for what in ("mean", "rms", "minimum", "maximum")}
            if (moments.count < self.steps).any():
                result[f"{name}_count"] = moments.count
            if self.steps > 1:
                result[f"{name}_standard_error"] = self.standard_error(name)
        if "velocity" not in self.moments:
            return result
        result["reynolds_stress"] = self.reynolds_stress
        if self.steps > 1:
            result["reynolds_stress_error"] = self.reynolds_stress_error
        if "velocity" in self.noise:
            result["turbulent_reynolds_stress"] = self.turbulent_reynolds_stress
        return result

    def flow(self) -> Flow:
        """The mean flow, with :meth:`arrays` as its arrays and the means of the velocities on the boundary.

        OptionError where the velocity is not among the quantities, or was not taken where it lives.
        """
        first = self.first
        if first is None or self.positions is not None or self.location != first.location:
            raise OptionError(f"the mean velocity is at {self.location}, not where the velocity lives: leave out at=")
        patches: tuple[Patch, ...] = ()
        if self.boundary is not None:
            ends = np.cumsum([len(patch.faces) for patch in first.boundary])[:-1]
            means = zip(first.boundary, np.split(self.boundary.known(self.boundary.mean), ends), strict=True)
            patches = tuple(Patch(patch.name, patch.faces, mean) for patch, mean in means)
        return dataclasses.replace(
            first,
            velocity=self.mean("velocity"),
            boundary=patches,
            **{"point_data" if self.location == "points" else "cell_data": self.arrays()},  # type: ignore[arg-type]
        )

    def merge(self, other: SeriesStatistics) -> SeriesStatistics:
        """Those of the steps of both: of parts of a series that were taken apart, or of two runs on one mesh.

        A step that ends one part and begins the next, as time weights need it, is counted in both. Raises OptionError
        for other quantities or another place, MeshError for another mesh.
        """
        if set(self.moments) != set(other.moments):
            raise OptionError(
                f"statistics of {', '.join(other.moments)} do not merge with those of {', '.join(self.moments)}: take "
                "the same quantities"
            )
        check_same(self, other, "the other statistics")
        merged = {name: moments.merge(other.moments[name]) for name, moments in self.moments.items()}
        noise = {name: each.merge(other.noise[name]) for name, each in self.noise.items() if name in other.noise}
        blocks = {name: each.merge(other.blocks[name]) for name, each in self.blocks.items()}
        boundary = None
        if self.boundary is not None and other.boundary is not None and same_faces(self.first, other.first):
            boundary = self.boundary.merge(other.boundary)
        steps = self.steps + other.steps
        return dataclasses.replace(self, moments=merged, steps=steps, boundary=boundary, noise=noise, blocks=blocks)

    def _of(self, name: str) -> Moments:
        if name not in self.moments:
            raise OptionError(f"no statistics of '{name}': there are those of {', '.join(self.moments)}")
        return self.moments[name]


def check_same(one: SeriesStatistics, other: SeriesStatistics, what: str) -> None:
    """OptionError where the other ones are at another place, MeshError where they are on another mesh."""
    same = one.positions is other.positions
    if one.positions is not None and other.positions is not None:
        same = same or np.array_equal(one.positions, other.positions)
    if one.location != other.location or not same:
        raise OptionError(f"{what} is at {other.location}, and the first is at {one.location}: take one place for all")
    if one.first is None or other.first is None or one.first.mesh is other.first.mesh:
        return
    reason = difference(one.first.mesh, other.first.mesh)
    if reason:
        raise MeshError(f"{what} is on another mesh than the first: {reason}; take its statistics on its own")


def same_faces(one: Flow | None, other: Flow | None) -> bool:
    """Whether the velocity is known on the same faces of the boundary."""
    own, new = ([] if flow is None else flow.boundary for flow in (one, other))
    return len(own) == len(new) and all(np.array_equal(a.faces, b.faces) for a, b in zip(own, new, strict=True))


# Quantities linear in L, of whose mean square noise makes a part that adds.
_LINEAR = ("L", "D", "W", "vorticity", "divergence")
Step: TypeAlias = Flow | VelocityGradient


def series_statistics(
    steps: Iterable[Step],
    quantities: Sequence[str] = ("velocity",),
    *,
    weights: str | Iterable[float] | None = None,
    scheme: Scheme | str = "auto",
    at: str | ArrayLike | None = None,
) -> SeriesStatistics:
    """Mean, fluctuations, extremes and count of quantities over the steps of a series, in one pass over it.

    ``steps`` are flows, a ``Series`` above all, whose gradients are computed by ``scheme`` ``at`` a place where a
    quantity needs them, or gradients, one after the other as :func:`flowgrad.velocity_gradients` gives them (with
    ``rates`` or ``second`` for the quantities that need these). ``quantities`` are ``velocity`` and names of the
    registry. All steps weigh the same unless ``weights`` gives positive numbers, one for each, or says ``time``: half
    the interval between a step's neighbours, the trapezoidal rule for uneven times. Raises OptionError for no
    steps, an unknown quantity, weights that do not fit and steps at another place, MeshError for another mesh.
    """
    if isinstance(steps, (Flow, VelocityGradient)):
        raise OptionError("a single step has no statistics: give several in a list, a Series, or velocity_gradients(…)")
    names = (quantities,) if isinstance(quantities, str) else tuple(dict.fromkeys(quantities))
    if not names:
        raise OptionError("no quantities are named: give velocity, or names of 'flowgrad list quantities'")
    running: SeriesStatistics | None = None
    number = -1
    for number, (step, weight) in enumerate(_weighted(_prepared(steps, names, scheme, at), weights)):
        one = _of_step(step, names, weight)
        if running is None:
            moments, noise = (
                {name: each.empty() for name, each in these.items()} for these in (one.moments, one.noise)
            )
            boundary = None if one.boundary is None else one.boundary.empty()
            blocks = {name: BlockVariances() for name in names}
            running = dataclasses.replace(one, moments=moments, boundary=boundary, noise=noise, blocks=blocks)
        check_same(running, one, f"step {number}")
        for name, each in one.moments.items():
            running.moments[name].absorb(each)
            running.blocks[name].add(each.mean, each.count > 0)
        if running.noise.keys() != one.noise.keys():
            both = {name: each for name, each in running.noise.items() if name in one.noise}
            running = dataclasses.replace(running, noise=both)
        for name, each in running.noise.items():
            each.absorb(one.noise[name])
        kept = running.boundary
        if kept is None:
            continue
        if one.boundary is None or not same_faces(running.first, one.first):
            # Its mean is given up where the faces are others.
            running = dataclasses.replace(running, boundary=None)
        else:
            kept.absorb(one.boundary)
    if running is None:
        raise OptionError("there are no steps: give flows or velocity gradients")
    return dataclasses.replace(running, steps=number + 1)


def _of_step(step: Step, names: tuple[str, ...], weight: float) -> SeriesStatistics:
    """Statistics of one step."""
    flow, positions = (step, None) if isinstance(step, Flow) else (step.flow, step.positions)
    values = {name: step.velocity if isinstance(step, Flow) else step[name] for name in names}
    boundary = None
    if flow is not None:
        if flow.boundary:
            boundary = Moments.of_sample(np.concatenate([patch.velocity for patch in flow.boundary]), weight)
        flow = dataclasses.replace(flow, time=None, point_data={}, cell_data={}, field_data={}, source=None, noise=None)
    moments = {name: Moments.of_sample(each, weight) for name, each in values.items()}
    deviations = {name: each for name in names if (each := _deviation(step, name, values[name])) is not None}
    noise = {name: Moments.of_sample(each**2, weight) for name, each in deviations.items()}
    return SeriesStatistics(moments, 1, flow, step.location, positions, boundary, noise)


def _deviation(step: Step, name: str, values: np.ndarray) -> np.ndarray | None:
    """What the noise makes of a quantity, as a standard deviation of its shape; None where it is not known."""
    if name == "velocity":
        flow = step if isinstance(step, Flow) else step.flow
        if flow is None or flow.noise is None or len(values) != len(flow.velocity):
            return None
        deviation = np.asarray(flow.noise)
        return np.broadcast_to(deviation[:, None] if deviation.ndim == 1 else deviation, values.shape)
    carried = isinstance(step, VelocityGradient) and name in _LINEAR and step.carries_noise(name)
    return step.std(name) if carried else None  # type: ignore[union-attr]


def _prepared(
    steps: Iterable[Step], names: tuple[str, ...], scheme: Scheme | str, at: str | ArrayLike | None
) -> Iterator[Step]:
    """The steps as they are, or the gradients of flows where a quantity needs them."""
    remaining = iter(steps)
    first = next(remaining, None)
    if first is None:
        return iter(())
    is_gradient = isinstance(first, VelocityGradient)
    if is_gradient and (at is not None or scheme != "auto"):
        raise OptionError("scheme= and at= are for flows: the gradients have theirs")
    looked_at = [first]
    del first

    def again() -> Iterator[Step]:
        # Nothing holds the step that was looked at when the next one is made.
        yield looked_at.pop()
        yield from remaining

    if is_gradient or (names == ("velocity",) and at is None):
        return again()
    return velocity_gradients(again(), scheme, at)  # type: ignore[arg-type]


def _weighted(steps: Iterator[Step], weights: str | Iterable[float] | None) -> Iterator[tuple[Step, float]]:
    if weights is None:
        return ((step, 1.0) for step in steps)
    if isinstance(weights, str):
        if weights != "time":
            raise OptionError(f"weights='{weights}' is unknown: say time, or give one number for each step")
        return _by_time(steps)
    if not isinstance(weights, Iterable):
        raise OptionError(f"weights={weights!r}: say time, or give one number for each step")
    return _by_number(steps, iter(weights))


def _by_number(steps: Iterator[Step], weights: Iterator[float]) -> Iterator[tuple[Step, float]]:
    number = -1
    for number, step in enumerate(steps):
        weight = next(weights, None)
        if weight is None or not 0 < weight < math.inf:
            raise OptionError(f"the weight of step {number} is {weight}: give a positive number for each step")
        yield step, float(weight)
    if next(weights, None) is not None:
        raise OptionError(f"there are more weights than the {number + 1} steps: give one for each")


def _by_time(steps: Iterator[Step]) -> Iterator[tuple[Step, float]]:
    """Each with half the interval between its neighbours, the first and the last with half of their one interval."""
    held: Step | None = None
    times: list[float] = []
    for number, step in enumerate(steps):
        times = [*times[-2:], time_of(step if isinstance(step, Flow) else step.flow, number)]
        check_times(times, number)
        if held is not None:
            yield held, abs(times[-1] - times[0]) / 2
        held = step
    if held is None:
        return
    if len(times) < 2:
        raise OptionError("weights='time' needs the interval to another step, and there is one: leave out weights")
    yield held, abs(times[-1] - times[-2]) / 2
