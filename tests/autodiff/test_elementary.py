"""Every rule of an elementary or special function against central differences, second derivatives included."""

import numpy as np
import pytest
import scipy.special as sp

import flowgrad.autodiff.rules_special  # noqa: F401  (fills the table)
from flowgrad import DerivativeError
from flowgrad.autodiff import Dual, hessian, jacobian
from flowgrad.autodiff.rules import UFUNC_RULES

# Where arguments lie; between 0.1 and 0.9 unless said.
DOMAINS = {
    np.arccosh: [(1.2, 3)], sp.erfcinv: [(0.2, 1.8)], np.floor_divide: [(5, 5.2), (1.1, 1.2)],
    np.remainder: [(5, 5.2), (1.1, 1.2)], np.fmod: [(5, 5.2), (1.1, 1.2)], sp._ufuncs._zeta: [(2.1, 3), (1, 2)],
    sp.spence: [(0.2, 3)], sp.struve: [(1, 2), (1, 5)], np.rint: [(0.1, 0.4)],
}  # fmt: skip
RANDOM = np.random.default_rng(7)


def name(ufunc):
    return ufunc.__name__


def arguments(ufunc):
    """No two of a pair nearer than the steps of the differences: there may be a kink where they are equal."""
    ranges = DOMAINS.get(ufunc, [(0.1, 0.9)])
    ranges = ranges + ranges[-1:] * (ufunc.nin - len(ranges))
    grids = [np.linspace(low, high, 40) + 0.01 * k for k, (low, high) in enumerate(ranges)]
    inputs = [RANDOM.permutation(grid) for grid in grids]
    return [np.full(40, 3), *inputs[1:]] if ufunc is sp.expn else inputs


def differences(function, x, h):
    """Of fourth order (Fornberg 1988, Math. Comput. 51, 699)."""
    return (8 * (function(x + h) - function(x - h)) - function(x + 2 * h) + function(x - 2 * h)) / (12 * h)


@pytest.mark.parametrize("ufunc", UFUNC_RULES, ids=name)
def test_first_derivatives(ufunc):
    inputs = arguments(ufunc)
    for number, rule in enumerate(UFUNC_RULES[ufunc]):

        def function(x, number=number):
            return ufunc(*inputs[:number], x, *inputs[number + 1 :])

        x = inputs[number]
        if rule is None and ufunc is not sp.expn:
            with pytest.raises(
                DerivativeError, match=rf"{ufunc.__name__.lstrip('_')} with respect to its argument {number + 1}"
            ):
                function(Dual(x, np.ones((1, 40))))
        if rule is None:
            continue
        found = function(Dual(x, np.ones((1, 40))))
        np.testing.assert_array_equal(found.value, function(x))
        np.testing.assert_allclose(found.derivative[0], differences(function, x, 1e-3), rtol=1e-7, atol=1e-8)


# Their derivatives are made of functions that have none in the table.
ONCE: set = set()


@pytest.mark.parametrize("ufunc", [each for each in UFUNC_RULES if each not in ONCE], ids=name)
def test_second_derivatives(ufunc):
    inputs = arguments(ufunc)
    for number, rule in enumerate(UFUNC_RULES[ufunc]):
        if rule is None:
            continue

        def function(x, number=number):
            return ufunc(*inputs[:number], x, *inputs[number + 1 :])

        def slope(x, function=function):
            return function(Dual(x, np.ones((1, 40)), 1)).derivative[0]

        x = inputs[number]
        inner = Dual(x, np.ones((1, 40)), 1)
        outer = function(Dual(inner, np.ones((1, 40)), 2))
        second = outer.derivative[0].derivative[0] if isinstance(outer.derivative, Dual) else np.zeros(40)
        np.testing.assert_allclose(second, differences(slope, x, 1e-3), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (np.abs, 0), (np.sqrt, 0), (np.cbrt, 0), (np.sign, 0), (np.floor, 2), (np.ceil, -1), (np.rint, 0.5),
        (lambda x: np.maximum(x, 1), 1), (lambda x: np.minimum(x, 2 - x), 1),
        (lambda x: np.linalg.norm(np.stack([x, x * 0])), 0),
        (lambda x: np.clip(x, 0, 1), 1), (lambda x: np.heaviside(x, 0.5), 0), (lambda x: np.hypot(x, 0), 0),
        (lambda x: np.max(np.stack([x, x])), 3), (lambda x: x % 1, 2),
    ],
)  # fmt: skip
def test_kinks_and_jumps_have_no_derivative(function, x):
    assert np.isnan(function(Dual(np.float64(x), np.ones(1))).derivative).all()


@pytest.mark.parametrize(
    ("function", "x", "slope"),
    [
        (sp.ellipk, 1e-16, np.pi / 8), (sp.ellipe, 1e-14, -np.pi / 8), (sp.ellipk, 1e-3, 0.393141328830129),
        (sp.erfcx, 1e7, -1e-14 / np.sqrt(np.pi)), (sp.dawsn, -1e8, -5e-17), (np.tanh, 20.0, 1.69934170e-17),
        (sp.expit, 40.0, 4.24835426e-18),
    ],
)  # fmt: skip
def test_small_slopes_are_not_lost_to_cancellation(function, x, slope):
    assert jacobian(function, x) == pytest.approx(slope, rel=1e-7)


def test_powers_at_zero():
    np.testing.assert_array_equal(jacobian(lambda x: np.stack([x**2, x**1, x**0, 0 * x]), 0.0), [0, 1, 0, 0])
    np.testing.assert_array_equal(hessian(lambda x: np.stack([x**2, x**3, x * x]), 0.0), [2, 0, 2])
    assert jacobian(lambda x: 0.0**x, 2.0) == 0


def test_branches_that_are_not_taken_leave_no_trace():
    x = np.array([-1.0, 0.0, 2.0])
    found = jacobian(lambda x: np.where(x > 0, np.sqrt(np.abs(x)), 3 * x), x)
    np.testing.assert_allclose(np.diag(found), [3, 3, 0.5 / np.sqrt(2)])
