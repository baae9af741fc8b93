"""Viscosity from velocity alone: flows whose fluid is known."""

import dataclasses

import numpy as np
import pytest

from flowgrad import (
    Flow,
    Identification,
    Lattice,
    Mesh,
    OptionError,
    Series,
    VelocityGradient,
    Verdict,
    identify_viscosity,
)
from flowgrad.mesh.generate import block
from flowgrad.rheology.models import Carreau, Newtonian, PowerLaw


def _stirred(x, y):
    """ψ = sin x sin y + 0.3 sin 2x cos y: velocity (∂ψ/∂y, −∂ψ/∂x), its gradient, its second derivatives."""
    sx, cx, sy, cy = np.sin(x), np.cos(x), np.sin(y), np.cos(y)
    s2, c2 = np.sin(2 * x), np.cos(2 * x)
    return {
        (0, 1): sx * cy - 0.3 * s2 * sy,
        (1, 0): cx * sy + 0.6 * c2 * cy,
        (1, 1): cx * cy - 0.6 * c2 * sy,
        (2, 0): -sx * sy - 1.2 * s2 * cy,
        (0, 2): -sx * sy - 0.3 * s2 * cy,
        (3, 0): -cx * sy - 2.4 * c2 * cy,
        (2, 1): -sx * cy + 1.2 * s2 * sy,
        (1, 2): -cx * sy - 0.6 * c2 * cy,
        (0, 3): -sx * cy + 0.3 * s2 * sy,
    }


def _force(law, density, x, y):
    """Per mass, with which the stirring is a steady flow of the fluid without a pressure: f = L·v − ∇·(2ηD)/ρ."""
    p = _stirred(x, y)
    u, v = p[0, 1], -p[1, 0]
    a, b = p[1, 1], 0.5 * (p[0, 2] - p[2, 0])  # D_xx, D_xy
    rate = 2 * np.sqrt(a**2 + b**2)
    # derivatives of D_xx and D_xy along x and y
    ax, ay = p[2, 1], p[1, 2]
    bx, by = 0.5 * (p[1, 2] - p[3, 0]), 0.5 * (p[0, 3] - p[2, 1])
    eta = law.viscosity(rate)
    step = 1e-5
    slope = (law.viscosity(rate * (1 + step)) - law.viscosity(rate * (1 - step))) / (2 * step * rate)
    rx, ry = 4 * (a * ax + b * bx) / rate, 4 * (a * ay + b * by) / rate
    divergence = (
        2 * (eta * (ax + by) + slope * (rx * a + ry * b)),
        2 * (eta * (bx - ay) + slope * (rx * b - ry * a)),
    )
    convection = (u * p[1, 1] + v * p[0, 2], -u * p[2, 0] - v * p[1, 1])
    parts = [c - d / density for c, d in zip(convection, divergence, strict=True)]
    return np.column_stack([*parts, np.zeros(len(x))])


def stirred(n, law=None, density=1.0, scale=1.0):
    """The stirring on n by n points of 0.3 < x < 2.9, 0.4 < y < 2.6, with its exact gradient and force."""
    lattice = Lattice.rectilinear(np.linspace(0.3, 2.9, n) * scale, np.linspace(0.4, 2.6, n) * scale)
    x, y = lattice.points[:, 0] / scale, lattice.points[:, 1] / scale
    p = _stirred(x, y)
    velocity = scale * np.column_stack([p[0, 1], -p[1, 0], np.zeros(len(x))])
    L = np.zeros((len(x), 3, 3))
    L[:, 0, 0], L[:, 0, 1], L[:, 1, 0], L[:, 1, 1] = p[1, 1], p[0, 2], -p[2, 0], -p[1, 1]
    gradient = VelocityGradient(L, Flow(lattice, velocity, "points"))
    return gradient, None if law is None else scale * _force(law, density, x, y)


CARREAU = Carreau(0.2, 0.002, 3.0, 0.4)


def _misses(found: Identification, law) -> np.ndarray:
    return found.viscosity / law.viscosity(found.rate) - 1


@pytest.mark.parametrize("law", [Newtonian(0.05), CARREAU, PowerLaw(0.1, 0.5), PowerLaw(0.1, 1.4)])
def test_a_made_up_flow_gives_its_fluid_back(law):
    density = 3.0
    gradient, force = stirred(61, law, density)
    found = identify_viscosity(gradient, density=density, body_force=force, steady=True)
    assert found.is_absolute
    assert np.abs(_misses(found, law)).max() < 0.03
    # Low rates are found in a few cells only, around the points where nothing deforms.
    assert np.abs(_misses(found, law))[found.rate > 0.2 * found.rate[-1]].max() < 4e-3
    n = getattr(law, "n", 1.0)
    expected = Verdict.NEWTONIAN if n == 1 else Verdict.SHEAR_THINNING if n < 1 else Verdict.SHEAR_THICKENING
    assert found.verdict is expected
    assert (found.improvement > 10) == (n != 1)


def test_without_a_density_the_viscosity_is_kinematic():
    gradient, force = stirred(61, CARREAU)
    with_density = identify_viscosity(gradient, density=3.0, body_force=force)
    without = identify_viscosity(gradient, body_force=force)
    np.testing.assert_allclose(with_density.viscosity, 3 * without.viscosity)
    np.testing.assert_allclose(with_density.lower, 3 * without.lower)


def test_finer_meshes_come_nearer():
    errors = []
    for n in (31, 61):
        gradient, force = stirred(n, CARREAU)
        found = identify_viscosity(gradient, body_force=force)
        errors.append(np.median(np.abs(_misses(found, CARREAU))))
    assert errors[1] < errors[0] / 3


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_length_does_not_matter(scale):
    one, force = stirred(41, CARREAU)
    other, scaled = stirred(41, CARREAU, scale=scale)
    a = identify_viscosity(one, body_force=force)
    b = identify_viscosity(other, body_force=scaled)
    np.testing.assert_allclose(b.rate, a.rate, rtol=1e-6)
    np.testing.assert_allclose(b.viscosity, scale**2 * a.viscosity, rtol=1e-4)
    assert a.verdict is b.verdict


def test_the_frame_does_not_matter():
    gradient, force = stirred(41, CARREAU)
    Q = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    flow = gradient.flow
    turned = Flow(Mesh(flow.mesh.points @ Q.T, flow.mesh.cells), flow.velocity @ Q.T, "points")
    other = VelocityGradient(Q @ gradient.L @ Q.T, turned)
    a = identify_viscosity(gradient, body_force=force)
    b = identify_viscosity(other, body_force=force @ Q.T)
    np.testing.assert_allclose(b.viscosity, a.viscosity, rtol=1e-3)


def test_a_flow_that_changes_in_time_needs_its_rate():
    """The stirring swells as 1 + t: ∂v/∂t is the velocity at rest, and no gradient."""
    gradient, force = stirred(61, Newtonian(0.05))
    moving = force + gradient.flow.velocity
    known = identify_viscosity(gradient.supply(velocity_rate=gradient.flow.velocity), body_force=moving)
    assert np.abs(_misses(known, Newtonian(0.05))).max() < 5e-3
    ignored = identify_viscosity(gradient, body_force=moving)
    assert ignored.inference.misfit > 10 * known.inference.misfit


def test_steps_of_a_series_are_solved_together():
    """Vortices of Taylor and Green (1937) decay as exp(−2νt), which tells ν; their inertia is a gradient."""
    s, nu = np.linspace(0.2, 2.9, 61), 0.2
    lattice = Lattice.rectilinear(s, s)
    x, y, z = lattice.points.T
    velocity = np.column_stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0 * z])
    times = [0.0, 0.01, 0.02]
    series = Series.from_arrays(lattice, times, [velocity * np.exp(-2 * nu * t) for t in times])
    found = identify_viscosity(series, scheme="finite-difference(order=4)")
    assert found.is_absolute
    assert not any("steady" in note for note in found.notes)
    assert found.verdict is Verdict.NEWTONIAN
    np.testing.assert_allclose(found.viscosity, nu, rtol=0.01)


# Poiseuille's flow of a power-law fluid, from its profile alone.
@pytest.mark.parametrize("n", [0.4, 0.6, 1.5])
def test_a_profile_between_plates_gives_the_flow_index(n):
    y = np.linspace(-1, 1, 201)
    lattice = Lattice.rectilinear(np.linspace(0, 1, 2), y)
    u = 1 - np.abs(lattice.points[:, 1]) ** (1 + 1 / n)
    flow = Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points")
    found = identify_viscosity(flow, density=1.0, steady=True)
    assert not found.is_absolute
    power = next(fit for fit in found.fits if fit.model.name == "power-law")
    assert power.model.n == pytest.approx(n, rel=0.01)
    assert found.verdict is (Verdict.SHEAR_THINNING if n < 1 else Verdict.SHEAR_THICKENING)


def test_a_wide_channel_gives_the_flow_index():
    n = 0.5
    lattice = Lattice.rectilinear(np.linspace(0, 3, 73), np.linspace(-1, 1, 61))
    u = 1 - np.abs(lattice.points[:, 1]) ** (1 + 1 / n)
    found = identify_viscosity(Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points"))
    power = next(fit for fit in found.fits if fit.model.name == "power-law")
    assert power.model.n == pytest.approx(n, rel=0.01)


# A factor from outside.
@pytest.fixture(scope="module")
def channel() -> Flow:
    """Newtonian, u = 1 − y², one unit long and one deep."""
    lattice = Lattice.rectilinear(np.linspace(0, 1, 2), np.linspace(-1, 1, 101))
    u = 1 - lattice.points[:, 1] ** 2
    return Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points")


def test_creeping_flows_are_known_up_to_a_factor(channel):
    found = identify_viscosity(channel, density=1000.0, steady=True)
    assert not found.is_absolute
    assert found.verdict is Verdict.NEWTONIAN
    np.testing.assert_allclose(found.viscosity, 1, atol=1e-3)
    assert "common factor" in found.sentence


def test_a_known_viscosity_gives_the_factor(channel):
    found = identify_viscosity(channel, known=(1.0, 0.3))
    assert found.is_absolute
    np.testing.assert_allclose(found.viscosity, 0.3, rtol=1e-3)


def test_a_power_gives_the_factor(channel):
    """G = 2η drives the rate of flow 4/3 over unit length and depth: Δp Q = 8η/3."""
    found = identify_viscosity(channel, power=8 / 3 * 0.3)
    np.testing.assert_allclose(found.viscosity, 0.3, rtol=2e-2)


# What cannot be told.
def test_uniform_shear_tells_nothing():
    lattice = Lattice.rectilinear(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    y = lattice.points[:, 1]
    found = identify_viscosity(Flow(lattice, np.column_stack([y, 0 * y, 0 * y]), "points"))
    assert found.verdict is Verdict.NOT_DECIDED
    assert "Not decided" in found.sentence


def test_half_a_channel_suits_many_fluids():
    """ηu' = a + by for any a: only the whole profile says that a = 0."""
    lattice = Lattice.rectilinear(np.linspace(0, 1, 2), np.linspace(-1, -0.1, 101))
    u = 1 - lattice.points[:, 1] ** 2
    found = identify_viscosity(Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points"))
    assert found.verdict is Verdict.NOT_DECIDED


def test_a_motion_that_no_viscosity_explains_is_not_decided():
    gradient, _ = stirred(61)
    found = identify_viscosity(gradient, density=1.0)
    assert found.verdict is Verdict.NOT_DECIDED


@pytest.mark.parametrize("sigma", [0.01, 0.03])
@pytest.mark.parametrize(("law", "wrong"), [(Newtonian(0.05), "shear-thinning"), (CARREAU, "newtonian")])
def test_noise_does_not_change_the_class(law, wrong, sigma):
    gradient, force = stirred(81, law)
    flow = gradient.flow
    speed = np.linalg.norm(flow.velocity, axis=1, keepdims=True)
    noise = sigma * speed * np.random.default_rng(0).normal(size=flow.velocity.shape) * [1, 1, 0]
    found = identify_viscosity(dataclasses.replace(flow, velocity=flow.velocity + noise), body_force=force)
    assert found.gradient.scheme == "smooth"
    assert any("closes the balance best" in note for note in found.notes)
    assert found.verdict.value != wrong
    # Up to a factor.
    assert np.ptp(np.log(found.curve.viscosity / law.viscosity(found.rate))) < np.log(2)


# Bad input.
def test_flows_without_cells_are_refused():
    points = np.random.default_rng(0).random((50, 3))
    with pytest.raises(OptionError, match="cells"):
        identify_viscosity(Flow.from_arrays(points, None, points))


def test_coarse_flows_are_refused():
    lattice = Lattice.rectilinear(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
    y = lattice.points[:, 1]
    with pytest.raises(OptionError, match="finer mesh"):
        identify_viscosity(Flow(lattice, np.column_stack([y**2, 0 * y, 0 * y]), "points"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"density": -1.0}, "density is -1"),
        ({"power": 0.0}, "power is 0"),
        ({"known": (1.0, 1.0), "power": 1.0}, "two scales"),
        ({"known": (1e6, 1.0)}, "known at the shear rate 1e"),
        ({"body_force": [1.0, 2.0]}, "body force has the shape"),
    ],
)
def test_options_that_cannot_be_are_refused(channel, options, words):
    with pytest.raises(OptionError, match=words):
        identify_viscosity(channel, **options)


def _swirled(mesh, location, law, density):
    """The ABC flow of Dombre et al. (1986, J. Fluid Mech. 167, 353) on a mesh, with the force that keeps it steady."""
    A, B, C = 1.0, 0.8, 0.6
    x, y, z = (mesh.points if location == "points" else mesh.centroids).T

    def stress(x, y, z):
        o = np.zeros_like(x)
        L = np.stack([o, -C * np.sin(y), A * np.cos(z), B * np.cos(x), o, -A * np.sin(z)], axis=-1)
        L = np.concatenate([L, np.stack([-B * np.sin(x), C * np.cos(y), o], axis=-1)], axis=-1).reshape(-1, 3, 3)
        D = 0.5 * (L + L.transpose(0, 2, 1))
        return L, 2 * law.viscosity(np.sqrt(2 * np.einsum("nij,nij->n", D, D)))[:, None, None] * D

    v = np.column_stack([A * np.sin(z) + C * np.cos(y), B * np.sin(x) + A * np.cos(z), C * np.sin(y) + B * np.cos(x)])
    h, divergence = 1e-4, np.zeros_like(v)
    for j, step in enumerate(h * np.eye(3)):
        ahead, behind = (stress(*(np.array([x, y, z]) + sign * step[:, None]))[1] for sign in (1, -1))
        divergence += (ahead - behind)[:, :, j] / (2 * h)
    force = np.einsum("nij,nj->ni", stress(x, y, z)[0], v) - divergence / density
    return Flow(mesh, v, location), force


@pytest.mark.parametrize(("kind", "location"), [("hexahedron", "cells"), ("tetra", "points")])
def test_a_flow_in_space_gives_its_fluid_back(kind, location):
    flow, force = _swirled(block(kind, 20, np.pi), location, CARREAU, 3.0)
    found = identify_viscosity(flow, scheme="finite-difference(order=2)", density=3.0, body_force=force, steady=True)
    assert found.is_absolute
    assert found.verdict is Verdict.SHEAR_THINNING
    assert np.abs(_misses(found, CARREAU)).max() < 0.05


@pytest.mark.parametrize("location", ["cells", "points"])
def test_a_newtonian_flow_that_is_too_coarse_is_not_called_otherwise(location):
    law = Newtonian(0.05)
    flow, force = _swirled(block("hexahedron", 20, np.pi), location, law, 30.0)
    found = identify_viscosity(flow, scheme="finite-difference(order=1)", density=30.0, body_force=force, steady=True)
    assert found.verdict is Verdict.NOT_DECIDED
