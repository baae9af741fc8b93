"""Several curves together: which reductions are asked for, and the temperatures and sizes of the curves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from flowgrad.errors import OptionError
from flowgrad.option import OptionRecord, option
from flowgrad.rheometer.columns import plain
from flowgrad.rheometer.units import unit

if TYPE_CHECKING:
    from flowgrad.rheometer.curve import RheometerCurve
    from flowgrad.rheometer.reduction import Reduction

# What a size is called in tables, by what it is needed for.
_SIZE_OF = {"plates": "gap", "capillary": "diameter"}


@dataclass(frozen=True)
class Together(OptionRecord):
    """What is made of all curves of a call together.

    ``master`` shifts curves at several temperatures onto that nearest to ``reference`` [°C]; ``mooney`` takes the slip
    at the walls of ``plates`` or of a ``capillary`` off, ``bagley`` the entrance loss, which comes first, for each
    diameter, where both are asked for. ``sizes`` maps samples (or names
    of curves) to gaps or diameters, in metres or with a unit, or to L/D for ``bagley``, where no column tells them.
    """

    title: ClassVar[str] = "several curves together"

    master: bool = option(False, "curves at several temperatures shifted onto one: a table of a_T with intervals")
    reference: float | None = option(
        None, "[°C] of --master (default: the middle one)", metavar="NUMBER", needs=("master",)
    )
    mooney: str | None = option(
        None, "take off the slip at the walls, of several gaps or diameters", choices=("plates", "capillary")
    )
    bagley: bool = option(False, "take off the entrance loss, of capillaries of several lengths")
    sizes: Mapping[str, float] | None = option(
        None,
        "gaps or diameters of samples, or their L/D, where no column tells",
        metavar="NAME=0.5mm,…",
        needs=("mooney", "bagley"),
    )

    def __post_init__(self) -> None:
        if isinstance(self.sizes, str):
            object.__setattr__(self, "sizes", _sizes(self.sizes))
        super().__post_init__()
        if self.mooney == "plates" and self.bagley:
            raise OptionError("--bagley is of capillaries: give --mooney capillary beside it")
        if self.mooney and self.bagley and self.sizes:
            raise OptionError(
                "--sizes tells one size of a sample, and --bagley with --mooney needs two: give tables with columns of "
                "the diameter and the length"
            )


def corrects_late(asked: Together, correction: str | None) -> bool:
    """Whether a correction belongs behind the reduction: Rabinowitsch's needs rates without slip over true stresses."""
    return correction == "rabinowitsch" and (asked.bagley or asked.mooney == "capillary")


def reduced(curves: Sequence[RheometerCurve], asked: Together, correction: str | None = None) -> list[Reduction]:
    """The reductions of the curves that are asked for, with the ``correction`` of those that need it afterwards;
    OptionError where the curves do not allow one."""
    found: list[Reduction] = []
    if asked.master:
        from flowgrad.rheometer.master import master_curve

        found.append(master_curve(curves, asked.reference))
    if asked.bagley:
        from flowgrad.rheometer.bagley import bagley, bagley_by_diameter

        ratios = [_size(each, asked.sizes, ("length", "diameter")) for each in curves]
        if asked.mooney:
            losses = bagley_by_diameter(curves, ratios, [each.sizes["diameter"] for each in curves])
            found += losses
            curves = [each.curve for each in losses]
        else:
            found.append(bagley(curves, ratios))
    if asked.mooney:
        from flowgrad.rheometer.mooney import mooney

        name = _SIZE_OF[asked.mooney]
        found.append(mooney(curves, [_size(each, asked.sizes, (name,)) for each in curves], asked.mooney))
    if correction is not None and corrects_late(asked, correction):
        from flowgrad.rheometer.corrections import corrected

        return [replace(each, curve=corrected(each.curve, correction)) for each in found]
    return found


def _size(curve: RheometerCurve, given: Mapping[str, float] | None, names: tuple[str, ...]) -> float:
    """The size of a curve, or the ratio of two: as given, or of the columns of its table."""
    stem = "" if curve.source is None else curve.source.stem
    called = [plain(each) for each in (curve.name, curve.sample, stem) if each]
    for key, size in (given or {}).items():
        if plain(key) in called:
            return size
    values = [curve.sizes[name] for name in names if name in curve.sizes]
    if len(values) < len(names):
        what = "/".join(names)
        raise OptionError(
            f"{curve.name}: its {what} is not known: give a table with a column of it, or --sizes '{curve.sample}=…'"
        )
    return values[0] / values[1] if len(values) > 1 else values[0]


def _sizes(text: str) -> dict[str, float]:
    """``A=0.5mm,B=1e-3`` as a mapping of names to metres, or to numbers."""
    found = {}
    for part in re.split(r",\s*(?=[^,=]+=)", text):
        name, equals, value = part.rpartition("=")
        match = re.fullmatch(r"\s*([\d.]+(?:[eE][+-]?\d+)?)\s*([^\d\s].*)?", value)
        kind = unit(match[2]) if match and match[2] else None
        if not equals or match is None or (match[2] and (kind is None or kind.dimension != "length")):
            raise OptionError(f"--sizes '{part}' is not of the form NAME=SIZE: write --sizes 'A=0.5mm,B=1mm'")
        found[name.strip()] = float(match[1]) * (kind.factor if kind else 1.0)
    return found
