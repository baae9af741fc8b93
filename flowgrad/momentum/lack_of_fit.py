"""Lack of fit of η(γ̇): what a viscosity of the shear rate alone leaves of the balance of momentum, and how.

Errors of a velocity average out over large balls; what an assumption leaves that does not hold grows with them. And a
viscosity that differs from place to place, η(γ̇)(1 + Σ d_j ψ_j(x)) with polynomials ψ_j of the position, takes off the
residuals what such a fluid leaves there (Fisher 1922, J. R. Stat. Soc. 85, 597).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.momentum.flow_samples import FlowSamples
from flowgrad.momentum.regression import BEND, OVERLAP, SMALLEST, Equations, gauge, smoothness
from flowgrad.momentum.test_functions import Balls
from flowgrad.momentum.weak_form import SampledBalance, node_weights, placed_work
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray

# The degree of the polynomials by dimension, and what they may depart from one, a priori.
_DEGREE = {1: 3, 2: 2, 3: 2}
_PRIOR = 1.0
# So many equations for each polynomial at least, else they may explain what is none of theirs.
_FOR_EACH = 10


@dataclass(frozen=True)
class LackOfFit(ReprMixin):
    """What is left of the balance, in the larger half of the sizes of balls: ``coarse``, the median as a fraction of
    the work of the stress; ``growth``, over that in the smaller half and the error of the momentum carried through;
    ``improvement``, how many times as much (root mean square) a constant viscosity leaves there. And of all balls
    ``beside_place``, the part of the sum of squares that is left where η may differ from place to place, whose
    logarithm then has the standard deviation ``of_place``."""

    coarse: float
    growth: float
    improvement: float
    beside_place: float
    of_place: float


def lack_of_fit(
    parts: Sequence[SampledBalance],
    chosen: BoolArray,
    equations: Equations,
    unknowns: FloatArray,
    constant: FloatArray,
    smoothing: float,
) -> LackOfFit:
    """That of the ``unknowns``, beside a ``constant`` viscosity; the ``equations`` are those of the ``chosen`` balls
    (n,) of all parts."""
    squares = np.stack([(equations.residuals(each) ** 2).mean(axis=1) for each in (unknowns, constant)])
    of_size = [np.flatnonzero(equations.sizes == size) for size in np.unique(equations.sizes)]
    half = (len(of_size) + 1) // 2
    fine = np.mean([np.median(squares[0, own]) for own in of_size[half:] or of_size])
    # Beside the error of the momentum that is carried through each ball.
    expected = fine + (equations.error_of_momentum(unknowns) * equations.reynolds(unknowns)) ** 2 + SMALLEST**2
    coarse = np.sqrt(np.mean([np.median(squares[0, own]) for own in of_size[:half]]))
    growth = np.sqrt(np.mean([np.median((squares[0] / expected)[own]) for own in of_size[:half]]))
    least, flat = (np.sqrt(np.mean([(each / expected)[own].mean() for own in of_size[:half]])) for each in squares)
    left, varies = _beside_place(parts, chosen, equations, unknowns, smoothing)
    return LackOfFit(float(coarse), float(growth), float(flat / max(least, 1e-300)), left, varies)


def _beside_place(
    parts: Sequence[SampledBalance], chosen: BoolArray, equations: Equations, unknowns: FloatArray, smoothing: float
) -> tuple[float, float]:
    """The sum of squares with polynomials of place over that without, and their standard deviation over the flow."""
    polynomials = _Polynomials.of(parts[0].samples)
    q = len(polynomials.powers)
    if equations.work.shape[0] * equations.work.shape[1] < _FOR_EACH * q:
        return 1.0, 0.0
    work = np.concatenate([_columns(each, polynomials, unknowns[:-1]) for each in parts])[chosen][:, equations.used]
    X = work / (equations.size @ np.exp(unknowns[:-1]))[:, None, None]
    r, damping = equations.residuals(unknowns), equations.damping(unknowns)
    both = np.concatenate([equations.slopes(unknowns), X], axis=2)
    heavy = both * damping[:, None, None]
    matrix = np.einsum("ncb,ncd->bd", heavy, both, optimize=True)
    width = len(unknowns)
    penalty = np.zeros_like(matrix)
    penalty[:width, :width] = smoothing * OVERLAP / BEND**2 * smoothness(width - 1)
    right = -np.einsum("ncb,nc->b", heavy, r) - penalty[:, :width] @ unknowns
    penalty[:width, :width] += max(float(np.diag(matrix)[: width - 1].max()), 1.0) * gauge(width - 1)
    penalty[width:, width:] = OVERLAP / _PRIOR**2 * np.eye(q)
    step = np.linalg.lstsq(matrix + penalty, right, rcond=1e-14)[0]
    rest = r + both @ step
    left = (damping @ (rest**2).mean(axis=1)) / max(damping @ (r**2).mean(axis=1), 1e-300)
    return float(left), float(np.sqrt(step[width:] @ step[width:]))


@dataclass(frozen=True, eq=False)
class _Polynomials:
    """Those of positions, of mean zero and of variance one and uncorrelated, weighted with Σ V γ̇: of monomials in
    (x − ``middle``)/``reach`` with ``powers`` (q, d), less their ``means`` (q,), mixed by ``mix`` (q, q)."""

    middle: FloatArray
    reach: FloatArray
    powers: NDArray[np.int64]
    means: FloatArray
    mix: FloatArray

    @classmethod
    def of(cls, samples: FlowSamples) -> _Polynomials:
        x, weights = samples.places, samples.volumes * samples.shear_rate
        known = np.isfinite(weights)
        x, weights = x[known], weights[known] / weights[known].sum()
        d = x.shape[1]
        grid = np.stack(np.meshgrid(*d * [np.arange(_DEGREE[d] + 1)], indexing="ij"), -1).reshape(-1, d)
        powers = grid[(grid.sum(axis=1) > 0) & (grid.sum(axis=1) <= _DEGREE[d])]
        middle, reach = 0.5 * (x.max(axis=0) + x.min(axis=0)), 0.5 * np.maximum(np.ptp(x, axis=0), 1e-300)
        values = cls(middle, reach, powers, np.zeros(len(powers)), np.eye(len(powers))).values(x)
        means = weights @ values
        arms = values - means
        factor = np.linalg.cholesky((arms * weights[:, None]).T @ arms + 1e-12 * np.eye(len(powers)))
        return cls(middle, reach, powers, means, np.linalg.inv(factor).T)

    def values(self, x: FloatArray) -> FloatArray:
        """ψ (m, q) at positions (m, d)."""
        y = (x - self.middle) / self.reach
        powers = [np.ones_like(y), y]
        while len(powers) <= self.powers.max():
            powers.append(powers[-1] * y)
        monomials = np.ones((len(x), len(self.powers)))
        for column, row in enumerate(self.powers):
            for axis, power in enumerate(row):
                monomials[:, column] *= powers[power][:, axis]
        return np.asarray((monomials - self.means) @ self.mix)


def _columns(part: SampledBalance, polynomials: _Polynomials, log_eta: FloatArray) -> FloatArray:
    """The work (n, 3, q) of η(γ̇) times each polynomial."""
    samples, own = part.samples, part.balance
    node, weights = node_weights(samples.shear_rate, own.log_rates)
    eta = (weights * np.exp(log_eta)[node[:, None] + np.arange(4)]).sum(axis=1)
    viscosities = eta[:, None] * polynomials.values(samples.places)
    return placed_work(samples, Balls(own.centres, own.radii, own.sizes), viscosities)
