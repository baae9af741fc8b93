"""Which faces are walls, and what is known of the fluid there."""

import dataclasses

import numpy as np
import pytest

from flowgrad import Flow, Mesh, OptionError, Patch, at_walls, read, velocity_gradient
from flowgrad.mesh.generate import block
from flowgrad.rheology.models import PowerLaw
from flowgrad.walls.selection import across_layer
from tests import meshes
from tests.apart import plate
from tests.axial import meridian, wedge


def bottom(centers):
    return np.abs(centers[:, 1]) < 1e-9


def shear(location="cells", mesh=None, **data):
    mesh = block("hexahedron", 6) if mesh is None else mesh
    x = mesh.points if location == "points" else mesh.centroids
    return Flow(mesh, x[:, 1:2] * [2.0, 0, 0], location, **data)


def patches(mesh, velocity):
    centers = mesh.topology.boundary_geometry[1]
    sides = {"inlet": centers[:, 0] < 1e-9, "floor": bottom(centers), "lid": centers[:, 1] > 1 - 1e-9}
    return tuple(Patch(name, np.flatnonzero(on), velocity(centers[on])) for name, on in sides.items())


def with_patches():
    flow = shear()
    return Flow(flow.mesh, flow.velocity, "cells", boundary=patches(flow.mesh, lambda x: x[:, 1:2] * [2.0, 0, 0]))


def test_patches_that_nothing_flows_through():
    walls = at_walls(with_patches())
    assert walls.names == ("floor", "lid")
    assert "not inlet" in walls.notes[0]
    np.testing.assert_allclose(walls.wall_shear_rate, 2, rtol=1e-11)
    np.testing.assert_array_equal(np.bincount(walls.patches), [25, 25])
    assert (walls.centroids[walls.patches == 1, 1] > 0.99).all()


def test_patches_by_name_masks_and_functions():
    flow = with_patches()
    mask = bottom(flow.mesh.topology.boundary_geometry[1])
    for where in ("floor", ["floor"], mask, bottom):
        np.testing.assert_array_equal(at_walls(flow, where).faces, np.flatnonzero(mask))
    assert len(at_walls(flow, ["floor", "lid"])) == 50


@pytest.mark.parametrize(
    ("where", "match"),
    [
        ("flor", "did you mean 'floor'"),
        (np.ones(3, bool), "over the 150 boundary faces"),
        (np.arange(150), "give a mask"),
        (lambda c: c[:, 0] > 9, "chooses none of the 150"),
        ("material=3", "no cell array"),
    ],
)
def test_what_is_no_wall_is_refused(where, match):
    with pytest.raises(OptionError, match=match):
        at_walls(with_patches(), where)


def test_without_patches_and_points_one_must_choose():
    with pytest.raises(OptionError, match="wall_velocity=0"):
        at_walls(shear())
    moving = shear("points")
    moving = Flow(moving.mesh, moving.velocity + np.array([1, 0, 0]), "points")
    with pytest.raises(OptionError, match="vanishes on none"):
        at_walls(moving)
    with pytest.raises(OptionError, match="has none"):
        at_walls(Flow(Mesh(np.eye(3), meshes.build(np.eye(3), [("line", (0, 1))]).cells), np.eye(3), "points"))


def test_the_velocity_of_a_wall_is_given_once():
    for flow, where, match in (
        (shear("points"), bottom, "leave out"),
        (with_patches(), "floor", "give the velocity on 25"),
    ):
        with pytest.raises(OptionError, match=match):
            at_walls(flow, where, wall_velocity=0)
    with pytest.raises(OptionError, match=r"give 0, \(3,\) or \(25, 3\)"):
        at_walls(shear(), bottom, wall_velocity=[1, 2])


def test_faces_that_are_cells_of_a_number():
    """Triangles on the boundary of tetrahedra, numbered by the side that they are on."""
    mesh = meshes.tetra_with_boundary()
    low = ~mesh.is_full
    number = np.where(low, 1 + (mesh.centroids[:, 1] < 0.3), 0)
    flow = Flow(mesh, mesh.points[:, 1:2] * [1.0, 0, 0], "points", cell_data={"CellEntityIds": number})
    walls = at_walls(flow, "CellEntityIds=2", scheme="finite-difference(order=1)")
    assert len(walls) == (number == 2).sum()
    assert (walls.centroids[:, 1] < 0.3).all()
    with pytest.raises(OptionError, match="is not a number"):
        at_walls(flow, "CellEntityIds=two")


def test_front_and_back_of_a_thin_mesh_are_no_walls():
    """A corner cell whose points all lie on walls at rest has front and back faces at rest, too."""
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]], float)
    both = np.vstack([np.column_stack([points, np.full(8, z)]) for z in (0, 0.1)])
    triangles = [(0, 1, 2), (1, 3, 2), (1, 4, 3), (4, 5, 3), (4, 6, 5), (6, 7, 5)]
    mesh = meshes.build(both, [("wedge", (*t, *(np.array(t) + 8))) for t in triangles])
    v = np.where(np.isin(np.arange(8) % 8, [0, 1, 2, 4, 6]), 0.0, 1.0)
    flow = Flow(mesh, np.tile(v, 2)[:, None] * [1.0, 0, 0], "points")
    walls = at_walls(flow, scheme="finite-difference(order=1)")
    assert len(walls) == 4
    np.testing.assert_allclose(walls.normals[:, 2], 0, atol=1e-12)
    assert across_layer(flow).sum() == 12


def test_the_half_planes_of_a_wedge_lie_across():
    mesh = wedge(4, 5)
    across = across_layer(Flow(mesh, mesh.points, "points"))
    assert across.sum() == 2 * 4 * 5
    assert len(across) - across.sum() == 4 + 2 * 5


def test_viscosities_of_every_kind():
    mesh = block("hexahedron", 6)
    eta = 1 + mesh.centroids[:, 0] + 0.3 * mesh.centroids[:, 1]
    flow = shear(cell_data={"eta": eta, "nut": eta}, point_data={"eta_p": 2 * mesh.points[:, 0]})
    of = lambda viscosity, **more: at_walls(flow, bottom, viscosity=viscosity, wall_velocity=0, **more)  # noqa: E731
    x = of(1.0).centroids
    np.testing.assert_allclose(of("2.5").viscosity, 2.5)
    np.testing.assert_allclose(of("power-law(K=3.0, n=0.5)").viscosity, 3 / np.sqrt(2), rtol=1e-10)
    np.testing.assert_allclose(of(PowerLaw(3.0, 0.5), density=2.0).viscosity, 6 / np.sqrt(2), rtol=1e-10)
    for each in ("eta", eta):
        np.testing.assert_allclose(of(each).viscosity, 1 + x[:, 0], rtol=1e-10)
    np.testing.assert_allclose(of("eta_p", density=3.0).viscosity, 6 * x[:, 0], rtol=1e-10)
    np.testing.assert_allclose(of(np.arange(25.0)).viscosity, np.arange(25.0))
    for wrong, match in (
        ("etta", "did you mean 'eta'"),
        ("nut", "eddy viscosity"),
        (np.ones(7), "7 values"),
        (-1.0, "eta"),
    ):
        with pytest.raises(OptionError, match=match):
            of(wrong)


def test_a_viscosity_is_not_continued_below_zero():
    mesh = block("hexahedron", 6)
    eta = np.maximum(mesh.centroids[:, 1] - 0.09, 0.001)
    walls = at_walls(shear(cell_data={"eta": eta}), bottom, viscosity="eta", wall_velocity=0)
    assert (walls.viscosity > 0).all()


def test_pressures_of_every_kind():
    mesh = block("tetra", 7)
    quadratic = lambda x: 1 + x[:, 0] - x[:, 1] + 0.5 * x[:, 1] ** 2 + x[:, 0] * x[:, 2]  # noqa: E731
    linear = mesh.points @ [1.0, 2, 3]
    flow = shear(mesh=mesh, cell_data={"p": quadratic(mesh.centroids)}, point_data={"q": linear, "p": linear})
    of = lambda pressure, **more: at_walls(flow, bottom, pressure=pressure, viscosity=1.0, wall_velocity=0, **more)  # noqa: E731
    x = of(0.0).centroids
    np.testing.assert_allclose(of("p", density=10.0).pressure, 10 * quadratic(x), rtol=1e-9)
    np.testing.assert_allclose(of("q").pressure, x @ [1.0, 2, 3], rtol=1e-10)
    np.testing.assert_allclose(of(linear).pressure, x @ [1.0, 2, 3], rtol=1e-10)
    np.testing.assert_allclose(of(7.0).pressure, 7)
    with pytest.raises(OptionError, match="has no array 'pp'"):
        of("pp")


@pytest.mark.parametrize(
    ("mesh", "axis"), [(block("hexahedron", 5), None), (meridian(4, 5, axis="x"), "x"), (wedge(3, 6), None)]
)
def test_walls_of_unknown_velocity_are_said(mesh, axis):
    flow = Flow(mesh, mesh.centroids[:, 1:2] * [2.0, 0, 0], "cells", axisymmetric=axis)
    outer = lambda x: x[:, 1] > 0.99  # noqa: E731
    walls, known = (at_walls(flow, outer, wall_velocity=each) for each in (None, 0.0))
    assert any(f"not known on {len(walls)} of {len(walls)} faces" in note for note in walls.notes)
    assert "velocity on the wall" not in walls.gradient.reason
    assert not any("velocity is not known on" in note for note in known.notes)
    assert "velocity on the wall" in known.gradient.reason


def test_a_face_has_the_pressure_of_its_patch_whichever_others_are_asked_for():
    flow = shear(mesh=block("hexahedron", 5), cell_data={"p": np.linspace(1, 2, 64)})
    centroids = flow.mesh.topology.boundary_geometry[1]
    faces = {"floor": np.flatnonzero(bottom(centroids)), "top": np.flatnonzero(centroids[:, 1] > 1 - 1e-9)}
    data = {"floor": {"p": np.full(16, 7.0)}, "top": {}}
    known = (Patch(name, rows, np.zeros((16, 3)), data[name]) for name, rows in faces.items())
    flow = dataclasses.replace(flow, boundary=tuple(known))
    both, *alone = (at_walls(flow, where, pressure="p") for where in (["floor", "top"], "floor", "top"))
    assert set(alone[0].pressure) == {7.0}
    for name, one in zip(faces, alone, strict=True):
        np.testing.assert_array_equal(both.pressure[both.on(name)], one.pressure)


@pytest.mark.parametrize("copied", [True, False])
@pytest.mark.parametrize("kind", ["hexahedron", "tetra", "quad"])
def test_pressure_and_viscosity_on_a_plate_are_those_of_their_side(kind, copied):
    mesh, height = plate(kind, n=13, copied=copied)
    of_side = np.where(height > 0, 5.0, 1.0)
    flow = Flow(mesh, np.zeros((len(mesh), 3)), "cells", cell_data={"a": of_side})
    up = mesh.dimension - 1
    on_plate = lambda x: (np.abs(x[:, up] - 0.5) < 1e-9) & (x[:, 0] < 0.4)  # noqa: E731
    walls = at_walls(flow, on_plate, pressure="a", viscosity="a", wall_velocity=0)
    due = np.where(walls.normals[:, up] < 0, 5.0, 1.0)
    np.testing.assert_allclose(walls.pressure, due, rtol=1e-9)
    np.testing.assert_allclose(walls.viscosity, due, rtol=1e-9)


def test_a_channel_of_openfoam(data):
    """Plane Poiseuille flow of a Maxwell fluid: G h/η = 5/1.1 at the wall, to what a graded mesh of 40 cells knows."""
    for location, wall in (("cells", 0), ("points", None)):
        flow = read(data / "planarPoiseuille_Maxwell.vtu", location=location)
        walls = at_walls(flow, lambda c: np.abs(c[:, 1]) < 1e-6, viscosity=1.1, wall_velocity=wall)
        assert walls.wall_shear_rate[0] == pytest.approx(5 / 1.1, rel=0.025)
        assert walls.wall_shear_stress[0, 0] > 0


def channel():
    """The upper half of a plane channel, velocity at cells, with all four patches."""
    mesh = block("quad", 11, jitter=0.0)
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)

    def velocity(x):
        y = (x[:, 1] - low[1]) / (high[1] - low[1])
        return np.column_stack([1 - y**2, 0 * y, 0 * y])

    centres = mesh.topology.boundary_geometry[1]
    sides = {"inlet": (0, low), "outlet": (0, high), "symmetry": (1, low), "top": (1, high)}
    patches = []
    for name, (axis, end) in sides.items():
        faces = np.flatnonzero(np.isclose(centres[:, axis], end[axis]))
        patches.append(Patch(name, faces, velocity(centres[faces])))
    return Flow(mesh, velocity(mesh.centroids), "cells", boundary=tuple(patches))


def test_a_plane_of_symmetry_is_no_wall():
    walls = at_walls(channel(), viscosity=1.0)
    assert walls.names == ("top",)
    assert any("symmetry" in note for note in walls.notes)


def test_a_wall_that_moves_is_one():
    flow = channel()
    flow = dataclasses.replace(
        flow,
        boundary=tuple(
            dataclasses.replace(p, velocity=p.velocity - [0.5, 0, 0]) if p.name in ("symmetry", "top") else p
            for p in flow.boundary
        ),
    )
    assert at_walls(flow, viscosity=1.0).names == ("symmetry", "top")


@pytest.mark.parametrize("given", ["flows", "a gradient"])
def test_what_is_no_flow_is_refused(given):
    flow = channel()
    with pytest.raises(OptionError, match="walls need a Flow"):
        at_walls([flow] if given == "flows" else velocity_gradient(flow))


@pytest.mark.parametrize("closure", ["unknown", "incompressible"])
def test_walls_of_a_plane_cut_from_a_flow_have_the_rate_in_the_plane(closure):
    flow = channel()
    cut = at_walls(dataclasses.replace(flow, out_of_plane=closure), "top", viscosity=1.0)
    np.testing.assert_allclose(cut.wall_shear_rate, at_walls(flow, "top").wall_shear_rate)
    assert any("across the plane" in note for note in cut.notes)


def test_the_velocity_on_a_wall_is_the_walls():
    walls = at_walls(channel(), "top", viscosity=1.0)
    assert not walls.gradient["velocity"].any()
    assert np.isnan(walls.gradient["extension_rate"]).all()
