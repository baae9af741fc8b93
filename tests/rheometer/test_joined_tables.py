"""Files of several intervals, of which some are no flow curve: each costs itself alone, and is named."""

import numpy as np
import pytest

from flowgrad import ReadError, read_flow_curves
from flowgrad.rheometer.fitted import examine
from tests.rheometer.tables import ETA, RATE, STRESS, is_the_fluid, number, write

TIME = np.geomspace(0.1, 300, 30)
# Names, units and columns of intervals that are no flow curve, as instruments write them.
OTHERS = {
    "creep": (("Step time", "Strain", "Compliance", "Temperature"), ("s", "%", "1/Pa", "°C"), (3, 0.01, 25)),
    "relaxation": (("Torque", "Displacement", "Step time"), ("µN.m", "rad", "s"), (0.3, 5)),
    "squeeze": (("Axial force", "Gap", "Step time", "Temperature"), ("N", "mm", "s", "°C"), (1.5, 2, 25)),
    "frequency": (("Angular frequency", "Storage modulus", "Loss modulus"), ("rad/s", "Pa", "Pa"), (100, 10)),
    "ramp": (("Temperature", "Time", "Normal stress"), ("°C", "s", "Pa"), (7, 32768)),
    "unnamed": (("Kanal 1", "Kanal 2", "Kanal 3"), ("s", "V", "mm"), (7, 8)),
}


def rows(columns, separator="\t", comma=False):
    return [separator.join(number(each, comma) for each in row) for row in zip(*columns, strict=True)]


def other(kind):
    names, units, factors = OTHERS[kind]
    return names, units, (TIME, *(factor * TIME**0.5 for factor in factors))


def flow(factor=1.0):
    return ("Stress", "Shear rate", "Viscosity"), ("Pa", "1/s", "Pa.s"), (factor * STRESS, RATE, factor * ETA)


def trios(*steps):
    """TA Instruments: ``[step]``, the name of the step, names, units."""
    lines = ["Filename\tx.tri", "Sample name\tGel", "Procedure name\tFlow sweep", "\tCreep", "[File Parameters]"]
    lines += ["Trios version\t5.1.0.46403", "[Geometry Parameters]", "Gap\t2.5 mm", "Stress constant\t4102.12 Pa/N.m"]
    for name, (names, units, columns) in steps:
        lines += ["[step]", name, "\t".join(names), "\t".join(units), *rows(columns), ""]
    return "\n".join(lines)


def rheocompass(*steps):
    """Anton Paar RheoCompass: ``Interval data:`` in front of the names, a blank row, units in square brackets."""
    lines = ["Project:\tP", "Test:\tT", "", "Result:\tR 1", ""]
    for i, (_, (names, units, columns)) in enumerate(steps, 1):
        lines += [
            f"Interval and data points:\t{i}\t{len(columns[0])}",
            "\t".join(["Interval data:", "Point No.", *names]),
        ]
        lines += ["\t" * (len(names) + 1), "\t\t" + "\t".join(f"[{each}]" for each in units)]
        lines += [f"\t{k}\t{row}" for k, row in enumerate(rows(columns), 1)] + [""]
    return "\n".join(lines).encode("utf-16")


def rheoplus(*steps):
    """Anton Paar RheoPlus: intervals with their profiles, quoted cells, ``Meas. Pts.``."""
    lines = [
        "Data Series Information",
        "Name:\tGel",
        f"Number of Intervals:\t{len(steps)}",
        "Application:\tRHEOPLUS/32",
    ]
    for i, (_, (names, units, columns)) in enumerate(steps, 1):
        lines += ["", f"Interval:\t{i}", f"Number of Data Points:\t{len(columns[0])}", "Time Setting:\t21 Meas. Pts."]
        lines += ["Measuring Profile:", "  Shear Rate\td(gamma)/dt = 0.01 ... 1000 1/s log", ""]
        lines += ["\t".join(["Meas. Pts.", *names, "Status"]), "\t" + "\t".join(f"[{each}]" for each in (*units, ""))]
        lines += [f"{k}\t{row}\tM-" for k, row in enumerate(rows(columns), 1)]
    return "\n".join(lines)


def blank_lines(*steps):
    """A CSV with blocks apart by blank lines, units in the names."""
    lines = []
    for _, (names, units, columns) in steps:
        lines += [",".join(f"{a} [{b}]" for a, b in zip(names, units, strict=True)), *rows(columns, ","), ""]
    return "\n".join(lines)


FORMS = (trios, rheocompass, rheoplus, blank_lines)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("form", FORMS)
def test_a_head_of_something_else_ends_the_table_above(tmp_path, form, kind):
    for steps in (
        (("Flow sweep - 1", flow()), ("Other - 2", other(kind))),
        (("Other - 1", other(kind)), ("F", flow())),
    ):
        (curve,) = read_flow_curves(write(tmp_path, form(*steps)))
        assert is_the_fluid(curve)
        assert dict(curve.excluded) == {}
        assert len(curve.notes) == 1
        assert "is no flow curve" in curve.notes[0] or "oscillatory" in curve.notes[0]
    if form is trios:
        assert "'Gel Other - 1'" in curve.notes[0] or "'Other - 1'" in curve.notes[0]


@pytest.mark.parametrize("form", FORMS)
def test_several_curves_with_something_between(tmp_path, form):
    steps = ("A", flow()), ("B", other("creep")), ("C", other("ramp")), ("D", flow(3.0))
    first, second = read_flow_curves(write(tmp_path, form(*steps)))
    assert is_the_fluid(first)
    assert is_the_fluid(second, 3.0)
    assert first.notes[-1].count("is no flow curve") == 2


def test_numbers_without_names_behind_a_line_of_text(tmp_path):
    names, units, columns = flow()
    lines = ["\t".join(names), "\t".join(units), *rows(columns), "", "raw signal", *rows((TIME, TIME**0.5))]
    (curve,) = read_flow_curves(write(tmp_path, "\n".join(lines)))
    assert is_the_fluid(curve)
    assert "columns without names" in curve.notes[0]


def test_blocks_of_one_table_apart_by_blank_lines_are_one(tmp_path):
    names, units, columns = flow()
    lines = ["\t".join(names), "\t".join(units), *rows(columns)]
    text = "\n".join([*lines[:9], "", *lines[9:14], "", "", *lines[14:]])
    (curve,) = read_flow_curves(write(tmp_path, text))
    assert is_the_fluid(curve)
    assert curve.notes == ()


def test_only_tables_of_something_else(tmp_path):
    with pytest.raises(ReadError, match=r"Strain.*--columns rate=NAME,stress=NAME"):
        read_flow_curves(write(tmp_path, trios(("Creep - 1", other("creep")))))


def sampled(rate, stress, time):
    return ("Stress", "Shear rate", "Step time"), ("Pa", "1/s", "s"), (stress, rate, time)


RANDOM = np.random.default_rng(3)
SECONDS = np.linspace(0.02, 10, 60)
LOG_SECONDS = np.geomspace(1e-3, 100, 50)
# Intervals in the columns of a flow curve, and what is said of them.
TRANSIENTS = {
    "rest": (sampled(3e-4 * RANDOM.normal(size=20), 0 * RATE[:20], SECONDS[:20]), "is at rest"),
    "noise": (sampled(3e-4 * RANDOM.normal(size=20), 1e-3 * RANDOM.normal(size=20), SECONDS[:20]), "is at rest"),
    "hold": (sampled(200 + 0 * SECONDS, 42 + 5 * np.exp(-SECONDS), SECONDS), "stays at one shear rate, 200"),
    "start-up": (
        sampled(1000 * -np.expm1(-LOG_SECONDS / 0.05), 100 * -np.expm1(-LOG_SECONDS / 0.5), LOG_SECONDS),
        "is a start-up to one shear rate, 1000",
    ),
    "creep at one stress": (sampled(5 / (1 + SECONDS), 30 + 0 * SECONDS, SECONDS), "is a creep test at one stress, 30"),
    "three points": (sampled([1, 2, 3], [1, 2, 3], [1, 2, 3]), "3 of 3 points"),
}


@pytest.mark.parametrize("kind", TRANSIENTS)
@pytest.mark.parametrize("form", [trios, rheocompass, rheoplus])
def test_an_interval_that_is_no_curve_costs_itself(tmp_path, form, kind):
    interval, words = TRANSIENTS[kind]
    for steps in ((("Flow", flow()), (kind, interval)), ((kind, interval), ("Flow", flow()))):
        examined = examine(read_flow_curves(write(tmp_path, form(*steps))), ["power-law"])
        assert len(examined) == 1
        assert is_the_fluid(examined[0].curve)
        assert words in examined[0].curve.notes[-1]
        assert "turn its sign" not in examined[0].curve.notes[-1]


@pytest.mark.parametrize("law", [lambda g: 5 + 0 * g, lambda g: 5 + g**0.5, lambda g: g])
def test_sweeps_are_no_start_ups(tmp_path, law):
    """Also where the last rate is repeated to a steady state, three rates are measured ten times, and times grow."""
    rate = np.geomspace(0.01, 100, 25)
    for sweep in (rate, rate[::-1], np.append(rate, [100] * 4), np.repeat(np.geomspace(1, 100, 5), 10)):
        for time in (np.arange(1, len(sweep) + 1), np.cumsum(1 / sweep), np.cumsum(sweep)):
            text = trios(("Flow", sampled(sweep, law(sweep), time)))
            (curve,) = read_flow_curves(write(tmp_path, text))
            assert len(curve) == len(sweep)


def test_a_hold_before_a_sweep_is_set_aside(tmp_path):
    rate = np.concatenate([np.full(40, 500.0), RATE])
    stress = np.concatenate([np.linspace(80, 50, 40), STRESS])
    (curve,) = read_flow_curves(write(tmp_path, trios(("Flow", sampled(rate, stress, 1.0 + np.arange(len(rate)))))))
    assert is_the_fluid(curve)
    assert dict(curve.excluded) == {"held at one shear rate (a pre-shear or a hold in the sweep)": 40}
    np.testing.assert_allclose(curve.set_aside[0].rate, 500.0)


def test_a_table_that_cannot_be_read_costs_itself(tmp_path):
    names, _, columns = flow()
    bad = names, ("furlong", "1/s", "Pa.s"), columns
    (curve,) = read_flow_curves(write(tmp_path, trios(("Flow", flow()), ("Bad", bad))))
    assert is_the_fluid(curve)
    assert "the unit 'furlong' of 'Stress' is not known" in curve.notes[0]
    with pytest.raises(ReadError, match="furlong"):
        read_flow_curves(write(tmp_path, trios(("Bad", bad))))


def test_weak_stresses_of_a_sweep_are_no_rest(tmp_path):
    """Half of the stresses change their sign in the noise; the sweep stands, and they are counted."""
    noise = np.where(RATE < 10, -np.cos(np.pi * np.arange(len(RATE))), 0)
    text = trios(("Flow", sampled(RATE, np.where(noise == 0, STRESS, 1e-3 * noise), 1.0 + np.arange(len(RATE)))))
    (curve,) = read_flow_curves(write(tmp_path, text))
    assert len(curve) + sum(curve.excluded.values()) == len(RATE)
    assert curve.excluded["with a stress that is zero or against the shear rate"] == np.sum(noise < 0)


def test_any_order_of_intervals_gives_the_curves_back(tmp_path):
    """Every interval that is a flow curve, and no other, whatever stands around it."""
    random = np.random.default_rng(7)
    kinds = [other(kind) for kind in OTHERS]
    kinds += [interval for kind, (interval, _) in TRANSIENTS.items() if "three" not in kind]
    for form in FORMS[:3]:
        for _ in range(12):
            steps, factors = [], []
            for number_of in range(random.integers(2, 6)):
                if random.random() < 0.5:
                    factors.append(float(random.integers(1, 9)))
                    steps.append((f"Flow - {number_of}", flow(factors[-1])))
                else:
                    steps.append((f"Step - {number_of}", kinds[random.integers(len(kinds))]))
            if factors:
                found = read_flow_curves(write(tmp_path, form(*steps)))
                assert len(found) == len(factors)
                assert all(is_the_fluid(curve, factor) for curve, factor in zip(found, factors, strict=True))


@pytest.mark.parametrize("between", ["", "\n", "Interval 2\n"])
def test_rows_of_something_else_are_known_by_their_viscosities(tmp_path, between):
    """Of as many columns, and without names of their own."""
    names, units, columns = flow()
    alien = (TIME[::3], 20 + TIME[::3], 5 - 0.1 * np.arange(10))
    text = "\n".join(["\t".join(names), "\t".join(units), *rows(columns)]) + "\n" + between + "\n".join(rows(alien))
    (curve,) = read_flow_curves(write(tmp_path, text))
    assert is_the_fluid(curve)
    assert curve.excluded == {"whose viscosity is not stress over rate, as in a table of something else": 10}


@pytest.mark.parametrize("sentinel", ["9.9e37", "3.402823e38", "-9.99E+37"])
def test_numbers_that_stand_for_none(tmp_path, sentinel):
    """Of IEEE 488.2, and the largest of four bytes."""
    names, units, (stress, rate, _) = flow()
    lines = [
        "\t".join(names[:2]),
        "\t".join(units[:2]),
        *rows((stress, rate)),
        f"{sentinel}\t{sentinel}",
        f"5\t{sentinel}",
    ]
    (curve,) = read_flow_curves(write(tmp_path, "\n".join(lines)))
    assert is_the_fluid(curve)
    assert curve.excluded == {"without a number": 2}


def test_an_oscillation_in_time_and_a_ramp_of_temperature_are_no_curves(tmp_path):
    phase = np.linspace(0.1, 12, 60)
    swung = ("Time", "Shear rate", "Stress"), ("s", "1/s", "Pa"), (phase, np.cos(phase), np.sin(phase + 0.5))
    warmth = np.linspace(20, 39, 20)
    warmed = (
        ("Temperature", "Shear rate", "Stress"),
        ("°C", "1/s", "Pa"),
        (warmth, np.exp(warmth / 20), 10 + 0 * warmth),
    )
    (curve,) = read_flow_curves(write(tmp_path, trios(("Swung", swung), ("Flow", flow()), ("Warmed", warmed))))
    assert is_the_fluid(curve)
    assert "'Gel Swung' oscillates (the shear rate changes its sign 4 times)" in curve.notes[-1]
    assert "'Gel Warmed' is a temperature ramp at one stress, 10" in curve.notes[-1]
