"""Columns by their names in several languages, and names that only resemble them."""

import pytest

from flowgrad.rheometer.columns import column, role_of


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Shear Rate", "rate"),
        ("shear_rate", "rate"),
        ("γ̇", "rate"),
        ("Scherrate", "rate"),
        ("Schergeschwindigkeit", "rate"),
        ("Geschwindigkeitsgefälle", "rate"),
        ("Taux de cisaillement", "rate"),
        ("Gradient de Cisaillement", "rate"),
        ("Velocidad de cizalla", "rate"),
        ("Velocidad de deformación", "rate"),
        ("Velocità di taglio", "rate"),
        ("GP", "rate"),
        ("Stress", "stress"),
        ("Schubspannung", "stress"),
        ("Contrainte de cisaillement", "stress"),
        ("Esfuerzo cortante", "stress"),
        ("Sforzo di taglio", "stress"),
        ("Tau", "stress"),
        ("τ", "stress"),
        ("Viscosity", "viscosity"),
        ("Viskosität", "viscosity"),
        ("Viscosité", "viscosity"),
        ("Viscosidad", "viscosity"),
        ("η", "viscosity"),
        ("Drehmoment", "torque"),
        ("Couple", "torque"),
        ("Temperatur", "temperature"),
        ("Échantillon", "sample"),
        ("Stress std", "sigma"),
        ("Standardabweichung Schubspannung", "sigma"),
        ("Std viscosity", "sigma_viscosity"),
        ("Storage modulus", "oscillation"),
        ("G'", "oscillation"),
        ("Complex viscosity", "oscillation"),
        ("Viscosité complexe", "oscillation"),
        ("Oscillation stress", "oscillation"),
        ("Angular frequency", "oscillation"),
        ("Normal stress", "other"),
        ("Shear strain", "other"),
        ("Yield stress", "other"),
        ("Speed", "other"),
        ("Point No.", "other"),
        ("Interval Time", "other"),
        ("Shear rate error", "other"),
    ],
)
def test_roles(name, role):
    assert role_of(name)[0] == role


@pytest.mark.parametrize(
    ("head", "role", "label", "factor"),
    [
        ("Shear stress [kPa]", "stress", "", 1e3),
        ("Shear stress (dyn/cm²)", "stress", "", 0.1),
        ("Tau in Pa", "stress", "", 1),
        ("Tau en mPa", "stress", "", 1e-3),
        ("η / mPa·s", "viscosity", "", 1e-3),
        ("Viscosity, cP", "viscosity", "", 1e-3),
        ("stress_Pa", "stress", "", 1),
        ("Stress (sample B) [Pa]", "stress", "sample B", 1),
        ("Shear rate(s-¹)", "rate", "", 1),
        ("D [1/s]", "rate", "", 1),
        ("Stress 20C", "stress", "20C", None),
        ("Stress (25 °C)", "stress", "25 °C", None),
        ("Viscosity A", "viscosity", "A", None),
    ],
)
def test_heads(head, role, label, factor):
    found = column(0, head)
    assert (found.role, found.label) == (role, label)
    assert (found.unit and found.unit.factor) == (factor and pytest.approx(factor))


def test_a_letter_alone_needs_its_unit():
    assert column(0, "D [mm]").role == "other"
    assert column(0, "D").role == "other"
    assert column(0, "T [°C]").role == "temperature"
