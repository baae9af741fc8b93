"""Velocities given by formulas, and the flows made of them."""

import numpy as np
import pytest

from flowgrad import OptionError, velocity_gradient
from flowgrad.formula.arguments import VelocityFormula, axes, interval, named_numbers, number
from flowgrad.pipeline.analysis import prescribed_flow, prescribed_gradient

_WAVES = "u = sin(x)*cos(y)*cos(z); v = -cos(x)*sin(y)*cos(z); w = 0.3*x*sin(2*z)"


def exact(x, y, z):
    """∂v_i/∂x_j of the waves, written out."""
    s, c = np.sin, np.cos
    u = [c(x) * c(y) * c(z), -s(x) * s(y) * c(z), -s(x) * c(y) * s(z)]
    v = [s(x) * s(y) * c(z), -c(x) * c(y) * c(z), c(x) * s(y) * s(z)]
    w = [0.3 * s(2 * z), 0 * x, 0.6 * x * c(2 * z)]
    return np.stack([np.stack(row, -1) for row in (u, v, w)], -2)


def test_gradient_of_a_formula_is_exact():
    points = np.random.default_rng(5).normal(size=(500, 3))
    found = velocity_gradient(VelocityFormula.parse(_WAVES), at=points).L
    np.testing.assert_allclose(found, exact(*points.T), rtol=0, atol=4e-16)


@pytest.mark.parametrize("at", ["points", "cells"])
def test_on_a_grid(at):
    flow, scheme = prescribed_flow(_WAVES, None, "-1:1:9,0:2:8,-1:0:7")
    gradient = prescribed_gradient(flow, scheme, at, second=True)
    where = flow.mesh.points if at == "points" else flow.mesh.centroids
    np.testing.assert_allclose(gradient.L, exact(*where.T), rtol=0, atol=4e-16)
    x, y, z = where.T
    laplacian = -3 * np.sin(x) * np.cos(y) * np.cos(z)
    np.testing.assert_allclose(gradient["laplacian"][:, 0], laplacian, rtol=0, atol=2e-15)


def test_missing_components_are_zero_and_names_may_be_left_out():
    x = np.array([[1.0, 2.0, 3.0]])
    assert VelocityFormula.parse("v=x")(x).tolist() == [[0, 1, 0]]
    assert VelocityFormula.parse("-y; x")(x).tolist() == [[-2, 1, 0]]
    assert VelocityFormula.parse("vz=z*t")(x, 2.0).tolist() == [[0, 0, 6]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("u=x; x", "some components"),
        ("u=x; u=y", "u twice"),
        ("u=x; vx=y", "u twice"),
        ("q=x", "gives 'q'"),
        ("1;2;3;4", "4 components"),
        ("u=r", "unknown name 'r'"),
    ],
)
def test_refused_velocities(text, said):
    with pytest.raises(OptionError, match=said):
        VelocityFormula.parse(text)


def test_time_is_needed_where_it_occurs():
    with pytest.raises(OptionError, match="give --time"):
        prescribed_flow("u=t*y", None, "0:1:2,0:1:2")
    flow, scheme = prescribed_flow("u=t*y", None, "0:1:2,0:1:2", time=3.0)
    assert flow.time == 3
    np.testing.assert_array_equal(prescribed_gradient(flow, scheme, None, False).L[:, 0, 1], 3)


def test_where_there_is_no_velocity_there_is_no_gradient():
    flow, scheme = prescribed_flow("u=1/x; v=abs(y)", None, "-1:1:5,-1:1:5")
    gradient = prescribed_gradient(flow, scheme, None, False)
    x, y = flow.mesh.points.T[:2]
    assert np.isnan(flow.velocity[x == 0]).any(axis=1).all()
    np.testing.assert_array_equal(gradient.valid, (x != 0) & (y != 0))
    assert "9 of 25" in gradient.method_notes[0]


def test_ranges():
    x, y, z = axes("-1:1:41,0:pi:3,0.5", "--grid")
    assert len(x) == 41
    np.testing.assert_allclose(y, [0, np.pi / 2, np.pi])
    assert z.tolist() == [0.5]
    assert interval("-pi:2*3", "--range") == (-np.pi, 6)
    assert named_numbers("x=-1, y=1/2", "--at") == {"x": -1, "y": 0.5}
    assert number("1e-3", "--at") == 1e-3


_NO_GRIDS = (
    "-1:1 | 0:1:2 | 0:1:1,0:1:2 | 0:1:2.5,0:1:2 | 1:0:3,0:1:2 | 0:1:2,,0:1:2 | a:b:c,0:1:2 | 0:1:1e6,0:1:1e6 | 1,2,3 | "
    "0:inf:3,0:1:2 | 0:1:2,0:1:2,0:1:2,0:1:2 | 0:1:1e300,0:1:2"
)


@pytest.mark.parametrize("text", _NO_GRIDS.split(" | "))
def test_refused_ranges(text):
    with pytest.raises(OptionError, match="--grid"):
        axes(text, "--grid")
