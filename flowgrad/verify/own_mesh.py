"""The schemes on a user's own mesh: their errors for a flow in closed form that is put on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from flowgrad.errors import FlowgradError
from flowgrad.exact import ExactFlow
from flowgrad.flow import Flow
from flowgrad.gradient import Autodiff, FiniteDifference, Operator, Scheme, choose_scheme
from flowgrad.gradient.lattice import lattice_operator
from flowgrad.gradient.local_fits.fits import LocalFits
from flowgrad.gradient.local_fits.operator import PolynomialFits
from flowgrad.gradient.prepared import prepare
from flowgrad.typing import BoolArray, FloatArray, IntArray
from flowgrad.verify.exactness import of_fit, of_lattice
from flowgrad.verify.manufactured import Manufactured
from flowgrad.verify.measure import Deviation, at_boundary, places

# So many points or cells are looked at, chosen at random where there are more.
_MOST = 20_000
_FITS, _LATTICE = (1, 2, 3, 4), (2, 4, 6, 8)
# Seconds after which no further scheme is begun.
_BUDGET = 12.0
# Linear flows come out to this; less well only where cells are so much smaller than the mesh that the
# rounding of the velocities shows.
_EXACT, _ROUNDING = 1e-9, 200 * float(np.finfo(float).eps)


@dataclass(frozen=True)
class Tried:
    """What a scheme gave: its error for the waves, the estimate of that error, the largest error for a
    linear flow, and how many fits had to do with a lower order."""

    name: str
    scheme: Scheme
    deviation: Deviation
    estimated: float
    linear: float
    lowered: IntArray

    @property
    def effectivity(self) -> float:
        """The estimated error over the true one."""
        return self.estimated / self.deviation.overall if self.deviation.overall else np.nan


@dataclass(frozen=True, eq=False)
class Probe:
    """A scheme prepared for a flow, whose gradients are taken at some places only."""

    operator: Operator
    chosen: IntArray

    @cached_property
    def _fits(self) -> LocalFits | None:
        """The fits around the chosen places alone; None where all gradients are taken at once."""
        if not isinstance(self.operator, PolynomialFits):
            return None
        fits = self.operator.fits
        chosen = replace(fits, targets=fits.targets[self.chosen])
        chosen.kept  # noqa: B018 - for two flows and more
        return chosen

    def gradients(self, flow: Flow) -> FloatArray:
        """L (k, 3, 3) at the places."""
        if self._fits is None:
            return self.operator.gradients(flow).L[self.chosen]
        return self._fits.first(self._fits.kept, self.operator.samples(flow))[0]

    def lowered(self, flow: Flow) -> IntArray:
        """The places whose fits have a lower order than asked for."""
        if self._fits is None:
            return np.empty(0, np.int64)
        order = self._fits.first(self._fits.kept, self.operator.samples(flow))[1]
        return self.chosen[(order > 0) & (order < self._fits.order)]


@dataclass(frozen=True, eq=False)
class Trial:
    """All schemes for the gradient of a user's flow ``at`` its points or cells."""

    made: Manufactured
    at: str
    deadline: float
    left_out: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @cached_property
    def waves(self) -> Flow:
        """The smooth flow."""
        return self.made.flow(self.made.waves)

    @cached_property
    def linear(self) -> Flow:
        """The linear flow."""
        return self.made.flow(self.made.linear)

    @property
    def places(self) -> FloatArray:
        """All points, or the centroids of all cells."""
        return places(self.made.mesh, self.at)

    @cached_property
    def usable(self) -> BoolArray:
        """Where a gradient should be: cells of full dimension with a volume, points of such cells."""
        mesh = self.made.mesh
        finite = np.asarray(np.isfinite(self.places).all(axis=1))
        if not mesh.dimension:
            return finite
        proper = mesh.is_full & (mesh.measures > 0)
        if self.at == "cells":
            return finite & proper
        used = np.zeros(mesh.point_count, bool)
        used[mesh.cells.connectivity[np.repeat(proper, np.diff(mesh.cells.offsets))]] = True
        return finite & used

    @cached_property
    def chosen(self) -> IntArray:
        """The places that are looked at."""
        all_of_them = np.flatnonzero(self.usable)
        if len(all_of_them) <= _MOST:
            return all_of_them
        return np.sort(np.random.default_rng(0).choice(all_of_them, _MOST, replace=False))

    @cached_property
    def schemes(self) -> dict[str, Scheme]:
        """Those that fit the data, by name; the one that ``auto`` takes is among them."""
        flow, found = self.waves, dict[str, Scheme]()
        if flow.location == "points" and flow.mesh.dimension:
            found["autodiff"] = Autodiff()
        if self.on_lattice:
            found |= {f"lattice, order {p}": FiniteDifference(order=p) for p in _LATTICE}
        found |= {f"fits, order {p}": FiniteDifference(order=p, lattice=False) for p in _FITS}
        return found if self.auto in found.values() else {**found, "auto": self.auto}

    @cached_property
    def on_lattice(self) -> bool:
        """Whether the values form a lattice."""
        plain = self.at == self.waves.location and self.waves.axisymmetric in (None, "none")
        return plain and lattice_operator(self.waves, 2) is not None

    @cached_property
    def auto(self) -> Scheme:
        """What ``auto`` takes here, in the form of the list."""
        scheme = choose_scheme(self.waves, self.at)[0]
        if isinstance(scheme, FiniteDifference) and not (self.on_lattice and scheme.order > 1):
            return replace(scheme, lattice=False)
        return scheme

    @cached_property
    def tried(self) -> list[Tried]:
        """What the schemes gave, as far as the time allows."""
        results = []
        for name, scheme in self.schemes.items():
            if time.perf_counter() > self.deadline:
                self.left_out.append(name)
                continue
            try:
                results.append(self._tried(name, scheme))
            except FlowgradError as error:
                self.refused.append(f"{name}: {error}")
        return results

    def _tried(self, name: str, scheme: Scheme) -> Tried:
        probe = self._probe(scheme)
        L = probe.gradients(self.waves)
        seen = self._seen(probe)
        deviation = Deviation.of(L, self._exact(self.made.waves) @ seen, self._boundary[self.chosen])
        off = np.abs(probe.gradients(self.linear) - self._exact(self.made.linear) @ seen)
        linear = float(np.nanmax(off, initial=0.0) / np.abs(self.linear_gradient).max())
        return Tried(name, scheme, deviation, self._estimate(scheme, L), linear, probe.lowered(self.waves))

    def _probe(self, scheme: Scheme) -> Probe:
        return Probe(prepare(scheme, self.waves, self.at), self.chosen)

    def _seen(self, probe: Probe) -> FloatArray:
        """The projection on the tangent plane of a curved surface, as the scheme sees it: the gradient of x."""
        if not self.made.directions.curved:
            return np.eye(3)
        mesh = self.made.mesh
        return probe.gradients(replace(self.waves, velocity=places(mesh, self.waves.location)))

    def _exact(self, flow: ExactFlow) -> FloatArray:
        return flow.gradient(self.places[self.chosen])

    @property
    def linear_gradient(self) -> FloatArray:
        """That of the linear flow."""
        return self.made.linear.gradient(np.zeros((1, 3)))

    @cached_property
    def _boundary(self) -> BoolArray:
        return at_boundary(self.made.mesh, self.at, self.made.across)

    def _estimate(self, scheme: Scheme, L: FloatArray) -> float:
        """The root mean square of the estimated error, over that of |L_exact|; NaN where there is none."""
        finer = scheme.finer()
        if finer not in self._finer:
            self._finer[finer] = self._probe(finer).gradients(self.waves)
        return Deviation.of(L, self._finer[finer], np.zeros(len(L), bool)).overall

    @cached_property
    def _finer(self) -> dict[Scheme, FloatArray]:
        return {}

    @property
    def tolerance(self) -> float:
        """What a linear flow's error may be."""
        made = self.made
        sizes = made.mesh.measures[made.mesh.is_full & (made.mesh.measures > 0)] if len(made.mesh) else np.ones(0)
        smallest = float(sizes.min(initial=np.inf)) ** (1 / max(made.mesh.dimension, 1))
        return max(_EXACT, _ROUNDING * float(made.extents.max()) / min(smallest, made.spacing))


def trials(user: Flow) -> Iterator[Trial]:
    """Where the velocity is, and then at the other place."""
    made = Manufactured(user)
    _compile(made)
    deadline = time.perf_counter() + _BUDGET
    for at in sorted(("points", "cells"), key=lambda at: at != user.location):
        if at == user.location or user.mesh.dimension:
            yield Trial(made, at, deadline)


def _compile(made: Manufactured) -> None:
    """Kernels are compiled before the time is counted."""
    kind = "tetra" if made.mesh.dimension in (0, 3) else "triangle"
    for order in (1, 2):
        of_fit(kind, made.user.location, order)
    of_lattice(2)
