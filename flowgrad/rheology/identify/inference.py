"""How smooth the viscosity has to be, and how well it is known: by what parts of the flow say of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.reprs import ReprMixin
from flowgrad.rheology.identify.balance import Balance
from flowgrad.rheology.identify.estimate import (
    BEND,
    OVERLAP,
    Equations,
    gauge,
    smoothness,
    solved,
    solved_constant,
)
from flowgrad.typing import FloatArray

# Parts that are left out in turn: three bisections.
_BISECTIONS = 3
# Smoothing tried, in units of what the prior of log η has.
_SMOOTHINGS = (1.0, 10.0, 100.0, 1000.0)
_WEIGHTINGS = 2
# In the covariance that the prior leaves, for what all parts of the flow leave open, each equation counts for one over
# this; the jackknife adds what they do not agree on.
_COUNTED = 2.0
# The curve's cubics miss about so much of a viscosity, as a fraction of the work: viscosities whose balances differ by
# less are not told apart, however exact the velocity.
_RESOLVED = 3e-4
# What a bad equation may cost in the comparison, in typical residuals squared.
_WORST = 9.0


@dataclass(frozen=True, eq=False)
class Inference(ReprMixin):
    """log η at the nodes (b,), of mean zero, β (the density over the mean viscosity for a density of one), their
    ``covariance`` (b + 1, b + 1), the chosen ``smoothing``, and the root mean square of what is left of the equations:
    with this viscosity (``misfit``), with a constant one (``misfit_constant``), of the inertia itself
    (``inertia_share``), and of the ``terms`` that cancel, all as fractions of the work of the stress."""

    log_eta: FloatArray
    beta: float
    covariance: FloatArray
    smoothing: float
    misfit: float
    misfit_constant: float
    inertia_share: float
    terms: float
    equations: int

    @property
    def unbalanced(self) -> float:
        """What is left of the equations, as a fraction of the terms that cancel in them."""
        return self.misfit / max(self.terms, 1e-300)

    @property
    def beta_error(self) -> float:
        """Standard error of β."""
        return float(np.sqrt(self.covariance[-1, -1]))


def infer(balance: Balance) -> Inference:
    """The viscosity that balances the momentum best."""
    nodes = len(balance.log_rates)
    least = OVERLAP / BEND**2
    equations, unknowns = weighted(Equations.of(balance), least, np.zeros(nodes + 1))
    parts = bisected(balance.centres, _BISECTIONS)
    smoothing = _cross_validated(equations, parts, unknowns)
    unknowns = solved(equations, smoothing * least, unknowns)
    others = np.array([solved(equations.rows(parts != p), smoothing * least, unknowns) for p in np.unique(parts)])
    misfit = equations.misfit(unknowns)
    information = equations.information(unknowns) * min(1.0, (misfit / _RESOLVED) ** 2)
    prior = np.linalg.pinv(information / _COUNTED + smoothness(nodes) / BEND**2 + gauge(nodes), rcond=1e-13)
    constant = solved_constant(equations, nodes)
    unit = np.append(np.ones(nodes), 1 / equations.scale if equations.scale else 1.0)
    inertia = equations.misfit(np.append(unknowns[:-1], 0.0)) if equations.scale else 0.0
    return Inference(
        log_eta=unknowns[:-1],
        beta=float(unknowns[-1] * unit[-1]),
        covariance=(prior + _jackknife(others)) * np.outer(unit, unit),
        smoothing=smoothing,
        misfit=misfit,
        misfit_constant=equations.misfit(constant),
        inertia_share=float(np.sqrt(max(inertia**2 - misfit**2, 0.0))),
        terms=equations.terms(unknowns),
        equations=equations.work.shape[0] * equations.work.shape[1],
    )


def weighted(equations: Equations, smoothing: float, start: FloatArray) -> tuple[Equations, FloatArray]:
    """Equations whose weights fit the residuals, and the solution."""
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


def _jackknife(others: FloatArray) -> FloatArray:
    """Covariance from estimates (k, b + 1) that each leave out one of k parts (Tukey 1958, Ann. Math. Stat. 29,
    614)."""
    deviations = others - others.mean(axis=0)
    return (len(others) - 1) / len(others) * deviations.T @ deviations
