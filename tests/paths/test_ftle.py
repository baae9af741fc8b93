"""FTLE of the double gyre of the literature, from its function and from a lattice; of linear flows exactly."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice, Series
from flowgrad.exact import DoubleGyre, TaylorGreen
from flowgrad.paths import ftle

POINTS = [[0.5, 0.25], [1, 0.5], [0.95, 0.3], [1.5, 0.75]]
# Of the flow itself, by an independent integration of the variational equations.
FORWARD = [0.31510231, 0.06914086, 0.00415636, 0.17202663]
BACKWARD = [0.17202663, 0.06914086, 0.05529246, 0.31510231]
DURATIONS = [(15.0, FORWARD), (-15.0, BACKWARD)]


@pytest.mark.parametrize(("duration", "known"), DURATIONS)
def test_double_gyre_from_the_function(duration, known):
    found = ftle(DoubleGyre(), POINTS, 0.0, duration)
    np.testing.assert_allclose(found.values, known, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.deformation.volume_ratio, 1, atol=1e-6)


@pytest.mark.parametrize(("duration", "known"), DURATIONS)
def test_double_gyre_from_a_lattice_in_time_steps(duration, known):
    lattice = Lattice.uniform((401, 201), 0.005)
    times = np.linspace(min(duration, 0), max(duration, 0), 151)
    flow = DoubleGyre()
    series = Series(tuple(lambda t=t: Flow(lattice, flow(lattice.points, t), "points", t) for t in times))
    np.testing.assert_allclose(ftle(series, POINTS, 0.0, duration).values, known, rtol=0.01)


def test_in_plane_stretch_alone_counts_in_planar_flows():
    def sink(x):
        return -x * np.array([2.0, 3.0, 0.0])[: x.shape[-1]]

    lattice = Lattice.uniform((5, 5), 0.5, origin=(-1, -1, 0))
    planar = Flow(lattice, sink(lattice.points), "points")
    np.testing.assert_allclose(ftle(planar, [[0.5, 0.5]], 0, 1.0).values, -2, atol=1e-7)
    np.testing.assert_allclose(ftle(sink, [[0.5, 0.5]], 0, 1.0).values, -2, atol=1e-7)
    np.testing.assert_allclose(ftle(sink, [[0.5, 0.5, 0]], 0, 1.0).values, 0, atol=1e-7)
    np.testing.assert_allclose(ftle(sink, [[0.5, 0.5]], 0, -1.0).values, 3, atol=1e-7)


def test_small_stretches_are_not_lost_to_rounding():
    def strain(x):
        return 1e-9 * np.stack([x[..., 0], -x[..., 1]], axis=-1)

    np.testing.assert_allclose(ftle(strain, [[0.3, 0.4]], 0, 1.0).values, 1e-9, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_exponents_do_not_depend_on_length_and_go_with_the_rate(scale):
    lattice = Lattice.uniform((33, 33), 2 * np.pi / 32)
    velocity, seeds = TaylorGreen()(lattice.points), np.random.default_rng(0).uniform(1, 5, (50, 2))
    one = ftle(Flow(lattice, velocity, "points"), seeds, 0, 3.0, rtol=1e-9)
    other = Lattice.uniform((33, 33), 2 * np.pi / 32 * scale)
    larger = ftle(Flow(other, velocity * scale, "points"), seeds * scale, 0, 3.0, rtol=1e-9)
    faster = ftle(Flow(lattice, velocity * scale, "points"), seeds, 0, 3.0 / scale, rtol=1e-9)
    np.testing.assert_allclose(larger.values, one.values, atol=1e-7)
    np.testing.assert_allclose(faster.values / scale, one.values, atol=1e-7)


def test_those_who_left_have_none_and_say_when():
    lattice = Lattice.uniform((5, 5), 0.25)
    flow = Flow(lattice, np.tile([1.0, 0], (25, 1)), "points")
    found = ftle(flow, [[0.5, 0.5], [0.1, 0.5]], 2.0, 0.6)
    assert found.notes == ("1 of 2 particles leave the flow, the first at t = 2.5",)
    np.testing.assert_allclose(found.left, [2.5, np.nan], atol=1e-8)
    np.testing.assert_allclose(found.values, [np.nan, 0], atol=1e-12)
