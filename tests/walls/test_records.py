"""The records of what is known on walls: one for each array, with the dimension that its numbers have."""

import numpy as np
import pytest

from flowgrad import QUANTITIES, Flow, Lattice, at_walls
from flowgrad.walls import RECORDS
from flowgrad.walls.records import record_on

LENGTH, TIME, MASS = 1e3, 1e-2, 7.0


def couette(dimension, length=1.0, time=1.0, mass=1.0, density=None):
    """A curved shear flow between plates with a pressure, in given units."""
    lattice = Lattice.uniform((4, 5, 3)[:dimension], tuple(length * each for each in (0.5, 0.25, 0.4)[:dimension]))
    x, y, _ = lattice.points.T / length
    velocity = np.column_stack([y + y**2, 0.1 * x * y, 0 * x]) * length / time
    viscosity = 0.3 * (mass / (length * time) if density is None else length**2 / time)
    pressure = (1 + x) * (mass / (length * time**2) if density is None else length**2 / time**2)
    flow = Flow(lattice, velocity, "points", point_data={"p": pressure})
    faces = lattice.topology.boundary_geometry[1][:, 1] < 1e-9 * length
    rho = None if density is None else density * mass / length**3
    reference = 2.5 * mass / length**3
    about = {"reference_density": reference, "reference_speed": 3 * length / time}
    return at_walls(flow, faces, viscosity=viscosity, pressure="p", density=rho, **about)


def everything(walls):
    found = {name: values for name, values in walls.arrays.items() if name in RECORDS}
    return found | {
        "viscous_traction": walls.viscous_traction,
        "force": walls.force(),
        "moment": walls.moment(),
    }


def in_units(dimension):
    product = dimension.replace("(", "").replace(")", "")
    numerator, _, denominator = product.partition("/")
    factors = {"M": MASS, "L": LENGTH, "T": TIME, "1": 1.0}
    powers = {"²": 2, "³": 3, "⁴": 4, "⁵": 5}

    def of(text):
        return np.prod([factors[each[0]] ** powers.get(each[1:], 1) for each in text.split()])

    return of(numerator) / (of(denominator) if denominator else 1.0)


@pytest.mark.parametrize("density", [None, 2.5])
@pytest.mark.parametrize("dimension", [2, 3])
def test_numbers_change_with_the_units_as_the_dimensions_tell(dimension, density):
    """The viscosity is given as a dynamic one, or as kinematic with a density: both times stresses are dynamic."""
    one = couette(dimension, density=density)
    other = couette(dimension, LENGTH, TIME, MASS, density)
    found = everything(other)
    assert set(found) == set(RECORDS)
    for name, values in everything(one).items():
        record = record_on(other, name)
        assert (" or " in record.dimension) == (density is None and " or " in RECORDS[name].dimension)
        factor = in_units(record.known(dynamic=True).dimension)
        # The flow is quadratic, so that its estimated error is rounding.
        scale = np.abs(one.wall_shear_rate if name == "wall_shear_rate_error" else values).max()
        assert scale > 0 or name == "normal_rate"
        np.testing.assert_allclose(found[name] / factor, values, rtol=1e-9, atol=1e-9 * max(scale, 1e-3), err_msg=name)


def test_every_array_has_a_record():
    walls = couette(3)
    assert set(walls.arrays) - set(RECORDS) - set(QUANTITIES) == {"patch"}
    for name, record in RECORDS.items():
        assert name == record.name
        assert all([record.symbol, record.reference, record.description.endswith(".")]), name


def test_they_are_no_quantities_of_a_gradient():
    assert not set(RECORDS) & set(QUANTITIES)


def test_planar_walls_are_per_depth():
    assert [record_on(couette(2), name).dimension for name in ("area", "force")] == ["L", "M/T² or L³/T²"]
    assert [record_on(couette(3), name).dimension for name in ("area", "force")] == ["L²", "M L/T² or L⁴/T²"]
    assert record_on(couette(2, density=1.0), "moment").dimension == "M L/T²"
