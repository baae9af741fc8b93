"""Differentiation of functions, exact to rounding."""

from flowgrad.autodiff.dual import Dual, jacobian, value_of

__all__ = ["Dual", "jacobian", "value_of"]

import flowgrad.autodiff.rules  # noqa: F401  (fills the rules)
