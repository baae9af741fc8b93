"""Homogeneous flows have the invariants of the textbooks."""

import numpy as np
import pytest

from flowgrad import VelocityGradient
from flowgrad.exact import BiaxialExtension, PlanarExtension, RigidRotation, SimpleShear, UniaxialExtension

X = np.random.default_rng(0).normal(size=(5, 3))


@pytest.mark.parametrize(
    ("kind", "shear_rate", "flow_type"),
    [
        (SimpleShear, 1, 0),
        (PlanarExtension, 2, 1),
        (UniaxialExtension, np.sqrt(3), 1),
        (BiaxialExtension, 2 * np.sqrt(3), 1),
        (RigidRotation, 0, -1),
    ],
)
def test_shear_rate_and_type(kind, shear_rate, flow_type):
    gradient = VelocityGradient(kind(rate=1.7).gradient(X))
    np.testing.assert_allclose(gradient["shear_rate"], 1.7 * shear_rate, rtol=1e-14)
    np.testing.assert_allclose(gradient["flow_type"], flow_type, atol=1e-14)


def test_rotation_is_half_the_vorticity():
    np.testing.assert_allclose(VelocityGradient(RigidRotation(0.7).gradient(X))["vorticity"], [[0, 0, 1.4]] * 5)
    np.testing.assert_allclose(RigidRotation(0.7)(X), np.cross([0, 0, 0.7], X))


def test_a_rate_of_zero_is_rest():
    for kind in (SimpleShear, PlanarExtension, RigidRotation):
        assert not kind(rate=0)(X).any()
        assert not kind(rate=0).gradient(X).any()
