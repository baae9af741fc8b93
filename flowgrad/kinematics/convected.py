"""Rates of tensor fields that an observer who moves with the fluid sees: convected and corotational.

All take stacks: DT (n, 3, 3), the material derivative DT/Dt = ∂T/∂t + v·∇T; L (n, 3, 3), L_ij = ∂v_i/∂x_j; and T
(n, 3, 3), symmetric or not. The three are objective: they turn with a turning observer, which DT/Dt does not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.spec import nearest

Array = NDArray[np.float64]


def upper_convected(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt − L T − T Lᵀ: zero where T is carried and stretched as dyads of material lines are
    (Oldroyd 1950, Proc. R. Soc. A 200, 523)."""
    return DT - L @ T - T @ tensors.transpose(L)


def lower_convected(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt + Lᵀ T + T L: zero where T is carried as dyads of the normals of material surfaces are
    (Oldroyd 1950); of A1 = 2D it is A2 (Rivlin & Ericksen 1955)."""
    return DT + tensors.transpose(L) @ T + T @ L


def corotational(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt − W T + T W with the spin W = (L − Lᵀ)/2: zero where T turns with the fluid
    (Zaremba 1903; Jaumann 1911)."""
    W = tensors.skew(L)
    return DT - W @ T + T @ W


def material(DT: Array, L: Array, T: Array) -> Array:
    """DT/Dt itself, which no two observers that turn against each other agree on."""
    return DT


# Kind of rate → its function of DT, L and T.
CONVECTED_RATES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "upper-convected": upper_convected,
    "lower-convected": lower_convected,
    "corotational": corotational,
    "material": material,
}


def convected_rate(kind: str, DT: Array, L: Array, T: Array) -> Array:
    """The rate (n, 3, 3) of one of the kinds in ``CONVECTED_RATES``; OptionError for another."""
    if kind not in CONVECTED_RATES:
        hint = nearest(kind, CONVECTED_RATES) or f": known are {', '.join(CONVECTED_RATES)}"
        raise OptionError(f"unknown rate '{kind}'{hint}")
    return CONVECTED_RATES[kind](DT, L, T)
