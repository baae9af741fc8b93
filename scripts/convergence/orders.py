"""The order of convergence: errors of the schemes on meshes that are refined, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from flowgrad.exact import ExactFlow
from flowgrad.gradient import Scheme
from flowgrad.mesh import Mesh
from flowgrad.typing import BoolArray, FloatArray
from flowgrad.verify import SLACK, ErrorNorms, at_boundary, sampled, short

# Errors below the floor are rounding.
FLOOR = 1e-11
# Between these the estimated error, over the true one, is honest.
EFFECTIVITY = (0.7, 1.4)


@dataclass(frozen=True)
class Row:
    """A scheme, where its gradient is taken, and the order that it must show."""

    name: str
    scheme: Scheme
    at: str
    expected: int
    with_estimate: bool = True


@dataclass(frozen=True)
class Study:
    """Schemes on one family of meshes, made from the number of points a side; clouds of points are in [0, 1]^d."""

    title: str
    make: Callable[[int], Mesh]
    sizes: tuple[int, ...]
    flow: ExactFlow
    location: str
    rows: tuple[Row, ...]

    def measured(self) -> list[Result]:
        """The errors of all rows."""
        results = [Result(row) for row in self.rows]
        for n in self.sizes:
            self._add(results, n)
        return results

    def _add(self, results: list[Result], n: int) -> None:
        mesh = self.make(n)
        solved = _Solved(self.flow, mesh, self.location)
        for result in results:
            row = result.row
            boundary = _near_walls(mesh) if not len(mesh) else at_boundary(mesh, row.at)
            L, exact = solved.gradient(row.scheme, row.at), self.flow.gradient(mesh.places(row.at))
            result.spacings.append(1 / (n - 1) if len(mesh) else 1 / n)
            result.deviations.append(ErrorNorms.of(L, exact, boundary))
            if n == self.sizes[-1] and row.with_estimate:
                result.effectivity = solved.effectivity(row, exact)


@dataclass
class Result:
    """The errors of a row from the coarsest mesh to the finest, and what they say."""

    row: Row
    spacings: list[float] = field(default_factory=list)
    deviations: list[ErrorNorms] = field(default_factory=list)
    effectivity: float = np.nan

    @property
    def orders(self) -> tuple[float, float]:
        """Observed inside and at the boundary; infinite where all errors are rounding."""
        return self._order([d.interior for d in self.deviations]), self._order([d.boundary for d in self.deviations])

    def _order(self, errors: list[float]) -> float:
        """Between the two finest above the floor; by regression where there are four sizes or more."""
        above = [(h, e) for h, e in zip(self.spacings, errors, strict=True) if not e <= FLOOR]
        if len(above) < 2:
            return np.inf
        used = above if len(errors) > 3 else above[-2:]
        h, e = np.log(np.transpose(used))
        return float(np.polyfit(h, e, 1)[0])

    @property
    def complete(self) -> bool:
        """Whether there was a gradient everywhere."""
        return not any(d.missing for d in self.deviations)

    @property
    def passed(self) -> bool:
        """Whether the orders are reached and the estimate is honest."""
        honest = not np.isfinite(self.effectivity) or EFFECTIVITY[0] <= self.effectivity <= EFFECTIVITY[1]
        return self.complete and honest and min(self.orders) >= self.row.expected - SLACK


@dataclass(frozen=True, eq=False)
class _Solved:
    """The gradients of one flow on one mesh, each scheme's computed once."""

    exact: ExactFlow
    mesh: Mesh
    location: str
    found: dict[tuple[Scheme, str], FloatArray] = field(default_factory=dict)

    def gradient(self, scheme: Scheme, at: str) -> FloatArray:
        if (scheme, at) not in self.found:
            flow = sampled(self.exact, self.mesh, self.location)
            self.found[scheme, at] = scheme.gradients(flow, at).L
        return self.found[scheme, at]

    def effectivity(self, row: Row, exact: FloatArray) -> float:
        """The estimated error over the true one, in the root mean square."""
        L = self.gradient(row.scheme, row.at)
        estimated = self.gradient(row.scheme.finer(), row.at) - L
        return float(np.sqrt((estimated**2).sum() / ((exact - L) ** 2).sum()))


def _extent(mesh: Mesh) -> int:
    """How many dimensions the points fill."""
    return int((np.ptp(mesh.points, axis=0) > 0).sum())


def _near_walls(mesh: Mesh) -> BoolArray:
    """Points of a cloud in the unit square or cube that are a spacing from its sides, or less."""
    x = mesh.points[:, : _extent(mesh)]
    h = len(x) ** (-1 / x.shape[1])
    return np.asarray(((x < h) | (x > 1 - h)).any(axis=1))


def lines(study: Study) -> Iterator[tuple[str, bool]]:
    """A title, a head, and a line for each row, each with whether it passed."""
    results = study.measured()
    yield "", True
    yield study.title, True
    width = _width(study)
    head = "".join(f"{part:<{width * len(study.sizes) + 1}}" for part in ("error inside", "error at boundary"))
    yield f"  {'':<{_NAME}}{head}observed order", True
    sizes = "".join(f"{n:<{width}}" for n in study.sizes)
    yield f"  {'points a side':<{_NAME}}{sizes} {sizes} inside bnd. due est./true", True
    for result in results:
        yield _line(result, width), result.passed


_NAME = 14


def _width(study: Study) -> int:
    return 8 if len(study.sizes) < 4 else 7


def _line(result: Result, width: int) -> str:
    inner = "".join(f"{short(d.interior):<{width}}" for d in result.deviations)
    outer = "".join(f"{short(d.boundary):<{width}}" for d in result.deviations)
    inside, edge = (f"{order:.2f}" if np.isfinite(order) else "exact" for order in result.orders)
    estimate = f"{result.effectivity:<6.2f}" if np.isfinite(result.effectivity) else "-     "
    verdict = "ok" if result.passed else "FAIL"
    orders = f"{inside:<7}{edge:<6}{result.row.expected:<3}"
    return f"  {result.row.name:<{_NAME}}{inner} {outer} {orders} {estimate}{verdict}"
