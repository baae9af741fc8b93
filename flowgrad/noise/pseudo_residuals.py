"""Pseudo-residuals at scattered points: distances of samples from polynomials through those around them.

A residual v_i − Σ w_j v_j, with weights that predict polynomials of a degree at the place of i from the nearest others
and the least variance, is divided by √(1 + Σ w_j²): it has the variance of independent noise (Gasser, Sroka &
Jennen-Steinmetz 1986, Biometrika 73, 625, on an axis).
"""

from __future__ import annotations

import itertools

import numpy as np

from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Degrees of the polynomials, and neighbours for each unknown.
DEGREES, _NEIGHBOURS = (1, 2, 3, 4), (1.5, 3.0)
# Fewer samples tell nothing.
_FEWEST = 30
# Points at which residuals are taken, spread evenly over the list.
_MOST = 4000
# Directions in which the points spread less than this part of the widest are not there.
_FLAT = 1e-6


def pseudo_residuals(at: FloatArray, values: FloatArray) -> dict[tuple[int, float], tuple[IntArray, FloatArray]]:
    """Residuals (m, k) of values (n, k) at positions (n, 3), and the points (m,) at which they are, by degree and by
    neighbours for each unknown; NaN in samples and positions has no part."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(finite_rows(at) & np.isfinite(values).all(axis=1))
    if len(known) < _FEWEST:
        return {}
    x, v = in_own_directions(at[known]), values[known]
    chosen = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MOST)).astype(int))
    tree, result = cKDTree(x), {}
    for degree, share in itertools.product(DEGREES, _NEIGHBOURS):
        count = int(np.ceil(share * len(powers_of(degree, x.shape[1]))))
        if len(x) <= 2 * count:
            continue
        distance, near = tree.query(x[chosen], count + 1, workers=-1)
        weights = predicting(x[near[:, 1:]] - x[chosen][:, None], distance[:, -1], degree)
        residual = v[chosen] - (weights[:, None] @ v[near[:, 1:]])[:, 0]
        result[degree, share] = known[chosen], residual / np.sqrt(1 + (weights**2).sum(axis=1))[:, None]
    return result


def predictions(
    at: FloatArray, values: FloatArray, rows: IntArray, usable: BoolArray, degree: int = 2
) -> tuple[FloatArray, FloatArray]:
    """Values (m, k) at the points ``rows`` (m,) as fits of a degree to the ``usable`` (n,) of the values (n, k) around
    predict them, and their standard deviations (m,) for noise of unit variance."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(usable & finite_rows(at) & np.isfinite(values).all(axis=1))
    x = in_own_directions(at)
    count = min(3 * len(powers_of(degree, x.shape[1])), len(known))
    distance, near = cKDTree(x[known]).query(x[rows], count)
    weights = predicting(x[known[near]] - x[rows][:, None], distance[:, -1], degree)
    return (weights[:, None] @ values[known[near]])[:, 0], np.sqrt((weights**2).sum(axis=1))


def directions_of(at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The mean (3,) of positions (n, 3) and unit vectors (r, 3), as many as the directions they spread over; the axes
    themselves where these serve."""
    middle = at.mean(axis=0)
    x = at[:: max(1, len(at) // 5000)] - middle
    extent = np.abs(x).max(axis=0)
    along = np.flatnonzero(extent > _FLAT * extent.max())
    _, spread, basis = np.linalg.svd(x, full_matrices=False)
    rank = int((spread > _FLAT * spread[0]).sum())
    return middle, np.eye(3)[along] if len(along) == rank else basis[:rank]


def in_own_directions(at: FloatArray) -> FloatArray:
    """Positions (n, 3) about their mean, in as many coordinates (n, r) as they spread over."""
    middle, basis = directions_of(at)
    return np.asarray((at - middle) @ basis.T)


def powers_of(degree: int, rank: int) -> list[tuple[int, ...]]:
    """The monomials of a degree at most."""
    return [p for p in itertools.product(range(degree + 1), repeat=rank) if sum(p) <= degree]


def predicting(offsets: FloatArray, size: FloatArray, degree: int) -> FloatArray:
    """Weights (m, k) of samples at ``offsets`` (m, k, r), within the ``size`` (m,), that predict polynomials at zero
    with the least variance."""
    t = offsets / np.maximum(size, 1e-300)[:, None, None]
    power = [np.stack([t[..., a] ** e for e in range(degree + 1)]) for a in range(t.shape[-1])]
    terms = powers_of(degree, t.shape[-1])
    table = np.stack([np.prod([power[a][e] for a, e in enumerate(p)], axis=0) for p in terms], axis=-1)
    normal = np.swapaxes(table, 1, 2) @ table
    normal += 1e-12 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(len(terms))
    first = np.zeros((len(terms), 1))
    first[terms.index((0,) * t.shape[-1])] = 1.0
    return np.asarray((table @ np.linalg.solve(normal, np.broadcast_to(first, (len(t), *first.shape))))[..., 0])
