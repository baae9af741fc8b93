"""Table of fitted laws as comma-separated values: a line for each parameter, with its unit, interval and the law's
criteria."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from flowgrad.rheology.fit import Fit
from flowgrad.rheology.model import Kind

COLUMNS = (
    "law", "parameter", "value", "low_95", "high_95", "relative_error", "unit", "weight", "aicc", "aic", "bic", "chi2",
    "chi2_reduced", "r_squared", "misfit", "correlation",
)  # fmt: skip
# In SI; of a consistency with the flow index n.
_UNITS = {"M/(L T)": "Pa s", "M/(L T²)": "Pa", "T": "s", "1/T": "1/s", "1": "1"}


def unit(kind: Kind, n: float = np.nan) -> str:
    """The SI unit of a parameter: ``Pa s``, or ``Pa s^0.5`` of a consistency with the flow index ``n``."""
    return _UNITS.get(kind.dimension) or (f"Pa s^{n:.4g}" if np.isfinite(n) else "Pa s^n")


def law_table(fits: Sequence[Fit], si: bool = True) -> str:
    """The table of fits in their order; parameters that the data do not determine have no value. Units are empty where
    rates and stresses are not in 1/s and Pa (``si``)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for fit in fits:
        serial = fit.serial_correlation
        numbers = (fit.weight, fit.aicc, fit.aic, fit.bic, fit.chi2, fit.chi2_reduced, fit.r_squared, fit.misfit)
        for name in fit.model.parameters:
            value, ends = fit.parameters.get(name), fit.intervals.get(name, (None, None))
            kind = fit.model.kinds()[name]
            named = unit(kind, fit.parameters.get("n", np.nan)) if si else ""
            row = (value, *ends, fit.relative_errors.get(name), named, *numbers, serial.rho if serial else 0.0)
            writer.writerow([fit.model.name, name, *(f"{x:.8g}" if isinstance(x, float) else x for x in row)])
    return text.getvalue()
