"""Least squares for log η at the nodes, and for the inertia beside it, with what is certain of both.

What is left of an equation is measured by the work of the stress in it without regard to sign, so that it is a pure
number and does not depend on the scale of η: r = (Σ work η − β inertia)/Σ size η. The unknowns are log η, of mean zero,
and β, the density over the mean viscosity: the errors are those of the gradients on the left, and a viscosity regressed
on the right-hand side would be too small by them (Fuller 1987, Measurement Error Models, §1.1). Gauss–Newton with the
weights of Huber (1964, Ann. Math. Stat. 35, 73).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flowgrad.rheology.identify.balance import Balance
from flowgrad.typing import FloatArray

# Standard deviation that second differences of log η between nodes may have, a priori: that of a law with caps. Nodes
# are a fifth of a decade apart, or less.
BEND = 0.1
# About so many balls of one size overlap at each place: their errors are not independent.
OVERLAP = 4.0
# No equation closes better than this: rounding, and the quadrature of exact velocities.
SMALLEST = 1e-6
_HUBER = 3.0
_STEPS = 60
_LARGEST_STEP = 1.0
_ENOUGH = 1e-7


@dataclass(frozen=True, eq=False)
class Equations:
    """A balance with ``weights`` (n,), one over the typical residual of the balls of one size, and the scale of β."""

    work: FloatArray
    size: FloatArray
    inertia: FloatArray
    sizes: NDArray[np.int64]
    weights: FloatArray
    scale: float

    @classmethod
    def of(cls, balance: Balance) -> Equations:
        """All equations of one weight; test functions that nothing works on in any ball are left out."""
        used = np.abs(balance.work).max(axis=(0, 2), initial=0.0) + np.abs(balance.inertia).max(axis=0, initial=0.0)
        chosen = np.flatnonzero(used > 0) if used.any() else np.arange(1)
        total = balance.size.sum(axis=1)
        scale = float(np.sqrt(np.mean((balance.inertia / total[:, None]) ** 2)))
        inertia = balance.inertia[:, chosen] / (scale or 1.0)
        weights = np.ones(len(balance))
        return cls(balance.work[:, chosen], balance.size, inertia, balance.sizes, weights, scale)

    def rows(self, chosen: NDArray[np.bool_]) -> Equations:
        """Some of the balls."""
        names = ("work", "size", "inertia", "sizes", "weights")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def residuals(self, unknowns: FloatArray) -> FloatArray:
        """r (n, c) for log η at the nodes and, last, β."""
        eta = np.exp(unknowns[:-1])
        return (self.work @ eta - unknowns[-1] * self.inertia) / (self.size @ eta)[:, None]

    def slopes(self, unknowns: FloatArray) -> FloatArray:
        """dr (n, c, b + 1)."""
        eta = np.exp(unknowns[:-1])
        size = (self.size @ eta)[:, None]
        share = self.size * eta / size
        by_node = self.work * eta / size[:, None] - self.residuals(unknowns)[:, :, None] * share[:, None, :]
        return np.concatenate([by_node, -(self.inertia / size)[:, :, None]], axis=2)

    def weighted(self, unknowns: FloatArray) -> Equations:
        """With the weights that residuals suggest: one over their median in the balls of each size."""
        left = np.sqrt((self.residuals(unknowns) ** 2).mean(axis=1))
        weights = np.empty(len(left))
        for size in np.unique(self.sizes):
            own = self.sizes == size
            weights[own] = 1 / max(1.4826 * float(np.median(left[own])), SMALLEST)
        return replace(self, weights=weights)

    def damping(self, unknowns: FloatArray) -> FloatArray:
        """Huber's factor for the square of each equation (n,)."""
        left = self.weights * np.sqrt((self.residuals(unknowns) ** 2).mean(axis=1))
        return self.weights**2 * np.minimum(1.0, _HUBER / np.maximum(left, 1e-300))

    def misfit(self, unknowns: FloatArray) -> float:
        """Root mean square of the residuals, each weighted as in the fit."""
        damping = self.damping(unknowns)
        square = (self.residuals(unknowns) ** 2).mean(axis=1)
        return float(np.sqrt((damping @ square) / damping.sum()))

    def terms(self, unknowns: FloatArray) -> float:
        """Root mean square of the parts that cancel in the residuals, those of the nodes and of the inertia, each
        weighted as in the fit."""
        eta, damping = np.exp(unknowns[:-1]), self.damping(unknowns)
        parts = self.work**2 @ eta**2 + (unknowns[-1] * self.inertia) ** 2
        square = parts.mean(axis=1) / (self.size @ eta) ** 2
        return float(np.sqrt((damping @ square) / damping.sum()))

    def information(self, unknowns: FloatArray) -> FloatArray:
        """Jᵀ J (b + 1, b + 1), damped."""
        slopes = self.slopes(unknowns)
        heavy = slopes * self.damping(unknowns)[:, None, None]
        width = slopes.shape[2]
        return slopes.reshape(-1, width).T @ heavy.reshape(-1, width)

    def descent(self, unknowns: FloatArray) -> FloatArray:
        """−Jᵀ r (b + 1,), damped."""
        heavy = self.residuals(unknowns) * self.damping(unknowns)[:, None]
        return -np.einsum("nc,ncb->b", heavy, self.slopes(unknowns))


def smoothness(nodes: int) -> FloatArray:
    """The squares of second differences as a matrix (b + 1, b + 1), and of the mean, which is zero by convention."""
    second = np.diff(np.eye(nodes), 2, axis=0)
    matrix = np.zeros((nodes + 1, nodes + 1))
    matrix[:-1, :-1] = second.T @ second
    return matrix


def gauge(nodes: int) -> FloatArray:
    """The square of the mean of log η as a matrix (b + 1, b + 1): zero by convention, at no cost."""
    matrix = np.zeros((nodes + 1, nodes + 1))
    matrix[:-1, :-1] = 1 / nodes
    return matrix


def solved(equations: Equations, smoothing: float, start: FloatArray) -> FloatArray:
    """The unknowns (b + 1,) for which the sum of squares with ``smoothing`` times that of bends is least."""
    bends, mean = smoothness(len(start) - 1), gauge(len(start) - 1)
    unknowns = start
    for _ in range(_STEPS):
        matrix = equations.information(unknowns)
        known = np.maximum(np.diag(matrix), 0.0)
        # Without inertia β has no equation.
        floor = np.diag(np.where(np.arange(len(start)) == len(start) - 1, known == 0, 0.0) + 1e-12 * known)
        right = equations.descent(unknowns) - smoothing * bends @ unknowns
        left = matrix + smoothing * bends + max(float(known[:-1].max()), 1.0) * mean + floor
        step = np.linalg.lstsq(left, right, rcond=1e-14)[0]
        step *= min(1.0, _LARGEST_STEP / max(float(np.abs(step[:-1]).max()), 1e-300))
        unknowns = unknowns + step
        if np.abs(step[:-1]).max() < _ENOUGH:
            break
    return unknowns


def solved_constant(equations: Equations, nodes: int) -> FloatArray:
    """The same for a constant viscosity: β alone."""
    unknowns = np.zeros(nodes + 1)
    for _ in range(_STEPS):
        curvature = equations.information(unknowns)[-1, -1]
        step = equations.descent(unknowns)[-1] / curvature if curvature else 0.0
        unknowns[-1] += step
        if abs(step) <= _ENOUGH * abs(unknowns[-1]):
            break
    return unknowns
