"""Heads of tables: names over several rows, units above or below them or in brackets of any kind, logarithms."""

import numpy as np
import pytest

from flowgrad import ReadError, read_flow_curves
from flowgrad.rheometer import Reading
from tests.rheometer.tables import ETA, RATE, STRESS, is_the_fluid, table, write

KILO = STRESS / 1e3


def read(folder, content, **told):
    return read_flow_curves(write(folder, content), Reading(**told))


@pytest.mark.parametrize(
    ("head", "below"),
    [
        # The first row is a head by itself, and not the whole of it.
        (("Shear rate", "Shear", "Viscosity"), (("", "stress", ""), ("1/s", "kPa", "Pa·s"))),
        (("Shear", "Shear", "Viscosity"), (("Rate", "Stress", ""), ("[1/s]", "[kPa]", "[Pa·s]"))),
        (("Shear", "", ""), (("rate", "Stress", "Viscosity"), ("1/s", "kPa", "Pa s"))),
        # Units above, between, and below a row of symbols; three rows of names.
        (("1/s", "kPa", "Pa·s"), (("Shear rate", "Shear stress", "Viscosity"),)),
        (("(1/s)", "(kPa)", "(Pa·s)"), (("", "", ""), ("Shear rate", "Shear stress", "Viscosity"))),
        (("Shear rate", "Shear stress", "Viscosity"), (("γ̇", "τ", "η"), ("1/s", "kPa", "Pa·s"))),
        (("Shear rate", "Shear stress", "Viscosity"), (("D", "S", "V"), ("", "", ""), ("1/s", "kPa", "Pa·s"))),
        (("Rate", "Stress", "Viscosity"), (("of", "in", "of"), ("shear", "shear", "shear"), ("1/s", "kPa", "Pa·s"))),
        (("Shear", "Shear", "Dynamic"), (("rate", "stress", "viscosity"), ("measured", "measured", "calculated"))),
    ],
)
def test_heads_of_several_rows(tmp_path, head, below):
    has_units = any("kPa" in each for row in (head, *below) for each in row)
    text = table(head, (RATE, KILO if has_units else STRESS, ETA), "\t", below=below)
    (curve,) = read(tmp_path, text)
    assert is_the_fluid(curve)
    assert curve.is_si == has_units
    (curve,) = read(tmp_path, "Operator\tN. N.\tlab 3\n\n" + text)
    assert is_the_fluid(curve)


def test_complex_and_normal_in_the_row_above_are_part_of_the_names(tmp_path):
    """|η*| and a normal stress are no viscosity and no shear stress, though their second rows say so."""
    head, below = ("Shear", "Normal", "Shear"), (("rate", "stress", "stress"), ("1/s", "Pa", "kPa"))
    assert is_the_fluid(read(tmp_path, table(head, (RATE, 7 * STRESS, KILO), "\t", below=below))[0])
    head, below = ("Shear", "Shear", "Complex"), (("rate", "stress", "viscosity"), ("1/s", "kPa", "Pa·s"))
    (curve,) = read(tmp_path, table(head, (RATE, KILO, 7 * ETA), "\t", below=below))
    assert is_the_fluid(curve)
    assert curve.notes == ()


@pytest.mark.parametrize(
    ("head", "factors"),
    [
        (("Shear rate (1/h)", "Stress (10^3 Pa)"), (3600, 1e-3)),
        (("Shear rate (per s)", "Stress (milli Pa)"), (1, 1e3)),
        (("Shear rate (1/min)", "Stress (dyn per cm2)"), (60, 10)),
        (("Shear rate 1/sec", "Stress (D/cm2)"), (1, 10)),
        (("Shear rate (10³ s⁻¹)", "Stress mbar"), (1e-3, 1e-2)),
        (("Shear Rate (1/sec)", "Shear Stress D/cm²"), (1, 10)),
        (("Rate (per minute)", "Stress (hecto Pascal)"), (60, 1e-2)),
        (("Rate in 1/s", "Stress (gf/cm2)"), (1, 1 / 98.0665)),
    ],
)
def test_units_in_digits_and_words(tmp_path, head, factors):
    (curve,) = read(tmp_path, table(head, (factors[0] * RATE, factors[1] * STRESS), "\t"))
    assert is_the_fluid(curve)
    assert curve.is_si
    assert curve.notes == ()


def test_thousands_of_centipoise_and_of_reciprocal_seconds(tmp_path):
    (curve,) = read(tmp_path, table(("Rate [ks-1]", "Viscosity [kcP]"), (RATE / 1e3, ETA)))
    assert is_the_fluid(curve)
    assert curve.notes == ("the unit 'ks-1' is read as 1000 1/s; if 1/(ks) is meant, say so with --units",)
    (curve,) = read(tmp_path, table(("Rate [ks-1]", "Viscosity [kcP]"), (RATE * 1e3, ETA)), units={"rate": "1/ks"})
    assert is_the_fluid(curve)
    assert curve.notes == ()


@pytest.mark.parametrize("text", ["(1/fortnight)", "(10^3 acre)", "(kips/ft2 Pa)", "(1000 Pa)", "[acre]"])
def test_what_is_meant_as_a_unit_is_no_label(tmp_path, text):
    with pytest.raises(ReadError, match="is not known: give --units stress="):
        read(tmp_path, table(("Rate [1/s]", f"Stress {text}")))


@pytest.mark.parametrize(
    ("head", "base"),
    [
        (("log10 shear rate (1/s)", "log10 stress (kPa)"), 10),
        (("lg(Shear rate [1/s])", "lg(Stress [kPa])"), 10),
        (("lg(γ̇/s⁻¹)", "lg(τ/kPa)"), 10),
        (("ln(Shear rate) [1/s]", "ln(Stress) [kPa]"), np.e),
        (("Log10_shear_rate_1/s", "Log10_shear_stress_kPa"), 10),
        (("Rate [log10 1/s]", "Stress [lg(kPa)]"), 10),
    ],
)
def test_logarithms(tmp_path, head, base):
    columns = np.log(RATE) / np.log(base), np.log(KILO) / np.log(base)
    (curve,) = read(tmp_path, table(head, columns, ";"))
    assert is_the_fluid(curve)
    assert curve.is_si


def test_a_logarithm_of_no_base_is_asked_back(tmp_path):
    text = table(("log(shear rate)", "log(stress)"), (np.log10(RATE), np.log10(STRESS)), ";")
    with pytest.raises(ReadError, match=r"of base 10 or e: say which, with --units stress=lg\(Pa\) or stress=ln\(Pa\)"):
        read(tmp_path, text)
    assert is_the_fluid(read(tmp_path, text, units={"rate": "lg(1/s)", "stress": "lg(Pa)"})[0])


@pytest.mark.parametrize("name", ["Log. {}", "Logarithm of {}", "{} (log scale)", "{} logarithmisch"])
def test_what_may_be_a_logarithm_is_asked_back(tmp_path, name):
    text = table(tuple(map(name.format, ("shear rate", "stress"))), (np.log10(RATE), np.log10(STRESS)), ";")
    with pytest.raises(ReadError, match="is a logarithm of base 10 or e: say which"):
        read(tmp_path, text)
    assert is_the_fluid(read(tmp_path, text, units={"rate": "lg(1/s)", "stress": "lg(Pa)"})[0])
    text = table(tuple(map(name.format, ("shear rate", "stress"))), (RATE, STRESS), ";")
    assert is_the_fluid(read(tmp_path, text, units={"rate": "1/s", "stress": "Pa"})[0])


HUNDREDS = np.array([100, 500, 1000, 5000, 50000])
BY_COMMA = [f"{each:,}" for each in HUNDREDS]


def lines(first, second, head="Shear rate [1/s]\tStress [Pa]"):
    return "\n".join([head, *("\t".join(each) for each in zip(first, second, strict=True))])


@pytest.mark.parametrize(
    ("stresses", "factor"),
    [
        # A decimal point in the other column; no other mark, and a column that only so is smooth; marks in both.
        (["0.5", "1.5", "2.5", "3.5", "4.5"], 1),
        (["5", "15", "25", "35", "45"], 10),
        (["1,234.5", "2,345.5", "3,000.0", "4,000.0", "5,000.0"], None),
    ],
)
def test_marks_between_thousands(tmp_path, stresses, factor):
    (curve,) = read(tmp_path, lines(BY_COMMA, stresses))
    np.testing.assert_allclose(curve.rate, HUNDREDS)
    if factor:
        np.testing.assert_allclose(curve.stress, factor * np.array([0.5, 1.5, 2.5, 3.5, 4.5]))
    assert "'1,000' of 'Shear rate [1/s]' is read as 1000" in curve.notes


@pytest.mark.parametrize(
    "stresses", [["0,5", "1,5", "2,5", "3,5", "4,5"], ["0,500", "1,500", "2,500", "3,500", "4,500"]]
)
def test_decimal_commas_with_three_digits(tmp_path, stresses):
    rates = ["0,125", "1,000", "1,250", "2,512", "10,000"]
    (curve,) = read(tmp_path, lines(rates, stresses))
    np.testing.assert_allclose(curve.rate, [0.125, 1, 1.25, 2.512, 10])
    np.testing.assert_allclose(curve.stress, [0.5, 1.5, 2.5, 3.5, 4.5])
    (curve,) = read(tmp_path, lines(["1", "1,778", "3,162", "5,623", "10"], ["1", "2", "3", "4", "5"]))
    np.testing.assert_allclose(curve.rate, [1, 1.778, 3.162, 5.623, 10])


BY_POINT = ["100", "500", "1.000", "5.000", "50.000"]


@pytest.mark.parametrize(
    ("rates", "stresses", "found"),
    [
        (BY_POINT, ["0,5", "1,5", "2,5", "3,5", "4,5"], HUNDREDS),
        # Of no other mark: a column that only so is smooth.
        (BY_POINT, ["5", "15", "25", "35", "45"], HUNDREDS),
        (["800,5", "1.000", "1.200,5", "1.500,0", "50.000"], list("12345"), [800.5, 1000, 1200.5, 1500, 50000]),
        (["1.000,5", "1.100,5", "1.200,5", "1.300,5", "9,5"], list("12345"), [1000.5, 1100.5, 1200.5, 1300.5, 9.5]),
        (["1.000", "2.000", "5.000", "10.000", "20.000"], ["5", "15", "25", "35", "45"], [1, 2, 5, 10, 20]),
        (["1.000", "2.000", "5.000", "10.00", "20.00"], ["5", "15", "25", "35", "45"], [1, 2, 5, 10, 20]),
    ],
)
def test_points_between_thousands(tmp_path, rates, stresses, found):
    (curve,) = read(tmp_path, lines(rates, stresses))
    np.testing.assert_allclose(curve.rate, np.sort(found))
    assert any("is read as 1000" in note for note in curve.notes) == (found[-1] == 50000)
    assert read(tmp_path, lines(BY_POINT, ["5", "15", "25", "35", "45"]), decimal=".")[0].rate[-1] == 500


def test_a_comma_that_may_be_either_is_asked_back(tmp_path):
    text = lines(["10,000", "20,000", "30,000", "40,000", "50,000"], ["1", "2", "3", "4", "5"])
    with pytest.raises(ReadError, match=r"'10,000' of 'Shear rate \[1/s\]' may be 10 or 10000.*--decimal"):
        read(tmp_path, text)
    assert read(tmp_path, text, decimal=".")[0].rate[-1] == 50000
    assert read(tmp_path, text, decimal=",")[0].rate[-1] == 50


def test_thousands_by_spaces_and_apostrophes(tmp_path):
    rates = ["100", "1'000", "10 000", "100\u202f000", "1,000,000"]
    np.testing.assert_allclose(read(tmp_path, lines(rates, list("12345")))[0].rate, 10.0 ** np.arange(2, 7))


def test_brookfield(tmp_path):
    """Torque in percent of the spring, stresses in D/cm², a column of accuracy."""
    head = "Point [#]\tTime [s]\tViscosity [cP]\tTorque [%]\tSpeed [RPM]\tShear Stress [dyne/cm²]\tShear Rate [1/s]"
    head += "\tTemperature [C]\tAccuracy [+/-cP]"
    rows = [
        f"{i}\t{5 * i}\t{1e3 * e:.12g}\t{10 + i}\t{2 * g:.6g}\t{10 * e * g:.12g}\t{g:.12g}\t25.1\t3.2"
        for i, (g, e) in enumerate(zip(RATE, ETA, strict=True), 1)
    ]
    (curve,) = read(tmp_path, "\n".join([head, *rows]))
    assert is_the_fluid(curve)
    assert curve.temperature == 25.1


def test_orchestrator(tmp_path):
    """ARES: names without their kinds, Pa-s and g-cm."""
    text = table(("Rate", "Eta", "Tau", "Torque", "N1"), (RATE, ETA, STRESS, 9 * STRESS, STRESS), "\t")
    names, rest = text.split("\n", 1)
    assert is_the_fluid(read(tmp_path, f"Test: Steady Rate Sweep\n{names}\n1/s\tPa-s\tPa\tg-cm\tPa\n{rest}")[0])


@pytest.mark.parametrize("quote", ['"', ""])
@pytest.mark.parametrize("separator", [" ", ","])
def test_numbers_of_rows_without_a_name(tmp_path, quote, separator):
    """R's write.table: the row numbers have no name above them."""
    names = separator.join(f"{quote}{name}{quote}" for name in ("rate", "stress"))
    rows = [
        f"{quote}{i}{quote}{separator}{r}{separator}{t}" for i, (r, t) in enumerate(zip(RATE, STRESS, strict=True), 1)
    ]
    assert is_the_fluid(read(tmp_path, "\n".join([names, *rows]))[0])


def test_more_numbers_than_names_are_not_read_by_position(tmp_path):
    """Decimal commas in a file separated by commas, and a column of times without a name."""
    commas = table(("Shear rate [1/s]", "Shear stress [Pa]"), (RATE, STRESS), comma=True)
    times = table(("Shear rate [1/s]", "Shear stress [Pa]"), (7.5 * np.arange(len(RATE)), RATE, STRESS))
    for text in (commas, times):
        with pytest.raises(ReadError, match=r"2 names of columns over rows of [34] numbers"):
            read(tmp_path, text)
    head, *rest = table().splitlines()
    assert is_the_fluid(read(tmp_path, "\n".join([head, *(f"{line},ok" for line in rest)]))[0])
