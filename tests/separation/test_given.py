from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Flow, OptionError, VelocityGradient, Verdict, separate
from flowgrad.separation import check_viscosity

COUNT = 30
RATES = np.linspace(1, 10, COUNT)
SHEAR = RATES[:, None, None] * np.array([[0, 1.0, 0], [0, 0, 0], [0, 0, 0]])


def shear_stress(eta=0.5):
    stress = np.zeros((COUNT, 6))
    stress[:, 3] = eta * RATES
    return stress


@pytest.fixture
def gradient():
    """Shear at 30 scattered points, with arrays that a file may have there and at its cells."""
    points = np.random.default_rng(0).random((COUNT, 3))
    flow = Flow.from_arrays(points, None, np.zeros((COUNT, 3)), "points")
    arrays = {
        "sigma": shear_stress().astype(np.float32),
        "minus": -shear_stress(),
        "nu": np.full((COUNT, 1), 0.5),
        "mu(T)": np.full(COUNT, 0.7),
        "nut": np.ones(COUNT),
        "U": np.zeros((COUNT, 3)),
    }
    flow = replace(flow, point_data=arrays, cell_data={"nu_cells": np.empty(0)}, source=Path("case.vtu"))
    return VelocityGradient(SHEAR, flow)


def refusal(gradient, **known):
    with pytest.raises(OptionError) as caught:
        separate(gradient, **known)
    return str(caught.value)


@pytest.mark.parametrize(
    ("known", "eta"),
    [
        ({"stress": "sigma"}, 0.5),
        ({"stress": "-minus"}, 0.5),
        ({"stress": shear_stress()}, 0.5),
        ({"viscosity": "nu"}, 0.5),
        ({"viscosity": "mu(T)"}, 0.7),
        ({"viscosity": np.full(COUNT, 0.3)}, 0.3),
        ({"viscosity": 0.2}, 0.2),
        ({"viscosity": "0.2"}, 0.2),
        ({"viscosity": np.float64(0.2)}, 0.2),
        ({"viscosity": "newtonian(eta=0.1)"}, 0.1),
    ],
)
def test_the_forms_in_which_a_fluid_may_be_known(gradient, known, eta):
    np.testing.assert_allclose(separate(gradient, **known).eta, eta, rtol=1e-6)


def test_found_given_or_none(gradient):
    assert separate(gradient, stress="sigma").origin == "found"
    assert separate(gradient, viscosity="nu").origin == "found"
    assert separate(gradient, viscosity=0.1).origin == "given"
    assert separate(gradient, viscosity="power-law(K=1, n=0.5)").origin == "given"
    assert separate(gradient).origin == "none"


def test_the_wrong_sign_is_told_and_advised(gradient):
    assert refusal(gradient, stress="minus").endswith("use --stress=-minus")
    assert refusal(gradient, stress="-sigma").endswith("use --stress=sigma")
    assert "case.vtu" in refusal(gradient, stress="minus")
    assert "give its negative" in refusal(gradient, stress=-shear_stress())
    assert "the viscosity" in refusal(gradient, viscosity=np.full(COUNT, -1.0))


def test_both_stress_and_viscosity_are_one_too_many(gradient):
    assert "choose" in refusal(gradient, stress="sigma", viscosity=0.1)


@pytest.mark.parametrize("name", ["nut", "muT", "nuTilda", "eddy_viscosity", "EddyViscosity", "turbulent viscosity"])
def test_an_eddy_viscosity_is_of_the_flow_and_not_of_the_fluid(gradient, name):
    message = refusal(gradient, viscosity=name)
    assert "property of the flow" in message
    with pytest.raises(OptionError, match="property of the flow"):
        check_viscosity(name)


@pytest.mark.parametrize("name", ["nu", "mu", "nu_ofU", "viscosity", "nutation", "mutual"])
def test_other_names_are_no_eddy_viscosity(name):
    check_viscosity(name)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"viscosity": "nuu"}, "did you mean 'nu'"),
        ({"stress": "-sigmma"}, "did you mean 'sigma'"),
        ({"viscosity": "nu_cells"}, "use --at cells"),
        ({"viscosity": "careau(eta0=1, eta_inf=0, lam=1, n=1)"}, "did you mean 'carreau'"),
        ({"viscosity": "carreau"}, "needs eta0"),
        ({"viscosity": 0}, "eta = 0 is impossible"),
        ({"viscosity": "-1"}, "eta = -1 is impossible"),
        ({"viscosity": "U"}, "case.vtu: U has the shape"),
        ({"stress": "nu"}, "case.vtu: nu has the shape"),
        ({"stress": np.ones((4, 6))}, "4 values but there are 30"),
        ({"viscosity": np.ones(4)}, "4 values but there are 30"),
        ({"stress": "sigma", "density": -1.0}, "density is -1"),
    ],
)
def test_what_does_not_fit_is_refused(gradient, known, message):
    assert message in refusal(gradient, **known)


def test_a_name_needs_a_file():
    assert "no file behind it" in refusal(VelocityGradient(SHEAR), viscosity="nu")


def test_nothing_known_is_a_result_that_says_what_would_help(gradient):
    separation = separate(gradient)
    assert separation.verdict is Verdict.NO_STRESS_KNOWN
    assert not separation.known
    assert "--viscosity=nu or --viscosity=mu(T)" in separation.sentence
    assert "--stress=sigma" in separation.sentence
    assert "eddy viscosities (nut)" in separation.sentence
    assert (separation.fits, separation.fit, separation.fields(), separation.evidence) == ((), None, {}, {})
    for name in ("eta", "stress", "N1", "label", "newtonian_part", "shares", "curve"):
        with pytest.raises(OptionError, match="give --viscosity or --stress"):
            getattr(separation, name)


def test_nothing_known_needs_no_file_either():
    assert "--viscosity=NAME" in separate(VelocityGradient(SHEAR)).sentence


def test_arrays_at_cells_are_found_at_cells():
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    flow = Flow.from_arrays(points, Cells.of_type(10, np.array([[0, 1, 2, 3]])), np.zeros((1, 3)))
    flow = replace(flow, cell_data={"nu": np.array([3.0])}, point_data={"nu": np.ones(4)})
    at_cells = VelocityGradient(SHEAR[:1], flow)
    assert separate(at_cells, viscosity="nu").eta == pytest.approx([3.0])
    at_points = VelocityGradient(SHEAR[:4], flow, location="points")
    np.testing.assert_allclose(separate(at_points, viscosity="nu").eta, 1.0)
