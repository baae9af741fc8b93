"""Outliers are found where they are put, and nowhere else."""

import numpy as np
import pytest

from flowgrad import read_flow_curves
from flowgrad.rheometer import Reading
from flowgrad.rheometer.quality import falling_tail, outliers
from tests.rheometer.tables import RATE, STRESS, table, write


@pytest.mark.parametrize("place", [0, 1, 7, 19, 20])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_one_outlier(place, factor):
    stress = STRESS * np.exp(0.02 * np.random.default_rng(place).normal(size=len(RATE)))
    stress[place] *= factor
    assert list(np.flatnonzero(outliers(RATE, stress))) == [place]


def test_two_outliers():
    rate = np.geomspace(0.01, 1000, 41)
    stress = 2 + rate**0.6
    stress[[9, 24]] *= 1.8
    assert list(np.flatnonzero(outliers(rate, stress))) == [9, 24]


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.05, 0.1])
def test_scatter_is_none(noise):
    random = np.random.default_rng(1)
    found = [outliers(RATE, STRESS * np.exp(noise * random.normal(size=len(RATE)))).sum() for _ in range(100)]
    assert np.sum(found) <= 1


@pytest.mark.parametrize("law", [lambda g: 5 + 0 * g, lambda g: 5 + 3 * g, lambda g: 2e3 * g / (1 + (1e3 * g) ** 0.9)])
def test_sharp_bends_are_none(law):
    rate = np.geomspace(1e-3, 1e3, 30)
    assert not outliers(rate, law(rate)).any()


def test_the_tail():
    stress = STRESS.copy()
    assert falling_tail(RATE, stress) == 0
    stress[-3:] = stress[-4] * np.array([0.95, 0.8, 0.6])
    assert falling_tail(RATE, stress) == 3
    stress[-1] = 2 * stress[-4]
    assert falling_tail(RATE, stress) == 0


def test_outliers_are_shown_and_not_dropped_silently(tmp_path):
    stress = STRESS.copy()
    stress[8] *= 3
    path = write(tmp_path, table(columns=(RATE, stress)))
    (curve,) = read_flow_curves(path)
    assert len(curve) == 20
    assert curve.excluded == {"off the curve of the neighbours": 1}
    np.testing.assert_allclose(curve.set_aside[0].stress, stress[8])
    assert f"at the shear rates {RATE[8]:.4g}: left out as outliers" in curve.notes[0]
    (kept,) = read_flow_curves(path, Reading(keep_outliers=True))
    assert len(kept) == 21
    assert "kept as asked" in kept.notes[0]
