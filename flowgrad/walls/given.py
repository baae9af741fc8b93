"""Viscosity and pressure at walls, from what is given of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.rheology.model import Model
from flowgrad.separation.inputs import eddy_viscosities, is_effective
from flowgrad.separation.separate import is_number_or_model, of_case, resolve
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray
from flowgrad.walls.prepared import WallOperators


def viscosity_at(
    gradient: VelocityGradient,
    sites: FaceSites,
    viscosity: str | float | Model | ArrayLike,
    density: float | None,
    operators: WallOperators,
) -> FloatArray:
    """η (q,) at sites on walls, of a law at the shear rates there. OptionError as ``separate`` raises it."""
    flow = gradient.flow
    assert flow is not None
    viscosity = of_case(viscosity, flow)
    if isinstance(viscosity, str) and not is_number_or_model(viscosity):
        if eddy_viscosities([viscosity]) and not is_effective(viscosity):
            resolve(gradient, None, viscosity, density)
        viscosity = _named(flow, sites, viscosity, "viscosity", operators, positive=True)
    elif not isinstance(viscosity, (str, Model)) and np.ndim(viscosity):
        viscosity = _given(flow, sites, viscosity, "viscosity", operators, positive=True)
    found = resolve(gradient, None, viscosity, density).viscosity
    assert found is not None
    return found


def pressure_at(
    flow: Flow,
    sites: FaceSites,
    pressure: str | float | ArrayLike,
    density: float | None,
    operators: WallOperators,
) -> FloatArray:
    """p (q,) at sites on walls; p/ρ times the density where that is given."""
    factor = 1.0 if density is None else density
    if isinstance(pressure, str):
        return factor * _named(flow, sites, pressure, "pressure", operators)
    if not np.ndim(pressure):
        return np.full(len(sites), factor * float(pressure))  # type: ignore[arg-type]
    return factor * _given(flow, sites, pressure, "pressure", operators)


def _named(
    flow: Flow, sites: FaceSites, name: str, what: str, operators: WallOperators, positive: bool = False
) -> FloatArray:
    """An array of the flow, where the velocity is rather than at the other place; where it is at cells, on faces whose
    patches have it their own values, which are those that the solver's balance holds with."""
    for location in sorted(LOCATIONS, key=lambda each: each != flow.location):
        if name in flow.data(location):
            values = _scalars(flow.data(location)[name], f"{flow.name}: {name}")
            if location == "points":
                return _on_faces(flow, sites, values, location, operators, positive)
            of_patches = _on_patches(flow, sites, name)
            missing = ~np.isfinite(of_patches)
            if not missing.any():
                return of_patches
            return np.where(missing, _on_faces(flow, sites, values, location, operators, positive), of_patches)
    known = [*flow.cell_data, *(each for each in flow.point_data if each not in flow.cell_data)]
    hint = nearest(name, known) or f": its arrays are {', '.join(known) or 'none'}"
    raise OptionError(f"{flow.name} has no array '{name}'{hint}; {what}= takes one of them, a number or an array")


def _on_patches(flow: Flow, sites: FaceSites, name: str) -> FloatArray:
    """The patches' own values at the sites (q,), NaN where they have none; on a face of several the first's."""
    values = np.full(len(flow.mesh.topology.boundary), np.nan)
    for patch in flow.boundary[::-1]:
        if name in patch.data:
            values[patch.faces] = _scalars(patch.data[name], f"{flow.name}, patch {patch.name}: {name}")
    return values[sites.faces][sites.face]


def _given(
    flow: Flow, sites: FaceSites, array: ArrayLike, what: str, operators: WallOperators, positive: bool = False
) -> FloatArray:
    """An array at the faces, the cells or the points: its length tells."""
    values = _scalars(np.asarray(array, np.float64), f"the {what}")
    sizes = {"faces": len(sites.faces), "cells": len(flow.mesh), "points": flow.mesh.point_count}
    fits = [place for place, size in sizes.items() if size == len(values)]
    if len(fits) != 1:
        known = ", ".join(f"{size} {place}" for place, size in sizes.items())
        raise OptionError(f"the {what} has {len(values)} values, and there are {known}: give one array that fits one")
    return values[sites.face] if fits == ["faces"] else _on_faces(flow, sites, values, fits[0], operators, positive)


def _scalars(values: np.ndarray, name: str) -> FloatArray:
    values = np.asarray(values, np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise OptionError(f"{name} has the shape {values.shape}: give one number for each place")
    return values


def _on_faces(
    flow: Flow, sites: FaceSites, values: FloatArray, location: str, operators: WallOperators, positive: bool
) -> FloatArray:
    """Values at the points or cells, at the sites: those of the points around, or continued from the cell, where they
    must stay positive along a line and not below zero."""
    if location == "points":
        return np.asarray(sites.from_points @ values)
    if not positive:
        return _continued(flow, sites, values, 3, operators)
    linear = _continued(flow, sites, values, 1, operators)
    return np.where(linear <= 0, values[sites.cells], linear)


def _continued(flow: Flow, sites: FaceSites, values: FloatArray, order: int, operators: WallOperators) -> FloatArray:
    """From the cells' centroids to the sites, along the gradient halfway; on the joined mesh, whose fits do not see
    through plates."""
    cells, ends, mesh = sites.cells, sites.positions, flow.mesh.joined
    starts = mesh.centroids[cells]
    plain = Flow(mesh, np.zeros((len(mesh), 3)), "cells", source=flow.source)
    scheme = FiniteDifference(order=order, lattice=False)
    operator = operators.operator(("continued", order), plain, lambda: scheme.prepare(plain, (starts + ends) / 2))
    assert operator is not None
    return np.asarray(values[cells] + (operator.apply(values) * (ends - starts)).sum(axis=1))
