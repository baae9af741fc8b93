"""Wall shear stress over a series: its time average, oscillation, residence time and part across its mean direction.

With τ(t) the wall shear stress, a vector in the wall, n the normal and T the time from the first step to the last,
TAWSS = (1/T) ∫|τ| dt and OSI = ½ (1 − |∫τ dt| / ∫|τ| dt) (Ku, Giddens, Zarins & Glagov 1985, Arteriosclerosis 5, 293;
in this form He & Ku 1996, J. Biomech. Eng. 118, 74), RRT = 1/((1 − 2 OSI) TAWSS) (Himburg et al. 2004, Am. J. Physiol.
Heart Circ. Physiol. 286, H1916), and transWSS = (1/T) ∫|τ · (n × m)| dt with m the direction of ∫τ dt (Peiffer,
Sherwin & Weinberg 2013, Cardiovasc. Res. 99, 242).

Integrals are those of the lines through |τ| and τ at the steps: the trapezoidal rule, for even and uneven times. The
sums of a part of a series are those of the intervals within it, and the interval between two parts is added when they
merge, so that no part needs to know of the others. The direction m is known at the end alone, and ∫|τ · d| dt for every
d is no sum of a few numbers; so the vectors of all steps are kept, as long as they take less memory than a bound.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError, OptionError
from flowgrad.moments import Moments
from flowgrad.records import Record
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray
from flowgrad.walls.series_records import OVER_TIME
from flowgrad.walls.surface import WallSurface

# What is averaged, and the vector that it is the size of.
VECTORS = {"wall_shear_stress": "wall_shear_stress", "wall_shear_rate": "shear_rate_vector"}
# A mean below this part of the mean size is rounding, and has no direction.
_ROUNDING = 1e-12
# Steps below this are too few to leave every other one out.
_LEAST = 5
# Bytes that the vectors of all steps may take.
MEMORY = 2**30


@dataclass(frozen=True, eq=False)
class WallStatistics(
    ReprMixin, line="surface quantity steps start end period", table="surface quantity steps start end period notes"
):
    """Averages over time on walls, of the steps of a series or of a part of one.

    ``quantity`` is ``wall_shear_stress``, or ``wall_shear_rate`` where no viscosity was given; ``times`` (s,) are those
    of the steps, in order; ``vector`` and ``size`` the moments of the vector and of its size, weighted by time;
    ``ends`` the vectors (k, 3) of the first and the last step; ``vectors`` those of all steps, None where they would
    take more memory than was allowed. With a ``period`` the interval from the last step to the first of the next
    period counts too. A step without a value on a face is left out there with its time.

    Values are (k,), NaN where no step has one. All raise OptionError for a single step, which has no average over time
    and waits for others to merge with.
    """

    surface: WallSurface
    quantity: str
    times: tuple[float, ...]
    vector: Moments
    size: Moments
    ends: tuple[FloatArray, FloatArray]
    vectors: tuple[FloatArray, ...] | None
    period: float | None = None
    first_notes: tuple[str, ...] = ()
    memory: int = MEMORY

    @classmethod
    def of_step(
        cls, surface: WallSurface, quantity: str, vectors: FloatArray, time: float, **more: Any
    ) -> WallStatistics:
        """The part that is a single step, with its vectors (k, 3); ``more`` are other fields."""
        # Its time begins and ends with it, so that it counts and weighs nothing.
        vector, size = (Moments.of_sample(each, 0.0) for each in (vectors, _sizes(vectors)))
        return cls(surface, quantity, (time,), vector, size, (vectors, vectors), (vectors,), **more)

    def __len__(self) -> int:
        return len(self.surface)

    @property
    def centroids(self) -> FloatArray:
        """Of the faces (k, 3)."""
        return self.surface.mesh.centroids

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.times)

    @property
    def start(self) -> float:
        """Time of the first step."""
        return self.times[0]

    @property
    def end(self) -> float:
        """Time of the last step."""
        return self.times[-1]

    def merge(self, other: WallStatistics) -> WallStatistics:
        """Those of both: of parts of a series that follow one another in time, in any order.

        The interval between the two counts, and a step that ends one and begins the other counts once. Raises
        OptionError for parts that overlap, for other quantities and periods, MeshError for other walls.
        """
        one, two = sorted((self, other), key=lambda each: each.times[0])
        check_alike(one, two, "the other statistics")
        return followed(copied(one), two)

    @property
    def time_averaged_wall_shear_stress(self) -> FloatArray:
        """TAWSS, (1/T) ∫|τ| dt; OptionError without a viscosity."""
        return self._average("wall_shear_stress")

    @property
    def time_averaged_wall_shear_rate(self) -> FloatArray:
        """(1/T) ∫ γ̇ dt on the wall; OptionError where the stress is averaged."""
        return self._average("wall_shear_rate")

    @property
    def mean_vector(self) -> FloatArray:
        """(1/T) ∫ τ dt (k, 3), of the shear rate's vector without a viscosity."""
        mean, _ = self._whole
        return mean.known(mean.mean)

    @property
    def count(self) -> NDArray[np.int64]:
        """Number of steps that have a value."""
        return self.size.count

    @property
    def oscillatory_shear_index(self) -> FloatArray:
        """OSI, ½ (1 − |∫τ dt| / ∫|τ| dt): 0 where τ keeps its direction, ½ where it has no mean; of the shear rate
        without a viscosity. NaN where there is no shear at all."""
        average = self._average(self.quantity)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.clip(0.5 * (1 - _sizes(self.mean_vector) / average), 0.0, 0.5)

    @property
    def relative_residence_time(self) -> FloatArray:
        """RRT, 1/((1 − 2 OSI) TAWSS), which is T/|∫τ dt|: infinite where τ has no mean. OptionError without a
        viscosity."""
        self._average("wall_shear_stress")
        with np.errstate(divide="ignore"):
            return 1 / np.where(self._has_direction | ~finite_rows(self.mean_vector), _sizes(self.mean_vector), 0.0)

    @property
    def transverse_wall_shear_stress(self) -> FloatArray:
        """transWSS, (1/T) ∫|τ · (n × m)| dt: NaN where τ has no mean direction m. OptionError without a viscosity, and
        where the vectors of all steps were not kept."""
        return self._across("wall_shear_stress")

    @property
    def transverse_wall_shear_rate(self) -> FloatArray:
        """The same of the shear rate; OptionError where the stress is averaged."""
        return self._across("wall_shear_rate")

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Everything known on the faces, by name."""
        names = [f"time_averaged_{self.quantity}", "oscillatory_shear_index"]
        names += ["relative_residence_time"] if self.quantity == "wall_shear_stress" else []
        names += [] if self.vectors is None else [f"transverse_{self.quantity}"]
        found = {
            "patch": self.surface.patches,
            "normal": self.surface.normals,
            "area": self.surface.areas,
            **{name: getattr(self, name) for name in names},
            f"{VECTORS[self.quantity]}_mean": self.mean_vector,
        }
        return found | ({"count": self.count} if (self.count < self.steps).any() else {})

    def record(self, name: str) -> Record:
        """The record of one of ``arrays``, with the dimension that it has here."""
        return OVER_TIME[name].known(dynamic=self.surface.dynamic)

    @cached_property
    def of_half_the_steps(self) -> WallStatistics | None:
        """The same without every other step, to tell how well the steps resolve the time; None for fewer than five
        steps, and where the vectors of all steps were not kept."""
        if self.vectors is None or self.steps < _LEAST:
            return None
        chosen, longest = [*range(0, self.steps, 2)], np.diff(self.times[::2]).max()
        # The last one of an even number goes too where a period is closed without it.
        if self.steps % 2 == 0 and not 0 < self._closing <= 2 * longest - (self.end - self.times[-2]):
            chosen.append(self.steps - 1)
        told = {"period": self.period, "memory": self.memory}
        parts = (self.of_step(self.surface, self.quantity, self.vectors[n], self.times[n], **told) for n in chosen)
        return functools.reduce(followed, parts, copied(next(parts)))

    @property
    def _resolution(self) -> list[str]:
        """How much the averages are others with half the steps, over the area."""
        half = self.of_half_the_steps
        if half is None:
            return []
        average, areas = self._average(self.quantity), self.surface.areas
        known = np.isfinite(self.oscillatory_shear_index) & np.isfinite(half.oscillatory_shear_index)
        if not areas[known].any():
            return []
        changes = half._average(self.quantity) - average, half.oscillatory_shear_index - self.oscillatory_shear_index
        of_average, of_index = (np.sqrt(areas[known] @ each[known] ** 2 / areas[known].sum()) for each in changes)
        share = of_average / np.sqrt(areas[known] @ average[known] ** 2 / areas[known].sum())
        return [
            f"without every other step the time average changes by {share:.2g} of itself, the oscillatory shear "
            f"index by {of_index:.2g} (root mean squares over the area)"
        ]

    @property
    def notes(self) -> tuple[str, ...]:
        """Over which time the averages are, how the walls were found, and what is not known on which faces."""
        lines = [self._span, *self._resolution]
        if self.vectors is None:
            lines.append(
                f"the vectors of {self.steps} steps on {len(self)} faces take more than {self.memory / 2**20:.0f} MiB: "
                "no stress across the mean direction (--block-memory, memory= in Python, allow more)"
            )
        short = self.count < self.steps
        if short.any():
            none = int((self.count == 0).sum())
            where = ", ".join(
                f"{int(short[self.surface.on(name)].sum())} of {name}"
                for name in self.surface.names
                if short[self.surface.on(name)].any()
            )
            lines.append(
                f"{int(short.sum())} of {len(self)} faces ({where}) lack some of {self.steps} steps, which are left "
                f"out there, and {none} all"
            )
        idle = ~self._has_direction & (self.count > 0)
        if idle.any():
            lines.append(
                f"on {int(idle.sum())} of {len(self)} faces there is no mean: no direction across it, and an infinite "
                "residence time"
            )
        return (*self.first_notes, *lines)

    @property
    def _span(self) -> str:
        said = f"averages are over {self.steps} steps from the time {self.start:g} to {self.end:g}"
        if self.period is None:
            return f"{said}; where they are a period without its end, give it (--period, period= in Python)"
        closing = self._closing
        if closing:
            return f"{said}, and over the {closing:g} more to the end of the period of {self.period:g}"
        return f"{said}, which is whole periods of {self.period:g}"

    @cached_property
    def _closing(self) -> float:
        """The interval from the last step to the end of the period; 0 where that is the last step itself.

        OptionError where it is longer than twice the longest between two steps.
        """
        if self.period is None:
            return 0.0
        self._check_steps()
        span = self.end - self.start
        rounding = 1e-6 * min(np.diff(self.times))
        closing = max(np.ceil((span - rounding) / self.period), 1.0) * self.period - span
        longest = float(np.diff(self.times).max())
        if closing > 2 * longest:
            raise OptionError(
                f"the steps from {self.start:g} to {self.end:g} end {closing:g} before whole periods of "
                f"{self.period:g}, and no two are more than {longest:g} apart: give the steps of whole periods, or "
                "another period"
            )
        return float(closing) if closing > rounding else 0.0

    @cached_property
    def _whole(self) -> tuple[Moments, Moments]:
        """The moments of the vector and of its size, the end of the period with them."""
        self._check_steps()
        if not self._closing:
            return self.vector, self.size
        whole, (first, last) = copied(self), self.ends
        _add_interval(whole.vector, last, first, self._closing)
        _add_interval(whole.size, _sizes(last), _sizes(first), self._closing)
        return whole.vector, whole.size

    def _check_steps(self) -> None:
        if self.steps < 2:
            raise OptionError(
                f"one step, at the time {self.start:g}, has no average over time: give a series, or merge it with "
                "others"
            )

    def _check_quantity(self, quantity: str) -> None:
        if quantity == self.quantity:
            return
        if quantity == "wall_shear_stress":
            raise OptionError("the stress on a wall needs the viscosity: give viscosity=, or take the shear rate's")
        raise OptionError("these are averages of the stress: leave out viscosity= for those of the shear rate")

    def _average(self, quantity: str) -> FloatArray:
        self._check_quantity(quantity)
        _, size = self._whole
        return size.known(size.mean)

    @cached_property
    def _has_direction(self) -> BoolArray:
        """Faces (k,) whose mean vector is no rounding."""
        return np.asarray(_sizes(self.mean_vector) > _ROUNDING * self._average(self.quantity))

    def _across(self, quantity: str) -> FloatArray:
        self._check_quantity(quantity)
        if self.vectors is None:
            raise OptionError(
                "the vectors of all steps were not kept, for want of memory: give more (--block-memory, memory= in "
                "Python), or fewer steps"
            )
        return self._transverse

    @cached_property
    def _transverse(self) -> FloatArray:
        assert self.vectors is not None
        mean = np.where(self._has_direction[:, None], self.mean_vector, np.nan)
        across = np.cross(self.surface.normals, mean / _sizes(mean)[:, None])
        total = np.zeros(len(self))
        for weight, vectors in zip(self._weights, self.vectors, strict=True):
            total += weight * np.abs(np.nan_to_num((vectors * np.nan_to_num(across)).sum(axis=1)))
        weight = self._whole[1].weight
        return np.where(self._has_direction, total / np.where(weight > 0, weight, 1.0), np.nan)

    @property
    def _weights(self) -> FloatArray:
        """Of each step (s,): half the intervals beside it."""
        halves = np.diff(self.times) / 2
        weights = np.concatenate([halves, [0.0]]) + np.concatenate([[0.0], halves])
        weights[[0, -1]] += self._closing / 2
        return weights


def _sizes(vectors: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((vectors**2).sum(axis=1)))


def _add_interval(moments: Moments, before: FloatArray, after: FloatArray, length: float) -> None:
    """Weigh the values at both ends of an interval by half its length; they have been counted."""
    for values in (before, after):
        sample = Moments.of_sample(values, length / 2)
        moments.absorb(dataclasses.replace(sample, count=0 * sample.count))


def copied(one: WallStatistics) -> WallStatistics:
    """The same with sums of its own, which others may be added to."""
    vector, size = (each.merge(each.empty()) for each in (one.vector, one.size))
    return dataclasses.replace(one, vector=vector, size=size)


def followed(one: WallStatistics, other: WallStatistics) -> WallStatistics:
    """A part with the one that follows it, which is added to the first one's sums."""
    (_, before), (after, last) = one.ends, other.ends
    interval, is_shared = other.start - one.end, other.start == one.end
    if interval < 0 or (is_shared and not np.array_equal(before, after, equal_nan=True)):
        raise OptionError(
            f"steps from the time {one.start:g} to {one.end:g} and from {other.start:g} to {other.end:g} "
            f"{'differ at this time' if is_shared else 'overlap'}: give parts that follow one another"
        )
    for moments, more, values in (
        (one.vector, other.vector, (before, after)),
        (one.size, other.size, (_sizes(before), _sizes(after))),
    ):
        moments.absorb(more)
        if is_shared:
            moments.count[...] -= finite_rows(after)
        else:
            _add_interval(moments, *values, interval)
    times, vectors = (*one.times, *other.times[is_shared:]), None
    if one.vectors is not None and other.vectors is not None and len(times) * before.nbytes <= one.memory:
        vectors = (*one.vectors, *other.vectors[is_shared:])
    return dataclasses.replace(one, times=times, ends=(one.ends[0], last), vectors=vectors)


def check_alike(one: WallStatistics, other: WallStatistics, what: str) -> None:
    """OptionError for other quantities, MeshError for other walls."""
    if one.quantity != other.quantity:
        raise OptionError(
            f"{what} is of the {other.quantity}, the first of the {one.quantity}: take one of them for all"
        )
    if one.period != other.period:
        raise OptionError(f"{what} has the period {other.period}, the first {one.period}: give the same to all")
    reason = one.surface.difference(other.surface)
    if reason:
        raise MeshError(
            f"{what} has other walls than the first: {reason}; name the same walls of one mesh (--walls, where= in "
            "Python)"
        )
