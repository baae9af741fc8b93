"""Walls by their place or motion: planes, boxes, surfaces of files, velocities, and no-slip that holds weakly."""

import json
from itertools import pairwise

import meshio
import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, OptionError, Patch, at_walls, read, velocity_gradient
from flowgrad.cli import main
from flowgrad.errors import FlowgradError
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block
from scripts.round_meshes import pipe
from tests.walls.flows import power_law, side

MESH = block("tetra", 6)
PLANE = block("quad", 6)


def shear(mesh=MESH, slip=0.0):
    """u = y between walls at y = 0 and 1, of which the lower slips a little."""
    y = mesh.points[:, 1:2]
    return Flow(mesh, (y + slip * (y < 1e-9)) * [1.0, 0, 0], "points")


def chosen(flow, where, **options):
    return at_walls(flow, where, scheme="finite-difference(order=1)", **options)


@pytest.mark.parametrize(
    ("where", "axis", "level"),
    [
        ("plane=y:0", 1, 0),
        ("plane=x:1", 0, 1),
        ("plane=0,0,-2:-1", 2, 1),
        ("box=:,:0.01,:", 1, 0),
        ("box=0.99:2,:,:", 0, 1),
        ("velocity=1,0,0", 1, 1),
    ],
)
def test_planes_boxes_and_velocities(where, axis, level):
    walls = chosen(shear(), where)
    centers = MESH.topology.boundary_geometry[1]
    np.testing.assert_array_equal(walls.faces, np.flatnonzero(np.abs(centers[:, axis] - level) < 1e-9))
    assert walls.names == (where,)
    assert f"{len(walls)} boundary faces" in walls.notes[0]


def test_a_box_in_the_plane_and_several_regions():
    both = chosen(shear(PLANE), ["box=:,:0.01", "plane=y:1"])
    assert both.names == ("box=:,:0.01", "plane=y:1")
    np.testing.assert_array_equal(np.bincount(both.patches), [5, 5])
    # A face of two regions belongs to the first.
    again = chosen(shear(PLANE), ["plane=y:1", "box=:,:,:"])
    np.testing.assert_array_equal(np.bincount(again.patches), [5, 15])


def test_front_and_back_of_a_thin_mesh_are_in_no_region(data):
    flow = read(data / "channels/channel10.vtu")
    walls = at_walls(flow, "box=:,:0.05,:", wall_velocity=0)
    np.testing.assert_allclose(walls.normals[:, 2], 0, atol=1e-9)
    assert len(walls) == 4 + 2
    assert ", of which 8 in front of and behind" in walls.notes[0]


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("plane=y:0.5", r"none of the 300 boundary faces: its points lie between y:0 and y:1: give a plane"),
        ("plane=y", "no plane: write plane=y:0.5"),
        ("plane=0,0,0:1", "no plane"),
        ("box=5:6,:,:", r"the centroids span 0:1, 0:1, 0:1: give a box"),
        ("box=0:1", "no box"),
        ("box=0:1:2,:,:", "no box"),
        ("box=1:0,:,:", "no box"),
        ("velocity=9,0,0", "nearest velocity there is 8 off"),
        ("velocity=fast", "write velocity=U,V,W"),
        ("surface=nowhere.stl", "nowhere.stl: there is no such file"),
        ("surface=wall.doc", r"no format that is read: give .stl"),
    ],
)
def test_regions_without_faces_are_refused_with_numbers(where, match):
    with pytest.raises(FlowgradError, match=match):
        chosen(shear(), where)


def surface_of(mesh, faces, scale=1.0, shift=0.0):
    """The faces as triangles of their own, about their middles."""
    start, points = mesh.topology.face_points(np.flatnonzero(faces))
    rings = [mesh.points[points[a:b]] for a, b in pairwise(start)]
    fans = [[ring.mean(axis=0), a, b] for ring in rings for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True)]
    return scale * np.array(fans) + shift


def write_surface(path, triangles):
    rows = np.arange(3 * len(triangles)).reshape(-1, 3)
    meshio.write(path, meshio.Mesh(triangles.reshape(-1, 3), [("triangle", rows)]), binary=True)


@pytest.mark.parametrize("suffix", [".stl", ".ply"])
def test_faces_on_the_surface_of_a_file(tmp_path, suffix):
    """The wall of a pipe from a finer triangulation of the same circle: not its ends, whose faces touch it."""
    flow = Flow(
        mesh := pipe("hexahedron", 12, 3, length=0.5, touch="points"), power_law(1.0).velocity(mesh.points), "points"
    )
    fine = pipe("hexahedron", 40, 2, length=0.5, touch="points")
    write_surface(tmp_path / f"wall{suffix}", surface_of(fine, side(fine)))
    walls = chosen(flow, f"surface={tmp_path}/wall{suffix}")
    np.testing.assert_array_equal(walls.faces, np.flatnonzero(side(mesh)))


def test_a_surface_of_few_large_triangles(tmp_path):
    """A CAD box of twelve triangles around the mesh, of which the mesh meets all; and one side of it alone."""
    flow = shear()
    cube = block("hexahedron", 2, jitter=0.0)
    write_surface(tmp_path / "box.stl", surface_of(cube, np.ones(6, bool)))
    assert len(chosen(flow, f"surface={tmp_path}/box.stl")) == len(MESH.topology.boundary)
    bottom = cube.topology.boundary_geometry[1][:, 1] < 1e-9
    write_surface(tmp_path / "bottom.stl", surface_of(cube, bottom))
    walls = chosen(flow, f"surface={tmp_path}/bottom.stl")
    assert len(walls) == 50
    np.testing.assert_allclose(walls.centroids[:, 1], 0, atol=1e-9)


def test_a_surface_elsewhere_or_in_another_unit_is_told(tmp_path):
    cube = block("hexahedron", 2, jitter=0.0)
    write_surface(tmp_path / "mm.stl", surface_of(cube, np.ones(6, bool), scale=1000.0, shift=500.0))
    with pytest.raises(
        OptionError, match=r"none of the 300 .* nearest face is .* the surface 1e\+03: give it in the unit"
    ):
        chosen(shear(), f"surface={tmp_path}/mm.stl")


def test_the_boundary_of_a_planar_mesh_on_lines(tmp_path):
    line = Mesh(np.array([[-1.0, 0, 0], [2, 0, 0]]), Cells.of_type(3, np.array([[0, 1]])))
    write_vtu(tmp_path / "floor.vtu", line)
    assert len(chosen(shear(PLANE), f"surface={tmp_path}/floor.vtu")) == 5
    with pytest.raises(OptionError, match="has no triangles or polygons"):
        chosen(shear(), f"surface={tmp_path}/floor.vtu")


@pytest.mark.parametrize("mesh", [MESH, PLANE])
def test_no_slip_that_holds_weakly_counts(mesh):
    walls = at_walls(shear(mesh, slip=0.005))
    np.testing.assert_allclose(walls.centroids[:, 1], 0, atol=1e-9)
    assert len(walls) == (50 if mesh is MESH else 5)
    assert "below 2% of the flow's" in walls.notes[0]
    with pytest.raises(OptionError, match=r"slowest side moves at 0.16 of the flow's speed"):
        at_walls(shear(MESH, slip=0.1))


def test_a_patch_of_weak_no_slip_is_a_wall():
    centers = MESH.topology.boundary_geometry[1]
    floor = np.flatnonzero(centers[:, 1] < 1e-9)
    noise = 0.005 * np.random.default_rng(0).normal(size=(len(floor), 3))
    patches = (Patch("floor", floor, noise),)
    flow = Flow(MESH, MESH.centroids[:, 1:2] * [1.0, 0, 0], "cells", boundary=patches)
    assert at_walls(flow).names == ("floor",)


def test_a_moving_wall_of_a_patch_by_its_velocity():
    centers = MESH.topology.boundary_geometry[1]
    lid = np.flatnonzero(centers[:, 1] > 1 - 1e-9)
    patches = (Patch("all", np.arange(len(centers)), (centers[:, 1:2] > 1 - 1e-9) * [1.0, 0, 0]),)
    flow = Flow(MESH, MESH.centroids[:, 1:2] * [1.0, 0, 0], "cells", boundary=patches)
    np.testing.assert_array_equal(chosen(flow, "velocity=1,0,0").faces, lid)


def test_regions_on_the_command_line(tmp_path, capsys):
    flow = shear()
    write_vtu(tmp_path / "shear.vtu", MESH, {"U": flow.velocity})
    command = ["run", str(tmp_path / "shear.vtu"), "-o", str(tmp_path / "out"), "-q", "--no-report", "--walls"]
    assert main([*command, "plane=y:0; box=:,0.99:,:"]) == 0
    walls = json.loads((tmp_path / "out/shear.json").read_text())["walls"]
    assert {name: each["faces"] for name, each in walls["patches"].items()} == {"plane=y:0": 50, "box=:,0.99:,:": 50}
    capsys.readouterr()
    assert main([*command, "plane=y:7"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "none of the 300 boundary faces" in line


def test_a_patch_file_with_values_at_points(tmp_path):
    """The wall's velocity from the points of its file: u = y on the side x = 0, at the faces' middles."""
    on = MESH.topology.boundary_geometry[1][:, 0] < 1e-9
    start, points = MESH.topology.face_points(np.flatnonzero(on))
    used, rows = np.unique(points, return_inverse=True)
    x = MESH.points[used]
    text = lambda a: " ".join(f"{each:.17g}" for each in np.ravel(a))  # noqa: E731
    array = "<DataArray type='{}' Name='{}' NumberOfComponents='{}' format='ascii'>{}</DataArray>"
    (tmp_path / "side.vtp").write_text(
        f"<VTKFile type='PolyData' version='0.1'><PolyData><Piece NumberOfPoints='{len(x)}' NumberOfPolys='{on.sum()}'>"
        f"<PointData>{array.format('Float64', 'U', 3, text(x[:, 1:2] * [1.0, 0, 0]))}</PointData>"
        f"<Points>{array.format('Float64', 'Points', 3, text(x))}</Points><Polys>"
        f"{array.format('Int64', 'connectivity', 1, text(rows))}{array.format('Int64', 'offsets', 1, text(start[1:]))}"
        "</Polys></Piece></PolyData></VTKFile>"
    )
    write_vtu(tmp_path / "case.vtu", MESH, {}, {"U": MESH.centroids[:, 1:2] * [1.0, 0, 0]})
    flow = read(tmp_path / "case.vtu", boundary="side.vtp")
    (patch,) = flow.boundary
    np.testing.assert_array_equal(np.sort(patch.faces), np.flatnonzero(on))
    np.testing.assert_allclose(patch.velocity[:, 0], MESH.topology.boundary_geometry[1][patch.faces, 1], rtol=1e-12)


def test_how_much_rests_on_a_guess_is_told():
    flow = Flow(MESH, MESH.centroids[:, 1:2] * [1.0, 0, 0], "cells")
    note = next(each for each in velocity_gradient(flow).notes if "touch the boundary" in each)
    own = np.unique(MESH.topology.boundary_cells)
    share = MESH.measures[own].sum() / MESH.measures.sum()
    assert note.startswith(f"{len(own)} of {len(MESH)} cells")
    assert f"{share:.2g} of" in note
    known = Patch(
        "all", np.arange(len(MESH.topology.boundary)), MESH.topology.boundary_geometry[1][:, 1:2] * [1.0, 0, 0]
    )
    whole = Flow(MESH, flow.velocity, "cells", boundary=(known,))
    assert not any("touch the boundary" in each for each in velocity_gradient(whole).notes)
