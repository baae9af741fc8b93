import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.rheology.models.factors import WLF, Arrhenius, KriegerDougherty, parse_factor

T = np.array([273.15, 288.15, 298.15, 323.15, 353.15])


@pytest.mark.parametrize("factor", [Arrhenius(40e3, 298.15), WLF(17.44, 51.6, 250.0), KriegerDougherty(0.64)], ids=str)
def test_text_and_back(factor):
    assert parse_factor(str(factor)) == factor


@pytest.mark.parametrize("factor", [Arrhenius(40e3, 298.15), WLF(8.86, 101.6, 298.15)], ids=str)
def test_shift_factors_are_one_at_the_reference_and_are_found_again(factor):
    assert factor(factor.T_ref) == 1
    found = type(factor).fitted(T, factor(T), factor.T_ref)
    np.testing.assert_allclose(found(T), factor(T), rtol=1e-8)
    assert list(vars(found).values()) == pytest.approx(list(vars(factor).values()), rel=1e-5)


def test_the_universal_constants_span_ten_decades_in_thirty_kelvin():
    """Williams, Landel & Ferry 1955: log a_T = −17.44·30/81.6 at T_g + 30 K."""
    factor = WLF(17.44, 51.6, 200.0)
    assert np.log10(factor(230.0)) == pytest.approx(-17.44 * 30 / 81.6)
    assert np.isnan(factor(148.0))


def test_water_and_arrhenius():
    """Of an activation energy of 16.9 kJ/mol the viscosity halves from 20 to 50 °C nearly: exp(E/R ΔT/(T T'))."""
    assert Arrhenius(16.9e3, 293.15)(323.15) == pytest.approx(np.exp(-16.9e3 / 8.314462618 * 30 / 293.15 / 323.15))


def test_dilute_suspensions_are_einsteins_and_packed_ones_do_not_flow():
    factor = KriegerDougherty(0.64)
    assert (factor(1e-6) - 1) / 1e-6 == pytest.approx(2.5, rel=1e-5)
    assert factor(0.64) == np.inf
    assert factor(0.7) == np.inf
    assert np.isnan(factor(-0.1))


def test_a_point_of_little_weight_changes_little():
    factor, sigma = Arrhenius(40e3, 298.15), np.array([1e-3, 1e-3, 1e-3, 1e-3, 1e3])
    wrong = factor(T) * [1, 1, 1, 1, 10]
    energy = Arrhenius.fitted(T, wrong, 298.15, sigma).E
    assert energy == pytest.approx(40e3, rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parse_factor("arhenius(E=1, T_ref=1)"), "did you mean 'arrhenius'"),
        (lambda: Arrhenius(0.0, 300.0), "E = 0.0 is impossible"),
        (lambda: Arrhenius.fitted(T, 1 / Arrhenius(40e3, 298.15)(T), 298.15), "do not fall"),
        (lambda: WLF.fitted(T, 1 / Arrhenius(40e3, 298.15)(T), 298.15), "do not fall"),
        (lambda: WLF.fitted(T[:2], [2.0, 1.0], 288.15), "two temperatures"),
        (lambda: WLF.fitted(T, [1.0, 2.0], 288.15), "give finite"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(OptionError, match=message):
        call()
