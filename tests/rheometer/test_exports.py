"""Exports in the form of common instruments, made of our own numbers."""

import numpy as np
import pytest

from flowgrad import ReadError, read_flow_curves
from flowgrad.rheometer import hysteresis
from tests.rheometer.tables import ETA, RATE, STRESS, is_the_fluid, number, write

NAMES = {
    "en": ("Interval data:", "Point No.", "Time", "Shear Rate", "Shear Stress", "Viscosity", "Torque", "Status"),
    "de": ("Abschnittsdaten:", "Messpkt.", "Zeit", "Scherrate", "Schubspannung", "Viskosität", "Drehmoment", "Status"),
    "fr": (
        *("Interval données:", "Point No.", "Temps", "Gradient de Cisaillement", "Contrainte de Cisaillement"),
        *("Viscosité", "Couple", "Etat"),
    ),
}


def rheocompass(language):
    """Anton Paar: intervals with their own heads, an empty row, a row of units, a status behind."""
    lines = ["Project:\tStudy", "Test:\tFlow curve", "", "Result:\tEmulsion 1", "Interval and data points:\t2\t21\t21"]
    for rate, eta in ((RATE, ETA), (RATE[::-1], 0.8 * ETA[::-1])):
        lines += ["\t".join(NAMES[language]), "\t" * 7, "\t\t[s]\t[1/s]\t[Pa]\t[mPa·s]\t[µN·m]\t[]"]
        for i, (g, e) in enumerate(zip(rate, eta, strict=True)):
            numbers = (number(each, comma=True) for each in (10 * i, g, g * e, 1e3 * e, 12.5))
            lines.append("\t".join(["", str(i + 1), *numbers, "Dy_auto"]))
        lines.append("")
    return "\r\n".join(lines)


@pytest.mark.parametrize(("language", "encoding"), [("en", "utf-16"), ("de", "utf-16-le"), ("fr", "cp1252")])
def test_intervals(tmp_path, language, encoding):
    up, down = read_flow_curves(write(tmp_path, rheocompass(language).encode(encoding)))
    assert is_the_fluid(up)
    assert is_the_fluid(down, 0.8)
    assert (up.name, down.name, up.sample) == ("Emulsion 1 up", "Emulsion 1 down", "Emulsion 1")
    assert hysteresis(up, down).relative == pytest.approx(0.2, rel=1e-9)


def trios(flow=True):
    """TA Instruments: metadata, then steps with a name, names, units, rows."""
    lines = ["Filename\tgel", "Sample name\tGel 7", "Procedure name\tPeak hold", "\tFlow sweep", "[File Parameters]"]
    lines += [
        "Name\tGel 7",
        "Trios version\t5.1",
        "[Geometry Parameters]",
        "Gap\t2.5 mm",
        "Stress constant\t4102.12 Pa/N.m",
    ]
    lines += ["[step]", "Peak hold - 1", "Time\tStep time\tStress\tShear rate\tViscosity", "s\ts\tPa\t1/s\tPa.s"]
    lines += [f"{i}.0\t{i}.0\t97.1\t1000.2\t0.09708" for i in range(30)]
    if flow:
        lines += [
            "",
            "[step]",
            "Flow sweep - 1",
            "Stress\tShear rate\tViscosity\tStep time\tTemperature\tNormal stress",
        ]
        lines += ["Pa\t1/s\tPa.s\ts\t°C\tPa"]
        lines += [f"{e * g:.12g}\t{g:.12g}\t{e:.12g}\t{3 * g}\t20.0\t1.2" for g, e in zip(RATE, ETA, strict=True)]
    lines += ["", "[step]", "Amplitude sweep - 1", "Storage modulus\tLoss modulus\tAngular frequency\tStep time"]
    lines += ["Pa\tPa\trad/s\ts", *(f"100.0\t10.0\t6.28\t{i}" for i in range(9))]
    return "\n".join(lines)


def test_steps(tmp_path):
    (curve,) = read_flow_curves(write(tmp_path, trios()))
    assert is_the_fluid(curve)
    assert (curve.name, curve.temperature) == ("Gel 7 Flow sweep - 1", 20.0)
    assert "'Gel 7 Amplitude sweep - 1' is oscillatory" in curve.notes[0]
    assert "'Gel 7 Peak hold - 1' stays at one shear rate, 1000" in curve.notes[0]
    with pytest.raises(ReadError, match=r"holds no flow curve: .* 'Gel 7 Amplitude sweep - 1' is oscillatory"):
        read_flow_curves(write(tmp_path, trios(flow=False)))


def test_actions_in_one_table(tmp_path):
    """Malvern: one row of names with their units, the name of the action in front, G' beside."""
    head = "Action Name;Time (action)(s);Shear stress(Pa);Shear rate(s-¹);Shear modulus (elastic component)(Pa)"
    lines = [head + ";Torque(N m);Temperature(°C)"]
    lines += [f"Pre Shear;{i},0;53,2;50,00;;1,2E-003;20,93" for i in range(12)]
    for g, t in zip(RATE, STRESS, strict=True):
        lines.append(f"Flow Curve;1,0;{number(t, comma=True)};{number(g, comma=True)};;1,2E-003;20,93")
    lines += [f"Oscillation;{i},0;;;100,0;1,2E-003;20,93" for i in range(12)]
    (curve,) = read_flow_curves(write(tmp_path, "\n".join(lines)))
    assert is_the_fluid(curve)
    assert (curve.name, curve.temperature) == ("Flow Curve", 20.93)


def test_segments(tmp_path):
    """Thermo Haake: ``GP in 1/s``, and ``segment|point`` in the first column."""
    lines = ["C:\\data\\y.rwd", "Company / Operator: - / -", "Date / Time: 01.02.2020 / 10:11:12 / HAAKE RheoWin 4"]
    lines += ["Substance / Sample no: Yoghurt / 3", "", ";GP in 1/s;Tau in Pa;Eta in mPas;T in °C;t in s;"]
    lines += ["1|1; ;0,06978; ; ;17,86;"]
    for segment, order in ((3, slice(None)), (5, slice(None, None, -1))):
        for i, (g, e) in enumerate(zip(RATE[order], ETA[order], strict=True)):
            values = ";".join(number(each, comma=True) for each in (g, g * e, 1e3 * e))
            lines.append(f"{segment}|{i + 1};{values};25,0;1,0;")
        lines += [f"4|{i};1000,0;{number(STRESS[-1], comma=True)};;25,0;1,0;" for i in range(12 if segment == 3 else 0)]
    up, down = read_flow_curves(write(tmp_path, "\n".join(lines).encode("latin-1")))
    assert is_the_fluid(up)
    assert is_the_fluid(down)
    assert (up.sample, up.ramp, down.ramp) == ("Yoghurt / 3", "up", "down")
    assert np.all(np.diff(down.rate) > 0)


def test_segments_whose_numbers_have_no_name_above_them(tmp_path):
    lines = ["Substance / Sample no: Lotion/7", "", "t_seg in s;GP in 1/s;Tau in Pa;Eta in mPas;T in °C"]
    for i, (g, e) in enumerate(zip(RATE, ETA, strict=True), 1):
        lines.append(f"1|{i};" + ";".join(number(each, comma=True) for each in (5.0 * i, g, g * e, 1e3 * e, 25.0)))
    (curve,) = read_flow_curves(write(tmp_path, "\n".join(lines).encode("latin-1")))
    assert is_the_fluid(curve)
    assert curve.temperature == 25
