"""The viscosity η(γ̇) of a fluid from nothing but its velocity, by the balance of momentum."""

from flowgrad.rheology.identify.compute import identify_viscosity
from flowgrad.rheology.identify.identification import Identification

__all__ = ["Identification", "identify_viscosity"]
