"""Coincident points that are one, and those that are not: cells with points of their own, blocks, plates, seams."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, velocity_gradient
from flowgrad.mesh.generate import block
from tests import meshes
from tests.apart import apart, plate

SHARED = {**meshes.SOLIDS, **{name: meshes.planar(name) for name in ("triangle", "quad", "polygon")}}


def neighbours(mesh):
    return {tuple(sorted(pair)) for pair in mesh.topology.pairs.tolist()}


@pytest.mark.parametrize("name", SHARED)
def test_cells_with_points_of_their_own_have_the_same_neighbours_and_boundary(name):
    shared = SHARED[name]
    assert shared.joints is None
    own, source = apart(shared)
    assert neighbours(own) == neighbours(shared)
    np.testing.assert_array_equal(own.topology.boundary, shared.topology.boundary)
    np.testing.assert_array_equal(own.topology.owners, shared.topology.owners)
    one, other = own.topology.boundary_geometry, shared.topology.boundary_geometry
    np.testing.assert_allclose(one[0], other[0], atol=1e-13)
    np.testing.assert_allclose(one[1], other[1], atol=1e-13)
    for point in (0, 7):
        start, cells = own.topology.point_cells
        begin, around = shared.topology.point_cells
        at = source[point]
        assert set(cells[start[point] : start[point + 1]]) == set(around[begin[at] : begin[at + 1]])
    copies = own.point_count - len(np.unique(source))
    assert own.joints.notes[0].startswith(f"{copies} of {own.point_count} points are copies")


def test_coordinates_that_differ_by_the_rounding_of_float32_are_one_place():
    shared = block("tetra", 6)
    own, _ = apart(shared)
    rng = np.random.default_rng(0)
    points = (own.points * (1 + rng.uniform(-1, 1, own.points.shape) * 2.0**-24) + 3).astype(np.float32)
    points = np.nextafter(points, np.float32(10) * rng.choice([-1, 1], points.shape)).astype(float)
    rounded = Mesh(points, own.cells)
    assert len(np.unique(points, axis=0)) > shared.point_count
    assert neighbours(rounded) == neighbours(shared)
    assert rounded.joined.point_count == shared.point_count


def test_layers_as_thin_as_rounding_are_not_one():
    shared = block("hexahedron", 4, jitter=0)
    thin = Mesh(shared.points * [1, 1, 3e-7], shared.cells)
    assert neighbours(thin) == neighbours(shared)
    own = Mesh(thin.points[thin.cells.connectivity], Cells.of_type(12, np.arange(8 * len(thin)).reshape(-1, 8)))
    assert neighbours(own) == neighbours(shared)
    assert own.joined.point_count == shared.point_count


@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "quad"])
def test_blocks_that_meet_are_one_mesh(kind):
    shared = block(kind, 6)
    own, _ = apart(shared, np.searchsorted([0.4, 0.6], shared.centroids[:, 0]))
    assert own.point_count < 2 * shared.point_count
    assert neighbours(own) == neighbours(shared)
    assert own.joined.point_count == shared.point_count


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(("kind", "faces"), [("hexahedron", 32), ("tetra", 64), ("quad", 4)])
def test_both_sides_of_a_plate_are_boundary(kind, faces, copied):
    mesh, _ = plate(kind, copied=copied)
    whole = block(kind, 9, jitter=0.0)
    assert len(mesh.topology.boundary) == len(whole.topology.boundary) + 2 * faces
    area, middles = mesh.topology.boundary_geometry
    np.testing.assert_allclose(area.sum(axis=0), 0, atol=1e-12)
    up = whole.dimension - 1
    inside = np.abs(middles[:, up] - 0.5) < 1e-9
    inside &= (np.abs(area[:, up]) > 0) & (middles[:, 0] < 0.5)
    np.testing.assert_allclose(np.abs(area[inside][:, up]).sum(), 1.0)
    assert (area[inside][:, up] > 0).sum() == faces
    assert any(str(faces) in note and "both are boundary" in note for note in mesh.joints.notes)


def test_points_on_a_plate_are_parted_but_for_its_rim():
    mesh, _ = plate("hexahedron", copied=False)
    assert mesh.joined.point_count == plate("hexahedron", copied=True)[0].point_count
    x = mesh.points[mesh.joints.parted]
    np.testing.assert_allclose(x[:, 2], 0.5)
    assert (x[:, 0] < 0.5 - 1e-9).all()


def test_a_plate_of_one_face_parts_its_cells_alone():
    mesh = block("hexahedron", 5, jitter=0)
    face = mesh.topology.pair_faces[7]
    one = Mesh(mesh.points, mesh.cells, plates=np.array([face]))
    assert neighbours(mesh) - neighbours(one) == {tuple(sorted(mesh.topology.pairs[7].tolist()))}
    assert len(one.topology.boundary) == len(mesh.topology.boundary) + 2


@pytest.mark.parametrize("sides", [1, 2])
def test_boundary_cells_on_both_sides_of_faces_make_these_a_plate(sides):
    shared = block("hexahedron", 5, jitter=0)
    own, _ = apart(shared)
    quads, owners = [], []
    for cell in np.flatnonzero(np.abs(shared.centroids[:, 2] - 0.5) < 0.25):
        rows = own.faces.take(np.arange(6) + 6 * cell)[1].reshape(6, 4)
        middle = rows[np.abs(own.points[rows][:, :, 2].mean(axis=1) - 0.5).argmin()]
        if sides == 2 or shared.centroids[cell, 2] < 0.5:
            quads.append(middle)
            owners.append(cell)
    connectivity = np.concatenate([own.cells.connectivity, *quads])
    sizes = np.repeat([8, 4], [len(own), len(quads)])
    types = np.repeat([12, 9], [len(own), len(quads)]).astype(np.uint8)
    marked = Mesh(own.points, Cells(types, np.append(0, np.cumsum(sizes)), connectivity))
    assert len(neighbours(shared) - neighbours(marked)) == (16 if sides == 2 else 0)
    assert len(marked.topology.boundary) == len(shared.topology.boundary) + (32 if sides == 2 else 0)
    if sides == 2:
        np.testing.assert_array_equal(marked.topology.owners[len(own) :], owners)


def test_a_plate_that_may_stand_between_two_blocks_is_named():
    shared = block("hexahedron", 7, jitter=0)
    own, _ = apart(shared, shared.centroids[:, 1] > 0.5)
    y = own.points[:, 1]
    for velocity, is_named in ((np.where(y > 0.5, y - 0.5, 3 * y - 1.5), True), (y, False)):
        notes = velocity_gradient(Flow(own, velocity[:, None] * [1.0, 0, 0], "points")).notes
        assert any("vanishes on 36 of the 36 faces where blocks of the mesh meet" in each for each in notes) == is_named


def test_points_on_the_boundary_have_their_copies():
    shared = block("tetra", 5)
    own, source = apart(shared)
    faces = np.arange(0, len(shared.topology.boundary), 3)
    np.testing.assert_array_equal(own.topology.points_on(faces), shared.topology.points_on(faces)[source])


def test_the_seam_of_a_block_around_a_cylinder_is_no_plate():
    square = block("quad", 13, jitter=0)
    angle, radius = 2 * np.pi * square.points[:, 0], 1 + square.points[:, 1]
    ring = Mesh(np.column_stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle]), square.cells)
    assert len(ring.topology.boundary) == 2 * 12
    assert len(square.topology.boundary) == 4 * 12


def test_scattered_points_that_coincide_are_one():
    points = np.random.default_rng(0).normal(size=(50, 3))
    cloud = Mesh(np.concatenate([points, points[:20]]), Cells.empty())
    assert cloud.joined.point_count == 50
    assert cloud.joints.notes == ("20 of 70 points lie where others do and count once",)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_values_that_differ_are_averaged_and_results_copied_back(scale):
    own, source = apart(block("tetra", 4))
    joints = own.joints
    values = scale * np.random.default_rng(0).normal(size=(own.point_count, 3))
    means = np.stack([np.bincount(source, v) / np.bincount(source) for v in values.T], axis=-1)
    np.testing.assert_allclose(joints.returned(joints.joined(values)), means[source], rtol=1e-13, atol=1e-13 * scale)
    same = values[np.unique(source, return_index=True)[1]][source]
    assert joints.jump(same) == (0.0, 0)
    largest, places = joints.jump(values)
    assert places == np.sum(np.bincount(source) > 1)
    np.testing.assert_allclose(largest, np.linalg.norm(values - means[source], axis=1).max())
    holed = same.copy()
    holed[0] = np.nan
    np.testing.assert_allclose(joints.returned(joints.joined(holed)), same, rtol=1e-15)
