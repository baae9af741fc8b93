"""Velocity gradients: one file a scheme, and the calls that use them."""

from __future__ import annotations

from flowgrad.gradient.element import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.first_cell import FirstCell
from flowgrad.gradient.green_gauss import GreenGauss
from flowgrad.gradient.prepared import PreparedGradient, velocity_gradient, velocity_gradients
from flowgrad.gradient.prepared import choose as choose_scheme
from flowgrad.gradient.scheme import SCHEMES, MatrixOperator, Operator, Scheme, register_scheme
from flowgrad.gradient.smooth.scheme import SmoothFits
from flowgrad.gradient.stored import Stored
from flowgrad.gradient.tensor_rates import tensor_rate

__all__ = [
    "SCHEMES",
    "Autodiff",
    "FiniteDifference",
    "FirstCell",
    "GreenGauss",
    "MatrixOperator",
    "Operator",
    "PreparedGradient",
    "Scheme",
    "SmoothFits",
    "Stored",
    "choose_scheme",
    "register_scheme",
    "tensor_rate",
    "velocity_gradient",
    "velocity_gradients",
]
