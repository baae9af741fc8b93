"""What the laws' first guesses share: grids of exponents and times, and linear parameters that follow from data."""

from __future__ import annotations

import numpy as np

from flowgrad.typing import FloatArray

FLOW_INDICES = (0.1, 0.35, 0.65, 0.9, 1.5)


def times(rate: FloatArray) -> FloatArray:
    """Times whose inverses span the rates of the data."""
    return np.geomspace(1 / rate.max(), 1 / rate.min(), 6)


def coefficients(target: FloatArray, *basis: FloatArray) -> tuple[float, ...]:
    """Non-negative c for which Σ c_i basis_i is nearest to the target, relatively."""
    from scipy.optimize import nnls

    matrix = np.stack(np.broadcast_arrays(*basis), axis=1) / target[:, None]
    return tuple(float(each) for each in nnls(matrix, np.ones(len(target)))[0])
