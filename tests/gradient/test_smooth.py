"""Gradients of noisy velocities: fits chosen place by place."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from flowgrad import Flow, Lattice, read, velocity_gradient, write
from flowgrad.gradient.smooth.choice import choose_fits
from flowgrad.gradient.smooth.lattice_fits import LatticeFits
from flowgrad.gradient.smooth.nearest_fits import NearestFits, powers_by_degree
from flowgrad.gradient.smooth.nearest_ladder import NearestLadder
from flowgrad.gradient.smooth.neighbours import Nearest

N = 40


def vortices(x, y):
    return np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0 * x], axis=-1)


def gradient_of_vortices(x, y):
    L = np.zeros((len(x), 3, 3))
    L[:, 0, 0], L[:, 0, 1] = np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)
    L[:, 1, 0], L[:, 1, 1] = np.sin(x) * np.sin(y), -np.cos(x) * np.cos(y)
    return L


def lattice(n=N):
    x = np.linspace(0, 2 * np.pi, n)
    return Lattice.rectilinear(x, x)


def scattered(n=1200, seed=0):
    return np.column_stack([np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, 2)), np.zeros(n)])


def noisy(sites, sigma=0.05, seed=0, **about):
    at = sites.points if isinstance(sites, Lattice) else sites
    e = np.random.default_rng(seed).normal(size=at.shape) * [1, 1, 0]
    velocity = vortices(*at.T[:2]) + sigma * e
    if isinstance(sites, Lattice):
        return Flow(sites, velocity, "points", **about)
    return Flow.from_arrays(at, None, velocity, **about)


def wrong_by(gradient, truth=None):
    points = gradient.flow.mesh.points
    truth = gradient_of_vortices(*points.T[:2]) if truth is None else truth
    square = ((gradient.L - truth) ** 2).sum(axis=(1, 2))[gradient.valid]
    return np.sqrt(square.mean() / (truth**2).sum(axis=(1, 2)).mean())


def polynomial(at, degree):
    """A vector field of a degree and its gradient."""
    x, y, z = at.T
    v = np.stack([(x + 2 * y) ** degree, (x - y + 0.5 * z) ** degree, 0 * x + 1], axis=1)
    f, g = degree * (x + 2 * y) ** (degree - 1), degree * (x - y + 0.5 * z) ** (degree - 1)
    L = np.zeros((len(at), 3, 3))
    L[:, 0, 0], L[:, 0, 1] = f, 2 * f
    L[:, 1] = g[:, None] * [1, -1, 0.5]
    return v, L


@pytest.mark.parametrize("degree", [1, 3, 5])
@pytest.mark.parametrize("with_holes", [False, True])
def test_fits_on_a_lattice_are_exact_for_polynomials_up_to_ends_and_around_holes(degree, with_holes):
    x = np.cumsum(np.random.default_rng(1).uniform(0.5, 1.5, 16)) / 16
    sites = Lattice.rectilinear(x, np.linspace(0, 1, 14), x[:13])
    v, L = polynomial(sites.points, degree)
    holes = (sites.points < sites.points.mean(axis=0) * 0.7).all(axis=1) if with_holes else None
    if with_holes:
        assert holes.any()
    fits = LatticeFits(sites, np.where(holes[:, None], 0, v) if with_holes else v, holes)
    found = fits.gradient((degree, 4, 4, 4))
    known = ~holes if with_holes else slice(None)
    np.testing.assert_allclose(found[known], L[known], atol=1e-9 * np.abs(L).max())


def test_fits_on_a_periodic_axis_go_around_it():
    sites = Lattice.uniform((24, 5), 2 * np.pi / 24, periodic=(True, False))
    x = sites.points[:, 0]
    fits = LatticeFits(sites, np.column_stack([np.sin(x), np.cos(x), 0 * x]))
    found = fits.gradient((5, 4, 2))
    slope = found[:, 0, 0] / np.where(np.abs(np.cos(x)) > 1e-9, np.cos(x), np.nan)
    assert np.nanstd(slope) < 1e-9, "one window serves all places"
    assert np.nanmean(slope) == pytest.approx(2 * np.pi / 24, rel=2e-3)


@pytest.mark.parametrize(("degree", "rank"), [(1, 2), (3, 2), (5, 2), (2, 3), (3, 3)])
def test_fits_to_the_nearest_samples_are_exact_for_polynomials(degree, rank):
    at = np.random.default_rng(2).uniform(size=(400, 3)) * ([1, 1, 1] if rank == 3 else [1, 1, 0])
    v, L = polynomial(at, degree)
    at = at[:, :rank]
    fits = NearestFits(at, np.zeros(400, bool), at, Nearest(cKDTree(at), at), (degree, 90))
    np.testing.assert_allclose(fits.differentiate(v), L[:, :, :rank], atol=1e-6 * np.abs(L).max())


def ladder_of(at, velocity, exact=None):
    near, distance = Nearest(cKDTree(at), at).nearest(401)[::-1]
    return NearestLadder(at, velocity, np.zeros(len(at), bool) if exact is None else exact, at, near, distance)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_slopes_from_moments_and_their_covariances_are_those_of_the_fits_themselves(rank):
    rng = np.random.default_rng(3)
    at, velocity, exact = rng.uniform(size=(500, rank)), rng.normal(size=(500, 2)), rng.uniform(size=500) < 0.1
    ladder = ladder_of(at, velocity, exact)
    around = Nearest(cKDTree(at), at)
    for key in [k for k in ladder.keys if k[1] > 2 * len(powers_by_degree(k[0], rank))]:
        fits = NearestFits(at, exact, at, around, key)
        np.testing.assert_allclose(ladder.gradient(key), fits.differentiate(velocity), rtol=1e-5, atol=1e-4)
        for pilot in (key, *ladder.pilots(key)):
            other = NearestFits(at, exact, at, around, pilot)
            noisy = ~exact[other.near] if pilot[1] < key[1] else ~exact[fits.near]
            n = noisy.shape[1]
            expected = np.einsum("mn,mnr,mnr->mr", noisy, fits.weights[:, :n], other.weights[:, :n])
            size = np.sqrt(ladder.variance(key, key) * ladder.variance(pilot, pilot))
            assert (np.abs(ladder.variance(key, pilot) - expected) <= 1e-5 * size).all()


@pytest.mark.parametrize("rank", [2, 3])
def test_every_fit_but_that_of_least_bias_has_one_of_less_beside_it(rank):
    ladder = ladder_of(np.random.default_rng(4).uniform(size=(1500, rank)), np.zeros((1500, 1)))
    highest = max(degree for degree, _ in ladder.keys)
    least = (highest, min(count for degree, count in ladder.keys if degree == highest))
    assert [key for key in ladder.keys if not ladder.pilots(key)] == [least]
    assert max(degree for degree, _ in ladder.pilots(min(ladder.keys))) > 1


def test_the_variance_of_fits_is_that_of_thousands_of_draws():
    sites, rng = lattice(16), np.random.default_rng(0)
    draws = rng.normal(size=(256, 4000))
    fits = LatticeFits(sites, np.ones((256, 3)))
    first, second = fits.derivatives(draws, (3, 4, 4)), fits.derivatives(draws, (1, 2, 6))
    near = {"rtol": 0.25, "atol": 0.02 * float(first.var())}
    np.testing.assert_allclose((first**2).mean(axis=1), fits.variance((3, 4, 4), (3, 4, 4)), **near)
    np.testing.assert_allclose((first * second).mean(axis=1), fits.variance((3, 4, 4), (1, 2, 6)), **near)
    at = scattered(300)[:, :2]
    fits = ladder_of(at, rng.normal(size=(300, 2000)))
    key = (3, 37)
    pilot = fits.pilots(key)[0]
    wide = np.sqrt(fits.variance(key, key) * fits.variance(pilot, pilot))
    product = (fits.gradient(key) * fits.gradient(pilot)).mean(axis=1)
    assert np.abs(product - fits.variance(key, pilot)).max() < 0.15 * wide.max()


@pytest.mark.parametrize("sites", [lattice(), scattered()], ids=["lattice", "scattered"])
def test_auto_smooths_noisy_velocities_and_says_so(sites):
    flow = noisy(sites)
    gradient = velocity_gradient(flow)
    assert gradient.scheme == "smooth"
    assert "noise of the velocity found in it" in gradient.reason
    assert any("fits chosen" in note for note in gradient.notes)
    before = velocity_gradient(flow, "finite-difference(order=2)")
    assert wrong_by(gradient) < 0.25 * wrong_by(before)


@pytest.mark.parametrize("sites", [lattice(), scattered()], ids=["lattice", "scattered"])
def test_nothing_is_smoothed_without_noise(sites):
    flow = noisy(sites, 0.0)
    expected = velocity_gradient(flow, "finite-difference(order=2)")
    auto, asked = velocity_gradient(flow), velocity_gradient(flow, "smooth")
    assert auto.scheme == "finite-difference(order=2)"
    np.testing.assert_array_equal(auto.L, expected.L)
    np.testing.assert_array_equal(asked.L, expected.L)
    assert any("nothing is smoothed" in note for note in asked.notes)


@pytest.mark.parametrize("sites", [lattice(), scattered()], ids=["lattice", "scattered"])
def test_the_choice_is_near_the_best_single_fit(sites):
    flow = noisy(sites)
    chosen = wrong_by(velocity_gradient(flow, "smooth"))
    at = flow.mesh.points[:, :2]
    fits = LatticeFits(sites, flow.velocity) if isinstance(sites, Lattice) else ladder_of(at, flow.velocity)
    truth = gradient_of_vortices(*at.T)[:, :2, :2]
    errors = [((fits.gradient(key)[:, :2] - truth) ** 2).sum(axis=(1, 2)).mean() for key in fits.keys]
    best = np.sqrt(min(errors) / (truth**2).sum(axis=(1, 2)).mean())
    assert chosen < 1.15 * best


@pytest.mark.parametrize("sites", [lattice(), scattered()], ids=["lattice", "scattered"])
def test_intervals_cover_the_truth(sites):
    inside = []
    for seed in range(3):
        gradient = velocity_gradient(noisy(sites, seed=seed), "smooth")
        truth = gradient_of_vortices(*gradient.flow.mesh.points.T[:2])[:, :2, :2]
        inside.append(np.abs(gradient.L[:, :2, :2] - truth) < 1.96 * gradient.std("L")[:, :2, :2])
    assert 0.90 < np.mean(inside) < 0.99


def test_the_result_is_linear_in_the_samples_once_chosen():
    flow = noisy(lattice(20))
    operator = parse_smooth().prepare(flow, "points")
    stacked = np.stack([matrix @ flow.velocity for matrix in operator.matrices], axis=-1)
    np.testing.assert_allclose(stacked, operator.vectors(flow.velocity), atol=1e-12)
    assert not operator.takes(flow.velocity + 1e-9)
    cloud = noisy(scattered(300))
    operator = parse_smooth().prepare(cloud, "points")
    stacked = np.stack([matrix @ cloud.velocity for matrix in operator.matrices], axis=-1)
    np.testing.assert_allclose(stacked, operator.vectors(cloud.velocity), atol=1e-10)


def parse_smooth():
    from flowgrad.gradient import SmoothFits

    return SmoothFits()


def test_the_gradient_turns_with_the_lattice_and_scales():
    R = Rotation.from_rotvec([0.3, -0.5, 0.8]).as_matrix()
    sites = lattice(24)
    flow = noisy(sites)
    L = velocity_gradient(flow, "smooth").L
    z = np.random.default_rng(9).normal(size=(len(L), 1)) * [0, 0, 0.05]
    flow = dataclasses.replace(flow, velocity=flow.velocity + z)
    turned = Lattice(sites.axes, sites.steps @ R.T, sites.origin)
    turned_L = velocity_gradient(Flow(turned, flow.velocity @ R.T, "points", noise=0.05), "smooth").L
    given = velocity_gradient(dataclasses.replace(flow, noise=0.05), "smooth").L
    np.testing.assert_allclose(turned_L, R @ given @ R.T, atol=1e-9)
    flow = noisy(sites)
    scaled = Flow(Lattice.rectilinear(*(1e-3 * a.coordinates for a in sites.axes[:2])), 1e6 * flow.velocity, "points")
    np.testing.assert_allclose(velocity_gradient(scaled, "smooth").L, 1e9 * L, rtol=1e-6, atol=1e-2)


def test_outliers_have_no_part_and_are_written(tmp_path):
    clean = noisy(lattice(), 0.03)
    velocity = clean.velocity.copy()
    bad = np.random.default_rng(7).choice(len(velocity), 60, replace=False)
    velocity[bad, 0] += 1.5
    gradient = velocity_gradient(Flow(clean.mesh, velocity, "points"))
    assert any("60 of 1600 velocities are outliers" in note for note in gradient.notes)
    assert wrong_by(gradient) < 1.2 * wrong_by(velocity_gradient(clean))
    write(tmp_path / "out.vtu", gradient, quantities=["L"])
    again = read(tmp_path / "out.vtu")
    np.testing.assert_array_equal(np.flatnonzero(again.point_data["outlier"]), np.sort(bad))


def test_masked_bodies_are_gone_around_and_missing_vectors_bridged():
    flow = noisy(lattice(), 0.03)
    x, y = flow.mesh.points.T[:2]
    body = np.hypot(x - 3, y - 3) < 0.7
    velocity = np.where(body[:, None], np.nan, flow.velocity)
    velocity[[100, 1500]] = np.nan
    gradient = velocity_gradient(Flow(flow.mesh, velocity, "points"), "smooth")
    assert not gradient.valid[body].any()
    assert not gradient.valid[[100, 1500]].any()
    assert gradient.valid.sum() == len(x) - body.sum() - 2
    assert wrong_by(gradient) < 0.2


def test_an_outlier_beside_a_body_has_no_gradient_rather_than_a_wrong_one():
    flow = noisy(lattice(), 0.03)
    x, y = flow.mesh.points.T[:2]
    body = np.hypot(x - 3, y - 3) < 0.7
    velocity = np.where(body[:, None], np.nan, flow.velocity)
    beside = int(np.argmin(np.where(body, np.inf, np.hypot(x - 3, y - 3))))
    velocity[beside] += [2, 0, 0]
    gradient = velocity_gradient(Flow(flow.mesh, velocity, "points"), "smooth")
    assert gradient.flow.outlier[beside]
    assert not gradient.valid[beside]


def test_a_field_fine_in_one_place_is_smoothed_less_there():
    sites = Lattice.uniform((64, 64), 1 / 63)
    x, y = sites.points.T[:2]
    swirl = 8 * np.exp(-((x - 0.25) ** 2 + (y - 0.5) ** 2) / (2 * 0.05**2))
    exact = np.stack([-(y - 0.5) * swirl, (x - 0.25) * swirl], axis=1)
    velocity = exact + 0.02 * np.random.default_rng(0).normal(size=exact.shape)
    fits = LatticeFits(sites, np.column_stack([velocity, 0 * x]))
    choice = choose_fits(fits, np.full((len(x), 2), 0.02))
    reach = np.array([np.sqrt(m * k) for _, m, k in fits.keys])[choice.number]
    core, far = np.hypot(x - 0.25, y - 0.5) < 0.06, x > 0.7
    assert np.mean(reach[core]) < 0.6 * np.mean(reach[far])


def test_meshes_of_solvers_are_never_smoothed_by_auto(data):
    flow = read(data / "cavity.vtu")
    e = 0.05 * np.random.default_rng(0).normal(size=flow.velocity.shape)
    assert velocity_gradient(dataclasses.replace(flow, velocity=flow.velocity + e)).scheme != "smooth"


def test_noise_that_is_larger_than_the_signal_leaves_intervals_that_hold():
    gradient = velocity_gradient(noisy(lattice(), 3.0))
    truth = gradient_of_vortices(*gradient.flow.mesh.points.T[:2])[:, :2, :2]
    inside = np.abs(gradient.L[:, :2, :2] - truth) < 1.96 * gradient.std("L")[:, :2, :2]
    assert inside.mean() > 0.6
    assert wrong_by(gradient) < 2


@pytest.mark.parametrize("start", [-1.0, 0.0])
def test_masked_noise_about_an_axis_gives_errors(start):
    """Voxels outside a pipe have no velocity: matrices still have their columns, and L all its errors inside."""
    lattice = Lattice.rectilinear(np.linspace(0, 2, 25), np.linspace(start, 1, 21))
    r = np.abs(lattice.points[:, 1])
    u = np.where(r < 0.75, 1 - r**2, np.nan) + 0.01 * np.random.default_rng(1).normal(size=len(r))
    flow = Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points", noise=0.01, axisymmetric="x")
    gradient = velocity_gradient(flow, steady=True)
    low, high = (each[gradient.valid] for each in gradient.interval("shear_rate"))
    true = 2 * r[gradient.valid]
    assert np.isfinite(low + high).all()
    assert len(true) == (r < 0.75).sum()
    assert np.mean((low <= true) & (true <= high)) > 0.85
