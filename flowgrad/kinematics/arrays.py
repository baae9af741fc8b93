"""Named arrays of a flow at the places of its velocity gradient."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.kinematics.velocity_gradient import VelocityGradient
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray


def array_of(gradient: VelocityGradient, name: str, option: str) -> tuple[np.ndarray, str]:
    """An array of the flow where the gradient lives, and its name with the file's; OptionError without one."""
    flow, location = gradient.flow, gradient.location
    if flow is None or location is None:
        raise OptionError(f"'{name}' names an array, but the gradient has no file behind it: give the array itself")
    if name in flow.data(location):
        full = f"{flow.name}: {name}"
        return sized(gradient, np.asarray(flow.data(location)[name], float), full), full
    raise OptionError(_not_found(flow, location, name, option))


def _not_found(flow: Flow, location: str, name: str, option: str) -> str:
    other = next(each for each in LOCATIONS if each != location)
    if name in flow.data(other):
        return f"{flow.name}: {name} is known at the {other} but the gradient is at the {location}: use --at {other}"
    known = list(flow.data(location))
    hint = nearest(name, known) or f": its arrays are {', '.join(known) or 'none'}"
    return f"{flow.name} has no array '{name}' at the {location}{hint}; --{option} takes one of them"


def sized(gradient: VelocityGradient, values: np.ndarray, name: str) -> np.ndarray:
    """The values, one for each tensor; OptionError for another number of them."""
    if len(values) != len(gradient):
        raise OptionError(
            f"{name} has {len(values)} values but there are {len(gradient)} velocity gradients: give one for each"
        )
    return values


def scalars(gradient: VelocityGradient, array: FloatArray, name: str, what: str = "viscosity") -> FloatArray:
    """One number for each tensor, of an array (n,) or (n, 1); OptionError for another shape."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise OptionError(f"{name} has the shape {array.shape}: a {what} is one number for each value of L")
    return sized(gradient, array, name)
