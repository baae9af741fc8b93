"""Mooney's and Bagley's methods against laws that are put in, cylinders against an instrument's constants."""

import numpy as np
import pytest

from flowgrad import OptionError, RheometerCurve, plot, read_flow_curves
from flowgrad.rheometer import bagley, mooney
from flowgrad.rheometer.corrections import corrected
from flowgrad.rheometer.cylinders import at_inner_wall, representative
from flowgrad.rheometer.together import Together, reduced
from tests.rheometer.tables import write
from tests.rheometer.test_corrections import curve

STRESS = np.geomspace(10, 1000, 15)


def slipping(sizes, factor, noise=0.0, seed=0, stress=STRESS):
    """A Bingham fluid that slips by u_s = 2e-6 τ: γ̇ = (τ − 5)/2 + factor u_s/size."""
    random = np.random.default_rng(seed)
    return [
        RheometerCurve(
            f"{size:g}",
            ((stress - 5) / 2 + factor * 2e-6 * stress / size) * np.exp(noise * random.normal(size=len(stress))),
            stress,
        )
        for size in sizes
    ]


@pytest.mark.parametrize(("geometry", "factor"), [("plates", 2), ("capillary", 8)])
@pytest.mark.parametrize("sizes", [(1e-4, 2e-4), (1e-4, 3e-4, 1e-3)])
def test_slip_that_is_put_in_is_found(sizes, geometry, factor):
    found = mooney(slipping(sizes, factor), sizes, geometry)
    np.testing.assert_allclose(found.stress, STRESS)
    np.testing.assert_allclose(found.velocity, 2e-6 * STRESS, rtol=1e-9)
    np.testing.assert_allclose(found.curve.rate, (STRESS - 5) / 2, rtol=1e-9)
    assert np.isfinite(found.error).all() == (len(sizes) > 2)
    assert ("two sizes" in "".join(found.notes)) == (len(sizes) == 2)
    assert "slip is seen at 15 of 15 stresses" in found.statement


def test_stresses_of_their_own_are_interpolated():
    """Power laws of one exponent for flow and slip, so that each apparent curve is one too, at other stresses each."""
    sizes, made = (1e-4, 3e-4, 1e-3), []
    for i, size in enumerate(sizes):
        stress = np.geomspace(8 + i, 900 + 50 * i, 12 + i)
        made.append(RheometerCurve(str(size), 0.1 * stress**2 + 2 * 1e-6 * stress**2 / size, stress))
    found = mooney(made, sizes)
    np.testing.assert_allclose(found.velocity, 1e-6 * found.stress**2, rtol=1e-9)
    np.testing.assert_allclose(found.curve.rate, 0.1 * found.curve.stress**2, rtol=1e-9)


def test_no_slip_is_none():
    sizes = (1e-4, 3e-4, 1e-3)
    none = [mooney(slipping((1.0,) * 3, 2, 0.02, seed), sizes).statement for seed in range(20)]
    assert sum("no slip is seen" in each for each in none) >= 18


def test_standard_errors_of_slip_are_those_of_many_draws():
    sizes = (1e-4, 2e-4, 4e-4, 1e-3)
    found = [mooney(slipping(sizes, 2, 0.02, seed), sizes) for seed in range(200)]
    seen = np.std([each.velocity for each in found], axis=0)
    np.testing.assert_allclose(np.mean([each.error for each in found], axis=0) / seen, 1, atol=0.25)


def test_rates_that_are_slip_alone_are_refused():
    made = [RheometerCurve(str(h), 2e-4 * STRESS / h, STRESS) for h in (1e-4, 2e-4, 4e-4)]
    made = [RheometerCurve(c.name, c.rate - 0.1 * STRESS.min(), STRESS) for c in made]
    with pytest.raises(OptionError, match="slip explains the whole of the rates"):
        mooney(made, (1e-4, 2e-4, 4e-4))


RATE = np.geomspace(5, 5000, 12)


def dies(ratios, noise=0.0):
    """Wall stress 3000 γ̇^0.35 and an end correction that grows from 1 to 8 diameters."""
    random = np.random.default_rng(0)
    wall, ends = 3e3 * RATE**0.35, (RATE / 5) ** 0.3
    return (
        wall,
        ends,
        [
            RheometerCurve(f"{r}", RATE, wall * (1 + ends / r) * np.exp(noise * random.normal(size=len(RATE))))
            for r in ratios
        ],
    )


@pytest.mark.parametrize("ratios", [(0.5, 20), (5, 10, 20, 40)])
def test_the_entrance_loss_that_is_put_in_is_found(ratios):
    wall, ends, made = dies(ratios)
    found = bagley(made, ratios)
    np.testing.assert_allclose(found.curve.stress, wall, rtol=1e-9)
    np.testing.assert_allclose(found.end_correction, ends, rtol=1e-9)
    np.testing.assert_allclose(found.pressure, 4 * wall * ends, rtol=1e-9)
    # Bagley's plot: ΔP over L/D crosses zero at −e.
    pressure = 4 * np.array([c.stress * r for c, r in zip(made, ratios, strict=True)])
    slope, at_zero = np.polyfit(ratios, pressure[:, 3], 1)
    assert at_zero / slope == pytest.approx(found.end_correction[3], rel=1e-9)


def test_ends_and_slip_are_taken_off_one_after_the_other(tmp_path):
    """τ = 400 γ̇^0.5 slips by 1e-7 τ, and the ends are worth 2 diameters: three diameters of three lengths."""
    rows = []
    for diameter in (0.5, 1.0, 2.0):
        apparent = 4 * 0.5 / 2.5 * (STRESS / 400) ** 2 + 8e-7 * STRESS / (1e-3 * diameter)
        for ratio in (5, 10, 20):
            rows += [
                f"{g:.12g},{t * (1 + 2 / ratio):.12g},die {diameter}x{ratio},{diameter},{ratio * diameter}"
                for g, t in zip(apparent, STRESS, strict=True)
            ]
    head = "Shear rate [1/s],Shear stress [Pa],Sample,Diameter [mm],Length [mm]"
    read = read_flow_curves(write(tmp_path, "\n".join([head, *rows])))
    *losses, slip = reduced(read, Together(bagley=True, mooney="capillary"), "rabinowitsch")
    assert [each.curve.name.split(", ")[1] for each in losses] == ["D = 0.5 mm", "D = 1 mm", "D = 2 mm"]
    for loss in losses:
        np.testing.assert_allclose(loss.end_correction, 2, rtol=1e-6)
        np.testing.assert_allclose(loss.curve.stress, STRESS, rtol=1e-6)
    np.testing.assert_allclose(slip.velocity, 1e-7 * slip.stress, rtol=1e-6)
    np.testing.assert_allclose(slip.curve.stress, 400 * slip.curve.rate**0.5, rtol=1e-6)
    one = [each for each in read if each.sizes["diameter"] > 9e-4 or each.sample.endswith("x5")]
    with pytest.raises(OptionError, match=r"D = 0.5 mm: 1 curves of one size do not tell the entrance loss"):
        reduced(one, Together(bagley=True, mooney="capillary"))
    with pytest.raises(OptionError, match="--mooney capillary"):
        Together(bagley=True, mooney="plates")
    with pytest.raises(OptionError, match="columns of the diameter and the length"):
        Together(bagley=True, mooney="capillary", sizes={"A": 1e-3})


def test_pressures_that_bend_are_named():
    _, _, made = dies((5, 10, 20, 40))
    bent = [
        RheometerCurve(c.name, c.rate, c.stress * (1 + 0.02 * r)) for c, r in zip(made, (5, 10, 20, 40), strict=True)
    ]
    assert "depends on the pressure" in "".join(bagley(bent, (5, 10, 20, 40)).notes)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [plot.reduced_curves, plot.reduced_by])
def test_figures(draw):
    for found in (mooney(slipping((1e-4, 2e-4, 1e-3), 2, 0.02), (1e-4, 2e-4, 1e-3)), bagley(dies((5, 20))[2], (5, 20))):
        with plot.figure() as ax:
            draw(found, ax)
            ax.get_figure().canvas.draw()
        assert set(found.rows()[0]) == set(found.headings)


def test_what_cannot_be_reduced():
    made = slipping((1e-4, 2e-4), 2)
    with pytest.raises(OptionError, match="give a positive size for each curve"):
        mooney(made, (1e-4,))
    with pytest.raises(OptionError, match="curves of two sizes at least"):
        mooney(made, (1e-4, 1e-4))
    apart = [RheometerCurve("a", RATE, 1 + RATE), RheometerCurve("b", RATE, 1e6 + RATE)]
    with pytest.raises(OptionError, match="too few for the slip"):
        mooney(apart, (1e-4, 2e-4))
    with pytest.raises(OptionError, match="is unknown"):
        mooney(made, (1e-4, 2e-4), "slit")


def test_constants_that_an_instrument_prints():
    """TRIOS for a bob of 47.8 mm and 65 mm length in a cup of 50 mm: 22.2385 1/rad, 4102.12 Pa/(N m)."""
    strain, stress = representative(0.0478 / 2, 0.05 / 2)
    assert strain == pytest.approx(22.2385, abs=5e-5)
    assert stress / (2 * np.pi * 0.0239**2 * 0.065) == pytest.approx(4102.12, abs=5e-3)


@pytest.mark.parametrize("ratio", [1.02, 1.2, 2.0, 5.0])
@pytest.mark.parametrize("n", [0.3, 1.0, 1.4])
def test_power_laws_between_cylinders_are_exact(n, ratio):
    """Ω = ½ ∫ γ̇/τ dτ from τ_i/δ² to τ_i = n γ̇_i (1 − δ^(−2/n))/2."""
    rate = np.geomspace(0.1, 100, 12)
    stress, speed = 4 * rate**n, 0.5 * n * rate * -np.expm1(-2 / n * np.log(ratio))
    np.testing.assert_allclose(at_inner_wall(speed, stress, ratio), rate, rtol=1e-11)
    strain, constant = representative(1.0, ratio)
    found = corrected(curve(speed * strain, stress * constant), "cylinders", (1.0, ratio))
    if ratio > 1.1:
        np.testing.assert_allclose(found.rate, rate, rtol=1e-11)
        np.testing.assert_allclose(found.stress, stress, rtol=1e-12)
    else:
        # The representative values of a narrow gap lie on the curve.
        assert "narrow gap" in found.notes[0]
        np.testing.assert_allclose(found.stress, 4 * found.rate**n, rtol=5e-4)


def reiner_riwlin(points, ratio):
    """A Bingham fluid (τ0 1, η 0.5), sheared throughout: Ω = τ_i(1 − δ⁻²)/(2η) − (τ0/η) log δ (Reiner 1927)."""
    stress = np.geomspace(1.5 * ratio**2, 200, points)
    return stress / (2 * 0.5) * (1 - ratio**-2) - np.log(ratio) / 0.5, stress, (stress - 1) / 0.5


@pytest.mark.parametrize("ratio", [1.15, 1.5])
def test_a_bingham_fluid_between_cylinders(ratio):
    """Krieger's second term leaves a tenth of what the power law alone misses, and the points the rest."""
    speed, stress, rate = reiner_riwlin(200, ratio)
    inner = slice(15, -15)
    found = at_inner_wall(speed, stress, ratio)[inner] / rate[inner] - 1
    slope = np.gradient(np.log(stress), np.log(speed))
    alone = (2 / slope * speed / -np.expm1(-2 / slope * np.log(ratio)))[inner] / rate[inner] - 1
    assert np.abs(found).max() < 0.25 * np.abs(alone).max()
    assert np.abs(found).max() < 1e-2
