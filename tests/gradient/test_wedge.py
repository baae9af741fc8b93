"""OpenFOAM's wedges: recognised, and differentiated as the axisymmetric flow that they stand for."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Flow, Mesh, OptionError, Patch, velocity_gradient
from tests.axial import as_polyhedra, curved, linear, wedge

TURN = Rotation.from_rotvec([0.3, 1.0, -0.5]).as_matrix()
ORIGIN = np.array([0.3, -2.0, 5.0])
PLACES = tuple(itertools.product(("points", "cells"), repeat=2))


def at(mesh, where):
    return mesh.points if where == "points" else mesh.centroids


def frames(positions):
    """Components along x, r, θ from those along x, y, z."""
    angle = np.arctan2(positions[:, 2], positions[:, 1])
    return Rotation.from_rotvec(np.outer(angle, [1.0, 0, 0])).as_matrix()


def in_space(positions):
    """The curved axisymmetric flow of the plane z = 0 at positions around the x axis."""
    turn = frames(positions)
    plane = np.column_stack([positions[:, 0], np.hypot(positions[:, 1], positions[:, 2]), 0 * positions[:, 0]])
    velocity, L = curved(plane)
    return np.einsum("nij,nj->ni", turn, velocity), turn @ L @ turn.transpose(0, 2, 1)


@pytest.mark.parametrize("low", [0.0, 0.3])
@pytest.mark.parametrize("collapsed", [True, False])
@pytest.mark.parametrize("mid", [0.0, np.radians(2.5)])
@pytest.mark.parametrize("turn", [None, TURN])
@pytest.mark.parametrize(("where", "target"), PLACES)
def test_linear_flows_are_exact(low, collapsed, mid, turn, where, target):
    mesh = wedge(low=low, collapsed=collapsed, mid=mid, turn=turn, origin=ORIGIN)
    velocity, L = linear(at(mesh, where), turn=turn, origin=0 if turn is None else ORIGIN)
    found = velocity_gradient(Flow(mesh, velocity, where), at=target)
    assert "wedge of 5° about" in found.notes[0]
    np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=1e-12)


def test_polyhedra_and_float32():
    mesh = wedge()
    for each, tolerance in ((as_polyhedra(mesh), 1e-12), (Mesh(mesh.points.astype(np.float32), mesh.cells), 1e-5)):
        velocity, L = linear(each.centroids)
        found = velocity_gradient(Flow(each, velocity, "cells"))
        assert "wedge" in found.notes[0]
        np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=tolerance)


def test_hagen_poiseuille_at_cells():
    """u = 1 − r² at the solver's centroids: nothing but the shear −2r, and that far better than a wedge
    taken as a solid has it."""
    mesh = wedge(nx=4, nr=16)
    r = np.hypot(*mesh.centroids[:, 1:].T)
    flow = Flow(mesh, np.column_stack([1 - r**2, 0 * r, 0 * r]), "cells")
    found = velocity_gradient(flow)
    others = found.L.copy()
    others[:, 0, 1] = 0
    np.testing.assert_allclose(others, 0, atol=1e-13)
    near = (r < 0.2) & (np.abs(mesh.centroids[:, 0] - 1) < 0.5)
    solid = velocity_gradient(dataclasses.replace(flow, axisymmetric="none"))
    error, before = (np.abs(each.L[near, 0, 1] + 2 * r[near]).max() for each in (found, solid))
    assert error < 0.5 * before
    assert error < 0.02


@pytest.mark.parametrize(("where", "target"), PLACES)
def test_convergence_in_space(where, target):
    """All components against the flow in space, the axis and the half-planes included."""
    errors = []
    for n in (16, 32):
        mesh = wedge(nx=n, nr=n)
        found = velocity_gradient(Flow(mesh, in_space(at(mesh, where))[0], where), at=target)
        sites = at(mesh, target)
        radius = np.hypot(sites[:, 1], sites[:, 2])
        inside = (radius < 0.8) & (np.abs(sites[:, 0] - 1) < 0.8)
        errors.append(np.abs(found.L - in_space(sites)[1])[inside].max())
    assert errors[1] < 0.6 * errors[0]
    assert errors[1] < 0.05


def test_it_can_be_turned_off():
    mesh = wedge()
    velocity, _ = linear(mesh.centroids)
    for off in ("none", False):
        found = velocity_gradient(Flow(mesh, velocity, "cells", axisymmetric=off))
        assert not any("wedge" in note for note in found.notes)


def walls(mesh, field):
    """The flow at cells, with the values on the outer wall and on the half-planes."""
    centers = mesh.topology.boundary_geometry[1]
    radius = np.hypot(centers[:, 1], centers[:, 2])
    wall = np.flatnonzero(radius > 0.99)
    front = np.flatnonzero(centers[:, 2] < -1e-3 * radius)
    patches = (Patch("front", front, field(centers[front])[0]), Patch("wall", wall, field(centers[wall])[0]))
    return Flow(mesh, field(mesh.centroids)[0], "cells", boundary=patches)


def test_values_on_walls_are_used_where_the_solver_has_them():
    """The wall's faces are flat: their centroids lie at r cos 2.5°."""
    mesh = wedge(nr=6)
    found = velocity_gradient(walls(mesh, linear))
    np.testing.assert_allclose(found.L, np.broadcast_to(linear(mesh.points)[1], found.L.shape), atol=1e-12)
    ends = np.abs(mesh.centroids[:, 0] - 1) > 0.6
    np.testing.assert_array_equal(found.one_sided, ends)
    outer = np.hypot(*mesh.centroids[:, 1:].T) > 0.85
    with_walls = velocity_gradient(walls(mesh, in_space)).L
    without = velocity_gradient(dataclasses.replace(walls(mesh, in_space), boundary=())).L
    exact = in_space(mesh.centroids)[1]
    assert np.abs(with_walls - exact)[outer & ~ends].max() < 0.7 * np.abs(without - exact)[outer & ~ends].max()


def test_half_planes_that_do_not_agree_are_told():
    mesh = wedge()
    velocity, _ = linear(mesh.points)
    velocity[mesh.points[:, 2] > 0, 0] += 0.1
    assert any("half-planes differ" in note for note in velocity_gradient(Flow(mesh, velocity, "points")).notes)


def test_positions_anywhere_around_the_axis():
    mesh = wedge(nx=8, nr=8)
    positions = np.array([[0.7, 0.3, 0.0], [0.7, 0.0, 0.3], [1.2, -0.4, 0.5]])
    velocity, L = linear(mesh.points)
    found = velocity_gradient(Flow(mesh, velocity, "points"), at=positions)
    np.testing.assert_allclose(found.L, np.broadcast_to(L, found.L.shape), atol=1e-12)


@pytest.mark.parametrize(("where", "target"), PLACES)
def test_noise_is_carried_around_the_axis(where, target):
    """Against 2,000 draws of the noise: the standard deviation of every component, rms over the mesh."""
    from flowgrad.gradient import choose_scheme
    from flowgrad.gradient.prepared import prepare

    mesh = wedge(nx=3, nr=3, mid=0.3)
    flow = Flow(mesh, linear(at(mesh, where))[0], where, noise=0.1)
    predicted = velocity_gradient(flow, at=target).std("L")
    operator = prepare(choose_scheme(flow, target)[0], flow, target)
    draws = np.random.default_rng(0).normal(0, 0.1, (2000, *flow.velocity.shape))
    drawn = np.std([operator.vectors(each) for each in draws], axis=0)
    sizes = [np.sqrt((each**2).mean(axis=0)) for each in (predicted, drawn)]
    np.testing.assert_allclose(sizes[0], sizes[1], rtol=0.05, atol=1e-12)


def test_noise_of_one_direction_is_refused():
    mesh = wedge()
    noise = np.tile([0.1, 0.1, 0.2], (len(mesh), 1))
    with pytest.raises(OptionError, match="the same in all directions"):
        velocity_gradient(Flow(mesh, linear(mesh.centroids)[0], "cells", noise=noise))


def test_second_derivatives_of_a_pipe_flow():
    """u = 1 − r²: H_xyy = H_xzz = −2 in space, at every angle and on the axis, and nothing else."""
    mesh = wedge(nx=6, nr=8, mid=0.3)
    expected = np.zeros((3, 3, 3))
    expected[0, 1, 1] = expected[0, 2, 2] = -2
    for where in ("points", "cells"):
        r2 = (at(mesh, where)[:, 1:] ** 2).sum(axis=1)
        flow = Flow(mesh, np.column_stack([1 - r2, 0 * r2, 0 * r2]), where)
        found = velocity_gradient(flow, "finite-difference(order=2)", second=True)
        np.testing.assert_allclose(found["hessian"], np.broadcast_to(expected, found["hessian"].shape), atol=1e-9)
        np.testing.assert_allclose(found["laplacian"][:, 0], -4, rtol=1e-9)


def test_weights_are_the_volumes_of_the_wedge():
    mesh = wedge()
    found = velocity_gradient(Flow(mesh, linear(mesh.centroids)[0], "cells"))
    np.testing.assert_array_equal(found.weights, mesh.measures)
