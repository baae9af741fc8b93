"""Pathlines: closed orbits, exit times, other solvers, time series, and what is refused."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from flowgrad import Flow, Lattice, OptionError, Series
from flowgrad.exact import ABC, DoubleGyre
from flowgrad.paths import pathlines

RANDOM = np.random.default_rng(5)
BOX = Lattice.uniform((6, 6, 6), 0.2)


def rotation(x):
    return np.stack([0.5 - x[..., 1], x[..., 0] - 0.5, 0 * x[..., 0]], axis=-1)


def on(lattice, velocity):
    return Flow(lattice, velocity(lattice.points), "points")


@pytest.mark.parametrize("flow", [rotation, on(BOX, rotation)], ids=["function", "lattice"])
def test_rigid_rotation_closes(flow):
    seeds = 0.5 + RANDOM.uniform(-0.35, 0.35, (50, 3))
    quarters = np.linspace(0, 2 * np.pi, 5)
    found = pathlines(flow, seeds, quarters, F=True, rtol=1e-10)
    arm = seeds[:, :2] - 0.5
    np.testing.assert_allclose(found.positions[1, :, :2] - 0.5, np.column_stack([-arm[:, 1], arm[:, 0]]), atol=1e-9)
    np.testing.assert_allclose(found.positions[4], seeds, atol=1e-9)
    np.testing.assert_allclose(found.F[1], [[[0, -1, 0], [1, 0, 0], [0, 0, 1]]] * 50, atol=1e-9)
    assert found.stayed.all()


def test_paths_are_those_of_dop853():
    flow, seeds, times = ABC(), RANDOM.uniform(0, 6, (5, 3)), np.array([0.5, 3.0, 8.0])
    found = pathlines(flow, seeds, times, rtol=1e-10)
    for k, seed in enumerate(seeds):
        peer = solve_ivp(lambda t, x: flow(x, t), (0.5, 8.0), seed, "DOP853", t_eval=times, rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(found.positions[:, k], peer.y.T, rtol=0, atol=1e-7)


def test_errors_follow_the_tolerance_and_the_number_of_steps():
    flow, seeds = ABC(), RANDOM.uniform(0, 6, (20, 3))
    exact = pathlines(flow, seeds, [0, 3], rtol=1e-13).positions[-1]

    def error(**options):
        return np.abs(pathlines(flow, seeds, [0, 3], **options).positions[-1] - exact).max()

    assert error(rtol=1e-9) < 1e-7
    assert 3 * error(rtol=1e-9) < error(rtol=1e-6) < 1e-4
    orders = np.log2([error(steps=n) / error(steps=2 * n) for n in (10, 20)])
    assert (orders > 4.5).all()


@pytest.mark.parametrize("duration", [5.0, -5.0])
@pytest.mark.parametrize("steps", [None, 7])
def test_uniform_flow_leaves_the_box_at_known_times(duration, steps):
    v = np.array([1.0, 0.5, -0.25])
    seeds = RANDOM.random((300, 3))
    found = pathlines(on(BOX, lambda x: np.tile(v, (len(x), 1))), seeds, [2.0, 2.0 + duration], steps=steps)
    way = np.sign(duration) * v
    leave = (np.where(way > 0, 1 - seeds, seeds) / np.abs(v)).min(axis=1)
    np.testing.assert_allclose(found.left, 2.0 + np.sign(duration) * leave, rtol=0, atol=1e-8)
    np.testing.assert_allclose(found.positions[-1], seeds + leave[:, None] * way, rtol=0, atol=1e-8)


def test_circles_leave_a_square_where_they_meet_its_sides():
    lattice = Lattice.uniform((6, 6), 0.2)
    seeds = RANDOM.random((500, 2))
    found = pathlines(on(lattice, rotation), seeds, [0, 2 * np.pi])
    radius, angle = np.hypot(*(seeds - 0.5).T), np.arctan2(*(seeds - 0.5).T[::-1])
    leaves = radius > 0.5
    np.testing.assert_array_equal(~found.stayed, leaves)
    meet = np.arccos(0.5 / radius[leaves])
    sides = np.arange(4)[:, None] * np.pi / 2
    turns = (np.concatenate([sides + meet, sides - meet]) - angle[leaves]) % (2 * np.pi)
    np.testing.assert_allclose(found.left[leaves], turns.min(axis=0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.positions[-1, ~leaves, :2], seeds[~leaves], atol=1e-6)


def test_seeds_outside_have_left_at_the_start():
    found = pathlines(on(BOX, rotation), [[0.5, 0.5, 0.5], [2, 0, 0], [np.nan, 0, 0]], [3.0, 4.0], F=True)
    np.testing.assert_array_equal(found.left, [np.nan, 3.0, 3.0])
    assert found.notes == ("2 of 3 particles start outside the flow",)
    np.testing.assert_array_equal(found.positions[:, 1], [[2, 0, 0]] * 2)
    np.testing.assert_array_equal(found.F[:, 1], [np.eye(3)] * 2)


def test_velocity_across_a_plane_is_noted():
    flow = Flow.on_lattice(Lattice.uniform((4, 4)), np.ones((4, 4, 3)))
    found = pathlines(flow, [[1, 1]], [0, 1.0])
    np.testing.assert_allclose(found.positions[-1], [[2, 2, 0]])
    assert "across" in found.notes[0]
    assert not pathlines(flow, np.empty((0, 2)), [0, 1.0]).positions.size


@pytest.mark.parametrize("package", ["torch", "jax"])
def test_functions_of_other_packages_have_paths(package):
    module = pytest.importorskip("torch" if package == "torch" else "jax.numpy")

    def velocity(x, t):
        return module.stack([0 * x[..., 0] + t, 0 * x[..., 0] + 1, x[..., 0]], -1)

    found = pathlines(velocity, [[1, 0, 0.5]], [0, 2.0], F=True, backend=package, steps=1)
    np.testing.assert_allclose(found.positions[-1], [[3, 2, 0.5 + 2 + 8 / 6]], rtol=1e-13)
    np.testing.assert_allclose(found.F[-1, 0], [[1, 0, 0], [0, 1, 0], [2, 0, 1]], rtol=0, atol=1e-13)


def test_functions_end_where_they_are_not_a_number():
    def velocity(x, t):
        return np.where(x[..., :1] + 0.1 * t < 0.8, np.stack([1 + 0 * x[..., 0], 0 * x[..., 0]], axis=-1), np.nan)

    seeds = np.array([[0.1, 0], [0.5, 1], [0.9, 2]])
    for options in ({}, {"F": True}):
        left = pathlines(velocity, seeds, [0, 2.0], **options).left
        np.testing.assert_allclose(left, [0.7 / 1.1, 0.3 / 1.1, 0], atol=1e-8)


def test_neighbours_of_those_who_leave_are_not_held_up():
    calls = []

    def velocity(x):
        calls.append(len(x))
        inside = x[..., :1] < 0.5
        return np.where(inside, np.stack([1 + 0 * x[..., 0], 0 * x[..., 0]], axis=-1), np.nan) * (x[..., 1:] < 2)

    seeds = np.column_stack([np.linspace(-9, 0.49, 1000), np.zeros(1000)])
    pathlines(velocity, seeds, [0, 1.0], steps=10)
    assert sum(n == 1000 for n in calls) < 20
    assert len(calls) < 10 * 6 * 80


def test_a_few_fast_ones_do_not_slow_the_others():
    calls = []

    def velocity(x):
        calls.append(len(x))
        rate = 1 + 39 / (1 + np.exp(50 * (x[..., 0] ** 2 + x[..., 1] ** 2 - 0.25)))
        return np.stack([-rate * x[..., 1], rate * x[..., 0]], axis=-1)

    angles = np.linspace(0, 6, 1000)
    seeds = np.where(np.arange(1000) < 5, 0.2, 2.0)[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    found = pathlines(velocity, seeds, [0, 2 * np.pi])
    np.testing.assert_allclose(found.positions[-1, 5:, :2], seeds[5:], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found.positions[-1, :5], axis=1), 0.2, atol=1e-5)
    assert 0 < 5 * sum(n == 1000 for n in calls) < len(calls)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_paths_scale_with_lengths_and_turn_with_the_frame(scale):
    Q = np.linalg.qr(RANDOM.normal(size=(3, 3)))[0]
    lattice, seeds = Lattice.uniform((9, 9, 9), 0.25), RANDOM.uniform(0.2, 1.8, (40, 3))
    values = ABC()(lattice.points)
    shift = np.array([3.0, -5.0, 7.0]) * scale
    turned = Lattice.uniform((9, 9, 9), 0.25 * scale, origin=shift, directions=Q)
    one = pathlines(Flow(lattice, values, "points"), seeds, [0, 1.0], F=True, rtol=1e-9)
    other = pathlines(
        Flow(turned, values @ Q * scale, "points"), seeds @ Q * scale + shift, [0, 1.0], F=True, rtol=1e-9
    )
    np.testing.assert_allclose((other.positions - shift) / scale, one.positions @ Q, atol=2e-7)
    np.testing.assert_allclose(other.F, Q.T @ one.F @ Q, atol=2e-7 * np.abs(one.F).max())
    np.testing.assert_allclose(other.left, one.left, atol=1e-6)
    assert 0 < one.stayed.sum() < 40


def cubic_in_time(x, t):
    return (1 + t - 0.5 * t**2 + 0.2 * t**3) * np.array([1.0, -0.5]) + 0 * x[..., :2]


@pytest.mark.parametrize("times", [[0, 0.3, 0.5, 1.1, 1.7, 2.0], [0, 0.4, 1.2, 2.0]])
@pytest.mark.parametrize(("start", "end"), [(0.0, 2.0), (2.0, 0.0), (0.31, 1.63), (1.1, 0.2)])
def test_series_are_cubic_in_time(times, start, end):
    lattice = Lattice.uniform((9, 9), 1.0, origin=(-4, -4, 0))
    series = Series.from_arrays(lattice, times, [cubic_in_time(lattice.points, t) for t in times])
    found = pathlines(series, [[0, 0]], [start, 0.5 * (start + end), end], steps=3)

    def way(t):
        return (t + t**2 / 2 - t**3 / 6 + 0.05 * t**4) - (start + start**2 / 2 - start**3 / 6 + 0.05 * start**4)

    exact = [[way(t), -0.5 * way(t), 0] for t in found.times]
    np.testing.assert_allclose(found.positions[:, 0], exact, atol=1e-13)


@pytest.mark.parametrize(("times", "degree"), [([0, 2.0], 1), ([0, 0.5, 2.0], 2)])
def test_short_series_have_a_lower_degree(times, degree):
    lattice = Lattice.uniform((5, 5), 1.0, origin=(-2, -2, 0))
    series = Series.from_arrays(lattice, times, [np.full((25, 2), 0.2) * t**degree for t in times])
    found = pathlines(series, [[0, 0]], [0, 1.5], steps=1)
    np.testing.assert_allclose(found.positions[-1, 0, 0], 0.2 * 1.5 ** (degree + 1) / (degree + 1), rtol=1e-13)


def test_a_series_keeps_four_steps_and_makes_each_few_times():
    lattice, made = Lattice.uniform((5, 5), 1.0), []

    def maker(k):
        def make():
            made.append(k)
            return Flow(lattice, np.full((25, 2), 0.01), "points", float(k))

        return make

    series = Series(tuple(maker(k) for k in range(40)))
    pathlines(series, [[1, 1]], [3.5, 30.5])
    assert max(map(made.count, range(40))) <= 2
    # Those whose time was asked for in the search, far from where the path starts, and no others.
    assert sum(made.count(k) == 2 for k in range(40)) <= np.log2(40)
    made.clear()
    pathlines(series, [[1, 1]], [20.0, 20.5])
    assert max(map(made.count, range(40))) == 1
    assert len(made) < 4 + np.log2(40) + 2


@pytest.mark.parametrize("shift", [0.0, -3e6])
def test_sums_of_durations_reach_the_last_step_and_the_first(shift):
    """0.1 + 0.2 > 0.3, by one rounding."""
    times = np.array([0.1, 0.2, 0.3]) + shift
    series = Series.from_arrays(Lattice.uniform((5, 5)), times, [np.full((25, 2), 0.1)] * 3)
    beyond = np.nextafter(times[2], np.inf)
    np.testing.assert_allclose(pathlines(series, [[1, 1]], [times[0], beyond]).positions[-1, 0, :2], 1.02, atol=1e-8)
    before = np.nextafter(times[0], -np.inf)
    np.testing.assert_allclose(pathlines(series, [[1, 1]], [beyond, before]).positions[-1, 0, :2], 0.98, atol=1e-8)
    with pytest.raises(OptionError, match="stay within"):
        pathlines(series, [[1, 1]], [times[0], times[2] + 1e-8])


@pytest.mark.parametrize(("start", "end"), [(0.0, 2.0), (2.0, 0.0), (0.31, 1.63)])
def test_series_whose_times_fall_are_those_whose_times_rise(start, end):
    lattice, times = Lattice.uniform((9, 9), 1.0, origin=(-4, -4, 0)), np.array([0, 0.3, 0.5, 1.1, 1.7, 2.0])
    rising = Series.from_arrays(lattice, times, [cubic_in_time(lattice.points, t) for t in times])
    found = [pathlines(each, [[0, 0]], [start, end]).positions for each in (rising, rising[::-1])]
    np.testing.assert_array_equal(*found)


def test_the_time_of_a_series_counts_for_those_who_leave():
    lattice = Lattice.uniform((5, 5), 0.25)
    times = np.linspace(0, 3, 7)
    series = Series.from_arrays(lattice, times, [np.tile([t, 0], (25, 1)) for t in times])
    seeds = np.column_stack([RANDOM.random(50), RANDOM.random(50)])
    np.testing.assert_allclose(pathlines(series, seeds, [0, 3]).left, np.sqrt(2 * (1 - seeds[:, 0])), atol=1e-8)


def test_holes_of_one_step_last_as_long_as_it_counts():
    lattice, times = Lattice.uniform((5, 5), 1.0), np.arange(12.0)
    velocities = np.full((12, 25, 2), 0.01)
    velocities[5, lattice.points[:, 0] == 2] = np.nan
    series = Series.from_arrays(lattice, times, velocities)
    assert pathlines(series, [[1.5, 1]], [7.5, 11]).stayed.all()
    assert pathlines(series, [[1.5, 1]], [7.5, 11]).stayed.all()  # also once the step has been seen
    np.testing.assert_allclose(pathlines(series, [[1.5, 1], [0.5, 1]], [0.5, 11]).left, [3, np.nan])


def test_what_has_no_paths_is_refused():
    series = Series.from_arrays(BOX, [0, 1, 0.5], [BOX.points] * 3)
    cases = [
        (rotation, [[0, 0, 0]], [0, 1, 0.5], {}, "turn back"),
        (rotation, [[0, 0, 0]], [], {}, "times have the shape"),
        (rotation, [0, 0, 0], [0, 1], {}, r"positions \(n, 2\)"),
        (rotation, [[0, 0, 0]], [0, 1], {"rtol": 0}, "rtol"),
        (rotation, [[0, 0, 0]], [0, 1], {"steps": 0}, "one at least"),
        ("flow", [[0, 0, 0]], [0, 1], {}, "str given"),
        (lambda x: x.sum(), [[0, 0, 0]], [0, 1], {}, "many points at once"),
        (series[:2], [[0, 0, 0]], [0.5, 1.5], {}, "stay within"),
        (series, [[0, 0, 0]], [0, 0.2], {}, "sort the series"),
        (Series.from_flows([on(BOX, rotation)] * 2), [[0, 0, 0]], [0, 1], {}, "has no time"),
    ]
    for flow, seeds, times, options, message in cases:
        with pytest.raises(OptionError, match=message):
            pathlines(flow, seeds, times, **options)


def test_axisymmetric_flows_are_refused():
    flow = Flow.on_lattice(Lattice.uniform((4, 4)), np.ones((4, 4, 2)), axisymmetric="x")
    with pytest.raises(OptionError, match="meridian"):
        pathlines(flow, [[1, 1]], [0, 1])


def test_the_double_gyre_takes_seeds_of_two_or_three_coordinates():
    two = pathlines(DoubleGyre(), [[0.5, 0.25]], [0, 2.0]).positions
    three = pathlines(DoubleGyre(), [[0.5, 0.25, 0.0]], [0, 2.0]).positions
    np.testing.assert_array_equal(two, three)
