"""Points of a flow curve that are not to be trusted: too little torque, outliers, a stress that falls at the end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.typing import FloatArray

# An outlier misses the curve through its neighbours by this many times the usual miss, and by this factor at least.
_ROBUST, _LEAST_FACTOR = 6.0, 1.25
# The median of |x| of a normal distribution.
_MEDIAN = 0.6745
# Neighbours on each side that tell what a point should be, and the order of the curve through them.
_SIDE, _ORDER = 3, 2
# A tail falls over this many points at least, altogether by this factor and by so many times the scatter.
_TAIL_POINTS, _TAIL_FACTOR, _TAIL_SCATTER = 3, 1.05, 4.0


def outliers(rate: FloatArray, stress: FloatArray) -> NDArray[np.bool_]:
    """Points (n,) off the parabola through three neighbours on each side in log τ against log γ̇, rates rising.

    The worst is left out first, and the others are judged without it; a tenth of the points at most.
    """
    x, y = np.log(rate), np.log(stress)
    found = np.zeros(len(x), bool)
    for _ in range(max(1, len(x) // 10)):
        kept = np.flatnonzero(~found)
        misses, size = _misses(x[kept], y[kept])
        off = (misses > np.log(_LEAST_FACTOR)) & (size > _ROBUST * _usual(size))
        if not off.any():
            break
        found[kept[np.argmax(np.where(off, size, 0))]] = True
    return found


def _usual(sizes: FloatArray) -> float:
    """The standard deviation of errors, not that of a few among them."""
    return float(np.median(sizes)) / _MEDIAN if len(sizes) else 0.0


def _misses(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """|y − parabola through the neighbours| (n,), and the same over the error of that prediction; 0 for few points."""
    if len(x) < 3 * _SIDE:
        return np.zeros(len(x)), np.zeros(len(x))
    pairs = np.array([_miss(x, y, i) for i in range(len(x))])
    return pairs[:, 0], pairs[:, 0] / pairs[:, 1]


def _miss(x: FloatArray, y: FloatArray, i: int) -> tuple[float, float]:
    """The miss of one point, and the standard error of the prediction in units of that of a point."""
    start = min(max(i - _SIDE, 0), len(x) - 2 * _SIDE - 1)
    near = np.delete(np.arange(start, start + 2 * _SIDE + 1), i - start)
    scale = np.ptp(x[near])
    inverse = np.linalg.pinv(np.vander((x[near] - x[i]) / (scale or 1.0), _ORDER + 1))
    # The last coefficient is the value at x[i].
    return float(abs(y[i] - inverse[-1] @ y[near])), float(np.sqrt(1 + np.sum(inverse[-1] ** 2)))


def falling_tail(rate: FloatArray, stress: FloatArray) -> int:
    """How many points at the highest rates have a stress that only falls, beyond the scatter; 0 if none."""
    count = 1
    while count < len(stress) and stress[-count] < stress[-count - 1] and rate[-count] > rate[-count - 1]:
        count += 1
    scatter = _usual(_misses(np.log(rate), np.log(stress))[1])
    falls = np.log(stress[-count] / stress[-1]) > max(np.log(_TAIL_FACTOR), _TAIL_SCATTER * scatter)
    return count - 1 if falls and count >= _TAIL_POINTS else 0
