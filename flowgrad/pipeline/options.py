"""Options of an analysis: of the data, the scheme, the fluid, walls and output."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from flowgrad.errors import OptionError
from flowgrad.files import size_of
from flowgrad.flow import LOCATIONS, check_symmetry
from flowgrad.formula.arguments import VelocityFormula, axes
from flowgrad.gradient import SCHEMES
from flowgrad.kinematics import select
from flowgrad.option import positive
from flowgrad.separation import check_viscosity
from flowgrad.spec import parse


@dataclass(frozen=True)
class Options:
    """What a run is told: of the data, of the scheme, of the fluid; the names of the command line.

    ``quantities`` are names of the registry; empty for the usual ones. Raises OptionError for what
    cannot be right whatever the file.
    """

    velocity: str | None = None
    location: str | None = None
    boundary: str | None = None
    noise: str | None = None
    axisymmetric: str | None = None
    out_of_plane: str = "zero"
    length_scale: float | None = None
    y_down: bool = False
    scheme: str = "auto"
    gradient_field: str | None = None
    at: str | None = None
    error: bool = False
    steady: bool = False
    stress: str | None = None
    viscosity: str | None = None
    walls: str | None = None
    wall_velocity: str | None = None
    pressure: str | None = None
    density: float | None = None
    length: float | None = None
    body_force: str | None = None
    quantities: tuple[str, ...] = ()
    formula: str | None = None
    grid: str | None = None
    time: float | None = None
    block_memory: str = "1G"

    def __post_init__(self) -> None:
        select(self.quantities)
        size_of(self.block_memory, "--block-memory")
        for name in ("velocity", "boundary", "noise", "gradient_field", "stress", "viscosity", "walls", "pressure"):
            if getattr(self, name) == "":
                raise OptionError(f"--{name.replace('_', '-')} is empty: give a name, or leave it out")
        for name in ("location", "at"):
            if getattr(self, name) not in (None, *LOCATIONS):
                raise OptionError(f"--{name} '{getattr(self, name)}' is unknown: choose one of {', '.join(LOCATIONS)}")
        check_symmetry(self.axisymmetric, self.out_of_plane)
        self._check_axes()
        for name, value in (("density", self.density), ("length", self.length)):
            if value is not None and not 0 < value < math.inf:
                raise OptionError(f"--{name} is {value}: give a positive number")
        if self.noise and _is_number(self.noise) and not 0 <= float(self.noise) < math.inf:
            raise OptionError(f"--noise is {self.noise}: give a standard deviation, zero or more, or an array's name")
        if self.stress and self.viscosity:
            raise OptionError("--stress and --viscosity exclude each other: give one of them")
        if self.scheme != "auto":
            parse(self.scheme, SCHEMES, "scheme")
            if self.gradient_field:
                raise OptionError("--scheme and --gradient-field exclude each other: give one of them")
        if self.viscosity:
            check_viscosity(self.viscosity)
        self._check_uses()
        if self.walls and self.formula:
            raise OptionError("--walls needs the values of a file: leave out --formula")
        self._check_wall_velocity()
        self._check_formula()

    def _check_axes(self) -> None:
        """OptionError for a scale or a time that is none, and for a gradient of the file, which nobody scales."""
        if self.length_scale is not None:
            positive("--length-scale", self.length_scale)
        if self.time is not None and not math.isfinite(self.time):
            raise OptionError(f"--time is {self.time}: give a finite number")
        if self.gradient_field and (self.y_down or self.length_scale not in (None, 1.0)):
            raise OptionError("--length-scale and --y-down do not change --gradient-field: leave that out")

    def _check_uses(self) -> None:
        """OptionError for what is of no use without another option."""
        if self.walls is None and self.wall_velocity:
            raise OptionError("--wall-velocity is for walls: give --walls")
        if self.pressure and self.walls is None and self.body_force is None:
            raise OptionError("--pressure is for walls and the momentum balance: give --walls or --body-force")
        if self.body_force is not None and len(_numbers(self.body_force)) != 3:
            raise OptionError(f"--body-force is {self.body_force}: give three numbers joined by commas, per mass")
        if self.body_force is not None and not (self.stress or self.viscosity):
            raise OptionError("--body-force is for the momentum balance beside a known stress: give --stress too")

    def _check_wall_velocity(self) -> None:
        if len(_numbers(self.wall_velocity or "0")) not in (1, 3):
            raise OptionError(f"--wall-velocity is {self.wall_velocity}: give a number, or three joined by commas")

    def _check_formula(self) -> None:
        """OptionError for a formula, or its grid, that cannot be read, and for options that do not go with it."""
        if self.formula is None:
            if self.grid is not None:
                raise OptionError("--grid is for a velocity given by --formula: give one, or leave it out")
            return
        VelocityFormula.parse(self.formula)
        if self.grid is not None:
            axes(self.grid, "--grid")
        for name in ("velocity", "location", "boundary", "noise", "gradient_field", "length_scale", "y_down"):
            if getattr(self, name) not in (None, False):
                raise OptionError(f"--formula gives the velocity: leave out --{name.replace('_', '-')}")
        if self.is_differentiated and (self.error or self.axisymmetric in ("x", "y") or self.out_of_plane != "zero"):
            raise OptionError(
                "--formula is differentiated itself, exactly: leave out --error, --axisymmetric and --out-of-plane, or "
                "choose a --scheme"
            )

    @property
    def force(self) -> list[float] | None:
        """The three numbers of ``body_force``."""
        return None if self.body_force is None else _numbers(self.body_force)

    @property
    def is_differentiated(self) -> bool:
        """Whether the gradient is that of a formula, and not of values at points."""
        return self.formula is not None and self.scheme == "auto"

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        default = asdict(DEFAULT)
        return {key: value for key, value in asdict(self).items() if value != default[key]}


def _numbers(text: str) -> list[float]:
    """Finite numbers joined by commas; none where one is not."""
    parts = text.split(",")
    finite = all(_is_number(each) and math.isfinite(float(each)) for each in parts)
    return [float(each) for each in parts] if finite else []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


DEFAULT = Options()
