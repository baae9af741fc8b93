"""Trend of the viscosity along measured points, with the noise of the points."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Trend, departure, largest_change
from flowgrad.rheology.thresholds import CERTAIN
from flowgrad.typing import FloatArray

# The median of |x| of a normal distribution.
MEDIAN_DEVIATION = 0.6745
_CONFIDENCE = 0.95
# Neighbouring points are averaged over windows of these sizes, up to this part of the points.
_WINDOWS = (1, 2, 4, 8, 16)
_LARGEST_WINDOW = 1 / 3
# Laws miss the points by more than their noise where this ratio of variances is exceeded.
_MISFIT = 2.5
_FEWEST_LOCAL = 8
# By what a parabola has to lower χ² beside a line: two, as Akaike's criterion has it.
_PARABOLA = 2.0
# Degrees of freedom of the local estimate for each of its n − 2 differences (Gasser, Sroka & Jennen-Steinmetz
# 1986, Biometrika 73, 625, for equidistant points).
_LOCAL_FREEDOM = 18 / 35


@dataclass(frozen=True)
class Noise:
    """Relative standard deviation of the points, in units of their weights, and its degrees of freedom."""

    size: float
    freedom: float


def noise_of(curve: FlowCurve, scale: FloatArray, fit: Fit, least: float) -> Noise:
    """Of points about the best law, or where that misses them about the line between each point's neighbours.

    ``scale`` (n,) is each point's relative error in units of the noise, ``least`` the smallest that counts.
    """
    freedom = max(fit.points - len(fit.model.free()), 1)
    of_law = float(np.sum((fit.residuals / scale) ** 2)) / freedom
    if len(curve) >= _FEWEST_LOCAL:
        local = float(np.mean(_differences(curve, scale) ** 2))
        if of_law > _MISFIT * local:
            return Noise(float(max(np.sqrt(local), least)), _LOCAL_FREEDOM * (len(curve) - 2))
    return Noise(float(max(np.sqrt(of_law), least)), freedom)


def typical_noise(curve: FlowCurve, scale: FloatArray) -> float:
    """The local estimate by a median, which steps and outliers do not raise."""
    return float(np.median(np.abs(_differences(curve, scale)))) / MEDIAN_DEVIATION


def _differences(curve: FlowCurve, scale: FloatArray) -> FloatArray:
    """By how many units of noise each inner point misses the line between its neighbours (n − 2,)."""
    x, y = np.log(curve.rate), np.log(curve.viscosity)
    width = x[2:] - x[:-2]
    left = np.divide(x[2:] - x[1:-1], width, out=np.full(len(width), 0.5), where=width > 0)
    errors = np.sqrt((left * scale[:-2]) ** 2 + scale[1:-1] ** 2 + ((1 - left) * scale[2:]) ** 2)
    return (left * y[:-2] - y[1:-1] + (1 - left) * y[2:]) / errors


def point_trend(curve: FlowCurve, fits: tuple[Fit, ...], freedom: float) -> Trend:
    """The certain changes of η along points with uncertainties, known from ``freedom`` degrees of freedom, and how far
    η may depart from its log-mean: by a line or a parabola with its error (95 %), and by the mean of the laws."""
    quantile = certain_quantile(freedom)
    each = [_certain(window, quantile) for window in _windows(curve)]
    return Trend(
        fall=max((t.fall for t in each), key=lambda change: change.size),
        rise=max((t.rise for t in each), key=lambda change: change.size),
        at_least=max(t.at_least for t in each),
        at_most=max(departure(curve, bound_quantile(freedom), degree_of(curve)), law_departure(curve, fits)),
    )


def degree_of(curve: FlowCurve) -> int:
    """Whether a line or a parabola describes log η(log γ̇), by Akaike's criterion with the points' noise."""
    squares = [_squares(curve, degree) for degree in (1, 2)]
    return 2 if squares[0] - squares[1] > _PARABOLA else 1


def _squares(curve: FlowCurve, degree: int) -> float:
    """χ² of the points about a polynomial log η(log γ̇)."""
    x, log_eta = np.log(curve.rate), np.log(curve.viscosity)
    weights = 1 / np.maximum(curve.uncertainty, 1e-6)
    return float(np.sum((weights * (log_eta - np.polyval(np.polyfit(x, log_eta, degree, w=weights), x))) ** 2))


def bound_quantile(freedom: float) -> float:
    """Of the bound on a departure: one-sided 95 %, for η is within the margin where each rate passes that test
    (Berger 1982, Technometrics 24, 295)."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, _CONFIDENCE))


def certain_quantile(freedom: float) -> float:
    """Student's quantile as unlikely as ``CERTAIN`` standard errors of a known noise."""
    from scipy.special import ndtr, stdtrit

    return float(-stdtrit(freedom, ndtr(-CERTAIN)))


def law_departure(curve: FlowCurve, fits: tuple[Fit, ...]) -> float:
    """Largest departure of the laws' log η, averaged with their Akaike weights, from its mean; 0 without laws."""
    if not fits:
        return 0.0
    average = sum(fit.weight * np.log(fit.model.viscosity(curve.rate)) for fit in fits)
    return float(np.max(np.abs(average - np.mean(average))))


def _windows(curve: FlowCurve) -> list[FlowCurve]:
    most = max(1, int(_LARGEST_WINDOW * len(curve)))
    return [_averaged(curve, size) for size in _WINDOWS if size <= most]


def _averaged(curve: FlowCurve, size: int) -> FlowCurve:
    """Means of so many neighbouring points."""

    def mean(values: FloatArray) -> FloatArray:
        return np.convolve(values, np.full(size, 1 / size), "valid")

    return dataclasses.replace(
        curve,
        rate=np.exp(mean(np.log(curve.rate))),
        viscosity=np.exp(mean(np.log(curve.viscosity))),
        uncertainty=np.sqrt(mean(curve.uncertainty**2) / size),
    )


def _certain(curve: FlowCurve, quantile: float) -> Trend:
    log_eta = np.log(curve.viscosity)
    beyond = np.abs(log_eta - log_eta.mean()) - quantile * curve.uncertainty
    return Trend(
        fall=largest_change(curve, -log_eta, quantile),
        rise=largest_change(curve, log_eta, quantile),
        at_least=max(0.0, float(beyond.max())),
    )
