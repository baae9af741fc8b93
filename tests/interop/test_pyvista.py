"""Round trips through PyVista keep points, cells, their order and all values, bit for bit."""

import dataclasses
import sys

import numpy as np
import pytest

import flowgrad
from flowgrad.errors import MeshError, MissingDependencyError, OptionError
from flowgrad.series import difference
from tests.interop.conftest import LATTICES, MESHES, assert_same_values, flow_on

pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")

EXACT_LATTICES = ("uniform", "periodic", "turned", "uneven", "falling", "uneven, periodic", "curvilinear", "closed")


@pytest.mark.parametrize("name", MESHES)
@pytest.mark.parametrize("location", ["points", "cells"])
def test_a_mesh_comes_back_as_it_went(name, location):
    mesh = MESHES[name]
    if location == "cells" and not len(mesh):
        pytest.skip("points have no cells")
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
    with pytest.raises(OptionError, match="the PyVista data set: no velocity under a usual name"):
        flowgrad.from_pyvista(pyvista.Sphere())
    with pytest.raises(OptionError, match="made from L alone"):
        flowgrad.to_pyvista(flowgrad.VelocityGradient(np.zeros((1, 3, 3))))
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[pyvista\]"):
        flowgrad.to_pyvista(flow_of_shear())
