"""From a position to reference coordinates: x(ξ) = Σ N_a(ξ) x_a solved for ξ by Newton's method."""

from __future__ import annotations

import numpy as np

from flowgrad.autodiff import Dual
from flowgrad.mesh.reference_cell import ReferenceCell
from flowgrad.typing import FloatArray

_ITERATIONS = 25
# A step below this, in units of the cell, ends the search; it converges quadratically.
_SMALL_STEP = 1e-9
# No step is longer than this, and no iterate farther out: both keep folded extrapolations away.
_LONGEST, _FARTHEST = 0.5, 0.5
# So many times at the limit, and the position is taken to be elsewhere.
_STRAYS = 4


def reference_positions(
    reference: ReferenceCell, nodes: FloatArray, positions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Reference coordinates ξ (q, d) of positions (q, 3) in cells with the given nodes (q, k, 3), and the
    distances (q,) that remain, off surfaces and lines; NaN where there is no such ξ in or near the cell.

    The search starts at the centre, and where it fails there, half-way to the nearest node.
    """
    assert reference.nodes is not None
    arms = nodes - nodes[:, :1]
    target = positions - nodes[:, 0]
    if len(reference.node_gradients) == 1:
        return _affine(reference, arms, target)
    start = np.tile(reference.center, (len(nodes), 1))
    xi, rest = _newton(reference, arms, target, start)
    lost = np.flatnonzero(np.isnan(rest))
    if len(lost):
        nearest = ((arms[lost] - target[lost, None]) ** 2).sum(axis=2).argmin(axis=1)
        start = (reference.center + reference.nodes[nearest]) / 2
        xi[lost], rest[lost] = _newton(reference, arms[lost], target[lost], start)
    return xi, rest


def _affine(reference: ReferenceCell, nodes: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """x is linear in ξ (simplices): one step from the first node, the origin."""
    columns = np.einsum("kd,qki->qdi", reference.node_gradients[0], nodes)
    xi = np.einsum("qdi,qi->qd", inverse_rows(columns), target)
    rest = target - np.einsum("qd,qdi->qi", xi, columns)
    return xi, np.sqrt((rest**2).sum(axis=1))


def _newton(
    reference: ReferenceCell, nodes: FloatArray, target: FloatArray, xi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rest, strays = np.full(len(xi), np.nan), np.zeros(len(xi), np.int64)
    active = np.arange(len(xi))
    for _ in range(_ITERATIONS):
        step, distance = _step(reference, nodes[active], target[active], xi[active])
        size = np.sqrt((step**2).sum(axis=1))
        with np.errstate(invalid="ignore"):
            moved = xi[active] + step * (_LONGEST / np.maximum(size, _LONGEST))[:, None]
        xi[active] = np.clip(moved, -_FARTHEST, 1 + _FARTHEST)
        strays[active] += (moved != xi[active]).any(axis=1)
        done = size < _SMALL_STEP
        rest[active[done]] = distance[done]
        active = active[~done & np.isfinite(size) & (strays[active] < _STRAYS)]
        if not len(active):
            break
    return xi, rest


def _step(
    reference: ReferenceCell, nodes: FloatArray, target: FloatArray, xi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Newton's step (q, d) and the distance to go (q,), Gauss-Newton's on surfaces and lines."""
    assert reference.shape is not None
    count, dimension = xi.shape
    seeds = np.broadcast_to(np.eye(dimension)[:, :, None], (dimension, dimension, count))
    N = reference.shape(Dual(xi.T, seeds))
    residual = target - np.einsum("kq,qki->qi", N.value, nodes, optimize=True)
    columns = np.matmul(N.derivative.transpose(2, 0, 1), nodes)
    step = np.einsum("qdi,qi->qd", inverse_rows(columns), residual)
    return step, np.sqrt((residual**2).sum(axis=1))


def inverse_rows(columns: FloatArray) -> FloatArray:
    """Rows (q, d, 3) of J⁻¹ from the columns (q, d, 3) of J, those of the pseudo-inverse for d < 3; not
    finite where J is singular."""
    dimension = columns.shape[1]
    first = columns[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        if dimension == 1:
            return columns / (first**2).sum(axis=1)[:, None, None]
        second = columns[:, 1]
        third = columns[:, 2] if dimension == 3 else np.cross(first, second)
        rows = np.stack([np.cross(second, third), np.cross(third, first), np.cross(first, second)], axis=1)
        rows /= np.einsum("qi,qi->q", first, rows[:, 0])[:, None, None]
    return np.asarray(rows[:, :dimension])
