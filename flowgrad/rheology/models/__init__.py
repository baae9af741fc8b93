"""Viscosity models by name, and the model of a text."""

from __future__ import annotations

from flowgrad.rheology.model import MODELS, Model
from flowgrad.rheology.models.basic import Bingham, Carreau, CarreauYasuda, Cross, HerschelBulkley, Newtonian, PowerLaw
from flowgrad.rheology.models.plateau import Ellis, PowellEyring, Quemada, Sisko
from flowgrad.rheology.models.yield_stress import (
    Casson,
    PapanastasiouBingham,
    PapanastasiouHerschelBulkley,
    ThreeComponent,
)
from flowgrad.spec import parse

__all__ = [
    "MODELS",
    "Bingham",
    "Carreau",
    "CarreauYasuda",
    "Casson",
    "Cross",
    "Ellis",
    "HerschelBulkley",
    "Newtonian",
    "PapanastasiouBingham",
    "PapanastasiouHerschelBulkley",
    "PowellEyring",
    "PowerLaw",
    "Quemada",
    "Sisko",
    "ThreeComponent",
    "parse_model",
]


def parse_model(text: str) -> Model:
    """The law of a text such as ``carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)``.

    Raises OptionError for an unknown law, an unknown or missing parameter and an impossible value.
    """
    return parse(text, MODELS, "viscosity law")
