"""The monomials of local polynomials, each of them its parent times one coordinate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from flowgrad.gradient.local_fits import fit_kernels
from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.local_fits.neighbourhoods import NO_WALLS, SAMPLES, Samples, Search, Targets, bends_of
from flowgrad.mesh.cells import take
from flowgrad.mesh.wall_layers import WallDistances
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class Monomials:
    """Monomials by rising degree: monomial ``a`` is ``parent[a]`` times coordinate ``axis[a]``.

    ``parent`` is −1 for a coordinate itself, ``axis`` −1 for the constant. ``complete[a]`` counts the
    monomials of lower degree, ``up_to[p]`` those of degree p at most. ``first`` and ``second`` (q, 2)
    name the monomial and its factorial for each derivative of that degree, row by row.
    """

    parent: IntArray
    axis: IntArray
    complete: IntArray
    up_to: IntArray
    first: IntArray
    second: IntArray


@cache
def monomials(order: int, rank: int, free: int, constant: bool) -> Monomials:
    """The monomials of degree ``order`` at most in ``rank`` coordinates, linear in those from ``free`` on,
    with or without the constant."""
    powers = _powers(order, rank, free, constant)
    number = {each: a for a, each in enumerate(powers)}
    degree = np.array([sum(each) for each in powers])
    # A monomial comes from the one that lacks its last coordinate once.
    axis = [max((i for i in range(rank) if each[i]), default=-1) for each in powers]
    lowered = (tuple(p - (j == i) for j, p in enumerate(each)) for each, i in zip(powers, axis, strict=True))
    parent = [number[lower] if sum(lower) > 0 else -1 for lower in lowered]
    return Monomials(
        np.array(parent),
        np.array(axis),
        np.searchsorted(degree, degree),
        np.array([int((degree <= p).sum()) for p in range(order + 1)]),
        _derivatives(1, rank, number),
        _derivatives(2, rank, number),
    )


def _powers(order: int, rank: int, free: int, constant: bool) -> list[tuple[int, ...]]:
    powers: list[tuple[int, ...]] = []
    for degree in range(0 if constant else 1, order + 1):
        every = itertools.product(range(degree, -1, -1), repeat=rank)
        powers += [each for each in every if sum(each) == degree and max(each[free:], default=0) <= 1]
    return powers


@cache
def products(order: int, rank: int, free: int, constant: bool, averaged: bool) -> tuple[IntArray, IntArray]:
    """Products of two of the :func:`monomials`, those that are the same once: rows (n, 5) of a monomial and four of
    those up to it, which of all these (k, k) each product is. Those of ``averaged`` monomials all differ."""
    powers = _powers(order, rank, free, constant)
    rows: list[tuple[int, ...]] = []
    place: dict[tuple[int, ...], int] = {}

    def product(a: int, b: int) -> tuple[int, ...]:
        return (min(a, b), max(a, b)) if averaged else tuple(map(int.__add__, powers[a], powers[b]))

    for a in range(len(powers)):
        partners = [b for b in range(a + 1) if product(a, b) not in place]
        place |= {product(a, b): 4 * len(rows) + i for i, b in enumerate(partners)}
        partners += [a] * (-len(partners) % 4)
        rows += [(a, *partners[i : i + 4]) for i in range(0, len(partners), 4)]
    numbers = range(len(powers))
    return np.array(rows), np.array([[place[product(a, b)] for b in numbers] for a in numbers])


def _derivatives(degree: int, rank: int, number: dict[tuple[int, ...], int]) -> IntArray:
    """Number of the monomial and its factorial for each derivative; the last one for one that is not there."""
    rows = []
    for axes in itertools.combinations_with_replacement(range(rank), degree):
        powers = tuple(axes.count(i) for i in range(rank))
        rows.append((number.get(powers, len(number)), 2 if len(set(axes)) < len(axes) else 1))
    return np.array(rows, np.int64)


# Where these do not determine the polynomial the neighbourhood grows by this factor, so many times.
_GROWTH, _ATTEMPTS = 1.7, 3
# The weights W = exp(−decay r²/⟨r²⟩) of samples at the distance r; those of a smoothing fit are flatter.
_DECAY, _DECAY_SMOOTHING = 4.0, 1.0
# Targets fitted at a time.
_CHUNK = 4096

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class AveragingNodes:
    """Samples as averages: sample ``i`` is Σ shares · values at ``positions[start[i]:start[i + 1]]``."""

    positions: FloatArray
    shares: FloatArray
    start: IntArray


# Samples are values at their positions.
NO_NODES = AveragingNodes(np.empty((0, 3)), np.empty(0), np.zeros(1, np.int64))


@dataclass(frozen=True, eq=False)
class FitStencils:
    """Derivatives at ``targets`` (m,): Σ_s (v_s − v_reference) ⊗ w_s over ``samples[start[i]:start[i + 1]]``,
    with weights (s, 3) or (s, 6), from fits of ``unknowns`` (m,) monomials."""

    targets: IntArray
    reference: IntArray
    start: IntArray
    samples: IntArray
    weights: FloatArray
    unknowns: IntArray

    def __getitem__(self, chosen: IntArray) -> FitStencils:
        start, samples = take(self.start, self.samples, chosen)
        weights = take(self.start, self.weights, chosen)[1]
        return FitStencils(self.targets[chosen], self.reference[chosen], start, samples, weights, self.unknowns[chosen])


@dataclass(frozen=True, eq=False)
class LocalFits:
    """Polynomials of degree ``order`` fitted to ``samples`` around each of the ``targets``.

    ``smoothing`` times as many samples as are needed take part; above 1 the fits do not go through the
    targets' own values.
    """

    samples: Samples
    targets: Targets
    directions: Directions
    order: int
    smoothing: float = 1.0
    nodes: AveragingNodes = NO_NODES

    @cached_property
    def monomials(self) -> Monomials:
        """What is fitted; the constant too where the fit does not go through a sample."""
        return monomials(*self._polynomial)

    @cached_property
    def _polynomial(self) -> tuple[int, int, int, bool]:
        through = bool((self.targets.own >= 0).any())
        return self.order, self.directions.rank, self.directions.free, not through

    @cached_property
    def kept(self) -> list[list[FitStencils]]:
        """The stencils of the first derivatives, chunk by chunk, for repeated use."""
        return self._of_chunks(lambda chosen, search: list(self._stencils(chosen, search)))

    def first(self, kept: list[list[FitStencils]] | None, values: FloatArray) -> tuple[FloatArray, IntArray]:
        """Gradients (m, 3, 3) of vectors (n, 3), and the order of the fit that gave each, 0 for none; from
        the stencils that are kept, or from new ones that are not."""
        result, unknowns = self._applied(kept, values)
        orders = np.searchsorted(self.monomials.up_to, unknowns, side="right") - 1
        return result @ self.directions.basis if self.directions.turned else result, np.maximum(orders, 0)

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3)."""
        six = self._applied(None, values, second=True)[0]
        H = six[:, :, [[0, 5, 4], [5, 1, 3], [4, 3, 2]]]
        basis = self.directions.basis
        return np.ascontiguousarray(np.einsum("nikl,kp,lq->nipq", H, basis, basis)) if self.directions.turned else H

    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n) of the stencils that are kept."""
        from scipy.sparse import csr_array

        rows, columns, weights = (np.concatenate(part) for part in zip(*self._entries(), strict=True))
        shape = (len(self.targets), len(self.samples.positions))
        weights = weights @ self.directions.basis if self.directions.turned else weights
        return tuple(csr_array((column, (rows, columns)), shape=shape) for column in weights.T)

    def _entries(self) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
        """Rows, columns and weights of the stencils that count, and NaN where there is none."""
        for each, chosen in self._that_count():
            found = each[chosen[each.unknowns[chosen] > 0]]
            yield np.repeat(found.targets, np.diff(found.start)), found.samples, found.weights
            sums = np.add.reduceat(found.weights, found.start[:-1]) if len(found.targets) else np.empty((0, 3))
            yield found.targets, found.reference, -sums
            none = each.targets[chosen[each.unknowns[chosen] == 0]]
            yield none, np.zeros_like(none), np.full((len(none), 3), np.nan)

    def _that_count(self) -> Iterator[tuple[FitStencils, IntArray]]:
        """The stencils that are kept, and the rows of them that no later ones replace."""
        last = np.zeros(len(self.targets), np.int64)
        stencils = [each for chunk in self.kept for each in chunk]
        for number, each in enumerate(stencils):
            last[each.targets] = number
        for number, each in enumerate(stencils):
            yield each, np.flatnonzero(last[each.targets] == number)

    def stencils(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Numbers of targets (s,), samples and weights (s, 3) of fits that go through their targets' own values."""
        found = [each[chosen] for each, chosen in self._that_count()]
        targets = np.concatenate([np.repeat(each.targets, np.diff(each.start)) for each in found])
        samples, weights = (np.concatenate([getattr(each, name) for each in found]) for name in ("samples", "weights"))
        return targets, samples, weights @ self.directions.basis if self.directions.turned else weights

    def _of_chunks(self, work: Callable[[IntArray, Search], T]) -> list[T]:
        """What ``work`` makes of each chunk of the targets, on all threads: the kernels hold no lock."""
        chunks = [np.arange(i, min(i + _CHUNK, len(self.targets))) for i in range(0, len(self.targets), _CHUNK)]
        threads = max(1, min(numba.get_num_threads(), len(chunks)))
        waiting = iter(range(len(chunks)))

        def share(search: Search) -> dict[int, T]:
            return {i: work(chunks[i], search) for i in waiting}

        with ThreadPoolExecutor(threads) as pool:
            shares = pool.map(share, [Search(self.samples) for _ in range(threads)])
        done = {i: result for each in shares for i, result in each.items()}
        return [done[i] for i in range(len(chunks))]

    def _stencils(self, chosen: IntArray, search: Search, second: bool = False) -> Iterator[FitStencils]:
        """FitStencils of the first or second derivatives at the chosen targets; those of a target that come
        later replace those that came before."""
        growth, before = 1.0, np.zeros(len(chosen), np.int64)
        for _ in range(_ATTEMPTS):
            found = self._fitted(chosen, growth, second, search)
            better = found.unknowns > before
            yield found if better.all() or growth == 1.0 else found[np.flatnonzero(better)]
            more = (found.unknowns < len(self.monomials.axis)) & self._can_grow(chosen)
            if not more.any():
                break
            chosen, before = chosen[more], np.maximum(found.unknowns, before)[more]
            growth *= _GROWTH

    def _can_grow(self, chosen: IntArray) -> NDArray[np.bool_]:
        """Targets whose fits go through a usable value, or that have somewhere to start."""
        own = self.targets.own[chosen]
        return np.where(own >= 0, self.samples.usable[own], np.diff(self.targets.start)[chosen] > 0)

    def _fitted(self, chosen: IntArray, growth: float, second: bool, search: Search) -> FitStencils:
        """FitStencils of some targets from neighbourhoods ``growth`` times as large as need be."""
        targets, table = self.targets[chosen], self.monomials
        start, found = search.around(targets, growth * self.smoothing * len(table.axis))
        unknowns = np.where(self._can_grow(chosen), self._supported(np.diff(start)), 0)
        weights = np.empty((len(found), 6 if second else 3))
        where, nodes, walls = self.directions, self.nodes, self._walls
        positions, node_positions = self._positions
        frames, derivatives = targets.frames, table.second if second else table.first
        if where.turned and len(frames.bent):
            frames = replace(frames, normal=frames.normal @ where.basis.T, slope=frames.slope @ where.basis.T)
        if second and (len(frames.bent) or self._beside):
            derivatives = np.concatenate([table.first, table.second])
        decay, least = _DECAY if self.smoothing == 1 else _DECAY_SMOOTHING, int(table.up_to[2 if second else 1])
        fit_kernels.fit_weights(
            positions,
            self._local(targets.positions),
            targets.own,
            start,
            found,
            unknowns,
            (table.parent, table.axis, table.complete, *products(*self._polynomial, len(nodes.shares) > 0)),
            derivatives,
            (where.free, where.rank, where.curved, decay, self._beside),
            (node_positions, nodes.shares, nodes.start),
            bends_of(frames, walls),
            (positions, walls.slope, frames.slope),
            least,
            SAMPLES,
            weights,
        )
        nearby = np.append(found, 0)[np.minimum(start[:-1], len(found))]
        reference = np.where(targets.own >= 0, targets.own, nearby)
        return FitStencils(chosen, reference, start, found, weights, unknowns)

    def _supported(self, counts: IntArray) -> IntArray:
        """How many monomials so many samples support: complete degrees only, the first at least."""
        up_to = self.monomials.up_to[1:]
        order = np.searchsorted(SAMPLES * up_to, counts, side="right")
        order = np.where((order == 0) & (counts >= up_to[0]), 1, order)
        return np.append(0, up_to)[order]

    @cached_property
    def _walls(self) -> WallDistances:
        """Distances of the samples, in the basis of the directions."""
        walls = NO_WALLS if self.samples.walls is None else self.samples.walls
        return walls.turned(self.directions.basis) if self.directions.turned else walls

    @cached_property
    def _beside(self) -> bool:
        """Whether targets stand beside the samples through whose values their fits go."""
        own = self.targets.own
        through = own >= 0
        return not np.array_equal(self.targets.positions[through], self.samples.positions[own[through]])

    @cached_property
    def _positions(self) -> tuple[FloatArray, FloatArray]:
        """Those of the samples and of the nodes, in the basis of the directions."""
        return self._local(self.samples.positions), self._local(self.nodes.positions)

    def _local(self, positions: FloatArray) -> FloatArray:
        """Positions in the basis of the directions."""
        if not self.directions.turned:
            return positions
        return np.ascontiguousarray((positions - self._origin) @ self.directions.basis.T)

    @cached_property
    def _origin(self) -> FloatArray:
        """A sample to count positions from, so that turning them costs no digits."""
        return self.samples.positions[finite_rows(self.samples.positions).argmax()]

    def _applied(
        self, kept: list[list[FitStencils]] | None, values: FloatArray, second: bool = False
    ) -> tuple[FloatArray, IntArray]:
        result = np.full((len(self.targets), 3, 6 if second else 3), np.nan)
        unknowns = np.zeros(len(self.targets), np.int64)

        def work(chosen: IntArray, search: Search) -> None:
            stencils = self._stencils(chosen, search, second) if kept is None else kept[chosen[0] // _CHUNK]
            for each in stencils:
                parts = each.reference, each.start, each.samples, each.weights, each.targets
                fit_kernels.apply_weights(values, *parts, result)
                unknowns[each.targets] = each.unknowns

        self._of_chunks(work)
        return result, unknowns
