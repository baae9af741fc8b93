"""Laminar pipe flow against the closed forms."""

import numpy as np
import pytest

from flowgrad import OptionError, pipe_flow
from flowgrad.rheology.models import Bingham, Carreau, Newtonian, PowerLaw


def test_a_newtonian_fluid_has_the_usual_reynolds_number():
    flow = pipe_flow(Newtonian(0.02), 1.5, 0.1, density=900.0)
    assert flow.reynolds_number == pytest.approx(900 * 1.5 * 0.1 / 0.02, rel=1e-12)
    assert flow.pressure_gradient == pytest.approx(32 * 0.02 * 1.5 / 0.1**2, rel=1e-12)
    assert flow.flow_index == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("n", [0.2, 0.5, 1.6])
def test_a_power_law_fluid_has_that_of_metzner_and_reed(n):
    K, V, D, rho = 2.0, 0.7, 0.05, 1100.0
    flow = pipe_flow(PowerLaw(K, n), V, D, rho)
    K_apparent = K * ((3 * n + 1) / (4 * n)) ** n
    assert flow.reynolds_number == pytest.approx(rho * V ** (2 - n) * D**n / (8 ** (n - 1) * K_apparent), rel=1e-9)
    assert flow.flow_index == pytest.approx(n, rel=1e-9)
    assert flow.wall_shear_rate == pytest.approx(8 * V / D * (3 * n + 1) / (4 * n), rel=1e-9)


@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.95])
def test_a_bingham_fluid_follows_buckingham_and_reiner(ratio):
    """8V/D = (τ_w/η)(1 − 4φ/3 + φ⁴/3), φ = τ0/τ_w (Buckingham 1921, Proc. ASTM 21, 1154)."""
    tau0, eta = 3.0, 0.1
    wall = tau0 / ratio
    apparent = wall / eta * (1 - 4 * ratio / 3 + ratio**4 / 3)
    flow = pipe_flow(Bingham(tau0, eta), apparent * 0.2 / 8, 0.2)
    assert flow.wall_shear_stress == pytest.approx(wall, rel=1e-9)


def test_the_law_may_be_text_and_units_change_nothing():
    law = Carreau(0.056, 0.00345, 3.313, 0.3568)
    flow = pipe_flow(str(law), 0.3, 0.01, 1060.0)
    length, time = 1e3, 1e-3
    other = Carreau(0.056 / (length * time), 0.00345 / (length * time), 3.313 * time, 0.3568)
    scaled = pipe_flow(other, 0.3 * length / time, 0.01 * length, 1060.0 / length**3)
    assert scaled.reynolds_number == pytest.approx(flow.reynolds_number, rel=1e-9)
    assert 8 * 0.3 / 0.01 < flow.wall_shear_rate < 2 * 8 * 0.3 / 0.01


@pytest.mark.parametrize("wrong", [{"speed": 0.0}, {"diameter": -1.0}, {"density": np.nan}])
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(OptionError, match="positive number"):
        pipe_flow(Newtonian(1.0), **{"speed": 1.0, "diameter": 1.0, **wrong})
