"""Separation of the stress of a flow into Newtonian, generalised Newtonian and unexplained parts, and the verdict."""

from flowgrad.separation.inputs import IDENTIFY, check_viscosity
from flowgrad.separation.regions import REGIONS
from flowgrad.separation.separate import separate
from flowgrad.separation.separation import LABELS, Separation

__all__ = ["IDENTIFY", "LABELS", "REGIONS", "Separation", "check_viscosity", "separate"]
