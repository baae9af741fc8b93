"""Flows in slits and pipes obey their law, the balance of forces and the flow rates of the literature."""

from itertools import pairwise

import numpy as np
import pytest

from flowgrad import VelocityGradient
from flowgrad.autodiff import numpy_backend
from flowgrad.exact import Couette, PipePoiseuille, PlanePoiseuille

LAWS = [
    {"K": 0.7},
    {"K": 0.7, "n": 0.5},
    {"K": 0.7, "n": 1.4},
    {"K": 0.7, "tau0": 0.4},
    {"K": 0.7, "n": 0.6, "tau0": 0.4},
    {"K": 0.7, "n": 1.5, "tau0": 0.4},
]
FLOWS = [PlanePoiseuille(1.9, half_gap=1.3, **law) for law in LAWS]
FLOWS += [PipePoiseuille(1.9, radius=1.3, **law) for law in LAWS]


def distance(flow, x):
    return np.abs(x[:, 1]) if isinstance(flow, PlanePoiseuille) else np.hypot(x[:, 0], x[:, 1])


def rate(flow, x):
    return VelocityGradient(flow.gradient(x))["shear_rate"]


def speed(flow, r):
    x = np.zeros((len(r), 3))
    x[:, 1] = r
    return np.abs(flow(x)).max(axis=1)


def integral(f, edges):
    """By Gauss and Legendre in each piece."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    return sum((b - a) / 2 * (weights * f((a + b) / 2 + (b - a) / 2 * nodes)).sum() for a, b in pairwise(edges))


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_the_stress_of_the_law_balances_the_pressure(flow):
    x = flow.samples(500)
    r, found = distance(flow, x), rate(flow, x)
    plug = r < flow.plug
    assert not flow.gradient(x)[plug].any()
    np.testing.assert_allclose(flow(x)[plug], np.broadcast_to(flow([0, 0, 0]), (plug.sum(), 3)), rtol=1e-14)
    stress = flow.tau0 + flow.K * found**flow.n
    np.testing.assert_allclose(stress[~plug], flow.pressure_gradient * r[~plug] / flow.per_wall, rtol=1e-12)


@pytest.mark.parametrize("flow", FLOWS, ids=str)
def test_at_the_wall_the_fluid_is_at_rest_and_sheared(flow):
    wall = np.array([[0, flow.wall, 0.3], [0, -flow.wall, 0]])
    np.testing.assert_allclose(flow(wall), 0, atol=1e-14)
    stress = flow.pressure_gradient * flow.wall / flow.per_wall
    np.testing.assert_allclose(flow.wall_shear_rate, ((stress - flow.tau0) / flow.K) ** (1 / flow.n), rtol=1e-13)
    np.testing.assert_allclose(rate(flow, wall), flow.wall_shear_rate, rtol=1e-13)


def test_newtonian_flow_rates():
    """Batchelor 1967, §4.2: πGR⁴/(8η) in a pipe, 2Gh³/(3η) per width of a slit."""
    pipe, slit = PipePoiseuille(1.9, 0.7, radius=1.3), PlanePoiseuille(1.9, 0.7, half_gap=1.3)
    flow_rate = integral(lambda r: 2 * np.pi * r * speed(pipe, r), [0, 1.3])
    np.testing.assert_allclose(flow_rate, np.pi * 1.9 * 1.3**4 / (8 * 0.7), rtol=1e-13)
    np.testing.assert_allclose(2 * integral(lambda r: speed(slit, r), [0, 1.3]), 2 * 1.9 * 1.3**3 / 2.1, rtol=1e-13)


def test_bingham_flow_rate_is_that_of_buckingham():
    """Buckingham 1921, Proc. ASTM 21, 1154: Q = πGR⁴/(8η) (1 − 4φ/3 + φ⁴/3), φ = τ0/τ_w."""
    pipe = PipePoiseuille(1.9, 0.7, tau0=0.4, radius=1.3)
    phi = pipe.plug / 1.3
    flow_rate = integral(lambda r: 2 * np.pi * r * speed(pipe, r), [0, pipe.plug, 1.3])
    expected = np.pi * 1.9 * 1.3**4 / (8 * 0.7) * (1 - 4 * phi / 3 + phi**4 / 3)
    np.testing.assert_allclose(flow_rate, expected, rtol=1e-12)


@pytest.mark.parametrize("n", [0.25, 0.5, 1.0])
def test_wall_shear_rate_is_that_of_rabinowitsch(n):
    """Rabinowitsch 1929, Z. Phys. Chem. A 145, 1: γ̇_w = (3n + 1)/(4n) 4Q/(πR³) for a power law."""
    pipe = PipePoiseuille(1.9, 0.7, n, radius=1.3)
    flow_rate = integral(lambda r: 2 * np.pi * r * speed(pipe, r), [0, 1.3])
    np.testing.assert_allclose(pipe.wall_shear_rate, (3 * n + 1) / (4 * n) * 4 * flow_rate / (np.pi * 1.3**3))


def test_nothing_flows_below_the_yield_stress():
    flow = PipePoiseuille(1.0, tau0=0.6)
    assert flow.plug > flow.wall
    assert not flow(flow.samples(20)).any()
    assert not flow.gradient(flow.samples(20)).any()
    assert flow.wall_shear_rate == 0


@pytest.mark.parametrize(("n", "expected"), [(1.0, -0.5), (1 / 3, 0.0), (0.4, 0.0)])
def test_curvature_at_the_axis(n, expected):
    second = numpy_backend.second_derivatives(PipePoiseuille(n=n), np.zeros((1, 3)), None)[0]
    np.testing.assert_allclose(second[2], np.diag([expected, expected, 0]), atol=1e-15)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_length_and_stress_do_not_matter(scale):
    law = {"n": 0.6, "tau0": 0.1}
    unit, scaled = PipePoiseuille(**law), PipePoiseuille(**law, pressure_gradient=1 / scale, radius=scale)
    x = unit.samples(50)
    np.testing.assert_allclose(scaled(scale * x), scale * unit(x), rtol=1e-12)
    np.testing.assert_allclose(scaled.gradient(scale * x), unit.gradient(x), rtol=1e-10)


def test_couette_carries_the_wall():
    flow = Couette(speed=3.0, gap=0.2)
    np.testing.assert_allclose(flow([[1.0, 0.0, 0.0], [0.0, 0.2, 5.0]]), [[0, 0, 0], [3, 0, 0]], atol=1e-15)
    assert np.isnan(flow([[0, -1e-6, 0], [0, 0.200001, 0]])).all()
