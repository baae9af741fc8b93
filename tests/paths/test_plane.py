"""Seeds of planar flows: in the plane, or outside; two coordinates only where z is constant."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice, Mesh, OptionError
from flowgrad.exact import ABC
from flowgrad.paths import deformation, ftle, pathlines, streamlines
from tests import meshes
from tests.paths.test_lattice_interpolant import TURNED


def planar_flow(kind, Q, shift):
    lattice = Lattice.uniform((6, 6), 0.2, origin=shift, directions=Q)
    if kind == "lattice":
        return Flow(lattice, np.tile(Q[0], (36, 1)), "points")
    mesh = meshes.planar("triangle", 5)
    points = np.column_stack([mesh.points[:, :2] / 5, np.zeros(len(mesh.points))]) @ Q + shift
    return Flow(Mesh(points, mesh.cells), np.tile(Q[0], (len(points), 1)), "points")


@pytest.mark.parametrize("kind", ["lattice", "mesh"])
def test_two_coordinates_are_on_the_plane_of_constant_z(kind):
    flow = planar_flow(kind, np.eye(3), np.array([0, 0, 5.0]))
    found = pathlines(flow, [[0.2, 0.3]], [0, 0.1])
    np.testing.assert_allclose(found.positions[:, 0], [[0.2, 0.3, 5], [0.3, 0.3, 5]], atol=1e-12)
    assert streamlines(flow, [[0.2, 0.3]], length=0.1)[0][0, 2] == 5


@pytest.mark.parametrize("Q", [TURNED, np.eye(3)[[2, 0, 1]]], ids=["turned", "zx"])
@pytest.mark.parametrize("kind", ["lattice", "mesh"])
def test_two_coordinates_do_not_tell_where_on_another_plane(kind, Q):
    flow = planar_flow(kind, Q, np.zeros(3))
    for call in (
        lambda x: pathlines(flow, x, [0, 0.1]),
        lambda x: streamlines(flow, x, length=0.1),
        lambda x: deformation(flow, x, 0, 0.1),
    ):
        with pytest.raises(OptionError, match="give three coordinates"):
            call([[0.2, 0.3]])


def test_two_coordinates_do_not_tell_where_in_space():
    lattice = Lattice.uniform((4, 4, 4))
    with pytest.raises(OptionError, match="three dimensions: give three"):
        pathlines(Flow(lattice, lattice.points, "points"), [[1, 1]], [0, 1.0])

    def in_space(x):
        return np.stack([x[..., 2], x[..., 1], x[..., 0]], axis=-1)

    for call in (lambda: pathlines(in_space, [[1, 1]], [0, 1.0]), lambda: ftle(in_space, [[1, 1]], 0, 1.0)):
        with pytest.raises(OptionError, match="two coordinates"):
            call()


def test_functions_that_lead_out_of_the_plane_are_noted():
    assert "across" in pathlines(ABC(), [[1, 1]], [0, 0.1]).notes[0]
    assert not pathlines(ABC(), [[1, 1, 0]], [0, 0.1]).notes


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
@pytest.mark.parametrize("kind", ["lattice", "mesh"])
def test_seeds_off_the_plane_are_outside(kind, scale):
    flow = planar_flow(kind, TURNED, np.array([1.0, 2, 3]))
    mesh = flow.mesh
    scaled = Lattice.uniform((6, 6), 0.2 * scale, scale * np.array([1.0, 2, 3]), TURNED) if kind == "lattice" else None
    mesh = Mesh(scale * mesh.points, mesh.cells) if scaled is None else scaled
    off = np.array([0, 1e-5, -1e-5, 0.01, -77.0])
    seeds = np.column_stack([np.full(5, 0.2), np.full(5, 0.3), off]) @ TURNED + [1, 2, 3]
    found = pathlines(Flow(mesh, scale * flow.velocity, "points"), scale * seeds, [4.0, 4.1])
    np.testing.assert_array_equal(found.left, [np.nan, np.nan, np.nan, 4, 4])
    assert found.notes == ("2 of 5 particles start outside the flow",)
    np.testing.assert_allclose(found.positions[-1, :3], scale * (seeds[:3] + 0.1 * TURNED[0]), atol=1e-9 * scale)
    np.testing.assert_array_equal(found.positions[-1, 3:], scale * seeds[3:])
