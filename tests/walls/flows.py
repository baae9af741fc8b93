"""Flows along walls, for the tests."""

import numpy as np

from flowgrad import Flow, Mesh
from flowgrad.exact import PipePoiseuille
from scripts.round_meshes import pipe
from scripts.stokes_drag import on_sphere, stokes_flow
from tests.axial import as_polyhedra

UPRIGHT = np.eye(3)


def places(mesh, location):
    return mesh.points if location == "points" else mesh.centroids


def pipe_flow(kind, location, exact, n=16, layers=6):
    """A flow in a pipe of radius 1, whose wall meets the circle where the velocity is known."""
    touch = "points" if location == "points" else "faces"
    mesh = pipe("hexahedron" if kind == "polyhedron" else kind, n, layers, length=0.5, touch=touch)
    mesh = as_polyhedra(mesh) if kind == "polyhedron" else mesh
    return Flow(mesh, exact.velocity(places(mesh, location)), location)


def side(mesh):
    """The boundary faces of a pipe along z that are not its ends."""
    area = mesh.topology.boundary_geometry[0]
    return np.abs(area[:, 2]) < 1e-9 * np.linalg.norm(area, axis=1)


def power_law(n):
    return PipePoiseuille(n=n, K=0.7, pressure_gradient=1.3)


def stokes(kind, location, n=16, layers=8, turn=UPRIGHT, scale=1.0):
    """Creeping flow around a sphere of radius 1, viscosity 1, with its pressure, turned and scaled."""
    flow = stokes_flow(kind, location, n, layers)
    data = {"p": flow.data(location)["p"] / scale}
    known = {"point_data" if location == "points" else "cell_data": data}
    return Flow(Mesh(scale * flow.mesh.points @ turn.T, flow.mesh.cells), flow.velocity @ turn.T, location, **known)


def at_sphere(scale=1.0):
    """Whether faces are those of the sphere."""
    return lambda centers: on_sphere(centers / scale)
