"""Lattices: points and cells as VTK has them, periods, and unstructured meshes that are lattices."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Cells, Flow, Lattice, Mesh, MeshError, OptionError, read
from tests import meshes

TURN = Rotation.from_euler("xyz", [0.4, -0.9, 1.7]).as_matrix()
X, Y, Z = np.array([0, 0.3, 1.0, 1.2]), np.array([-1.0, 0, 2]), np.array([5.0, 5.5])
# Numberings of a hexahedron: a quarter turn about its third axis, half a turn about its first, a mirror image.
NUMBERINGS = ([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 0, 5, 6, 7, 4], [7, 6, 5, 4, 3, 2, 1, 0], [4, 5, 6, 7, 0, 1, 2, 3])


def bent(nx, ny, nz):
    """Points of a smoothly deformed block, indexed [i, j, k]."""
    axes = (np.linspace(0, 1, n) if n > 1 else np.zeros(1) for n in (nx, ny, nz))
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return grid + 0.05 * np.sin(3 * grid[..., [1, 2, 0]])


LATTICES = {
    "image": Lattice.uniform((4, 3, 5), (0.5, 1, 2), (1, 2, 3)),
    "turned image": Lattice.uniform((4, 3, 5), (0.5, 1, 2), (1, 2, 3), TURN),
    "rectilinear": Lattice.rectilinear(X, Y, Z),
    "falling": Lattice.rectilinear(X[::-1], Y, Z),
    "curvilinear": Lattice.curvilinear(bent(4, 3, 5)),
    "plane": Lattice.uniform((4, 3), 0.5),
    "plane x = 2": Lattice.rectilinear(2.0, Y, Z),
    "bent plane": Lattice.curvilinear(bent(4, 1, 3)),
    "line": Lattice.rectilinear(X),
}


def vtk_twin(name):
    data = pytest.importorskip("vtkmodules.vtkCommonDataModel", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints

    lattice = LATTICES[name]
    if "image" in name or name == "plane":
        twin = data.vtkImageData()
        twin.SetSpacing(*((0.5, 1, 2) if "image" in name else (0.5, 0.5, 0.5)))
        twin.SetOrigin(*lattice.origin)
        if "turned" in name:
            twin.SetDirectionMatrix(TURN.T.ravel())
    elif lattice.is_curved:
        twin, points = data.vtkStructuredGrid(), vtkPoints()
        points.SetData(numpy_to_vtk(lattice.points, deep=True))
        twin.SetPoints(points)
    else:
        twin = data.vtkRectilinearGrid()
        for axis, put in zip(
            lattice.axes, (twin.SetXCoordinates, twin.SetYCoordinates, twin.SetZCoordinates), strict=True
        ):
            put(numpy_to_vtk(axis.coordinates, deep=True))
    twin.SetDimensions(*lattice.shape)
    return twin


@pytest.mark.parametrize("name", ["image", "turned image", "rectilinear", "curvilinear", "plane", "bent plane", "line"])
def test_points_and_cells_are_vtks(name):
    lattice, twin = LATTICES[name], vtk_twin(name)
    assert (twin.GetNumberOfPoints(), twin.GetNumberOfCells()) == (lattice.point_count, len(lattice))
    theirs = [twin.GetPoint(i) for i in range(lattice.point_count)]
    np.testing.assert_allclose(lattice.points, theirs, atol=1e-14)
    for c in range(len(lattice)):
        own = lattice.cells.connectivity[lattice.cells.offsets[c] : lattice.cells.offsets[c + 1]]
        ids = twin.GetCell(c).GetPointIds()
        numbers = [ids.GetId(i) for i in range(ids.GetNumberOfIds())]
        # In a turned image VTK keeps voxels, which have the same corners in another order.
        assert set(own) == set(numbers) if name == "turned image" else own.tolist() == numbers


@pytest.mark.parametrize("name", LATTICES)
def test_a_lattice_is_a_mesh(name):
    lattice = LATTICES[name]
    same = Mesh(lattice.points, lattice.cells)
    assert len(same) == len(lattice)
    assert same.dimension == lattice.dimension
    np.testing.assert_array_equal(same.measures, lattice.measures)
    assert (lattice.measures > 0).all()
    np.testing.assert_allclose(lattice.of_centres.points, same.centroids, atol=1e-14)
    np.testing.assert_array_equal(lattice.flat(lattice.grid(lattice.points)), lattice.points)
    np.testing.assert_array_equal(lattice.flat(lattice.grid(lattice.centroids)), lattice.centroids)


def test_arrays_are_indexed_i_j_k():
    lattice = LATTICES["rectilinear"]
    x, y, z = np.meshgrid(X, Y, Z, indexing="ij")
    np.testing.assert_array_equal(lattice.flat(np.stack([x, y, z], -1)), lattice.points)
    assert lattice.grid(lattice.points)[3, 1, 0].tolist() == [1.2, 0, 5]


def test_points_and_cells_are_made_when_asked_for():
    lattice = Lattice.uniform((2000, 2000, 2000), 1e-3)
    flow_size = (lattice.point_count, len(lattice), lattice.dimension)
    assert flow_size == (8_000_000_000, 1999**3, 3)
    assert "points" not in vars(lattice)


def test_flows_on_lattices():
    lattice = LATTICES["plane"]
    u = np.arange(24.0).reshape(4, 3, 2)
    flow = Flow.on_lattice(lattice, u)
    assert flow.location == "points"
    assert flow.velocity[1].tolist() == [6, 7, 0]
    assert Flow.on_lattice(lattice, u[:-1, :-1]).location == "cells"
    masked = np.ma.masked_where(u == 6, u)
    assert np.isnan(Flow.on_lattice(lattice, masked).velocity[1, 0])
    with pytest.raises(MeshError, match=r"\(3, 4, 2\)"):
        Flow.on_lattice(lattice, u.transpose(1, 0, 2))
    with pytest.raises(OptionError, match="two components"):
        Flow.on_lattice(LATTICES["plane x = 2"], np.zeros((3, 2, 2)))


def test_periods_tell_whether_the_last_point_repeats_the_first():
    def image(period):
        return Lattice.uniform((9, 3), 0.25, periodic=(period, False)).axes[0]

    assert (image(True).period, image(True).repeats) == (9, False)
    assert (image(2.25).period, image(2.25).repeats) == (9, False)
    assert (image(2.0).period, image(2.0).repeats) == (8, True)
    assert not image(3.0).repeats
    angle = np.linspace(0, 2 * np.pi, 9)
    for stop, repeats in ((9, True), (8, False)):
        ring = np.stack([np.outer([1, 2], np.cos(angle[:stop])), np.outer([1, 2], np.sin(angle[:stop]))], -1)
        assert Lattice.curvilinear(ring, (False, True)).axes[1].repeats is repeats
    channel = bent(5, 3, 3)
    channel[-1] = channel[0] + [2, 0, 0]
    assert Lattice.curvilinear(channel, ([2, 0, 0], False, False)).axes[0].repeats
    assert not Lattice.curvilinear(channel, ([3, 0, 0], False, False)).axes[0].repeats


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Lattice.rectilinear([0, 1, 1], Y), "repeat after number 1"),
        (lambda: Lattice.rectilinear([0, 1, 0.5], Y), "turn back"),
        (lambda: Lattice.rectilinear([0, np.nan], Y), "finite"),
        (lambda: Lattice.uniform((1, 1, 1)), "single point"),
        (lambda: Lattice.uniform((4, 0)), "positive"),
        (lambda: Lattice.uniform((4, 4), -1.0), "positive"),
        (lambda: Lattice.uniform((4, 4), 0.5, periodic=(1.0, False)), "shorter than the axis"),
        (lambda: Lattice.rectilinear(X, Y, periodic=(True, False)), "give its length"),
        (lambda: Lattice.uniform((4, 1), periodic=(False, True)), "one point is not periodic"),
        (lambda: Lattice.uniform((4, 4), directions=[[1, 0, 0], [2, 0, 0], [0, 0, 1]]), "turn them apart"),
        (lambda: Lattice.curvilinear(np.zeros((4, 4))), "shape"),
        (lambda: Lattice.curvilinear(bent(4, 4, 4), (2.0, False, False)), "vector"),
    ],
)
def test_wrong_lattices_are_refused(make, message):
    with pytest.raises(MeshError, match=message):
        make()


def shuffled(lattice, seed=0):
    """The lattice as a file of hexahedra or quads might have it: points, cells and corners in any order."""
    rng = np.random.default_rng(seed)
    order, corners = rng.permutation(lattice.point_count), 2**lattice.dimension
    order_of = np.array([0, 1, 3, 2, 4, 5, 7, 6][:corners])
    rows = np.argsort(order)[lattice.corners()[:, order_of]]
    numberings = [n[:corners] for n in NUMBERINGS] if corners == 8 else [[0, 1, 2, 3], [1, 2, 3, 0], [3, 2, 1, 0]]
    picked = rng.integers(len(numberings), size=len(rows))
    rows = np.take_along_axis(rows, np.array(numberings)[picked], axis=1)[rng.permutation(len(rows))]
    return Mesh(lattice.points[order], Cells.of_type(12 if corners == 8 else 9, rows))


@pytest.mark.parametrize("name", ["image", "turned image", "rectilinear", "curvilinear", "plane", "bent plane"])
def test_any_numbering_of_a_lattice_is_recognised(name):
    lattice = LATTICES[name]
    mesh = shuffled(lattice)
    found = mesh.structure.lattice
    again = Lattice(*found.geometry)
    assert sorted(again.shape) == sorted(lattice.shape)
    assert again.is_curved is lattice.is_curved
    np.testing.assert_allclose(again.points, mesh.points[found.points], atol=1e-14)
    np.testing.assert_allclose(again.of_centres.points, mesh.centroids[found.cells], atol=1e-14)
    if "turned" not in name:
        assert again.shape == lattice.shape  # the axes run along x, y and z again
        np.testing.assert_allclose(again.points, lattice.points, atol=1e-14)


def test_one_cell_thick_and_thin_lattices_are_recognised():
    for shape in ((9, 6, 2), (2, 2, 7), (2, 2, 2), (30, 2, 2), (2, 3, 11)):
        lattice = Lattice.curvilinear(bent(*shape))
        assert Lattice(*shuffled(lattice).structure.lattice.geometry).shape == shape


def test_other_meshes_are_no_lattices():
    mesh = shuffled(LATTICES["curvilinear"])
    rows = mesh.cells.connectivity.reshape(-1, 8)

    def with_rows(rows, points=mesh.points):
        return Mesh(points, Cells.of_type(12, rows)).structure.lattice

    assert with_rows(rows) is not None
    assert with_rows(rows[1:]) is None  # a cell is missing
    assert with_rows(np.vstack([rows, rows[:1]])) is None  # one is there twice
    assert with_rows(np.vstack([rows[1:], rows[1:2]])) is None
    assert with_rows(rows, np.vstack([mesh.points, [[9, 9, 9]]])) is None  # a point is in no cell
    twisted = rows.copy()
    twisted[3] = twisted[3][[0, 2, 1, 3, 4, 5, 6, 7]]
    assert with_rows(twisted) is None
    stretched = rows.copy()
    stretched[0, :4], stretched[1, :4] = rows[1, :4], rows[0, :4]  # faces joined to the wrong cells
    assert with_rows(stretched) is None
    blocks = Mesh(
        np.vstack([mesh.points, mesh.points + 3]), Cells.of_type(12, np.vstack([rows, rows + len(mesh.points)]))
    )
    assert blocks.structure.lattice is None
    for name in ("tetra", "wedge", "pyramid", "polyhedron", "mixed", "tetra_with_boundary"):
        assert meshes.SOLIDS[name].structure.lattice is None


def test_rings_and_corners_are_no_lattices():
    ring = np.arange(24).reshape(8, 3)
    around = np.roll(ring, -1, axis=0)
    quads = np.stack([ring[:, :-1], around[:, :-1], around[:, 1:], ring[:, 1:]], -1).reshape(-1, 4)
    points = np.random.default_rng(0).normal(size=(24, 3))
    assert Mesh(points, Cells.of_type(9, quads)).structure.lattice is None
    corner = LATTICES["plane"].corners([0, 1, 3, 2])[:-1]
    used = np.unique(corner)
    assert (
        Mesh(LATTICES["plane"].points[used], Cells.of_type(9, np.searchsorted(used, corner))).structure.lattice is None
    )


def test_clouds_that_are_lattices():
    lattice = LATTICES["rectilinear"]
    order = np.random.default_rng(1).permutation(lattice.point_count)
    cloud = Mesh(lattice.points[order], Cells.empty())
    found = cloud.structure.lattice
    again = Lattice(*found.geometry)
    np.testing.assert_array_equal(again.points, cloud.points[found.points])
    np.testing.assert_array_equal(again.points, lattice.points)
    assert Mesh(lattice.points[order[1:]], Cells.empty()).structure.lattice is None
    assert Mesh(np.vstack([lattice.points[1:], lattice.points[-1:]]), Cells.empty()).structure.lattice is None
    assert Mesh(lattice.points + 1e-9 * np.sin(lattice.points[:, ::-1]), Cells.empty()).structure.lattice is None


def test_real_meshes(data):
    """Of the solver's tutorial cases two are single blocks, one cell thick; the others have more, or other cells."""
    shapes = {"cavity": (21, 21, 2), "planarPoiseuille_Maxwell": (2, 41, 2)}
    for case in (
        "cavity",
        "planarPoiseuille_Maxwell",
        "pitzDaily",
        "oc_Newtonian",
        "elbow",
        "pipeCyclic",
        "cavity3Dtet",
    ):
        found = read(data / f"{case}.vtu").mesh.structure.lattice
        assert (Lattice(*found.geometry).shape if found else None) == shapes.get(case)


def test_roughness_tells_smooth_lattices_from_others():
    x = np.cumsum(1.2 ** np.arange(20.0))
    grid = np.stack(np.meshgrid(x, [0.0, 1, 2], indexing="ij"), -1)
    assert Lattice.curvilinear(grid).roughness == pytest.approx(0.2**2 / 1.2, rel=1e-12)
    assert Lattice.curvilinear(bent(17, 17, 17)).roughness < 0.05
    jump = np.stack(np.meshgrid([0.0, 1, 2, 3, 5, 7, 9], [0.0, 1, 2], indexing="ij"), -1)
    assert Lattice.curvilinear(jump).roughness > 0.25
