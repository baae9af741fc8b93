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

# Degree and window of a fit: places to each side along each axis, or the number of samples.
Key: TypeAlias = tuple[int, ...]
# Standard errors that a narrower mean must differ by.
_KAPPA = 1.0
# Samples over which the difference of two fits is alike, of those in the pilot's window, along one direction.
ALIKE = 0.6
# A fit that would be taken at this part of the places is taken nowhere.
_FEW = 0.002
# Fits are left out until the mean ratio of the risk to the least is so far above 1, of ratios up to a largest.
_NEAR, _FAR = 0.01, 100.0


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

    def means(self, fields: FloatArray, key: Key, pilots: list[Key]) -> list[tuple[FloatArray, FloatArray]]:
        """Means of fields (p, m), of the differences of a fit from each of its pilots, over windows from wide to narrow
        ones, of the fit's size, and how many independent values (p, m) each is of."""
        ...


@dataclass(frozen=True, eq=False)
class Choice:
    """The number of the key chosen at each place (m,), its squared ``bias`` (m, k, d) and ``risk`` (m,), the sum of
    the mean square errors."""

    number: IntArray
    bias: FloatArray
    risk: FloatArray


def choose_fits(ladder: Ladder, deviation: FloatArray) -> Choice:
    """The fit of least estimated risk at each place, for noise of the standard deviation (m, k) by component.

    Fits whose variance alone is larger everywhere than the risk of one before are left out, and so are those smoother
    than a fit whose bias is; of those that are left as few as come near the least risk."""
    noise, least = _Noise(ladder, deviation), np.full(len(deviation), np.inf)
    tried: list[tuple[int, FloatArray, FloatArray, FloatArray]] = []
    too_smooth: set[Key] = set()
    for i, key in enumerate(ladder.keys):
        pilots = ladder.pilots(key)
        if too_smooth.intersection(pilots):
            too_smooth.add(key)
            continue
        own = ladder.variance(key, key)
        variance = np.where(np.isfinite(own).all(axis=1), noise.total * own.sum(axis=1), np.inf)
        if _nowhere(variance < least):
            continue
        excess, between = noise.bias(key, pilots, own)
        bias = excess * noise.total * between.sum(axis=1)
        if _nowhere(bias < least):
            too_smooth.add(key)
        if not _nowhere(variance + bias < least):
            least = np.minimum(least, variance + bias)
            tried.append((i, variance + bias, excess, between))
    if not tried:
        shape = (*deviation.shape, noise.rank)
        return Choice(np.zeros(len(deviation), np.int64), np.zeros(shape), np.full(len(deviation), np.inf))
    risks = np.stack([each[1] for each in tried])
    few = _few_of(risks, ladder.valid)
    best, places = few[np.argmin(risks[few], axis=0)], np.arange(len(deviation))
    excess = np.stack([each[2] for each in tried])[best, places]
    between = np.stack([each[3] for each in tried])[best, places]
    bias = (deviation**2)[:, :, None] * (excess[:, None] * between)[:, None]
    return Choice(np.array([each[0] for each in tried])[best], bias, risks[best, places])


def _few_of(risks: FloatArray, valid: BoolArray) -> IntArray:
    """Rows of risks (p, m), the best of which at each place is on the mean near the best of all."""
    least = risks.min(axis=0)
    used = valid & np.isfinite(least) & (least > 0)
    ratios = np.minimum(risks[:, used] / least[used], _FAR)
    chosen, now = [int(np.argmin(ratios.sum(axis=1)))], np.full(int(used.sum()), np.inf)
    while len(now):
        now = np.minimum(now, ratios[chosen[-1]])
        if now.mean() < 1 + _NEAR:
            break
        chosen.append(int(np.argmin(np.minimum(ratios, now).sum(axis=1))))
    return np.array(chosen)


def _nowhere(places: BoolArray) -> bool:
    return int(places.sum()) <= _FEW * len(places)


class _Noise:
    """Gradients of the fits of a ladder in units of the noise's standard deviation (m, k)."""

    def __init__(self, ladder: Ladder, deviation: FloatArray) -> None:
        self.ladder = ladder
        known = (deviation > 0) & ladder.valid[:, None]
        self.total = (deviation**2).sum(axis=1)
        self._inverse = np.where(known, 1 / np.where(known, deviation, 1.0), 0.0).T
        self.rank = ladder.variance(ladder.keys[0], ladder.keys[0]).shape[1]
        self._components = known.sum(axis=1)
        self._gradients: dict[Key, FloatArray] = {}

    def gradient(self, key: Key) -> FloatArray:
        """Derivatives (k, d, m)."""
        if key not in self._gradients:
            self._gradients[key] = np.moveaxis(self.ladder.gradient(key), 0, -1) * self._inverse[:, None]
        return self._gradients[key]

    def bias(self, key: Key, pilots: list[Key], own: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The squared bias of a fit of variance ``own`` (m, d): its estimate (m,) in parts of the variance (m, d) of
        the difference from a pilot, that which tells the largest; zero without any."""
        ladder, gradient, ratios, variances = self.ladder, self.gradient(key), [], []
        for pilot in pilots:
            between = own + ladder.variance(pilot, pilot) - 2 * ladder.variance(key, pilot)
            known = between > 1e-9 * own
            inverse = np.where(known, 1 / np.where(known, between, 1.0), 0.0)
            square = ((self.gradient(pilot) - gradient) ** 2).sum(axis=0)
            count = self._components * known.sum(axis=1)
            ratios.append(np.where(count > 0, (square * inverse.T).sum(axis=0) / np.maximum(count, 1) - 1.0, 0.0))
            variances.append(np.where(known, between, 0.0))
        if not ratios:
            return np.zeros(len(own)), np.zeros(own.shape)
        fields, entries = np.stack(ratios), len(gradient) * gradient.shape[1]
        estimate = np.zeros((len(fields), 1))
        for mean, independent in ladder.means(fields, key, pilots):
            error = _KAPPA * np.sqrt(2 / (independent * entries) * (1 + 2 * np.maximum(mean, 0.0)))
            estimate = np.clip(estimate, mean - error, mean + error)
        estimate = np.maximum(estimate, 0.0)
        largest = np.argmax(estimate * np.stack([each.sum(axis=1) for each in variances]), axis=0)
        places = np.arange(len(own))
        return estimate[largest, places], np.stack(variances)[largest, places]
