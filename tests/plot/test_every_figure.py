"""Every figure of a field, on every kind of mesh, with holes, and with nothing known: what is on its axes, and how far
these go."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

from flowgrad import plot, separate, velocity_gradient
from tests.plot.test_kinds import FLOWS, GRADIENTS

pytestmark = pytest.mark.filterwarnings("error")

LAW = "carreau(eta0=1.0, eta_inf=0.01, lam=2.0, n=0.4)"


def separation(gradient):
    return separate(gradient, viscosity=LAW)


def elastic(gradient):
    return separate(gradient, stress=2 * gradient.D + np.diag([0.5, 0, 0]))


def classes(gradient):
    names = ("few", "many")
    return plot.Classes(np.arange(len(gradient)) % 2, names, dict.fromkeys(names, "#123456"), {}, "area")


def unsure(gradient):
    """Known noise, or where nothing is known an estimated error that is not known either."""
    if not gradient.valid.any():
        return dataclasses.replace(gradient, error=np.full(len(gradient), np.nan))
    return velocity_gradient(dataclasses.replace(gradient.flow, noise=0.01))


def line(gradient):
    low, high = gradient.flow.mesh.points.min(axis=0), gradient.flow.mesh.points.max(axis=0)
    return low + 0.13 * (high - low), low + 0.87 * (high - low)


# What is drawn, and what the labels of the axes say.
FIGURES = {
    "field": (lambda g, ax: plot.field(g, "shear_rate", ax), ("[L]", "[L]")),
    "gradient_arrows": (lambda g, ax: plot.gradient_arrows(g, "shear_rate", ax), ("[L]", "[L]")),
    "vectors": (plot.vectors, ("[L]", "[L]")),
    "streamlines": (plot.streamlines, ("[L]", "[L]")),
    "ellipses": (plot.ellipses, ("[L]", "[L]")),
    "uncertainty": (lambda g, ax: plot.uncertainty(unsure(g), "vorticity", ax), ("[L]", "[L]")),
    "flow_types": (plot.flow_types, ("[L]", "[L]")),
    "labels": (lambda g, ax: plot.labels(separation(g), ax), ("[L]", "[L]")),
    "regions": (lambda g, ax: plot.regions(separation(g), ax), ("[L]", "[L]")),
    "categories": (lambda g, ax: plot.categories(g, classes(g), ax), ("[L]", "[L]")),
    "profile": (lambda g, ax: plot.profile(g, "shear_rate", ax, *line(g)), ("[L]", "[1/T]")),
    "distribution": (lambda g, ax: plot.distribution(g, "shear_rate", ax), ("[1/T]", "[%]")),
    "invariants": (plot.invariants, ("[1/T³]", "[1/T²]")),
    "flow_curve": (lambda g, ax: plot.flow_curve(separation(g), ax), ("[1/T]", "[M/(L T²)")),
    "viscosity": (lambda g, ax: plot.viscosity(separation(g), ax), ("[1/T]", "[M/(L T)")),
    "normal_stress": (lambda g, ax: plot.normal_stress(elastic(g), ax), ("[1/T]", "[M/(L T²)")),
}
# Those of a function and of a rheometer have no mesh: tests/plot/test_contours.py, tests/rheometer/test_examined.py,
# test_master.py and test_slip_and_ends.py.
WITHOUT_MESH = {"contours", "reduced_by", "reduced_curves", "residuals", "rheometer_curve", "rheometer_viscosity"}


def test_no_figure_is_forgotten():
    functions = {name: each for name in plot.__all__ if inspect.isfunction(each := getattr(plot, name))}
    drawing = {name for name, each in functions.items() if "ax" in inspect.signature(each).parameters}
    assert drawing - {"mark_left_out", "save", "say_where"} == {*FIGURES, *WITHOUT_MESH}


@pytest.mark.parametrize("case", FLOWS)
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_its_axes(name, case):
    draw, words = FIGURES[name]
    with plot.figure(5, 4) as ax:
        assert draw(GRADIENTS[case], ax) is ax
        ax.figure.draw_without_rendering()
        axes = ((ax.get_xlabel(), ax.get_xlim(), words[0]), (ax.get_ylabel(), ax.get_ylim(), words[1]))
        for label, limits, word in axes:
            assert word in label
            assert np.isfinite(limits).all()
            assert limits[0] < limits[1]
        known = GRADIENTS[case].valid.any()
        drawn = [*ax.collections, *ax.patches, *ax.lines, *ax.images]
        assert drawn or not known
        if words[0] != "[L]" and not known:
            assert [text.get_text() for text in ax.texts] == ["no values"]
