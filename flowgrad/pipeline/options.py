"""Options of an analysis as records: of the data, the scheme, the fluid, the walls and the output.

The command's arguments, configuration files and the advice in errors follow from the fields.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import ClassVar

from flowgrad.errors import OptionError
from flowgrad.files import size_of
from flowgrad.io.options import ReadOptions
from flowgrad.option import LOCATIONS, OptionRecord, check_symmetry, flag, not_empty, option, positive, united


def _known_scheme(name: str, text: str) -> None:
    not_empty(name, text)
    if text == "auto":
        return
    from flowgrad.gradient.scheme import parse_scheme

    parse_scheme(text)


def _known_viscosity(name: str, text: str) -> None:
    not_empty(name, text)
    from flowgrad.separation import check_viscosity

    check_viscosity(text)


def _density(name: str, density: float | str) -> None:
    """OptionError for a number that is not positive, and an empty text."""
    if isinstance(density, str):
        not_empty(name, density)
    else:
        positive(name, density)


def _known_quantities(_: str, names: tuple[str, ...]) -> None:
    from flowgrad.kinematics import select

    select(names)


def _formula(_: str, text: str) -> None:
    from flowgrad.formula.arguments import VelocityFormula

    VelocityFormula.parse(text)


def _axes(name: str, text: str) -> None:
    from flowgrad.formula.arguments import axes

    axes(text, name)


def _size(name: str, text: str) -> None:
    size_of(text, name)


def _vector(name: str, text: str) -> None:
    """OptionError for what is no three numbers, nor the one that a speed of walls may be."""
    is_one_enough = name == "--wall-velocity"
    if len(_numbers(text)) not in ((1, 3) if is_one_enough else (3,)):
        wanted = "a number, or three" if is_one_enough else "three numbers"
        raise OptionError(f"{name} is {text}: give {wanted} joined by commas")


def _numbers(text: str) -> list[float]:
    """Finite numbers joined by commas; none where one is not."""
    try:
        found = [float(each) for each in text.split(",")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []


@dataclass(frozen=True)
class FormulaOptions(OptionRecord):
    """A velocity that is given by a formula, and where."""

    title: ClassVar[str] = "a velocity given by a formula instead"

    formula: str | None = option(
        None,
        "in x, y, z, t, on --grid or on the points of the files",
        metavar="u=…;v=…;w=…",
        check=_formula,
        excludes=(
            *("velocity", "location", "boundary", "noise", "gradient_field", "length_scale", "velocity_scale", "valid"),
            *("displacement", "y_down", "keep_zeros", "walls"),
        ),
    )
    grid: str | None = option(
        None,
        "ranges of x, y and, in space, z: -1:1:41,-1:1:41",
        metavar="LOW:HIGH:COUNT,…",
        check=_axes,
        needs=("formula",),
    )


@dataclass(frozen=True)
class GradientOptions(OptionRecord):
    """How to differentiate: the scheme, and where."""

    title: ClassVar[str] = "how to differentiate"

    scheme: str = option(
        "auto",
        "auto, or one of 'flowgrad list schemes', with its options: finite-difference(order=3), file(name='…')",
        check=_known_scheme,
        excludes=("gradient_field",),
    )
    gradient_field: str | None = option(
        None, "use this array of the file as the gradient", metavar="NAME", check=not_empty, excludes=("y_down",)
    )
    at: str | None = option(None, "where to give the gradient (default: where the velocity lives)", choices=LOCATIONS)
    error: bool = option(False, "estimate the error of the gradient with a finer scheme")
    steady: bool = option(False, "the flow is steady: derivatives in time are zero")


@dataclass(frozen=True)
class FluidOptions(OptionRecord):
    """What is known of the fluid: names of :func:`flowgrad.separate`."""

    title: ClassVar[str] = "what is known of the fluid"

    stress: str | None = option(
        None,
        "extra stress, 6 or 9 components; --stress=-NAME turns the sign",
        metavar="NAME",
        check=not_empty,
        excludes=("viscosity",),
    )
    viscosity: str | None = option(
        None,
        "array, constant, law such as carreau(…), case: OpenFOAM's own, or identify: to be found in the velocity alone",
        metavar="NAME|NUMBER|LAW",
        check=_known_viscosity,
    )
    density: float | str | None = option(
        None, "number or array: makes kinematic stress or viscosity dynamic", metavar="NAME|NUMBER", check=_density
    )
    length: float | None = option(None, "length for the local Reynolds number (reynolds_number)", check=positive)
    body_force: str | None = option(
        None,
        "force per mass: asks the momentum balance for a solvent's viscosity",
        metavar="X,Y,Z",
        check=_vector,
        needs=("stress", "viscosity"),
    )


@dataclass(frozen=True)
class WallOptions(OptionRecord):
    """What is asked of walls: names of :func:`flowgrad.at_walls`."""

    title: ClassVar[str] = "walls: shear rate and, with a viscosity, stress, force and moment"

    walls: str | None = option(
        None,
        "patches of --boundary, regions (plane=y:0, box=0:1,:0.2,:, surface=FILE, velocity=U,V,W) and boundary faces "
        "that are cells with this value of a cell array, several joined by ';'; auto: where nothing flows through",
        metavar="auto|PATCH,…|KIND=…",
        check=not_empty,
    )
    reference_density: float | None = option(
        None,
        "density of friction velocity, y+ and C_f (default: --density; 1 for results per density)",
        check=positive,
        needs=("walls",),
    )
    reference_speed: float | None = option(
        None, "speed U of the skin friction coefficient C_f = tau_w/(rho U^2/2)", check=positive, needs=("walls",)
    )
    wall_scheme: str | None = option(
        None,
        "how to differentiate there (default: as --scheme says; auto: first-cell for a finite-volume solver's values)",
        metavar="SCHEME",
        check=_known_scheme,
        needs=("walls",),
    )
    wall_velocity: str | None = option(
        None,
        "velocity of walls that are not in --boundary (0: at rest)",
        metavar="NUMBER|U,V,W",
        check=_vector,
        needs=("walls",),
    )
    pressure: str | None = option(
        None,
        "array or number; adds the part of the pressure to the force",
        metavar="NAME|NUMBER",
        check=not_empty,
        needs=("walls", "body_force"),
    )
    series_statistics: bool = option(
        False,
        "averages over time on the walls (TAWSS, OSI, RRT, transWSS): of all times of a file that has several, and of "
        "the files of one time each together",
        needs=("walls",),
    )
    period: float | None = option(
        None,
        "of a flow that repeats itself: the time from the last step to the first of the next period counts too",
        check=positive,
        needs=("series_statistics",),
    )


@dataclass(frozen=True)
class OutputOptions(OptionRecord):
    """What is written, and how much memory the way there may take."""

    title: ClassVar[str] = "what to write"

    quantities: tuple[str, ...] = option(
        (), "names of 'flowgrad list quantities' (default: the usual)", metavar="A,B,…", check=_known_quantities
    )
    block_memory: str = option(
        "1G",
        "files with larger arrays are done a part at a time where they have parts: .vti, .vtr, NetCDF, .pvtu; averages "
        "over time keep no more vectors than this (1G)",
        metavar="SIZE",
        check=_size,
    )


# In the order of the command's help.
RECORDS = (ReadOptions, FormulaOptions, GradientOptions, FluidOptions, WallOptions, OutputOptions)


@united(
    "velocity location boundary noise axisymmetric out_of_plane length_scale displacement y_down keep_zeros scheme "
    "gradient_field at error steady stress viscosity walls wall_velocity pressure density length body_force quantities "
    "formula grid time block_memory"
)
@dataclass(frozen=True)
class Options(ReadOptions, FormulaOptions, GradientOptions, FluidOptions, WallOptions, OutputOptions):
    """What a run is told: of the data, of the scheme, of the fluid; the names of the command line.

    ``quantities`` are names of the registry; empty for the usual ones. Raises OptionError for what
    cannot be right whatever the file.
    """

    def __post_init__(self) -> None:
        with contextlib.suppress(TypeError, ValueError):
            object.__setattr__(self, "density", float(self.density))  # type: ignore[arg-type]
        super().__post_init__()
        check_symmetry(self.axisymmetric, self.out_of_plane)
        for name in ("length_scale", "velocity_scale"):
            if self.gradient_field and getattr(self, name) not in (None, 1.0):
                raise OptionError(f"{flag(name)} does not change --gradient-field: leave one of them out")
        if self.walls is not None and isinstance(self.density, str):
            raise OptionError(f"--density={self.density} is an array, and on --walls it is one number: give that")
        is_changed = self.error or self.axisymmetric in ("x", "y") or self.out_of_plane != "zero"
        if self.is_differentiated and is_changed:
            raise OptionError(
                "--formula is differentiated itself, exactly: leave out --error, --axisymmetric and --out-of-plane, or "
                "choose a --scheme"
            )

    @property
    def force(self) -> list[float] | None:
        """The three numbers of ``body_force``."""
        return None if self.body_force is None else _numbers(self.body_force)

    @property
    def serves_walls_only(self) -> bool:
        """Whether the viscosity is an effective one, with that of eddies in it: for the stress on walls, not of a
        fluid."""
        from flowgrad.separation import is_effective

        return self.walls is not None and self.viscosity is not None and is_effective(self.viscosity)

    @property
    def wall_regions(self) -> list[str] | None:
        """The patches and regions that ``walls`` names; None for ``auto``."""
        if self.walls is None or self.walls == "auto":
            return None
        # Regions have commas of their own.
        parts = [part.strip() for part in self.walls.split(";")]
        every = [each for part in parts for each in ([part] if "=" in part else part.split(","))]
        return [each.strip() for each in every if each.strip()]

    @property
    def is_differentiated(self) -> bool:
        """Whether the gradient is that of a formula, and not of values at points."""
        return self.formula is not None and self.scheme == "auto"


DEFAULT = Options()
