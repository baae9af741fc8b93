"""Viscosity from velocity alone, of flows that are solved for: a lid-driven cavity."""

import numpy as np
import pytest

from flowgrad import Verdict, identify_viscosity
from flowgrad.rheology.models import Carreau

pytest.importorskip("skfem", reason="the flows are solved for with scikit-fem")


@pytest.mark.parametrize("density", [1.0, 0.0])
def test_a_cavity_gives_its_fluid_back(density):
    from scripts.flows.cases import GEOMETRIES

    law = Carreau(0.2, 0.002, 3.0, 0.4)
    flow = GEOMETRIES["cavity"].flow(24, law, density)
    found = identify_viscosity(flow, density=1.0, scheme="autodiff")
    assert found.verdict is Verdict.SHEAR_THINNING
    assert found.is_absolute == (density > 0)
    assert found.rate[-1] > 60 * found.rate[0]
    ratio = found.viscosity / law.viscosity(found.rate)
    scale = 1.0 if density else np.exp(np.mean(np.log(ratio)))
    assert np.abs(ratio / scale - 1).max() < 0.05
    assert found.improvement > 4
