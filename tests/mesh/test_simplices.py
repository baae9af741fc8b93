"""Cells cut into simplices: they fit each other, fill the mesh, and are found by walking and by searching."""

import numpy as np
import pytest

from flowgrad import Cells, Mesh, MeshError
from flowgrad.mesh.simplices import simplices_of
from flowgrad.paths.simplex_kernels import search, walk
from tests import meshes
from tests.high_order import bent, reference, straight

TURNED = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
MESHES = meshes.SOLIDS | {f"planar_{n}": meshes.planar(n) for n in ("quad", "polygon", "pixel", "triangle")}
MESHES |= {"pentagons": meshes.pentagons(), "tilted": meshes.planar("quad", plane=TURNED)}
MESHES |= {"dual": meshes.dual(meshes.SOLIDS["tetra"])}
CURVED = [(t, None) for t in (22, 23, 24, 25, 26, 27, 28, 29, 32, 37)] + [(71, (4, 4, 4)), (72, (3, 2, 4))]


def facets(own):
    """Each simplex's faces (k, d + 1, d), the i-th opposite corner i, as sorted point numbers."""
    every = [np.delete(own.corners, i, axis=1) for i in range(own.dimension + 1)]
    return np.sort(np.stack(every, axis=1), axis=2)


def volume_within(own):
    """That of the domain by the divergence theorem, over the faces of the boundary only."""
    total, points = 0.0, own.points - own.points[own.corners[0, 0]]
    for s, i in np.argwhere(own.neighbours == -1):
        corner = own.corners[s, i]
        face = points[np.delete(own.corners[s], i)]
        third = face[2] - face[0] if own.dimension == 3 else own.normal
        area = np.cross(face[1] - face[0], third)
        total += abs(area @ face[0]) * np.sign(area @ face[0]) * np.sign(area @ (face[0] - points[corner]))
    return total / (6 if own.dimension == 3 else 2)


@pytest.mark.parametrize("name", MESHES)
def test_every_face_has_two_sides_or_is_on_the_boundary(name):
    own = simplices_of(MESHES[name])
    _, where, counts = np.unique(
        facets(own).reshape(-1, own.dimension), axis=0, return_inverse=True, return_counts=True
    )
    counts = counts[where.ravel()].reshape(own.neighbours.shape)
    np.testing.assert_array_equal(counts, np.where(own.neighbours == -1, 1, 2))
    s, i = np.nonzero(own.neighbours >= 0)
    other = own.neighbours[s, i]
    back = np.argmax(own.neighbours[other] == s[:, None], axis=1)
    np.testing.assert_array_equal(own.neighbours[other, back], s)
    np.testing.assert_array_equal(facets(own)[s, i], facets(own)[other, back])


@pytest.mark.parametrize("name", MESHES)
def test_simplices_fill_their_mesh_once(name):
    mesh, own = MESHES[name], simplices_of(MESHES[name])
    assert own.measures.sum() == pytest.approx(volume_within(own), rel=1e-13)
    assert not own.folded.any()
    assert not own.flat.any()
    assert mesh.is_full[own.owners].all()
    assert set(own.owners) == set(np.flatnonzero(mesh.is_full))
    if own.dimension == 2 or name in ("voxel", "tetra", "tetra_with_boundary"):  # plane faces
        each = np.bincount(own.owners, own.measures, len(mesh))
        np.testing.assert_allclose(each, np.where(mesh.is_full, mesh.measures, 0), rtol=1e-12)


@pytest.mark.parametrize("name", MESHES)
def test_the_boundary_is_that_of_the_mesh(name):
    """As many triangles as the polygons of the boundary are fanned into, with the same points."""
    mesh, own = MESHES[name], simplices_of(MESHES[name])
    start, points = mesh.topology.boundary_polygons
    assert (own.neighbours == -1).sum() == (np.diff(start) - mesh.dimension + 1).sum()
    mine = facets(own)[own.neighbours == -1]
    assert set(mine.ravel()) == set(points)


@pytest.mark.parametrize(("vtk_type", "degrees"), CURVED)
def test_curved_cells_are_cut_between_their_corners(vtk_type, degrees):
    mesh = straight(reference(vtk_type, degrees), 2, degrees=degrees)
    own = simplices_of(mesh)
    each = np.bincount(own.owners, own.measures, len(mesh))
    np.testing.assert_allclose(each, mesh.measures, rtol=1e-9)
    if own.dimension == 3:
        curved = simplices_of(bent(mesh))
        assert len(curved) == len(own)
        assert curved.measures.sum() == pytest.approx(volume_within(curved), rel=1e-13)


def find(own, x, start):
    """The simplices that hold positions: by walking, and by searching the tree."""
    shares, slopes = np.empty(4), np.empty((4, 3))
    args = own.points, own.corners, own.neighbours, own.normal
    walked = [walk(*args, each, s, shares, slopes) for each, s in zip(x, start, strict=True)]
    found = [search(*args, own.tree.boxes, own.tree.members, each, shares, slopes) for each in x]
    return np.array(walked), np.array(found)


@pytest.mark.parametrize("name", ["mixed", "dual", "hexagonal_prism", "pentagons", "tilted", "planar_quad"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_positions_are_found_in_the_simplex_they_were_made_in(name, scale):
    mesh, rng = MESHES[name], np.random.default_rng(3)
    own = simplices_of(Mesh(scale * (mesh.points + np.array([3.0, -2, 1])), mesh.cells))
    number = np.sort(rng.permutation(len(own))[:200])
    shares = rng.dirichlet(np.ones(own.dimension + 1), len(number))
    x = np.einsum("sa,sai->si", shares, own.points[own.corners[number]])
    beside = own.neighbours[number].max(axis=1)
    walked, found = find(own, x, own.neighbours[beside].max(axis=1))
    np.testing.assert_array_equal(found, number)
    # Some ways lead through the boundary, and end there.
    np.testing.assert_array_equal(np.where(walked < 0, number, walked), number)
    assert (walked >= 0).mean() > 0.9
    outside = own.points.max(axis=0) + 1e-7 * scale
    assert find(own, outside[None], [0]) == (-1, -1)


def test_points_and_their_surroundings_belong_to_some_simplex():
    """Where many meet no position is lost; a little beyond the boundary it is outside."""
    own = simplices_of(meshes.SOLIDS["voxel"])
    outward = np.sign(own.points - 1.5) * (np.abs(own.points - 1.5) == 1.5)
    assert (find(own, own.points + 1e-11 * outward, np.zeros(len(own.points), int))[1] >= 0).all()
    beyond = find(own, own.points + 1e-7 * outward, np.zeros(len(own.points), int))
    on_boundary = outward.any(axis=1)
    np.testing.assert_array_equal(beyond[0][on_boundary], -1)
    np.testing.assert_array_equal(beyond[1][on_boundary], -1)
    np.testing.assert_array_equal(beyond[1][~on_boundary] >= 0, True)


@pytest.mark.parametrize("push", [0.5, 0.52])
def test_warped_cells_are_cut_from_their_centre(push):
    """A corner pushed so far in that some tetrahedra from the lowest corner are flat, or inside out."""
    points, rows = meshes.lattice(1, distortion=0.0)
    points[1] += push * (points[6] - points[1])
    own = simplices_of(Mesh(points, Cells.of_type(12, rows)))
    assert own.centred.tolist() == [0]
    assert not own.folded.any()
    assert not own.flat.any()
    assert own.measures.sum() == pytest.approx(volume_within(own), rel=1e-13)


def test_hexahedra_collapsed_to_wedges_are_whole():
    points, rows = meshes.lattice(1, distortion=0.0)
    rows[0, [3, 7]] = rows[0, [0, 4]]
    own = simplices_of(Mesh(points, Cells.of_type(12, rows)))
    assert own.measures.sum() == pytest.approx(0.5, rel=1e-13)
    assert own.measures.sum() == pytest.approx(volume_within(own), rel=1e-13)


def test_a_concave_quadrilateral_is_cut_where_it_is_whole():
    points = np.array([[0.0, 0, 0], [2, 0, 0], [0.5, 0.5, 0], [0, 2, 0]])
    for turn in range(4):
        own = simplices_of(Mesh(np.roll(points, turn, axis=0), Cells.of_type(9, np.array([[0, 1, 2, 3]]))))
        np.testing.assert_allclose(own.measures, 0.5)
        assert not own.folded.any()


def test_flat_cells_stand_in_nobodys_way():
    """A row of tetrahedra about an edge with a flat one between them: positions beyond it are found."""
    points = np.array([[0.0, 0, -1], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 2, 0], [-1, 1, 0]])
    rows = np.array([[0, 1, 2, 3], [0, 1, 3, 4], [0, 1, 4, 5]])
    own = simplices_of(Mesh(points, Cells.of_type(10, rows)))
    assert own.flat.tolist() == [False, True, False]
    assert own.neighbours.tolist() == [[-1, -1, -2, -1], [-1, -1, -1, -1], [-1, -1, -1, -2]]
    x = points[rows].mean(axis=1)[[0, 2]]
    assert find(own, x, [2, 0])[1].tolist() == [0, 2]


def test_edges_of_the_boundary_are_known_to_all_simplices_around():
    own = simplices_of(meshes.SOLIDS["mixed"])
    first, second = np.triu_indices(4, 1)
    wanted = {tuple(e) for f in facets(own)[own.neighbours == -1] for e in (f[[0, 1]], f[[0, 2]], f[[1, 2]])}
    for corners, bits in zip(own.corners, own.on_boundary, strict=True):
        edges = [tuple(sorted(e)) for e in zip(corners[first], corners[second], strict=True)]
        assert [bool(bits >> i & 1) for i in range(6)] == [e in wanted for e in edges]


def test_meshes_without_room_for_particles_are_refused():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.2]])
    for cells, text in (
        (Cells.of_type(9, np.array([[0, 1, 2, 3]])), "curved in space"),
        (Cells.of_type(3, np.array([[0, 1]])), "lines"),
        (Cells.empty(), "without cells"),
    ):
        with pytest.raises(MeshError, match=text):
            simplices_of(Mesh(square, cells))
