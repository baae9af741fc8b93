"""Which columns of a table make a flow curve: one group of them for each sample that stands side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flowgrad.errors import OptionError, ReadError
from flowgrad.rheometer.header import Column
from flowgrad.rheometer.names import QUALIFIERS
from flowgrad.rheometer.tables import Table, describe, is_named, is_oscillatory

ROLES = ("rate", "stress", "viscosity", "sigma", "torque", "temperature", "sample")
_STRESSES = ("stress", "viscosity", "torque")


@dataclass(frozen=True)
class Group:
    """Columns of one sample by their roles, and its ``label`` (empty where the file gives none). ``turned``: the sign
    of the stress is to be changed."""

    columns: Mapping[str, Column]
    label: str = ""
    turned: bool = False


def groups(table: Table, chosen: Mapping[str, str], where: str) -> list[Group]:
    """The groups of columns of a table. ``chosen`` maps roles to names or numbers; a stress named ``-NAME`` is turned.

    Raises ReadError for oscillatory tables and where a column is missing, OptionError where two could be meant.
    """
    columns = _chosen(table, chosen, where)
    rates = [each for each in columns if each.role == "rate"]
    if not rates and is_oscillatory(table):
        raise ReadError(
            f"{where}: is an oscillatory table (G', G'' against frequency or amplitude) and holds no flow curve: "
            "give a table of steady shear"
        )
    if not rates or not any(each.role in _STRESSES for each in columns):
        what = "shear rate" if not rates else "stress or viscosity"
        raise ReadError(
            f"{where}: no column holds the {what} among {describe(table)}: give --columns rate=NAME,stress=NAME"
        )
    found = _of_one_rate(rates[0], columns, table) if len(rates) == 1 else _of_rates(rates, columns, table)
    if not found:
        raise OptionError(
            f"{where}: {_ambiguity(columns)} could be meant: say which, with --columns rate=NAME,stress=NAME"
        )
    turned = chosen.get("stress", chosen.get("viscosity", "")).startswith("-")
    return [Group(each.columns, each.label, turned) for each in found]


def _chosen(table: Table, chosen: Mapping[str, str], where: str) -> list[Column]:
    """The columns, with the roles that the user gave to some of them, and no others of these roles."""
    given: dict[int, str] = {}
    for role, name in chosen.items():
        given[_find(table, name if not name.startswith("-") else name[1:], role, where).index] = role
    return [
        each.of_role(given[each.index]) if each.index in given else each
        for each in table.columns
        if each.index in given or each.role not in chosen
    ]


def _find(table: Table, name: str, role: str, where: str) -> Column:
    if name.isdigit() and 0 < int(name) <= len(table.columns):
        return table.columns[int(name) - 1]
    found = [each for each in table.columns if each.name and is_named(each, name)]
    exact = [each for each in found if each.name.casefold() == name.strip().casefold()]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        numbers = " or ".join(f"{role}={each.index + 1}" for each in found)
        raise OptionError(f"{where}: {len(found)} columns are called '{name}': give the number, --columns {numbers}")
    raise OptionError(f"{where}: no column is called '{name}': there are {describe(table)}")


def _of_one_rate(rate: Column, columns: Sequence[Column], table: Table) -> list[Group]:
    """One group, or as many as there are stresses (or else viscosities) with labels of their own."""
    for role in _STRESSES:
        same = [each for each in columns if each.role == role]
        if len(same) == 1:
            return [_group([each for each in columns if each.role not in _STRESSES or _alone(each, columns)], "")]
        if len(same) > 1:
            if len({each.label for each in same}) < len(same) and len({each.name for each in same}) > 1:
                return []
            if any(each.label.casefold() in QUALIFIERS for each in same):
                return []
            return [_of_label(each, rate, columns, _label(each, table, i)) for i, each in enumerate(same, 1)]
    return []


def _alone(column: Column, columns: Sequence[Column]) -> bool:
    return sum(each.role == column.role for each in columns) == 1


def _of_label(stress: Column, rate: Column, columns: Sequence[Column], label: str) -> Group:
    """The stress of one sample with the rate and temperature of all and whatever else has its label."""
    others = [
        each
        for each in columns
        if each.role != stress.role and (each.label == stress.label or each.role in ("temperature", "step", "sample"))
    ]
    return _group([rate, stress, *(each for each in others if each is not rate)], label)


def _of_rates(rates: Sequence[Column], columns: Sequence[Column], table: Table) -> list[Group]:
    """Groups of one label, or else columns that stand side by side in the same order."""
    labels = [each.label for each in rates]
    if len(set(labels)) == len(labels):
        found = [_group([each for each in columns if each.label == label], label) for label in labels]
        if (
            all(set(each.columns) & set(_STRESSES) for each in found)
            and not {each.casefold() for each in labels} & QUALIFIERS
        ):
            return found
    read = [each for each in columns if each.role in ("rate", "sigma", "sigma_viscosity", "temperature", *_STRESSES)]
    width = len(read) // len(rates)
    parts = [read[i : i + width] for i in range(0, len(read), width)]
    if [[each.role for each in part] for part in parts] != [[each.role for each in parts[0]]] * len(rates) or width < 2:
        return []
    if {each.role for each in parts[0]}.isdisjoint(_STRESSES):
        return []
    return [_group(part, _label(part[0], table, i)) for i, part in enumerate(parts, 1)]


def _group(columns: Sequence[Column], label: str) -> Group:
    """The first column of each role."""
    return Group({each.role: each for each in reversed(columns)}, label)


def _label(column: Column, table: Table, number: int) -> str:
    """What the name adds, or the text over the column (that of a merged cell stands over its first), or a number."""
    if column.label:
        return column.label
    over = [each for each in table.above[: column.index + 1] if each]
    return over[-1] if len(set(filter(None, table.above))) > 1 and over else str(number)


def _ambiguity(columns: Sequence[Column]) -> str:
    read = [f"'{each.name}' (column {each.index + 1})" for each in columns if each.role in ("rate", *_STRESSES)]
    return ", ".join(read[:6])
