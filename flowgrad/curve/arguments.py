"""The arguments of ``flowgrad curve``, and what they say of the reading."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from flowgrad.errors import OptionError

if TYPE_CHECKING:
    from flowgrad.rheometer import Reading

_ROLES = "rate|stress|viscosity|sigma|torque|temperature|sample"


def add_to(verb: argparse.ArgumentParser) -> None:
    """The options of the verb, in groups."""
    verb.add_argument("files", nargs="+", metavar="FILE", help="tables as text (CSV, TSV, TXT), or patterns in quotes")
    verb.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the results")
    data = verb.add_argument_group("what the data are")
    data.add_argument("--columns", metavar="rate=NAME,stress=NAME", help="names or numbers; also viscosity, sigma, …")
    data.add_argument("--unit", metavar="stress=kPa,…", help="units in place of those in the file")
    data.add_argument("--sample", metavar="NAME", help="only the curves of this sample, step or temperature")
    data.add_argument("--sigma", metavar="NUMBER|PERCENT", help="standard deviation of the stress: 0.1, or 3%%")
    data.add_argument("--rates", metavar="LOW:HIGH", help="shear rates that are kept: 0.1:100, :100, 0.1:")
    data.add_argument("--lowest-torque", type=float, default=0.0, metavar="NUMBER", help="[N m] that is still measured")
    data.add_argument("--lowest-stress", type=float, default=0.0, metavar="NUMBER", help="[Pa] that is still measured")
    data.add_argument("--keep-outliers", action="store_true", help="fit also points off the curve of their neighbours")
    data.add_argument(
        "--correction",
        choices=("rabinowitsch", "parallel-plate"),
        help="of apparent rates 8U/D of a capillary, or of stresses 2M/(πR³) of parallel plates",
    )
    data.add_argument("--radius", type=float, metavar="METRES", help="of the plates, where only a torque is given")
    how = verb.add_argument_group("what is fitted")
    how.add_argument("--models", metavar="A,B,…", help="names of 'flowgrad list models' (default: all)")
    how.add_argument(
        "--margin", type=float, default=0.05, help="a viscosity that varies by less is constant (default 0.05)"
    )
    verb.add_argument("--no-report", action="store_true", help="no report.html")


def reading_of(args: argparse.Namespace) -> Reading:
    """What the arguments say of the tables; OptionError for what is not of the form."""
    from flowgrad.rheometer import Reading

    return Reading(
        columns=pairs(args.columns, "--columns"),
        units=pairs(args.unit, "--unit"),
        correction=args.correction,
        radius=args.radius,
        lowest_torque=args.lowest_torque,
        lowest_stress=args.lowest_stress,
        rates=rates_of(args.rates),
        sample=args.sample,
        keep_outliers=args.keep_outliers,
    )


def pairs(text: str | None, option: str) -> dict[str, str]:
    """``rate=NAME,stress=NAME`` as a mapping; names may hold commas and equals signs."""
    if text is None:
        return {}
    found = {}
    for part in re.split(rf",\s*(?=(?:{_ROLES})=)", text):
        key, equals, value = part.partition("=")
        if not equals or not value.strip():
            raise OptionError(f"{option} '{part}' is not of the form KEY=NAME: write {option} rate=…,stress=…")
        found[key.strip()] = value.strip()
    return found


def rates_of(text: str | None) -> tuple[float, float] | None:
    """``LOW:HIGH`` with either end left out for none."""
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        bounds = float(low or 0), float(high or "inf")
    except ValueError:
        bounds = (0.0, 0.0)
    if not colon or not 0 <= bounds[0] < bounds[1]:
        raise OptionError(f"--rates '{text}' is no range of shear rates: write LOW:HIGH, such as 0.1:100 or :100")
    return bounds


def models_of(text: str | None) -> tuple[str, ...] | None:
    """Names of laws; OptionError for one that is not known."""
    if text is None:
        return None
    from flowgrad.rheology import MODELS
    from flowgrad.spec import nearest

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in MODELS:
            raise OptionError(f"--models: '{name}' is unknown{nearest(name, MODELS)}: known are {', '.join(MODELS)}")
    if not names:
        raise OptionError("--models is empty: give names of 'flowgrad list models', or leave it out")
    return names
