"""Units by their many spellings, and their factors."""

import pytest

from flowgrad.rheometer.units import unit


@pytest.mark.parametrize(
    ("text", "dimension", "factor"),
    [
        ("1/s", "rate", 1),
        ("s⁻¹", "rate", 1),
        ("[s^-1]", "rate", 1),
        ("s-¹", "rate", 1),
        ("1/min", "rate", 1 / 60),
        ("Pa", "stress", 1),
        ("mPa", "stress", 1e-3),
        ("MPa", "stress", 1e6),
        ("kPa", "stress", 1e3),
        ("µPa", "stress", 1e-6),
        ("μPa", "stress", 1e-6),
        ("dyn/cm²", "stress", 0.1),
        ("dyne/cm^2", "stress", 0.1),
        ("N/m²", "stress", 1),
        ("lbf/100ft²", "stress", 0.478802589803),
        ("psi", "stress", 6894.757293168),
        ("Pa·s", "viscosity", 1),
        ("Pa s", "viscosity", 1),
        ("Pas", "viscosity", 1),
        ("Pa.s", "viscosity", 1),
        ("Pa*s", "viscosity", 1),
        ("mPa·s", "viscosity", 1e-3),
        ("mPas", "viscosity", 1e-3),
        ("cP", "viscosity", 1e-3),
        ("P", "viscosity", 0.1),
        ("kg/(m·s)", "viscosity", 1),
        ("N·s/m²", "viscosity", 1),
        ("mN·m", "torque", 1e-3),
        ("µN.m", "torque", 1e-6),
        ("nNm", "torque", 1e-9),
        ("dyn·cm", "torque", 1e-7),
        ("mm²/s", "kinematic viscosity", 1e-6),
        ("°C", "temperature", 1),
    ],
)
def test_spellings(text, dimension, factor):
    found = unit(text)
    assert found is not None
    assert (found.dimension, found.factor) == (dimension, pytest.approx(factor, rel=1e-11))


@pytest.mark.parametrize(("text", "value", "celsius"), [("K", 298.15, 25.0), ("°F", 77.0, 25.0), ("°C", 25.0, 25.0)])
def test_temperatures(text, value, celsius):
    found = unit(text)
    assert value * found.factor + found.offset == pytest.approx(celsius, abs=1e-12)


@pytest.mark.parametrize("text", ["furlong", "Pa/", "MPA.S", "sPa", "", "mmPa"])
def test_what_is_no_unit(text):
    assert unit(text) is None


@pytest.mark.parametrize(
    ("text", "dimension", "factor"),
    [
        ("1/h", "rate", 1 / 3600),
        ("(per s)", "rate", 1),
        ("10^3 1/s", "rate", 1e3),
        ("1/ks", "rate", 1e-3),
        ("10³ Pa", "stress", 1e3),
        ("x10^-3 Pa", "stress", 1e-3),
        ("1E3 Pa", "stress", 1e3),
        ("milli Pa", "stress", 1e-3),
        ("dyn per cm2", "stress", 0.1),
        ("D/cm²", "stress", 0.1),
        ("mbar", "stress", 100),
        ("lbf/ft²", "stress", 47.8802589803),
        ("mmHg", "stress", 133.322368421),
        ("kg·m⁻¹·s⁻²", "stress", 1),
        ("kcP", "viscosity", 1),
        ("milli Pascal seconds", "viscosity", 1e-3),
        ("Pa-s", "viscosity", 1),
        ("g/(cm s)", "viscosity", 0.1),
        ("lbf s/ft²", "viscosity", 47.8802589803),
        ("g-cm", "torque", 9.80665e-5),
        ("cSt", "kinematic viscosity", 1e-6),
    ],
)
def test_products_of_units(text, dimension, factor):
    found = unit(text)
    assert found is not None
    assert (found.dimension, found.factor) == (dimension, pytest.approx(factor, rel=1e-11))


@pytest.mark.parametrize(("text", "base"), [("lg(Pa)", 10), ("log10 Pa", 10), ("ln Pa", 2.718281828459045)])
def test_logarithms_of_units(text, base):
    assert unit(text).to_si(2.0) == pytest.approx(base**2, rel=1e-14)
