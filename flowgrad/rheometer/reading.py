"""What the user says of a rheometer's table that the file does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheometer.choice import ROLES
from flowgrad.rheometer.corrections import CORRECTIONS
from flowgrad.rheometer.units import unit
from flowgrad.spec import nearest


@dataclass(frozen=True)
class Reading:
    """How a table is to be read.

    ``columns`` maps roles (``rate``, ``stress``, ``viscosity``, ``sigma``, ``torque``, ``temperature``, ``sample``) to
    names of columns or their numbers from 1; a stress named ``-NAME`` has its sign turned. ``units`` maps roles to
    units such as ``1/min``, in place of what the file says. ``correction`` is one of ``CORRECTIONS``, ``radius`` [m]
    that of the plate. ``lowest_torque`` [N m] and ``lowest_stress`` [Pa] are below what the instrument resolves,
    ``rates`` [1/s] bounds what is kept, ``sample`` chooses by name, ``keep_outliers`` leaves them in.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    correction: str | None = None
    radius: float | None = None
    lowest_torque: float = 0.0
    lowest_stress: float = 0.0
    rates: tuple[float, float] | None = None
    sample: str | None = None
    keep_outliers: bool = False

    def __post_init__(self) -> None:
        for what, given in (("columns", self.columns), ("unit", self.units)):
            for role in given:
                if role not in ROLES:
                    raise OptionError(
                        f"--{what}: '{role}' is unknown{nearest(role, ROLES)}: known are {', '.join(ROLES)}"
                    )
        for role, text in self.units.items():
            found = unit(text)
            if found is None or found.dimension != ("stress" if role == "sigma" else role):
                raise OptionError(f"--unit {role}={text}: is no known unit of it: write one such as 1/s, Pa, mPas, mNm")
        if self.correction not in (None, *CORRECTIONS):
            raise OptionError(f"--correction '{self.correction}' is unknown: choose one of {', '.join(CORRECTIONS)}")
        if self.radius is not None and not 0 < self.radius < np.inf:
            raise OptionError(f"--radius is {self.radius}: give the radius of the plate in metres")
