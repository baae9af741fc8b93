"""Formulas: texts such as ``x^2 + sin(y)`` as functions of an array and as symbols; none of it is run by Python."""

from flowgrad.formula.expression import Formula, Formulas, parse_formulas

__all__ = ["Formula", "Formulas", "parse_formulas"]
