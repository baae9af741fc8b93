"""Rule of Cox & Merz (1958, J. Polym. Sci. 28, 619): |η*|(ω) of small oscillations as η(γ̇) of steady shear."""

from __future__ import annotations

import re

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.rheometer.columns import Column, plain, split
from flowgrad.rheometer.curves import TEXT, Measured
from flowgrad.rheometer.decimals import marks_of
from flowgrad.rheometer.options import Reading
from flowgrad.rheometer.tables import Table, describe
from flowgrad.rheometer.units import logarithm
from flowgrad.typing import FloatArray

_NOTE = (
    "Cox–Merz: |η*|(ω) of an oscillation is taken as η(γ̇), which holds of many polymers and of few structured fluids"
)
# Names without units, the first that fits; a frequency is in Hz unless it is an angular one, by its name or its unit.
_NAMES = {
    "omega": r"angular frequency|kreisfrequenz|winkelfrequenz|pulsation|frecuencia angular|omega|ω|ang freq.*",
    "frequency": r"frequency|frequenz|frequence|frecuencia|freq|f",
    "viscosity": r"complex (shear |dynamic )?viscosity|komplexe viskositat|viscosite complexe|viscosidad compleja"
    r"|eta\*|η\*|\|η\*\||complex viscosity.*",
    "modulus": r"complex (shear )?modulus|komplexer schubmodul|module complexe|g\*|\|g\*\||complex modulus.*",
    "storage": r"storage modulus|speichermodul|module de (conservation|stockage)|g'|g′|shear modulus elastic component",
    "loss": r"loss modulus|verlustmodul|module de perte|g''|g′′|g\"|shear modulus viscous component",
}
_RADIANS = re.compile(r"\[?\(?rad/s(ec)?\)?\]?|1/s|s-1|s\^-1|rad·s⁻¹", re.IGNORECASE)


def cox_merz(table: Table, reading: Reading, where: str) -> Measured:
    """The numbers of an oscillatory table as those of a flow curve: γ̇ = ω and τ = |η*|ω, of |η*|, of |G*|, or of G' and
    G''. Raises ReadError where a frequency or what goes with it is missing."""
    found = {what: column for what in _NAMES if (column := _column(table, what)) is not None}
    read = [*found.values()]
    marks = marks_of(table, read, reading.decimal, where)

    def numbers(what: str) -> FloatArray:
        values = [marks.parsed(table.cell(row, found[what]), found[what]) for row in table.rows]
        return np.asarray(found[what].to_si(np.array(values, float)), float)

    if "omega" in found:
        omega = numbers("omega")
    elif "frequency" in found:
        # Files that say rad/s below the name Frequency mean what they say.
        is_angular = _RADIANS.fullmatch(split(logarithm(found["frequency"].name)[1])[1] or "")
        omega = numbers("frequency") * (1.0 if is_angular else 2 * np.pi)
    else:
        omega = None
    if omega is None or not (found.keys() & {"viscosity", "modulus"} or {"storage", "loss"} <= found.keys()):
        raise ReadError(
            f"{where}: an oscillatory table needs a frequency with |η*|, |G*| or G' and G'' for the Cox–Merz rule, and "
            f"has {describe(table)}: name the columns so"
        )
    if "viscosity" in found:
        stress = numbers("viscosity") * omega
    elif "modulus" in found:
        stress = numbers("modulus")
    else:
        stress = np.hypot(numbers("storage"), numbers("loss"))
    count = len(table.rows)
    return Measured(
        omega, stress, None, None, None, None, [""] * count, [""] * count,
        np.where(np.isfinite(omega) & np.isfinite(stress), "", TEXT),
        np.array([row.line for row in table.rows], np.int64), (*marks.notes, _NOTE),
        all(found[each].unit is not None for each in found.keys() & {"viscosity", "modulus", "storage", "loss"}),
    )  # fmt: skip


def _column(table: Table, what: str) -> Column | None:
    """The first column whose name without its unit is one of ``what``."""
    for each in table.columns:
        own = split(logarithm(each.name)[1])[0].casefold()
        if re.fullmatch(_NAMES[what], own) or re.fullmatch(_NAMES[what], plain(own)):
            return each
    return None
