"""Cross-validation of the smoothness of log η(log γ̇) between parts of the flow, and the covariance it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from flowgrad.momentum.lack_of_fit import LackOfFit, lack_of_fit
from flowgrad.momentum.regression import BEND, OVERLAP, Equations, gauge, smoothness, solved, solved_constant
from flowgrad.momentum.weak_form import SampledBalance
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.flow_curve import Change, Trend
from flowgrad.rheology.thresholds import BOUND, CERTAIN
from flowgrad.typing import FloatArray

# Parts that are left out in turn: three bisections.
_BISECTIONS = 3
# Smoothing tried, in units of what the prior of log η has.
_SMOOTHINGS = (1.0, 10.0, 100.0, 1000.0)
_WEIGHTINGS = 2
# In the covariance that the prior leaves, for what all parts of the flow leave open, each equation counts for one over
# this; the jackknife adds what they do not agree on.
_COUNTED = 2.0
# The curve's cubics miss about so much of a viscosity, as a fraction of the work, alike in a whole part of the flow:
# viscosities whose balances differ by less are not told apart, however exact the velocity and however many equations.
_RESOLVED = 3e-4
# Balls tell nothing where the error of the momentum carried through them is more than this part of the work of the
# stress; unless they are all there are.
_TELLING = 0.05
_FEWEST_TELLING = 16
# What a bad equation may cost in the comparison, in typical residuals squared.
_WORST = 9.0


@dataclass(frozen=True, eq=False)
class Inference(ReprMixin):
    """log η at the nodes (b,), of mean zero, β (the density over the mean viscosity for a density of one), their
    ``covariance`` (b + 1, b + 1), the chosen ``smoothing``, and the root mean square of what is left of the equations:
    with this viscosity (``misfit``), with a constant one (``misfit_constant``), of the inertia itself
    (``inertia_share``), and of the ``terms`` that cancel, all as fractions of the work of the stress. Of the balls
    some are ``left_out``, as the momentum carried through them hides that work; ``fit`` tests the rest."""

    log_eta: FloatArray
    beta: float
    covariance: FloatArray
    smoothing: float
    misfit: float
    misfit_constant: float
    inertia_share: float
    terms: float
    equations: int
    left_out: int
    fit: LackOfFit


def infer(parts: Sequence[SampledBalance], lowest: float) -> Inference:
    """The viscosity that balances the momentum of all parts best; ``lowest`` is the lowest log γ̇ that counts."""
    balance = parts[0].balance.joined([each.balance for each in parts[1:]])
    nodes = len(balance.log_rates)
    least = OVERLAP / BEND**2
    equations, unknowns = weighted(Equations.of(balance), least, np.zeros(nodes + 1))
    error = equations.error_of_momentum(unknowns)
    telling = error * equations.reynolds(unknowns) <= _TELLING
    if telling.sum() >= _FEWEST_TELLING:
        equations = equations.rows(telling)
    else:
        telling[:] = True
    regions = bisected(balance.centres[telling], _BISECTIONS)
    smoothing = _cross_validated(equations, regions, unknowns)
    unknowns = solved(equations, smoothing * least, unknowns)
    spread = np.zeros((nodes + 1, nodes + 1))
    for groups in (regions, _resolutions(equations.sizes)):
        others = [solved(equations.rows(groups != g), smoothing * least, unknowns) for g in np.unique(groups)]
        # Of estimates that each leave out one of k parts (Tukey 1958, Ann. Math. Stat. 29, 614).
        deviations = np.array(others) - np.mean(others, axis=0)
        spread += (len(others) - 1) / len(others) * deviations.T @ deviations
    misfit = equations.misfit(unknowns)
    alike = len(equations.weights) / 2**_BISECTIONS * (_RESOLVED / misfit) ** 2
    information = equations.information(unknowns) / (_COUNTED + alike)
    bends = smoothness(nodes) / BEND**2
    if any(each.beside_plug for each in parts):
        # The stress is known but for what the plug bears: a change by one constant, some times that of the slowest,
        # costs nothing a priori.
        stress = balance.log_rates + unknowns[:-1]
        of_slowest = np.interp(lowest, balance.log_rates, stress)
        change = np.append(4 * np.exp(of_slowest - stress), 0.0)
        b = bends @ change
        bends -= np.outer(b, b) / (1 + b @ change)
    prior = np.linalg.pinv(information + bends + gauge(nodes), rcond=1e-13)
    constant = solved_constant(equations, nodes)
    unit = np.append(np.ones(nodes), 1 / equations.scale if equations.scale else 1.0)
    inertia = equations.misfit(np.append(unknowns[:-1], 0.0)) if equations.scale else 0.0
    return Inference(
        log_eta=unknowns[:-1],
        beta=float(unknowns[-1] * unit[-1]),
        covariance=(prior + spread) * np.outer(unit, unit),
        smoothing=smoothing,
        misfit=misfit,
        misfit_constant=equations.misfit(constant),
        inertia_share=float(np.sqrt(max(inertia**2 - misfit**2, 0.0))),
        terms=equations.terms(unknowns),
        equations=equations.work.shape[0] * equations.work.shape[1],
        left_out=int((~telling).sum()),
        fit=lack_of_fit(parts, telling, equations, unknowns, constant, smoothing),
    )


def spread_by(inference: Inference, log_rates: FloatArray, other: LogCurve, beta: float, part: float) -> Inference:
    """With a ``part`` of how another log η, and its β, differ in the covariance."""
    away = np.interp(log_rates, other.log_rates, other.log_eta) - inference.log_eta
    away = np.append(away - away.mean(), beta * np.exp(-away.mean()) - inference.beta)
    return replace(inference, covariance=inference.covariance + part**2 * np.outer(away, away))


def _resolutions(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The third (n,) of the sizes that each ball's is in, by radius."""
    distinct, place = np.unique(sizes, return_inverse=True)
    return np.asarray(place * min(3, len(distinct)) // len(distinct))


def weighted(equations: Equations, smoothing: float, start: FloatArray) -> tuple[Equations, FloatArray]:
    """Equations whose weights fit the residuals, and the solution."""
    for _ in range(_WEIGHTINGS):
        constant = solved_constant(equations, len(start) - 1)
        equations = replace(equations, weights=1 / (1 + equations.reynolds(constant)))
    unknowns = solved(equations, 1e-6 * smoothing, start)
    for _ in range(_WEIGHTINGS):
        equations = equations.weighted(unknowns)
        unknowns = solved(equations, smoothing, unknowns)
    return equations, unknowns


def _cross_validated(equations: Equations, parts: NDArray[np.int64], start: FloatArray) -> float:
    """The smoothing with which each part of the flow is best explained by the others; the least of equal ones."""
    scores = []
    for smoothing in _SMOOTHINGS:
        score = 0.0
        for part in np.unique(parts):
            unknowns = solved(equations.rows(parts != part), smoothing * OVERLAP / BEND**2, start)
            own = equations.rows(parts == part)
            left = own.weights[:, None] * own.residuals(unknowns)
            score += float(np.minimum((left**2).mean(axis=1), _WORST).sum())
        scores.append(score)
    return _SMOOTHINGS[int(np.argmin(scores))]


def bisected(centres: FloatArray, times: int) -> NDArray[np.int64]:
    """Parts (n,) of positions (n, d), of equal numbers: halved again and again across their longest axis."""
    parts = np.zeros(len(centres), np.int64)
    for _ in range(times):
        halves = np.zeros(len(centres), np.int64)
        for part in np.unique(parts):
            own = np.flatnonzero(parts == part)
            arms = centres[own] - centres[own].mean(axis=0)
            along = arms @ np.linalg.eigh(arms.T @ arms)[1][:, -1]
            halves[own[np.argsort(along, kind="stable")[len(own) // 2 :]]] = 1
        parts = 2 * parts + halves
    return parts


# Nodes count whose log η is known better than this, beside that of the others.
_KNOWN = 0.2


@dataclass(frozen=True, eq=False)
class LogCurve(ReprMixin):
    """log η (b,) at log γ̇ (b,), rising and evenly spaced, with its covariance (b, b); the mean of log η may be
    unknown."""

    log_rates: FloatArray
    log_eta: FloatArray
    covariance: FloatArray

    def __len__(self) -> int:
        return len(self.log_eta)

    @property
    def errors(self) -> FloatArray:
        """Standard errors of log η less its mean (b,)."""
        centring = np.eye(len(self)) - 1 / max(len(self), 1)
        return standard_errors(centring, self.covariance)

    def part(self, chosen: slice) -> LogCurve:
        """Some neighbouring nodes."""
        return LogCurve(self.log_rates[chosen], self.log_eta[chosen], self.covariance[chosen, chosen])

    def known(self) -> slice:
        """The nodes in a row that are known well beside each other: the end near the worst is left out in turn."""
        start, stop = 0, len(self)
        while stop - start > 1:
            errors = self.part(slice(start, stop)).errors
            if errors.max() <= _KNOWN:
                break
            start, stop = (start + 1, stop) if np.argmax(errors) < len(errors) / 2 else (start, stop - 1)
        return slice(start, stop)

    @property
    def stress_fall(self) -> float:
        """The greatest certain fall of log τ = log η + log γ̇ with the rate."""
        if len(self) < 2:
            return 0.0
        return LogCurve(self.log_rates, self.log_eta + self.log_rates, self.covariance)._largest(-1.0).size

    @property
    def trend(self) -> Trend:
        """Certain falls and rises, and how far log η departs from its mean: for certain, and, smoothed by a parabola,
        at most (95 %)."""
        if len(self) < 2:
            return Trend()
        centring = np.eye(len(self)) - 1 / len(self)
        departure, errors = centring @ self.log_eta, self.errors
        basis = np.vander(np.linspace(-1, 1, len(self)), min(3, len(self)))
        weights = 1 / np.maximum(errors, 1e-9)[:, None]
        smoothed = centring @ basis @ np.linalg.pinv(basis * weights) * weights.T
        bounds = np.abs(smoothed @ self.log_eta) + BOUND * standard_errors(smoothed, self.covariance)
        return Trend(
            fall=self._largest(-1.0),
            rise=self._largest(1.0),
            at_least=max(0.0, float((np.abs(departure) - CERTAIN * errors).max())),
            at_most=float(bounds.max()),
        )

    def _largest(self, sign: float) -> Change:
        """The greatest increase of ``sign`` times log η from a lower to a higher rate, less its uncertainty."""
        variance = np.diag(self.covariance)
        square = np.add.outer(variance, variance) - 2 * self.covariance
        gain = sign * (self.log_eta[None, :] - self.log_eta[:, None])
        gain = np.triu(gain - CERTAIN * np.sqrt(np.maximum(square, 0.0)), 1)
        if gain.max() <= 0:
            return Change()
        low, high = np.unravel_index(np.argmax(gain), gain.shape)
        return Change(float(gain.max()), float(np.exp(self.log_rates[low])), float(np.exp(self.log_rates[high])))


def standard_errors(combinations: FloatArray, covariance: FloatArray) -> FloatArray:
    """Standard errors of linear combinations, one a row."""
    return np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", combinations, covariance, combinations), 0.0))
