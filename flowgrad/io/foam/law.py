"""Viscosity law that an OpenFOAM case was solved with, as the text of one of our models.

It stands in constant/transportProperties, or, from OpenFOAM 8 (openfoam.org) on, in momentumTransport and
physicalProperties (OpenFOAM User Guide, chapter 7.3). Values are kinematic for incompressible solvers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flowgrad.errors import OptionError, ReadError
from flowgrad.io.foam.grammar import Dictionary, FoamFile
from flowgrad.io.formats import naming, system_errors

_FILES = ("transportProperties", "momentumTransport", "physicalProperties")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$")
# By OpenFOAM's name of a law: ours, and OpenFOAM's names of its parameters, first those that must be there.
_LAWS = {
    "Newtonian": ("newtonian", {"eta": "nu"}, {}),
    "constant": ("newtonian", {"eta": "nu"}, {}),
    "powerLaw": ("power-law", {"K": "k", "n": "n"}, {"eta_min": "nuMin", "eta_max": "nuMax"}),
    "CrossPowerLaw": ("cross", {"eta0": "nu0", "eta_inf": "nuInf", "lam": "m", "n": "n"}, {}),
    "BirdCarreau": ("carreau-yasuda", {"eta0": "nu0", "eta_inf": "nuInf", "lam": "k", "n": "n"}, {"a": "a"}),
    "HerschelBulkley": ("herschel-bulkley", {"tau0": "tau0", "K": "k", "n": "n", "eta_max": "nu0"}, {}),
    "Casson": ("casson", {"tau0": "tau0", "eta": "m"}, {"eta_min": "nuMin", "eta_max": "nuMax"}),
}


def case_law(source: Path | None) -> str:
    """The law of the case that a flow was read from, such as ``cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)``.

    Raises OptionError for a flow that is of no case, ReadError for a case that tells no law, or none that is known.
    """
    if source is None or not (source.is_dir() or source.suffix.lower() == ".foam"):
        raise OptionError(f"--viscosity=case is for OpenFOAM's cases, not for {source or 'this flow'}: give the law")
    folder = (source if source.is_dir() else source.parent) / "constant"
    found: dict[str, Dictionary] = {}
    for name in _FILES:
        file = folder / name
        if file.is_file():
            with system_errors(file), naming(file):
                found[name] = FoamFile(file.read_bytes()).dictionary()
    for name, model, entries in _named(found):
        with naming(folder / name):
            return _text(model, entries)
    there = f"{', '.join(found)} there name none" if found else f"there is none of {', '.join(_FILES)}"
    raise ReadError(f"{folder}: tells no viscosity ({there}): give --viscosity=NUMBER or a law")


def _named(found: dict[str, Dictionary]) -> Iterator[tuple[str, str, Dictionary]]:
    """The file, the name and the entries of each law, those that hold beside the constant viscosity first."""
    for name, entries in found.items():
        laminar = entries.get("laminar")
        for part in (laminar, entries):
            if not isinstance(part, Dictionary):
                continue
            model = part.text("transportModel") or part.text("viscosityModel")
            own = part.get(f"{model}Coeffs")
            if model:
                yield name, model, Dictionary({**part, **(own if isinstance(own, Dictionary) else {})})
    for name, entries in found.items():
        if "nu" in entries:
            yield name, "Newtonian", entries


def _text(model: str, entries: Dictionary) -> str:
    """The law as a text."""
    if model not in _LAWS:
        raise ReadError(f"has the law '{model}', which is none of {', '.join(_LAWS)}: give it with --viscosity")
    name, needed, others = _LAWS[model]
    values = [f"{ours}={_value(entries, theirs)}" for ours, theirs in needed.items()]
    values += [f"{ours}={_value(entries, theirs)}" for ours, theirs in others.items() if theirs in entries]
    return f"{name}({', '.join(values)})"


def _value(entries: Dictionary, name: str) -> str:
    """A number, behind its name and its dimensions where these stand before it."""
    words = entries.text(name).split()
    if not words or not _NUMBER.match(words[-1]):
        raise ReadError(f"has {entries.text(name)[:60]!r} for '{name}', not a number: give the law with --viscosity")
    return words[-1]
