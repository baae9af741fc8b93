"""Measures and centroids of curved cells: Gauss rules that are exact for the element's own geometry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel

if TYPE_CHECKING:
    from flowgrad.mesh.mesh import Block
    from flowgrad.typing import BoolArray, FloatArray

# A volume below this fraction of the product of its edges, summed over its parts, is rounding: the cell is flat.
FLAT_CELL = 1e-13


def curved_geometry(points: FloatArray, block: Block) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Signed volumes, areas or lengths (m,) and centroids (m, 3) of the cells of a block, Σ w |J| and
    Σ w x |J| over the sites of the rule, and which of them are folded (m,): solids whose det J has both
    signs. Areas and lengths of cells that are not plane or straight are as exact as the rule is."""
    N, dN, weights = block.reference.rule
    measure, centroid, folded = integrals(points, block.rows, N, np.ascontiguousarray(dN.transpose(0, 2, 1)), weights)
    return measure, centroid, folded


@kernel(parallel=True)
def integrals(points: Any, rows: Any, N: Any, dN: Any, weights: Any) -> Any:
    """Measures, centroids and folds from N (s, k), dN/dξ (s, d, k) and weights (s,)."""
    n, size = rows.shape
    dimension = dN.shape[1]
    measure, centroid, folded = np.zeros(n), np.zeros((n, 3)), np.zeros(n, np.bool_)
    for i in prange(n):
        o = points[rows[i, 0]]
        arms, J, x = np.empty((size, 3)), np.zeros((3, 3)), np.zeros(3)
        for a in range(size):
            for k in range(3):
                arms[a, k] = points[rows[i, a], k] - o[k]
        bound, lowest, highest = 0.0, 0.0, 0.0
        for s in range(len(weights)):
            _moments(N[s], arms, x)
            for m in range(dimension):
                _moments(dN[s, m], arms, J[m])
            lengths = _product_of_lengths(J, dimension)
            part = weights[s] * _jacobian(J, dimension, lengths)
            measure[i] += part
            bound += weights[s] * lengths
            lowest, highest = min(lowest, part), max(highest, part)
            for k in range(3):
                centroid[i, k] += part * x[k]
        folded[i] = min(-lowest, highest) > FLAT_CELL * bound
        if abs(measure[i]) <= FLAT_CELL * bound:
            measure[i] = 0.0
        for k in range(3):
            centroid[i, k] = o[k] + centroid[i, k] / measure[i]
    return measure, centroid, folded


@called
def _moments(weights: Any, arms: Any, result: Any) -> None:
    """Σ w_a x_a."""
    x, y, z = 0.0, 0.0, 0.0
    for a in range(len(weights)):
        w = weights[a]
        x, y, z = x + w * arms[a, 0], y + w * arms[a, 1], z + w * arms[a, 2]
    result[0], result[1], result[2] = x, y, z


@called
def _product_of_lengths(J: Any, dimension: int) -> float:
    lengths = 1.0
    for m in range(dimension):
        lengths *= math.sqrt(J[m, 0] ** 2 + J[m, 1] ** 2 + J[m, 2] ** 2)
    return lengths


@called
def _jacobian(J: Any, dimension: int, lengths: float) -> float:
    """det J of solids, what the columns of J span of surfaces and lines."""
    if dimension == 1:
        return lengths
    ax = J[0, 1] * J[1, 2] - J[0, 2] * J[1, 1]
    ay = J[0, 2] * J[1, 0] - J[0, 0] * J[1, 2]
    az = J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0]
    if dimension == 2:
        return math.sqrt(ax * ax + ay * ay + az * az)
    return ax * J[2, 0] + ay * J[2, 1] + az * J[2, 2]
