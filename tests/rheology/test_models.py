import numpy as np
import pytest

from flowgrad import Model, OptionError
from flowgrad.rheology import MODELS
from flowgrad.rheology.model import Viscosity, parse_model
from flowgrad.rheology.models import (
    Bingham,
    Carreau,
    CarreauYasuda,
    Casson,
    Cross,
    DeKee,
    Ellis,
    HeinzCasson,
    HerschelBulkley,
    Meter,
    Newtonian,
    PapanastasiouBingham,
    PapanastasiouHerschelBulkley,
    PowellEyring,
    PowerLaw,
    Quemada,
    RobertsonStiff,
    Sisko,
    ThreeComponent,
    Vocadlo,
)

LAWS = [
    Newtonian(0.1),
    PowerLaw(2.0, 0.5),
    PowerLaw(2.0, 1.4),
    Cross(0.01, 10.0, 0.4, 3.0),
    Carreau(0.056, 0.00345, 3.313, 0.3568),
    CarreauYasuda(10.0, 0.1, 1.0, 0.3, 0.8),
    Bingham(1.0, 2.0),
    HerschelBulkley(3.0, 2.5, 0.5),
    Sisko(0.1, 2.0, 0.4),
    PowellEyring(5.0, 0.1, 2.0),
    Quemada(5.0, 0.1, 0.3),
    Ellis(2.0, 3.0, 2.5),
    Casson(3.0, 0.1),
    ThreeComponent(3.0, 0.1, 1.3),
    PapanastasiouBingham(3.0, 0.2, 20.0),
    PapanastasiouHerschelBulkley(3.0, 2.0, 0.5, 20.0),
    HeinzCasson(3.0, 0.2, 0.7),
    RobertsonStiff(2.0, 1.5, 0.5),
    DeKee(3.0, 1.0, 0.1, 0.3),
    Meter(5.0, 0.1, 3.0, 2.5),
    Vocadlo(3.0, 2.0, 0.5),
]


def test_the_names_of_the_issue_are_known():
    assert list(MODELS) == [
        "newtonian", "power-law", "cross", "carreau", "carreau-yasuda", "bingham", "herschel-bulkley",
        "sisko", "powell-eyring", "quemada", "ellis",
        "meter", "casson", "three-component", "heinz-casson", "robertson-stiff", "vocadlo", "de-kee",
        "papanastasiou-bingham", "papanastasiou-herschel-bulkley",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("law", "viscosity_at_2"),
    [
        (Newtonian(0.1), 0.1),
        (PowerLaw(3.0, 0.5), 3 / np.sqrt(2)),
        (Cross(1.0, 0.2, 0.5, 1.7), 0.6),
        (Carreau(1.0, 0.2, 0.5, 0.5), 0.2 + 0.8 / 2**0.25),
        (CarreauYasuda(1.0, 0.2, 0.5, 0.5, 1.0), 0.2 + 0.8 / np.sqrt(2)),
        (Bingham(3.0, 0.25), 1.75),
        (HerschelBulkley(3.0, 2.0, 2.0), 5.5),
        (Sisko(0.25, 3.0, 2.0), 6.25),
        (PowellEyring(1.0, 0.2, 0.5), 0.2 + 0.8 * np.log(1 + np.sqrt(2))),
        (Quemada(4.0, 1.0, 0.5), 16 / 9),
        (Ellis(8.0, 8.0, 3.0), 4.0),
        (Casson(2.0, 4.0), 9.0),
        (ThreeComponent(3.0, 0.25, 0.5), 4.75),
        (PapanastasiouBingham(3.0, 0.25, 0.5), 1.75 - 1.5 / np.e),
        (PapanastasiouHerschelBulkley(3.0, 2.0, 2.0, 0.5), 5.5 - 1.5 / np.e),
        (HeinzCasson(2.0, 4.0, 0.5), 9.0),
        (RobertsonStiff(3.0, 2.0, 0.5), 3.0),
        (Vocadlo(4.0, 2.0, 0.5), np.sqrt(16 + 8) / 2),
        (DeKee(3.0, 1.0, 0.5, 0.25), 1.75 + 1 / np.e),
        (Meter(8.0, 0.5, 8.5, 3.0), 4.25),
    ],
)
def test_values_worked_by_hand(law, viscosity_at_2):
    assert law.viscosity(2.0) == pytest.approx(viscosity_at_2, rel=1e-14)
    assert law.stress(2.0) == pytest.approx(2 * viscosity_at_2, rel=1e-14)


def test_the_law_of_the_offset_cylinder():
    law = parse_model("cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)")
    rate = np.array([0.1, 1.0, 7.5])
    np.testing.assert_allclose(law.viscosity(rate), (0.01 - 10) / (1 + (0.4 * rate) ** 3) + 10, rtol=1e-14)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_text_and_back(law):
    assert parse_model(str(law)) == law


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_no_field_gets_infinite_and_missing_rates_stay_missing(law):
    viscosity = law.viscosity([0.0, 1e-300, 1e9, np.nan])
    assert np.isfinite(viscosity[:3]).all()
    assert np.isnan(viscosity[3])
    assert law.stress(0.0) == 0


def test_laws_that_contain_each_other_agree():
    rate = np.geomspace(1e-3, 1e3, 13)
    pairs = [
        (CarreauYasuda(2.0, 0.1, 3.0, 0.4, 2.0), Carreau(2.0, 0.1, 3.0, 0.4)),
        (HerschelBulkley(2.0, 0.5, 1.0), Bingham(2.0, 0.5)),
        (PapanastasiouBingham(2.0, 0.5, 1e6), Bingham(2.0, 0.5)),
        (PapanastasiouHerschelBulkley(2.0, 0.5, 0.6, 1e6), HerschelBulkley(2.0, 0.5, 0.6)),
        (Sisko(0.0, 0.5, 0.6), PowerLaw(0.5, 0.6)),
        (Casson(0.0, 0.5), Newtonian(0.5)),
        (Quemada(0.5, 0.5, 3.0), Newtonian(0.5)),
        (Ellis(1.0, 2.0, 1.0), Newtonian(0.5)),
        (Meter(2.0, 1e-300, 3.0, 2.5), Ellis(2.0, 3.0, 2.5)),
        (HeinzCasson(2.0, 0.5, 0.5), Casson(2.0, 0.5)),
        (HeinzCasson(2.0, 0.5, 1.0), Bingham(2.0, 0.5)),
        (Vocadlo(3.0, 2.0, 0.5), RobertsonStiff(2.0, (3.0 / 2.0) ** 2, 0.5)),
    ]
    for law, other in pairs:
        np.testing.assert_allclose(law.viscosity(rate), other.viscosity(rate), rtol=1e-13)


@pytest.mark.parametrize("alpha", [1.0, 1.5, 3.0, 20.0, 100.0])
def test_ellis_solves_its_equation_at_every_rate(alpha):
    law = Ellis(2.0, 3.0, alpha)
    rate = np.geomspace(1e-20, 1e20, 81)
    stress = law.stress(rate)
    residual = np.log(law.viscosity(rate) / 2) + np.logaddexp(0.0, (alpha - 1) * np.log(stress / 3))
    np.testing.assert_allclose(residual, 0, atol=1e-11)


@pytest.mark.parametrize("rate", [1e-10, 1e-15, 1e-20])
def test_glaciers_flow_by_their_law(rate):
    """Glen's law, n = 1/3, at the rates of glaciers (1/s) and below."""
    assert PowerLaw(1e8, 1 / 3).stress(rate) == pytest.approx(1e8 * rate ** (1 / 3))
    assert Bingham(1e5, 1.0).stress(rate) == pytest.approx(1e5)
    assert np.isfinite(Bingham(1e5, 1.0).viscosity(0.0))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_sign_of_the_rate_does_not_matter(law):
    assert law.viscosity(-3.0) == law.viscosity(3.0)
    assert law.stress(-3.0) == law.stress(3.0)


def test_caps_limit_the_viscosity_as_solvers_do():
    law = PowerLaw(0.1, 0.5, eta_min=0.001, eta_max=5.0)
    assert law.viscosity(0.0) == 5.0
    assert law.viscosity(1e8) == 0.001
    assert law.viscosity(1.0) == pytest.approx(0.1)
    assert parse_model("herschel-bulkley(tau0=1, K=1, n=0.5, eta_max=100)").viscosity(0.0) == 100
    assert law.parameters == {"K": 0.1, "n": 0.5, "eta_min": 0.001, "eta_max": 5.0}
    assert set(law.free()) == set(PowerLaw(0.1, 0.5).parameters) == {"K", "n"}


def test_only_yield_laws_have_a_yield_stress():
    yielding = {law.name: law.yield_stress for law in LAWS if law.yield_stress}
    assert yielding == {
        "bingham": 1.0,
        "herschel-bulkley": 3.0,
        "casson": 3.0,
        "three-component": 3.0,
        "papanastasiou-bingham": 3.0,
        "papanastasiou-herschel-bulkley": 3.0,
        "heinz-casson": 3.0,
        "robertson-stiff": pytest.approx(2.0 * 1.5**0.5),
        "de-kee": 3.0,
        "vocadlo": 3.0,
    }


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_density_scales_the_stress_and_nothing_else(law):
    np.testing.assert_allclose(law.scaled(1000.0).stress([0.1, 1.0, 40.0]), 1000 * law.stress([0.1, 1.0, 40.0]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("careau(eta0=1)", "did you mean 'carreau'"),
        ("carreau(eta0=1)", "needs eta_inf, lam, n"),
        ("power-law(K=1, m=0.5)", "no 'm'"),
        ("power-law(K=-1, n=0.5)", "K = -1 is impossible"),
        ("power-law(K=1, n=0)", "n = 0 is impossible"),
        ("power-law(K=1e400, n=1)", "K = inf is impossible"),
        ("power-law(K='x', n=1)", "not a number"),
        ("newtonian(eta=0)", "eta = 0 is impossible"),
        ("ellis(eta0=1, tau_half=1, alpha=0.5)", "alpha = 0.5 is impossible: .* 1 at least"),
        ("ellis(eta0=1, tau_half=0, alpha=2)", "tau_half = 0 is impossible"),
        ("power-law(K=1, n=1, eta_min=2, eta_max=1)", "eta_min = 2 is above eta_max = 1"),
    ],
)
def test_what_cannot_be_is_refused(text, message):
    with pytest.raises(OptionError, match=message):
        parse_model(text)


def test_one_class_is_all_it_takes_to_add_a_law():
    from dataclasses import dataclass

    from flowgrad.rheology import fit_models

    try:

        @dataclass(frozen=True)
        class Linear(Model, name="linear", citation="none"):
            """η = a + bγ̇."""

            a: Viscosity
            b: Viscosity

            def law(self, rate):
                return self.a + self.b * rate

            @classmethod
            def guesses(cls, rate, stress):
                yield 1.0, 1.0

        assert parse_model("linear(a=1, b=2)").viscosity(3.0) == 7
        rate = np.geomspace(0.1, 10, 12)
        assert fit_models(rate, Linear(1.0, 2.0).stress(rate))[0].model.name == "linear"
    finally:
        MODELS.pop("linear", None)
