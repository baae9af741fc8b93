"""Least squares for log η at nodes of log γ̇, and for the inertia beside it, with what is certain of both.

What is left of an equation is measured by the work of the stress in it without regard to sign, so that it is a pure
number and does not depend on the scale of η: r = (Σ work η − β inertia)/Σ size η. The unknowns are log η, of mean zero,
and β, the density over the mean viscosity: the errors are those of the gradients on the left, and a viscosity regressed
on the right-hand side would be too small by them (Fuller 1987, Measurement Error Models, §1.1). Gauss–Newton with the
weights of Huber (1964, Ann. Math. Stat. 35, 73).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.momentum.flow_samples import FlowSamples
from flowgrad.momentum.weak_form import Balance
from flowgrad.typing import FloatArray

# Nodes a decade, and at least so many within a narrow range.
_PER_DECADE = 5
_FEWEST = 5
# Parts of Σ V γ̇ below the lowest and above the highest rate that is reported.
_TAIL = 0.003
# Nodes below and above these, so that what is there does not bend the curve at its ends: a fluid that thins bears much
# of the stress where it hardly deforms.
_BELOW, _ABOVE = 10, 4
# Rates within this factor are one.
_ONE_RATE = 1 + 1e-9


@dataclass(frozen=True, eq=False)
class Nodes:
    """log γ̇ (b,), evenly spaced; those of ``inner`` are reported where they are determined."""

    log_rates: FloatArray
    inner: slice

    @classmethod
    def of(cls, found: Sequence[FlowSamples]) -> Nodes:
        """Over the rates that count in a flow; OptionError where nothing deforms."""
        rates = np.concatenate([each.shear_rate for each in found])
        weights = np.concatenate([each.volumes for each in found]) * rates
        usable = np.flatnonzero(np.isfinite(weights) & (weights > 0))
        if not len(usable):
            raise OptionError("nothing deforms in this flow, or its gradient is not known: there is no viscosity in it")
        order = usable[np.argsort(rates[usable])]
        below = np.cumsum(weights[order]) / weights[order].sum()
        low = np.log(rates[order[np.searchsorted(below, _TAIL)]])
        high = np.log(rates[order[np.minimum(np.searchsorted(below, 1 - _TAIL), len(order) - 1)]])
        count = max(_FEWEST, 1 + int(np.ceil((high - low) / np.log(10) * _PER_DECADE)))
        step = max(high - low, np.log(_ONE_RATE)) / (count - 1)
        return cls(low + step * np.arange(-_BELOW, count + _ABOVE), slice(_BELOW, _BELOW + count))

    def contents(self, found: Sequence[FlowSamples]) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
        """Share of the volume (b,), number of samples (b,) and Σ V 2D:D (b,) nearest to each node."""
        rates = np.concatenate([each.shear_rate for each in found])
        volumes = np.concatenate([each.volumes for each in found])
        known = np.isfinite(rates) & (rates > 0)
        rates, volumes = rates[known], volumes[known]
        step = self.log_rates[1] - self.log_rates[0]
        place = np.clip(np.round((np.log(rates) - self.log_rates[0]) / step), 0, len(self.log_rates) - 1).astype(int)
        share, work = (np.bincount(place, w, len(self.log_rates)) for w in (volumes, volumes * rates**2))
        return share / max(share.sum(), 1e-300), np.bincount(place, minlength=len(self.log_rates)), work / len(found)


# Standard deviation that second differences of log η between nodes may have, a priori: that of a model with caps. Nodes
# are a fifth of a decade apart, or less.
BEND = 0.1
# About so many balls of one size overlap at each place: their errors are not independent.
OVERLAP = 4.0
# No equation closes better than this: rounding, and the quadrature of exact velocities.
SMALLEST = 1e-6
_HUBER = 3.0
# Momentum of less than so many times the work of the stress does not show its own error.
_MUCH = 3.0
_STEPS = 60
_LARGEST_STEP = 1.0
_ENOUGH = 1e-7


@dataclass(frozen=True, eq=False)
class Equations:
    """A balance with ``weights`` (n,), one over the typical residual of such balls, and the scale of β; of the three
    test functions those ``used`` (c,)."""

    work: FloatArray
    size: FloatArray
    inertia: FloatArray
    momentum: FloatArray
    sizes: NDArray[np.int64]
    weights: FloatArray
    scale: float
    used: NDArray[np.int64]

    @classmethod
    def of(cls, balance: Balance) -> Equations:
        """All equations of one weight; test functions that nothing works on in any ball are left out."""
        used = np.abs(balance.work).max(axis=(0, 2), initial=0.0) + np.abs(balance.inertia).max(axis=0, initial=0.0)
        chosen = np.flatnonzero(used > 0) if used.any() else np.arange(1)
        total = balance.size.sum(axis=1)
        scale = float(np.sqrt(np.mean((balance.inertia / total[:, None]) ** 2)))
        inertia = balance.inertia[:, chosen] / (scale or 1.0)
        weights = np.ones(len(balance))
        momentum = balance.momentum / (scale or 1.0)
        return cls(balance.work[:, chosen], balance.size, inertia, momentum, balance.sizes, weights, scale, chosen)

    def rows(self, chosen: NDArray[np.bool_]) -> Equations:
        """Some of the balls."""
        names = ("work", "size", "inertia", "momentum", "sizes", "weights")
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

    def reynolds(self, unknowns: FloatArray) -> FloatArray:
        """The momentum that is carried through each ball over the work of the stress in it, without regard to sign
        (n,): a local Reynolds number."""
        return np.abs(unknowns[-1]) * self.momentum / (self.size @ np.exp(unknowns[:-1]))

    def error_of_momentum(self, unknowns: FloatArray) -> float:
        """The part of the momentum carried through the balls that is typically left over, where that is most."""
        carried = self.reynolds(unknowns)
        much = carried > max(float(np.median(carried)), _MUCH)
        left = np.sqrt((self.residuals(unknowns)[much] ** 2).mean(axis=1))
        return 1.4826 * float(np.median(left / carried[much])) if much.any() else 0.0

    def weighted(self, unknowns: FloatArray) -> Equations:
        """With the weights that residuals suggest: one over their median in the balls of each size, and over that part
        of the momentum carried through each which is left over elsewhere."""
        left, carried = np.sqrt((self.residuals(unknowns) ** 2).mean(axis=1)), self.reynolds(unknowns)
        errors = self.error_of_momentum(unknowns) * carried
        for size in np.unique(self.sizes):
            own = np.flatnonzero(self.sizes == size)
            less = own[carried[own] <= np.median(carried[own])]
            typical = 1.4826 * float(np.median(left[less]))
            errors[own] = np.hypot(errors[own], max(typical, SMALLEST))
        return replace(self, weights=1 / errors)

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
