"""Green–Gauss gradients: exact for linear fields in every cell, their order, invariance, and OpenFOAM's own."""

import numpy as np
import pytest

from flowgrad import Flow, FlowgradError, Mesh, OptionError, Patch, PreparedGradient, read, velocity_gradient
from flowgrad.gradient import SCHEMES, GreenGauss
from tests import meshes
from tests.axial import meridian, wedge

L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])
SOLIDS = [*meshes.SOLIDS]


def flow_on(mesh, velocity, walls=(), **options):
    """A flow at cells, with the exact velocity on the boundary faces ``walls``: all of them for ``slice(None)``."""
    faces = np.arange(len(mesh.topology.boundary))[walls] if isinstance(walls, slice) else np.asarray(walls, int)
    patch = Patch("walls", faces, velocity(mesh.topology.boundary_geometry[1][faces])) if len(faces) else None
    return Flow(mesh, velocity(mesh.centroids), "cells", boundary=(patch,) if patch else (), **options)


def linear(x):
    return x @ L.T + [1.0, -2.0, 3.0]


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("walls", [slice(0), slice(None), slice(None, None, 3)], ids=["open", "walls", "some walls"])
@pytest.mark.parametrize("name", SOLIDS)
def test_linear_fields_in_solids(name, walls, scale):
    mesh = Mesh(scale * (meshes.SOLIDS[name].points + 3), meshes.SOLIDS[name].cells)
    for at in ("cells", "points", mesh.centroids[mesh.is_full][::5]):
        gradient = velocity_gradient(flow_on(mesh, linear, walls), "green-gauss", at)
        assert gradient.valid.all()
        np.testing.assert_allclose(gradient.L, np.broadcast_to(L, gradient.L.shape), atol=1e-10)


@pytest.mark.parametrize("name", ["triangle", "quad", "polygon", "pixel"])
def test_linear_fields_in_a_plane(name):
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    mesh = meshes.planar(name, plane=turn)
    gradient = velocity_gradient(flow_on(mesh, linear), "green-gauss")
    tangential = L @ (np.eye(3) - np.outer(turn[2], turn[2]))
    np.testing.assert_allclose(gradient.L, np.broadcast_to(tangential, gradient.L.shape), atol=1e-10)


def test_cells_in_corners_take_what_their_neighbours_tell():
    """Tetrahedra with two open faces have two faces left for three directions."""
    mesh = meshes.SOLIDS["tetra"]
    open_faces = np.bincount(mesh.topology.boundary_cells, minlength=len(mesh))
    assert (open_faces > 1).any()
    assert velocity_gradient(flow_on(mesh, linear), "green-gauss").valid.all()


def test_missing_values_are_open_faces():
    mesh = meshes.SOLIDS["hexahedron"]
    flow = flow_on(mesh, linear, slice(None))
    flow.velocity[13] = np.nan
    gradient = velocity_gradient(flow, "green-gauss")
    assert np.flatnonzero(~gradient.valid).tolist() == [13]
    np.testing.assert_allclose(gradient.L[gradient.valid], np.broadcast_to(L, (26, 3, 3)), atol=1e-10)


@pytest.mark.parametrize(("jitter", "due"), [(0.0, 2.0), (0.25, 1.0)])
def test_order_of_convergence(jitter, due):
    """Second on orthogonal meshes, first at least on skewed ones, at the walls too."""
    errors = []
    for n in (6, 12):
        points, rows = meshes.lattice(n, distortion=jitter)
        inner = ((points > 0.5) & (points < n - 0.5)).all(axis=1)
        points[~inner] = points[~inner].round()
        mesh = meshes.build(points / n, [("hexahedron", row) for row in rows])

        def waves(x):
            return np.column_stack([np.sin(2 * x[:, 1]), np.cos(x[:, 0] + x[:, 2]), np.sin(x[:, 0] * x[:, 1])])

        def exact(x):
            u, v, w = x.T
            found = np.zeros((len(x), 3, 3))
            found[:, 0, 1] = 2 * np.cos(2 * v)
            found[:, 1, 0] = found[:, 1, 2] = -np.sin(u + w)
            found[:, 2, 0], found[:, 2, 1] = v * np.cos(u * v), u * np.cos(u * v)
            return found

        gradient = velocity_gradient(flow_on(mesh, waves, slice(None)), "green-gauss")
        inside = np.setdiff1d(np.arange(len(mesh)), mesh.topology.boundary_cells)
        off = np.sqrt(((gradient.L - exact(mesh.centroids)) ** 2).sum(axis=(1, 2)))
        errors.append((np.sqrt((off[inside] ** 2).mean()), np.sqrt((off**2).mean())))
    inside, overall = np.log2(np.array(errors[0]) / errors[1])
    assert inside > due - 0.2
    assert overall > 0.8


def test_turned_moved_and_scaled():
    rng = np.random.default_rng(1)
    mesh, (turn, _) = meshes.SOLIDS["polyhedron"], np.linalg.qr(rng.normal(size=(3, 3)))
    turn[0] *= np.linalg.det(turn)
    velocity = rng.normal(size=(len(mesh), 3))
    found = velocity_gradient(Flow(mesh, velocity, "cells"), "green-gauss").L
    for scale in (1e-6, 1.0, 1e6):
        moved = Mesh(scale * (mesh.points @ turn.T) + [3 * scale, 0, scale], mesh.cells)
        other = velocity_gradient(Flow(moved, velocity @ turn.T + 5, "cells"), "green-gauss").L
        np.testing.assert_allclose(scale * other, turn @ found @ turn.T, atol=1e-9)


@pytest.mark.parametrize("at", ["cells", "points"])
@pytest.mark.parametrize("name", ["tetra", "mixed", "polyhedron"])
def test_the_matrices_are_the_operator(name, at):
    mesh = meshes.SOLIDS[name]
    flow = flow_on(mesh, lambda x: np.random.default_rng(2).normal(size=x.shape), slice(None, None, 2), noise=0.1)
    operator = GreenGauss().prepare(flow, at)
    found = operator.gradients(flow).L
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ operator.samples(flow), found[:, :, axis], atol=1e-11)
    gradient = velocity_gradient(flow, "green-gauss", at)
    assert gradient.covariance.shape == (len(gradient), 3, 3)
    squares = sum((matrix.toarray()[:, : len(mesh)] ** 2).sum(axis=1) for matrix in operator.matrices)
    np.testing.assert_allclose(np.trace(gradient.covariance, axis1=1, axis2=2), 0.01 * squares, rtol=1e-9)


@pytest.mark.parametrize("case", ["cavity", "elbow"])
def test_openfoams_own(data, case):
    """Gauss linear, which interpolates to where the line between the centroids meets the face: equal where that is the
    face's centroid; elsewhere it differs by what the correction is for."""
    flow = read(data / f"{case}.vtu", boundary=str(data / "boundary" / case / "*.vtp"))
    theirs = flow.cell_data["grad(U)"].reshape(-1, 3, 3).transpose(0, 2, 1)
    found = velocity_gradient(flow, "green-gauss").L
    size = np.sqrt((theirs**2).sum(axis=(1, 2)).mean())
    off = np.sqrt(((found - theirs) ** 2).sum(axis=(1, 2))) / size
    if case == "cavity":
        assert off.max() < 1e-5
    else:
        assert np.median(off) < 0.15


def test_axes_and_wedges():
    """v = (1 − 4 r², r/2, 3 r) in axial, radial and azimuthal components, linear but for the axial one."""
    mesh = meridian(8, 8)
    r = mesh.centroids[:, 1]
    flow = Flow(mesh, np.column_stack([0.3 * mesh.centroids[:, 0], 0.5 * r, 3 * r]), "cells", axisymmetric="x")
    expected = np.array([[0.3, 0, 0], [0, 0.5, -3], [0, 3, 0.5]])
    found = velocity_gradient(flow, "green-gauss").L
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-10)
    mesh = wedge()
    flow = Flow(mesh, mesh.centroids @ expected.T, "cells")
    found = velocity_gradient(flow, "green-gauss").L
    np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), atol=1e-10)


def test_a_series_is_prepared_once(monkeypatch):
    mesh, calls = meshes.SOLIDS["hexahedron"], []
    prepare = GreenGauss.prepare
    monkeypatch.setattr(GreenGauss, "prepare", lambda *args: calls.append(1) or prepare(*args))
    prepared = PreparedGradient("green-gauss", error=False)
    for factor in (1.0, 2.0, 3.0):
        flow = Flow(mesh, factor * linear(mesh.centroids), "cells")
        np.testing.assert_allclose(prepared.of(flow).L, np.broadcast_to(factor * L, (27, 3, 3)), atol=1e-10)
    assert len(calls) == 1


def test_its_error_is_told_by_finer_fits():
    mesh = meshes.SOLIDS["hexahedron"]
    gradient = velocity_gradient(flow_on(mesh, np.sin, slice(None)), "green-gauss", error=True)
    assert gradient.relative_error > 0
    assert any("finite-difference(order=3)" in note for note in gradient.notes)


def test_refusals():
    mesh = meshes.SOLIDS["tetra"]
    with pytest.raises(OptionError, match=r"cells.*points"):
        velocity_gradient(Flow(mesh, mesh.points, "points"), "green-gauss")
    with pytest.raises(OptionError, match="second derivatives"):
        velocity_gradient(flow_on(mesh, linear), "green-gauss", second=True)
    points = np.array(meshes.planar("quad").points)
    points[:, 2] = 0.3 * np.sin(points[:, 0])
    with pytest.raises(FlowgradError, match=r"green-gauss.*curved surface"):
        velocity_gradient(flow_on(Mesh(points, meshes.planar("quad").cells), linear), "green-gauss")


def test_it_is_registered():
    assert SCHEMES["green-gauss"] is GreenGauss
    assert str(GreenGauss()) == "green-gauss"
