"""Tables as people have them: separators, decimal marks, encodings, names, units, samples."""

import numpy as np
import pytest

from flowgrad import OptionError, ReadError, read_flow_curves
from flowgrad.rheometer import Reading
from tests.rheometer.tables import ETA, RATE, STRESS, is_the_fluid, table, write

TWICE = np.concatenate([RATE, RATE])


def read(folder, content, **told):
    return read_flow_curves(write(folder, content), Reading(**told))


@pytest.mark.parametrize(
    ("separator", "comma"),
    [(",", False), (";", True), (";", False), ("\t", True), ("\t", False), ("   ", True), ("|", True)],
)
def test_separators_and_decimal_marks(tmp_path, separator, comma):
    (curve,) = read(tmp_path, table(separator=separator, comma=comma))
    assert is_the_fluid(curve)
    assert (curve.name, curve.ramp, curve.is_si, curve.notes, dict(curve.excluded)) == ("table", "up", True, (), {})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
def test_encodings(tmp_path, encoding):
    text = table(("Schergeschwindigkeit in 1/s", "Viskosität in mPa·s"), (RATE, 1e3 * ETA), ";", comma=True)
    (curve,) = read(tmp_path, text.encode(encoding))
    assert is_the_fluid(curve)


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_ends_of_lines(tmp_path, end):
    assert is_the_fluid(read(tmp_path, table().replace("\n", end))[0])


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        (("Scherrate [1/s]", "Schubspannung [Pa]"), (RATE, STRESS)),
        (("Taux de cisaillement (s⁻¹)", "Contrainte de cisaillement (kPa)"), (RATE, STRESS / 1e3)),
        (("Velocidad de cizalla [1/s]", "Viscosidad [cP]"), (RATE, 1e3 * ETA)),
        (("γ̇ / s⁻¹", "η / P"), (RATE, 10 * ETA)),
        (("Shear rate (1/min)", "Stress (dyn/cm²)"), (60 * RATE, 10 * STRESS)),
        (("Time [s]", "Shear rate [1/s]", "Stress [Pa]", "Viscosity [Pa·s]"), (RATE, RATE, STRESS, ETA)),
    ],
)
def test_names_and_units(tmp_path, head, columns):
    (curve,) = read(tmp_path, table(head, columns))
    assert is_the_fluid(curve)
    assert curve.is_si


def test_a_row_of_units(tmp_path):
    text = table(("Shear Rate", "Viscosity"), (RATE, 1e3 * ETA), "\t", below=(("", ""), ("[1/s]", "[mPa·s]")))
    assert is_the_fluid(read(tmp_path, text)[0])


def test_names_in_two_rows(tmp_path):
    text = table(("Shear", "Shear"), below=(("rate", "stress"), ("1/s", "Pa")))
    assert is_the_fluid(read(tmp_path, text)[0])


def test_comments_and_lines_above(tmp_path):
    text = "# made by hand on 1.2.2020\nOperator: N. N.\nSample: Yoghurt\n\n# " + table()
    (curve,) = read(tmp_path, text)
    assert is_the_fluid(curve)
    assert curve.name == "Yoghurt"


def test_units_that_are_not_stated_are_not_guessed(tmp_path):
    (curve,) = read(tmp_path, table(("rate", "stress"), separator=" "))
    assert is_the_fluid(curve)
    assert not curve.is_si
    assert "no units are stated" in curve.notes[0]
    (told,) = read(tmp_path, table(("rate", "stress")), units={"rate": "1/min", "stress": "kPa"})
    np.testing.assert_allclose(told.rate, RATE / 60, rtol=1e-9)
    np.testing.assert_allclose(told.stress, 1e3 * STRESS, rtol=1e-9)
    assert told.is_si


def test_cells_with_units_of_their_own(tmp_path):
    (curve,) = read(tmp_path, "rate [1/s];stress [Pa]\n1;2\n2;3000 mPa\n3;0,004 kPa\n4;5 \n5;6\n")
    np.testing.assert_allclose(curve.stress, [2, 3, 4, 5, 6])


def test_standard_deviations(tmp_path):
    columns = (RATE, 1e3 * ETA, 20 * ETA)
    (curve,) = read(tmp_path, table(("Shear rate [1/s]", "Viscosity [mPa·s]", "Std viscosity [mPa·s]"), columns))
    np.testing.assert_allclose(curve.sigma, 0.02 * STRESS, rtol=1e-9)
    (curve,) = read(tmp_path, table(("rate", "stress", "stress error"), (RATE, STRESS, -STRESS)))
    assert curve.sigma is None
    assert "21 of 21 are not positive" in curve.notes[-1]


@pytest.mark.parametrize(
    "head",
    [
        ("Shear rate A", "Stress A", "Shear rate B", "Stress B"),
        ("Stress A", "Shear rate A", "Stress B", "Shear rate B"),
        ("Shear rate A", "Shear rate B", "Stress A", "Stress B"),
    ],
)
def test_samples_side_by_side_by_their_names(tmp_path, head):
    columns = [RATE if "rate" in name else (1 + name.endswith("B")) * STRESS for name in head]
    first, second = read(tmp_path, table(head, columns))
    assert is_the_fluid(first)
    assert is_the_fluid(second, 2)
    assert (first.name, second.name) == ("A", "B")


def test_samples_side_by_side_under_merged_cells(tmp_path):
    head = ("Shear rate [1/s]", "Stress [Pa]") * 2
    first, second = read(tmp_path, "Water,,Oil,\n" + table(head, (RATE, STRESS, RATE, 2 * STRESS)))
    assert (first.name, second.name) == ("Water", "Oil")
    assert is_the_fluid(second, 2)


def test_one_rate_for_several_stresses(tmp_path):
    first, second = read(tmp_path, table(("Shear rate", "Stress 20C", "Stress 40C"), (RATE, STRESS, STRESS / 2)))
    assert (first.name, second.name) == ("20C", "40C")
    assert is_the_fluid(second, 0.5)


def test_a_column_of_samples(tmp_path):
    lines = [f"{name},{r},{k * t}" for k, name in ((1, "A"), (2, "B")) for r, t in zip(RATE, STRESS, strict=True)]
    text = "sample,shear rate [1/s],stress [Pa]\n" + "\n".join(lines)
    first, second = read(tmp_path, text)
    assert (first.name, second.name) == ("A", "B")
    assert is_the_fluid(second, 2)
    (only,) = read(tmp_path, text, sample="b")
    assert only.name == "B"
    with pytest.raises(OptionError, match=r"has no sample 'C'.*it has A, B"):
        read(tmp_path, text, sample="C")


def test_a_column_of_temperatures(tmp_path):
    warm = np.where(np.arange(2 * len(RATE)) < len(RATE), 20.02, 40.1)
    columns = (warm, TWICE, np.concatenate([STRESS, STRESS / 2]))
    first, second = read(tmp_path, table(("Temperature [°C]", "Shear rate [1/s]", "Stress [Pa]"), columns))
    assert (first.temperature, second.temperature) == (20.02, 40.1)
    assert is_the_fluid(first)
    assert is_the_fluid(second, 0.5)
    drift = (np.linspace(20, 25, len(RATE)) + 273.15, RATE, STRESS)
    (curve,) = read(tmp_path, table(("T [K]", "Shear rate [1/s]", "Stress [Pa]"), drift))
    assert "varies from 20 to 25 °C" in curve.notes[0]


def test_ramps_are_curves_of_their_own(tmp_path):
    loop = np.concatenate([RATE, RATE[::-1]]), np.concatenate([STRESS, 0.9 * STRESS[::-1]])
    up, down = read(tmp_path, table(columns=loop))
    assert (up.ramp, down.ramp, up.name, down.name) == ("up", "down", "table up", "table down")
    assert is_the_fluid(up)
    assert is_the_fluid(down, 0.9)
    assert up.sample == down.sample


def test_columns_by_name_and_by_number(tmp_path):
    head = ("Shear rate (set)", "Shear rate (measured)", "A, b", "tau")
    text = table(head, (2 * RATE, RATE, 3 * STRESS, STRESS), ";")
    with pytest.raises(OptionError, match=r"'Shear rate \(set\)' \(column 1\), 'Shear rate \(measured\)' \(column 2\)"):
        read(tmp_path, text)
    assert is_the_fluid(read(tmp_path, text, columns={"rate": "Shear rate (measured)"})[0])
    assert is_the_fluid(read(tmp_path, text, columns={"rate": "2", "stress": "A, b"})[0], 3)
    with pytest.raises(OptionError, match="no column is called 'speed'"):
        read(tmp_path, text, columns={"rate": "2", "stress": "speed"})


def test_numbers_without_names(tmp_path):
    text = table().partition("\n")[2]
    with pytest.raises(ReadError, match=r"line 1 begins a table of 2 columns .* --columns rate=1,stress=2"):
        read(tmp_path, text)
    assert is_the_fluid(read(tmp_path, text, columns={"rate": "1", "stress": "2"})[0])


def test_viscosity_and_stress_over_rate_have_to_agree(tmp_path):
    head = ("Shear rate [1/s]", "Stress [Pa]", "Viscosity [Pa·s]")
    with pytest.raises(ReadError, match=r"differ by the factor 1000.*--units viscosity=mPas"):
        read(tmp_path, table(head, (RATE, STRESS, 1e3 * ETA)))
    told = read(tmp_path, table(head, (RATE, STRESS, 1e3 * ETA)), units={"viscosity": "mPas"})
    assert told[0].notes == ()
    (curve,) = read(tmp_path, table(head, (RATE, STRESS, 1.3 * ETA)))
    assert "differ by the factor 1.3 (median): the stress is used" in curve.notes[0]
    some = np.where(RATE < 0.1, 1.2, 1.0) * ETA
    assert "in 4 of 21 rows" in read(tmp_path, table(head, (RATE, STRESS, some)))[0].notes[0]


def test_invariance_under_units(tmp_path):
    """The same numbers in units a million times larger or smaller are the same curve."""
    small = read(tmp_path, table(("Shear rate [1/s]", "Stress [µPa]"), (RATE, 1e6 * STRESS)))[0]
    large = read(tmp_path, table(("Shear rate [1/s]", "Stress [MPa]"), (RATE, 1e-6 * STRESS)))[0]
    np.testing.assert_allclose(small.stress, STRESS, rtol=1e-9)
    np.testing.assert_allclose(large.stress, STRESS, rtol=1e-9)


def test_limits_set_points_aside(tmp_path):
    head = ("Shear rate [1/s]", "Stress [Pa]", "Torque [µN·m]")
    text = table(head, (RATE, STRESS, 50 * STRESS))
    (curve,) = read(tmp_path, text, lowest_torque=5e-6, rates=(0.0, 500.0))
    weak = STRESS < 0.1
    assert dict(curve.excluded) == {"below the lowest torque": weak.sum(), "outside --rates": 2}
    aside = {each.reason: each for each in curve.set_aside}
    np.testing.assert_allclose(aside["below the lowest torque"].rate, RATE[weak])
    assert len(curve) == 21 - weak.sum() - 2
    (by_stress,) = read(tmp_path, text, lowest_stress=0.1)
    assert dict(by_stress.excluded) == {"below the lowest stress": weak.sum()}


def test_what_is_left_out_at_the_turn_belongs_to_its_ramp(tmp_path):
    loop = np.concatenate([RATE, RATE[::-1]]), np.concatenate([STRESS, STRESS[::-1]])
    up, down = read(tmp_path, table(columns=loop), rates=(0.0, 500.0))
    assert dict(up.excluded) == dict(down.excluded) == {"outside --rates": 2}
    other = np.concatenate([RATE[::-1], RATE]), np.concatenate([STRESS[::-1], STRESS])
    down, up = read(tmp_path, table(columns=other), rates=(0.02, 1e9))
    assert dict(up.excluded) == dict(down.excluded) == {"outside --rates": 2}
