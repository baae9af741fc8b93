"""What a figure shows of a result: one value for each point or cell, with its label and its scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES, VelocityGradient, select
from flowgrad.kinematics.registry import axis_label

FloatArray = NDArray[np.float64]

# Dimensions of dynamic values, or of those divided by the density: the files do not say which.
VISCOSITY, STRESS = "M/(L T) or L²/T", "M/(L T²) or L²/T²"

# Components below this part of the largest are rounding.
_ROUNDING = 1e-6

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


def shown(gradient: VelocityGradient, name: str) -> Shown:
    """A quantity of the registry, ``velocity`` or a supplied ``viscosity``, as a scalar: vectors and
    tensors by their magnitude |a| = √(a·a), |A| = √(A:A); a vector with one component only (the
    vorticity of a planar flow) by that component.

    Raises OptionError for an unknown name and for what needs more than is known.
    """
    if name == "velocity":
        return _velocity(gradient)
    symbol, dimension, scale = _record(name)
    values, symbol, scale = _scalar(np.asarray(gradient[name], float), symbol, scale)
    label = axis_label(name.replace("_", " "), symbol, dimension_of(dimension, gradient))
    return Shown(name, values, gradient.location or "points", label, scale)


def _record(name: str) -> tuple[str, str, str]:
    if name in _INPUTS:
        return *_INPUTS[name], "magnitude"
    select([name])
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


def _velocity(gradient: VelocityGradient) -> Shown:
    flow = gradient.flow
    if flow is None:
        raise OptionError("the gradient was made without a flow, so there is no velocity to draw")
    speed = np.sqrt((flow.velocity**2).sum(axis=1))
    symbol, dimension = _INPUTS["velocity"]
    return Shown("velocity", speed, flow.location, axis_label("velocity", f"|{symbol}|", dimension), "magnitude")
