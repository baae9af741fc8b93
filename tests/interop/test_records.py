"""Tables and datasets tell the dimension of what was computed, and of a file's arrays none."""

import numpy as np
import pytest

from flowgrad import (
    QUANTITIES,
    Flow,
    Lattice,
    Series,
    at_walls,
    separate,
    series_statistics,
    to_pandas,
    to_xarray,
    velocity_gradient,
    wall_statistics,
)
from flowgrad.interop.convert import about_of
from flowgrad.walls import RECORDS

LATTICE = Lattice.uniform((5, 6), 0.2)
Y = LATTICE.points[:, 1]
FLOW = Flow(
    LATTICE,
    np.outer(Y * (2 - Y), [1.0, 0, 0]),
    "points",
    point_data={"vorticity": Y, "traction": Y, "eta": Y, "U_mean": Y, "velocity": Y},
    velocity_name="U",
)
GRADIENT = velocity_gradient(FLOW)


def dimensions(result, *names):
    return [about_of(name, result).get("dimension") for name in names]


def test_of_a_flow_the_velocity_alone_has_a_known_dimension():
    assert dimensions(FLOW, "U", "U_x", "vorticity", "traction", "eta", "U_mean", "velocity") == [
        *("L/T", "L/T"),
        *[None] * 5,
    ]


def test_of_results_what_was_computed_has():
    assert dimensions(GRADIENT, "vorticity", "L_xy", "lambda2", "traction") == ["1/T", "1/T", "1/T²", None]
    statistics = series_statistics(Series.from_flows([FLOW, FLOW]), ["velocity", "shear_rate"])
    assert dimensions(statistics, "velocity_mean_x", "shear_rate_rms", "reynolds_stress_xy") == ["L/T", "1/T", None]


@pytest.mark.parametrize(("density", "viscosity"), [(None, "M/(L T) or L²/T"), (900.0, "M/(L T)")])
def test_a_density_makes_them_dynamic(density, viscosity):
    separation = separate(GRADIENT, viscosity=0.2, density=density)
    assert dimensions(separation, "eta") == [viscosity]
    walls = at_walls(FLOW, lambda x: x[:, 1] < 1e-9, viscosity=0.2, density=density)
    stress = RECORDS["wall_shear_stress"].dimension if density is None else "M/(L T²)"
    assert dimensions(walls, "wall_shear_stress_x", "area", "L_xy", "patch") == [stress, "L", "1/T", None]
    flows = Series.from_arrays(LATTICE, [0.0, 1.0], [FLOW.velocity] * 2)
    averages = wall_statistics(flows, lambda x: x[:, 1] < 1e-9, viscosity=0.2, density=density)
    names = ("time_averaged_wall_shear_stress", "wall_shear_stress_mean_y", "oscillatory_shear_index")
    assert dimensions(averages, *names) == [stress, stress, "1"]


def test_pandas_and_xarray_pass_it_on():
    pytest.importorskip("pandas", reason="pandas is not installed")
    pytest.importorskip("xarray", reason="xarray is not installed")
    walls = to_pandas(at_walls(FLOW, lambda x: x[:, 1] < 1e-9)).attrs
    assert walls["wall_shear_rate"]["description"] == RECORDS["wall_shear_rate"].description
    assert "vorticity" not in to_pandas(FLOW).attrs
    for data in (to_xarray(FLOW), to_xarray(Series.from_flows([FLOW, FLOW]))):
        assert "dimension" not in data["vorticity"].attrs
        assert data["U"].attrs["dimension"] == "L/T"
    assert to_xarray(GRADIENT, ["vorticity"])["vorticity"].attrs["dimension"] == QUANTITIES["vorticity"].dimension
