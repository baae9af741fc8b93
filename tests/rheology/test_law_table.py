import csv
import io

import numpy as np
import pytest

from flowgrad.rheology import fit_models
from flowgrad.rheology.law_table import COLUMNS, law_table
from flowgrad.rheology.models import Bingham, HerschelBulkley

RATE = np.geomspace(1e-2, 1e3, 25)


def noisy(law, noise=0.02, seed=1):
    return law.stress(RATE) * (1 + noise * np.random.default_rng(seed).standard_normal(len(RATE)))


def test_the_criteria_in_closed_form():
    """n log(χ²/n) + 2k and + k log n, the scatter counted among the k."""
    stress = noisy(Bingham(3.0, 0.2))
    (fit,) = fit_models(RATE, stress, models=["bingham"], residual="relative")
    loss = 25 * np.log(fit.misfit**2)
    assert fit.aic == pytest.approx(loss + 6)
    assert fit.bic == pytest.approx(loss + 3 * np.log(25))
    assert fit.aicc == pytest.approx(fit.aic + 24 / 21)
    assert fit.chi2_reduced == pytest.approx(fit.chi2 / 23)
    missed = np.sum((fit.model.stress(RATE) - stress) ** 2) / np.sum((stress - stress.mean()) ** 2)
    assert fit.r_squared == pytest.approx(1 - missed)


def test_relative_errors_of_a_linear_law_in_closed_form():
    stress = noisy(Bingham(3.0, 0.2))
    (fit,) = fit_models(RATE, stress, models=["bingham"], residual="relative")
    basis = np.stack([1 / stress, RATE / stress], axis=1)
    best, squares, *_ = np.linalg.lstsq(basis, np.ones(25), rcond=None)
    errors = np.sqrt(squares[0] / 23 * np.diag(np.linalg.inv(basis.T @ basis))) / best
    assert fit.serial_correlation is None
    assert list(fit.relative_errors.values()) == pytest.approx(list(errors), rel=1e-6)


def test_the_table_has_a_line_for_each_parameter_with_its_unit():
    fits = fit_models(RATE, noisy(HerschelBulkley(3.0, 2.0, 0.5)))
    lines = list(csv.DictReader(io.StringIO(law_table(fits))))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == sum(len(fit.model.parameters) for fit in fits)
    own = {line["parameter"]: line for line in lines if line["law"] == "herschel-bulkley"}
    assert own["tau0"]["unit"] == "Pa"
    assert own["K"]["unit"] == f"Pa s^{float(own['n']['value']):.4g}"
    assert float(own["tau0"]["low_95"]) < float(own["tau0"]["value"]) < float(own["tau0"]["high_95"])
    hidden = next(
        line for line in lines if line["law"] == "papanastasiou-herschel-bulkley" and line["parameter"] == "m"
    )
    assert hidden["value"] == ""
    assert hidden["unit"] == "s"
    assert all(line["unit"] == "" for line in csv.DictReader(io.StringIO(law_table(fits, si=False))))
