"""Limits of an instrument, drawn and applied where they are given, and weights by its floor."""

import numpy as np
import pytest

from flowgrad import OptionError, plot, read_flow_curves
from flowgrad.rheometer import InstrumentLimits, Reading
from flowgrad.rheometer.fitted import examine
from flowgrad.rheometer.limits import limits_of
from tests.rheometer.tables import RATE, STRESS, table, write


def test_limits_of_ewoldt_johnston_and_caretta():
    """Of a cone: η > F_τ M_min/γ̇, and η > ρL³γ̇/(4R)."""
    found = limits_of(Reading(lowest_torque=1e-7, stress_constant=8e4, density=1000.0, gap=1e-3, radius=0.02))
    assert found.stress == pytest.approx(8e-3)
    assert found.inertia == pytest.approx(1000 * 1e-9 / (4 * 0.02))
    rate = np.array([1.0, 100.0])
    np.testing.assert_allclose(found.least_stress(rate)["lowest torque"], 8e-3)
    # Re = ρΩL²/η = 4 with Ω = γ̇L/R.
    eta = found.least_stress(rate)["secondary flow"] / rate
    np.testing.assert_allclose(1000 * (rate * 1e-3 / 0.02) * 1e-6 / eta, 4)
    assert InstrumentLimits().least_stress(rate) == {}


def test_vortices_between_cylinders():
    """ρ²Ω²(R_o − R_i)³R_i/η² = 1700 at the limit."""
    found = limits_of(Reading(density=1000.0, radii="0.0133:0.0144"))
    rate = 50.0
    speed = rate * (1.44**2 - 1.33**2) / (1.33**2 + 1.44**2)
    eta = found.inertia * rate
    assert (1000 * speed / eta) ** 2 * (0.0011**3) * 0.0133 == pytest.approx(1700)


def test_points_beyond_the_limits_are_set_aside_and_drawn(tmp_path):
    water = 1e-3 * RATE
    path = write(tmp_path, table(columns=(RATE, water)))
    told = {"lowest_torque": 1e-8, "stress_constant": 1e4, "density": 1000.0, "gap": 1e-3, "radius": 0.02}
    (curve,) = read_flow_curves(path, Reading(**told))
    weak, fast = water < 1e-4, RATE > 4e-3 * 0.02 / (1000 * 1e-9)
    assert dict(curve.excluded) == {
        "below the lowest stress": weak.sum(),
        "beyond the onset of secondary flow (inertia)": fast.sum(),
    }
    assert {each.reason for each in curve.set_aside} == set(curve.excluded)
    with plot.figure() as ax:
        plot.rheometer_viscosity(examine([curve], ["newtonian"])[0], ax)
        names = [line.get_label() for line in ax.lines]
    assert {"limit: lowest torque", "limit: secondary flow"} <= set(names)


def test_a_torque_that_cannot_be_compared_is_said(tmp_path):
    (curve,) = read_flow_curves(write(tmp_path, table()), Reading(lowest_torque=1e-7))
    assert curve.notes == ("the table has no torque, so --lowest-torque is not applied: give --stress-constant",)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"density": 1000.0}, "--density has no effect without --gap or --radii"),
        ({"gap": 1e-3}, "give its --radius too"),
        ({"radii": "0.02"}, "is not INNER:OUTER"),
        ({"radii": "0.02:0.01"}, "is not INNER:OUTER"),
    ],
)
def test_halves_of_a_limit_are_refused(told, words):
    with pytest.raises(OptionError, match=words):
        Reading(**told)


def test_weights_by_the_floor_of_the_instrument(tmp_path):
    """Stresses with an error of 0.05 Pa at all rates: with the floor the law is that of the upper points."""
    random = np.random.default_rng(2)
    stress = 0.02 * RATE[8:] + 0.05 * random.normal(size=len(RATE) - 8)
    path = write(tmp_path, table(columns=(RATE[8:], np.abs(stress))))
    curves = read_flow_curves(path, Reading(keep_outliers=True))
    (floored,) = examine(curves, ["newtonian"], sigma="1%+0.05")
    assert floored.fit.best.parameters["eta"] == pytest.approx(0.02, rel=0.01)
    (alike,) = examine(curves, ["newtonian"], sigma="1%")
    assert abs(alike.fit.best.parameters["eta"] / 0.02 - 1) > 0.05
    assert np.all(STRESS > 0)


def test_the_stress_constant_of_a_table_with_torques_draws_the_limit(tmp_path):
    head = ("Shear rate [1/s]", "Stress [Pa]", "Torque [µN·m]")
    path = write(tmp_path, table(head, (RATE, STRESS, 50 * STRESS)))
    (curve,) = read_flow_curves(path, Reading(lowest_torque=5e-6))
    assert curve.limits.stress == pytest.approx(0.1)
    assert dict(curve.excluded) == {"below the lowest torque": int(np.sum(STRESS < 0.1))}
