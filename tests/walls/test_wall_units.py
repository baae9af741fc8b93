"""Friction velocity, y⁺ and skin friction coefficient: of a channel in closed form, and refused without a density."""

import json
import math

import numpy as np
import pytest

from flowgrad import Flow, Mesh, OptionError, at_walls, read
from flowgrad.cli import main
from flowgrad.mesh.generate import block
from flowgrad.mesh.reference.cell import VTK
from tests import high_order
from tests.walls.test_curved import couette, inner

ARRAYS = {"friction_velocity", "y_plus", "skin_friction_coefficient"}


@pytest.fixture
def channel(data):
    return read(data / "channels/channel20.vtu", boundary=str(data / "channels/channel20_walls.vtp"))


def test_wall_units_of_a_solved_channel(channel):
    """u_τ = √(KH/2), first cells at H/40, C_f = KH/U²: with the mean speed U near 12/Re."""
    U = channel.velocity[:, 0].mean()
    walls = at_walls(channel, viscosity=0.1, density=1000.0, reference_speed=U)
    np.testing.assert_allclose(walls.friction_velocity, math.sqrt(0.5), rtol=1e-5)
    np.testing.assert_allclose(walls.y_plus, 1 / 40 * math.sqrt(0.5) / 0.1, rtol=1e-5)
    np.testing.assert_allclose(walls.skin_friction_coefficient, 1 / U**2, rtol=1e-5)
    np.testing.assert_allclose(walls.skin_friction_coefficient, 12 * 0.1 / U, rtol=0.005)
    assert set(walls.arrays) >= ARRAYS
    per_density = at_walls(channel, viscosity=0.1, reference_density=1.0, reference_speed=U)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(per_density, name), getattr(walls, name), rtol=1e-12)


def test_a_dynamic_viscosity_and_the_density_far_away(channel):
    """Stresses of a density 2 at the wall, of 3 where the speed is."""
    walls = at_walls(channel, viscosity=0.1, density=2.0, reference_density=3.0, reference_speed=2.0)
    np.testing.assert_allclose(walls.friction_velocity, math.sqrt(0.5), rtol=1e-5)
    np.testing.assert_allclose(walls.skin_friction_coefficient, 2 * 0.5 / (0.5 * 3 * 4), rtol=1e-5)


@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "wedge"])
def test_the_first_point_off_the_wall(kind):
    mesh = block(kind, 5, jitter=0.0)
    flow = Flow(mesh, mesh.points[:, 1:2] * [2.0, 0, 0], "points")
    walls = at_walls(flow, viscosity=0.5, density=4.0)
    np.testing.assert_allclose(walls.first_distance, 0.25, rtol=1e-12)
    np.testing.assert_allclose(walls.y_plus, 0.25 * math.sqrt(2 * 0.5) / 0.5, rtol=1e-9)


def test_of_a_curved_cell_it_is_its_first_node():
    exact, flow = couette(8, 2, 3)
    step = (exact.outer_radius - exact.inner_radius) / 6
    walls = inner(flow, exact)
    np.testing.assert_allclose(walls.first_distance, step, rtol=1e-3)


def test_without_what_they_need_they_are_refused(channel):
    walls = at_walls(channel, viscosity=0.1)
    assert not ARRAYS & set(walls.arrays)
    for name in ("friction_velocity", "y_plus"):
        with pytest.raises(OptionError, match=r"need the density: give density= .* reference_density="):
            getattr(walls, name)
    with pytest.raises(OptionError, match="give reference_speed="):
        walls.skin_friction_coefficient  # noqa: B018
    with pytest.raises(OptionError, match=r"needs a density: give density= .* reference_density="):
        at_walls(channel, viscosity=0.1, reference_speed=1.0)
    with pytest.raises(OptionError, match="give the viscosity="):
        at_walls(channel, density=1.0, reference_speed=1.0)
    with pytest.raises(OptionError, match="reference_speed is 0"):
        at_walls(channel, viscosity=0.1, density=1.0, reference_speed=0.0)
    with pytest.raises(OptionError, match="density is -1"):
        at_walls(channel, pressure="p", density=-1.0)


def test_on_the_command_line(data, tmp_path, capsys):
    name = data / "channels/channel20"
    command = ["run", f"{name}.vtu", "--boundary", f"{name}_walls.vtp", "-o", str(tmp_path), "-q", "--walls", "auto"]
    command += ["--viscosity", "0.1", "--reference-speed", "0.84"]
    assert main([*command, "--density", "1000"]) == 0
    (patch,) = json.loads((tmp_path / "channel20.json").read_text())["walls"]["patches"].values()
    assert patch["y_plus"]["maximum"] == pytest.approx(math.sqrt(0.5) / 4, rel=1e-5)
    assert patch["skin_friction_coefficient"]["mean"] == pytest.approx(1 / 0.84**2, rel=1e-5)
    written = read(tmp_path / "channel20_walls.vtu", "wall_shear_stress")
    assert set(written.cell_data) >= ARRAYS
    assert "y plus, greatest" in (tmp_path / "report.html").read_text()
    capsys.readouterr()
    assert main([*command, "--no-report"]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "reference_density=" in line


@pytest.mark.parametrize("thickness", [1.0, 0.01])
@pytest.mark.parametrize(
    ("name", "p"),
    [("TRIQUADRATIC_HEXAHEDRON", 2), ("LAGRANGE_WEDGE", 3), ("LAGRANGE_TETRAHEDRON", 3), ("QUADRATIC_TETRA", 2)],
)
def test_the_first_point_off_a_curved_face_is_none_of_the_face_itself(name, p, thickness):
    """A shell of three cells a side around a cylinder, whose chords are farther from it than the first points."""
    degrees = (p, p, p) if name.startswith("LAGRANGE") else None
    cells = high_order.straight(high_order.reference(getattr(VTK, name), degrees), 3, np.eye(3), degrees)
    x = (cells.points - cells.points.min(axis=0)) / np.ptp(cells.points, axis=0)
    radius = 1 + thickness * x[:, 0]
    mesh = Mesh(np.column_stack([radius * np.cos(x[:, 1]), radius * np.sin(x[:, 1]), x[:, 2]]), cells.cells)
    start, points = mesh.topology.boundary_polygons
    on_cylinder = np.maximum.reduceat(x[points, 0], start[:-1]) < 1e-9
    walls = at_walls(Flow(mesh, 0 * mesh.points, "points"), on_cylinder, scheme="autodiff")
    np.testing.assert_allclose(walls.first_distance, thickness / (3 * p), rtol=1e-3)
