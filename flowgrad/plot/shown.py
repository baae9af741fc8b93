"""What a figure shows of a result: one value for each point or cell, with its label and its scale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.kinematics.registry import axis_label
from flowgrad.spec import nearest

FloatArray = NDArray[np.float64]
# What a figure of a field takes.
Result: TypeAlias = "Flow | VelocityGradient"

# Dimensions of dynamic values, or of those divided by the density: the files do not say which.
VISCOSITY, STRESS = "M/(L T) or L²/T", "M/(L T²) or L²/T²"

# Components below this part of the largest are rounding.
_ROUNDING = 1e-6
# Values of which one sign reaches farther than the other by this factor are no deviations from zero.
_ONE_SIDED = 5.0

# What is drawn beside the quantities of the registry: symbol, dimension.
_INPUTS = {"velocity": ("v", "L/T"), "viscosity": (r"\eta", VISCOSITY)}


@dataclass(frozen=True, eq=False)
class Shown:
    """Scalar ``values`` (n,) at the ``points`` or ``cells``, the axis label, and how the colours run."""

    name: str
    values: FloatArray
    location: str
    label: str
    scale: str


def dimension_of(dimension: str, gradient: VelocityGradient) -> str:
    """The dimension of dynamic values, ``M/(L T) or L²/T`` being M/(L T), where a density made them so."""
    return dimension.split(" or ")[0] if "density" in gradient.supplied else dimension


def shown(result: Result, name: str) -> Shown:
    """A quantity of the registry, ``velocity``, a supplied ``viscosity``, ``error`` (the estimated one of L),
    ``std(NAME)`` (a quantity's standard deviation) or an array of the flow's file, as a scalar: vectors and
    tensors by their magnitude |a| = √(a·a), |A| = √(A:A); a vector with one component only (the
    vorticity of a planar flow) by that component.

    Of a Flow there are its velocity and its arrays. Raises OptionError for an unknown name and for what needs more
    than is known.
    """
    flow = result if isinstance(result, Flow) else result.flow
    if name == "velocity":
        return _velocity(flow)
    if isinstance(result, VelocityGradient):
        if deviation := re.fullmatch(r"std\((\w+)\)", name):
            return _deviation(result, deviation[1])
        if name == "error":
            return _error(result)
        if name in QUANTITIES or name in _INPUTS:
            return _quantity(result, name)
    if flow is not None and (found := _array(flow, name)):
        return found
    raise OptionError(_unknown(result, flow, name))


def flow_of(result: Result) -> Flow:
    """The flow of a result; OptionError without one."""
    flow = result if isinstance(result, Flow) else result.flow
    if flow is None:
        raise OptionError("the gradient was made without a mesh, so there is nothing to draw it on")
    return flow


def _unknown(result: Result, flow: Flow | None, name: str) -> str:
    if isinstance(result, Flow) and name in QUANTITIES:
        return f"{name} is a quantity of the velocity gradient: draw that (flowgrad.velocity_gradient(flow))"
    arrays = sorted({*flow.point_data, *flow.cell_data}) if flow is not None else []
    known = [*arrays, "velocity", *(() if isinstance(result, Flow) else (*QUANTITIES, *_INPUTS, "error"))]
    kind = "array" if isinstance(result, Flow) else "quantity"
    return f"unknown {kind} '{name}'{nearest(name, known) or ': known are ' + ', '.join(known)}"


def _quantity(gradient: VelocityGradient, name: str) -> Shown:
    symbol, dimension, scale = _record(name)
    values, symbol, scale = _scalar(np.asarray(gradient[name], float), symbol, scale)
    label = axis_label(name.replace("_", " "), symbol, dimension_of(dimension, gradient))
    return Shown(name, values, gradient.location or "points", label, scale)


def _deviation(gradient: VelocityGradient, name: str) -> Shown:
    """Of a vector that is shown by one component that of this component, of others the root of the sum of squares."""
    symbol, dimension, _ = _record(name)
    values, own = gradient.std(name), np.asarray(gradient[name], float)
    axis = _only_component(own) if own.ndim == 2 else None
    if axis is not None:
        values, symbol = values[:, axis], rf"{symbol}_{'xyz'[axis]}"
    else:
        values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
    label = axis_label(f"standard deviation of {name.replace('_', ' ')}", rf"\sigma({symbol})", dimension)
    return Shown(f"std({name})", values, gradient.location or "points", label, "magnitude")


def _error(gradient: VelocityGradient) -> Shown:
    if gradient.error is None:
        raise OptionError("no error of the gradient was estimated: ask for it (--error, error=True in Python)")
    label = axis_label("estimated error of the gradient", r"|\Delta L|", QUANTITIES["L"].dimension)
    return Shown("error", gradient.error, gradient.location or "points", label, "magnitude")


def _array(flow: Flow, name: str) -> Shown | None:
    """An array of the file, from the cells where it is on both; its unit is the file's."""
    for location, arrays in (("cells", flow.cell_data), ("points", flow.point_data)):
        if name in arrays:
            given = np.asarray(arrays[name])
            if not np.issubdtype(given.dtype, np.number) or np.iscomplexobj(given):
                raise OptionError(f"the array '{name}' holds {given.dtype}, no real numbers: choose another")
            columns = given.astype(float).reshape(len(given), -1)
            values, symbol, _ = _scalar(columns[:, 0] if columns.shape[1] == 1 else columns, "", "magnitude")
            text = f"|{name}|" if symbol == "||" else name + symbol
            return Shown(name, values, location, f"{text} [unit of the file]", _scale_of(values))
    return None


def _scale_of(values: FloatArray) -> str:
    """Signed for values to both sides of zero, unless one side reaches much farther than the other."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 0.0)
    return "signed" if low < 0 < high and max(-low, high) < _ONE_SIDED * min(-low, high) else "magnitude"


def _record(name: str) -> tuple[str, str, str]:
    if name in _INPUTS:
        return *_INPUTS[name], "magnitude"
    if name not in QUANTITIES:
        raise OptionError(f"unknown quantity '{name}'{nearest(name, QUANTITIES)}")
    record = QUANTITIES[name]
    return record.symbol, record.dimension, record.scale


def _scalar(values: FloatArray, symbol: str, scale: str) -> tuple[FloatArray, str, str]:
    if values.ndim == 1:
        return values, symbol, scale
    if values.ndim == 2 and (axis := _only_component(values)) is not None:
        return values[:, axis], rf"{symbol}_{'xyz'[axis]}", scale
    return np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1)), f"|{symbol}|", "magnitude"


def _only_component(vectors: FloatArray) -> int | None:
    """The one component beside which the others are rounding or not known, z where all are."""
    sizes = np.nan_to_num(np.abs(vectors)).max(axis=0, initial=0)
    axis = 2 - int(np.argmax(sizes[::-1]))
    return axis if np.delete(sizes, axis).max() <= _ROUNDING * sizes[axis] else None


def _velocity(flow: Flow | None) -> Shown:
    if flow is None:
        raise OptionError("the gradient was made without a flow, so there is no velocity to draw")
    speed = np.sqrt((flow.velocity**2).sum(axis=1))
    symbol, dimension = _INPUTS["velocity"]
    return Shown("velocity", speed, flow.location, axis_label("velocity", f"|{symbol}|", dimension), "magnitude")
