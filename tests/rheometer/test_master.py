"""Master curves: shift factors of known laws, their intervals, and what does not superpose."""

import json

import numpy as np
import pytest

from flowgrad import OptionError, RheometerCurve, plot, read_flow_curves
from flowgrad.pipeline.summary import plain
from flowgrad.rheology.models.factors import WLF, Arrhenius
from flowgrad.rheometer import Reading, master_curve
from tests.rheometer.tables import write

RATE = np.geomspace(0.1, 100, 15)
CELSIUS = np.array([10, 25, 40, 55, 70.0])
KELVIN = CELSIUS + 273.15
FLOW = Arrhenius(45e3, 313.15)


def newtonian(rate):
    return 3.0 * rate


def carreau(rate):
    return rate * (0.01 + 5 / (1 + (2 * rate) ** 2) ** 0.25)


def curves(law, factor=FLOW, noise=0.0, seed=0, named=True):
    random = np.random.default_rng(seed)
    return [
        RheometerCurve(
            f"melt {c:g} °C" if named else "melt",
            RATE,
            law(a * RATE) * np.exp(noise * random.normal(size=len(RATE))),
            temperature=None if named else c,
        )
        for c, a in zip(CELSIUS, factor(KELVIN), strict=True)
    ]


@pytest.mark.parametrize("factor", [FLOW, WLF(8.86, 101.6, 313.15)], ids=str)
@pytest.mark.parametrize(
    "law", [newtonian, lambda g: 2 * g**0.4, lambda g: np.exp(0.7 * np.log(g) - 0.02 * np.log(g) ** 2)]
)
def test_factors_of_polynomials_are_exact(law, factor):
    found = master_curve(curves(law, factor))
    np.testing.assert_allclose(found.factors, factor(KELVIN), rtol=1e-9)
    assert found.reference == 40
    assert found.superposes
    np.testing.assert_allclose(found.curve.stress, law(found.curve.rate), rtol=1e-9)
    assert np.all(np.diff(found.curve.rate) >= 0)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_do_not_matter(scale):
    found = master_curve([RheometerCurve(c.name, scale * c.rate, c.stress / scale) for c in curves(carreau)])
    np.testing.assert_allclose(found.factors, master_curve(curves(carreau)).factors, rtol=1e-6)


def test_the_energy_is_found_in_a_law_of_two_plateaus():
    found = master_curve(curves(carreau, named=False))
    energy, error = found.activation_energy
    assert energy == pytest.approx(45e3, rel=2e-3)
    assert abs(energy - 45e3) < 3 * error
    assert found.superposes


def test_the_reference_is_the_nearest():
    found = master_curve(curves(newtonian), reference=20)
    assert found.reference == 25
    np.testing.assert_allclose(found.factors, FLOW(KELVIN) / FLOW(298.15), rtol=1e-9)


def test_intervals_hold_the_truth():
    """95 % of them, within three standard deviations of the binomial; the superposition is doubted in 1 %."""
    inside, doubted, count = np.zeros(len(CELSIUS)), 0, 100
    for seed in range(count):
        found = master_curve(curves(carreau, noise=0.03, seed=seed))
        low, high = found.intervals.T
        inside += (low <= FLOW(KELVIN)) & (high >= FLOW(KELVIN))
        doubted += not found.superposes
    assert inside[2] == count
    assert np.all(np.abs(inside[[0, 1, 3, 4]] - 95) < 7)
    assert doubted <= 4


def test_what_does_not_superpose_is_named():
    """A flow index that rises with the temperature."""
    bent = [
        RheometerCurve(f"{c:g} °C", RATE, 5 * RATE ** (0.4 + 0.05 * i) * np.exp(0.01 * np.sin(9 * RATE)))
        for i, c in enumerate(CELSIUS)
    ]
    found = master_curve(bent)
    assert not found.superposes
    assert "do not superpose" in found.notes[0]
    assert "do not superpose" in found.statement


def test_curves_that_share_no_stress_are_named():
    hot, cold = RheometerCurve("80 °C", RATE, 0.01 * RATE), RheometerCurve("20 °C", RATE, 100 * RATE)
    found = master_curve([cold, hot], 20)
    np.testing.assert_allclose(found.factors, [1, 1e-4], rtol=1e-9)
    assert "share no stress" in found.notes[0]


def test_curves_of_one_temperature_share_a_factor():
    found = master_curve([*curves(newtonian), *curves(newtonian)])
    assert len(found.temperatures) == len(CELSIUS)
    assert len(found.curve) == 2 * len(CELSIUS) * len(RATE)


def test_the_table_and_the_summary():
    found = master_curve(curves(carreau, noise=0.01))
    summary = json.loads(json.dumps(plain(found.summary())))
    assert [row["temperature"] for row in summary["table"]] == list(CELSIUS)
    assert set(summary["table"][0]) == {"temperature", "a_T", "low", "high", "arrhenius", "wlf"}
    assert summary["laws"]["arrhenius"].startswith("arrhenius(E=")
    assert "activation energy" in found.statement


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [plot.reduced_curves, plot.reduced_by])
def test_figures(draw):
    with plot.figure() as ax:
        draw(master_curve(curves(carreau, noise=0.01)), ax)
        ax.get_figure().canvas.draw()


def test_what_is_no_master_curve():
    with pytest.raises(OptionError, match="temperature is not known"):
        master_curve([RheometerCurve("a", RATE, RATE), RheometerCurve("b", RATE, RATE)])
    with pytest.raises(OptionError, match="needs two at least"):
        master_curve([RheometerCurve("a 20 °C", RATE, RATE), RheometerCurve("b 20 °C", RATE, RATE)])
    with pytest.raises(OptionError, match="not determined"):
        master_curve([RheometerCurve(f"{c} °C", RATE, 1 + 0 * RATE) for c in (20, 40)])


@pytest.mark.parametrize(("name", "units"), [("Temperature [K]", {}), ("Temperature", {"temperature": "K"})])
def test_kelvins_are_kelvins(tmp_path, name, units):
    """Also where the file does not say so and the user does; where nobody does a note tells what is taken."""
    kelvins = [433.15, 453.15, 473.15]
    rows = [f"{T},{g:.9g},{(np.exp(5000 / T) * g) ** 0.5:.9g}" for T in kelvins for g in np.geomspace(0.1, 100, 9)]
    path = write(tmp_path, "\n".join([f"{name},Shear rate [1/s],Shear stress [Pa]", *rows]))
    master = master_curve(read_flow_curves(path, Reading(units=units)))
    assert master.activation_energy[0] == pytest.approx(5000 * 8.314462618, rel=1e-3)
    assert [each.temperature for each in master.curves] == pytest.approx([160, 180, 200])
    if units:
        assert "no unit of 'Temperature' is stated: taken as °C" in read_flow_curves(path)[0].notes[0]
