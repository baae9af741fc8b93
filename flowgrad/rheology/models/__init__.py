"""Viscosity models by name, and the model of a text: each is a class of its own, in the file of its family."""

from __future__ import annotations

from typing import Any

from flowgrad.rheology.model import MODELS, parse_model
from flowgrad.rheology.models import basic, plateau, yield_stress  # noqa: F401  (their classes register themselves)

__all__ = ["MODELS", "parse_model"]


def __getattr__(name: str) -> Any:
    """The class of a model, such as ``Carreau``."""
    for model in MODELS.values():
        if model.__name__ == name:
            return model
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
