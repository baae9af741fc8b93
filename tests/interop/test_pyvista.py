"""Round trips through PyVista keep points, cells, their order and all values, bit for bit."""

import dataclasses
import sys

import numpy as np
import pytest

import flowgrad
from flowgrad import MeshError, OptionError
from flowgrad.errors import MissingDependencyError
from flowgrad.series import difference
from tests.interop.conftest import (
    LATTICES,
    MESHES,
    assert_same_flow,
    assert_same_patches,
    assert_same_values,
    crowded_flow,
    flow_on,
    patched_flow,
)

pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")

EXACT_LATTICES = ("uniform", "periodic", "turned", "uneven", "falling", "uneven, periodic", "curvilinear", "closed")


@pytest.mark.parametrize(
    ("name", "location"),
    [
        (name, location)
        for name in MESHES
        for location in ("points", "cells")
        if len(MESHES[name]) or location == "points"
    ],
)
def test_a_mesh_comes_back_as_it_went(name, location):
    mesh = MESHES[name]
    flow = flow_on(mesh, location)
    back = flowgrad.from_pyvista(flowgrad.to_pyvista(flow))
    assert difference(mesh, back.mesh) == ""
    np.testing.assert_array_equal(mesh.cells.degrees, back.mesh.cells.degrees)
    assert_same_values(flow, back)
    np.testing.assert_array_equal(back.field_data["k"], [1.0, 2.5])


@pytest.mark.parametrize("name", LATTICES)
def test_a_lattice_comes_back_as_one(name):
    lattice = LATTICES[name]
    flow = flow_on(lattice)
    back = flowgrad.from_pyvista(flowgrad.to_pyvista(flow))
    np.testing.assert_array_equal(lattice.points, back.mesh.points)
    assert back.mesh.shape == lattice.shape
    assert [axis.period is None for axis in back.mesh.axes] == [axis.period is None for axis in lattice.axes]
    assert_same_values(flow, back)
    if name in EXACT_LATTICES:
        assert difference(lattice, back.mesh) == ""


@pytest.mark.parametrize(
    ("name", "kind"), [("uniform", "ImageData"), ("uneven", "RectilinearGrid"), ("curvilinear", "StructuredGrid")]
)
def test_lattices_are_the_simplest_grids(name, kind):
    assert type(flowgrad.to_pyvista(flow_on(LATTICES[name]))).__name__ == kind


@pytest.mark.parametrize("location", ["points", "cells"])
def test_names_types_and_what_a_flow_is_told_come_back(location):
    for mesh in (MESHES["tetra"], LATTICES["uneven"]):
        flow = crowded_flow(mesh, location)
        back = flowgrad.from_pyvista(flowgrad.to_pyvista(flow))
        assert back.velocity_name == "mine"
        assert_same_flow(flow, back)
        again = flowgrad.from_pyvista(flowgrad.to_pyvista(back))
        assert list(again.data(location)) == list(back.data(location))
    told = dataclasses.replace(flow_on(MESHES["quad"]), out_of_plane="unknown", noise=0.1)
    assert_same_flow(told, flowgrad.from_pyvista(flowgrad.to_pyvista(told)))


def test_what_the_user_says_goes_first():
    grid = flowgrad.to_pyvista(crowded_flow(MESHES["tetra"]))
    other = flowgrad.from_pyvista(grid, velocity="U")
    np.testing.assert_array_equal(other.velocity, grid.point_data["U"])
    assert other.noise is None
    at_cells = grid.point_data_to_cell_data()
    with pytest.raises(OptionError, match=r"no velocity under a usual name on points"):
        flowgrad.from_pyvista(at_cells, location="points")


@pytest.mark.parametrize(
    "mesh",
    [MESHES[name] for name in ("tetra", "mixed", "polyhedron", "quadratic_tetra", "lagrange_hexahedron", "quad")]
    + [MESHES["quadratic_quad"], LATTICES["uniform"], LATTICES["closed"], LATTICES["line"]],
)
def test_patches_come_back_as_blocks(mesh):
    flow = patched_flow(mesh)
    blocks = flowgrad.to_pyvista(flow)
    assert blocks.keys() == ["internal", "wall", "inlet", "none"]
    back = flowgrad.from_pyvista(blocks)
    assert_same_values(flow, back)
    assert_same_patches(flow, back)


@pytest.mark.parametrize("names", [("internal", "internal_", "ä"), ("wall", "wall", "")])
def test_patches_have_any_names(names):
    flow = patched_flow(MESHES["tetra"], names)
    assert_same_patches(flow, flowgrad.from_pyvista(flowgrad.to_pyvista(flow)))


def test_both_sides_of_a_slit_keep_their_patch():
    """Two edges at one place, which no place tells apart."""
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0, 1], [1, 1], [0, 2], [1, 2]], float)
    flow = flowgrad.Flow.from_arrays(points, {"quad": [[0, 1, 3, 2], [4, 5, 7, 6]]}, np.ones((2, 2)), "cells")
    faces = np.arange(len(flow.mesh.topology.boundary))
    patches = [flowgrad.flow.Patch(f"{face}", faces[[face]], np.eye(3)[[face % 3]]) for face in faces]
    flow = dataclasses.replace(flow, boundary=tuple(patches))
    assert_same_patches(flow, flowgrad.from_pyvista(flowgrad.to_pyvista(flow)))


def test_the_gradient_at_walls_survives(data, tmp_path):
    flow = flowgrad.read(data / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")
    blocks = flowgrad.to_pyvista(flow)
    blocks.save(tmp_path / "a.vtm")
    rate = flowgrad.velocity_gradient(flow)["shear_rate"]
    for back in (flowgrad.from_pyvista(blocks), flowgrad.read(tmp_path / "a.vtm")):
        assert len(back.boundary) == 5
        np.testing.assert_array_equal(flowgrad.velocity_gradient(back)["shear_rate"], rate)
    scaled = flowgrad.from_pyvista(blocks, length_scale=0.5)
    np.testing.assert_allclose(flowgrad.velocity_gradient(scaled)["shear_rate"], 2 * rate, rtol=1e-12)


def test_patches_of_changed_blocks_are_found_by_their_places(caplog):
    flow = patched_flow(MESHES["tetra"])
    blocks = flowgrad.to_pyvista(flow)
    blocks["wall"].cell_data["flowgrad_faces"] = blocks["wall"].cell_data["flowgrad_faces"][::-1].copy()
    assert_same_patches(
        flow, dataclasses.replace(flow, boundary=in_order(flowgrad.from_pyvista(blocks).boundary, flow))
    )
    blocks["wall"].points += 0.1
    assert "wall" not in {patch.name for patch in flowgrad.from_pyvista(blocks).boundary}
    assert "faces of the patch 'wall' are not boundary faces" in caplog.text
    with pytest.raises(OptionError, match="y_down= is for images"):
        flowgrad.from_pyvista(flowgrad.to_pyvista(flow), y_down=True)


def in_order(patches, flow):
    return tuple(next(patch for patch in patches if patch.name == each.name) for each in flow.boundary)


def test_the_time_is_not_rounded():
    flow = dataclasses.replace(flow_on(MESHES["tetra"]), time=0.1234567890123)
    assert flowgrad.from_pyvista(flowgrad.to_pyvista(flow)).time == flow.time


def test_an_image_that_starts_elsewhere_than_at_zero():
    grid = pyvista.ImageData(dimensions=(4, 5, 6), spacing=(0.5, 1, 2), origin=(1, 2, 3)).extract_subset(
        (1, 3, 2, 4, 0, 5)
    )
    grid["velocity"] = np.random.default_rng(0).normal(size=(grid.n_points, 3))
    flow = flowgrad.from_pyvista(grid)
    np.testing.assert_array_equal(flow.mesh.points, grid.points)


def test_a_result_is_what_is_written(tmp_path):
    gradient = flowgrad.velocity_gradient(flow_of_shear())
    grid = flowgrad.to_pyvista(gradient, ["L", "vorticity"])
    flowgrad.write(tmp_path / "a.vtu", gradient, ["L", "vorticity"])
    written = pyvista.read(tmp_path / "a.vtu")
    for name in written.point_data:
        np.testing.assert_array_equal(grid.point_data[name], written.point_data[name])
    assert grid.point_data["L"].shape == (len(gradient), 9)
    np.testing.assert_allclose(grid.point_data["vorticity"], np.tile([0, 0, -2.0], (len(gradient), 1)), atol=1e-12)


def flow_of_shear():
    mesh = MESHES["tetra"]
    return flowgrad.Flow(mesh, mesh.points[:, [1]] * [2.0, 0, 0], "points")


def test_the_values_are_copies():
    flow = flow_on(MESHES["tetra"])
    grid = flowgrad.to_pyvista(flow)
    grid.points[:] = 0
    grid.point_data["p"][:] = 0
    assert np.abs(flow.mesh.points).max() > 1
    assert np.abs(flow.point_data["p"]).max() > 0


def test_gradients_are_those_of_pyvista():
    flow = flow_of_shear()
    flow = dataclasses.replace(flow, velocity=np.cross([0.3, -0.2, 0.9], flow.mesh.points) + flow.mesh.points)
    theirs = flowgrad.to_pyvista(flow).compute_derivative("velocity", gradient=True)["gradient"]
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L.reshape(-1, 9), theirs, atol=1e-12)


def test_surfaces_points_and_blocks():
    sphere = pyvista.Sphere(theta_resolution=8, phi_resolution=8)
    sphere["velocity"] = sphere.points.astype(float)
    assert flowgrad.from_pyvista(sphere).mesh.type_counts() == {"triangle": sphere.n_cells}
    cloud = pyvista.PointSet(np.random.default_rng(0).normal(size=(7, 3)))
    cloud["velocity"] = cloud.points
    assert len(flowgrad.from_pyvista(cloud).mesh) == 0
    volume = pyvista.ImageData(dimensions=(3, 3, 3)).cast_to_unstructured_grid()
    volume["velocity"] = volume.points * 2.0
    wall = (
        volume.extract_surface(algorithm="dataset_surface")
        .extract_cells(range(4))
        .extract_surface(algorithm="dataset_surface")
    )
    wall.clear_data()
    wall.cell_data["velocity"] = np.ones((4, 3))
    flow = flowgrad.from_pyvista(pyvista.MultiBlock({"internal": volume, "wall": wall}))
    assert [(patch.name, len(patch.faces)) for patch in flow.boundary] == [("wall", 4)]


def test_what_is_refused_says_why(monkeypatch):
    strip = pyvista.UnstructuredGrid(np.array([4, 0, 1, 2, 3]), [6], np.eye(4)[:, :3])
    strip["velocity"] = np.zeros((4, 3))
    with pytest.raises((MeshError, OptionError), match="triangle_strip"):
        flowgrad.from_pyvista(strip)
    with pytest.raises(OptionError, match=r'the PyVista data set: no velocity under a usual name.* velocity="'):
        flowgrad.from_pyvista(pyvista.Sphere())
    for name, values, words in (
        ("c", np.ones(27, complex), "'c' is complex"),
        ("s", np.full(27, "a"), "'s' is <U1, not numeric"),
        ("", np.ones(27), "a name and components"),
        ("e", np.ones((27, 0)), "a name and components"),
    ):
        flow = flowgrad.Flow(LATTICES["uniform"], np.zeros((60, 3)), "points", field_data={name: values})
        with pytest.raises(OptionError, match=words):
            flowgrad.to_pyvista(flow)
    modes = pyvista.Sphere()
    modes["U"] = modes.points[:, 0] * 1j
    with pytest.raises(OptionError, match="'U' is complex: give its real"):
        flowgrad.from_pyvista(modes)
    for wrong in (None, 3):
        with pytest.raises(OptionError, match="neither a flow on a mesh nor a result"):
            flowgrad.to_pyvista(wrong)
    with pytest.raises(OptionError, match="made from L alone"):
        flowgrad.to_pyvista(flowgrad.VelocityGradient(np.zeros((1, 3, 3))))
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[pyvista\]"):
        flowgrad.to_pyvista(flow_of_shear())
