"""The viscosity of the solvent from the balance of momentum, on flows whose forces are known in closed form."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import (
    Cells,
    Flow,
    Lattice,
    Mesh,
    MeshError,
    OptionError,
    VelocityGradient,
    read,
    separate,
    velocity_gradient,
)
from flowgrad.exact import ABC
from flowgrad.gradient import Stored

POLYMER, SOLVENT = 0.4, 0.15


def cellular(n, shift=(0.0, 0.0)):
    """v = (sin x cos y, −cos x sin y) on (0, 3)² of n × n quads, L exact: ∇²v = −2v and (v·∇)v = −∇p."""
    lattice = Lattice.uniform((n + 1, n + 1), 3 / n)
    x, y, _ = lattice.centroids.T + np.array([[*shift, 0.0]]).T
    velocity = np.column_stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0 * x])
    L = np.zeros((len(x), 3, 3))
    L[:, 0, 0], L[:, 0, 1] = np.cos(x) * np.cos(y), -np.sin(x) * np.sin(y)
    L[:, 1, 0], L[:, 1, 1] = -L[:, 0, 1], -L[:, 0, 0]
    flow = Flow(Mesh(lattice.points, lattice.cells), velocity, "cells")
    return VelocityGradient(L, flow), 0.5 * (np.cos(x) ** 2 + np.cos(y) ** 2), 2.0


def beltrami(n):
    """The ABC flow in a box: ∇²v = −v, p = −|v|²/2."""
    lattice = Lattice.uniform((n + 1,) * 3, 2.5 / n)
    places = lattice.centroids
    exact = velocity_gradient(ABC(), at=places)
    velocity = ABC()(places)
    flow = Flow(Mesh(lattice.points, lattice.cells), velocity, "cells")
    return VelocityGradient(exact.L, flow), -0.5 * (velocity**2).sum(axis=1), 1.0


def solved(case, pressure=True, solvent=SOLVENT, **changes):
    gradient, p, decay = case
    force = decay * (POLYMER + solvent) * gradient.flow.velocity
    known = {"stress": 2 * POLYMER * gradient.D, "body_force": force, "pressure": p if pressure else None}
    return separate(gradient, **{**known, **changes}).balance


@pytest.mark.parametrize("pressure", [True, False])
@pytest.mark.parametrize(("case", "error"), [(cellular(40), 0.001), (beltrami(24), 0.007)], ids=["plane", "space"])
def test_a_solvent_is_found_with_and_without_the_pressure(case, error, pressure):
    balance = solved(case, pressure)
    assert balance.viscosity == pytest.approx(SOLVENT, rel=error)
    assert balance.unbalanced < 0.005 < 0.1 < balance.without
    assert balance.pressure == ("given" if pressure else "")
    assert solved(case, pressure, solvent=0.0).viscosity == pytest.approx(0, abs=error * POLYMER)


@pytest.mark.parametrize("pressure", [True, False])
def test_gradients_at_points_serve_as_well(pressure):
    x, y, _ = (lattice := Lattice.uniform((41, 41), 3 / 40)).points.T
    velocity = np.column_stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)])
    gradient = velocity_gradient(Flow.from_arrays(lattice.points, lattice.cells, velocity), "autodiff", at="points")
    p = 0.5 * (np.cos(x) ** 2 + np.cos(y) ** 2)
    assert solved((gradient, p, 2.0), pressure).viscosity == pytest.approx(SOLVENT, rel=0.02)


@pytest.mark.parametrize("pressure", [True, False])
def test_the_order_of_convergence_is_two_or_more(pressure):
    coarse, fine = (abs(solved(cellular(n), pressure).viscosity - SOLVENT) for n in (24, 48))
    assert fine < coarse / 3.5


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_turned_and_scaled_flows_have_the_same_solvent(scale):
    gradient, p, decay = beltrami(16)
    plain = solved((gradient, p, decay))
    Q, flow = Rotation.random(random_state=3).as_matrix(), gradient.flow
    turned = Flow(Mesh(scale * flow.mesh.points @ Q.T, flow.mesh.cells), scale * flow.velocity @ Q.T, "cells")
    other = VelocityGradient(Q @ gradient.L @ Q.T, turned)
    force = decay * (POLYMER + SOLVENT) * turned.velocity
    stress = scale**2 * 2 * POLYMER * other.D
    balance = separate(other, stress=stress, body_force=force, pressure=scale**2 * p).balance
    assert balance.tests == plain.tests
    assert balance.viscosity == pytest.approx(scale**2 * plain.viscosity, rel=1e-6)


def test_a_density_makes_it_dynamic():
    plain, dense = (solved(cellular(24), density=density) for density in (None, 1000.0))
    assert dense.viscosity == pytest.approx(1000 * plain.viscosity, rel=1e-12)


def test_the_interval_covers_the_solvent_where_the_stress_is_noisy():
    gradient, p, decay = cellular(24)
    hits = 0
    for seed in range(15):
        noise = np.random.default_rng(seed).normal(scale=0.2, size=(len(gradient), 3, 3))
        balance = solved((gradient, p, decay), stress=2 * POLYMER * gradient.D + noise + np.swapaxes(noise, 1, 2))
        hits += balance.interval[0] <= SOLVENT <= balance.interval[1]
    assert hits >= 13


def test_cells_without_a_value_take_no_part():
    gradient, p, decay = cellular(40)
    stress = 2 * POLYMER * gradient.D
    stress[::97] = np.nan
    balance = solved((gradient, p, decay), stress=stress)
    assert 0 < balance.tests < solved((gradient, p, decay)).tests
    assert balance.viscosity == pytest.approx(SOLVENT, rel=0.02)


@pytest.mark.parametrize("scheme", [Stored("grad(U)", transposed=True), "auto"], ids=["stored", "own"])
def test_the_solvent_of_the_maxwell_fluid(data, scheme):
    """ν = 0.1 beside ν_M = 1, driven by a body force 5 along x; λ from N1 beside it."""
    gradient = velocity_gradient(read(data / "planarPoiseuille_Maxwell.vtu"), scheme)
    separation = separate(gradient, stress="-sigma", body_force=(5, 0, 0))
    assert separation.balance.viscosity == pytest.approx(0.1, rel=0.02)
    assert separation.eta_newtonian == pytest.approx(1, rel=0.01)
    assert separation.evidence["balance_share"] == pytest.approx(0.1 / 1.1, rel=0.02)
    assert separation.evidence["relaxation_time"] == pytest.approx(5, rel=0.02)
    assert "9.08 % of the whole" in separation.sentence
    assert any("takes the pressure p" in note for note in separation.notes)
    assert any("steady" in note for note in separation.notes)


def test_a_gradient_force_tells_nothing_where_the_pressure_is_unknown(data):
    flow = read(data / "planarPoiseuille_Maxwell.vtu")
    without = Flow(flow.mesh, flow.velocity, "cells", cell_data={"sigma": flow.cell_data["sigma"]})
    separation = separate(velocity_gradient(without), stress="-sigma", body_force=(5, 0, 0))
    assert not separation.balance.is_determined
    assert "give --pressure" in separation.notes[0]
    assert "does not determine" in separation.sentence


def test_the_viscosity_of_the_solver_balances_the_cavity(data):
    gradient = velocity_gradient(read(data / "cavity.vtu", boundary=str(data / "boundary/cavity/*.vtp")))
    whole = separate(gradient, viscosity=0.01, body_force=(0, 0, 0))
    assert whole.balance.viscosity == pytest.approx(0, abs=5e-5)
    assert "holds without any other viscosity" in whole.sentence
    half = separate(gradient, viscosity=0.005, body_force=(0, 0, 0), density=1000.0)
    assert half.balance.viscosity == pytest.approx(5.0, rel=0.01)
    double = separate(gradient, viscosity=0.02, body_force=(0, 0, 0))
    assert "negative viscosity" in double.sentence


def test_what_does_not_fit_is_refused(data):
    gradient, p, _ = cellular(12)
    stress = 2 * gradient.D
    for known, message in (
        ({"stress": stress, "body_force": (1, 2)}, "three finite numbers"),
        ({"stress": stress, "body_force": (1, 2, np.nan)}, "three finite numbers"),
        ({"body_force": (1, 0, 0)}, "beside a known stress"),
        ({"stress": stress, "pressure": p}, "give body_force"),
        ({"stress": stress, "body_force": (1, 0, 0), "pressure": "q"}, "no array 'q'"),
        ({"stress": stress, "body_force": (1, 0, 0), "pressure": p[:5]}, "5 values"),
    ):
        with pytest.raises(OptionError, match=message):
            separate(gradient, **known)
    with pytest.raises(OptionError, match="not L alone"):
        separate(VelocityGradient(gradient.L), stress=stress, body_force=(1, 0, 0))
    scattered = Flow(Mesh(gradient.flow.mesh.centroids, Cells.empty()), gradient.flow.velocity, "points")
    with pytest.raises(MeshError, match="needs the cells"):
        solved((VelocityGradient(gradient.L, scattered), p, 1.0))


def test_a_flow_of_few_cells_determines_nothing():
    balance = solved(cellular(4))
    assert (balance.tests, balance.is_determined) == (0, False)
    assert "too coarse" in balance.notes[0]


def test_two_arrays_that_may_be_the_pressure_are_one_too_many():
    gradient, p, _ = cellular(12)
    flow = gradient.flow
    both = Flow(flow.mesh, flow.velocity, "cells", cell_data={"p": p, "pressure": p})
    with pytest.raises(OptionError, match="p and pressure may be the pressure"):
        separate(VelocityGradient(gradient.L, both), viscosity=1.0, body_force=(0, 0, 0))
