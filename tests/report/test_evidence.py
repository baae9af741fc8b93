"""The evidence on the page keeps step with what a separation knows."""

from dataclasses import replace

import numpy as np
import pytest

from flowgrad import VelocityGradient, read, separate, velocity_gradient
from flowgrad.report import evidence
from flowgrad.rheology.evidence import EVIDENCE

RATES = np.geomspace(0.1, 100, 400)


def shear():
    L = np.zeros((len(RATES), 3, 3))
    L[:, 0, 1] = RATES
    return VelocityGradient(L)


def layers():
    """Two liquids, each sheared at all rates."""
    gradient = VelocityGradient(np.concatenate([shear().L, shear().L]))
    return separate(gradient, viscosity=np.repeat([1.0, 3.0], len(RATES)))


def elastic_stress():
    stress = np.zeros((len(RATES), 3, 3))
    stress[:, 0, 1] = stress[:, 1, 0] = RATES
    stress[:, 0, 0] = 2 * RATES**2
    return stress


def balanced(data):
    gradient = velocity_gradient(read(data / "planarPoiseuille_Maxwell.vtu"))
    return separate(gradient, stress="-sigma", body_force=(5, 0, 0))


@pytest.fixture(scope="module")
def separations(data):
    return {
        "thinning": separate(shear(), viscosity=2 * RATES**-0.5),
        "constant": separate(shear(), viscosity=np.full(len(RATES), 0.3)),
        "scattered": separate(shear(), viscosity=0.3 * np.exp(0.2 * np.random.default_rng(0).standard_normal(400))),
        "given": separate(shear(), viscosity="bingham(tau0=3.0, eta=0.1)"),
        "plateaus": separate(shear(), viscosity="carreau(eta0=1, eta_inf=0.5, lam=1, n=0.001)"),
        "uncertain": separate(replace(shear(), error=0.01 * RATES), viscosity=2 * RATES**-0.5),
        "balanced": balanced(data),
        "elastic": separate(shear(), stress=elastic_stress()),
        "layers": layers(),
        "falling": separate(shear(), viscosity=RATES**-1.5),
        "unknown": separate(shear()),
    }


def test_no_name_of_the_page_is_stale(separations):
    known = set().union(*(each.evidence for each in separations.values()))
    assert {key for key, record in EVIDENCE.items() if record.shown} <= known


def test_what_says_nothing_is_not_shown(separations):
    names = {key: {fact.name for fact in evidence.facts(each)} for key, each in separations.items()}
    assert "fall of the viscosity beyond its scatter, factor" in names["thinning"]
    assert "rise of the viscosity beyond its scatter, factor" not in names["thinning"]
    assert "fall of the viscosity beyond its scatter, factor" not in names["constant"]
    assert "highest Weissenberg number" in names["elastic"]
    # Residuals of rounding have no runs.
    assert "runs of one sign among its residuals" in names["scattered"]
    assert "runs of one sign among its residuals" not in names["constant"]
    assert names["unknown"] == set()


def test_laws_are_listed_only_where_they_were_fitted(separations):
    laws = evidence.laws(separations["thinning"])
    assert laws[0].name == "power-law"
    assert '<span class="symbol">n</span> = 0.5' in laws[0].parameters
    assert evidence.laws(separations["given"]) == []
    assert evidence.laws(separations["unknown"]) == []


def test_cells_outside_the_flow_curve_are_counted():
    viscosity = np.where(np.arange(len(RATES)) < 7, -1.0, 0.3)
    lines = evidence.exclusions(separate(shear(), viscosity=viscosity))
    assert any(line.startswith("7 ") and "not positive" in line for line in lines)


def test_a_law_that_stands_before_that_of_the_verdict_is_explained(separations):
    first, second = separations["thinning"].fits[:2]
    text = evidence.law_and_verdict(first, second, "shear-thickening")
    assert text.startswith(f"{first.model.name} stands first, and yet the verdict is shear-thickening.")
    assert f"{second.model.name}, marked" in text
    assert "additional parameters" in evidence.law_and_verdict(first, second, "newtonian")
    assert evidence.law_and_verdict(first, first, "shear-thinning") == ""
    assert evidence.law_and_verdict(first, second, "not-decided") == ""


def test_the_law_of_the_verdict_is_marked_and_no_law_is_lost(separations):
    thinning = separations["thinning"]
    shown = evidence.laws(thinning)
    assert [law.name for law in shown if law.mark] == [thinning.fit.model.name]
    others = evidence.other_laws(thinning)
    assert all(any(law.name == fit.model.name for law in shown) or fit.model.name in others for fit in thinning.fits)


def test_a_viscoelastic_verdict_is_of_no_law_of_the_viscosity(separations):
    first, second = separations["thinning"].fits[:2]
    assert evidence.mark("shear-thinning", first, first) == "law of the verdict"
    assert evidence.mark("viscoelastic", first, first) == "law of the viscosity"
    assert evidence.mark("viscoelastic", second, first) == ""
    assert "no viscosity explains" in evidence.law_and_verdict(first, first, "viscoelastic")
