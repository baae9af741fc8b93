"""Velocity gradient L = D + W and the registry of quantities that follow from it."""

from flowgrad.kinematics.registry import GIVEN, QUANTITIES, Quantity, inputs_of, quantity, select
from flowgrad.kinematics.velocity_gradient import VelocityGradient
from flowgrad.records import Record

__all__ = ["GIVEN", "QUANTITIES", "Quantity", "Record", "VelocityGradient", "inputs_of", "quantity", "select"]

# They fill the registry, in this order.
import flowgrad.kinematics.rates  # isort: skip
import flowgrad.kinematics.vortices  # isort: skip
import flowgrad.kinematics.vortex_windows  # isort: skip
import flowgrad.kinematics.dynamics  # noqa: F401  isort: skip
