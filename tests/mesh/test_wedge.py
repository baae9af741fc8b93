"""Wedges are recognised, and nothing else is."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Cells, Mesh
from flowgrad.flow import volumes_of_revolution
from tests import meshes
from tests.axial import as_polyhedra, meridian, wedge

TURN = Rotation.from_rotvec([0.3, 1.0, -0.5]).as_matrix()
ORIGIN = np.array([0.3, -2.0, 5.0])


@pytest.mark.parametrize("low", [0.0, 0.3])
@pytest.mark.parametrize("collapsed", [True, False])
@pytest.mark.parametrize("mid", [0.0, np.radians(2.5), 2.0])
@pytest.mark.parametrize("turn", [None, TURN])
def test_wedges_are_recognised(low, collapsed, mid, turn):
    mesh = wedge(low=low, collapsed=collapsed, mid=mid, turn=turn, origin=ORIGIN)
    found = mesh.structure.wedge
    assert found is not None
    assert found.degrees == pytest.approx(5, abs=1e-10)
    axis = np.eye(3)[0] if turn is None else turn[:, 0]
    assert abs(found.frame[0] @ axis) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(found.frame @ found.frame.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(found.frame) == pytest.approx(1)
    away = (0.0 if turn is None else ORIGIN) - found.origin
    assert np.linalg.norm(away - (away @ axis) * axis) < 1e-11
    assert len(found.faces[0]) - 1 == len(mesh)


def test_cylindrical_coordinates_and_frames():
    found = wedge().structure.wedge
    angle = np.array([0.0, 0.5, -2.0])
    positions = np.column_stack([[0.1, 0.2, 0.3], 0.7 * np.cos(angle), 0.7 * np.sin(angle)])
    np.testing.assert_allclose(found.cylindrical(positions), np.column_stack([[0.1, 0.2, 0.3], [0.7] * 3, angle]))
    frames = found.frames(angle)
    np.testing.assert_allclose(np.linalg.det(frames), 1)
    np.testing.assert_allclose(frames[:, 1] * 0.7, positions * (0, 1, 1), atol=1e-15)


@pytest.mark.parametrize("degrees", [0.5, 25.0])
def test_other_angles(degrees):
    assert wedge(half=degrees / 2).structure.wedge.degrees == pytest.approx(degrees)


def test_scale_float32_and_polyhedra():
    mesh = wedge(mid=0.04)
    for scale in (1e-6, 1e6):
        assert Mesh(scale * mesh.points, mesh.cells).structure.wedge.degrees == pytest.approx(5)
    assert Mesh(mesh.points.astype(np.float32), mesh.cells).structure.wedge.degrees == pytest.approx(5, abs=1e-3)
    assert as_polyhedra(mesh).structure.wedge.degrees == pytest.approx(5)


def moved(mesh, point, by):
    points = mesh.points.copy()
    points[point] += by
    return Mesh(points, mesh.cells)


def layers():
    """Two layers of cells between three half-planes."""
    lower = wedge(low=0.3, mid=0.0)
    upper = wedge(low=0.3, mid=np.radians(5))
    n = len(lower.points)
    rows = [mesh.cells.connectivity.reshape(-1, 8) for mesh in (lower, upper)]
    return Mesh(np.vstack([lower.points, upper.points]), Cells.of_type(12, np.vstack([rows[0], rows[1] + n])))


def slab():
    """One cell thick, between parallel planes."""
    mesh = wedge(low=0.3)
    return Mesh(np.column_stack([mesh.points[:, :2], 0.05 * np.sign(mesh.points[:, 2])]), mesh.cells)


NOT_WEDGES = {
    "a slab": slab(),
    "a sector of 40°": wedge(half=20),
    "two layers": layers(),
    "a point off its plane": moved(wedge(), 7, (0, 0, 1e-3)),
    "a meridian plane": meridian(),
    **{name: meshes.SOLIDS[name] for name in ("hexahedron", "tetra", "wedge", "mixed", "polyhedron", "pyramid")},
}


@pytest.mark.parametrize("name", NOT_WEDGES)
def test_other_meshes_are_none(name):
    assert NOT_WEDGES[name].structure.wedge is None


@pytest.mark.parametrize(("low", "nr"), [(0.0, 4), (-1.0, 3), (-1.0, 4)])
def test_volumes_of_revolution_sum_to_the_cylinder(low, nr):
    assert volumes_of_revolution(meridian(nr=nr, low=low), 1).sum() == pytest.approx(2 * np.pi)
