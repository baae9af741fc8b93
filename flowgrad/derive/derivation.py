"""What is asked of formulas, and the answer in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad import autodiff
from flowgrad.errors import OptionError
from flowgrad.formula import Formula, Formulas, parse_formulas
from flowgrad.formula.values import named_numbers, numbers
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Derivation:
    """Formulas and what is asked of them: derivatives as symbols and, where there is a ``point`` (d,), as numbers.

    ``direction`` (d,) is that of the directional derivative, of any length but zero.
    """

    formulas: Formulas
    point: FloatArray | None = None
    direction: FloatArray | None = None
    hessian: bool = False

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        at: str | None = None,
        along: str | None = None,
        variables: str | None = None,
        hessian: bool = False,
    ) -> Derivation:
        """From the texts of the command line; OptionError for what does not fit together."""
        is_named = at is not None and "=" in at
        places = named_numbers(at, "--at") if at is not None and is_named else {}
        declared = None if variables is None else [name.strip() for name in variables.split(",")]
        formulas = parse_formulas(texts, declared, tuple(places))
        names = formulas.variables
        if not names:
            raise OptionError("there is no variable to differentiate by: use x, y, z or t, or name them by --variables")
        point = None
        if at is not None:
            point = _by_name(places, names) if is_named else _in_order(at, names, "--at")
        direction = None if along is None else _in_order(along, names, "--along")
        if direction is not None and not direction.any():
            raise OptionError("--along has the length 0: give a direction")
        return cls(formulas, point, direction, hessian)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables (d,)."""
        return self.formulas.variables

    @cached_property
    def named(self) -> list[tuple[str, Formula]]:
        """The formulas with their labels, or f, or f1, f2, … where they have none."""
        found = self.formulas.formulas
        return [(each.label or ("f" if len(found) == 1 else f"f{i}"), each) for i, each in enumerate(found, 1)]

    @cached_property
    def place(self) -> dict[str, float]:
        """The point by the names of the variables."""
        return dict(zip(self.variables, np.asarray(self.point).tolist(), strict=True))

    @cached_property
    def unit(self) -> FloatArray:
        """The unit vector of the direction (d,)."""
        direction = np.asarray(self.direction) / np.abs(self.direction).max()  # type: ignore[arg-type]
        return np.asarray(direction / np.linalg.norm(direction))

    @cached_property
    def values(self) -> FloatArray:
        """f_i (k,) at the point."""
        return np.asarray(self.formulas(np.asarray(self.point)), float)

    @cached_property
    def jacobian(self) -> FloatArray:
        """∂f_i/∂x_j (k, d) at the point, by dual numbers; NaN where there is none."""
        found = autodiff.jacobian(self.formulas, np.asarray(self.point), backend="numpy")
        for i, j in np.argwhere(~np.isfinite(found)):
            found[i, j] = self._partial(self.formulas.formulas[i], j)
        return found

    def _partial(self, formula: Formula, j: int) -> float:
        """∂f/∂x_j with the other variables constant: a kink along them is none along x_j."""
        name = self.variables[j]
        found = autodiff.jacobian(lambda s: formula.evaluate({**self.place, name: s}, ()), self.place[name])
        return float(found)

    @cached_property
    def hessians(self) -> FloatArray:
        """∂²f_i/∂x_j∂x_k (k, d, d) at the point."""
        return autodiff.hessian(self.formulas, np.asarray(self.point), backend="numpy")


def _by_name(places: dict[str, float], names: Sequence[str]) -> FloatArray:
    missing = [name for name in names if name not in places]
    unknown = [name for name in places if name not in names]
    if missing or unknown:
        what = f"does not give {', '.join(missing)}" if missing else f"gives {', '.join(unknown)}, no variable"
        raise OptionError(f"--at {what}: write {','.join(f'{name}=…' for name in names)}")
    return np.array([places[name] for name in names])


def _in_order(text: str, names: Sequence[str], option: str) -> FloatArray:
    found = np.array(numbers(text, option))
    if len(found) != len(names):
        raise OptionError(f"{option} has {len(found)} numbers: give {len(names)}, for {', '.join(names)}")
    return found
