"""Splines on lattices reproduce cubics, converge with their order, and know where they end."""

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval3d
from scipy.interpolate import make_interp_spline

from flowgrad import Flow, Lattice, MeshError
from flowgrad.exact import TaylorGreen
from flowgrad.mesh.axis import Axis
from flowgrad.paths.field import SteadyField
from flowgrad.paths.lattice_interpolant import LatticeSpline, SplineAxis

RANDOM = np.random.default_rng(3)
UPRIGHT = np.eye(3)
TURNED = np.linalg.qr(RANDOM.normal(size=(3, 3)))[0]
SKEW = np.array([[1, 0.2, 0], [0, 1, 0.3], [0.1, 0, 1.0]])


def field_of(lattice, velocity, location="points"):
    places = lattice.points if location == "points" else lattice.centroids
    flow = Flow(lattice, velocity(places), location)
    return SteadyField(LatticeSpline(flow), flow)


def sampled(field, positions):
    return field.sample(positions, 0.0, np.full(len(positions), -1))


def differences(velocity, positions, h=1e-30):
    """By a complex step, exact to rounding."""
    return np.stack([velocity(positions + 1j * h * e).imag / h for e in np.eye(3)], axis=-1)


class Polynomial:
    """Of the given degrees along x, y, z, about the middle of the unit cube, in a frame of axes."""

    def __init__(self, degrees, axes=UPRIGHT):
        self.c = [RANDOM.normal(size=np.add(degrees, 1)) for _ in range(3)]
        self.to_axes = np.linalg.inv(axes).T

    def __call__(self, x):
        return np.stack([polyval3d(*(x @ self.to_axes.T - 0.5).T, c) for c in self.c], axis=-1)


def uneven(count, falling=False):
    x = np.cumsum(RANDOM.uniform(0.5, 1.5, count))
    x = (x - x[0]) / (x[-1] - x[0])
    return x[::-1] if falling else x


@pytest.mark.parametrize("axes", [UPRIGHT, TURNED, SKEW], ids=["straight", "turned", "skew"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize(("counts", "degrees"), [((7, 6, 5), (3, 3, 3)), ((4, 3, 2), (3, 2, 1))])
def test_polynomials_are_reproduced_with_their_gradients(axes, location, counts, degrees):
    if location == "cells":
        counts = [n + 1 for n in counts]
    x, y, z = (uneven(n, falling) for n, falling in zip(counts, (False, True, False), strict=True))
    velocity = Polynomial(degrees, axes)
    field = field_of(Lattice.rectilinear(x, y, z, directions=axes), velocity, location)
    positions = RANDOM.random((200, 3)) @ axes
    found = sampled(field, positions)
    assert found.inside.all()
    np.testing.assert_allclose(found.velocity, velocity(positions), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.L, differences(velocity, positions), rtol=0, atol=3e-11)


@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
def test_planar_lattices_have_a_plane(plane):
    coordinates = [uneven(5), uneven(6), uneven(7)]
    across = ({0, 1, 2} - set(plane)).pop()
    coordinates[across] = 0.3
    degrees = [3 if a in plane else 0 for a in range(3)]
    velocity, P = Polynomial(degrees, TURNED), np.delete(np.eye(3), across, 0) @ TURNED
    field = field_of(Lattice.rectilinear(*coordinates, directions=TURNED), velocity)
    positions = RANDOM.random((50, 3)) @ TURNED  # anywhere across the plane
    found = sampled(field, positions)
    inside_plane = P.T @ P
    assert found.inside.all()
    assert field.plane is not None
    np.testing.assert_allclose(field.plane.inward, inside_plane, atol=1e-14)
    np.testing.assert_allclose(found.velocity, velocity(positions) @ inside_plane, atol=1e-12)
    np.testing.assert_allclose(found.L, inside_plane @ differences(velocity, positions), atol=1e-11)


@pytest.mark.parametrize("count", [4, 5, 6, 9])
def test_an_axis_is_the_spline_of_scipy(count):
    x, y = uneven(count), RANDOM.normal(size=count)
    np.testing.assert_allclose(*along(SplineAxis(Axis(x)), x, y, make_interp_spline(x, y, k=3)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("count", [3, 4, 9])
def test_a_periodic_axis_is_the_spline_of_scipy(count):
    x, y = uneven(count), RANDOM.normal(size=count)
    around, values = np.append(x, 1.4), np.append(y, y[0])
    peer = make_interp_spline(around, values, k=3, bc_type="periodic")
    np.testing.assert_allclose(*along(SplineAxis(Axis(x, 1.4)), around, y, peer), rtol=0, atol=1e-13)


def along(axis, breaks, values, peer):
    """The spline of an axis and another at the same places."""
    p = np.linspace(breaks[0], breaks[-1], 40)
    cell = np.clip(np.searchsorted(breaks, p, side="right") - 1, 0, len(breaks) - 2)
    span = np.clip(cell - axis.shift, 0, len(axis.basis) - 1)
    powers = (p - axis.starts[span])[:, None] ** np.arange(4)
    functions = np.einsum("pij,pj->pi", axis.basis[span], powers)
    return np.einsum("pi,pi->p", functions, axis.coefficients(values)[span[:, None] + np.arange(4)]), peer(p)


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("count", [2, 3, 12])
def test_periodic_axes_close_smoothly(repeats, count):
    lattice = Lattice.uniform((count + repeats, 5), (1 / count, 0.25), periodic=(1.0, False, False))
    wave = RANDOM.normal(size=(2, 5))

    def velocity(x):
        return np.stack([np.sin(2 * np.pi * x[:, 0] + k) * (1 + x[:, 1]) for k in wave[0, :3]], axis=-1)

    field = field_of(lattice, velocity)
    edge = np.column_stack([np.zeros(20), RANDOM.random(20), np.zeros(20)])
    turns = [sampled(field, edge + np.array([shift, 0, 0])) for shift in (-1e-9, 1e-9, -3.0, 1.0)]
    assert all(turn.inside.all() for turn in turns)
    for turn in turns[1:]:
        np.testing.assert_allclose(turn.velocity, turns[0].velocity, atol=1e-7)
        np.testing.assert_allclose(turn.L, turns[0].L, atol=1e-6)
    if count == 12:
        np.testing.assert_allclose(turns[3].velocity[:, :2], velocity(edge)[:, :2], atol=2e-3)


def test_orders_of_convergence():
    flow, errors = TaylorGreen(), []
    positions = RANDOM.uniform(0, 2 * np.pi, (2000, 3)) * [1, 1, 0]
    for count in (16, 32, 64):
        lattice = Lattice.uniform((count + 1, count + 1), 2 * np.pi / count)
        found = sampled(field_of(lattice, flow), positions)
        exact = flow.gradient(positions)
        errors.append([np.abs(found.velocity - flow(positions)).max(), np.abs(found.L - exact).max()])
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (orders[:, 0] > 3.7).all()
    assert (orders[:, 1] > 2.7).all()


def test_the_gradient_is_continuous():
    lattice = Lattice.rectilinear(uneven(8), uneven(7), uneven(6))
    field = field_of(lattice, lambda x: RANDOM.normal(size=x.shape))
    sites = lattice.points[(np.abs(lattice.points - 0.5) < 0.45).all(axis=1)]
    left, right = sampled(field, sites - 1e-9), sampled(field, sites + 1e-9)
    np.testing.assert_allclose(left.L, right.L, atol=1e-5 * np.abs(left.L).max())


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_ends_belong_to_the_lattice_at_any_scale(scale):
    field = field_of(Lattice.uniform((5, 5, 5), scale / 4, origin=(scale, 0, -scale)), lambda x: x / scale)
    corner = np.array([[2.0, 1.0, 0.0], [1.0, 0.0, -1.0]]) * scale
    assert sampled(field, corner).inside.all()
    beyond = corner + scale * 1e-8 * np.array([[1, 0, 0], [0, 0, -1]])
    assert not sampled(field, beyond).inside.any()
    assert not sampled(field, np.array([[np.nan, 0, 0]])).inside.any()


def test_cells_that_touch_a_hole_are_outside():
    lattice = Lattice.uniform((6, 6, 6))
    velocity = np.array(lattice.points)
    velocity[lattice.flat(np.pad(np.ones((1, 1, 1)), (2, 3))).astype(bool)] = np.nan
    flow = Flow(lattice, velocity, "points")
    field = SteadyField(LatticeSpline(flow), flow)
    positions = RANDOM.uniform(0, 5, (2000, 3))
    found = sampled(field, positions)
    np.testing.assert_array_equal(found.inside, (np.abs(positions - 2) > 1).any(axis=1))
    far = (np.abs(positions - 2) > 2.5).any(axis=1)
    assert np.abs(found.velocity - positions)[far].max() < 0.5


def test_hints_are_kept_and_make_no_difference():
    field = field_of(Lattice.rectilinear(uneven(30) ** 3, uneven(5), uneven(5)), lambda x: np.sin(x))
    positions, cells = RANDOM.random((100, 3)), np.full(100, -1)
    first = field.sample(positions, 0.0, cells)
    known = cells.copy()
    again = field.sample(RANDOM.permutation(positions) + 5.0, 0.0, cells)
    assert not again.inside.any()
    np.testing.assert_array_equal(cells, known)
    moved = RANDOM.permutation(100)
    np.testing.assert_array_equal(field.sample(positions[moved], 0.0, cells).velocity, first.velocity[moved])


def test_what_cannot_be_interpolated_is_refused():
    with pytest.raises(MeshError, match="plane or a volume"):
        field_of(Lattice.uniform((5,)), lambda x: x)
    with pytest.raises(MeshError, match="no velocity"):
        field_of(Lattice.uniform((5, 5)), lambda x: x * np.nan)
