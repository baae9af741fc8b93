"""Scalar fields for a figure: one value for each point or cell of a result, with its label and colour scale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import GIVEN, QUANTITIES, VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.records import Record, axis_label
from flowgrad.spec import nearest, not_among
from flowgrad.tensors import as_tensors
from flowgrad.typing import FloatArray

# Walls and paths are imported where they are drawn: they cost as much as all figures.
if TYPE_CHECKING:
    from flowgrad.plot.walls_and_paths import OnSurface

# What a figure of the fluid's motion takes, and one of a field.
Result: TypeAlias = "Flow | VelocityGradient"
Drawn: TypeAlias = "Result | OnSurface"

# Dimensions of dynamic values, or of those divided by the density: the files do not say which.
VISCOSITY, STRESS = GIVEN["viscosity"].dimension, QUANTITIES["stress"].dimension

# Components below this part of the largest are rounding.
_ROUNDING = 1e-6
# Of L: a field that is nowhere larger is zero.
_NEGLIGIBLE = 1e-13
_POWERS = {"1/T": 1, "1/T²": 2, "1/T³": 3}

# Before the name of an array of the file, which may be that of a quantity too.
ARRAY = "array:"

# Components of a symmetric tensor, whose others are equal to three of these.
_SYMMETRIC = 6
# Values of which one sign reaches farther than the other by this factor are no deviations from zero.
_ONE_SIDED = 5.0


@dataclass(frozen=True, eq=False)
class ScalarField:
    """Scalar ``values`` (n,) at the ``points`` or ``cells``, the axis label, and how the colours run."""

    name: str
    values: FloatArray
    location: str
    label: str
    scale: str


def dimension_of(dimension: str, gradient: VelocityGradient) -> str:
    """The dimension of dynamic values, ``M/(L T) or L²/T`` being M/(L T), where a density made them so."""
    return dimension.split(" or ")[0] if "density" in gradient.supplied else dimension


def scalar_field(result: Drawn, name: str) -> ScalarField:
    """A quantity of the registry, ``velocity``, a supplied ``viscosity``, ``error`` (the estimated one of L),
    ``std(NAME)`` (a quantity's standard deviation) or an array of the flow's file, as a scalar: vectors and
    tensors by their magnitude |a| = √(a·a), |A| = √(A:A); a vector with one component only (the
    vorticity of a planar flow) by that component.

    Of a Flow there are its velocity and its arrays; ``array:NAME`` is the file's where a quantity has the same name.
    Of Walls there are their arrays and the quantities on their faces, of averages over time on them their arrays, of an
    FTLE and of a Deformation what ``flowgrad.paths.records`` lists. Raises OptionError for an unknown name and for
    what needs more than is known.
    """
    if not isinstance(result, Flow | VelocityGradient):
        from flowgrad.plot.walls_and_paths import array_on

        array = array_on(result, name)
        return _quantity(array, name, "cells") if isinstance(array, VelocityGradient) else _labelled(*array)
    flow = result if isinstance(result, Flow) else result.flow
    if name == "velocity":
        return _velocity(flow)
    if isinstance(result, VelocityGradient):
        if deviation := re.fullmatch(r"std\((\w+)\)", name):
            return _deviation(result, deviation[1])
        if name == "error":
            if result.error is None:
                raise OptionError("no error of the gradient was estimated: ask for it (--error, error=True in Python)")
            label = axis_label("estimated error of the gradient", r"|\Delta L|", QUANTITIES["L"].dimension)
            return ScalarField("error", result.error, result.location or "points", label, "magnitude")
        if name in QUANTITIES or name in GIVEN:
            return _quantity(result, name)
    if flow is not None and (found := _array(flow, name)):
        return found
    raise OptionError(_unknown(result, flow, name))


def flow_of(result: Result) -> Flow:
    """The flow of a result; OptionError without one."""
    flow = result if isinstance(result, Flow) else result.flow
    if flow is None:
        raise OptionError("the gradient was made without a mesh to draw it on: take it of a flow on a mesh")
    return flow


def mesh_of(result: Drawn) -> Mesh:
    """The mesh on which a result is drawn, of walls that of their faces; OptionError without one."""
    if not isinstance(result, Flow | VelocityGradient):
        from flowgrad.plot.walls_and_paths import surface_of

        return surface_of(result)
    return flow_of(result).mesh


def _unknown(result: Result, flow: Flow | None, name: str) -> str:
    if isinstance(result, Flow) and name in QUANTITIES:
        return f"{name} is a quantity of the velocity gradient: draw that (flowgrad.velocity_gradient(flow))"
    arrays = sorted({*flow.point_data, *flow.cell_data}) if flow is not None else []
    if name.startswith(ARRAY):
        return not_among("array", name.removeprefix(ARRAY), arrays)
    known = [*arrays, "velocity", *(() if isinstance(result, Flow) else (*QUANTITIES, *GIVEN, "error"))]
    return not_among("array" if isinstance(result, Flow) else "quantity", name, known)


def _labelled(record: Record, values: ArrayLike, location: str) -> ScalarField:
    """Values (n, …) at the points or cells as a scalar, with the label of their record."""
    scalar, symbol, scale = _scalar(np.asarray(values, float), record.symbol, record.scale)
    return ScalarField(record.name, scalar, location, record.label_of(symbol), scale)


def _quantity(gradient: VelocityGradient, name: str, location: str | None = None) -> ScalarField:
    """A quantity of a gradient as a scalar; zeros where it is nowhere more than rounding."""
    record = _record(name).known(dynamic="density" in gradient.supplied)
    values = _without_rounding(np.asarray(gradient[name], float), record.dimension, gradient)
    return _labelled(record, values, location or gradient.location or "points")


def _without_rounding(values: FloatArray, dimension: str, gradient: VelocityGradient) -> FloatArray:
    """Zeros instead of a quantity that is nowhere more than the rounding of L to its power: it would be drawn as
    something."""
    power = _POWERS.get(dimension)
    if power is None or not len(values):
        return values
    largest, of_L = (float(np.nanmax(np.abs(each), initial=0)) for each in (values, gradient.L))
    return 0 * values if largest <= _NEGLIGIBLE * of_L**power else values


def _deviation(gradient: VelocityGradient, name: str) -> ScalarField:
    """Of a vector that is shown by one component that of this component, of others the root of the sum of squares."""
    record = _record(name)
    symbol = record.symbol
    values, own = gradient.std(name), np.asarray(gradient[name], float)
    axis = _only_component(own) if own.ndim == 2 else None
    if axis is not None:
        values, symbol = values[:, axis], component(symbol, axis)
    else:
        values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
    label = axis_label(f"standard deviation of {name.replace('_', ' ')}", rf"\sigma({symbol})", record.dimension)
    return ScalarField(f"std({name})", values, gradient.location or "points", label, "magnitude")


def _array(flow: Flow, name: str) -> ScalarField | None:
    """An array of the file, from the cells where it is on both; its unit is that in its name, as
    in ``p [Pa]``, or the file's."""
    bare = name.removeprefix(ARRAY)
    for location, arrays in (("cells", flow.cell_data), ("points", flow.point_data)):
        if bare in arrays:
            given = np.asarray(arrays[bare])
            if not np.issubdtype(given.dtype, np.number) or np.iscomplexobj(given):
                raise OptionError(f"the array '{bare}' holds {given.dtype} and no real numbers: choose another")
            columns = given.astype(float).reshape(len(given), -1)
            if columns.shape[1] == _SYMMETRIC:
                columns = as_tensors(columns, bare).reshape(len(given), -1)
            values, symbol, _ = _scalar(columns[:, 0] if columns.shape[1] == 1 else columns, "", "magnitude")
            text = (f"|{bare}|" if symbol == "||" else bare + symbol).replace("$", r"\$")
            known = values[np.isfinite(values)]
            low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 0.0)
            both = low < 0 < high and max(-low, high) < _ONE_SIDED * min(-low, high)
            label = text if re.search(r" \[[^][]+\]$", bare) else f"{text} [unit of the file]"
            return ScalarField(name, values, location, label, "signed" if both else "magnitude")
    return None


def _velocity(flow: Flow | None) -> ScalarField:
    if flow is None:
        raise OptionError("the gradient was made without a flow, so its velocity is not known: take it of a flow")
    speed, record = np.sqrt((flow.velocity**2).sum(axis=1)), GIVEN["velocity"]
    return ScalarField("velocity", speed, flow.location, record.label_of(f"|{record.symbol}|"), "magnitude")


def _record(name: str) -> Record:
    """The record of a quantity; OptionError for an unknown one."""
    if name not in QUANTITIES and name not in GIVEN:
        raise OptionError(f"unknown quantity '{name}'{nearest(name, QUANTITIES)}")
    return GIVEN[name] if name in GIVEN else QUANTITIES[name]


def _scalar(values: FloatArray, symbol: str, scale: str) -> tuple[FloatArray, str, str]:
    """Scalars (n,) of values (n, …), with symbol and scale: their only component, or their magnitude."""
    if values.ndim == 1:
        return values, symbol, scale
    if values.shape[1:] == (3,) and (axis := _only_component(values)) is not None:
        return values[:, axis], component(symbol, axis), scale
    return np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1)), f"|{symbol}|", "magnitude"


def component(symbol: str, axis: int) -> str:
    r"""``\omega_z`` of a vector, ``\tau_{w,x}`` of one with an index, ``\lambda_1`` of numbers in order."""
    if "_i" in symbol:
        return symbol.replace("_i", f"_{axis + 1}")
    letter = "xyz"[axis]
    if index := re.fullmatch(r"([\\\w]+)_(?:(\w|\\\w+)|\{(\w+)\})", symbol):
        return f"{index[1]}_{{{index[2] or index[3]},{letter}}}"
    return f"({symbol})_{letter}" if re.search(r"[ /^]|cdot", symbol) else f"{symbol}_{letter}"


def _only_component(vectors: FloatArray) -> int | None:
    """The one component beside which the others are rounding or not known, z where all are."""
    sizes = np.nan_to_num(np.abs(vectors)).max(axis=0, initial=0)
    axis = 2 - int(np.argmax(sizes[::-1]))
    return axis if np.delete(sizes, axis).max() <= _ROUNDING * sizes[axis] else None
