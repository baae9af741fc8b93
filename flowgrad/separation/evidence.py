"""Evidence for the verdict on a flow, beside its flow curve: bins, regions, momentum balance and elasticity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flowgrad.momentum.solvent import MomentumBalance
from flowgrad.rheology.evidence import Numbers
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.typing import BoolArray, FloatArray


def of_bins(curve: FlowCurve) -> Numbers:
    """The bins of a flow curve and their scatter."""
    yield "bins", len(curve)
    yield "cells", int(curve.count.sum())
    yield "scatter", np.median(curve.high / curve.low) - 1
    if curve.rate_error is not None:
        yield "gradient_error", np.median(curve.rate_error)


def of_elasticity(N1: FloatArray, eta: FloatArray, rate: FloatArray, moving: BoolArray) -> Numbers:
    """Relaxation time and Weissenberg number, by the first normal stress difference where the fluid deforms."""
    known = moving & (eta > 0) & np.isfinite(N1)
    if known.any():
        ratio = N1[known] / (2 * eta[known] * rate[known] ** 2)
        yield "relaxation_time", np.median(ratio)
        yield "weissenberg_max", np.max(ratio * rate[known])


def of_regions(shares: Mapping[str, tuple[float, float]]) -> Numbers:
    """The parts of the volume and the dissipation in a plug and on plateaus, where there are any."""
    keys = {"plug": "plug", "low-rate plateau": "low_plateau", "high-rate plateau": "high_plateau"}
    for name, key in keys.items():
        volume, dissipation = shares[name]
        if volume:
            yield f"{key}_volume", volume
            yield f"{key}_dissipation", dissipation


def of_balance(balance: MomentumBalance, eta_newtonian: float) -> Numbers:
    """What the balance of momentum needs beside a stress of this Newtonian viscosity."""
    yield "balance_tests", balance.tests
    if balance.is_determined:
        yield "balance_viscosity", balance.viscosity
        yield "balance_low", balance.interval[0]
        yield "balance_high", balance.interval[1]
        yield "balance_share", balance.viscosity / (balance.viscosity + eta_newtonian)
        yield "balance_unbalanced", balance.unbalanced
        yield "balance_without", balance.without
