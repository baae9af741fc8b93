"""Heads of columns: a name, a unit, and what the column holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flowgrad.errors import ReadError
from flowgrad.rheometer.names import QUALIFIERS, role_of
from flowgrad.rheometer.units import Unit, unit

# What a column of each role may measure.
_MEASURES = {
    "rate": "rate",
    "stress": "stress",
    "sigma": "stress",
    "viscosity": "viscosity",
    "sigma_viscosity": "viscosity",
    "torque": "torque",
    "temperature": "temperature",
}
_BRACKETS = re.compile(r"^(.*?)[\[(]([^\[\]()]*(?:\([^()]*\)[^\[\]()]*)?)[\])]\s*$")
_WORDED = re.compile(r"^(.+?)\s+(?:in|en|/)\s+(\S.*)$")
_LAST_WORD = re.compile(r"^(.+?)[\s,_/]+([^\s,]{2,}|P)$")
# Round brackets that hold a label and no unit: (A), (25 °C), (sample B), (up).
_LABEL = re.compile(r"[A-Za-z]|\d.*|.*\s.*|up|down|auf|ab")


@dataclass(frozen=True)
class Column:
    """One column: its ``index``, the ``name`` as it is in the file, the ``unit`` (None where none is stated),
    what it holds (see ``role_of``) and the rest of its name."""

    index: int
    name: str
    unit: Unit | None
    role: str
    label: str

    @property
    def measures(self) -> str:
        """What a column of its role measures; empty for those that are not read as numbers."""
        return _MEASURES.get(self.role, "")

    def of_role(self, role: str) -> Column:
        """The same column with the role that the user says it has."""
        return replace(self, role=role, label="")

    def with_unit(self, text: str, where: str) -> Column:
        """With the unit of a row of units; ReadError where it contradicts that of the name."""
        found = unit(text)
        if found is None and self.measures:
            raise ReadError(f"{where}: the unit '{text}' of '{self.name}' is not known: give --unit {self.role}=…")
        if found and self.unit and found != self.unit:
            raise ReadError(f"{where}: '{self.name}' states one unit and the row of units '{text}': correct one")
        return column(self.index, self.name, found or self.unit)


def column(index: int, name: str, stated: Unit | None = None) -> Column:
    """The column of a name such as ``Shear rate [1/s]``, ``Tau in Pa``, ``η / mPa·s``, ``stress_Pa``."""
    own, text = split(name)
    found = stated or (unit(text) if text else None)
    role, label = role_of(own, found.dimension if found else "")
    return Column(index, name.strip(), found, role, _as_written(label, own))


def _as_written(label: str, name: str) -> str:
    """A label with the capitals that it has in the name."""
    found = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", name, re.IGNORECASE)
    return found[0] if found else label


def split(name: str) -> tuple[str, str]:
    """The name without its unit, and the unit's text (empty without one; it need not be known)."""
    name = name.strip().strip('"').strip()
    bracketed = _BRACKETS.match(name)
    if bracketed:
        own, inside = bracketed[1].strip(), bracketed[2].strip()
        if unit(inside) is not None or name.endswith("]"):
            return own, inside
        is_label = not inside or _LABEL.fullmatch(inside) or inside.casefold() in QUALIFIERS
        return (name, "") if is_label else (own, inside)
    worded = _WORDED.match(name)
    if worded and unit(worded[2]) is not None:
        return worded[1], worded[2]
    last = _LAST_WORD.match(name)
    if last and (found := unit(last[2])) is not None and found.dimension in SAFE:
        return last[1], last[2]
    return name, ""


# Units that are recognised behind a name without brackets.
SAFE = ("rate", "stress", "viscosity", "torque")


def check(columns: list[Column], where: str) -> None:
    """ReadError for a column that is read as numbers and whose unit is not known, or measures something else."""
    for each in columns:
        text = split(each.name)[1]
        if not each.measures:
            continue
        if each.unit is None and text:
            raise ReadError(f"{where}: the unit '{text}' of '{each.name}' is not known: give --unit {each.role}=…")
        if each.unit and each.unit.dimension == "kinematic viscosity":
            raise ReadError(f"{where}: '{each.name}' is a kinematic viscosity: multiply it by the density first")
        if each.unit and each.unit.dimension != each.measures:
            raise ReadError(
                f"{where}: '{each.name}' has the unit of a {each.unit.dimension}, not of a {each.measures}: "
                f"say what it is with --columns, or correct its unit with --unit {each.role}=…"
            )
