"""The statistics of a series as a result: means, fluctuations, extremes, Reynolds stresses, and the mean flow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.reprs import ReprMixin
from flowgrad.series import difference
from flowgrad.statistics.moments import Moments
from flowgrad.typing import FloatArray


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

    @property
    def notes(self) -> tuple[str, ...]:
        """Where steps lack values, and what was left out."""
        lines = []
        for name, each in self.moments.items():
            short, none = int((each.count < self.steps).sum()), int((each.count == 0).sum())
            if short:
                lines.append(f"{name}: {short} of {len(each.count)} places lack some of {self.steps} steps, {none} all")
        if self.first is not None and self.first.boundary and self.boundary is None:
            lines.append("velocities on the boundary are known on other faces at other steps and have no mean")
        return tuple(lines)

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it by names for files: ``NAME_mean``, ``NAME_rms``, ``NAME_minimum``, ``NAME_maximum``,
        ``NAME_count`` where steps are missing, and ``reynolds_stress``."""
        result: dict[str, np.ndarray] = {}
        for name, moments in self.moments.items():
            result |= {f"{name}_{what}": getattr(self, what)(name) for what in ("mean", "rms", "minimum", "maximum")}
            if (moments.count < self.steps).any():
                result[f"{name}_count"] = moments.count
        return result | ({"reynolds_stress": self.reynolds_stress} if "velocity" in self.moments else {})

    def flow(self) -> Flow:
        """The mean flow, with :meth:`arrays` as its arrays and the means of the velocities on the boundary.

        OptionError where the velocity is not among the quantities, or was not taken where it lives.
        """
        first = self.first
        if first is None or self.positions is not None or self.location != first.location:
            raise OptionError(f"the mean velocity is at {self.location}, not where the velocity lives: leave out at=")
        return dataclasses.replace(
            first,
            velocity=self.mean("velocity"),
            boundary=self._mean_patches(first),
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
        boundary = None
        if self.boundary is not None and other.boundary is not None and same_faces(self.first, other.first):
            boundary = self.boundary.merge(other.boundary)
        return dataclasses.replace(self, moments=merged, steps=self.steps + other.steps, boundary=boundary)

    def _of(self, name: str) -> Moments:
        if name not in self.moments:
            raise OptionError(f"no statistics of '{name}': there are those of {', '.join(self.moments)}")
        return self.moments[name]

    def _mean_patches(self, first: Flow) -> tuple[Patch, ...]:
        if self.boundary is None:
            return ()
        ends = np.cumsum([len(patch.faces) for patch in first.boundary])[:-1]
        means = np.split(self.boundary.known(self.boundary.mean), ends)
        return tuple(Patch(patch.name, patch.faces, mean) for patch, mean in zip(first.boundary, means, strict=True))


def check_same(one: SeriesStatistics, other: SeriesStatistics, what: str) -> None:
    """OptionError where the other ones are at another place, MeshError where they are on another mesh."""
    if one.location != other.location or not _same_positions(one.positions, other.positions):
        raise OptionError(f"{what} is at {other.location}, and the first is at {one.location}: take one place for all")
    if one.first is None or other.first is None or one.first.mesh is other.first.mesh:
        return
    reason = difference(one.first.mesh, other.first.mesh)
    if reason:
        raise MeshError(f"{what} is on another mesh than the first: {reason}; take its statistics on its own")


def _same_positions(one: FloatArray | None, other: FloatArray | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def same_faces(one: Flow | None, other: Flow | None) -> bool:
    """Whether the velocity is known on the same faces of the boundary."""
    own, new = ([] if flow is None else flow.boundary for flow in (one, other))
    return len(own) == len(new) and all(np.array_equal(a.faces, b.faces) for a, b in zip(own, new, strict=True))
