"""Confidence intervals (95 %) of quantities of a noisy velocity gradient, which hold where the noise is all there is.

Linear quantities, and those of which nothing else is known, are their values and 1.96 first-order deviations to either
side. Quadratic forms of L, the roots of such and the swirling strength of a flow in a plane have the intervals of
``quadratic_forms``, for which the bias is taken off that noise gives them. Eigenvalues have the mean and the
variance over sigma points about L (Julier & Uhlmann 1997, Proc. SPIE 3068, 182).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

import numpy as np

from flowgrad import tensors
from flowgrad.compiled import over_rows
from flowgrad.kinematics.quadratic_forms import ENDS, deviation_of_form, interval_of_form, root_of_interval
from flowgrad.kinematics.registry import evaluate, inputs_of, select
from flowgrad.kinematics.uncertainty import standard_deviation
from flowgrad.typing import FloatArray, IntArray

# Sigma points in standard deviations: those of a Gaussian with the right fourth moments.
_FAR = 3**0.5
# Noise where a component has none, in parts of the mean: enough to factor its covariance.
_LEAST = 1e-9

Function = Callable[[FloatArray], FloatArray]
# The ends of intervals and standard deviations, each of a quantity's own shape.
Spread = tuple[FloatArray, FloatArray, FloatArray]


def spread_of(
    name: str, value: FloatArray, L: FloatArray, covariance: FloatArray, supplied: Mapping[str, np.ndarray]
) -> Spread:
    """Ends of the intervals of the quantity ``name``, about or beside its ``value``, and its standard deviations; the
    arguments, what is NaN and the errors are those of :func:`~flowgrad.kinematics.uncertainty.standard_deviation`."""
    if not select([name])[0].form:
        deviation = standard_deviation(name, L, covariance, supplied)
        return value - ENDS * deviation, value + ENDS * deviation, deviation
    found = np.full((3, *value.shape), np.nan)
    used = _used(L, covariance)

    def fill(rows: slice) -> None:
        C, x = _among(covariance[rows], used), L[rows].reshape(-1, 9)[:, used]
        has_value = np.isfinite(value[rows]).reshape(len(x), -1).all(axis=1)
        known = has_value & np.isfinite(C).all(axis=(1, 2)) & np.isfinite(x).all(axis=1)
        at = np.arange(len(value))[rows][known]
        found[:, at] = _of_known(name, value[at], x[known], C[known], used)

    over_rows(fill, len(value))
    low, high, deviation = found * supplied["viscosity"] if "viscosity" in inputs_of(name) else found
    return low, high, deviation


def _of_known(name: str, value: FloatArray, x: FloatArray, C: FloatArray, used: IntArray) -> Spread:
    """Of the components ``used`` (d,) of L, x (n, d) with the covariance C (n, d, d)."""
    form, plane = select([name])[0].form, _plane_of(used)
    if form == "eigenvalue":
        return _by_sigma_points(partial(_values, name), value, x, C, used)
    if form == "swirl" and plane is None:
        low, high, deviation = _by_sigma_points(_swirl, _swirl(_placed(x, used)), x, C, used)
        return _swirling(low, high, value, deviation)
    A = (_matrix(name) if plane is None or form != "swirl" else _swirl_in_plane(*plane))[np.ix_(used, used)]
    low, high = interval_of_form(A, x, C)
    deviation, by_noise = deviation_of_form(A, x, C)
    if form == "quadratic":
        return low, high, deviation
    if form == "root":
        return np.sqrt(low), np.sqrt(high), _of_root(value**2, deviation, by_noise)
    return _swirling(low, high, value, deviation)


def _swirling(low: FloatArray, high: FloatArray, value: FloatArray, deviation: FloatArray) -> Spread:
    """Of λ_ci from the interval and the deviation of λ_ci²: none where that is certainly negative."""
    deviation = np.where(high > 0, _of_root(value**2, deviation, deviation), 0.0)
    return *root_of_interval(low, high), deviation


def _of_root(square: FloatArray, deviation: FloatArray, least: FloatArray) -> FloatArray:
    """Standard deviation (n,) of the root of a ``square``, from that of the square; of smaller squares than what noise
    makes ``least`` likely the same."""
    size = np.sqrt(np.maximum(square, least))
    return deviation / np.where(size > 0, 2 * size, 1.0)


def _used(L: FloatArray, covariance: FloatArray) -> IntArray:
    """The components of L (d,), of 0 to 8, that are not zero and exact throughout."""
    axes = np.arange(3)
    if covariance.ndim == 5:
        variances = covariance.reshape(-1, 9, 9)[:, np.arange(9), np.arange(9)]
    else:
        own = covariance[..., axes, axes]
        variances = (np.repeat(own[:, None], 3, axis=1) if own.ndim == 2 else own).reshape(-1, 9)
    return np.flatnonzero(np.nan_to_num(L).reshape(-1, 9).any(axis=0) | np.nan_to_num(variances).any(axis=0))


def _among(covariance: FloatArray, used: IntArray) -> FloatArray:
    """The covariance (n, d, d) of the components ``used``."""
    if covariance.ndim == 5:
        return covariance.reshape(-1, 9, 9)[:, used[:, None], used]
    i, j = np.divmod(used, 3)
    own = covariance[:, j[:, None], j] if covariance.ndim == 3 else covariance[:, i[:, None], j[:, None], j]
    return np.where(i[:, None] == i, own, 0.0)


def _placed(x: FloatArray, used: IntArray) -> FloatArray:
    """L (n, 3, 3) of components (n, d)."""
    whole = np.zeros((len(x), 9))
    whole[:, used] = x
    return whole.reshape(-1, 3, 3)


def _values(name: str, L: FloatArray) -> FloatArray:
    """A quantity of L, for a viscosity of 1."""
    return evaluate(name, {"L": L}, {"viscosity": np.ones(len(L))})


@cache
def _matrix(name: str) -> FloatArray:
    """A (9, 9) of the quadratic form L·A·L that a quantity, or its square, is."""
    power = 2 if select([name])[0].form == "root" else 1
    unit = np.eye(9)
    of_one = _values(name, unit.reshape(-1, 3, 3)) ** power
    of_two = _values(name, (unit[:, None] + unit).reshape(-1, 3, 3)) ** power
    return np.asarray(0.5 * (of_two.reshape(9, 9) - of_one[:, None] - of_one))


def _plane_of(used: IntArray) -> tuple[int, int] | None:
    """The two axes of the plane in which L swirls if at all, where no component leads into or out of it."""
    i, j = np.divmod(used, 3)
    across = [a for a in range(3) if not ((i != j) & ((i == a) | (j == a))).any()]
    return (0, 1) if 2 in across else (0, 2) if 1 in across else (1, 2) if across else None


def _swirl_in_plane(i: int, j: int) -> FloatArray:
    """A (9, 9) of λ_ci² = −L_ij L_ji − ¼ (L_ii − L_jj)², negative where the eigenvalues are real."""
    A = np.zeros((9, 9))
    A[4 * i, 4 * i] = A[4 * j, 4 * j] = -0.25
    A[4 * i, 4 * j] = A[4 * j, 4 * i] = 0.25
    A[3 * i + j, 3 * j + i] = A[3 * j + i, 3 * i + j] = -0.5
    return A


def _swirl(L: FloatArray) -> FloatArray:
    """λ_ci² (n,), and where all eigenvalues are real less the square of half the distance of the nearest two: as smooth
    as the squared difference of the two eigenvalues that come together."""
    values = tensors.complex_eigenvalues(L)
    real = np.sort(values.real, axis=1)
    return np.where(values.imag[:, 1] != 0, values.imag[:, 1] ** 2, -0.25 * np.diff(real, axis=1).min(axis=1) ** 2)


def _by_sigma_points(function: Function, value: FloatArray, x: FloatArray, C: FloatArray, used: IntArray) -> Spread:
    """Of a function of L from its values at 2 d points: its bias is taken off, and counts as another deviation, since
    it is no better known; its variance is that of the first order and of the second along each direction."""
    d = len(used)
    scale = np.einsum("nii->n", C) / max(d, 1)
    # Of a second invariant, and so of what isotropic functions of L are near 0, the directions are independent.
    directions = np.linalg.eigh(_matrix("q_criterion")[np.ix_(used, used)])[1]
    arms = _FAR * np.linalg.cholesky(C + (_LEAST * scale + (scale == 0))[:, None, None] * np.eye(d)) @ directions
    arms[scale == 0] = 0.0
    variance, bias = np.zeros((2, *value.shape))
    for k in range(d):
        after, before = (function(_placed(x + side * arms[:, :, k], used)) for side in (1, -1))
        bend = (after + before - 2 * value) / _FAR**2
        variance += ((after - before) / (2 * _FAR)) ** 2 + 0.5 * bend**2
        bias += 0.5 * bend
    reach = np.sqrt(ENDS**2 * variance + bias**2)
    return value - bias - reach, value - bias + reach, np.sqrt(variance)
