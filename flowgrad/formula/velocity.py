"""A velocity given by formulas: ``u=-y; v=x; w=0``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.expression import Formula, parse_formulas
from flowgrad.formula.functions import VARIABLES
from flowgrad.formula.parser import Variable

_COMPONENTS = ("u", "v", "w")
_NAMES = {"u": 0, "v": 1, "w": 2, "vx": 0, "vy": 1, "vz": 2}


@dataclass(frozen=True, eq=False)
class VelocityFormula:
    """The velocity v(x) or v(x, t), ``components`` u, v and w of x, y, z and t; called with x (…, 3)."""

    components: tuple[Formula, Formula, Formula]

    @classmethod
    def parse(cls, text: str) -> VelocityFormula:
        """From ``u=…; v=…; w=…`` or ``…; …; …`` in this order; those that are left out are zero.

        Raises OptionError for other names, a component given twice and what is no formula.
        """
        given = parse_formulas([text], VARIABLES).formulas
        found: dict[int, Formula] = {}
        if len(given) > 3:
            raise OptionError(f"--formula has {len(given)} components: give three at most, u, v and w")
        if any(each.label for each in given) and not all(each.label for each in given):
            raise OptionError("--formula names some components and others not: write u=…; v=…; w=…")
        for position, each in enumerate(given):
            if each.label and each.label not in _NAMES:
                raise OptionError(f"--formula gives '{each.label}': the components are u, v and w (or vx, vy and vz)")
            index = _NAMES[each.label] if each.label else position
            if index in found:
                raise OptionError(f"--formula gives {_COMPONENTS[index]} twice: give it once")
            found[index] = each
        zero = parse_formulas(["0"], VARIABLES).formulas[0]
        return cls((found.get(0, zero), found.get(1, zero), found.get(2, zero)))

    @property
    def __name__(self) -> str:
        """What the velocity is called."""
        return "velocity"

    @property
    def uses_time(self) -> bool:
        """Whether t occurs."""
        return Variable("t") in (step for each in self.components for step in each.steps)

    def __call__(self, x: Any, t: float | None = None) -> Any:
        """Velocities (…, 3) at x (…, 3), an array or dual numbers."""
        values = {"x": x[..., 0], "y": x[..., 1], "z": x[..., 2], "t": t}
        shape = np.shape(x)[:-1]
        return np.stack([each.evaluate(values, shape) for each in self.components], axis=-1)
