"""Functions with removable singularities are smooth there, to all orders that are asked for."""

import math
from itertools import pairwise

import numpy as np
import pytest

from flowgrad.autodiff import numpy_backend
from flowgrad.exact import flow

Q = np.array([0.0, 1e-300, 1e-12, 1e-6, 1e-3, 0.1, 0.49999, 0.5, 0.6, 1.0, 5.0, 50.0, 800.0])


def decay(q, order):
    """The derivative d^k/dq^k of ∫₀¹ e^(−qs) ds, by Gauss and Legendre in pieces that grow from 0."""
    nodes, weights = np.polynomial.legendre.leggauss(30)
    edges = np.concatenate([[0], np.geomspace(1e-3, 1, 12)])
    s, w = (
        np.concatenate(parts) for parts in zip(*[_piece(a, b, nodes, weights) for a, b in pairwise(edges)], strict=True)
    )
    return ((-s) ** order * np.exp(-q[:, None] * s)) @ w


def _piece(a, b, nodes, weights):
    return (a + b) / 2 + (b - a) / 2 * nodes, (b - a) / 2 * weights


def test_relative_decay_and_its_derivatives():
    np.testing.assert_allclose(flow.relative_decay(Q), decay(Q, 0), rtol=1e-14)
    np.testing.assert_allclose(flow.relative_decay_slope(Q), decay(Q, 1), rtol=2e-14)
    _, slopes = numpy_backend.point_jacobians(flow.relative_decay, Q[:, None])
    np.testing.assert_allclose(slopes[:, 0, 0], decay(Q, 1), rtol=2e-14)
    second = numpy_backend.second_derivatives(flow.relative_decay, Q[:, None], None)
    np.testing.assert_allclose(second[:, 0, 0, 0], decay(Q, 2), rtol=1e-13)


@pytest.mark.parametrize(("start", "exponent"), [(0.0, 2.0), (0.0, 2.6), (0.0, 1.4), (0.5, 2.0), (0.5, 3.5)])
def test_powers_of_the_excess(start, exponent):
    r = np.array([0.0, 0.3, 0.5, 0.50001, 0.9, 2.0])
    values, slopes = numpy_backend.point_jacobians(lambda y: flow.excess_power(y * y, start, exponent), r[:, None])
    beyond = np.maximum(r - start, 0)
    np.testing.assert_allclose(values[:, 0], beyond**exponent, rtol=1e-10)
    np.testing.assert_allclose(slopes[:, 0, 0], exponent * beyond ** (exponent - 1), rtol=1e-10)
    slope = flow.excess_power_slope(r * r, start, exponent)
    np.testing.assert_allclose(2 * r * slope, slopes[:, 0, 0], rtol=1e-12)


def test_the_series_is_that_of_the_exponential():
    assert flow._SERIES[:3] == [1.0, -0.5, 1 / 6]
    assert abs(flow._SERIES[-1]) * flow._SMALL ** len(flow._SERIES) < math.ulp(1.0) / 100
