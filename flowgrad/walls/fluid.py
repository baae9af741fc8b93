"""Viscosity and pressure on the faces of a wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.kinematics import VelocityGradient
from flowgrad.rheology.given import eddy_viscosities, resolve
from flowgrad.rheology.model import MODELS, Model
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray, IntArray


def viscosity_at(
    gradient: VelocityGradient, faces: IntArray, viscosity: str | float | Model | ArrayLike, density: float | None
) -> FloatArray:
    """η (k,) on boundary faces, of a law at the shear rates there. OptionError as ``separate`` raises it."""
    flow = gradient.flow
    assert flow is not None
    if isinstance(viscosity, str) and not _is_law(viscosity):
        if eddy_viscosities([viscosity]):
            resolve(gradient, None, viscosity, density)
        viscosity = _named(flow, faces, viscosity, "viscosity", positive=True)
    elif not isinstance(viscosity, (str, Model)) and np.ndim(viscosity):
        viscosity = _given(flow, faces, viscosity, "viscosity", positive=True)
    found = resolve(gradient, None, viscosity, density).viscosity
    assert found is not None
    return found


def pressure_at(flow: Flow, faces: IntArray, pressure: str | float | ArrayLike, density: float | None) -> FloatArray:
    """p (k,) on boundary faces; p/ρ times the density where that is given."""
    factor = 1.0 if density is None else density
    if isinstance(pressure, str):
        return factor * _named(flow, faces, pressure, "pressure")
    if not np.ndim(pressure):
        return np.full(len(faces), factor * float(pressure))  # type: ignore[arg-type]
    return factor * _given(flow, faces, pressure, "pressure")


def _is_law(text: str) -> bool:
    """Whether a text is a law or a number, not the name of an array."""
    try:
        float(text)
    except ValueError:
        return text.split("(")[0].strip() in MODELS or ("(" in text and "=" in text)
    return True


def _named(flow: Flow, faces: IntArray, name: str, what: str, positive: bool = False) -> FloatArray:
    """An array of the flow, where the velocity is rather than at the other place."""
    for location in sorted(LOCATIONS, key=lambda each: each != flow.location):
        if name in flow.data(location):
            values = _scalars(flow.data(location)[name], f"{flow.name}: {name}")
            return _on_faces(flow, faces, values, location, positive)
    known = [*flow.cell_data, *(each for each in flow.point_data if each not in flow.cell_data)]
    hint = nearest(name, known) or f": its arrays are {', '.join(known) or 'none'}"
    raise OptionError(f"{flow.name} has no array '{name}'{hint}; {what}= takes one of them, a number or an array")


def _given(flow: Flow, faces: IntArray, array: ArrayLike, what: str, positive: bool = False) -> FloatArray:
    """An array at the faces, the cells or the points: its length tells."""
    values = _scalars(np.asarray(array, np.float64), f"the {what}")
    sizes = {"faces": len(faces), "cells": len(flow.mesh), "points": flow.mesh.point_count}
    fits = [place for place, size in sizes.items() if size == len(values)]
    if len(fits) != 1:
        known = ", ".join(f"{size} {place}" for place, size in sizes.items())
        raise OptionError(f"the {what} has {len(values)} values, and there are {known}: give one array that fits one")
    return values if fits == ["faces"] else _on_faces(flow, faces, values, fits[0], positive)


def _scalars(values: np.ndarray, name: str) -> FloatArray:
    values = np.asarray(values, np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise OptionError(f"{name} has the shape {values.shape}: give one number for each place")
    return values


def _on_faces(flow: Flow, faces: IntArray, values: FloatArray, location: str, positive: bool) -> FloatArray:
    """Values at the points or cells, on the faces: the mean over a face, or continued from its cell, where they must
    stay positive along a line and not below zero."""
    if location == "points":
        return np.asarray(flow.mesh.topology.face_means(faces) @ values)
    if not positive:
        return _continued(flow, faces, values, order=3)
    linear = _continued(flow, faces, values, order=1)
    return np.where(linear <= 0, values[flow.mesh.topology.boundary_cells[faces]], linear)


def _continued(flow: Flow, faces: IntArray, values: FloatArray, order: int) -> FloatArray:
    """From the cells' centroids to the faces', along the gradient halfway."""
    cells = flow.mesh.topology.boundary_cells[faces]
    starts, ends = flow.mesh.centroids[cells], flow.mesh.topology.boundary_geometry[1][faces]
    at_rest = np.zeros((len(flow.mesh), 3))
    plain = Flow(flow.mesh, at_rest, "cells", source=flow.source)
    operator = FiniteDifference(order=order, lattice=False).prepare(plain, (starts + ends) / 2)
    return np.asarray(values[cells] + (operator.apply(values) * (ends - starts)).sum(axis=1))
