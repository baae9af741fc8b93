"""The verdicts on OpenFOAM's own cases, from either of the two gradients that the solver wrote."""

import numpy as np
import pytest

from flowgrad import OptionError, Verdict, read, separate, velocity_gradient
from flowgrad.gradient import Stored
from flowgrad.rheology.models import Cross, PowerLaw

GRADIENTS = ("grad(U)", "gradU_LSQ")


def gradient_of(data, case, name):
    return velocity_gradient(read(data / f"{case}.vtu"), Stored(name, transposed=True))


@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize(
    ("case", "known", "verdict", "origin"),
    [
        ("oc_Newtonian", {"viscosity": 0.1}, Verdict.NEWTONIAN, "given"),
        ("oc_powerLaw", {"viscosity": "nu_ofU"}, Verdict.SHEAR_THINNING, "found"),
        ("offsetCylinder", {"viscosity": "nu_ofU"}, Verdict.SHEAR_THICKENING, "found"),
        ("planarPoiseuille_Maxwell", {"stress": "-sigma"}, Verdict.VISCOELASTIC, "found"),
    ],
)
def test_verdicts(data, case, known, verdict, origin, name):
    separation = separate(gradient_of(data, case, name), **known)
    assert (separation.verdict, separation.origin) == (verdict, origin)


def test_the_first_normal_stress_difference_of_the_maxwell_fluid(data):
    """N1 = 2 nuM λ γ̇² = 10 γ̇², the two end cells (wall, symmetry plane) not counted."""
    separation = separate(gradient_of(data, "planarPoiseuille_Maxwell", "grad(U)"), stress="-sigma")
    rate = separation.gradient["shear_rate"]
    inner = np.argsort(rate)[1:-1]
    np.testing.assert_allclose(separation.N1[inner], 10 * rate[inner] ** 2, rtol=0.01)
    np.testing.assert_allclose(separation.N2, 0, atol=1e-6)
    assert separation.evidence["relaxation_time"] == pytest.approx(5, rel=0.01)


def test_the_other_sign_is_advised(data):
    with pytest.raises(OptionError, match="use --stress=-sigma"):
        separate(gradient_of(data, "planarPoiseuille_Maxwell", "grad(U)"), stress="sigma")


@pytest.mark.parametrize(
    ("case", "law"),
    [
        ("oc_powerLaw", {"K": 0.1, "n": 0.5}),
        ("offsetCylinder", {"eta0": 0.01, "eta_inf": 10.0, "lam": 0.4, "n": 3.0}),
    ],
)
def test_the_parameters_of_the_case_come_back(data, case, law):
    """All that the data determine: at shear rates that are well known the η0 of 0.01 does not show beside 10."""
    separation = separate(gradient_of(data, case, "grad(U)"), viscosity="nu_ofU")
    assert separation.fit.undetermined in ((), ("eta0",))
    for name, value in separation.fit.parameters.items():
        assert value == pytest.approx(law[name], rel=1e-3)


@pytest.mark.parametrize("error", [False, True])
@pytest.mark.parametrize(
    ("case", "law"), [("oc_powerLaw", PowerLaw(0.1, 0.5, 0.001, 5.0)), ("offsetCylinder", Cross(0.01, 10.0, 0.4, 3.0))]
)
def test_our_own_gradient_gives_the_law_of_the_case(data, case, law, error):
    """η against our γ̇ is within 0.5 % of the law in the median of the cells, and within 5 % in every bin."""
    walls = str(data / "boundary/offsetCylinder/*.vtp") if case == "offsetCylinder" else None
    gradient = velocity_gradient(read(data / f"{case}.vtu", boundary=walls), error=error)
    separation = separate(gradient, viscosity="nu_ofU")
    counted = ~separation._left_out
    departure = np.abs(separation.eta / law.viscosity(gradient["shear_rate"]) - 1)[counted]
    assert np.median(departure) < 0.005
    curve = separation.curve
    assert np.abs(curve.viscosity / law.viscosity(curve.rate) - 1).max() < 0.05
    assert isinstance(separation.fit.model, type(law))
    for name, value in separation.fit.parameters.items():
        assert value == pytest.approx(getattr(law, name), rel=0.06)


def test_the_stress_of_one_gradient_against_the_other_is_newtonian(data):
    gauss, fitted = (gradient_of(data, "oc_Newtonian", name) for name in GRADIENTS)
    assert separate(fitted, stress=0.2 * gauss.D).verdict is Verdict.NEWTONIAN
    assert separate(gauss, stress=0.2 * fitted.D).verdict is Verdict.NEWTONIAN


@pytest.mark.parametrize("case", ["cavity3Dtet", "cavity", "elbow", "pitzDaily"])
def test_no_law_is_made_of_the_difference_of_two_gradients(data, case):
    gauss, fitted = (gradient_of(data, case, name) for name in GRADIENTS)
    for one, other in ((gauss, fitted), (fitted, gauss)):
        assert separate(other, stress=0.2 * one.D).verdict in (Verdict.NEWTONIAN, Verdict.NOT_DECIDED)


def test_an_eddy_viscosity_is_refused_and_named(data):
    flow = read(data / "pitzDaily.vtu")
    gradient = velocity_gradient(flow, Stored("grad(U)", transposed=True))
    with pytest.raises(OptionError, match="property of the flow"):
        separate(gradient, viscosity="nut")
    assert "eddy viscosities (nut)" in separate(gradient).sentence
