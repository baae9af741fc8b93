"""The monomials of local polynomials, each of them its parent times one coordinate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from flowgrad.typing import IntArray


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
    degrees = range(0 if constant else 1, order + 1)
    powers = [each for degree in degrees for each in _powers(degree, rank, free)]
    number = {each: a for a, each in enumerate(powers)}
    degree = np.array([sum(each) for each in powers])
    # A monomial comes from the one that lacks its last coordinate once.
    axis = [max((i for i in range(rank) if each[i]), default=-1) for each in powers]
    parent = [number[_lowered(each, i)] if sum(each) > 1 else -1 for each, i in zip(powers, axis, strict=True)]
    return Monomials(
        np.array(parent),
        np.array(axis),
        np.searchsorted(degree, degree),
        np.array([int((degree <= p).sum()) for p in range(order + 1)]),
        _derivatives(1, rank, number),
        _derivatives(2, rank, number),
    )


def _powers(degree: int, rank: int, free: int) -> list[tuple[int, ...]]:
    every = itertools.product(range(degree, -1, -1), repeat=rank)
    return [each for each in every if sum(each) == degree and max(each[free:], default=0) <= 1]


def _lowered(powers: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return tuple(p - (i == axis) for i, p in enumerate(powers))


def _derivatives(degree: int, rank: int, number: dict[tuple[int, ...], int]) -> IntArray:
    """Number of the monomial and its factorial for each derivative; the last one for one that is not there."""
    rows = []
    for axes in itertools.combinations_with_replacement(range(rank), degree):
        powers = tuple(axes.count(i) for i in range(rank))
        rows.append((number.get(powers, len(number)), 2 if len(set(axes)) < len(axes) else 1))
    return np.array(rows, np.int64)
