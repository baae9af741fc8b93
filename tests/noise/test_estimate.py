"""The noise of velocities, found in them."""

from dataclasses import replace

import numpy as np
import pytest

from flowgrad import Flow, Lattice, OptionError, Series, series_statistics, velocity_gradient, velocity_gradients
from flowgrad.noise import median_outliers, noise_in_time, noise_of

N = 48


def vortices(x, y, k=1.0):
    return np.stack([np.sin(k * x) * np.cos(k * y), -np.cos(k * x) * np.sin(k * y), 0 * x], axis=-1)


def lattice(n=N):
    x = np.linspace(0, 2 * np.pi, n)
    return Lattice.rectilinear(x, x)


def running_means(rng, n, window):
    """Noise of unit variance, the mean over windows of so many places."""
    e = rng.normal(size=(2, n + window, n + window))
    parts = [e[:, i : i + n, j : j + n] for i in range(window) for j in range(window)]
    mean = sum(parts) / window
    return np.column_stack([mean.reshape(2, -1).T, np.zeros(n * n)])


def noisy(sigma=0.05, window=1, seed=0):
    sites = lattice()
    exact = vortices(*sites.points.T[:2])
    return sites, exact + sigma * running_means(np.random.default_rng(seed), N, window)


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("sigma", [0.005, 0.05])
def test_the_deviation_is_found_within_a_tenth_and_how_far_windows_overlap(sigma, window):
    found = noise_of(*noisy(sigma, window))
    assert found.found
    np.testing.assert_allclose(found.deviation[:2], sigma, rtol=0.1)
    assert found.window == pytest.approx(window)
    assert found.deviation[2] == 0


def test_noise_that_is_all_there_is_is_found():
    rng = np.random.default_rng(3)
    found = noise_of(lattice(), rng.normal(size=(N * N, 3)) * [1, 2, 3])
    np.testing.assert_allclose(found.deviation, [1, 2, 3], rtol=0.08)


@pytest.mark.parametrize("k", [1.0, 3.0])
def test_no_noise_is_seen_in_a_smooth_field(k):
    sites = lattice()
    exact = vortices(*sites.points.T[:2], k)
    assert not noise_of(sites, exact).found
    assert not noise_of(sites.points, exact).found
    assert not noise_of(sites, exact.astype(np.float32).astype(float)).found
    assert not noise_of(sites, 0 * exact).found


def test_scattered_points_tell_their_noise():
    rng = np.random.default_rng(2)
    at = np.column_stack([rng.uniform(0, 2 * np.pi, (2000, 2)), np.zeros(2000)])
    exact = vortices(*at.T[:2])
    found = noise_of(at, exact + [0.03, 0.06, 0] * rng.normal(size=exact.shape))
    assert found.found
    np.testing.assert_allclose(found.deviation, [0.03, 0.06, 0], rtol=0.1)
    assert not noise_of(at, exact).found


def test_the_deviation_scales_with_the_velocity_and_sees_no_linear_flow_in_it():
    sites, velocity = noisy()
    found = noise_of(sites, velocity)
    linear = sites.points @ np.array([[3.0, 1, 0], [-2, 0.5, 0], [0, 0, 0]]).T + [7.0, -4, 0]
    np.testing.assert_allclose(noise_of(sites, velocity + linear).deviation, found.deviation, rtol=1e-6)
    np.testing.assert_allclose(noise_of(sites, 1e-6 * velocity).deviation, 1e-6 * found.deviation, rtol=1e-9)


def test_the_deviation_does_not_depend_on_which_axis_is_first():
    sites, velocity = noisy()
    turned = sites.flat(np.swapaxes(sites.grid(velocity)[:, :, 0], 0, 1))[:, [1, 0, 2]]
    np.testing.assert_allclose(noise_of(sites, turned).deviation[:2], noise_of(sites, velocity).deviation[1::-1])


def test_noise_that_changes_over_the_field_is_found_where_it_is():
    rng, sites = np.random.default_rng(1), lattice(96)
    x, y = sites.points.T[:2]
    sigma = np.where(x < np.pi, 0.02, 0.06)
    found = noise_of(sites, vortices(x, y) + sigma[:, None] * rng.normal(size=(len(x), 3)) * [1, 1, 0])
    assert found.local is not None
    for side, truth in ((x < 2, 0.02), (x > 4.3, 0.06)):
        assert np.median(found.local[side, :2]) == pytest.approx(truth, rel=0.15)
    assert noise_of(*noisy()).local is None


def spoiled(velocity, share, seed=5):
    rng = np.random.default_rng(seed)
    bad = rng.uniform(size=len(velocity)) < share
    velocity = velocity.copy()
    velocity[bad, :2] = rng.uniform(-2, 2, (bad.sum(), 2))
    return velocity, bad


def test_outliers_are_found_and_change_the_deviation_little():
    sites, velocity = noisy(0.03)
    exact = vortices(*sites.points.T[:2])
    wrong, bad = spoiled(velocity, 0.05)
    found = noise_of(sites, wrong)
    np.testing.assert_allclose(found.deviation[:2], 0.03, rtol=0.1)
    far = bad & (np.abs(wrong - exact).max(axis=1) > 10 * 0.03)
    assert found.outlier[far].mean() > 0.95
    assert found.outlier[~bad].mean() < 0.002
    assert not noise_of(sites, velocity).outlier.any()


def test_the_median_test_sees_outliers_among_scattered_points():
    rng = np.random.default_rng(4)
    at = np.column_stack([rng.uniform(0, 2 * np.pi, (1500, 2)), np.zeros(1500)])
    velocity = vortices(*at.T[:2]) + [0.02, 0.02, 0] * rng.normal(size=(1500, 3))
    velocity[::50, 0] += 0.8
    found = median_outliers(at, velocity, np.array([0.02, 0.02, 0.0]))
    assert found[::50].mean() > 0.9
    assert np.delete(found, np.arange(0, 1500, 50)).sum() <= 3


def test_a_flow_finds_its_own_noise_when_asked():
    sites, velocity = noisy()
    flow = Flow(sites, velocity, "points", noise="auto")
    assert flow.noise.shape == velocity.shape
    assert flow.noise[0, 0] == pytest.approx(0.05, rel=0.1)
    assert Flow(sites, vortices(*sites.points.T[:2]), "points", noise="auto").noise is None
    with pytest.raises(OptionError, match="auto to find it"):
        Flow(sites, velocity, "points", noise="much")


def test_vectors_that_are_missing_or_few_tell_nothing():
    sites, velocity = noisy()
    assert not noise_of(sites, np.full_like(velocity, np.nan)).found
    small = Lattice.uniform((3, 3))
    assert not noise_of(small, np.random.default_rng(0).normal(size=(9, 3))).found
    assert not noise_of(np.zeros((1, 3)), np.ones((1, 3))).found


def test_masked_vectors_that_are_written_as_zeros_hide_no_noise():
    """As DaVis writes them, here on six tenths of the field."""
    sites, velocity = noisy()
    masked = sites.points[:, 0] > 0.4 * 2 * np.pi
    found = noise_of(sites, np.where(masked[:, None], 0.0, velocity))
    assert found.found
    np.testing.assert_allclose(found.deviation[:2], 0.05, rtol=0.1)
    exact = vortices(*sites.points.T[:2])
    assert not noise_of(sites, np.where(masked[:, None], 0.0, exact)).found


def turbulence(n, slope, rng, dimension=2, smallest=0.0):
    """A solenoidal field (nᵈ, 3) of unit variance, of the spectrum k^−slope exp(−(k·smallest)²) up to Nyquist."""
    k = np.stack(np.meshgrid(*[np.fft.fftfreq(n, 1 / n)] * dimension, indexing="ij"))
    size = np.sqrt((k**2).sum(axis=0))
    shell = np.where((size >= 2) & (size <= n / 2), np.maximum(size, 1) ** ((1 - slope - dimension) / 2), 0)
    wave = np.stack([np.fft.fftn(rng.normal(size=(n,) * dimension)) for _ in range(dimension)])
    wave *= shell * np.exp(-0.5 * (size * smallest) ** 2)
    wave -= k * (k * wave).sum(axis=0) / np.maximum(size, 1) ** 2
    field = np.zeros((n**dimension, 3))
    field[:, :dimension] = np.stack([np.fft.ifftn(each).real.ravel(order="F") for each in wave], axis=1)
    return field / np.sqrt((field**2).mean())


def cube(n, dimension):
    return Lattice.uniform((n,) * dimension)


@pytest.mark.parametrize(("n", "dimension"), [(64, 2), (16, 3), (32, 3)])
@pytest.mark.parametrize("slope", [1.0, 5 / 3, 3.0])
def test_turbulence_down_to_the_smallest_places_is_not_taken_for_noise(n, dimension, slope):
    found = noise_of(cube(n, dimension), turbulence(n, slope, np.random.default_rng(0), dimension))
    assert not found.found
    assert "cannot be told" in found.sentence


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize("share", [0.01, 0.05])
def test_noise_is_found_in_turbulence_whose_smallest_eddies_span_ten_samples(share, window):
    n, rng = 64, np.random.default_rng(2)
    flow = turbulence(n, 5 / 3, rng, smallest=16 / n)
    size = share * np.sqrt((flow**2).sum(axis=1).mean())
    found = noise_of(cube(n, 2), flow + size * running_means(rng, n, window))
    assert found.found
    np.testing.assert_allclose(found.deviation[:2], size, rtol=0.1)
    assert found.window == window


def test_a_coarse_simulation_that_was_interpolated_has_no_noise():
    coarse, x = np.linspace(0, 1, 32), np.linspace(0, 1, 64)
    flow = turbulence(32, 5 / 3, np.random.default_rng(0), smallest=0.25).reshape(32, 32, 3)
    lines = np.stack([[np.interp(x, coarse, row) for row in field] for field in flow.transpose(2, 0, 1)])
    finer = np.stack([[np.interp(x, coarse, row) for row in field.T] for field in lines])
    assert not noise_of(cube(64, 2), finer.reshape(3, -1).T).found


def test_short_lattices_say_that_they_are_not_looked_at():
    sites = Lattice.uniform((11, 11))
    flow = Flow(sites, np.random.default_rng(0).normal(size=(121, 3)), "points")
    assert "fewer than 12 places" in flow.found_noise.sentence
    assert "fewer than 12 places" in velocity_gradient(flow).reason


def test_noise_that_is_given_is_smoothed_where_the_flow_hides_it():
    n = 32
    flow = Flow(cube(n, 2), turbulence(n, 5 / 3, np.random.default_rng(1)), "points")
    assert velocity_gradient(flow).scheme == "finite-difference(order=2)"
    assert "cannot be told" in velocity_gradient(flow).reason
    assert velocity_gradient(replace(flow, noise=0.3)).scheme == "smooth"


def steady(share, rng, window=1):
    """Four measurements of one flow, fine down to the smallest places."""
    n = 48
    flow = turbulence(n, 5 / 3, np.random.default_rng(8))
    size = share * np.sqrt((flow**2).sum(axis=1).mean())
    steps = [flow + size * running_means(rng, n, window) for _ in range(4)]
    return cube(n, 2), steps, size


@pytest.mark.parametrize("window", [1, 2])
def test_repeated_fields_tell_the_noise_that_one_hides(window):
    sites, steps, size = steady(0.05, np.random.default_rng(3), window)
    assert not noise_of(sites, steps[0]).found
    found = noise_in_time(sites, steps)
    np.testing.assert_allclose(found.deviation[:2], size, rtol=0.1)
    assert found.window == window
    series = Series.from_arrays(sites, range(4), steps)
    for gradient in velocity_gradients(series):
        assert gradient.scheme == "smooth"
        assert gradient.flow.noise[0, 0] == pytest.approx(size, rel=0.1)
        assert any("between the first steps" in note for note in gradient.notes)


def test_independent_fields_of_turbulence_are_no_noise():
    sites = cube(48, 2)
    steps = [turbulence(48, 5 / 3, np.random.default_rng(seed)) for seed in range(4)]
    assert noise_in_time(sites, steps) is None
    assert noise_in_time(sites, steps[:1]) is None
    assert next(velocity_gradients(Series.from_arrays(sites, range(4), steps))).scheme != "smooth"


def test_one_flow_is_no_series():
    sites, velocity = noisy()
    flow = Flow(sites, velocity, "points")
    with pytest.raises(OptionError, match="one flow is no series"):
        velocity_gradients(flow)
    found = series_statistics(Series.from_flows([flow]))
    assert "one step tells no fluctuations" in found.notes[0]
    assert np.isnan(found.standard_error("velocity")).all()


def test_noise_larger_than_the_flow_is_said():
    notes = velocity_gradient(Flow(*noisy(3.0), "points")).notes
    assert any("larger than what is left of the velocity" in note for note in notes)
    assert not any("larger than" in note for note in velocity_gradient(Flow(*noisy(0.1), "points")).notes)


def test_a_velocity_that_is_masked_throughout_has_no_gradient_and_no_noise():
    gradient = velocity_gradient(Flow(lattice(), np.full((N * N, 3), np.nan), "points"))
    assert not gradient.valid.any()
    assert any("2304 of 2304 velocities" in note for note in gradient.notes)
