"""Symbols against dual numbers, and against derivatives known by heart."""

import numpy as np
import pytest

from flowgrad import autodiff
from flowgrad.formula import parse_formulas
from flowgrad.formula.functions import OPERATIONS

symbols = pytest.importorskip("flowgrad.formula.symbols")


def one(text):
    return parse_formulas([text]).formulas[0]


@pytest.mark.parametrize(
    ("text", "gradient"),
    [
        ("x^2 + x*y + z", ["2*x + y", "x", "1"]),
        ("abs(x)", ["sign(x)"]),
        ("0.1*x", ["0.1"]),
        ("x^1.5", ["1.5*x^0.5"]),
        ("x^2.0", ["2*x"]),
        ("exp(x)", ["exp(x)"]),
        ("e^x", ["exp(x)"]),
        ("heaviside(x)", ["0"]),
        ("where(x < 1, x^2, y)", ["where(x < 1, 2*x, 0)", "where(x < 1, 0, 1)"]),
        ("x/(y-y)", ["undefined", "0"]),
    ],
)
def test_text_of_gradients(text, gradient):
    assert [each.text for each in symbols.gradient(one(text))] == gradient


_FORMULAS = [
    *(
        f"y*{name}(0.3*x + 0.1*y^2{', 0.2*x*y' * (operation.least - 1)})"
        for name, operation in OPERATIONS.items()
        if name.isalpha() and name not in ("negative", "where", "acosh")
    ),
    "acosh(2 + x*y)",
    "x/y - y^x + (x - 0.3)^3",
    "where(x*y < 1, sin(x), cos(y))*x^2",
    "where(x >= y, x^2*y, x*y^2)",
    "max(x, y, x*y)^3",
    "sin(x)^2*cos(y)/(1 + x^2*y^2)",
    "exp(-(x^2 - 2*0.6*x*y + y^2)/(2*(1 - 0.6^2)))/(2*pi*sqrt(1 - 0.6^2))",
    "e^(pi*x) + 2^-y",
]


@pytest.mark.parametrize("text", _FORMULAS)
def test_symbols_are_what_dual_numbers_give(text):
    """Every function of the language, first and second derivatives, at random points."""
    formula = parse_formulas([text], ("x", "y")).formulas[0]
    gradient, hessian = symbols.gradient(formula), symbols.hessian(formula)
    for point in np.random.default_rng(3).uniform(0.2, 1.2, (4, 2)):
        place = dict(zip("xy", point.tolist(), strict=True))
        expected = autodiff.gradient(formula, point)
        second = autodiff.hessian(formula, point)
        assert np.isfinite(second).all()
        np.testing.assert_allclose([float(g.evaluate(place, ())) for g in gradient], expected, rtol=1e-11, atol=1e-12)
        found = [[float(h.evaluate(place, ())) for h in row] for row in hessian]
        np.testing.assert_allclose(found, second, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("text", _FORMULAS)
def test_dual_numbers_are_what_differences_give(text):
    formula, step = parse_formulas([text], ("x", "y")).formulas[0], 1e-6
    for point in np.random.default_rng(4).uniform(0.2, 1.2, (4, 2)):
        steps = step * np.eye(2)
        differences = (formula(point + steps) - formula(point - steps)) / (2 * step)
        np.testing.assert_allclose(autodiff.gradient(formula, point), differences, rtol=1e-7, atol=1e-8)


def test_the_direction_is_made_a_unit_vector():
    found = symbols.directional_derivative(one("x^2*y"), [3.0, 4.0])
    assert float(found.evaluate({"x": 2.0, "y": 5.0}, ())) == pytest.approx(20 * 0.6 + 4 * 0.8, rel=1e-15)


def test_exact_integers_do_not_grow_without_bound():
    found = symbols.gradient(one("((2*x)^1000)^1000"))[0]
    assert len(found.text) < 100
