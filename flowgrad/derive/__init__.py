"""Derivatives of formulas for the command ``derive``: numbers and symbols, one checked by the other."""

from flowgrad.derive.answer import answer
from flowgrad.derive.derivation import Derivation
from flowgrad.derive.figures import draw

__all__ = ["Derivation", "answer", "draw"]
