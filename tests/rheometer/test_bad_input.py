"""What cannot be read is a clear error or a counted exclusion, and says what to do."""

import time

import numpy as np
import pytest

from flowgrad import FlowgradError, OptionError, ReadError, read_flow_curves
from flowgrad.rheometer import Reading
from tests.rheometer.tables import RATE, STRESS, is_the_fluid, table, write


def refused(folder, content, **told):
    start = time.perf_counter()
    with pytest.raises(FlowgradError) as caught:
        read_flow_curves(write(folder, content), Reading(**told))
    assert "\n" not in str(caught.value)
    return type(caught.value), str(caught.value), time.perf_counter() - start


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", ReadError, "is empty"),
        (b"\xff\xfe", ReadError, "is empty"),
        (b"%PDF-1.4", ReadError, "is a PDF"),
        (bytes(range(256)) * 40, ReadError, "is binary"),
        ("stress\n1\n2\n3\n4\n", ReadError, "has no table"),
        ("a b c\nd e f\n", ReadError, "has no table"),
        ("Angular frequency [rad/s],G' [Pa],G'' [Pa]\n1,2,3\n2,3,4\n", ReadError, "oscillatory"),
        ("Angular frequency,Storage modulus,Loss modulus,Shear stress\n1,2,3,4\n2,3,4,5\n", ReadError, "oscillatory"),
        ("Shear rate [1/s],Stress [furlong]\n1,2\n2,3\n", ReadError, "unit 'furlong' of 'Stress"),
        ("Shear rate [Pa],Stress [Pa]\n1,2\n2,3\n", ReadError, "unit of a stress, not of a rate"),
        ("Shear rate;Stress [Pa]\n1/s;mPa\n1;2\n2;3\n", ReadError, "states one unit and the row of units 'mPa'"),
        ("Shear rate [1/s],Viscosity [mm²/s]\n1,2\n2,3\n", ReadError, "kinematic viscosity: multiply"),
        ("rate;stress\n1,5;2.5\n2,5;3\n3,5;4,5\n", ReadError, "'2.5' in line 2 and '4,5' in line 4"),
        ("rate;stress\n1;2.5\n2;3,5\n3;1.234,5\n", ReadError, "none between thousands"),
        ("Shear rate,Viscosity, cP\n1,2\n2,3\n3,4\n", ReadError, "3 names of columns over rows of 2 cells"),
        ("Shear rate,Stress,tau\n1,2,3\n2,3,4\n", OptionError, "'Stress' (column 2), 'tau' (column 3) could be meant"),
        ("Shear rate,Torque [mNm]\n1,2\n2,3\n", ReadError, "--radius"),
        ("rate,stress\n5,1\n5,2\n5,3\n5.01,2\n", ReadError, "stays at one shear rate, 5"),
        ("rate,stress\n0,1\n0,2\n0,3\n", ReadError, "is at rest"),
        ("rate,stress\n1,nan\n2,\n3,n/a\n4,--\n", ReadError, "no row with numbers"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path, content, kind, words):
    found, message, _ = refused(tmp_path, content)
    assert found is kind
    assert words in message
    assert "table.csv" in message


def test_hostile_files_are_refused_at_once(tmp_path):
    random = np.random.default_rng(0)
    size = 10_000_000
    for content in (
        random.bytes(size),
        random.integers(32, 127, size).astype(np.uint8).tobytes(),
        b"x" * size,
        b"1,2,3,4\n" * (size // 8),
        b"rate,stress\n" + b"a,b\n" * (size // 4),
        b'","' * (size // 3),
    ):
        assert refused(tmp_path, content)[2] < 3.0


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        read_flow_curves(tmp_path / "none.csv")
    with pytest.raises(ReadError, match="cannot be read"):
        read_flow_curves(tmp_path)


def test_rows_that_cannot_be_used_are_counted(tmp_path):
    text = table().splitlines()
    text.insert(3, "0.02,broken")
    text.insert(5, "0.03,")
    text.insert(7, "0,0.3")
    text.insert(9, "nan,nan")
    text.insert(11, "0.5,-0.2")
    (curve,) = read_flow_curves(write(tmp_path, "\n".join(text)))
    assert is_the_fluid(curve)
    assert dict(curve.excluded) == {
        "with a text in place of a number": 1,
        "without a number": 2,
        "at rest (shear rate 0)": 1,
        "with a stress that is zero or against the shear rate": 1,
    }


def test_the_sign_of_the_stress(tmp_path):
    text = table(columns=(RATE, -STRESS))
    found, message, _ = refused(tmp_path, text)
    assert found is OptionError
    assert "21 of 21 rows: turn its sign with --columns stress=-NAME" in message
    path = write(tmp_path, text)
    assert is_the_fluid(read_flow_curves(path, Reading(columns={"stress": "-Shear stress [Pa]"}))[0])
    (turned,) = read_flow_curves(write(tmp_path, table(columns=(-RATE, -STRESS))))
    assert is_the_fluid(turned)
    assert "21 points of the other sense of rotation" in turned.notes[0]


def test_duplicate_rates_are_kept(tmp_path):
    (curve,) = read_flow_curves(write(tmp_path, table(columns=(np.repeat(RATE, 2), np.repeat(STRESS, 2)))))
    assert len(curve) == 42
    assert curve.ramp == "up"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"columns": {"speed": "a"}}, "'speed' is unknown"),
        ({"units": {"stress": "1/s"}}, "--units stress=1/s"),
        ({"units": {"stress": "acre"}}, "--units stress=acre"),
        ({"correction": "hagenbach"}, "'hagenbach' is unknown: choose rabinowitsch"),
        ({"radius": -1.0}, "--radius is -1"),
    ],
)
def test_a_reading_is_checked_at_once(told, words):
    with pytest.raises(OptionError, match=words):
        Reading(**told)


def test_nothing_left(tmp_path):
    found, message, _ = refused(tmp_path, table(), rates=(1e6, 1e7))
    assert found is OptionError
    assert "21 outside --rates" in message
