"""Metadata of a flow carried in another tool's data: velocity, noise, symmetry, shape and periods of a lattice."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.io.formats import Contents
from flowgrad.mesh import Lattice
from flowgrad.mesh.lattice import Periods

# The name under which the record stands in field data and attributes.
RECORD = "flowgrad_flow"

_NONE: Periods = (False, False, False)


def recalled(text: Any) -> dict[str, Any]:
    """The record in a text; empty where there is none, or something else."""
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def with_record(
    contents: Contents, about: Mapping[str, Any], record: Mapping[str, Any]
) -> tuple[Contents, dict[str, Any]]:
    """The contents, and the options of :func:`flowgrad.read` with those that the record adds: what the user said goes
    first, and what is no longer there is left to the rules of reading."""
    told = {name: value for name, value in about.items() if value is not None}
    for name in ("axisymmetric", "out_of_plane"):
        if name in record:
            told.setdefault(name, record[name])
    if record:
        # The points are those of a flow, where they belong.
        told.setdefault("displacement", "none")
    here = {"points": contents.point_data, "cells": contents.cell_data}.get(str(record.get("location")), {})
    is_meant = all(told.get(name, record.get(name)) == record.get(name) for name in ("velocity", "location"))
    if str(record.get("velocity")) in here and is_meant:
        told |= {"velocity": record["velocity"], "location": record["location"]}
        noise = record.get("noise")
        if isinstance(noise, float) or str(noise) in here:
            told.setdefault("noise", noise)
    return dataclasses.replace(contents, producer=str(record.get("producer", contents.producer))), told


def period_vectors(lattice: Lattice) -> NDArray[np.float64]:
    """Where each axis leads once around (3, 3), zero where it closes upon itself, NaN for one with two ends."""
    rows = np.full((3, 3), np.nan)
    for a, axis in enumerate(lattice.axes):
        if axis.period is not None:
            rows[a] = lattice.shifts[a] if lattice.is_curved else axis.period * lattice.steps[a]
    return rows


def lengths(given: np.ndarray | None) -> Periods:
    """The periods of straight axes, as :class:`Lattice` takes them."""
    if given is None:
        return _NONE
    rows = given.reshape(3, 3)
    # Exact where the vector is along x, y or z.
    exact, long = np.abs(rows).max(axis=1), np.sqrt((rows**2).sum(axis=1))
    found = np.where(np.count_nonzero(rows, axis=1) == 1, exact, long)
    return [False if np.isnan(row).any() else float(length) for row, length in zip(rows, found, strict=True)]


def vectors(given: np.ndarray | None) -> Periods:
    """The periods of curved axes, as :class:`Lattice` takes them."""
    if given is None:
        return _NONE
    return [False if np.isnan(row).any() else row if row.any() else True for row in given.reshape(3, 3)]


def told_of(lattice: Lattice) -> dict[str, Any]:
    """The points along each axis, the periods (None without one), and whether the axes run along x, y and z."""
    periods = [None if np.isnan(row).any() else row.tolist() for row in period_vectors(lattice)]
    return {"shape": lattice.shape, "aligned": lattice.is_aligned, "periods": periods}


def lattice_again(points: NDArray[np.float64], told: Mapping[str, Any]) -> Lattice | None:
    """The lattice whose points (n, 3) are these in their order; None where they are not, or nothing is told."""
    if not told or np.prod(told["shape"]) != len(points):
        return None
    grid = points.reshape(*told["shape"][::-1], 3).transpose(2, 1, 0, 3)
    periods = np.array([[np.nan] * 3 if row is None else row for row in told["periods"]])
    if not told["aligned"]:
        return Lattice.curvilinear(grid, vectors(periods))
    axes = grid[:, 0, 0, 0], grid[0, :, 0, 1], grid[0, 0, :, 2]
    if not np.array_equal(np.stack(np.meshgrid(*axes, indexing="ij"), -1), grid):
        return None
    return Lattice.rectilinear(*axes, periodic=lengths(periods))
