"""Velocity gradients: one file a scheme, and the calls that use them."""

from __future__ import annotations

from flowgrad.gradient.auto import choose as choose_scheme
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.compute import SCHEMES, velocity_gradient, velocity_gradients
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.operator import Operator, Scheme
from flowgrad.gradient.stored import Stored
from flowgrad.gradient.tensor_rates import tensor_rate

__all__ = [
    "SCHEMES",
    "Autodiff",
    "FiniteDifference",
    "Operator",
    "Scheme",
    "Stored",
    "choose_scheme",
    "tensor_rate",
    "velocity_gradient",
    "velocity_gradients",
]
