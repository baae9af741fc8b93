"""Symbol, dimension and description of the arrays of results, from their records."""

from __future__ import annotations

import re

from flowgrad.flow import Flow
from flowgrad.kinematics import GIVEN, QUANTITIES, Record, VelocityGradient
from flowgrad.pipeline.write import Result, velocity_array
from flowgrad.separation import Separation
from flowgrad.walls import RECORDS, Walls
from flowgrad.walls.records import record_on

_COMPONENT = re.compile(r"_[xyz]$")
_PART = re.compile(r"_(?:[xyz]{1,2}|\d+|std|mean|rms|minimum|maximum)$")


def about_of(name: str, result: Flow | Result) -> dict[str, str]:
    """What the record of an array, or of its component, mean or deviation, says; nothing where there is none, as of
    the arrays of a flow, whose units are its file's whatever they are called."""
    record = _velocity(name, result) if isinstance(result, Flow) else _computed(name, result)
    if record is None:
        return {}
    return {"symbol": record.symbol, "dimension": record.dimension, "description": record.description}


def _velocity(name: str, flow: Flow) -> Record | None:
    own = velocity_array(flow)
    return GIVEN["velocity"] if own in (name, _COMPONENT.sub("", name)) else None


def _computed(name: str, result: Result) -> Record | None:
    known = {**QUANTITIES, "velocity": GIVEN["velocity"], "eta": GIVEN["viscosity"]}
    if isinstance(result, Walls):
        known |= {each: record_on(result, each) for each in RECORDS}
    while name not in known and _PART.search(name):
        name = _PART.sub("", name)
    return known[name].known(dynamic=_is_dynamic(result)) if name in known else None


def _is_dynamic(result: Result) -> bool:
    gradient = result.gradient if isinstance(result, Separation) else result
    return isinstance(gradient, VelocityGradient) and "density" in gradient.supplied
