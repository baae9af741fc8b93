"""A viscosity found in the velocity alone as the viscosity of a separation."""

import numpy as np
import pytest

from flowgrad import OptionError, VelocityGradient, Verdict, read, separate, velocity_gradient


@pytest.fixture(scope="module")
def cavity(data):
    flow = read(data / "cavity.vtu", boundary=str(data / "boundary/cavity/*.vtp"))
    return velocity_gradient(flow, "finite-difference(order=1)")


@pytest.fixture(scope="module")
def separation(cavity):
    return separate(cavity, viscosity="identify", density=1000.0)


def test_the_curve_becomes_the_viscosity_of_the_cells(separation):
    """The solver's viscosity is 0.01, and the inertia of this flow tells it."""
    rate, found = separation.gradient["shear_rate"], separation.given.identification
    inside = (rate >= found.rate[0]) & (rate <= found.rate[-1])
    np.testing.assert_array_equal(np.isfinite(separation.eta), inside)
    assert found.viscosity.min() <= np.nanmin(separation.eta) <= np.nanmax(separation.eta) <= found.viscosity.max()
    assert separation.is_absolute
    assert separation.eta_newtonian == pytest.approx(10, rel=0.1)
    assert separation.origin == "found"


def test_verdict_and_words_are_those_of_the_identification(separation):
    found = separation.given.identification
    assert separation.verdict is found.verdict
    assert separation.verdict in (Verdict.NEWTONIAN, Verdict.NOT_DECIDED)
    assert separation.sentence == found.sentence
    assert separation.evidence == found.evidence
    assert set(found.notes) < set(separation.notes)
    assert f"of {len(separation.eta)} shear rates" in separation.notes[-1]


def test_fields_and_quantities_follow(separation):
    fields = separation.fields()
    np.testing.assert_array_equal(np.isnan(fields["eta"]), np.isnan(separation.gradient["dissipation"]))
    stress = 2 * separation.eta[:, None, None] * separation.gradient.D
    np.testing.assert_allclose(separation.gradient["stress"], stress)
    assert (separation.gradient["density"] == 1000).all()


def test_a_mesh_that_is_too_coarse_gives_no_answer(data):
    found = separate(velocity_gradient(read(data / "oc_powerLaw.vtu")), viscosity="identify")
    assert found.verdict is Verdict.NOT_DECIDED
    assert "Not decided" in found.sentence


def test_what_does_not_go_with_it_is_refused(cavity):
    with pytest.raises(OptionError, match="not L alone"):
        separate(VelocityGradient(cavity.L), viscosity="identify")
    with pytest.raises(OptionError, match="the pressure drops out"):
        separate(cavity, viscosity="identify", pressure="p")
    with pytest.raises(OptionError, match="both a stress and a viscosity"):
        separate(cavity, stress=2 * cavity.D, viscosity="identify")
