"""The records of what follows from paths: one for each attribute, with the dimension that its numbers have."""

import numpy as np
import pytest

from flowgrad import QUANTITIES, Flow, Lattice
from flowgrad.exact import TaylorGreen
from flowgrad.paths import RECORDS, Deformation, deformation, ftle

LATTICE = Lattice.uniform((9, 7), 0.5, origin=(0.4, 0.7, 0))
GYRE = TaylorGreen()


def values(found, name):
    return found.values if name == "ftle" else getattr(found.deformation, name)


@pytest.fixture(scope="module")
def both():
    """One flow in two systems of units, and how many of the one's units of time are one of the other's."""
    length, time = 1e3, 1e-2
    larger = Lattice.uniform((9, 7), 0.5 * length, origin=(0.4 * length, 0.7 * length, 0))
    one = ftle(GYRE, LATTICE, 0.0, 1.5, rtol=1e-9)
    other = ftle(lambda x, t: GYRE(x / length, t / time) * length / time, larger, 0.0, 1.5 * time, rtol=1e-9)
    return one, other, time


@pytest.mark.parametrize("name", RECORDS)
def test_numbers_change_with_the_units_as_the_dimensions_tell(name, both):
    one, other, time = both
    factor = {"1": 1.0, "1/T": 1 / time}[RECORDS[name].dimension]
    if name == "directions":
        arms = (values(one, name) * values(other, name)).sum(axis=1)
        np.testing.assert_allclose(np.abs(arms), 1, atol=1e-5)
    else:
        np.testing.assert_allclose(values(other, name) / factor, values(one, name), atol=1e-6)


def test_every_attribute_that_is_computed_has_a_record():
    computed = {name for name, each in vars(Deformation).items() if hasattr(each, "__get__") and not callable(each)}
    assert {name for name in computed if not name.startswith("_")} <= set(RECORDS)
    for name, record in RECORDS.items():
        assert name == record.name
        assert all([record.symbol, record.reference, record.description.endswith(".")]), name


def test_they_are_no_quantities_of_a_gradient():
    assert not set(RECORDS) & set(QUANTITIES)


def test_the_points_of_a_mesh_are_points():
    """The same particles, and the mesh is kept to draw on."""
    flow = Flow(LATTICE, GYRE(LATTICE.points), "points")
    one, other = (deformation(flow, points, 0.0, 0.3) for points in (LATTICE, LATTICE.points))
    np.testing.assert_array_equal(one.F, other.F)
    assert one.mesh is LATTICE
    assert other.mesh is None
