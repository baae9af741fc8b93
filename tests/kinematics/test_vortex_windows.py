"""Γ1 and Γ2: closed forms, invariance, a vortex in noise, and what is not planar."""

import numpy as np
import pytest

from flowgrad import Flow, OptionError, VelocityGradient, velocity_gradient


def flow(function, n=41, seed=None, **about):
    """On a lattice in [−1, 1]², or on as many scattered points."""
    if seed is None:
        x = np.linspace(-1, 1, n)
        X, Y = np.meshgrid(x, x, indexing="ij")
        return Flow.on_lattice((x, x), np.stack(function(X, Y), axis=-1), **about)
    points = np.random.default_rng(seed).uniform(-1, 1, (n * n, 2))
    return Flow.from_arrays(points, None, np.stack(function(*points.T), axis=-1), **about)


def inside(found, values, size=0.7):
    return values[(np.abs(found.flow.mesh.points[:, :2]) < size).all(axis=1)]


def vortex(x, y, centre=(0.1, -0.2), core=0.25):
    """Lamb-Oseen's."""
    dx, dy = x - centre[0], y - centre[1]
    r2 = np.maximum(dx**2 + dy**2, 1e-300)
    speed = (1 - np.exp(-r2 / core**2)) / r2
    return -dy * speed, dx * speed


@pytest.mark.parametrize("sign", [1, -1])
def test_rigid_rotation_about_any_centre(sign):
    """Γ1 tells where the centre is, Γ2 does not."""
    found = velocity_gradient(flow(lambda x, y: (-sign * (y - 0.3), sign * (x + 5))))
    np.testing.assert_allclose(inside(found, found["gamma2"]), sign, rtol=1e-12)
    assert np.abs(inside(found, found["gamma1"])).max() < 0.05
    centred = velocity_gradient(flow(lambda x, y: (-sign * y, sign * x)))
    assert centred["gamma1"].reshape(41, 41)[20, 20] == pytest.approx(sign, rel=1e-12)


def test_shear_and_strain():
    """2/π in pure shear, less in strain (Graftieaux & al., §2.2), up to the window's few places."""
    shear = velocity_gradient(flow(lambda x, y: (y, 0 * x)))
    np.testing.assert_allclose(inside(shear, shear["gamma2"]), -2 / np.pi, rtol=0.06)
    strain = velocity_gradient(flow(lambda x, y: (x, -y)))
    np.testing.assert_allclose(inside(strain, strain["gamma2"]), 0, atol=1e-12)


def test_lattices_that_are_finer_along_one_axis():
    """Windows are of distance: no vortex in shear."""
    x, y = np.linspace(-1, 1, 81), np.linspace(-1, 1, 41)
    X, Y = np.meshgrid(x, y, indexing="ij")
    shear = velocity_gradient(Flow.on_lattice((x, y), np.stack([Y, 0 * X], axis=-1)))
    assert np.abs(inside(shear, shear["gamma2"])).max() < 2 / np.pi


def test_beside_a_gap():
    def masked(x, y):
        gap = (np.abs(x - 0.2) < 0.08) & (np.abs(y) < 0.08)
        return np.where(gap, np.nan, -y), np.where(gap, np.nan, x)

    found = velocity_gradient(flow(masked))
    known = inside(found, found["gamma2"])
    assert known[np.isfinite(known)].min() > 0.9


@pytest.mark.parametrize("seed", [None, 1])
def test_the_centre_of_a_vortex(seed):
    found = velocity_gradient(flow(vortex, seed=seed))
    centre = found["position"][np.nanargmax(found["gamma1"])]
    np.testing.assert_allclose(centre[:2], (0.1, -0.2), atol=0.05)
    assert np.nanmax(found["gamma1"]) > 0.95
    r = np.linalg.norm(found["position"][:, :2] - (0.1, -0.2), axis=1)
    core = found["gamma2"] > 2 / np.pi
    assert core[r < 0.2].all()
    assert not core[(r > 0.5) & (r < 0.7)].any()


def test_what_an_observer_sees():
    """Γ2 of a moving one is the same, both turn with the axes and are indifferent to scale."""
    exact = velocity_gradient(flow(vortex))
    found = exact["gamma2"]
    moved = velocity_gradient(
        flow(lambda x, y: tuple(1e3 * (v + d) for v, d in zip(vortex(x, y), (3, -2), strict=True)))
    )
    np.testing.assert_allclose(moved["gamma2"], found, atol=1e-10)
    turned = velocity_gradient(flow(lambda x, y: (-vortex(y, -x)[1], vortex(y, -x)[0])))
    np.testing.assert_allclose(np.sort(inside(turned, turned["gamma2"])), np.sort(inside(exact, found)), atol=1e-12)


def test_noise_moves_them_little():
    rng = np.random.default_rng(2)
    exact = velocity_gradient(flow(vortex))
    noisy = velocity_gradient(flow(lambda x, y: tuple(v + 0.2 * rng.standard_normal(x.shape) for v in vortex(x, y))))
    assert np.sqrt(np.mean(inside(noisy, noisy["gamma2"] - exact["gamma2"]) ** 2)) < 0.25


def test_holes_and_layers():
    def masked(x, y):
        return tuple(np.where(x > 0.8, np.nan, v) for v in vortex(x, y))

    found = velocity_gradient(flow(masked))
    hole = found["position"][:, 0] > 0.8
    assert np.isnan(found["gamma1"][hole]).all()
    away = (np.abs(found["position"][:, :2]) < 0.7).all(axis=1)
    assert np.isfinite(found["gamma1"][away]).all()


def test_uniform_flow_along_a_wall_is_no_vortex():
    found = velocity_gradient(flow(lambda x, y: (1 + 0 * x, 0 * x)))
    assert np.nanmax(np.abs(found["gamma1"])) < 0.4
    assert np.isnan(found["gamma1"].reshape(41, 41)[[0, -1]]).all()


def test_a_layer_of_cells():
    x = np.linspace(-1, 1, 21)
    X, Y, _ = np.meshgrid(x, x, [0.0, 0.1], indexing="ij")
    u, v = vortex(X, Y)
    layer = Flow.on_lattice((x, x, [0.0, 0.1]), np.stack([u, v, 0 * u], axis=-1))
    plane = Flow.on_lattice((x, x), np.stack([u, v], axis=-1)[:, :, 0])
    both = velocity_gradient(layer)["gamma2"].reshape(2, -1)
    alone = velocity_gradient(plane)["gamma2"]
    np.testing.assert_allclose(both, [alone, alone], atol=1e-12)


def test_what_they_need():
    x = np.linspace(0, 1, 5)
    solid = Flow.on_lattice((x, x, x), np.ones((5, 5, 5, 3)))
    with pytest.raises(OptionError, match="Γ1 and Γ2 are for planar flows"):
        velocity_gradient(solid)["gamma1"]
    with pytest.raises(OptionError, match="position is needed and not known"):
        VelocityGradient(np.eye(3)[None])["gamma2"]
