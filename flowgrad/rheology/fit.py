"""Viscosity laws fitted to shear rates and stresses, and ranked by what the data say for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import MODELS
from flowgrad.spec import nearest

FloatArray = NDArray[np.float64]

# Two parameters (viscosity and scatter) and AICc's correction need this many points at least.
MIN_POINTS = 4
# A parameter whose 95 % interval spans more than this factor is not determined by the data.
UNDETERMINED_FACTOR = 10.0
# No stress or rate is known better than this (relative): of laws that all fit closer, the one with
# the fewest parameters is preferred.
SMALLEST_MISFIT = 1e-4
_CONFIDENCE = 0.95
_STARTS = 3
_STEPS = 100
RESIDUALS = ("log", "relative")


@dataclass(frozen=True)
class Fit:
    """A law with the parameters that suit the data best.

    ``intervals`` holds the 95 % interval of each parameter that the data determine; the others are
    in ``undetermined`` and have a value in ``model`` only because a law needs one. ``chi2`` is the
    sum of squared residuals over σ², ``misfit`` their root mean square as a fraction of the stress,
    ``aicc`` Akaike's criterion (smaller is better), ``weight`` the probability of this law among
    those compared (Burnham & Anderson 2002, eq. 2.9), ``points`` the number of data.
    """

    model: Model
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    undetermined: tuple[str, ...] = ()
    chi2: float = 0.0
    misfit: float = 0.0
    aicc: float = -np.inf
    weight: float = 1.0
    points: int = 0

    @property
    def parameters(self) -> dict[str, float]:
        """Values of the parameters that the data determine."""
        return {key: value for key, value in self.model.parameters.items() if key not in self.undetermined}

    def __str__(self) -> str:
        """The law with ``?`` for what the data do not determine."""
        known = self.parameters
        shown = (f"{key}={known[key]:.4g}" if key in known else f"{key}=?" for key in self.model.parameters)
        return f"{self.model.name}({', '.join(shown)})"


@dataclass(frozen=True)
class _Data:
    rate: FloatArray
    stress: FloatArray
    relative_sigma: FloatArray
    residual: str
    known_to: float

    def deviations(self, model: Model) -> FloatArray:
        """What the law misses of each stress, as a fraction of it."""
        # A law may turn negative far from the data (Carreau with n > 1 and η∞ > η0): misfit, not NaN.
        ratio = np.maximum(model.stress(self.rate) / self.stress, 1e-300)
        return np.log(ratio) if self.residual == "log" else ratio - 1

    def mean_square(self, deviations: FloatArray) -> float:
        """Mean of the squared deviations, each with the weight 1/σ²."""
        return float(np.average(deviations**2, weights=self.relative_sigma**-2.0))

    def variance(self, deviations: FloatArray, freedom: int) -> float:
        """Of the scatter about a law, not below what the data are known to."""
        return max(self.mean_square(deviations) * len(self.rate) / freedom, self.known_to**2)


def fit_models(
    rate: ArrayLike,
    stress: ArrayLike,
    sigma: ArrayLike | None = None,
    models: Iterable[str | type[Model]] | None = None,
    residual: str = "log",
    known_to: float = SMALLEST_MISFIT,
) -> tuple[Fit, ...]:
    """Fit every law to shear rates (n,) and stresses (n,) and rank them, the best first.

    ``sigma`` (n,) are standard deviations of the stress, taken as relative weights (the scatter is
    estimated from the data); by default each is proportional to its stress. ``residual`` is ``log``,
    log(model/stress), or ``relative``, (model − stress)/stress. ``known_to`` is the relative error that
    the data have beside their scatter: laws that all fit closer are equally good.

    Ranked by the corrected criterion of Akaike (Hurvich & Tsai 1989, Biometrika 76, 297); laws with
    too many parameters for n are left out. Intervals are linear ones in the logarithm of the
    parameters. Raises OptionError for fewer than four points, values that are not positive and
    finite, and unknown laws.
    """
    data = _checked(rate, stress, sigma, residual, known_to)
    kinds = [_kind(model) for model in (MODELS if models is None else models)]
    fits = [_fit(kind, data) for kind in kinds if len(data.rate) > len(kind.free()) + 2]
    return _ranked(fits)


def _checked(rate: ArrayLike, stress: ArrayLike, sigma: ArrayLike | None, residual: str, known_to: float) -> _Data:
    if residual not in RESIDUALS:
        raise OptionError(f"residual '{residual}' is unknown: choose one of {', '.join(RESIDUALS)}")
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
    return _Data(rates, stresses, deviations / stresses, residual, known_to)


def _kind(model: str | type[Model]) -> type[Model]:
    if not isinstance(model, str):
        return model
    if model not in MODELS:
        raise OptionError(f"unknown viscosity law '{model}'{nearest(model, MODELS)}: known are {', '.join(MODELS)}")
    return MODELS[model]


def _fit(kind: type[Model], data: _Data) -> Fit:
    scale = data.relative_sigma * np.sqrt(np.mean(data.relative_sigma**-2.0))
    bounds = _bounds(kind, data)

    def residuals(logs: FloatArray) -> FloatArray:
        return data.deviations(kind(*np.exp(logs))) / scale

    starts = _starts(kind, data, *bounds)
    logs = _minimised(residuals, starts, bounds, 0.5 * len(data.rate) * data.known_to**2)
    return _described(kind(*np.exp(logs)), logs, _jacobian(residuals, logs), data)


def _minimised(
    residuals: Callable[[FloatArray], FloatArray],
    starts: Iterable[FloatArray],
    bounds: tuple[FloatArray, FloatArray],
    enough: float,
) -> FloatArray:
    """The best of the minima reached from each start; one whose cost is ``enough`` ends the search."""
    from scipy.optimize import least_squares

    solutions = []
    for start in starts:
        solutions.append(least_squares(residuals, start, bounds=bounds, xtol=1e-10, ftol=1e-10, max_nfev=_STEPS))
        if solutions[-1].cost <= enough:
            break
    return np.asarray(min(solutions, key=lambda solution: solution.cost).x)


def _jacobian(residuals: Callable[[FloatArray], FloatArray], logs: FloatArray) -> FloatArray:
    """By central differences: the minimiser's own is one-sided, too rough for parameters that the
    data hardly determine."""
    steps = 1e-5 * np.eye(len(logs))
    return np.stack([(residuals(logs + step) - residuals(logs - step)) / 2e-5 for step in steps], axis=1)


def _bounds(kind: type[Model], data: _Data) -> tuple[FloatArray, FloatArray]:
    pairs = [each.bounds(data.rate, data.stress) for each in kind.free().values()]
    lower, upper = np.log(np.array(pairs)).T
    return lower, upper


def _starts(kind: type[Model], data: _Data, lower: FloatArray, upper: FloatArray) -> list[FloatArray]:
    """The best of the law's own guesses, in logarithms, strictly within the bounds."""
    guesses = np.array(list(kind.guesses(data.rate, data.stress)))
    margin = 1e-3 * (upper - lower)
    with np.errstate(divide="ignore"):
        logs = np.clip(np.log(guesses), lower + margin, upper - margin)
    misfits = [data.mean_square(data.deviations(kind(*np.exp(each)))) for each in logs]
    return [logs[i] for i in np.argsort(misfits)[:_STARTS]]


def _described(model: Model, logs: FloatArray, jacobian: FloatArray, data: _Data) -> Fit:
    deviations = data.deviations(model)
    count, free = len(data.rate), len(logs)
    errors = _standard_errors(jacobian, data.variance(deviations, count - free))
    intervals = _intervals(logs, errors, count - free)
    wide = {key for key, (low, high) in zip(model.free(), intervals, strict=True) if high > UNDETERMINED_FACTOR * low}
    return Fit(
        model=model,
        intervals={key: each for key, each in zip(model.free(), intervals, strict=True) if key not in wide},
        undetermined=tuple(key for key in model.free() if key in wide),
        chi2=float(np.sum((deviations / data.relative_sigma) ** 2)),
        misfit=float(np.sqrt(data.mean_square(deviations))),
        aicc=_aicc(data.variance(deviations, count), count, free + 1),
        points=count,
    )


def _standard_errors(jacobian: FloatArray, variance: float) -> FloatArray:
    """Of the parameters' logarithms; huge, not infinite, along directions that the data do not see."""
    _, singular, directions = np.linalg.svd(jacobian, full_matrices=False)
    singular = np.maximum(singular, 1e-10 * max(singular[0], 1e-300))
    return np.sqrt(variance * np.sum((directions / singular[:, None]) ** 2, axis=0))


def _intervals(logs: FloatArray, errors: FloatArray, freedom: int) -> list[tuple[float, float]]:
    from scipy.special import stdtrit

    half = np.minimum(stdtrit(freedom, 0.5 + _CONFIDENCE / 2) * errors, 50.0)
    return [(float(low), float(high)) for low, high in zip(np.exp(logs - half), np.exp(logs + half), strict=True)]


def _aicc(variance: float, count: int, parameters: int) -> float:
    """``parameters`` counts the scatter, which is estimated too."""
    criterion = count * np.log(variance) + 2 * parameters
    return float(criterion + 2 * parameters * (parameters + 1) / (count - parameters - 1))


def _ranked(fits: list[Fit]) -> tuple[Fit, ...]:
    ordered = sorted(fits, key=lambda fit: fit.aicc)
    likelihoods = [float(np.exp(-0.5 * (fit.aicc - ordered[0].aicc))) for fit in ordered]
    return tuple(
        dataclasses.replace(fit, weight=likelihood / sum(likelihoods))
        for fit, likelihood in zip(ordered, likelihoods, strict=True)
    )
