"""Viscosity from velocity alone where it is no function of the rate, where a plug hides the stress, where the flow
changes in time, where inertia hides the stress, and on stretched cells."""

import dataclasses

import numpy as np
import pytest

from flowgrad import Flow, Lattice, Verdict, identify_viscosity
from flowgrad.rheology.models import Carreau, Newtonian

_CLASSES = {Verdict.NEWTONIAN, Verdict.SHEAR_THINNING, Verdict.SHEAR_THICKENING, Verdict.MIXED, Verdict.YIELD_STRESS}


def _parallel(profile, lines=(41, 61), length=1.5):
    lattice = Lattice.rectilinear(np.linspace(0, length, lines[0]), np.linspace(-1, 1, lines[1]))
    u = profile(lattice.points[:, 1])
    return Flow(lattice, np.column_stack([u, 0 * u, 0 * u]), "points")


def _beyond(found, viscosity):
    """By how many standard errors the shape of η is off, at most."""
    misses = np.log(found.viscosity / viscosity(found.rate))
    return np.abs(misses - misses.mean()) / found.shape.errors


# Newtonian liquids whose viscosity differs from place to place.
def _two_layers(y, between=0.2, above=5.0):
    """ηu' = c − y with u(±1) = 0, η = 1 below and ``above`` it over y = ``between``."""

    def velocity(c):
        work = lambda s: c * s - s**2 / 2 + c + 0.5  # noqa: E731
        return np.where(y < between, work(y), work(between) + (work(y) - work(between)) / above)

    top = [velocity(c)[np.argmax(y)] for c in (0.0, 1.0)]
    return velocity(-top[0] / (top[1] - top[0]))


@pytest.mark.parametrize("lines", [(2, 201), (41, 61)])
@pytest.mark.parametrize("above", [5.0, 0.2])
def test_layers_of_newtonian_liquids_get_no_class(lines, above):
    found = identify_viscosity(_parallel(lambda y: _two_layers(y, above=above), lines), steady=True)
    assert found.verdict not in _CLASSES


@pytest.mark.parametrize("density", [1.0, 0.0])
@pytest.mark.parametrize("factor", [lambda x: np.exp(-3 * x[1]), lambda x: 1 + 4 * x[0] ** 2])
def test_a_heated_newtonian_cavity_gets_no_class(density, factor):
    pytest.importorskip("skfem", reason="the flow is solved for with scikit-fem")
    from scripts.flows.cases import GEOMETRIES
    from scripts.flows.solver import steady_flow

    cavity = GEOMETRIES["cavity"]
    flow = steady_flow(cavity.mesh(16), Newtonian(0.05), density, cavity.walls, cavity.velocity, factor=factor)
    found = identify_viscosity(flow, density=1.0, scheme="autodiff", steady=True)
    assert found.verdict not in _CLASSES
    assert found.evidence["beside_place"] < 0.7
    uniform = steady_flow(cavity.mesh(16), Newtonian(0.05), density, cavity.walls, cavity.velocity)
    assert identify_viscosity(uniform, scheme="autodiff", steady=True).verdict is Verdict.NEWTONIAN


# A plug, whose stress no velocity tells.
def _bingham(y, plug=0.3):
    return ((1 - plug) ** 2 - np.maximum(np.abs(y) - plug, 0) ** 2) / 2


def _casson(y, plug=0.3):
    work = lambda s: s**2 / 2 + plug * s - 4 / 3 * np.sqrt(plug) * s**1.5  # noqa: E731
    return work(1.0) - work(np.maximum(np.abs(y), plug))


@pytest.mark.parametrize("lines", [(2, 201), (41, 61)])
@pytest.mark.parametrize(
    ("profile", "viscosity"),
    [(_bingham, lambda rate: 1 + 0.3 / rate), (_casson, lambda rate: (np.sqrt(0.3 / rate) + 1) ** 2)],
)
def test_beside_a_plug_the_intervals_hold(profile, viscosity, lines):
    found = identify_viscosity(_parallel(profile, lines), steady=True)
    assert found.verdict in (Verdict.NOT_DECIDED, Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS)
    assert len(found.rate) < 2 or np.mean(_beyond(found, viscosity) > 2) <= 0.2


# What is taken for steady.
@pytest.mark.parametrize("drift", [0.0, 1.0])
def test_one_time_of_decaying_vortices_gets_no_class(drift):
    s = np.linspace(0.2, 2.9, 41)
    lattice = Lattice.rectilinear(s, s)
    x, y, z = lattice.points.T
    velocity = np.column_stack([drift + np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0 * z])
    found = identify_viscosity(Flow(lattice, velocity, "points"), steady=True)
    assert found.verdict not in _CLASSES


def test_a_parallel_flow_is_steady_only_where_that_is_said():
    """The start of a Newtonian channel's flow has the profile of some thinning fluid's steady one."""
    flow = _parallel(lambda y: 1 - y**2 - 0.8 * np.cos(np.pi * y / 2))
    found = identify_viscosity(flow)
    assert found.verdict is Verdict.NOT_DECIDED
    assert "--steady" in found.sentence
    steady = _parallel(lambda y: 1 - y**2)
    assert identify_viscosity(steady).verdict is Verdict.NOT_DECIDED
    assert identify_viscosity(steady, steady=True).verdict is Verdict.NEWTONIAN


# Inertia that hides the stress.
@pytest.mark.parametrize("law", [Newtonian(0.02), Carreau(0.2, 0.002, 3.0, 0.4)])
def test_balls_that_inertia_rules_count_less(law):
    from tests.momentum.test_identify import stirred

    gradient, force = stirred(61, law, 3.0)
    found = identify_viscosity(gradient, density=3.0, body_force=force, steady=True)
    inference = found.inference
    assert inference.left_out == 0
    assert inference.fit.growth < 2
    assert np.isfinite(found.lower).all()


# Stretched cells.
@pytest.mark.parametrize("n", [0.5, 1.0, 1.5])
def test_cells_of_aspect_20_give_the_flow_index(n):
    flow = _parallel(lambda y: 1 - np.abs(y) ** (1 + 1 / n), (9, 81), length=4.0)
    found = identify_viscosity(flow, steady=True)
    truth = found.rate ** (n - 1)
    misses = np.log(found.viscosity / truth)
    assert np.abs(misses - misses.mean()).max() < 0.02
    expected = Verdict.NEWTONIAN if n == 1 else Verdict.SHEAR_THINNING if n < 1 else Verdict.SHEAR_THICKENING
    assert found.verdict is expected


# What is left over by noise.
def test_intervals_are_wide_where_the_balance_does_not_close():
    from tests.momentum.test_identify import stirred

    gradient, force = stirred(41, Newtonian(0.5), 1.0)
    flow = gradient.flow
    noise = np.random.default_rng(0).normal(size=flow.velocity.shape) * [1, 1, 0]
    spoiled = dataclasses.replace(flow, velocity=flow.velocity + 0.5 * np.std(flow.velocity) * noise)
    found = identify_viscosity(spoiled, density=1.0, body_force=force, steady=True, scheme="finite-difference(order=2)")
    assert found.verdict is Verdict.NOT_DECIDED
    assert found.evidence["unbalanced"] > 0.1
    assert (found.upper >= 9.99 * found.viscosity).all()
    clean = identify_viscosity(gradient, density=1.0, body_force=force, steady=True)
    assert (clean.upper < 1.1 * clean.viscosity).all()
