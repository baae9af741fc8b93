"""Velocity gradients: one file a scheme, and the calls that use them."""

from __future__ import annotations

from flowgrad.gradient.auto import choose as choose_scheme
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.compute import SCHEMES, velocity_gradient, velocity_gradients
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.operator import Operator, Scheme
from flowgrad.gradient.stored import Stored

__all__ = [
    "SCHEMES",
    "Autodiff",
    "FiniteDifference",
    "Operator",
    "Scheme",
    "Stored",
    "choose_scheme",
    "velocity_gradient",
    "velocity_gradients",
]
