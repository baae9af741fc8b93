"""The velocity gradient L = D + W and the registry of quantities that follow from it."""

from flowgrad.kinematics.gradient import VelocityGradient
from flowgrad.kinematics.registry import QUANTITIES, Quantity, inputs_of, select

__all__ = ["QUANTITIES", "Quantity", "VelocityGradient", "inputs_of", "select"]

import flowgrad.kinematics.quantities  # noqa: F401  (fills the registry)
