"""Oscillatory tables as flow curves by the rule of Cox and Merz, when it is asked for."""

import numpy as np
import pytest

from flowgrad import ReadError, read_flow_curves
from flowgrad.rheometer import Reading
from tests.rheometer.tables import table, write

OMEGA = np.geomspace(0.1, 100, 16)
# Maxwell's fluid of 100 Pa and 1 s.
STORAGE, LOSS = 100 * OMEGA**2 / (1 + OMEGA**2), 100 * OMEGA / (1 + OMEGA**2)
ETA = np.hypot(STORAGE, LOSS) / OMEGA


@pytest.mark.parametrize(
    ("head", "columns", "below"),
    [
        (("Angular frequency", "Storage modulus", "Loss modulus"), (OMEGA, STORAGE, LOSS), (("rad/s", "Pa", "Pa"),)),
        (("Frequency [Hz]", "G' [kPa]", "G'' [kPa]"), (OMEGA / (2 * np.pi), STORAGE / 1e3, LOSS / 1e3), ()),
        (("Kreisfrequenz in rad/s", "Komplexe Viskosität in mPas", "Phasenwinkel in °"), (OMEGA, 1e3 * ETA, LOSS), ()),
        (("f in Hz", "G' in Pa", 'G" in Pa'), (OMEGA / (2 * np.pi), STORAGE, LOSS), ()),
        (("Frequency [rad/s]", "Complex modulus [Pa]", "tan delta"), (OMEGA, ETA * OMEGA, LOSS), ()),
        (("ω (rad/s)", "|η*| (Pa·s)", "G' (Pa)"), (OMEGA, ETA, STORAGE), ()),
    ],
)
def test_the_complex_viscosity_becomes_a_curve(tmp_path, head, columns, below):
    path = write(tmp_path, table(head, columns, "\t", below=below))
    (curve,) = read_flow_curves(path, Reading(cox_merz=True))
    np.testing.assert_allclose(curve.rate, OMEGA, rtol=1e-9)
    np.testing.assert_allclose(curve.viscosity, ETA, rtol=1e-9)
    assert curve.is_si
    assert "Cox–Merz" in curve.notes[0]
    with pytest.raises(ReadError, match=r"oscillatory .--cox-merz"):
        read_flow_curves(path)


def test_an_amplitude_sweep_is_none(tmp_path):
    text = table(("Angular frequency [rad/s]", "G' [Pa]", "G'' [Pa]"), (10 + 0 * OMEGA, STORAGE, LOSS), "\t")
    with pytest.raises(ReadError, match="stays at one frequency, 10"):
        read_flow_curves(write(tmp_path, text), Reading(cox_merz=True))


def test_a_table_without_a_frequency(tmp_path):
    text = table(("Strain [%]", "G' [Pa]", "G'' [Pa]"), (OMEGA, STORAGE, LOSS), "\t")
    with pytest.raises(ReadError, match=r"needs a frequency with .*\|.*\| .*Cox–Merz"):
        read_flow_curves(write(tmp_path, text), Reading(cox_merz=True))
