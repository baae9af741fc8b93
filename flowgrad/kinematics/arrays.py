"""Named arrays of a flow at the places of its velocity gradient."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.kinematics.velocity_gradient import VelocityGradient
from flowgrad.spec import nearest
from flowgrad.tensors import as_tensors
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


# Components of a symmetric tensor by their number, of a planar one and of a spatial one as VTK has them.
_SYMMETRIC = {3: "xx yy xy", 4: "xx yy zz xy", 6: "xx yy zz xy yz xz"}
_AXES = {"x": 0, "y": 1, "z": 2, "1": 0, "2": 1, "3": 2}


def tensor_of(gradient: VelocityGradient, text: str, option: str) -> tuple[FloatArray, str]:
    """A symmetric tensor (n, 3, 3) of the flow where the gradient lives, and its name with the file's.

    ``text`` is the name of an array of 6 or 9 components, or names of scalars joined by commas: six in VTK's order
    (xx, yy, zz, xy, yz, xz), or, in any order, such as end with two axes (``txx``, ``tau_12``); in a plane four (xx,
    yy, zz, xy) or three (xx, yy, xy). OptionError for an array that is not there and for another number of scalars.
    """
    flow, location = gradient.flow, gradient.location
    if "," not in text or (flow is not None and location is not None and text in flow.data(location)):
        values, name = array_of(gradient, text, option)
        return as_tensors(values, name), name
    names = [each.strip() for each in text.split(",")]
    arrays = [array_of(gradient, each, option) for each in names]
    columns = [scalars(gradient, values, name, option) for values, name in arrays]
    places = [_axes_of(each) for each in names]
    known = _SYMMETRIC.get(len(names), "").split()
    if None in places and known:
        places = [_axes_of(each) for each in known]
    different = set(places) if len(names) == 9 else {frozenset(each) for each in places if each}
    if len(names) not in (*_SYMMETRIC, 9) or None in places or len(different) != len(names):
        raise OptionError(
            f"--{option}={text} names {len(names)} scalars: give six, xx, yy, zz, xy, yz, xz, in a plane xx, yy, xy or "
            "xx, yy, zz, xy, each once, or one array"
        )
    tensors = np.zeros((len(gradient), 3, 3))
    for place, column in zip(places, columns, strict=True):
        assert place is not None
        tensors[:, place[0], place[1]] = column
        if len(names) != 9:
            tensors[:, place[1], place[0]] = column
    return tensors, ", ".join(name for _, name in arrays[:1]) + " and others"


def _axes_of(name: str) -> tuple[int, int] | None:
    """The two axes that a component's name ends with."""
    first, second = (_AXES.get(letter) for letter in name.lower().rstrip("])")[-2:].rjust(2))
    return None if first is None or second is None else (first, second)


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
