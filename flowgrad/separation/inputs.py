"""Fluid inputs of a separation: what was given of a stress, viscosity and density, and the names that these have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from flowgrad.errors import FlowgradError
from flowgrad.momentum.identification import Identification
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.model import Model
from flowgrad.typing import FloatArray

# What is given for a viscosity that the velocity alone is to tell.
IDENTIFY = "identify"
# The same for the law that the case of the flow was solved with.
OF_CASE = "case"

# Words of names: of a viscosity, of eddies or of a scheme instead of the fluid, and of the sum of both; symbols and
# words may stand in one (``nut``, ``mueff``, ``eddyvis``).
_OF_VISCOSITY = r"(nu|mu|visc(osity)?|vis)"
_OF_EDDIES = r"(t|turb|turbulent|turbulence|tur|eddy|sgs|subgrid|les|tilda|tilde|smagorinsky|artificial|numerical)"
_OF_BOTH = r"(eff|effective|total|tot)"
_VISCOSITY = re.compile(r"nu|mu|eta|visc[a-z]*")
# What else a fluid's own viscosity may be called by.
_QUALIFIERS = {"dynamic", "kinematic", "laminar", "lam", "molecular", "apparent", "mean", "of", "u"}
_STRESS = re.compile(r".*(sigma|tau|stress).*")


@dataclass(frozen=True, eq=False)
class Given(ReprMixin, line="option text law density"):
    """What is known of the fluid at the n tensors of a gradient.

    At most one of ``stress`` (n, 3, 3) and ``viscosity`` (n,) is not None; ``law`` or ``identification`` is what the
    viscosity was computed from. ``option`` and ``text`` are how it was given. With a ``density`` all
    values are dynamic; without one they are what the data have, dynamic or divided by the density. ``notes`` say what
    was taken of what was given.
    """

    option: str = ""
    text: str = ""
    stress: FloatArray | None = None
    viscosity: FloatArray | None = None
    law: Model | None = None
    density: float | FloatArray | None = None
    notes: tuple[str, ...] = ()
    identification: Identification | None = field(default=None, repr=False)


def eddy_viscosities(names: Iterable[str]) -> list[str]:
    """The names that mean a turbulent eddy viscosity, or one that contains it."""
    return [name for name in names if _is_viscosity_with(_OF_EDDIES, name) or is_effective(name)]


def is_effective(name: str) -> bool:
    """Whether a name means an effective viscosity, the fluid's and the eddies' together."""
    return _is_viscosity_with(_OF_BOTH, name)


def _is_viscosity_with(what: str, name: str) -> bool:
    """Whether a name is of a viscosity with one of the words ``what``, in one with it or beside it."""
    words = _words(name)
    if any(re.fullmatch(rf"{_OF_VISCOSITY}{what}|{what}{_OF_VISCOSITY}", word) for word in words):
        return True
    return any(re.fullmatch(what, word) for word in words) and any(re.fullmatch(_OF_VISCOSITY, word) for word in words)


def candidates(data: Mapping[str, np.ndarray]) -> list[str]:
    """Options that arrays of these names and shapes would suit, e.g. ``--viscosity=nu``."""
    options = []
    for name, values in data.items():
        components = int(np.prod(np.shape(values)[1:]))
        own = [each for each in _words(name) if each not in _QUALIFIERS]
        if components == 1 and _VISCOSITY.fullmatch("".join(own)) and not eddy_viscosities([name]):
            options.append(f"--viscosity={name}")
        if components in (6, 9) and _STRESS.fullmatch(name.lower()):
            options.append(f"--stress={name}")
    return options


def suggested_by_case(source: Path | None) -> list[str]:
    """``--viscosity=case`` with the law that it stands for, where a flow is of an OpenFOAM case that tells one."""
    if source is None or not (source.suffix.lower() == ".foam" or source.is_dir()):
        return []
    from flowgrad.io.foam.law import case_law

    try:
        return [f"--viscosity={OF_CASE}, its {case_law(source)},"]
    except FlowgradError:
        return []


def _words(name: str) -> list[str]:
    """The words of a name in lower case, apart by capitals, spaces and signs, without what stands in brackets behind it
    and the scope that OpenFOAM puts before: ``turbulenceProperties:nuEff`` is nu and eff, ``mu(T)`` mu."""
    bare = re.sub(r"(?<=\w)\s*[\[(].*", "", name.rsplit(":", 1)[-1])
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", bare)
    return [each.lower() for each in found]
