"""Regions of a flow: plugs and plateaus by their stated rules."""

import numpy as np
import pytest

from flowgrad import VelocityGradient, Verdict, separate
from flowgrad.rheology.models import Bingham, Carreau, Cross, PowerLaw
from flowgrad.separation import REGIONS

RATES = np.geomspace(1e-2, 1e3, 3000)


def shear(rates=RATES):
    L = np.zeros((len(rates), 3, 3))
    L[:, 0, 1] = rates
    return VelocityGradient(L)


def named(separation):
    return np.array(REGIONS)[separation.region]


def test_plateaus_are_within_the_margin_of_what_the_law_tends_to():
    law = Carreau(10.0, 1.0, 1.0, 0.1)
    eta = law.viscosity(RATES)
    for known in (law, eta):
        regions = named(separate(shear(), viscosity=known))
        certain = np.min(np.abs(np.log(eta[:, None] / [10 / 1.05, 1.05])), axis=1) > 1e-3
        np.testing.assert_array_equal((regions == "low-rate plateau")[certain], (eta > 10 / 1.05)[certain])
        np.testing.assert_array_equal((regions == "high-rate plateau")[certain], (eta < 1.05)[certain])
        assert set(regions) == {"low-rate plateau", "sheared", "high-rate plateau"}


def test_a_thickening_fluid_has_its_plateaus_too():
    law = Cross(0.01, 10.0, 0.4, 3.0)
    regions = named(separate(shear(), viscosity=law))
    np.testing.assert_array_equal(regions == "high-rate plateau", law.viscosity(RATES) > 10 / 1.05)
    np.testing.assert_array_equal(regions == "low-rate plateau", law.viscosity(RATES) < 0.01 * 1.05)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_plug_is_where_the_stress_is_below_the_yield_stress(scale):
    """|τ| = 3 + 0.1 γ̇ up to 1.05 · 3: γ̇ below 1.5, which is less than a tenth of the rms rate."""
    law = Bingham(3.0, 0.1 / scale)
    separation = separate(shear(scale * RATES), viscosity=law)
    assert separation.verdict is Verdict.YIELD_STRESS
    plug = named(separation) == "plug"
    certain = np.abs(RATES - 1.5) > 0.03
    np.testing.assert_array_equal(plug[certain], (RATES < 1.5)[certain])
    volume, dissipation = separation.region_shares["plug"]
    assert volume == pytest.approx(plug.mean())
    assert dissipation < 1e-4
    assert separation.evidence["plug_volume"] == volume


def test_cells_at_rest_are_plug_in_a_fluid_with_a_yield_stress_only():
    rates = np.concatenate([np.zeros(50), RATES])
    assert (named(separate(shear(rates), viscosity=Bingham(3.0, 0.1)))[:50] == "plug").all()
    assert (named(separate(shear(rates), viscosity=PowerLaw(1.0, 0.5)))[:50] == "undetermined").all()


@pytest.mark.parametrize("viscosity", [0.3, np.full(len(RATES), 0.3), PowerLaw(2.0, 0.5)])
def test_without_plateau_or_yield_stress_all_is_sheared(viscosity):
    separation = separate(shear(), viscosity=viscosity)
    assert set(named(separation)) == {"sheared"}
    assert separation.region_shares["sheared"] == (1.0, 1.0)
    assert not any("plateau" in key or "plug" in key for key in separation.evidence)
