"""Serial correlation of a fit's residuals: what it does to variances, to means of neighbours and to the likelihood.

Residuals that follow one another on one side of the law (drift, thermal lag, slip) say less than as many independent
ones. They are taken as an autoregressive process of first order along the points, correlated by R = ρ^|i−j|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray

# Fewer points do not show a correlation; of more the matrices are too large.
_FEWEST, _MOST = 10, 2000
# ρ is taken as 0 unless the correlation of neighbours exceeds that of independent residuals by so many of its standard
# errors: few, for a correlation that is overlooked makes intervals too short, one that is not there a little too long.
_SHOWN = 0.5
# An estimate of ρ this many standard errors up gives intervals that cover as often as they say: what ρ may be more
# lengthens them more than what it may be less shortens them.
_UPWARDS = 0.7
# Every fourth value of ρ is tried where there are more points.
_FEW_ENOUGH = 100
_TRIALS = np.linspace(0.0, 0.95, 39)


@dataclass(frozen=True)
class SerialCorrelation(ReprMixin):
    """Correlation ``rho`` of neighbouring residuals, their ``variance``, degrees of ``freedom`` (Satterthwaite 1946),
    and how much larger each parameter's variance is than that of independent ones, ``inflation`` (p,)."""

    rho: float
    variance: float
    freedom: float
    inflation: FloatArray

    def __str__(self) -> str:
        widest = np.sqrt(self.inflation.max())
        return (
            f"residuals of the best law follow one another (correlation {self.rho:.2g} of neighbours): its intervals "
            f"are wider for it, up to {widest:.2g} times"
        )


def serial_correlation(jacobian: FloatArray, residuals: FloatArray) -> SerialCorrelation | None:
    """The correlation of residuals (n,), sorted by rate, of a fit with their derivatives (p, n); None where none shows.

    ρ is that whose residuals about the fitted law, which follows part of any noise, have the correlation found: the
    moments of M R(ρ) M with the projection M on what the law cannot follow (Cochrane & Orcutt 1949, corrected as by
    Durbin & Watson 1950). The least squares' estimates stay, their covariance is (JJᵀ)⁻¹ J R Jᵀ (JJᵀ)⁻¹.
    """
    count, squares = len(residuals), float(np.sum(residuals**2))
    if not _FEWEST <= count <= _MOST or squares == 0:
        return None
    basis, _, _ = np.linalg.svd(jacobian.T, full_matrices=False)
    M = np.eye(count) - basis @ basis.T
    found = float(np.sum(residuals[1:] * residuals[:-1])) / squares
    # Traces along the diagonals of M R(ρ) M are polynomials in ρ.
    lags = np.abs(np.subtract.outer(np.arange(count), np.arange(count))).ravel()
    own, beside = (np.bincount(lags, each.ravel()) for each in (M, M[:-1].T @ M[1:]))
    trials = _TRIALS if count <= _FEW_ENOUGH else _TRIALS[::4]
    powers = trials[:, None] ** np.arange(count)
    expected = (powers @ beside) / (powers @ own)
    if found <= expected[0] + _SHOWN / np.sqrt(count):
        return None
    rho = float(np.interp(found + _UPWARDS / np.sqrt(count), np.maximum.accumulate(expected), trials))
    R = correlations(count, rho)
    MR = M @ R
    trace = float(np.trace(MR))
    inverse = np.linalg.pinv(jacobian @ jacobian.T)
    sandwich = inverse @ (jacobian @ R @ jacobian.T) @ inverse
    inflation = np.diag(sandwich) / np.maximum(np.diag(inverse), 1e-300)
    freedom = trace**2 / float(np.sum(MR * MR.T))
    return SerialCorrelation(rho, squares / trace, max(freedom, 1.0), np.maximum(inflation, 1.0))


def correlations(count: int, rho: float) -> FloatArray:
    """R (n, n) of so many points."""
    return rho ** np.abs(np.subtract.outer(np.arange(count), np.arange(count)))


def whitened(residuals: FloatArray, rho: float) -> FloatArray:
    """Residuals (…, n) of R made independent, with the variance that each had: the squares' sum is rᵀR⁻¹r (Prais &
    Winsten 1954, Cowles Commission Paper 383)."""
    shocks = (residuals[..., 1:] - rho * residuals[..., :-1]) / np.sqrt(1 - rho**2)
    return np.concatenate([residuals[..., :1], shocks], axis=-1)


def least_squares_of(residuals: FloatArray, jacobian: FloatArray, rho: float) -> float:
    """The least sum of squares of whitened residuals (n,) near a minimum of the plain one, with the derivatives (p, n)
    by the parameters' logarithms: by one step, which is damped, for a logarithm that moves by one, as those do that
    hardly matter, is no longer linear."""
    if not rho:
        return float(np.sum(residuals**2))
    r, J = whitened(residuals, rho), whitened(jacobian, rho)
    damping = np.sum(r**2) / r.size
    return (
        float(np.sum((r - J.T @ np.linalg.solve(J @ J.T + damping * np.eye(len(J)), J @ r)) ** 2)) if damping else 0.0
    )


def coloured(shocks: FloatArray, rho: float) -> FloatArray:
    """The residuals (n,) that are whitened to these."""
    residuals = shocks.copy()
    for k in range(1, len(shocks)):
        residuals[k] = rho * residuals[k - 1] + np.sqrt(1 - rho**2) * shocks[k]
    return residuals


def first_order(residuals: FloatArray, rho: float) -> bool:
    """Whether residuals (n,) are a process of first order: whitened they do not follow one another any more. Those of
    a law that misses the points in a long wave do, and the likelihood of independent shocks is sharp without reason."""
    shocks = whitened(residuals, rho)
    return float(np.sum(shocks[1:] * shocks[:-1])) <= np.sum(shocks**2) / np.sqrt(len(shocks))


def deviance_of(
    squares: float, count: int, rho: float, least_variance: float, known: bool, share: float = 1.0
) -> float:
    """−2 log L of so many residuals, but for a constant: by the sum of the squares of the whitened ones and by
    log |R| = (n − 1) log(1 − ρ²); their variance is 1 where it is ``known``, else what they show, and not below the
    least. Where only a ``share`` of them is independent, that share of it (Burnham & Anderson 2002, section 2.5)."""
    of_size = squares if known else count * np.log(max(squares / count, least_variance))
    return float(share * (of_size + (count - 1) * np.log1p(-(rho**2))))


def variance_of_means(error: FloatArray, size: int, rho: float) -> FloatArray:
    """Of means over ``size`` neighbouring points with standard errors (n,), correlated by R: (n − size + 1,)."""
    total = np.convolve(error**2, np.ones(size), "valid")
    for lag in range(1, size if rho else 1):
        total += 2 * rho**lag * np.convolve(error[lag:] * error[:-lag], np.ones(size - lag), "valid")
    return total / size**2
