"""What comes with a gradient when it is asked for: its error, second derivatives, places of one's own."""

import numpy as np
import pytest

from flowgrad import Autodiff, FiniteDifference, Flow, OptionError, plot, separate, velocity_gradient, write
from flowgrad.gradient import Stored
from tests import meshes
from tests.gradient import known

MESH = meshes.SOLIDS["hexahedron"]


def flow_on(mesh=MESH, location="points", **fields):
    return Flow(mesh, known.velocity(mesh.points if location == "points" else mesh.centroids), location, **fields)


@pytest.mark.parametrize("at", ["points", "cells"])
def test_the_error_is_the_distance_from_the_finer_scheme(at):
    flow = flow_on()
    found = velocity_gradient(flow, known.Checked(), at, error=True)
    positions = known.positions_of(flow, at)
    there = positions[:, 0] >= 0
    distance = np.linalg.norm(found.L - known.gradient(positions), axis=(1, 2))
    np.testing.assert_allclose(found.error[there], distance[there], rtol=1e-12)
    assert np.isnan(found.error[~there]).all()
    weights = found.weights[there]
    size = weights @ (found.L[there] ** 2).sum(axis=(1, 2))
    assert found.relative_error == pytest.approx(np.sqrt(weights @ distance[there] ** 2 / size), rel=1e-12)
    note = next(line for line in found.notes if "estimated against Known" in line)
    assert f"{found.relative_error:.2g} of the rms |L|" in note
    assert ("not known at" in note) == (not there.all())


def test_without_being_asked_for_there_is_no_error():
    found = velocity_gradient(flow_on(), known.Checked())
    assert found.error is None
    assert np.isnan(found.relative_error)


def test_components_that_are_not_known_take_no_part_in_the_error():
    mesh = meshes.planar("triangle", 5)
    velocity = known.velocity(mesh.points) * [1, 1, 0]
    whole = velocity_gradient(Flow(mesh, velocity, "points"), known.Checked(), "cells", error=True)
    masked = velocity_gradient(
        Flow(mesh, velocity, "points", out_of_plane="unknown"), known.Checked(), "cells", error=True
    )
    there = known.positions_of(whole.flow, "cells")[:, 0] >= 0
    difference = (whole.L - known.gradient(mesh.centroids))[:, :2, :2]
    np.testing.assert_allclose(masked.error[there], np.linalg.norm(difference, axis=(1, 2))[there], rtol=1e-12)


def test_schemes_without_a_finer_one_say_so():
    flow = flow_on(point_data={"L": np.ones((len(MESH.points), 9))})
    with pytest.raises(OptionError, match=r"file\(name='L'\).*finer"):
        velocity_gradient(flow, Stored("L"), error=True)
    with pytest.raises(OptionError, match="finer"):
        velocity_gradient(flow, known.Known(), error=True)


def test_second_derivatives_are_an_input_of_quantities():
    flow = flow_on()
    found = velocity_gradient(flow, known.Known(), "cells", second=True)
    x = MESH.centroids
    there = x[:, 0] >= 0.5
    np.testing.assert_array_equal(found["hessian"][there], known.hessian(x)[there])
    np.testing.assert_allclose(found["laplacian"][there, 0], -np.sin(x[there, 0]) * x[there, 1])
    np.testing.assert_allclose(found["laplacian"][there, 1], -np.cos(x[there, 2]))
    force = separate(found, viscosity=0.3).gradient["viscous_force"]
    np.testing.assert_allclose(force[there], 0.3 * found["laplacian"][there])
    missing = int((found.valid & ~there).sum())
    if missing:
        assert f"no second derivatives at {missing} of {len(x)} cells" in " ".join(found.notes)


@pytest.mark.parametrize(("location", "at"), [("points", "points"), ("points", "cells"), ("cells", "cells")])
def test_second_derivatives_of_quadratic_fields_are_exact(location, at):
    H = np.random.default_rng(0).normal(size=(3, 3, 3))
    H = H + H.swapaxes(1, 2)
    positions = {"points": MESH.points, "cells": MESH.centroids}
    velocity = 0.5 * np.einsum("ijk,nj,nk->ni", H, positions[location], positions[location])
    found = velocity_gradient(Flow(MESH, velocity, location), FiniteDifference(order=2), at, second=True)
    np.testing.assert_allclose(found["hessian"], np.broadcast_to(H, found["hessian"].shape), atol=1e-9)
    np.testing.assert_allclose(found["laplacian"], np.broadcast_to(np.einsum("ijj->i", H), (len(found), 3)), atol=1e-9)


@pytest.mark.parametrize(("location", "at"), [("points", "cells"), ("cells", "cells"), ("points", "points")])
def test_second_derivatives_leave_the_gradient_as_it_was(location, at):
    flow = flow_on(location=location)
    found, alone = velocity_gradient(flow, at=at, second=True), velocity_gradient(flow, at=at)
    np.testing.assert_array_equal(found.L, alone.L)
    assert found.scheme == alone.scheme
    assert np.isfinite(found["laplacian"]).all()
    if "order=2" not in found.scheme:
        assert "second derivatives by finite-difference(order=2)" in found.reason


def test_missing_second_derivatives_name_what_supplies_them():
    flow = flow_on(point_data={"L": known.gradient(MESH.points).reshape(-1, 9)})
    with pytest.raises(OptionError, match="second=True"):
        velocity_gradient(flow, known.Known())["laplacian"]
    with pytest.raises(OptionError, match=r"finite-difference\(order=2\)"):
        velocity_gradient(flow, Autodiff(), second=True)
    with pytest.raises(OptionError, match="without second derivatives"):
        velocity_gradient(flow, "file(name='L')", second=True)


PLACES = np.array([[1.5, 1.5, 1.5], [-40.0, 0, 0], [2.0, 1.0, 0.5]])


def test_gradients_at_positions():
    found = velocity_gradient(flow_on(), known.Known(), PLACES)
    assert found.location == "positions"
    np.testing.assert_array_equal(found.positions, PLACES)
    np.testing.assert_array_equal(found.L[[0, 2]], known.gradient(PLACES)[[0, 2]])
    assert found.valid.tolist() == [True, False, True]
    assert found.weights.tolist() == [1, 0, 1]
    assert "1 of 3 positions have no gradient" in " ".join(found.notes)
    flat = velocity_gradient(flow_on(), known.Known(), [[1.0, 2.0], [2.0, 1.0]])
    np.testing.assert_array_equal(flat.positions, [[1, 2, 0], [2, 1, 0]])


def test_what_needs_a_mesh_refuses_positions(tmp_path):
    flow = flow_on(cell_data={"nu": np.ones(len(MESH))})
    found = velocity_gradient(flow, known.Known(), PLACES)
    with pytest.raises(OptionError, match="positions"):
        write(tmp_path / "a.vtu", found)
    with pytest.raises(OptionError, match="no array 'nu' at the positions"):
        separate(found, viscosity="nu")
    with plot.figure() as ax, pytest.raises(OptionError, match="positions"):
        plot.field(found, "shear_rate", ax)
    with pytest.raises(OptionError, match="not at positions"):
        velocity_gradient(flow, Stored("L"), PLACES)
    assert separate(found, viscosity=0.1).verdict.value == "newtonian"


def test_places_that_do_not_exist_are_refused():
    for at in ("nodes", np.zeros((3, 4)), np.zeros(3)):
        with pytest.raises(OptionError):
            velocity_gradient(flow_on(), at=at)
