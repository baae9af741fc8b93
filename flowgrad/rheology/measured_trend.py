"""Trend of the viscosity along measured points, with the noise of the points."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.correlation import variance_of_means
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import Change, FlowCurve, Trend, departure, largest_change
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
# Advice is for a little more than what would just do.
_SLACK = 0.9
# Degrees of freedom of the local estimate for each of its n − 2 differences (Gasser, Sroka & Jennen-Steinmetz
# 1986, Biometrika 73, 625, for equidistant points).
_LOCAL_FREEDOM = 18 / 35


# So few points do not tell their scatter. That of a rheometer's is no larger than this: a constant that misses them by
# more says nothing of it.
_FEW = 7
_LARGEST_NOISE = 0.25
# The slope of a line through few points of a Newtonian fluid is taken for a change with this probability each way.
_BY_CHANCE = 1e-4
# Few points may lie on a line by chance: no smaller scatter is believed of them.
_LEAST_NOISE = 0.02


@dataclass(frozen=True)
class Noise:
    """Relative standard deviation of the points, in units of their weights, and its degrees of freedom; whether they
    are ``few``, of which no scatter beyond a rheometer's is believed.

    With the correlation ``rho`` of neighbours ``freedom`` is Satterthwaite's (1946), good for 95 %; that of as many
    independent points, ``counted``, is for what is far less likely: two degrees would make that thirty times as much.
    """

    size: float
    freedom: float
    few: bool = False
    rho: float = 0.0
    counted: float | None = None

    @property
    def certain(self) -> float:
        """Student's quantile as unlikely as ``CERTAIN`` standard errors of a known noise."""
        from scipy.special import ndtr, stdtrit

        student = float(-stdtrit(self.counted or self.freedom, ndtr(-thresholds.CERTAIN)))
        return min(student, thresholds.CERTAIN * _LARGEST_NOISE / self.size) if self.few else student


def noise_of(rate: FloatArray, eta: FloatArray, scale: FloatArray, fit: Fit, least: float) -> Noise:
    """Of points (n,) about the best model, or where that misses them about the line between each point's neighbours.

    ``scale`` (n,) is each point's relative error in units of the noise, ``least`` the smallest that counts. Where the
    model follows the points and its residuals one another, these are the noise, correlated: local differences do not
    show its size.
    """
    freedom = max(fit.points - len(fit.model.parameters), 1)
    of_model = float(np.sum((fit.residuals / scale) ** 2)) / freedom
    if (serial := fit.serial_correlation) and fit.misfit <= thresholds.MISFIT:
        local = float(np.mean(differences(rate, eta, scale, serial.rho) ** 2))
        if serial.variance <= _MISFIT * local:
            return Noise(float(max(np.sqrt(serial.variance), least)), serial.freedom, False, serial.rho, freedom)
    if len(rate) >= _FEWEST_LOCAL:
        local = float(np.mean(differences(rate, eta, scale) ** 2))
        if of_model > _MISFIT * local:
            return Noise(float(max(np.sqrt(local), least)), _LOCAL_FREEDOM * (len(rate) - 2))
    few = len(rate) <= _FEW
    if few and of_model > _LARGEST_NOISE**2:
        return Noise(_LARGEST_NOISE, np.inf)
    return Noise(float(max(np.sqrt(of_model), least)), freedom, few)


def differences(rate: FloatArray, eta: FloatArray, scale: FloatArray, rho: float = 0.0) -> FloatArray:
    """By how many units of noise, correlated by ρ, each inner point misses the line between its neighbours (n − 2,)."""
    x, y = np.log(rate), np.log(eta)
    width = x[2:] - x[:-2]
    left = np.divide(x[2:] - x[1:-1], width, out=np.full(len(width), 0.5), where=width > 0)
    below, at, above = left * scale[:-2], scale[1:-1], (1 - left) * scale[2:]
    errors = np.sqrt(below**2 + at**2 + above**2 - 2 * rho * at * (below + above) + 2 * rho**2 * below * above)
    return (left * y[:-2] - y[1:-1] + (1 - left) * y[2:]) / errors


def point_trend(curve: FlowCurve, fits: tuple[Fit, ...], noise: Noise) -> Trend:
    """The certain changes of η along points with uncertainties from their noise, and how far η may depart from its
    log-mean: by a line or a parabola with its error (95 %), and by the mean of the models."""
    quantile = noise.certain
    most = max(1, int(_LARGEST_WINDOW * len(curve)))
    each = [_certain(curve, size, quantile) for size in _WINDOWS if size <= most]
    if noise.few:
        each.append(_of_line(curve))
    return Trend(
        fall=max((t.fall for t in each), key=lambda change: change.size),
        rise=max((t.rise for t in each), key=lambda change: change.size),
        at_least=max(t.at_least for t in each),
        at_most=max(departure(curve, _bound_quantile(noise.freedom), _degree_of(curve)), _of_models(curve, fits)),
    )


def noise_that_decides(
    curve: FlowCurve, trend: Trend, noise: Noise, fits: tuple[Fit, ...], margin: float
) -> dict[str, float]:
    """How much less noise, or how many points of this noise, would tell whether η leaves the margin."""
    log_margin, bound = np.log1p(margin), _bound_quantile(noise.freedom)
    if not len(curve) or curve.rate[-1] < thresholds.RANGE_FACTOR * curve.rate[0] or trend.at_least > log_margin:
        return {}
    degree = _degree_of(curve)
    bare = departure(curve, 0.0, degree)
    spread = (departure(curve, bound, degree) - bare) / bound
    estimate = max(bare, _of_models(curve, fits))
    # With more points the quantiles are those of a known noise.
    if estimate < log_margin:
        allowed = (log_margin - estimate) / _bound_quantile(np.inf)
    else:
        allowed = (estimate - log_margin) / thresholds.CERTAIN
    factor = _SLACK * min(1.0, allowed / max(spread, 1e-300))
    return {"noise_needed": noise.size * factor, "points_needed": float(np.ceil(len(curve) / max(factor, 1e-3) ** 2))}


def _degree_of(curve: FlowCurve) -> int:
    """Whether a line or a parabola describes log η(log γ̇), by Akaike's criterion with the points' noise."""
    x, log_eta = np.log(curve.rate), np.log(curve.viscosity)
    weights = 1 / np.maximum(curve.uncertainty, 1e-6)
    fitted = [np.polyval(np.polyfit(x, log_eta, degree, w=weights), x) for degree in (1, 2)]
    line, parabola = (float(np.sum((weights * (log_eta - each)) ** 2)) for each in fitted)
    return 2 if line - parabola > _PARABOLA else 1


def _bound_quantile(freedom: float) -> float:
    """Of the bound on a departure: one-sided 95 %, for η is within the margin where each rate passes that test
    (Berger 1982, Technometrics 24, 295)."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, _CONFIDENCE))


def _of_models(curve: FlowCurve, fits: tuple[Fit, ...]) -> float:
    """Largest departure of the models' log η, averaged with their Akaike weights, from its mean; 0 without models."""
    if not fits:
        return 0.0
    average = sum(fit.weight * np.log(fit.model.viscosity(curve.rate)) for fit in fits)
    return float(np.max(np.abs(average - np.mean(average))))


def _of_line(curve: FlowCurve) -> Trend:
    """The certain change of a line through log η(log γ̇), by the points' scatter about it: one test, where the greatest
    of the changes between points, which ``CERTAIN`` is for, is the greatest of many."""
    from scipy.special import stdtrit

    x, weights = np.log(curve.rate), 1 / np.maximum(curve.uncertainty, _LEAST_NOISE)
    freedom = len(x) - 2
    if freedom < 1:
        return Trend()
    (slope, level), covariance = np.polyfit(x, np.log(curve.viscosity), 1, w=weights, cov="unscaled")
    square = float(np.sum((weights * (np.log(curve.viscosity) - level - slope * x)) ** 2)) / freedom
    known = abs(slope) + stdtrit(freedom, _BY_CHANCE) * np.sqrt(max(square, 1.0) * covariance[0, 0])
    if known <= 0:
        return Trend()
    change = Change(float(known * (x[-1] - x[0])), float(curve.rate[0]), float(curve.rate[-1]))
    at_least = float(known * np.abs(x - x.mean()).max())
    return Trend(*((change, Change()) if slope < 0 else (Change(), change)), at_least)


def _certain(curve: FlowCurve, size: int, quantile: float) -> Trend:
    """The certain changes of means over so many neighbouring points."""
    window = np.full(size, 1 / size)
    log_rate, log_eta = (np.convolve(np.log(each), window, "valid") for each in (curve.rate, curve.viscosity))
    variance = variance_of_means(curve.uncertainty, size, curve.rho)
    averaged = dataclasses.replace(
        curve, rate=np.exp(log_rate), viscosity=np.exp(log_eta), uncertainty=np.sqrt(variance)
    )
    log_eta = np.log(averaged.viscosity)
    beyond = np.abs(log_eta - log_eta.mean()) - quantile * averaged.uncertainty
    return Trend(
        fall=largest_change(averaged, -log_eta, quantile),
        rise=largest_change(averaged, log_eta, quantile),
        at_least=max(0.0, float(beyond.max())),
    )
