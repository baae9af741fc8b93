"""The table of quantities: six numbers each, with symbol and dimension."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from flowgrad.kinematics import QUANTITIES
from flowgrad.pipeline.analysis import Analysis
from flowgrad.plot.shown import component, dimension_of
from flowgrad.report import numbers
from flowgrad.report.symbols import html

HEADINGS = ("least", "5 %", "median", "mean", "95 %", "greatest")
# Directions have no statistics worth reading.
_LEFT_OUT = ("principal_directions",)


@dataclass(frozen=True)
class Row:
    """One quantity: name, what it is, symbol, dimension, and the numbers of ``HEADINGS``."""

    name: str
    description: str
    symbol: Markup
    dimension: str
    values: tuple[str, ...]


def rows(analysis: Analysis) -> list[Row]:
    """One row a quantity, weighted by the measure of the cells."""
    return [_row(analysis, name) for name in analysis.statistics if name not in _LEFT_OUT]


def _row(analysis: Analysis, name: str) -> Row:
    record, each = QUANTITIES[name], analysis.statistics[name]
    values = (each.minimum, each.percentile_5, each.median, each.mean, each.percentile_95, each.maximum)
    dimension = "–" if record.dimension == "1" else dimension_of(record.dimension, analysis.gradient)
    written = tuple(numbers.number(value) for value in values)
    return Row(name.replace("_", " "), record.description, html(symbol_of(analysis, name)), dimension, written)


def symbol_of(analysis: Analysis, name: str) -> str:
    """Of what the numbers are, in mathtext: of the quantity, of its magnitude, or of its one component."""
    symbol, only = QUANTITIES[name].symbol, analysis.statistics[name].component
    if only:
        return component(symbol, "xyz".index(only))
    return symbol if analysis.gradient[name].ndim == 1 else f"|{symbol}|"
