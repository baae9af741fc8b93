"""Fluid inputs of a separation: what was given of a stress, viscosity and density, and the names that these have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from flowgrad.momentum.identification import Identification
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.model import Model
from flowgrad.typing import FloatArray

# What is given for a viscosity that the velocity alone is to tell.
IDENTIFY = "identify"

# Names of turbulent eddy viscosities and of effective ones (the fluid's and the eddies' together), as ``_plain`` has
# them; also of their means in time and of the step before.
_OF_VISCOSITY = r"(nu|mu|visc(osity)?|vis)"
_OF_TURBULENCE = r"(t|turb|turbulent|turbulence|tur|eddy|sgs|les|tilda|tilde)"
_PLACE = r"(mean|avg|average|prime2mean|old)?\d*"
_EDDY = re.compile(
    rf"({_OF_VISCOSITY}{_OF_TURBULENCE}|{_OF_TURBULENCE}{_OF_VISCOSITY}|subgrid(scale)?{_OF_VISCOSITY})(ratio)?{_PLACE}"
)
_EFFECTIVE = re.compile(rf"({_OF_VISCOSITY}(eff|effective|total|tot)|(eff|effective|total|tot){_OF_VISCOSITY}){_PLACE}")
_VISCOSITY = re.compile(r"(nu|mu|eta|visc.*|nuofu|dynamicviscosity|kinematicviscosity)")
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
    return [name for name in names if _EDDY.fullmatch(_plain(name)) or is_effective(name)]


def is_effective(name: str) -> bool:
    """Whether a name means an effective viscosity, the fluid's and the eddies' together."""
    return _EFFECTIVE.fullmatch(_plain(name)) is not None


def candidates(data: Mapping[str, np.ndarray]) -> list[str]:
    """Options that arrays of these names and shapes would suit, e.g. ``--viscosity=nu``."""
    options = []
    for name, values in data.items():
        components = int(np.prod(np.shape(values)[1:]))
        if components == 1 and _VISCOSITY.fullmatch(_plain(name)) and not eddy_viscosities([name]):
            options.append(f"--viscosity={name}")
        if components in (6, 9) and _STRESS.fullmatch(_plain(name)):
            options.append(f"--stress={name}")
    return options


def _plain(name: str) -> str:
    """In lower case, without spaces, underscores, dots, hyphens, and without the scope that OpenFOAM puts before."""
    return re.sub(r"[\s_.-]", "", name.lower().rsplit(":", 1)[-1])
