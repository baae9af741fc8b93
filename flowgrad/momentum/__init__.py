"""Viscosity from the balance of momentum: all of η(γ̇) from the velocity alone, or a solvent's beside a known stress."""

from flowgrad.momentum.identification import Identification
from flowgrad.momentum.identify import identify_viscosity

__all__ = ["Identification", "identify_viscosity"]
