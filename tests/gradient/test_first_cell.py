"""The difference to the first cell: exact for linear fields, rigid rotations among them; the solver's own stress."""

import dataclasses

import numpy as np
import pytest

from flowgrad import Flow, OptionError, Patch, at_walls, read, velocity_gradient
from flowgrad.gradient import FirstCell
from flowgrad.mesh.generate import block
from scripts.round_meshes import pipe, sphere_shell
from tests import meshes
from tests.axial import as_polyhedra, meridian, wedge

A = np.array([[0.3, -1.2, 0.7], [2.0, 0.4, -0.5], [-0.9, 1.1, -0.7]])
SPIN = np.array([0.7, -1.3, 2.1])


def rotation(x):
    return np.cross(SPIN, x)


def flow_of(mesh, velocity, producer=""):
    """A flow at cells whose velocity is known on the whole boundary, as one patch."""
    faces = np.arange(len(mesh.topology.boundary))
    patch = Patch("all", faces, velocity(mesh.topology.boundary_geometry[1]))
    return Flow(mesh, velocity(mesh.centroids), "cells", boundary=(patch,), producer=producer)


BODIES = {
    "hexahedron": lambda: block("hexahedron", 5),
    "tetra": lambda: block("tetra", 5),
    "polyhedron": lambda: as_polyhedra(block("hexahedron", 5)),
    "dual": lambda: meshes.dual(block("tetra", 5)),
    "sphere": lambda: sphere_shell("wedge", 6, 3),
    "pipe": lambda: pipe("hexahedron", 8, 3),
}


@pytest.mark.parametrize("kind", BODIES)
def test_linear_fields_are_exact_on_flat_and_curved_walls(kind):
    flow = flow_of(BODIES[kind](), lambda x: x @ A.T + [1.0, 2, 3])
    walls = at_walls(flow, "all", scheme="first-cell")
    np.testing.assert_allclose(walls.gradient.L, np.broadcast_to(A, walls.gradient.L.shape), atol=2e-9)


@pytest.mark.parametrize("kind", ["triangle", "quad"])
def test_linear_fields_are_exact_in_the_plane(kind):
    flow = flow_of(block(kind, 6), lambda x: x[:, :2] @ A[:2, :2].T @ np.eye(2, 3) + [1.0, 2, 0])
    L = at_walls(flow, "all", scheme="first-cell").gradient.L
    np.testing.assert_allclose(L[:, :2, :2], np.broadcast_to(A[:2, :2], (len(L), 2, 2)), atol=1e-9)


def test_a_fluid_that_turns_with_its_walls_is_not_deformed():
    walls = at_walls(flow_of(BODIES["sphere"](), rotation), "all", scheme="first-cell")
    np.testing.assert_allclose(walls.gradient.D, 0, atol=1e-9)
    np.testing.assert_allclose(walls.gradient.W[:, 1, 0], SPIN[2], rtol=1e-9)


@pytest.mark.parametrize("body", ["wedge", "x", "y"])
def test_nor_is_one_that_turns_about_its_axis(body):
    mesh = wedge(6, 8) if body == "wedge" else meridian(6, 8, axis=body)
    x, centers = mesh.centroids, mesh.topology.boundary_geometry[1]
    spin = np.eye(3)[1 if body == "y" else 0] * 1.7
    outer = centers[:, 0 if body == "y" else 1] > 0.98
    faces = np.flatnonzero(outer)
    flow = Flow(mesh, np.cross(spin, x), "cells", axisymmetric=None if body == "wedge" else body)
    flow = dataclasses.replace(flow, boundary=(Patch("pipe", faces, np.cross(spin, centers[faces])),))
    walls = at_walls(flow, "pipe", scheme="first-cell")
    np.testing.assert_allclose(walls.gradient.D, 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(walls.gradient["vorticity"], axis=1), 2 * 1.7, rtol=1e-9)


def test_beside_a_wall_at_rest_it_is_the_solvers_difference():
    mesh = block("tetra", 5)
    velocity = np.random.default_rng(0).normal(size=(len(mesh), 3))
    walls = at_walls(Flow(mesh, velocity, "cells"), lambda x: x[:, 1] < 1e-9, scheme="first-cell", wall_velocity=0)
    own = mesh.topology.boundary_cells[walls.faces]
    d = ((walls.centroids - mesh.centroids[own]) * walls.normals).sum(axis=1)
    np.testing.assert_allclose(
        walls.gradient.L, -velocity[own][:, :, None] / d[:, None, None] * walls.normals[:, None], rtol=1e-12
    )


def test_the_wall_before_an_edge_does_not_see_that_behind_it():
    """A lid that slides over walls at rest, all in one patch."""
    mesh = block("hexahedron", 5, jitter=0.0)
    x = mesh.topology.boundary_geometry[1]
    lid = x[:, 1] > x[:, 1].max() - 1e-9
    patch = Patch("all", np.arange(len(x)), lid[:, None] * [1.0, 0, 0])
    walls = at_walls(Flow(mesh, np.zeros((len(mesh), 3)), "cells", boundary=(patch,)), "all", scheme="first-cell")
    np.testing.assert_allclose(walls.wall_shear_rate[~lid], 0, atol=1e-12)
    np.testing.assert_allclose(walls.wall_shear_rate[lid], walls.wall_shear_rate[lid][0], rtol=1e-12)


CHANNELS = ["channel10", "channel20", "channel40", "channel20_powerLaw"]


@pytest.mark.parametrize("name", CHANNELS)
def test_the_stress_of_a_solved_channel_is_half_the_pressure_drop(data, name):
    """Solved by simpleFoam (scripts/openfoam_channels.py): K H/2 on either wall, K = H = 1, on 10 to 40 cells."""
    flow = read(data / f"channels/{name}.vtu", boundary=str(data / f"channels/{name}_walls.vtp"))
    viscosity = "power-law(K=0.1, n=0.5)" if "power" in name else 0.1
    walls = at_walls(flow, viscosity=viscosity, pressure="p")
    assert walls.gradient.scheme == "first-cell"
    assert "OpenFOAM" in walls.gradient.reason
    np.testing.assert_allclose(np.linalg.norm(walls.wall_shear_stress, axis=1), 0.5, rtol=1e-5)
    # Δp times the height and the depth of the mesh.
    assert walls.force()[0] == pytest.approx(1.0 * 1.0 * 0.1, rel=1e-5)


def test_viscosity_and_pressure_are_those_on_the_patches_where_these_have_them(data):
    flow = read(data / "channels/channel20_powerLaw.vtu", boundary=str(data / "channels/channel20_powerLaw_walls.vtp"))
    walls = at_walls(flow, viscosity="nu", pressure="p")
    np.testing.assert_allclose(walls.viscosity, flow.boundary[0].data["nu"], rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(walls.wall_shear_stress, axis=1), 0.5, rtol=1e-5)


def test_the_force_on_a_cylinder_is_that_of_openfoams_forces(data):
    """Of the function object ``forces`` in nonNewtonianIcoFoam -postProcess (1912), rhoInf 1: pressure
    (942.4023566, 45.91934562), viscous (483.86, 3.45). Its viscous part has the cell's gradient along the wall in it,
    which is not zero; ours is the flux of its momentum equation."""
    flow = read(data / "offsetCylinder.vtu", boundary=str(data / "boundary/offsetCylinder/*.vtp"))
    walls = at_walls(flow, "cylinder", viscosity="nu_ofU", pressure="p")
    np.testing.assert_allclose(walls.pressure_force()[:2], [942.4023566, 45.91934562], rtol=1e-6)
    np.testing.assert_allclose(walls.viscous_force()[0], 483.86, rtol=0.02)


def test_what_it_is_not_for_is_refused_with_advice():
    mesh = block("hexahedron", 4)
    flow = flow_of(mesh, rotation)
    with pytest.raises(OptionError, match=r"--wall-scheme.*green-gauss"):
        velocity_gradient(flow, "first-cell")
    with pytest.raises(OptionError, match=r"not known on 9 of 9 faces: .*--boundary.*wall_velocity=0"):
        at_walls(Flow(mesh, mesh.centroids, "cells"), lambda x: x[:, 1] < 1e-9, scheme=FirstCell())
    with pytest.raises(OptionError, match="at points: use autodiff"):
        at_walls(Flow(mesh, mesh.points, "points"), lambda x: x[:, 1] < 1e-9, scheme="first-cell")
    assert FirstCell().variants(flow, False) == {}


def test_samples_of_no_known_producer_are_fitted():
    flow = flow_of(block("hexahedron", 5), rotation)
    assert at_walls(flow, "all").gradient.scheme == "finite-difference(order=2)"
    assert at_walls(dataclasses.replace(flow, producer="Fluent"), "all").gradient.scheme == "first-cell"
