"""Walls of a series: prepared once, and never of the flow before."""

import dataclasses

import numpy as np
import pytest

from flowgrad import FiniteDifference, Flow, OptionError, at_walls
from flowgrad.flow import Patch
from flowgrad.walls import PreparedWalls
from tests.axial import meridian, wedge
from tests.walls.flows import pipe_flow, power_law, side, stokes

SHEARED = np.array([[0.1, 0.4, 0.0], [0.0, -0.2, 0.3], [0.5, 0.0, 0.1]])


def same(one, other):
    assert np.array_equal(one.faces, other.faces)
    assert one.gradient.scheme == other.gradient.scheme
    assert one.notes == other.notes
    for name, values in one.arrays.items():
        np.testing.assert_allclose(values, other.arrays[name], rtol=1e-12, atol=1e-12, err_msg=name)


def of_cells(known=True, location="cells", law=1.0):
    flow = pipe_flow("hexahedron", location, power_law(law), 6, 3)
    faces = np.flatnonzero(side(flow.mesh))
    data = {f"{location[:-1]}_data": {"nu": 1 + np.abs(flow.velocity[:, 2]), "p": flow.velocity[:, 2] ** 2}}
    boundary = (Patch("wall", faces, np.zeros((len(faces), 3))),) if known else ()
    return dataclasses.replace(flow, boundary=boundary, **data)


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("scheme", ["auto", "green-gauss", "finite-difference(order=1)"])
def test_each_flow_has_the_walls_that_it_has_alone(location, scheme):
    if location == "points" and scheme == "green-gauss":
        scheme = "autodiff"
    one = of_cells(location=location, law=0.5)
    told = {"scheme": scheme, "viscosity": "nu", "pressure": "p"}
    prepared = PreparedWalls(side(one.mesh), **told)
    missing = one.velocity.copy()
    missing[:2] = np.nan
    flows = [
        one,
        dataclasses.replace(one, velocity=one.velocity @ SHEARED.T),
        dataclasses.replace(one, velocity=missing),
    ]
    flows += [dataclasses.replace(one, boundary=()), one, of_cells(location=location, law=2.0)]
    for flow in flows:
        same(prepared.of(flow), at_walls(flow, side(flow.mesh), **told))


def test_walls_that_follow_from_symmetry():
    for mesh, wall in (
        (meridian(4, 5, axis="x"), lambda c: c[:, 1] > 1 - 1e-9),
        (wedge(3, 6), lambda c: c[:, 1] > 0.99),
    ):
        axis = "x" if mesh.dimension == 2 else None
        prepared = PreparedWalls(wall, viscosity=2.0)
        for speed in (1.0, -0.3):
            velocity = speed * (1 - mesh.points[:, 1:2] ** 2 - mesh.points[:, 2:] ** 2) * [1.0, 0, 0]
            flow = Flow(mesh, velocity, "points", axisymmetric=axis)
            same(prepared.of(flow), at_walls(flow, wall, viscosity=2.0))


def test_the_geometry_is_prepared_once(monkeypatch):
    calls = []
    own = FiniteDifference.prepare_on_boundary
    monkeypatch.setattr(FiniteDifference, "prepare_on_boundary", lambda *args: calls.append(1) or own(*args))
    flow = stokes("hexahedron", "points", 4, 2)
    prepared = PreparedWalls()
    for factor in (1.0, 2.0, 3.0):
        prepared.of(dataclasses.replace(flow, velocity=factor * flow.velocity))
    assert len(calls) == 1
    prepared.of(stokes("hexahedron", "points", 5, 2))
    assert len(calls) == 2


def test_a_flow_of_another_kind_is_refused():
    with pytest.raises(OptionError, match="of a series one of its steps"):
        PreparedWalls().of([of_cells()])
