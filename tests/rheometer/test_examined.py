"""Curves with their fits: loops, bands, figures and the part of the report."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from flowgrad import OptionError, RheometerCurve, plot, read_flow_curves
from flowgrad.pipeline.summary import plain
from flowgrad.report.curve_section import curve_section, drawings_of
from flowgrad.rheology import fit_models
from flowgrad.rheometer import Hysteresis, Reading
from flowgrad.rheometer.fitted import band, examine, loop_in_words
from flowgrad.rheometer.options import deviation
from tests.rheometer.tables import table, write

RATE = np.geomspace(0.01, 1000, 25)
LAWS = ("newtonian", "power-law", "herschel-bulkley")


def noisy(law, seed, size=0.02):
    return law(RATE) * np.exp(size * np.random.default_rng(seed).normal(size=len(RATE)))


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    """A yield-stress fluid, thixotropic by 15 %, with an outlier, in a table of two ramps."""
    up = noisy(lambda g: 2 + 0.5 * g**0.8, 1)
    down = 0.85 * noisy(lambda g: 2 + 0.5 * g**0.8, 2)[::-1]
    up[10] *= 2.5
    columns = np.concatenate([RATE, RATE[::-1]]), np.concatenate([up, down])
    path = write(tmp_path_factory.mktemp("loop"), table(columns=columns), "emulsion.csv")
    return examine(read_flow_curves(path), LAWS)


def test_a_loop_is_measured(loop):
    first, second = loop
    assert first.fit.verdict.value == "yield-stress"
    assert first.loop.relative == pytest.approx(0.15, abs=0.02)
    assert first.notes[-1].endswith("thixotropic, so a single law is that of one history")
    assert second.loop is None
    assert first.fit.best.model.name == "herschel-bulkley"
    low, high = first.fit.best.intervals["tau0"]
    assert low < 2 < high
    assert first.summary()["excluded"]["off the curve of the neighbours"] == 1


def test_classes_are_drawn_where_they_are_open_or_asked_for():
    """τ0 = 0.4 beside 2 γ̇^½ in 3 % of noise: thinning or yield stress; weights and draws are both probabilities."""
    rate = np.geomspace(0.05, 100, 12)
    scatter = 1 + 0.03 * np.random.default_rng(3).standard_normal(12)
    curves = [
        RheometerCurve("open", rate, (0.4 + 2 * rate**0.5) * scatter),
        RheometerCurve("plain", rate, 2 * rate**0.5 * scatter),
    ]
    opened, plain = examine(curves)
    assert opened.fit.verdict.value == "non-newtonian"
    weights, drawn = zip(*opened.probabilities.values(), strict=True)
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert sum(drawn) == pytest.approx(1, abs=0.01)
    assert min(drawn) > 0.05
    summary = opened.summary()
    assert summary["bootstrapped"].keys() >= summary["classes"].keys()
    assert "By bootstrap" in curve_section(opened, drawings_of(opened), Path("open.csv")).html
    assert plain.probabilities == {}
    assert "bootstrapped" not in plain.summary()
    (asked,) = examine(curves[1:], bootstrap=True)
    assert asked.summary()["bootstrapped"]["shear-thinning"] > 0.9
    # What no law suits, the best law has not made.
    (missed,) = examine([RheometerCurve("missed", RATE, RATE**0.5 / (1 + 0.02 * RATE))], bootstrap=True)
    assert "no law suits" in missed.fit.sentence
    assert missed.probabilities == {}


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (Hysteresis(1.0, 0.001, 0.002, 1, 10), "no thixotropy seen"),
        (Hysteresis(1.0, 0.2, 0.2, 1, 10), ": thixotropic"),
        (Hysteresis(-1.0, -0.2, 0.2, 1, 10), "rheopectic"),
        (Hysteresis(1.0, 0.01, 0.2, 1, 10), "cross"),
    ],
)
def test_loops_in_words(loop, words):
    assert words in loop_in_words(loop)


def test_a_falling_tail_is_flagged_and_no_loop(tmp_path):
    up = noisy(lambda g: 3 * g**0.5, 3, 0.005)
    down = up[::-1].copy()
    up[-3:] = up[-4] * np.array([0.9, 0.7, 0.5])
    columns = np.concatenate([RATE, RATE[::-1]]), np.concatenate([up, down])
    first, _ = examine(read_flow_curves(write(tmp_path, table(columns=columns))), ["power-law"])
    falls = [note for note in first.notes if note.startswith("the stress falls")]
    assert len(falls) == 1
    assert f"--rates :{RATE[-4]:.4g}" in falls[0]
    assert first.loop.absolute < 1e-3


def test_the_summary_is_json(loop):
    summary = json.loads(json.dumps(plain(loop[0].summary())))
    assert summary["verdict"] == "yield-stress"
    assert summary["ranking"][0]["law"] == "herschel-bulkley"
    assert len(summary["points"]["rate"]) == 24
    assert len(summary["ranking"][0]["residuals"]) == 24
    assert summary["set_aside"][0]["rate"] == pytest.approx([RATE[10]])
    assert summary["hysteresis"]["relative"] == pytest.approx(loop[0].loop.relative)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [plot.rheometer_curve, plot.rheometer_viscosity, plot.residuals])
def test_figures(loop, draw):
    with plot.figure() as ax:
        draw(loop[0], ax)
        ax.get_figure().canvas.draw()
        texts = [
            text.get_text()
            for legend in ax.get_children()
            if hasattr(legend, "get_texts")
            for text in legend.get_texts()
        ]
        labels = ax.get_xlabel() + ax.get_ylabel()
        [rest] = [
            each for each in ax.collections if isinstance(each, LineCollection) and "other law" in str(each.get_label())
        ]
        named = sum("weight" in text and "other law" not in text for text in texts)
    assert "[1/s]" in labels
    assert len(rest.get_segments()) + named + 1 == len(loop[0].fit.ranking)
    if draw is plot.residuals:
        assert "herschel-bulkley" in texts
    else:
        assert {"left out: off the curve of the neighbours", "ramp down", "measured, ramp up"} <= set(texts)
        assert any(text.startswith("herschel-bulkley (95 % band)") for text in texts)


def test_residuals_are_of_the_measured_stress(loop):
    """0 % where the law meets the point, +100 % where the point is twice as high as the law."""
    curve, best = loop[0].curve, loop[0].fit.best
    with plot.figure() as ax:
        plot.residuals(loop[0], ax)
        [drawn] = [line for line in ax.lines if line.get_label() == best.model.name]
        high = ax.get_ylim()[1]
        missed = drawn.get_ydata()
    assert (1 + missed / 100) * best.model.stress(curve.rate) == pytest.approx(curve.stress)
    assert np.abs(missed).max() < high


def test_the_page(loop, tmp_path):
    section = curve_section(loop[0], drawings_of(loop[0]), tmp_path / "<emulsion>.csv")
    assert section.verdict == "yield-stress"
    assert "&lt;emulsion&gt;" in section.html
    assert "<emulsion>" not in section.html
    assert section.html.count("<svg") == 3
    assert "ramps up and down form a loop" in section.html
    assert "Left out: 1 point off the curve of the neighbours." in section.html


def test_the_band_covers_the_law():
    """Of 100 samples, the law lies within the 95 % band at a rate in about 95 %."""
    at = np.array([0.05, 3.0, 200.0])
    true = 3 * at**0.5
    inside = np.zeros((100, 3), bool)
    for seed in range(100):
        (fit,) = fit_models(RATE, noisy(lambda g: 3 * g**0.5, seed, 0.05), models=["power-law"])
        factor = band(fit, RATE, at)
        inside[seed] = np.abs(np.log(fit.model.stress(at) / true)) < np.log(factor)
    # 95 within three standard deviations of the binomial.
    assert np.all(np.abs(inside.sum(axis=0) - 95) < 7)


def test_sigma():
    assert deviation("3%") == (0.03, 0)
    assert deviation(0.1) == (0, 0.1)
    assert deviation("3% + 4e+1 + 4%+30") == (pytest.approx(0.05), pytest.approx(50))
    for wrong in ("much", "-1", "0%", "inf"):
        with pytest.raises(OptionError, match=f"--sigma .{wrong}"):
            deviation(wrong)


def test_three_points_are_too_few(tmp_path):
    curves = read_flow_curves(write(tmp_path, "rate,stress\n1,2\n2,3\n3,4\n"), Reading())
    with pytest.raises(OptionError, match=r"^table: .*3.*4"):
        examine(curves)
