"""Flows from the arrays that people have: rows of point numbers, coordinates along axes or of every point."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Lattice, MeshError, OptionError, velocity_gradient
from flowgrad.mesh.from_arrays import cells_of, lattice_of
from flowgrad.series import difference
from tests import meshes

PLANE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 0], [2, 1, 0]])
X, Y, Z = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.5, 0.7, 2.0]), np.array([-1.0, 0.0])


@pytest.mark.parametrize(
    ("rows", "points", "expected"),
    [
        ([[0, 1, 2], [0, 2, 3]], PLANE, {"triangle": 2}),
        ([[0, 1, 2, 3], [1, 4, 5, 2]], PLANE, {"quad": 2}),
        ([[0, 1, 2, 3]], PLANE + [[0, 0, z] for z in range(6)], {"tetra": 1}),
        ({"quad": [[0, 1, 2, 3]]}, PLANE + [[0, 0, z] for z in range(6)], {"quad": 1}),
        ({"triangle": [[1, 4, 5]], "quad": [[0, 1, 2, 3]]}, PLANE, {"triangle": 1, "quad": 1}),
    ],
)
def test_rows_of_point_numbers(rows, points, expected):
    flow = Flow.from_arrays(points, rows, points)
    assert flow.mesh.type_counts() == expected


@pytest.mark.parametrize("name", ["tetra", "hexahedron", "wedge", "pyramid"])
def test_rows_of_a_solid_are_its_cells(name):
    mesh = meshes.SOLIDS[name]
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    for given in (rows, {name: rows}, mesh.cells):
        assert difference(mesh, Flow.from_arrays(mesh.points, given, mesh.points).mesh) == ""


def test_cells_that_do_not_fit_are_refused():
    with pytest.raises(MeshError, match="cells of 7 points have no usual type in a plane"):
        cells_of(np.zeros((1, 7), int), PLANE)
    with pytest.raises(MeshError, match=r"the type 'tetr' cannot be given as rows \(did you mean 'tetra'"):
        cells_of({"tetr": [[0, 1, 2, 3]]}, PLANE)
    with pytest.raises(MeshError, match="rows of different lengths"):
        cells_of([[0, 1, 2], [0, 1, 2, 3]], PLANE)
    with pytest.raises(MeshError, match="whole numbers"):
        cells_of(np.zeros((2, 3)), PLANE)
    with pytest.raises(MeshError, match="names point 9"):
        Flow.from_arrays(PLANE, [[0, 1, 9]], PLANE)


def test_further_arrays_and_the_time():
    more = {"point_data": {"p": np.arange(6.0), "t": np.zeros((6, 3, 3))}, "cell_data": {"k": [1, 2]}, "time": 0.5}
    flow = Flow.from_arrays(PLANE, [[0, 1, 2], [0, 2, 3]], PLANE, **more)
    assert flow.time == 0.5
    assert flow.point_data["t"].shape == (6, 9)
    np.testing.assert_array_equal(flow.cell_data["k"], [1, 2])
    with pytest.raises(OptionError, match="'p' is float64 \\(5,\\): give numbers, a row for each of 6 points"):
        Flow.from_arrays(PLANE, None, PLANE, point_data={"p": np.zeros(5)})


def grid(*axes):
    return np.meshgrid(*axes, indexing="ij")


@pytest.mark.parametrize("axes", [(X, Y), (X, Y, Z), (X[::-1], Y)])
def test_coordinates_along_axes_and_of_every_point_are_one_lattice(axes):
    expected = Lattice.rectilinear(*axes)
    for given in (axes, grid(*axes)):
        assert difference(expected, lattice_of(given)) == ""


def test_a_plane_in_space_and_points_anywhere():
    plane = lattice_of([*grid(X, Y), np.full((3, 4), 2.5)])
    assert not plane.is_curved
    assert plane.shape == (3, 4, 1)
    assert (plane.points[:, 2] == 2.5).all()
    x, y = grid(X, Y)
    bent = lattice_of((x + 0.1 * y, y))
    assert bent.is_curved
    np.testing.assert_array_equal(bent.grid(bent.points)[:, :, 0, 0], x + 0.1 * y)


def test_a_flow_on_coordinates_has_the_gradient_of_its_lattice():
    x, y = grid(X, Y)
    velocity = np.stack([2 * y, -3 * x], -1)
    flow = Flow.on_lattice((X, Y), velocity, point_data={"p": x * y}, time=2.0)
    np.testing.assert_allclose(velocity_gradient(flow).L[:, 0, 1], 2, atol=1e-12)
    np.testing.assert_allclose(velocity_gradient(flow).L[:, 1, 0], -3, atol=1e-12)
    np.testing.assert_array_equal(flow.mesh.grid(flow.point_data["p"])[:, :, 0], x * y)
    assert flow.time == 2


def test_coordinates_that_do_not_fit_are_refused():
    with pytest.raises(MeshError, match="shapes"):
        lattice_of((np.zeros((3, 4)), np.zeros((4, 3))))
    with pytest.raises(MeshError, match="4 coordinates"):
        lattice_of((X, Y, Z, Z))
    assert len(Cells.empty()) == len(cells_of(None, PLANE)) == 0


@pytest.mark.parametrize(
    ("velocity", "said"),
    [
        (np.full((4, 3), "1.0"), "velocity is <U3, text"),
        (np.full((4, 3), "1.0", object), "velocity is <U3, text"),
        (np.full((4, 3), np.datetime64("2020-01-01")), r"velocity is datetime64\[D\], dates"),
        (np.full((4, 3), np.timedelta64(1, "s")), r"velocity is timedelta64\[s\], durations"),
    ],
)
def test_velocities_are_numbers(velocity, said):
    with pytest.raises(OptionError, match=f"{said}: give numbers"):
        Flow.from_arrays(np.eye(4, 3), {"tetra": [[0, 1, 2, 3]]}, velocity)
    flow = Flow.from_arrays(np.eye(4, 3), {"tetra": [[0, 1, 2, 3]]}, np.ones((4, 3), object), "points")
    assert flow.velocity.dtype == float


def test_points_beyond_reach_are_refused():
    points = np.random.default_rng(0).random((20, 3))
    with pytest.raises(MeshError, match="1 of 20 points are not finite, such as number 7"):
        Flow.from_arrays(np.where(np.arange(20)[:, None] == 7, np.nan, points), None, points)
    far = np.where(np.arange(20)[:, None] == 7, 1e308, points)
    for cells in (None, {"tetra": [[0, 1, 2, 7]]}):
        with pytest.raises(MeshError, match=r"a coordinate of 1e\+308 is beyond 1e\+100"):
            Flow.from_arrays(far, cells, points, "points")
    with pytest.raises(MeshError, match=r"a coordinate of 1e\+308"):
        Flow.on_lattice((np.linspace(0, 1e308, 4), np.arange(3.0)), np.ones((4, 3, 2)))
