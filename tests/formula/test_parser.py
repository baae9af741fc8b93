"""The parser against Python's own evaluation, and what it says of what it refuses."""

import math

import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.formula import Formula, parse_formulas
from flowgrad.formula.functions import FUNCTIONS, OPERATIONS


def value(text, **places):
    return float(Formula.parse(text, tuple(places)).evaluate(places, ()))


def random_formula(random, depth=0):
    """A formula of numbers and x, y, in which nothing overflows."""
    if depth > 4 or random.random() < 0.2:
        return random.choice(["x", "y", "2", "0.5", "1.5e-1", "3.", ".25", "pi", "(x)"])
    one, other = random_formula(random, depth + 1), random_formula(random, depth + 1)
    return random.choice(
        [
            f"{one} + {other}",
            f"{one}-{other}",
            f"{one}*{other}",
            f"{one}/(1 + ({other})^2)",
            f"-{one}",
            f"sin({one})",
            f"({one})^2",
            f"({one} - {other})",
            f"2^-cos({one})",
            f"-tanh({one})^2^2",
        ]
    )


def test_precedence_is_pythons():
    import random

    source = random.Random(1)
    names = {"sin": math.sin, "cos": math.cos, "tanh": math.tanh, "pi": math.pi, "x": 0.37, "y": -1.21}
    for _ in range(300):
        text = random_formula(source)
        expected = eval(text.replace("^", "**"), {"__builtins__": {}}, names)
        assert value(text, x=0.37, y=-1.21) == pytest.approx(expected, rel=1e-13, abs=1e-13), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-x^2", -9),
        ("2^3^2", 512),
        ("x^-2", 1 / 9),
        ("--x", 3),
        ("-+-x", 3),
        ("2*-x", -6),
        ("6/x/2", 1),
        ("x-1-1", 1),
        ("x**2", 9),
        ("2^-x^2", 2.0**-9),
        ("1e3 + 1.E-3 + .5", 1000.501),
        ("max(1, x, 2)", 3),
        ("where(x <= 3, 1, 2)", 1),
        ("if(x > 3, 1, 2)", 2),
        ("e^2", math.e**2),
        (" \tx\n", 3),
    ],
)
def test_values(text, expected):
    assert value(text, x=3.0) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x.y", "position 2: '.'"),
        ("2x", "position 2: unexpected 'x'"),
        ("x y", "position 3: unexpected 'y'"),
        ("(x", "')' is expected"),
        ("x)", "position 2"),
        ("sin", "sin is a function: write sin(…)"),
        ("sinn(x)", "did you mean 'sin'"),
        ("foo(x)", "known are sin, cos"),
        ("q", "known are x, y, z, t, pi, e"),
        ("x²", "U+00B2"),
        ("x − y", "U+2212"),
        ("x == 1", "position 3: '='"),
        ("abs(x, y)", "abs takes 1 argument, not 2"),
        ("max(x)", "max takes 2 to 8 arguments"),
        ("where(x, 1, 2)", "needs a comparison"),
        ("x < 1", "unexpected '<'"),
        ("1/0", "not a finite number"),
        ("x + log(0)", "position 5: 'log(0)' is -inf"),
        ("x + (-8)^(1/3)", "not a finite number"),
        ("9^9^9^9", "exponent"),
        ("x^1e9", "exponent 1e+09"),
        ("1e999", "larger than any"),
        ("", "empty"),
        (" ; ", "empty"),
    ],
)
def test_refusals_say_what_and_where(text, said):
    with pytest.raises(OptionError) as caught:
        parse_formulas([text])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["x" + "+x" * 1500, "(" * 51 + "x" + ")" * 51, "x^" * 51 + "x", "sin(" * 51 + "x" + ")" * 51]
)
def test_limits(text):
    with pytest.raises(OptionError, match="more than"):
        parse_formulas([text])


def test_long_sums_are_no_deep_ones():
    assert value("x" + "+x" * 900, x=1.0) == 901


def test_variables_are_those_that_occur_in_the_order_of_axes():
    assert parse_formulas(["t*y", "x"]).variables == ("x", "y", "t")
    assert parse_formulas(["r*cos(phi)"], also=("phi", "r")).variables == ("phi", "r")
    assert parse_formulas(["y"], variables=("y", "x")).variables == ("y", "x")


def test_labels_and_several_in_one_text():
    found = parse_formulas(["u = -y; v=x", "x*y"]).formulas
    assert [(each.label, each.text) for each in found] == [("u", "-y"), ("v", "x"), ("", "x*y")]


@pytest.mark.parametrize("name", ["sin", "e", "1x", "_x", "x.y", "é", "x" * 40, ""])
def test_names_that_variables_cannot_have(name):
    with pytest.raises(OptionError, match="variable"):
        parse_formulas(["1"], also=(name,))


def test_constants_have_the_shape_of_the_points():
    formulas = parse_formulas(["3; x"], variables=("x", "y"))
    assert formulas(np.zeros((4, 5, 2))).shape == (4, 5, 2)


def test_functions_against_numpy_and_math():
    """Each function of the list, against another library's at random arguments where it is defined."""
    import scipy.special

    other = {"erf": scipy.special.erf, "abs": abs, "min": min, "max": max, "sign": np.sign}
    other["heaviside"] = lambda a: np.heaviside(a, 0.5)
    random = np.random.default_rng(2)
    for name, operation in FUNCTIONS.items():
        if operation.name == "where":
            continue
        function = other.get(operation.name) or getattr(math, operation.name)
        for _ in range(5):
            arguments = random.uniform(1.1, 2.0, operation.least)
            if operation.name in ("asin", "acos", "atanh"):
                arguments -= 1.05
            text = f"{name}({', '.join(map(repr, arguments.tolist()))})"
            assert value(text) == pytest.approx(float(function(*arguments)), rel=1e-14), text


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("abs(x)", 0, "abs(x): its argument is 0"),
        ("sqrt(x-1)", 1, "sqrt(x-1)"),
        ("1/x", 0, "divides by 0"),
        ("x^(1/2)", 0, "0 is raised to 0.5"),
        ("asin(x)", 1, "its argument is 1"),
        ("hypot(x, 2*x)", 0, "both arguments are 0"),
        ("max(x, 2)", 2, "arguments are equal"),
        ("where(x<2, 1, x)", 2, "x<2: both sides are equal"),
        ("x^2", 0, ""),
        ("abs(x)", 1, ""),
    ],
)
def test_kinks_are_named(text, place, said):
    found = Formula.parse(text, ("x",)).kinks({"x": float(place)})
    assert (said in found[0]) if said else not found


def test_every_operation_can_be_reached():
    named = {operation.name for operation in FUNCTIONS.values()}
    assert set(OPERATIONS) - named == {"+", "-", "*", "/", "^", "negative", "<", ">", "<=", ">="}
