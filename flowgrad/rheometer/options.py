"""Options of reading a rheometer's table: what the file does not say of its columns, units, samples and rates."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from flowgrad.errors import OptionError
from flowgrad.option import OptionRecord, option, positive
from flowgrad.rheometer.columns import ROLES
from flowgrad.rheometer.units import unit
from flowgrad.spec import nearest

CORRECTIONS = ("rabinowitsch", "parallel-plate", "cylinders")


def _check_columns(flag: str, columns: Mapping[str, str]) -> None:
    for role in columns:
        if role not in ROLES:
            raise OptionError(f"{flag}: '{role}' is unknown{nearest(role, ROLES)}: known are {', '.join(ROLES)}")


def _check_units(flag: str, units: Mapping[str, str]) -> None:
    _check_columns(flag, units)
    for role, text in units.items():
        found = unit(text)
        if found is None or found.dimension != ("stress" if role == "sigma" else role):
            raise OptionError(f"{flag} {role}={text}: not a known unit of it: write one such as 1/s, Pa, mPas, mNm")


def _check_models(flag: str, names: tuple[str, ...]) -> None:
    from flowgrad.rheology import MODELS

    for name in names:
        if name not in MODELS:
            raise OptionError(f"{flag}: '{name}' is unknown{nearest(name, MODELS)}: known are {', '.join(MODELS)}")
    if not names:
        raise OptionError(f"{flag} is empty: give names of 'flowgrad list models', or leave it out")


def _check_margin(flag: str, margin: float) -> None:
    if not 0 < margin < 1:
        raise OptionError(f"{flag} is {margin}: give a fraction between 0 and 1, such as 0.05")


@dataclass(frozen=True)
class Reading(OptionRecord):
    """How a table is to be read.

    ``columns`` maps roles (``rate``, ``stress``, ``viscosity``, ``sigma``, ``torque``, ``temperature``, ``sample``) to
    names of columns or their numbers from 1; a stress named ``-NAME`` has its sign turned. ``units`` maps roles to
    units such as ``1/min`` or ``lg(Pa)``, in place of what the file says. ``correction`` is one of ``CORRECTIONS``,
    ``radius`` [m] that of the plate. ``lowest_torque`` [N m] and ``lowest_stress`` [Pa] are below what the instrument
    resolves, ``rates`` [1/s] bounds what is kept, ``sample`` chooses by name, ``keep_outliers`` leaves them in,
    ``decimal`` is the decimal mark. ``radii`` (inner, outer) [m] are those of cylinders, ``stress_constant``
    [Pa/(N m)] is stress over torque, ``density`` [kg/m³] with ``gap`` and ``radius`` [m], or with ``radii``, tells
    where the flow becomes secondary; ``cox_merz`` reads oscillatory tables as flow curves. Mappings and rates may be
    the texts of the command: ``rate=NAME,stress=NAME`` and ``LOW:HIGH``.
    """

    title: ClassVar[str] = "what the data are"

    columns: Mapping[str, str] = option(
        None,
        "names or numbers; also viscosity, sigma, …",
        kw_only=False,
        metavar="rate=NAME,stress=NAME",
        check=_check_columns,
    )
    units: Mapping[str, str] = option(
        None, "units in place of those in the file", kw_only=False, metavar="stress=kPa,…", check=_check_units
    )
    correction: str | None = option(
        None,
        "of apparent rates 8U/D of a capillary, of stresses 2M/(πR³) of parallel plates, of values of cylinders",
        kw_only=False,
        choices=CORRECTIONS,
    )
    radius: float | None = option(
        None,
        "of the plates, where only a torque is given, or for the limit of inertia",
        kw_only=False,
        metavar="METRES",
        check=positive,
    )
    lowest_torque: float = option(0.0, "[N m] that is still measured", kw_only=False, metavar="NUMBER")
    lowest_stress: float = option(0.0, "[Pa] that is still measured", kw_only=False, metavar="NUMBER")
    rates: tuple[float, float] | None = option(
        None, "shear rates that are kept: 0.1:100, :100, 0.1:", kw_only=False, metavar="LOW:HIGH"
    )
    sample: str | None = option(
        None, "only the curves of this sample, step or temperature", kw_only=False, metavar="NAME"
    )
    keep_outliers: bool = option(False, "fit also points off the curve of their neighbours", kw_only=False)
    decimal: str | None = option(None, "decimal mark, where 50,000 could be fifty", metavar="MARK", choices=(".", ","))
    radii: tuple[float, float] | None = option(
        None, "[m] of the cylinders of --correction cylinders, or for their limit of inertia", metavar="INNER:OUTER"
    )
    stress_constant: float | None = option(
        None, "[Pa/(N m)] stress over torque, for the lowest torque", metavar="NUMBER", check=positive
    )
    density: float | None = option(
        None,
        "[kg/m³] of the sample: points beyond the onset of secondary flow are set aside",
        metavar="NUMBER",
        check=positive,
        needs=("gap", "radii"),
    )
    gap: float | None = option(
        None, "[m] at the rim of plates or of a cone, with --radius", metavar="METRES", check=positive
    )
    cox_merz: bool = option(False, "take |η*|(ω) of oscillatory tables as η(γ̇) (Cox & Merz 1958)")

    def __post_init__(self) -> None:
        for name in ("columns", "units"):
            value = getattr(self, name) or {}
            object.__setattr__(self, name, _pairs(value, f"--{name}") if isinstance(value, str) else value)
        if isinstance(self.rates, str):
            object.__setattr__(self, "rates", _bounds(self.rates))
        if isinstance(self.radii, str):
            object.__setattr__(self, "radii", _radii(self.radii))
        super().__post_init__()
        if self.gap is not None and self.radius is None:
            raise OptionError("--gap is that at the rim: give its --radius too")


@dataclass(frozen=True)
class FitOptions(OptionRecord):
    """How models are fitted to a curve: the arguments of :func:`flowgrad.rheometer.fitted.examine`."""

    title: ClassVar[str] = "what is fitted"

    models: tuple[str, ...] | None = option(
        None, "names of 'flowgrad list models' (default: all)", metavar="A,B,…", check=_check_models
    )
    margin: float = option(
        0.05, "a viscosity that varies by less is constant (default 0.05)", metavar="NUMBER", check=_check_margin
    )
    sigma: str | None = option(
        None,
        "standard deviation of the stress: 0.1, 3%%, or both: 3%%+0.1",
        metavar="NUMBER|PERCENT",
        check=lambda _, s: deviation(s),
    )
    bootstrap: bool = option(False, "class probabilities by bootstrap of every curve, not only where its class is open")

    def __post_init__(self) -> None:
        if isinstance(self.models, str):
            object.__setattr__(self, "models", tuple(filter(None, map(str.strip, self.models.split(",")))))
        super().__post_init__()


def deviation(sigma: float | str) -> tuple[float, float]:
    """A standard deviation of the stress as (part of the stress, absolute), of a number or a text: ``0.1``, ``3%``, or
    ``3%+0.1``, whose squares add up: the scatter of the sample and the floor of the instrument."""
    parts = [each.strip() for each in re.split(r"(?<![eE])\+", str(sigma))]
    relative, absolute = 0.0, 0.0
    try:
        for each in parts:
            if each.endswith("%"):
                relative = math.hypot(relative, float(each[:-1]) / 100)
            else:
                absolute = math.hypot(absolute, float(each))
            if not float(each.removesuffix("%")) > 0:
                raise ValueError
    except ValueError:
        relative = absolute = math.nan
    if not 0 < relative + absolute < math.inf:
        raise OptionError(
            f"--sigma '{sigma}' is not a standard deviation: give a number such as 0.1, 3% of the stress, or 3%+0.1"
        )
    return relative, absolute


def _pairs(text: str, flag: str) -> dict[str, str]:
    """``rate=NAME,stress=NAME`` as a mapping; names may hold commas and equals signs."""
    found = {}
    for part in re.split(rf",\s*(?=(?:{'|'.join(ROLES)})=)", text):
        role, equals, name = part.partition("=")
        if not equals or not name.strip():
            raise OptionError(f"{flag} '{part}' is not of the form KEY=NAME: write {flag} rate=…,stress=…")
        found[role.strip()] = name.strip()
    return found


def _radii(text: str) -> tuple[float, float]:
    """``INNER:OUTER``."""
    inner, _, outer = text.partition(":")
    try:
        found = float(inner), float(outer)
    except ValueError:
        found = (0.0, 0.0)
    if not 0 < found[0] < found[1] < math.inf:
        raise OptionError(f"--radii '{text}' is not INNER:OUTER in metres: write, for example, 0.0133:0.0144")
    return found


def _bounds(text: str) -> tuple[float, float]:
    """``LOW:HIGH``; an end that is left out does not bound."""
    low, colon, high = text.partition(":")
    try:
        bounds = float(low or 0), float(high or "inf")
    except ValueError:
        bounds = (0.0, 0.0)
    if not colon or not 0 <= bounds[0] < bounds[1]:
        raise OptionError(f"--rates '{text}' is not a range of shear rates: write LOW:HIGH, such as 0.1:100 or :100")
    return bounds
