"""Differentiation of functions, exact to rounding."""

from flowgrad.autodiff.dual import Dual, jacobian

__all__ = ["Dual", "jacobian"]
