"""Stresses on walls, and the forces and moments that they add up to."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, OptionError, at_walls, read
from flowgrad.exact import TaylorCouette
from flowgrad.mesh.generate import block
from scripts import stokes_drag
from scripts.round_meshes import KINDS
from tests.axial import meridian, wedge
from tests.walls.flows import at_sphere, pipe_flow, power_law, side, stokes

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]


@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "tetra"])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_drag_on_stokes_sphere(kind, location):
    """6πμaU, of which the pressure gives a third: Batchelor 1967, §4.9."""
    flow = stokes(kind, location)
    walls = at_walls(flow, at_sphere(), viscosity=1.0, pressure="p", wall_velocity=None if location == "points" else 0)
    np.testing.assert_allclose(walls.force(), [0, 0, 6 * np.pi], atol=0.005 * 6 * np.pi)
    np.testing.assert_allclose(walls.pressure_force(), [0, 0, 2 * np.pi], atol=0.005 * 2 * np.pi)
    np.testing.assert_allclose(walls.viscous_force(), [0, 0, 4 * np.pi], atol=0.005 * 4 * np.pi)
    np.testing.assert_allclose(walls.moment(), 0, atol=0.005 * 6 * np.pi)
    arm = np.array([0.3, 0.0, 0.0])
    np.testing.assert_allclose(walls.moment(about=arm), walls.moment() - np.cross(arm, walls.force()), atol=1e-12)


def test_the_script_prints_the_drag(capsys, monkeypatch):
    monkeypatch.setattr(stokes_drag, "SIZES", ((8, 4),))
    stokes_drag.main()
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[:2] for row in rows] == [[kind, at] for kind in KINDS for at in ("points", "cells")]
    drags = np.array([row[4:] for row in rows], float)
    np.testing.assert_allclose(drags[:, 0], (drags[:, 1] + 2 * drags[:, 2]) / 3, atol=2e-5)
    np.testing.assert_allclose(drags, 1, atol=0.03)


def test_the_drag_turns_and_scales():
    flow = stokes("hexahedron", "cells", 8, 4)
    one = at_walls(flow, at_sphere(), viscosity=1.0, pressure="p", wall_velocity=0).force()
    for scale in (1e-6, 1e6):
        turned = stokes("hexahedron", "cells", 8, 4, TURN, scale)
        walls = at_walls(turned, at_sphere(scale), viscosity=1.0, pressure="p", wall_velocity=0)
        np.testing.assert_allclose(walls.force(), scale * TURN @ one, atol=1e-8 * scale)


def test_the_walls_are_found_at_points():
    walls = at_walls(stokes("tetra", "points", 6, 3))
    assert at_sphere()(walls.centroids).all()
    assert len(walls) == 6 * 6 * 6 * 2
    assert any("zero velocity" in note for note in walls.notes)


def test_traction_and_its_parts():
    flow = stokes("hexahedron", "points", 8, 4)
    walls = at_walls(flow, viscosity=2.5, pressure="p")
    n = walls.normals
    np.testing.assert_allclose(walls.wall_shear_stress, 2.5 * walls.shear_rate_vector, rtol=1e-14)
    np.testing.assert_allclose(
        walls.traction,
        walls.wall_shear_stress - walls.normal_stress[:, None] * n,
        atol=1e-12 * np.abs(walls.traction).max(),
    )
    np.testing.assert_allclose((walls.wall_shear_stress * n).sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(walls.viscous_force() + walls.pressure_force(), walls.force(), atol=1e-12)
    known = at_walls(flow, viscosity=2.5)
    np.testing.assert_allclose(known.force(), walls.viscous_force(), rtol=1e-13)
    assert any("no pressure was given" in note for note in known.notes)


def test_openfoams_wall_shear_stress_has_the_other_sign():
    """wallShearStress = (−n)·(−2ν dev D): against the flow where ours is along it."""
    flow = pipe_flow("hexahedron", "points", power_law(1.0), 6, 2)
    walls = at_walls(flow, viscosity=0.3, density=1000.0)
    ours, theirs = walls.wall_shear_stress, walls.openfoam_wall_shear_stress
    assert (ours[:, 2] > 0).all()
    np.testing.assert_allclose(
        theirs - (theirs * walls.normals).sum(axis=1)[:, None] * walls.normals, -ours / 1000, atol=1e-12
    )


def test_the_shear_stress_is_that_of_openfoams_own_fluxes(data):
    """The solver's flux of momentum into a wall cell is ν (U_wall − U_cell)/d."""
    flow = read(data / "elbow.vtu", boundary=str(data / "boundary/elbow/*.vtp"))
    walls = at_walls(flow, "wall-4", viscosity=0.01)
    cells = flow.mesh.topology.boundary_cells[walls.faces]
    d = ((walls.centroids - flow.mesh.centroids[cells]) * walls.normals).sum(axis=1)
    U = flow.velocity[cells]
    flux = 0.01 * ((U * walls.normals).sum(axis=1)[:, None] * walls.normals - U) / d[:, None]
    ratio = (walls.openfoam_wall_shear_stress * flux).sum(axis=1) / (flux**2).sum(axis=1)
    np.testing.assert_allclose(ratio, 1, rtol=1e-6)
    fitted = at_walls(flow, "wall-4", viscosity=0.01, scheme="finite-difference(order=2)")
    assert np.median(fitted.wall_shear_rate / walls.wall_shear_rate) == pytest.approx(1, abs=0.1)


def test_the_force_on_a_pipe_balances_the_pressure_drop():
    """Per length it is πR²G whatever the fluid: its law, evaluated at the wall, gives it back."""
    exact = power_law(0.5)
    flow = pipe_flow("hexahedron", "cells", exact)
    walls = at_walls(flow, side(flow.mesh), viscosity="power-law(K=0.7, n=0.5)", wall_velocity=0)
    assert walls.force()[2] / 0.5 == pytest.approx(np.pi * 1.3, rel=0.01)
    dynamic = at_walls(flow, side(flow.mesh), viscosity="power-law(K=0.07, n=0.5)", density=10.0, wall_velocity=0)
    np.testing.assert_allclose(dynamic.force(), walls.force(), rtol=1e-12)


def ring(n, layers, inner, outer):
    """An annulus of quads, closed around."""
    angle, r = 2 * np.pi * np.arange(n) / n, np.linspace(inner, outer, layers + 1)
    points = np.stack([np.outer(r, np.cos(angle)), np.outer(r, np.sin(angle)), 0 * np.outer(r, angle)], -1)
    number = np.arange(n * (layers + 1)).reshape(layers + 1, n)
    ahead = np.roll(number, -1, axis=1)
    rows = np.stack([number[:-1], number[1:], ahead[1:], ahead[:-1]], -1)
    return Mesh(points.reshape(-1, 3), Cells.of_type(9, rows.reshape(-1, 4)))


def test_the_torque_on_a_turning_cylinder():
    """4πη Ω a²b²/(b² − a²) per length, against the motion on the inner cylinder that turns, along it on the outer
    one at rest: Batchelor 1967, §4.5."""
    exact = TaylorCouette()
    a, b, turning = exact.inner_radius, exact.outer_radius, exact.inner_rate
    mesh = ring(160, 20, a, b)
    flow = Flow(mesh, exact.velocity(mesh.points), "points")
    middle = (a + b) / 2
    inner = at_walls(flow, lambda x: np.hypot(*x.T[:2]) < middle, viscosity=2.0)
    outer = at_walls(flow, lambda x: np.hypot(*x.T[:2]) > middle, viscosity=2.0)
    expected = 4 * np.pi * 2.0 * (turning - exact.outer_rate) * a**2 * b**2 / (b**2 - a**2)
    np.testing.assert_allclose(inner.moment(), [0, 0, -expected], atol=0.005 * abs(expected))
    np.testing.assert_allclose(outer.moment(), [0, 0, expected], atol=0.005 * abs(expected))
    np.testing.assert_allclose(inner.force(), 0, atol=1e-10)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_an_axisymmetric_pipe_with_swirl(axis, location):
    """u = 1 − r² and v_θ = r(1 − r²): on the wall 2η along the axis and 2η around it, over the area 4π of a length 2;
    the moment about the axis is that of the whole."""
    mesh = meridian(8, 10, axis=axis)
    x = mesh.points if location == "points" else mesh.centroids
    s, r = (x[:, 0], x[:, 1]) if axis == "x" else (x[:, 1], x[:, 0])
    along, around = 1 - r**2, r * (1 - r**2)
    swirl = around if axis == "x" else -around
    v = np.column_stack([along, 0 * s, swirl] if axis == "x" else [0 * s, along, swirl])
    flow = Flow(mesh, v, location, axisymmetric=axis)
    radial = 1 if axis == "x" else 0
    wall = None if location == "points" else 0
    walls = at_walls(
        flow, lambda c: c[:, radial] > 1 - 1e-9, viscosity=3.0, wall_velocity=wall, scheme="finite-difference(order=3)"
    )
    e = np.eye(3)[1 - radial]
    np.testing.assert_allclose(walls.areas.sum(), 4 * np.pi, rtol=1e-12)
    np.testing.assert_allclose(walls.wall_shear_rate, np.sqrt(8), rtol=1e-9)
    np.testing.assert_allclose(walls.force(), 24 * np.pi * e, atol=1e-8)
    np.testing.assert_allclose(walls.moment(), 24 * np.pi * e, atol=1e-8)


@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_wedge_of_a_pipe(location):
    """The sector's force is its share of the whole: 5 of 360 degrees. The wall is where its velocity is known: at the
    points, or in the middle of the flat faces, as in a solver."""
    mesh, radius = wedge(4, 12), 1.0 if location == "points" else np.cos(np.radians(2.5))
    x = mesh.points if location == "points" else mesh.centroids
    flow = Flow(mesh, (radius**2 - x[:, 1] ** 2 - x[:, 2] ** 2)[:, None] * [1.0, 0, 0], location)
    wall = None if location == "points" else 0
    walls = at_walls(flow, lambda c: c[:, 1] > 0.99, viscosity=3.0, wall_velocity=wall)
    assert len(walls) == 4
    np.testing.assert_allclose(walls.wall_shear_rate, 2, rtol=0.005)
    assert walls.force()[0] == pytest.approx(24 * np.pi * 5 / 360, rel=0.005)
    assert any("wedge" in note for note in walls.notes)


def test_patches_of_a_cavity(data):
    """The fluid drags the fixed walls along and the moving one back; with the pressure the forces cancel."""
    flow = read(data / "cavity.vtu", boundary=str(data / "boundary/cavity/*.vtp"))
    walls = at_walls(flow, viscosity=0.01, pressure="p")
    assert walls.names == ("fixedWalls", "movingWall")
    fixed, moving = (walls.force(name) for name in walls.names)
    assert moving[0] < 0 < fixed[0]
    np.testing.assert_allclose(walls.force(), fixed + moving, atol=1e-15)
    with pytest.raises(OptionError, match="no patch 'lid'"):
        walls.force("lid")


def test_what_is_not_known_is_said():
    flow = stokes("tetra", "points", 6, 3)
    bad = flow.velocity.copy()
    bad[np.flatnonzero(np.linalg.norm(flow.mesh.points, axis=1) < 1.0001)[:5]] = np.nan
    walls = at_walls(Flow(flow.mesh, bad, "points"), at_sphere(), viscosity=1.0)
    lost = np.isnan(walls.traction).any(axis=1)
    assert 0 < lost.sum() < len(walls)
    assert any(f"{lost.sum()} of {len(walls)} faces" in note for note in walls.notes)
    np.testing.assert_allclose(walls.force(), walls.areas[~lost] @ walls.traction[~lost])
    with pytest.raises(OptionError, match="needs the viscosity"):
        at_walls(flow).traction  # noqa: B018
    with pytest.raises(OptionError, match="give pressure="):
        walls.pressure_force()


def test_the_faces_as_a_surface():
    flow = stokes("hexahedron", "points", 6, 3)
    walls = at_walls(flow, viscosity=1.0, pressure="p")
    mesh, arrays = walls.surface()
    assert mesh.type_counts() == {"quad": 216}
    np.testing.assert_allclose(mesh.measures, walls.areas, rtol=1e-12)
    np.testing.assert_allclose(mesh.centroids, walls.centroids, atol=1e-12)
    assert all(len(values) == len(mesh) for values in arrays.values())
    assert {"L", "normal", "traction", "wall_shear_stress", "wall_shear_rate", "pressure"} <= set(arrays)
    plane = block("quad", 6)
    edges = at_walls(Flow(plane, plane.points[:, 1:2] * [1.0, 0, 0], "points")).surface()[0]
    assert edges.type_counts() == {"line": 5}
