"""Gradients where cells own their points: as on the mesh that shares them, by cell where the velocity jumps; and on the
two sides of plates."""

import numpy as np
import pytest

from flowgrad import Cells, FiniteDifference, Flow, Mesh, at_walls, velocity_gradient, write
from flowgrad.mesh.generate import block, quadratic
from flowgrad.paths import ftle, pathlines
from flowgrad.verify import verify
from tests import meshes
from tests.apart import apart, by_appearance, plate

SHARED = {f"block of {kind}": block(kind, 7) for kind in ("hexahedron", "tetra", "wedge", "triangle", "quad")}
SHARED |= {"quadratic tetra": quadratic(block("tetra", 4)), "mixed": meshes.mixed()}
SHARED |= {"polyhedron": meshes.SOLIDS["polyhedron"], "hexagonal prism": meshes.SOLIDS["hexagonal_prism"]}
SHARED = {name: by_appearance(mesh) for name, mesh in SHARED.items()}
FITS = tuple(f"finite-difference(order={p})" for p in (1, 2, 3))
SCHEMES = {"points": ("auto", "autodiff", *FITS), "cells": ("auto", "green-gauss", *FITS)}


def velocity(x):
    a, b, c = x.T
    return np.stack([np.sin(a) * np.cos(0.5 * b), np.cos(a) + 0.3 * a * b, c * a + b**2], axis=-1)


@pytest.mark.parametrize("location", SCHEMES)
@pytest.mark.parametrize("name", SHARED)
def test_gradients_are_those_of_the_mesh_that_shares_its_points(name, location):
    shared = SHARED[name]
    own, source = apart(shared)
    one, other = (Flow(mesh, velocity(mesh.places(location)), location) for mesh in (own, shared))
    for scheme in SCHEMES[location]:
        for at in ("points", "cells", shared.centroids[::5] * 1.001):
            found, due = velocity_gradient(one, scheme, at), velocity_gradient(other, scheme, at)
            rows = source if isinstance(at, str) and at == "points" else slice(None)
            np.testing.assert_allclose(found.L, due.L[rows], atol=1e-11, err_msg=f"{scheme} {at}")
            np.testing.assert_allclose(found["velocity"], due["velocity"][rows], atol=1e-12)
            assert any("are copies of others" in note for note in found.notes)


def test_noise_errors_and_hessians_are_too():
    shared = SHARED["block of hexahedron"]
    own, source = apart(shared)
    noise = np.linspace(0.1, 0.3, shared.point_count)
    one = Flow(own, velocity(own.points), "points", noise=noise[source])
    other = Flow(shared, velocity(shared.points), "points", noise=noise)
    found, due = (velocity_gradient(each, FITS[1], error=True, second=True) for each in (one, other))
    np.testing.assert_allclose(found.covariance, due.covariance[source], rtol=1e-9)
    np.testing.assert_allclose(found.error, due.error[source], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(found["hessian"], due["hessian"][source], atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cells_in_any_order_and_coordinates_of_float32_change_nothing(dtype):
    shared = block("tetra", 7)
    points = shared.points.astype(dtype).astype(float)
    shared = Mesh(points, shared.cells)
    order = np.random.default_rng(1).permutation(len(shared))
    rows = shared.cells.connectivity.reshape(-1, 4)[order]
    own = Mesh(points[rows].reshape(-1, 3), Cells.of_type(10, np.arange(rows.size).reshape(-1, 4)))
    one, other = Flow(own, velocity(own.points), "points"), Flow(shared, velocity(points), "points")
    for scheme in SCHEMES["points"]:
        found, due = velocity_gradient(one, scheme).L, velocity_gradient(other, scheme).L
        np.testing.assert_allclose(found, due[rows.ravel()], atol=1e-11, err_msg=scheme)


def channel(mesh):
    """A flow at rest on the lower and the upper side of a block."""
    y = mesh.points[:, 1]
    return Flow(mesh, (y * (1 - y) * (1 + 0.3 * mesh.points[:, 0]))[:, None] * [1, 0, 0], "points")


@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "quad"])
def test_walls_are_those_of_the_mesh_that_shares_its_points(kind):
    shared = by_appearance(block(kind, 7))
    own, _ = apart(shared)
    found, due = (at_walls(channel(mesh), viscosity=2.0) for mesh in (own, shared))
    np.testing.assert_array_equal(found.faces, due.faces)
    np.testing.assert_allclose(found.gradient.L, due.gradient.L, atol=1e-11)
    np.testing.assert_allclose(found.force(), due.force(), atol=1e-11)


@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "quad"])
def test_ftle_is_that_of_the_mesh_that_shares_its_points(kind):
    shared = by_appearance(block(kind, 9))
    own, _ = apart(shared)
    starts = np.random.default_rng(0).uniform(0.3, 0.7, (30, 3)) * [1, 1, shared.dimension == 3]
    spin = np.array([[0, -1.0, 0], [1.5, 0, 0], [0, 0, 0]])
    one, other = (
        ftle(Flow(mesh, np.sin((mesh.points - [0.5, 0.5, 0]) @ spin.T), "points"), starts, 0.0, 2.0)
        for mesh in (own, shared)
    )
    assert np.isfinite(other.values).all()
    np.testing.assert_allclose(one.values, other.values, atol=1e-10)


def test_verify_gives_the_same_table():
    shared = by_appearance(block("tetra", 5))
    own, _ = apart(shared)
    tables = [[line for line, _ in verify(Flow(mesh, velocity(mesh.points), "points"))] for mesh in (own, shared)]
    assert any("copies of others" in line for line in tables[0])
    kept = [line for line in tables[0] if "copies of others" not in line]
    assert kept[1:] == tables[1][1:]


def test_vtk_reads_what_is_written_on_the_flows_own_points(tmp_path):
    pyvista = pytest.importorskip("pyvista", reason="pyvista is not installed")
    own, _ = apart(SHARED["mixed"])
    gradient = velocity_gradient(Flow(own, velocity(own.points), "points"))
    write(tmp_path / "a.vtu", gradient, ["L"])
    seen = pyvista.read(tmp_path / "a.vtu")
    np.testing.assert_array_equal(seen.points, own.points)
    np.testing.assert_array_equal(seen.point_data["L"].reshape(-1, 3, 3), gradient.L)


def piecewise_linear(mesh, seed=0):
    """A velocity linear in each cell that owns its points, and its gradient."""
    rng = np.random.default_rng(seed)
    L = rng.normal(size=(len(mesh), 3, 3))
    L[:, :, mesh.dimension :] = 0
    cell = np.repeat(np.arange(len(mesh)), np.diff(mesh.cells.offsets))
    v = np.empty_like(mesh.points)
    v[mesh.cells.connectivity] = np.einsum("nij,nj->ni", L[cell], mesh.points[mesh.cells.connectivity])
    return v, L, cell


@pytest.mark.parametrize("name", [name for name in SHARED if "poly" not in name and "prism" not in name])
def test_autodiff_of_a_discontinuous_field_is_that_of_each_cell(name):
    own, _ = apart(SHARED[name])
    v, L, cell = piecewise_linear(own)
    flow = Flow(own, v, "points")
    full = own.is_full
    gradient = velocity_gradient(flow, "autodiff", "cells")
    np.testing.assert_allclose(gradient.L[full], L[full], atol=1e-10)
    at_points = velocity_gradient(flow, "autodiff", "points").L
    known = full[cell]
    np.testing.assert_allclose(at_points[own.cells.connectivity[known]], L[cell[known]], atol=1e-10)
    assert any("the velocity is discontinuous" in note for note in gradient.notes)


def test_fits_to_a_discontinuous_field_go_through_the_means():
    shared = SHARED["block of tetra"]
    own, source = apart(shared)
    smooth = velocity(own.points)
    jumps = 0.1 * np.random.default_rng(0).normal(size=smooth.shape)
    means = np.stack([np.bincount(source, j) / np.bincount(source) for j in (smooth + jumps).T], axis=-1)
    found = velocity_gradient(Flow(own, smooth + jumps, "points"), FITS[1])
    due = velocity_gradient(Flow(shared, means, "points"), FITS[1])
    np.testing.assert_allclose(found.L, due.L[source], atol=1e-11)
    assert any("the velocity is discontinuous" in note for note in found.notes)


def test_a_velocity_constant_in_each_cell_is_named():
    own, _ = apart(SHARED["block of hexahedron"])
    v = np.repeat(velocity(own.centroids), 8, axis=0)
    gradient = velocity_gradient(Flow(own, v, "points"), at="cells")
    assert "constant within each cell" in gradient.reason
    assert any("constant within each cell" in note for note in gradient.notes)
    assert np.abs(gradient.L).max() > 0.1
    assert not velocity_gradient(Flow(own, v, "points"), "autodiff", "cells").L.any()


def test_scattered_points_that_coincide_count_once():
    x = np.random.default_rng(0).uniform(size=(400, 3))
    again = np.concatenate([np.arange(400), np.arange(100)])
    once = velocity_gradient(Flow.from_arrays(x, None, velocity(x)))
    twice = velocity_gradient(Flow.from_arrays(x[again], None, velocity(x[again])))
    np.testing.assert_allclose(twice.L, once.L[again], atol=1e-12)
    assert "100 of 500 points lie where others do and count once" in twice.notes


def two_shears(mesh, height):
    """u = 3 z above a plate and −z below it."""
    return np.where(height > 0, 3 * height, -height)[:, None] * [1.0, 0, 0]


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("scheme", SCHEMES["cells"])
def test_each_side_of_a_plate_has_its_own_gradient_at_cells(scheme, copied):
    mesh, height = plate("hexahedron", n=13, copied=copied)
    L = velocity_gradient(Flow(mesh, two_shears(mesh, height), "cells"), scheme).L
    beside = mesh.centroids[:, 0] < 0.3
    due = np.where(height > 0, 3.0, -1.0)
    np.testing.assert_allclose(L[beside, 0, 2], due[beside], atol=1e-10)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("scheme", SCHEMES["points"])
def test_each_side_of_a_plate_has_its_own_gradient_from_points(scheme, copied):
    mesh, height = plate("hexahedron", n=13, copied=copied)
    z = mesh.points[:, 2] - 0.5
    flow = Flow(mesh, two_shears(mesh, z), "points")
    L = velocity_gradient(flow, scheme, "cells").L
    beside = mesh.centroids[:, 0] < 0.3
    np.testing.assert_allclose(L[beside, 0, 2], np.where(height > 0, 3.0, -1.0)[beside], atol=1e-10)
    at_points = velocity_gradient(flow, scheme, "points")
    near = mesh.points[:, 0] < 0.2
    on_it = near & (np.abs(z) < 1e-9)
    np.testing.assert_allclose(at_points.L[near & ~on_it, 0, 2], np.where(z > 0, 3.0, -1.0)[near & ~on_it], atol=1e-10)
    if copied:
        side = np.zeros(mesh.point_count)
        side[mesh.cells.connectivity] = np.repeat(height, 8)
        np.testing.assert_allclose(at_points.L[on_it, 0, 2], np.where(side > 0, 3.0, -1.0)[on_it], atol=1e-10)
    else:
        np.testing.assert_allclose(at_points.L[on_it, 0, 2], 1.0, atol=1e-10)
        assert any("mean of both sides" in note for note in at_points.notes)


WALLS = [("points", "autodiff"), ("cells", "green-gauss"), ("cells", "first-cell")]
WALLS += [(location, scheme) for location in SCHEMES for scheme in ("auto", *FITS)]


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize(("location", "scheme"), WALLS)
def test_the_walls_of_a_plate_are_two(location, scheme, copied):
    mesh, _ = plate("hexahedron", n=13, copied=copied)
    places = mesh.places(location)
    flow = Flow(mesh, two_shears(mesh, places[:, 2] - 0.5), location)

    def on_plate(x):
        return (np.abs(x[:, 2] - 0.5) < 1e-9) & (x[:, 0] < 0.2)

    walls = at_walls(flow, on_plate, scheme=scheme, wall_velocity=0 if location == "cells" else None)
    assert len(walls) == 2 * 2 * 12
    up = walls.normals[:, 2] < 0
    np.testing.assert_allclose(walls.gradient.L[:, 0, 2], np.where(up, 3.0, -1.0), atol=1e-9)
    assert up.sum() == len(walls) // 2


@pytest.mark.parametrize("copied", [True, False])
def test_no_particle_crosses_a_plate(copied):
    mesh, _ = plate("hexahedron", n=9, copied=copied, jitter=0.0)
    rise = np.tile([0, 0, 1.0], (mesh.point_count, 1))
    rng = np.random.default_rng(0)
    starts = rng.uniform(0.05, 0.95, (200, 3)) * [1, 1, 0.45]
    found = pathlines(Flow(mesh, rise, "points"), starts, [0, 0.5])
    below = starts[:, 0] < 0.5
    assert not found.stayed[below].any()
    assert found.stayed[~below].all()
    np.testing.assert_allclose(found.positions[-1][~below], starts[~below] + [0, 0, 0.5], atol=1e-6)
    ends = found.positions[:, below, 2]
    assert np.nanmax(ends) < 0.5 + 1e-6


@pytest.mark.parametrize("scheme", SCHEMES["cells"])
def test_a_plate_of_one_face_on_a_lattice_is_not_crossed(scheme):
    mesh = block("hexahedron", 8, jitter=0)
    middle = np.abs(mesh.centroids[mesh.topology.pairs].mean(axis=1) - [3 / 7, 0.5, 0.5]).sum(axis=1).argmin()
    one = Mesh(mesh.points, mesh.cells, plates=mesh.topology.pair_faces[[middle]])
    flow = Flow(one, velocity(one.centroids), "cells")
    below, above = mesh.topology.pairs[middle]
    changed = flow.velocity.copy()
    changed[above] += 1
    L, other = (velocity_gradient(Flow(one, v, "cells"), scheme).L[below] for v in (flow.velocity, changed))
    np.testing.assert_array_equal(L, other)
    assert np.abs(L - velocity_gradient(Flow(mesh, flow.velocity, "cells"), scheme).L[below]).max() > 1e-6


@pytest.mark.parametrize("kind", ["tetra", "triangle"])
def test_walls_of_a_discontinuous_field_have_the_gradient_of_their_cell(kind):
    own, _ = apart(block(kind, 5))
    v, L, _ = piecewise_linear(own)
    walls = at_walls(Flow(own, v, "points"), lambda x: x[:, 1] < 1e-9, scheme="autodiff")
    cells = own.topology.boundary_cells[walls.faces]
    assert len(walls) == (4 if kind == "triangle" else 32)
    np.testing.assert_allclose(walls.gradient.L, L[cells], atol=1e-10)


def test_polyhedra_are_parted_at_a_plate_too():
    cubes, _ = plate("hexahedron", n=5, copied=False)
    rows = cubes.blocks[0].rows
    faces = [[("polyhedron", [row[list(q)] for q in meshes.QUADS])] for row in rows]
    poly = meshes.build(cubes.points, [each for part in faces for each in part])
    own = cubes.faces.take(cubes.plates)[1]
    wanted = poly.topology.pair_faces
    points = poly.faces.take(wanted)[1]
    sets = {tuple(sorted(row)) for row in own.reshape(-1, 4).tolist()}
    chosen = [
        face for face, row in zip(wanted, points.reshape(-1, 4).tolist(), strict=True) if tuple(sorted(row)) in sets
    ]
    parted = Mesh(poly.points, poly.cells, plates=chosen)
    assert len(chosen) == 8
    assert len(parted.topology.boundary) == len(poly.topology.boundary) + 2 * len(chosen)
    assert parted.joined.point_count == cubes.joined.point_count
    np.testing.assert_allclose(parted.joined.measures, poly.measures)


@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "quad"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("order", [2, 3])
def test_no_fit_sees_through_a_plate(location, order, kind):
    mesh, height = plate(kind, n=11)
    up, places = mesh.dimension - 1, mesh.places(location)
    side = np.where(height > 0, 1.0, -1.0)
    if location == "points":
        of_cells, side = np.repeat(side, np.diff(mesh.cells.offsets)), np.zeros(mesh.point_count)
        side[mesh.cells.connectivity] = of_cells
        side[mesh.points[:, 0] > 0.5 - 1e-9] = 0  # on neither
    z = np.where(np.abs(places[:, up] - 0.5) > 1e-9, places[:, up] - 0.5, 1e-6 * side)
    flow = Flow(mesh, np.zeros_like(places), location)
    scheme = FiniteDifference(order=order, lattice=False)
    one = scheme.prepare(flow.joined, location).matrices[up].tocoo()
    apart = z[one.row] * z[one.col] < 0
    part = z[one.row] / np.where(apart, z[one.row] - z[one.col], 1)
    x = places[one.row, 0] + part * (places[one.col, 0] - places[one.row, 0])
    weighs = np.abs(one.data) > 0
    assert not (apart & weighs & (x < 0.5 - 1e-3)).any()
    assert (apart & weighs & (x > 0.5 + 1e-3)).any()
