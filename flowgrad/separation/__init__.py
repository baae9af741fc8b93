"""Separation of the stress of a flow into Newtonian, generalised Newtonian and unexplained parts, and the verdict."""

from flowgrad.separation.decomposition import LABELS
from flowgrad.separation.inputs import IDENTIFY, is_effective
from flowgrad.separation.regions import REGIONS
from flowgrad.separation.separate import check_viscosity, separate
from flowgrad.separation.separation import Separation

__all__ = ["IDENTIFY", "LABELS", "REGIONS", "Separation", "check_viscosity", "is_effective", "separate"]
