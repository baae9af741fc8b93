"""Viscosity models by name, and the model of a text: each is a class of its own, in the file of its family."""

from __future__ import annotations

from typing import Any

from flowgrad.rheology.model import MODELS, Model
from flowgrad.rheology.models import basic, plateau, yield_stress  # noqa: F401  (their classes register themselves)
from flowgrad.spec import parse


def parse_model(text: str) -> Model:
    """The model of a text such as ``carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)``.

    Raises OptionError for an unknown model, an unknown or missing parameter and an impossible value.
    """
    return parse(text, MODELS, "viscosity law")


def __getattr__(name: str) -> Any:
    """The class of a model, such as ``Carreau``."""
    for model in MODELS.values():
        if model.__name__ == name:
            return model
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
