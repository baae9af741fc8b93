"""Options of reading: the names of arrays, units and what a planar mesh leaves open, for :func:`flowgrad.read`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from flowgrad.errors import OptionError
from flowgrad.option import (
    AXES,
    LOCATIONS,
    OUT_OF_PLANE,
    OptionRecord,
    finite,
    not_empty,
    option,
    positive,
)


def _deviation(name: str, noise: Any) -> None:
    """OptionError for a number, or its text, that is no standard deviation; names of arrays pass."""
    try:
        is_wrong = not 0 <= float(noise) < math.inf
    except (TypeError, ValueError):
        is_wrong = False
    if is_wrong:
        raise OptionError(f"{name} is {noise}: give a standard deviation, zero or more, or an array's name")
    if isinstance(noise, str):
        not_empty(name, noise)


@dataclass(frozen=True)
class ReadOptions(OptionRecord):
    """What the data of a file are: the options of :func:`flowgrad.read`, which says what each means."""

    title: ClassVar[str] = "what the data are"

    velocity: str | None = option(
        None,
        "velocity array, three joined by commas (u,v,w), or made of arrays: Momentum/Density",
        kw_only=False,
        metavar="NAME",
        check=not_empty,
    )
    location: str | None = option(None, "which of two arrays of that name is used", kw_only=False, choices=LOCATIONS)
    boundary: str | None = option(
        None, "files of wall values: 'boundary/{stem}/*.vtp'", kw_only=False, metavar="PATTERN", check=not_empty
    )
    noise: float | str | None = option(
        None,
        "standard deviation of the velocity, an array of it, or auto to find it",
        metavar="NUMBER|NAME|auto",
        check=_deviation,
    )
    axisymmetric: str | None = option(
        None, "axis of a planar mesh (z constant) of an axisymmetric flow; none: a wedge is not one", choices=AXES
    )
    out_of_plane: str = option(
        "zero",
        "derivatives across a planar mesh: zero (2-D flow), unknown (a plane cut from a 3-D flow), "
        "or one of them by incompressibility",
        choices=OUT_OF_PLANE,
    )
    length_scale: float | None = option(
        None, "factor for the positions: 0.001 for mm", metavar="NUMBER", check=positive
    )
    valid: str | None = option(
        None,
        "which velocities are measured, by arrays beside them: 'mask==1', 'chc>0 and snr>2'",
        metavar="CONDITION",
        check=not_empty,
    )
    velocity_scale: float | None = option(
        None, "factor for the velocity, after --length-scale: 0.001 for mm/s", metavar="NUMBER", check=positive
    )
    displacement: str | None = option(
        None,
        "array of the points' displacement, by which they are moved, or X,Y,Z; none: they are where they belong",
        metavar="NAME|none",
        check=not_empty,
    )
    y_down: bool = option(False, "y runs down, as in images: reverse it, and the velocity along it")
    keep_zeros: bool = option(False, "vectors of DaVis' text that are exactly zero are measured, not masked")
    time: float | None = option(
        None, "time step of a file of several (default: the last)", metavar="NUMBER", check=finite
    )
