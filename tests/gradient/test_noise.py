"""The noise of the samples, carried to the gradient and to what follows from it."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.transform import Rotation

from flowgrad import Autodiff, FiniteDifference, Flow, Lattice, Mesh, velocity_gradient
from flowgrad.gradient import SCHEMES, Operator, Stored
from flowgrad.gradient.lattice import lattice_operator
from flowgrad.gradient.noise import stencil_covariance
from flowgrad.spec import parse
from tests import meshes

BASE = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])
MESHES = {
    "tetra": meshes.SOLIDS["tetra_with_boundary"],
    "mixed": meshes.SOLIDS["mixed"],
    "triangle": meshes.planar("triangle", 6),
}
SCHEMES_AT = [
    ("autodiff", "points", "cells"),
    ("autodiff", "points", "points"),
    ("finite-difference(order=1)", "cells", "cells"),
    ("finite-difference(order=2)", "points", "points"),
    ("finite-difference(order=3)", "cells", "points"),
]


def flow_on(mesh, location, noise=None):
    positions = mesh.points if location == "points" else mesh.centroids
    return Flow(mesh, positions @ BASE.T, location, noise=noise)


def per_sample(flow, kind):
    """Noise of every kind: a number, one for each sample, one for each component too."""
    n = len(flow.velocity)
    rng = np.random.default_rng(4)
    return {"number": 1e-3, "samples": 1e-3 * rng.uniform(size=n), "components": 1e-3 * rng.uniform(size=(n, 3))}[kind]


@pytest.mark.parametrize(("name", "kind"), [*zip(MESHES, ("number", "samples", "components"), strict=True)])
@pytest.mark.parametrize(("scheme", "location", "at"), SCHEMES_AT)
def test_predicted_deviations_are_those_of_a_thousand_draws(scheme, location, at, name, kind):
    """Root mean squares over the mesh, within 5 %."""
    exact = flow_on(MESHES[name], location)
    noise = per_sample(exact, kind)
    gradient = velocity_gradient(Flow(exact.mesh, exact.velocity, location, noise=noise), scheme, at)
    n, draws, rng = len(exact.velocity), 1000, np.random.default_rng(1)
    sigma = np.broadcast_to(noise if np.ndim(noise) == 2 else np.reshape(noise, (-1, 1)), (n, 3))
    noisy = exact.velocity[:, None] + sigma[:, None] * rng.normal(size=(n, draws, 3))
    operator = parse(scheme, SCHEMES, "scheme").prepare(exact, at)
    L = operator.apply(noisy.reshape(n, -1)).reshape(-1, draws, 3, 3)
    for quantity in ("L", "vorticity", "shear_rate", "q_criterion"):
        drawn = type(gradient)(L.reshape(-1, 3, 3))[quantity].reshape(len(L), draws, -1)
        seen = np.sqrt(np.nanmean(np.nanvar(drawn, axis=1)))
        predicted = np.sqrt(np.nanmean(gradient.std(quantity) ** 2))
        assert predicted == pytest.approx(seen, rel=0.05), quantity


def central_hexahedra(n=6, h=0.1):
    points, rows = meshes.lattice(n, distortion=0.0)
    mesh = meshes.build(h * points, [("hexahedron", row) for row in rows])
    inner = ((points > 0.5) & (points < n - 0.5)).all(axis=1)
    return mesh, inner


def test_inside_a_uniform_lattice_of_hexahedra_the_deviation_is_that_of_central_differences():
    """Trilinear elements around a point give (v₊ − v₋)/2h along x: σ_L h/σ_v = 1/√2."""
    mesh, inner = central_hexahedra(h=0.1)
    std = velocity_gradient(flow_on(mesh, "points", 0.02), "autodiff", "points").std("L")
    np.testing.assert_allclose(std[inner] * 0.1 / 0.02, 0.5**0.5, rtol=1e-12)


@pytest.mark.parametrize(("order", "expected"), [(2, 0.5**0.5), (4, 130**0.5 / 12)])
def test_inside_a_uniform_lattice_the_deviation_is_that_of_the_stencil(order, expected):
    """The weights ½(1) and 1/12(8, −1) to both sides: σ_L h/σ_v = 0.7071 and 0.9501."""
    lattice = Lattice.uniform((9, 10, 11), 0.1)
    operator = lattice_operator(flow_on(lattice, "points"), order)
    C = operator.covariance(0.02).reshape(11, 10, 9, 3, 3)[4:-4, 4:-4, 4:-4]
    np.testing.assert_allclose(C * (0.1 / 0.02) ** 2, np.broadcast_to(expected**2 * np.eye(3), C.shape), atol=1e-14)


def test_each_sample_adds_its_own_part():
    flow = flow_on(MESHES["tetra"], "points")
    operator = Autodiff().prepare(flow, "points")
    noise, whole = np.zeros(len(flow.velocity)), 0.0
    for chosen in np.array_split(np.arange(len(noise)), 5):
        noise[:] = 0
        noise[chosen] = 2.0
        whole = whole + operator.covariance(noise)
    np.testing.assert_allclose(whole, operator.covariance(2.0), rtol=1e-12, atol=1e-14)
    three = np.column_stack([noise, 0 * noise, 3 * noise])
    expected = np.stack([operator.covariance(column) for column in three.T], axis=1)
    np.testing.assert_array_equal(operator.covariance(three), expected)


def test_it_turns_and_scales_with_the_mesh():
    mesh, Q = MESHES["mixed"], Rotation.random(random_state=1).as_matrix()
    original = Autodiff().prepare(flow_on(mesh, "points"), "cells").covariance(0.1)
    for scale in (1.0, 1e-6, 1e6):
        turned = Mesh(scale * mesh.points @ Q.T + scale, mesh.cells)
        found = Autodiff().prepare(flow_on(turned, "points"), "cells").covariance(0.1)
        np.testing.assert_allclose(scale**2 * found, Q @ original @ Q.T, rtol=1e-6, atol=1e-9 * np.nanmax(original))


def test_cells_without_a_gradient_have_no_covariance():
    mesh = MESHES["mixed"]
    velocity = flow_on(mesh, "points").velocity
    velocity[0] = np.nan
    gradient = velocity_gradient(Flow(mesh, velocity, "points", noise=0.1), "autodiff", "cells")
    assert not gradient.valid.all()
    np.testing.assert_array_equal(np.isfinite(gradient.std("shear_rate")), gradient.valid)


class Halves(Operator):
    """Differences of two samples of the velocity and one boundary value, written as matrices."""

    @property
    def matrices(self):
        return tuple(csr_array(np.array([[0.5, -0.5, 2.0 * k]])) for k in range(3))

    @property
    def boundary_count(self):
        return 1

    def vectors(self, values):
        return np.stack([matrix @ values for matrix in self.matrices], axis=-1)


def test_values_on_the_boundary_are_exact():
    for noise in (0.2, np.full(2, 0.2), np.full((2, 3), 0.2)):
        found = Halves().covariance(noise)
        np.testing.assert_allclose(found, np.full(found.shape, 0.02))


def test_matrices_with_other_patterns_give_the_same():
    rng = np.random.default_rng(0)
    dense = [rng.normal(size=(5, 7)) * (rng.uniform(size=(5, 7)) < 0.5) for _ in range(3)]
    found = stencil_covariance(tuple(csr_array(each) for each in dense), np.arange(7.0))
    weighted = np.stack(dense, axis=-1) * np.arange(7.0)[:, None]
    np.testing.assert_allclose(found, np.einsum("mnj,mnk->mjk", weighted, weighted), atol=1e-12)


def test_weights_in_two_parts_are_added_first():
    """A sample that a stencil uses twice, around a short period say, has one weight: the sum."""
    twice = csr_array((np.array([0.5, 0.25, -1.0]), np.array([0, 0, 1]), np.array([0, 3])), shape=(1, 2))
    once = csr_array(np.array([[0.75, -1.0]]))
    np.testing.assert_allclose(stencil_covariance((twice,) * 3, 1.0), stencil_covariance((once,) * 3, 1.0))


def test_a_gradient_from_the_file_has_no_deviation():
    mesh = MESHES["tetra"]
    data = {"L": np.broadcast_to(BASE, (len(mesh.points), 3, 3)).reshape(-1, 9)}
    flow = Flow(mesh, mesh.points @ BASE.T, "points", point_data=data, noise=0.1)
    gradient = velocity_gradient(flow, Stored("L"))
    assert gradient.covariance is None
    assert "the noise of the velocity does not tell" in " ".join(gradient.notes)


def test_without_noise_there_is_no_covariance():
    assert velocity_gradient(flow_on(MESHES["tetra"], "cells"), FiniteDifference(order=1)).covariance is None
