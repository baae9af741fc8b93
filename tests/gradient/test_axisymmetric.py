"""Axisymmetric flows: the whole tensor from a meridian plane."""

import dataclasses
import itertools

import numpy as np
import pytest

from flowgrad import (
    Cells,
    FiniteDifference,
    Flow,
    Lattice,
    Mesh,
    OptionError,
    Patch,
    VelocityGradient,
    velocity_gradient,
)
from flowgrad.gradient import Scheme, choose_scheme
from tests.axial import curved, linear, meridian

ROUNDING = 1e-13
KINDS = tuple(itertools.product(("quad", "triangle"), (0.0, -1.0, 0.3)))
PLACES = tuple(itertools.product(("points", "cells"), repeat=2))
# From components along (axial, radial, azimuthal) to x, y, z: the y axis has (x, y, z) = (radial, axial, −θ).
FRAMES = {"x": np.eye(3), "y": np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])}


def at(mesh, where):
    return mesh.points if where == "points" else mesh.centroids


def flow_on(mesh, axis, where, field):
    """A flow about ``axis`` from one about the x axis."""
    turn = FRAMES[axis]
    velocity, L = field(at(mesh, where) @ turn)
    return Flow(mesh, velocity @ turn.T, where, axisymmetric=axis), turn @ L @ turn.T


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize(("kind", "low"), KINDS)
@pytest.mark.parametrize(("where", "target"), PLACES)
def test_linear_flows_are_exact(axis, kind, low, where, target):
    mesh = meridian(kind=kind, axis=axis, low=low, jitter=0.2)
    flow, L = flow_on(mesh, axis, where, linear)
    found = velocity_gradient(flow, at=target)
    assert found.valid.all()
    np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=ROUNDING)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("where", ["points", "cells"])
def test_uniaxial_extension(axis, where):
    flow, _ = flow_on(meridian(axis=axis), axis, where, lambda x: linear(x, extension=1.0, divergence=0.0, swirl=0.0))
    found = velocity_gradient(flow)
    np.testing.assert_allclose(found["divergence"], 0, atol=ROUNDING)
    np.testing.assert_allclose(found["shear_rate"], np.sqrt(3), rtol=ROUNDING)
    np.testing.assert_allclose(found["principal_rates"], np.tile([1, -0.5, -0.5], (len(found), 1)), atol=ROUNDING)
    np.testing.assert_allclose(found["third_invariant_of_D"], 0.25, rtol=10 * ROUNDING)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("where", ["points", "cells"])
def test_rigid_rotation_has_no_deformation(axis, where):
    """Turning by Ω about +axis has the vorticity 2Ω along +axis, whichever axis it is."""
    mesh = meridian(axis=axis, low=-1.0)
    omega = 3.0 * np.eye(3)["xy".index(axis)]
    flow = Flow(mesh, np.cross(omega, at(mesh, where)), where, axisymmetric=axis)
    found = velocity_gradient(flow)
    np.testing.assert_allclose(found.D, 0, atol=ROUNDING)
    np.testing.assert_allclose(found["vorticity"], np.tile(2 * omega, (len(found), 1)), atol=10 * ROUNDING)


def test_radial_source():
    """v_r = 1/r: the azimuthal stretching is exact, 1/r² at the samples."""
    mesh = meridian(low=0.25)
    for where in ("points", "cells"):
        r = at(mesh, where)[:, 1]
        found = velocity_gradient(Flow(mesh, np.column_stack([0 * r, 1 / r, 0 * r]), where, axisymmetric="x"))
        np.testing.assert_allclose(found.L[:, 2, 2], 1 / r**2, rtol=ROUNDING)


def test_hagen_poiseuille():
    """u = 1 − r² on even quads: the shear −2r is exact also in the row at the axis, nothing else is there."""
    mesh = meridian(nx=4, nr=8)
    for where in ("points", "cells"):
        r = at(mesh, where)[:, 1]
        found = velocity_gradient(
            Flow(mesh, np.column_stack([1 - r**2, 0 * r, 0 * r]), where, axisymmetric="x"), at="cells"
        )
        shear = found.L[:, 0, 1].copy()
        found.L[:, 0, 1] = 0
        np.testing.assert_allclose(found.L, 0, atol=ROUNDING)
        inside = mesh.centroids[:, 1] < 1 - 1 / 8
        np.testing.assert_allclose(shear[inside], -2 * mesh.centroids[inside, 1], rtol=100 * ROUNDING)


@pytest.mark.parametrize(("where", "target"), [("points", "cells"), ("cells", "cells"), ("points", "points")])
def test_order_of_convergence(where, target):
    """Second order on even quads away from open sides, the axis included, in every component."""
    errors = []
    for n in (16, 32):
        mesh = meridian(nx=n, nr=n)
        flow, _ = flow_on(mesh, "x", where, curved)
        sites = at(mesh, target)
        error = velocity_gradient(flow, at=target).L - curved(sites)[1]
        inside = (sites[:, 1] < 0.9) & (np.abs(sites[:, 0] - 1) < 0.9)
        errors.append(np.abs(error[inside]).max())
    assert np.log2(errors[0] / errors[1]) > 1.8


@pytest.mark.parametrize(("where", "target"), PLACES)
def test_the_order_of_the_scheme_is_that_of_the_whole_tensor(where, target):
    """Local fits of order 3 on moved triangles: the terms over r keep it, and at the axis no error stands out."""
    errors = []
    for n in (16, 32):
        mesh = meridian(nx=n, nr=n, kind="triangle", jitter=0.15)
        flow, _ = flow_on(mesh, "x", where, curved)
        sites = at(mesh, target)
        squares = (velocity_gradient(flow, "finite-difference(order=3)", at=target).L - curved(sites)[1]) ** 2
        near = sites[:, 1] < 1.5 / n
        errors.append([np.sqrt(each.sum(axis=(1, 2)).mean()) for each in (squares, squares[:, :, 2:], squares[near])])
    order = np.log2(np.divide(*errors))
    exact = np.array(errors[1]) < 1e-12
    assert ((order > 2.8) | exact)[:2].all(), order
    assert errors[1][2] < 2 * errors[1][0]


@pytest.mark.parametrize("kind", ["quad", "triangle"])
@pytest.mark.parametrize("where", ["points", "cells"])
def test_the_divergence_of_a_solenoidal_flow_vanishes_under_refinement(kind, where):
    sizes = []
    for n in (16, 32):
        mesh = meridian(nx=n, nr=n, kind=kind, jitter=0.1)
        found = velocity_gradient(flow_on(mesh, "x", where, curved)[0])
        sizes.append(np.sqrt(np.average(found["divergence"] ** 2, weights=found.weights)))
    assert sizes[1] < 0.6 * sizes[0]
    assert sizes[1] < 0.05


@pytest.mark.parametrize("axis", ["x", "y"])
def test_the_azimuthal_column_is_exact_at_the_samples(axis):
    flow, exact = flow_on(meridian(axis=axis, low=-1.0, jitter=0.1), axis, "points", curved)
    found = velocity_gradient(flow)
    off_axis = np.abs(flow.mesh.points[:, 1 if axis == "x" else 0]) > 0.05
    np.testing.assert_allclose(found.L[off_axis][:, :, 2], exact[off_axis][:, :, 2], atol=ROUNDING)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_invariants_are_those_of_the_flow_in_space(axis):
    """The plane may stand at any angle: with turned closed-form tensors every invariant is the same."""
    flow, L = flow_on(meridian(axis=axis, jitter=0.2), axis, "points", linear)
    found = velocity_gradient(flow)
    about = np.array([[1, 0, 0], [0, np.cos(1.0), -np.sin(1.0)], [0, np.sin(1.0), np.cos(1.0)]])
    turn = FRAMES[axis] @ about @ FRAMES[axis].T
    space = VelocityGradient((turn @ L @ turn.T)[None])
    for name in ("divergence", "shear_rate", "q_criterion", "lambda2", "principal_rates", "invariant_r", "flow_type"):
        np.testing.assert_allclose(found[name], np.broadcast_to(space[name], found[name].shape), rtol=1e-11, atol=1e-12)


def test_half_a_plane_is_as_good_as_the_whole():
    half, whole = meridian(nr=4, kind="quad"), meridian(nr=8, low=-1.0, kind="quad")
    for where in ("points", "cells"):
        one, two = (velocity_gradient(flow_on(mesh, "x", where, curved)[0]) for mesh in (half, whole))
        upper = at(whole, where)[:, 1] > -1e-9
        np.testing.assert_allclose(one.L, two.L[upper], atol=ROUNDING)
        if where == "cells":
            assert one.one_sided is not None
            np.testing.assert_array_equal(one.one_sided, two.one_sided[upper])


def test_the_other_half_has_the_same_tensors():
    """Turned by 180° about the axis: L_xy, L_xz and their like change sign, the others do not."""
    mesh = meridian(jitter=0.2)
    flipped = Mesh(mesh.points * (1, -1, 1), mesh.cells)
    turn = np.diag([1.0, -1, -1])
    for where in ("points", "cells"):
        velocity = curved(at(mesh, where))[0]
        above = velocity_gradient(Flow(mesh, velocity, where, axisymmetric="x"))
        below = velocity_gradient(Flow(flipped, velocity @ turn, where, axisymmetric="x"))
        np.testing.assert_allclose(below.L, turn @ above.L @ turn, atol=ROUNDING)


def test_limits_on_the_axis():
    mesh = meridian()
    found = velocity_gradient(flow_on(mesh, "x", "points", curved)[0])
    on_axis = mesh.points[:, 1] == 0
    np.testing.assert_array_equal(found.L[on_axis, 2, 2], found.L[on_axis, 1, 1])
    np.testing.assert_array_equal(found.L[on_axis, 1, 2], -found.L[on_axis, 2, 1])
    assert f"limits on the axis at {on_axis.sum()} of {len(mesh.points)}" in found.notes[0]


def test_centroids_that_miss_the_axis_by_rounding_do_not_blow_up():
    """Three rows of cells, the middle one on the axis, in coordinates rounded to float32."""
    mesh = meridian(nr=3, low=-1.0)
    mesh = Mesh((mesh.points + np.array([0, 2e-8, 0])).astype(np.float32), mesh.cells)
    middle = np.abs(mesh.centroids[:, 1]) < 0.1
    assert (mesh.centroids[middle, 1] != 0).any()
    velocity, L = linear(mesh.centroids)
    velocity = velocity + 1e-7 * np.random.default_rng(0).standard_normal(velocity.shape)
    found = velocity_gradient(Flow(mesh, velocity, "cells", axisymmetric="x"))
    np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=3e-6)


@pytest.mark.parametrize("where", ["points", "cells"])
def test_a_missing_sample_is_interpolated(where):
    """Fits do without it, and so do the terms over r, on the axis too."""
    mesh = meridian(jitter=0.2, kind="triangle", nx=8, nr=8)
    flow, L = flow_on(mesh, "x", where, linear)
    missing = np.argsort(np.abs(at(mesh, where) - (1, 0.4, 0)).sum(axis=1))[:1]
    velocity = flow.velocity.copy()
    velocity[[*missing, 9 * 4]] = np.nan
    flow = dataclasses.replace(flow, velocity=velocity, noise=0.1)
    found = velocity_gradient(flow, "finite-difference(order=2)")
    known = found.valid
    assert known.sum() >= len(found) - 2
    np.testing.assert_allclose(found.L[known], np.broadcast_to(L, found.L[known].shape), atol=1e-11)
    assert np.isfinite(found.std("L")[known]).all()


def test_velocity_across_the_axis_is_told():
    mesh = meridian()
    velocity, _ = linear(mesh.points)
    velocity[mesh.points[:, 1] == 0, 1] = 0.1
    found = velocity_gradient(Flow(mesh, velocity, "points", axisymmetric="x"))
    assert any("not zero at 7 of 7 points" in note for note in found.notes)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("where", ["points", "cells"])
def test_scale_and_translation_along_the_axis(scale, where):
    mesh = meridian(jitter=0.2, kind="triangle")
    moved = Mesh(scale * (mesh.points + np.array([3.0, 0, 0])), mesh.cells)
    velocity = curved(at(mesh, where))[0]
    for target in ("points", "cells"):
        one = velocity_gradient(Flow(mesh, velocity, where, axisymmetric="x"), at=target)
        two = velocity_gradient(Flow(moved, scale * velocity + (scale, 0, 0), where, axisymmetric="x"), at=target)
        np.testing.assert_allclose(two.L, one.L, atol=1e-11)


@pytest.mark.parametrize(("low", "kind"), [(0.0, "quad"), (0.0, "triangle"), (-1.0, "quad")])
@pytest.mark.parametrize("where", ["points", "cells"])
def test_weights_are_volumes(low, kind, where):
    """A cylinder of radius 1 and length 2: 2π, each side of a whole plane half of it."""
    mesh = meridian(low=low, kind=kind, nr=5, jitter=0.2 if low == 0 else 0.0)
    found = velocity_gradient(flow_on(mesh, "x", where, linear)[0])
    assert found.weights.sum() == pytest.approx(2 * np.pi, rel=1e-12)


def with_wall(mesh, field):
    """The flow at cells with the values on the outer wall r = 1."""
    centers = mesh.topology.boundary_geometry[1]
    wall = np.flatnonzero(np.abs(centers[:, 1]) > 1 - 1e-9)
    patch = Patch("wall", wall, field(centers[wall])[0])
    return Flow(mesh, field(mesh.centroids)[0], "cells", boundary=(patch,), axisymmetric="x")


@pytest.mark.parametrize("target", ["points", "cells"])
def test_values_on_walls_are_used_and_mirrored(target):
    mesh = meridian(jitter=0.2, kind="triangle")
    flow = with_wall(mesh, linear)
    found = velocity_gradient(flow, at=target)
    np.testing.assert_allclose(found.L, np.broadcast_to(linear(mesh.points)[1], found.L.shape), atol=ROUNDING)
    without = velocity_gradient(dataclasses.replace(with_wall(mesh, curved), boundary=()), at="cells").L
    used = velocity_gradient(with_wall(mesh, curved), at="cells").L
    assert np.abs(used - without).max() > 1e-3


def test_scattered_points():
    """Without cells: the samples' own neighbourhoods, their mirror images among them."""
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(0, 2, 300), rng.uniform(0, 1, 300), np.zeros(300)])
    velocity, L = linear(points)
    flow = Flow.from_arrays(points, None, velocity, "points", axisymmetric="x")
    found = velocity_gradient(flow, FiniteDifference(order=2))
    np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=1e-10)


def test_positions():
    """Anywhere in the plane, on the axis too."""
    mesh = meridian(jitter=0.2)
    positions = np.array([[0.3, 0.0, 0], [0.71, 0.05, 0], [1.9, 0.77, 0], [1.0, 2.0, 0]])
    velocity, L = linear(mesh.points)
    found = velocity_gradient(Flow(mesh, velocity, "points", axisymmetric="x"), at=positions)
    np.testing.assert_allclose(found.L[:3], np.broadcast_to(L, (3, 3, 3)), atol=ROUNDING)
    assert list(found.valid) == [True, True, True, False]


def test_matrices_differentiate_scalars():
    from flowgrad import Autodiff
    from flowgrad.gradient.prepared import prepare

    mesh = meridian(jitter=0.2)
    flow, _ = flow_on(mesh, "x", "points", linear)
    operator = prepare(Autodiff(), flow, "points")
    scalar = 1 + 2 * mesh.points[:, 0]
    gradients = np.column_stack([matrix @ scalar for matrix in operator.matrices])
    np.testing.assert_allclose(gradients, np.tile([2, 0, 0], (len(scalar), 1)), atol=10 * ROUNDING)
    np.testing.assert_allclose(operator.apply(scalar), gradients, atol=10 * ROUNDING)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"axisymmetric": "z"}, "choose one of x, y, none"),
        ({"out_of_plane": "known"}, "choose one of zero, unknown, incompressible"),
        ({"axisymmetric": "x", "out_of_plane": "unknown"}, "exclude each other"),
    ],
)
def test_wrong_options(options, message):
    mesh = meridian()
    with pytest.raises(OptionError, match=message):
        Flow(mesh, mesh.points, "points", **options)


def test_the_mesh_must_be_a_meridian_plane():
    mesh = meridian()
    tilted = Mesh(mesh.points[:, [0, 2, 1]], mesh.cells)
    solid = Mesh(np.eye(4)[:, :3], Cells.of_type(10, np.array([[0, 1, 2, 3]])))
    for each in (tilted, solid):
        with pytest.raises(OptionError, match="planar mesh with z constant"):
            velocity_gradient(Flow(each, each.points, "points", axisymmetric="x"))


def probed(flow, target, noise):
    """cov(L_ij, L_kl) by differentiating the noise of one sample after the other."""
    from flowgrad.gradient.prepared import prepare

    scheme, _ = choose_scheme(flow, target)
    operator = prepare(scheme, flow, target)
    total = 0.0
    for row, component in itertools.product(range(len(flow.velocity)), range(3)):
        each = np.zeros(flow.velocity.shape)
        each[row, component] = noise[row, component]
        L = operator.vectors(each).reshape(-1, 9)
        total = total + L[:, :, None] * L[:, None, :]
    return total, operator.covariance(noise).reshape(-1, 9, 9)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize(("where", "target"), PLACES)
def test_noise_is_carried_to_every_component(axis, where, target):
    mesh = meridian(nx=4, nr=3, axis=axis, jitter=0.2, kind="triangle")
    flow, _ = flow_on(mesh, axis, where, linear)
    noise = np.random.default_rng(2).uniform(0.1, 0.3, flow.velocity.shape)
    expected, found = probed(flow, target, noise)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def test_deviations_near_the_axis():
    """σ of v_r/r is σ_v/r at the samples."""
    mesh = meridian(jitter=0.2)
    flow = dataclasses.replace(flow_on(mesh, "x", "points", linear)[0], noise=0.01)
    found = velocity_gradient(flow)
    off_axis = mesh.points[:, 1] > 0
    r = mesh.points[off_axis, 1]
    np.testing.assert_allclose(found.std("L")[off_axis, 2, 2], 0.01 / r, rtol=1e-12)
    assert np.isfinite(found.std("shear_rate")).all()


def cubic(positions):
    """A flow about the x axis whose components are polynomials of degree 3 in x, y, z."""
    x, y, z = positions.T
    radial, swirl = 0.3 * x - 0.5 * (y**2 + z**2), 1 + x**2 - 0.4 * (y**2 + z**2)
    return np.column_stack([x * (y**2 + z**2) - x**3, radial * y - swirl * z, radial * z + swirl * y])


def cubic_second(positions):
    """Its second derivatives, by differences that are exact for degree 3."""
    h, H = 0.25, np.empty((len(positions), 3, 3, 3))
    for j, k in itertools.product(range(3), repeat=2):
        a, b = h * np.eye(3)[j], h * np.eye(3)[k]
        corners = [s * t * cubic(positions + s * a + t * b) for s in (1, -1) for t in (1, -1)]
        H[:, :, j, k] = sum(corners) / (4 * h**2)
    return H


@pytest.mark.parametrize("axis", ["x", "y"])
def test_second_derivatives(axis):
    """On a lattice of order 4 the planar part is exact for degree 3, and so is the rest, the axis included."""
    from flowgrad.gradient.lattice import lattice_operator
    from flowgrad.gradient.symmetry.axisymmetric import prepare_axisymmetric

    class Differences(Scheme):
        def prepare(self, flow, at):
            return lattice_operator(flow, 4)

    turn = FRAMES[axis]
    sides = [np.linspace(0, 2, 9), np.linspace(0, 1, 7)]
    lattice = Lattice.rectilinear(*(sides if axis == "x" else sides[::-1]))
    along = lattice.points @ turn
    flow = Flow(lattice, cubic(along) @ turn.T, "points", axisymmetric=axis)
    found = prepare_axisymmetric(Differences(), flow, "points").second(flow.velocity)
    expected = np.einsum("ip,jq,kr,npqr->nijk", turn, turn, turn, cubic_second(along))
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_a_series_is_prepared_once():
    from flowgrad import velocity_gradients

    mesh = meridian(jitter=0.2, kind="triangle")
    flows = [with_wall(mesh, linear), with_wall(mesh, curved)]
    together = list(velocity_gradients(flows))
    for flow, found in zip(flows, together, strict=True):
        np.testing.assert_array_equal(found.L, velocity_gradient(flow).L)


def test_stored_gradients_are_not_completed():
    mesh = meridian()
    L = np.zeros((len(mesh.points), 9))
    stored = Flow(mesh, mesh.points, "points", point_data={"grad": L}, axisymmetric="x")
    with pytest.raises(OptionError, match="as it stands"):
        velocity_gradient(stored, "file(name='grad')")
