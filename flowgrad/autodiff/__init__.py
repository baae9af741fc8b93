"""Differentiation of functions, exact to rounding.

``gradient``, ``jacobian``, ``hessian``, ``directional_derivative``, ``jvp`` and ``vjp`` take a function of one
array, written with NumPy and scipy.special as it stands, or with torch or jax.numpy.
"""

from typing import Any

import flowgrad.autodiff.rules_arrays
import flowgrad.autodiff.rules_elementary
import flowgrad.autodiff.rules_tensors  # noqa: F401  (these fill the rules)
from flowgrad.autodiff.derivatives import directional_derivative, gradient, hessian, jacobian, jvp, vjp
from flowgrad.autodiff.dual import Dual, value_of

__all__ = [
    "Dual",
    "backward",
    "directional_derivative",
    "gradient",
    "hessian",
    "jacobian",
    "jvp",
    "value_of",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name == "backward":
        from flowgrad.autodiff.torch_backend import backward

        return backward
    raise AttributeError(f"module 'flowgrad.autodiff' has no attribute '{name}'")
