"""A finding: whether the fluid is Newtonian, the class that may stay open, and a record for every number."""

import numpy as np
import pytest

from flowgrad import Model, OptionError, VelocityGradient, Verdict, fit_flow_curve, separate
from flowgrad.rheology import MODELS
from flowgrad.rheology.evidence import EVIDENCE
from flowgrad.rheology.models import Carreau, HerschelBulkley, Newtonian, PowerLaw

RATE = np.geomspace(1e-2, 1e3, 25)


def noisy(model, noise=0.02, rate=RATE):
    return model.stress(rate) * (1 + noise * np.random.default_rng(1).standard_normal(len(rate)))


def sheared(rate=RATE):
    L = np.zeros((len(rate), 3, 3))
    L[:, 0, 1] = rate
    return VelocityGradient(L)


@pytest.mark.parametrize(
    ("model", "answer"), [(Newtonian(0.1), "yes"), (PowerLaw(2.0, 0.4), "no"), (HerschelBulkley(3.0, 2.0, 0.5), "no")]
)
def test_points_flows_and_given_models_give_one_answer(model, answer):
    rate = np.geomspace(1e-2, 1e3, 400)
    for found in (
        fit_flow_curve(RATE, noisy(model)),
        separate(sheared(rate), viscosity=model.viscosity(rate)),
        separate(sheared(rate), viscosity=model),
    ):
        assert found.newtonian == found.finding.newtonian == answer
        assert found.verdict is found.finding.verdict


def test_a_class_may_stay_open_though_the_viscosity_certainly_varies():
    """Thinning models and those with a yield stress suit these points alike."""
    found = fit_flow_curve(RATE[8:14], noisy(HerschelBulkley(1.0, 2.0, 0.5), 0.01, RATE[8:14]))
    assert (found.verdict, found.newtonian) == (Verdict.NON_NEWTONIAN, "no")
    assert set(found.classes) == {Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS}
    assert sum(found.classes.values()) == pytest.approx(1)
    for verdict, weight in found.classes.items():
        assert f"{verdict} ({weight:.3g})" in found.sentence
    assert found.evidence["departure_least"] > found.margin


def test_what_shows_nothing_is_not_known():
    assert separate(sheared()).newtonian == "not known"
    assert separate(sheared(), viscosity=np.full(len(RATE), np.nan)).newtonian == "not known"
    assert fit_flow_curve(RATE[:5], noisy(Newtonian(0.1), 0.3, RATE[:5])).newtonian == "not known"


def test_every_number_has_a_record():
    results = [
        fit_flow_curve(RATE, noisy(Carreau(10.0, 0.05, 2.0, 0.35))),
        separate(sheared(), viscosity=0.1 + 0 * RATE),
    ]
    for found in results:
        assert found.evidence.keys() >= found.finding.evidence.keys()
        assert found.evidence.keys() <= EVIDENCE.keys()
    assert all(record.name and record.form in ("number", "percent", "count") for record in EVIDENCE.values())


def test_a_name_that_is_taken_is_refused_by_both_sides():
    with pytest.raises(OptionError, match=r"'carreau' of .*test_finding.*Mine .*rheology\.models\.basic\.Carreau"):

        class Mine(Model, name="carreau", citation="nobody"):
            pass

    assert MODELS["carreau"] is Carreau
