"""Where the viscosity is known, and what it certainly does there, from its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.reprs import ReprMixin
from flowgrad.rheology.thresholds import BOUND, CERTAIN
from flowgrad.rheology.trend import Change, Trend
from flowgrad.typing import FloatArray

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
        return standard_errors(self._centring, self.covariance)

    @property
    def _centring(self) -> FloatArray:
        return np.eye(len(self)) - 1 / max(len(self), 1)

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
        departure, errors = self._centring @ self.log_eta, self.errors
        basis = np.vander(np.linspace(-1, 1, len(self)), min(3, len(self)))
        weights = 1 / np.maximum(errors, 1e-9)[:, None]
        smoothed = self._centring @ basis @ np.linalg.pinv(basis * weights) * weights.T
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
