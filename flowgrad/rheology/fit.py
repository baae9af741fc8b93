"""Fits of viscosity models to shear rates and stresses, ranked by Akaike's criterion."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.rheology import thresholds
from flowgrad.rheology.correlation import (
    SerialCorrelation,
    deviance_of,
    first_order,
    least_squares_of,
    serial_correlation,
)
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.rheology.form import Form, forms, tapes
from flowgrad.rheology.least_squares import Problem, costs, descents
from flowgrad.rheology.model import Model, StressModel
from flowgrad.rheology.models import MODELS
from flowgrad.rheology.profile import Optimum, profile_intervals
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray

# Two parameters (viscosity and scatter) and AICc's correction need this many points at least.
MIN_POINTS = 4
# Up to so many points the scatter is not counted among the parameters.
_FEW = 6
RESIDUALS = ("log", "relative")


@dataclass(frozen=True, eq=False)
class FitData:
    """Points (n,) with the standard deviations of their stresses as parts of them, ``relative_sigma`` (n,):
    ``absolute`` ones, or only their ratios. ``known_to`` is the relative error that the data have besides, ``rho`` the
    correlation of neighbouring deviations that the criterion reckons with, or ``share`` the part of them that is
    independent."""

    rate: FloatArray
    stress: FloatArray
    relative_sigma: FloatArray
    residual: str
    known_to: float
    absolute: bool = False
    rho: float = 0.0
    share: float = 1.0

    @property
    def scale(self) -> FloatArray:
        """By which deviations (n,) are divided: σ where it is absolute, else with 1 for the mean of 1/scale²."""
        if self.absolute:
            return self.relative_sigma
        return self.relative_sigma * np.sqrt(np.mean(self.relative_sigma**-2.0))

    def problem(self, form: Form) -> Problem:
        """Least squares of a law's residuals."""
        tape, guard, guarded = tapes(form)
        return Problem(
            tape, issubclass(form.kind, StressModel), guard, guarded, self.rate, self.stress, self.scale,
            self.residual == "log", *form.bounds(self.rate, self.stress),
        )  # fmt: skip

    def variance(self, cost: float, freedom: int) -> float:
        """Of the scatter of scaled residuals whose squares sum to 2 ``cost``, not below what data are known to."""
        return 1.0 if self.absolute else max(2 * cost / freedom, self.known_to**2)

    def aicc(self, cost: float, parameters: int) -> float:
        """Akaike's criterion, corrected (Hurvich & Tsai 1989); infinite for too many parameters.

        The scatter is a parameter where it is estimated, and so is its correlation; not where there are so ``few``
        points that nearly every law would be left out.
        """
        count, k = len(self.rate), self.estimated(parameters)
        return self.deviance(cost) + 2 * k + 2 * k * (k + 1) / (count - k - 1) if count - k > 1 else np.inf

    def estimated(self, parameters: int) -> int:
        """How many numbers a fit estimates."""
        scatter = 0 if self.absolute or len(self.rate) <= _FEW else 1
        return parameters + scatter + (self.rho > 0 or self.share < 1)

    def deviance(self, cost: float) -> float:
        """−2 log L of scaled residuals whose squares, of the whitened ones where they are correlated, sum to 2
        ``cost``, but for a constant."""
        return deviance_of(2 * cost, len(self.rate), self.rho, self.known_to**2, self.absolute, self.share)


def checked(
    rate: ArrayLike, stress: ArrayLike, sigma: ArrayLike | None, residual: str, known_to: float, absolute: bool
) -> FitData:
    """The data of a fit; OptionError for what cannot be fitted."""
    if residual not in RESIDUALS:
        raise OptionError(f"residual '{residual}' is unknown: choose one of {', '.join(RESIDUALS)}")
    if absolute and sigma is None:
        raise OptionError("absolute standard deviations were asked for, but none are given: give sigma (n,)")
    rates, stresses = np.asarray(rate, float), np.asarray(stress, float)
    deviations = stresses if sigma is None else np.asarray(sigma, float)
    named = {"shear rates": rates, "stresses": stresses, "sigma": deviations}
    shapes = {name: values.shape for name, values in named.items()}
    if rates.ndim != 1 or len(set(shapes.values())) != 1:
        raise OptionError(f"a fit needs arrays of one length, but the shapes are {shapes}: give (n,) each")
    if len(rates) < MIN_POINTS:
        raise OptionError(f"{len(rates)} points cannot tell one law from another: give at least {MIN_POINTS}")
    for name, values in named.items():
        bad = int(np.sum(~(np.isfinite(values) & (values > 0))))
        if bad:
            raise OptionError(f"{bad} of {len(values)} {name} are not positive and finite: leave them out")
    return FitData(rates, stresses, deviations / stresses, residual, known_to, absolute)


# No stress or rate is known better than this (relative): of models that all fit closer, the one with
# the fewest parameters is preferred.
SMALLEST_MISFIT = 1e-4
# Searches from so many of a model's own guesses and of random parameters; after some steps the best go on.
_GUESSES = 10
_RANDOM = 10
_FIRST_STEPS = 15
_BEST = 4
_STEPS = 300
# Searches whose parameters and costs differ by less are one.
_SAME = 1e-3
# By how much a cap has to lower Akaike's criterion.
_CAP_GAIN = 6.0


@dataclass(frozen=True)
class Fit:
    """A model with the parameters that suit the data best.

    ``chi2`` is the sum of squared residuals over σ², ``misfit`` their root mean square
    as a fraction of the stress, ``aicc`` Akaike's criterion (smaller is better), ``weight`` the
    probability of this model among those compared (Burnham & Anderson 2002, eq. 2.9), ``points`` the
    number of data, ``residuals`` (points,) what the model misses of each stress as a fraction of it.
    ``deviance`` is −2 log L but for a constant, with ``estimated`` parameters, the scatter among them where it is one;
    ``rho`` the correlation of neighbouring residuals in it, or ``share`` the part of the points that counts, the same
    for all that were compared.
    ``optimum`` is the fit's minimum, from which the intervals follow when they are asked for.
    """

    model: Model
    chi2: float = 0.0
    misfit: float = 0.0
    aicc: float = -np.inf
    weight: float = 1.0
    points: int = 0
    residuals: FloatArray = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    optimum: Optimum | None = field(default=None, compare=False, repr=False)
    deviance: float = -np.inf
    estimated: int = 0
    rho: float = 0.0
    share: float = 1.0

    @property
    def aic(self) -> float:
        """Akaike's criterion without the correction (1974)."""
        return self.deviance + 2 * self.estimated

    @property
    def bic(self) -> float:
        """Schwarz's criterion (1978)."""
        return float(self.deviance + self.estimated * np.log(max(self.points, 1)))

    @property
    def chi2_reduced(self) -> float:
        """χ² over the degrees of freedom: about 1 where sigma is the points' standard deviation; NaN without any."""
        freedom = self.points - len(self.model.parameters)
        return self.chi2 / freedom if freedom > 0 else np.nan

    @property
    def r_squared(self) -> float:
        """Part of the stresses' variance that the model explains, all of one weight: near 1 for any that rises; NaN
        where they are all the same."""
        if self.optimum is None:
            return np.nan
        stress = self.optimum.problem.stress
        missed = self.model.stress(self.optimum.problem.rate) - stress
        variance = float(np.sum((stress - stress.mean()) ** 2))
        return float(1 - np.sum(missed**2) / variance) if variance > 0 else np.nan

    @property
    def relative_errors(self) -> dict[str, float]:
        """Linear standard error of each parameter that the data determine, as a part of it."""
        if self._correlated is None:
            return {}
        errors = np.sqrt(np.diag(self._correlated.covariance()))
        return {key: float(e) for key, e in zip(self.model.parameters, errors, strict=True) if key in self.intervals}

    @cached_property
    def serial_correlation(self) -> SerialCorrelation | None:
        """That of the residuals along the points, where one shows."""
        optimum = self.optimum
        if optimum is None:
            return None
        # What is smaller than the data are known to is rounding.
        seen = 2 * optimum.cost > 0.5 * optimum.variance * max(self.points - len(optimum.x), 1)
        return serial_correlation(optimum.jacobian[:, :-1], self.residuals / optimum.problem.scale) if seen else None

    @cached_property
    def _correlated(self) -> Optimum | None:
        """The optimum with the variances that correlated residuals leave."""
        optimum, serial = self.optimum, self.serial_correlation
        if optimum is None or serial is None:
            return optimum
        if np.isinf(optimum.freedom):
            return dataclasses.replace(optimum, inflation=serial.inflation)
        variance = max(optimum.variance, serial.variance)
        return dataclasses.replace(optimum, variance=variance, freedom=serial.freedom, inflation=serial.inflation)

    @cached_property
    def intervals(self) -> Mapping[str, tuple[float, float]]:
        """95 % interval of each parameter that the data determine, from the likelihood's profile; wider where the
        residuals are correlated, and none for a model that was given."""
        if self._correlated is None:
            return {}
        ends = profile_intervals(self._correlated)
        return {key: each for key, each in zip(self.model.parameters, ends, strict=True) if each is not None}

    @property
    def undetermined(self) -> tuple[str, ...]:
        """Parameters that the data do not determine; ``model`` has values for them only because a model needs some."""
        return tuple(key for key in self.model.parameters if self.optimum is not None and key not in self.intervals)

    @property
    def correlation(self) -> FloatArray:
        """Of the logarithms of the parameters (p, p), in the order of the model."""
        if self.optimum is None:
            return np.eye(len(self.model.parameters))
        covariance = self.optimum.covariance()
        error = np.sqrt(np.diag(covariance))
        return covariance / np.outer(error, error)

    @property
    def parameters(self) -> dict[str, float]:
        """Values of the parameters that the data determine."""
        undetermined = self.undetermined
        return {key: value for key, value in self.model.parameters.items() if key not in undetermined}

    def __str__(self) -> str:
        """The model with ``?`` for what the data do not determine."""
        known = self.parameters
        shown = (f"{key}={known[key]:.4g}" if key in known else f"{key}=?" for key in self.model.parameters)
        return f"{self.model.name}({', '.join(shown)})"


def fit_models(
    rate: ArrayLike,
    stress: ArrayLike,
    sigma: ArrayLike | None = None,
    models: Iterable[str | type[Model]] | None = None,
    residual: str = "log",
    known_to: float = SMALLEST_MISFIT,
    absolute_sigma: bool = False,
) -> tuple[Fit, ...]:
    """Fit every model to shear rates (n,) and stresses (n,) and rank them, the best first.

    ``sigma`` (n,) are standard deviations of the stress, taken as relative weights (the scatter is
    estimated from the data), or with ``absolute_sigma`` as they are; by default each is proportional to
    its stress. ``residual`` is ``log``, log(model/stress), or ``relative``, (model − stress)/stress.
    By default all models are compared, those that are ``ranked``. ``known_to`` is the relative
    error that the data have beside their scatter: models that all fit closer are equally good.

    Ranked by the corrected criterion of Akaike (Hurvich & Tsai 1989, Biometrika 76, 297); models with
    too many parameters for n are left out. Where the residuals of the best follow one another, all are
    ranked by the likelihood of residuals that do (``SerialCorrelation``), or where they are no process of
    first order by as many as are independent. Raises OptionError for fewer
    than four points, values that are not positive and finite, and unknown models.
    """
    data = checked(rate, stress, sigma, residual, known_to, absolute_sigma)
    every = [kind for kind in MODELS.values() if kind.ranked]
    kinds = every if models is None else [_kind(model) for model in models]
    fits = sorted((fit for fit in (_fit(kind, data) for kind in kinds) if fit is not None), key=lambda fit: fit.aicc)
    if fits and (serial := fits[0].serial_correlation):
        if first_order(fits[0].residuals / data.scale, serial.rho):
            reckoned = dataclasses.replace(data, rho=serial.rho)
        else:
            independent = serial.freedom + len(fits[0].model.parameters)
            reckoned = dataclasses.replace(data, share=min(independent / len(data.rate), 1.0))
        fits = sorted((_reckoned(fit, reckoned) for fit in fits), key=lambda fit: fit.aicc)
    likelihoods = [float(np.exp(-0.5 * (fit.aicc - fits[0].aicc))) for fit in fits]
    total = sum(likelihoods)
    return tuple(
        dataclasses.replace(fit, weight=likelihood / total) for fit, likelihood in zip(fits, likelihoods, strict=True)
    )


def fits_of(curve: FlowCurve) -> tuple[Fit, ...]:
    """Models fitted to the bins of a flow curve with their errors, ranked; none where it has fewer than four bins."""
    if len(curve) < MIN_POINTS:
        return ()
    error = np.hypot(curve.uncertainty, thresholds.CURVE_ERROR)
    # No law is better than another for following the medians closer than they are known.
    known_to = float(np.mean(error**-2.0) ** -0.5)
    return fit_models(curve.rate, curve.stress, curve.stress * error, known_to=known_to)


def _reckoned(fit: Fit, data: FitData) -> Fit:
    """The fit with the criterion of correlated deviations."""
    assert fit.optimum is not None
    loss = 0.5 * least_squares_of(fit.residuals / data.scale, fit.optimum.jacobian[:, :-1], data.rho)
    count = len(fit.model.parameters)
    deviance, estimated = data.deviance(loss), data.estimated(count)
    return dataclasses.replace(
        fit, aicc=data.aicc(loss, count), deviance=deviance, estimated=estimated, rho=data.rho, share=data.share
    )


def _kind(model: str | type[Model]) -> type[Model]:
    if not isinstance(model, str):
        return model
    if model not in MODELS:
        raise OptionError(f"unknown viscosity law '{model}'{nearest(model, MODELS)}: known are {', '.join(MODELS)}")
    return MODELS[model]


def _fit(kind: type[Model], data: FitData) -> Fit | None:
    """The law in the form that Akaike's criterion prefers; None where it has too many parameters for the points."""
    best: Fit | None = None
    for form in forms(kind, data.rate, data.stress):
        if np.isfinite(data.aicc(1.0, len(form.kinds))):
            found = fitted(form, data)
            # A cap is taken where the data ask for it.
            if best is None or found.aicc < best.aicc - _CAP_GAIN:
                best = found
    return best


def fitted(form: Form, data: FitData) -> Fit:
    """The least squares of a law in one form."""
    problem = data.problem(form)
    starts = _starts(form, data, problem)
    x, cost, residuals, jacobian, others = _searched(data, problem, starts)
    freedom = len(data.rate) - len(x)
    known = np.inf if data.absolute else freedom
    variance = data.variance(cost, freedom)
    optimum = Optimum(problem, x, cost, jacobian, variance, known, others, np.ones(len(x)), data.known_to**2)
    deviations, loss = residuals[:-1] * data.scale, 0.5 * float(np.sum(residuals[:-1] ** 2))
    return Fit(
        model=form.model(np.exp(x)),
        chi2=float(np.sum((deviations / data.relative_sigma) ** 2)),
        misfit=float(np.sqrt(np.average(deviations**2, weights=data.relative_sigma**-2.0))),
        aicc=data.aicc(loss, len(x)),
        points=len(data.rate),
        residuals=deviations,
        optimum=optimum,
        deviance=data.deviance(loss),
        estimated=data.estimated(len(x)),
    )


def _searched(
    data: FitData, problem: Problem, starts: FloatArray
) -> tuple[FloatArray, float, FloatArray, FloatArray, FloatArray]:
    """The best minimum (p,) reached from many starts, all for a few steps, then the best that differ, with its cost,
    residuals and their derivatives; and where other valleys may lie (r, p)."""
    enough = 0.0 if data.absolute else 0.5 * len(data.rate) * data.known_to**2
    x = starts.copy()
    cost, _, _ = descents(problem, x, _FIRST_STEPS, enough)
    chosen: list[int] = []
    for i in np.argsort(cost)[: 2 * _BEST]:
        near = (np.abs(x[i] - x[k]).max() < _SAME and cost[i] < cost[k] * (1 + _SAME) for k in chosen)
        if len(chosen) < _BEST and np.isfinite(cost[i]) and not any(near):
            chosen.append(int(i))
    best = x[chosen or [0]]
    cost, _, _ = descents(problem, best, _STEPS, 1e-8 * enough)
    x = best[np.argmin(cost)][None].copy()
    cost, residuals, jacobian = descents(problem, x, _STEPS, 1e-8 * enough)
    return x[0], float(cost[0]), residuals, jacobian, np.concatenate([starts[:_GUESSES], best])


def _starts(form: Form, data: FitData, problem: Problem) -> FloatArray:
    """The best of the law's own guesses and of random parameters, in logarithms, strictly within the bounds."""
    lower, upper = problem.lower, problem.upper
    margin = 1e-3 * (upper - lower)
    with np.errstate(divide="ignore"):
        logs = np.clip(np.log(form.guesses(data.rate, data.stress)), lower + margin, upper - margin)
    random = lower + _random(len(lower)) * (upper - lower)
    return np.concatenate(
        [each[np.argsort(costs(problem, each))[:count]] for each, count in ((logs, _GUESSES), (random, _RANDOM))]
    )


@cache
def _random(count: int) -> FloatArray:
    """Parts of the bounds' distance (200, p), always the same."""
    return np.random.default_rng(0).random((20 * _RANDOM, count))
