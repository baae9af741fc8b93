"""Choice of the fit at each place by its estimated mean square error, variance plus squared bias.

The variance follows from the weights. The bias shows in the difference of a fit's gradient from those of pilots that
have less of it, a higher order in the next larger window and smaller windows (Lepski, Mammen & Spokoiny 1997, Ann.
Statist. 25, 929): the mean of the squared difference over its variance, less one, in units of that variance. Means
over wide windows stand unless those over narrower ones, down to a part of the fit's own, differ by more than chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from flowgrad.typing import BoolArray, FloatArray, IntArray

# Degree and window of a fit: places to each side, or the number of samples.
Key: TypeAlias = tuple[int, int]
# Standard errors that a narrower mean must differ by.
_KAPPA = 1.5
# Samples over which the difference of two fits is alike, of those in the pilot's window, along one direction.
_ALIKE = 0.6


class Ladder(Protocol):
    """Fits of growing windows and orders at places (m,)."""

    @property
    def keys(self) -> list[Key]:
        """All fits that are chosen from."""
        ...

    @property
    def valid(self) -> BoolArray:
        """Where there is a fit (m,)."""
        ...

    @property
    def rank(self) -> int:
        """How many directions the samples spread over."""
        ...

    def pilots(self, key: Key) -> list[Key]:
        """Fits of less bias, some of which may be no keys themselves."""
        ...

    def gradient(self, key: Key) -> FloatArray:
        """Derivatives (m, k, d) of k components along d directions."""
        ...

    def variance(self, one: Key, other: Key) -> FloatArray:
        """Covariance (m, d) of the derivatives of two fits for noise of unit variance."""
        ...

    def spread(self, key: Key) -> float:
        """How many samples have a part in a fit, at least those over which noise is correlated."""
        ...

    def means(self, fields: FloatArray, key: Key) -> list[tuple[FloatArray, FloatArray]]:
        """Means of fields (p, m) over windows from wide to narrow ones, of a fit's size, and how many places (m,) each
        is of."""
        ...


@dataclass(frozen=True, eq=False)
class Choice:
    """The number of the key chosen at each place (m,), its squared ``bias`` (m, k, d) and ``risk`` (m,), the sum of
    the mean square errors."""

    number: IntArray
    bias: FloatArray
    risk: FloatArray


def choose_fits(ladder: Ladder, deviation: FloatArray, kappa: float = _KAPPA) -> Choice:
    """The fit of least estimated risk at each place, for noise of the standard deviation (m, k) by component."""
    square = deviation[:, :, None] ** 2
    number = np.zeros(len(deviation), np.int64)
    risk = np.full(len(deviation), np.inf)
    bias = np.zeros((len(deviation), deviation.shape[1], ladder.variance(ladder.keys[0], ladder.keys[0]).shape[1]))
    for i, key in enumerate(ladder.keys):
        own = ladder.variance(key, key)
        total = (square * own[:, None]).sum(axis=(1, 2))
        found = _bias(ladder, key, square, own, kappa)
        total = np.where(np.isfinite(total), total + found.sum(axis=(1, 2)), np.inf)
        better = total < risk
        number[better], risk[better], bias[better] = i, total[better], found[better]
    return Choice(number, bias, risk)


def _bias(ladder: Ladder, key: Key, square: FloatArray, own: FloatArray, kappa: float) -> FloatArray:
    """The squared bias (m, k, d) of the gradient of a fit: the largest that its pilots tell, zero without any."""
    gradient, ratios, variances, spreads = ladder.gradient(key), [], [], []
    for pilot in ladder.pilots(key):
        variance = square * (own + ladder.variance(pilot, pilot) - 2 * ladder.variance(key, pilot))[:, None]
        known = (variance > 0) & np.isfinite(variance) & ladder.valid[:, None, None]
        difference = ladder.gradient(pilot) - gradient
        parts = np.where(known, difference**2 / np.where(known, variance, 1.0) - 1.0, 0.0)
        ratios.append(parts.sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1))
        variances.append(np.where(known, variance, 0.0))
        spreads.append(_ALIKE**ladder.rank * ladder.spread(pilot))
    if not ratios:
        return np.zeros(gradient.shape)
    fields, entries = np.stack(ratios), gradient.shape[1] * gradient.shape[2]
    estimate = (fields * ladder.valid).sum(axis=1, keepdims=True) / max(ladder.valid.sum(), 1)
    for mean, count in ladder.means(fields, key):
        free = np.maximum(count / np.array(spreads)[:, None], 1.0) * entries
        error = kappa * np.sqrt(2 / free * (1 + 2 * np.maximum(mean, 0.0)))
        estimate = np.clip(estimate, mean - error, mean + error)
    sizes = np.maximum(estimate, 0.0)[:, :, None, None] * np.stack(variances)
    largest = np.argmax(sizes.sum(axis=(2, 3)), axis=0)
    return np.asarray(np.take_along_axis(sizes, largest[None, :, None, None], axis=0)[0])
