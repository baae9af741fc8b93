"""Formulas: texts such as ``x^2 + sin(y)`` as functions of an array and as symbols, without running them as Python."""

from flowgrad.formula.expression import Formula, Formulas, parse_formulas

__all__ = ["Formula", "Formulas", "parse_formulas"]
