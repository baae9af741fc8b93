"""Finite differences on lattices: exact where they must be, of their order everywhere, and as fast as they say."""

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.spatial.transform import Rotation

from flowgrad import Cells, Flow, Lattice, Mesh, OptionError
from flowgrad.gradient.lattice import lattice_operator
from tests import meshes

ORDERS = (2, 4, 6, 8)
TURN = Rotation.from_euler("xyz", [0.4, -0.9, 1.7]).as_matrix()
L0 = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


def uneven(n, seed=0):
    """Coordinates with spacings between 0.5 and 1.5."""
    return np.cumsum(np.random.default_rng(seed).uniform(0.5, 1.5, n)) / n


def block(*shape):
    """Points of the unit cube, smoothly deformed up to its faces, indexed [i, j, k]."""
    axes = (np.linspace(0, 1, n) if n > 1 else np.zeros(1) for n in shape)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    return grid + 0.04 * np.sin(3 * grid[..., [1, 2, 0]] + 1)


def gradients(lattice, values, order, location="points"):
    flow = Flow(lattice, values, location)
    return lattice_operator(flow, order).vectors(flow.velocity)


def smooth(x):
    """A field and its gradient."""
    a, b, c = np.sin(2 * x[:, 0] + 1), np.cos(x[:, 1] - x[:, 0]), np.exp(0.5 * x[:, 2])
    da, db, dc = 2 * np.cos(2 * x[:, 0] + 1), -np.sin(x[:, 1] - x[:, 0]), 0.5 * c
    zero = 0 * a
    L = [[da * b - a * db, a * db, zero], [-db * c, db * c, b * dc], [da * c, zero, a * dc]]
    return np.stack([a * b, b * c, a * c], -1), np.moveaxis(np.array(L), -1, 0)


def curvature(x):
    """The second derivatives of ``smooth``'s field, from its gradient's by complex steps."""
    H = np.empty((len(x), 3, 3, 3))
    for k in range(3):
        step = x.astype(complex)
        step[:, k] += 1e-30j
        H[..., k] = smooth(step)[1].imag / 1e-30
    return H


# ---- exactness ----


@pytest.mark.parametrize("order", [1, *ORDERS])
@pytest.mark.parametrize("spacing", ["even", "uneven"])
def test_polynomials_of_the_order_are_exact_up_to_the_boundary(order, spacing):
    axes = [np.linspace(-1, 1, n) if spacing == "even" else uneven(n, n) for n in (11, 12, 13)]
    lattice = Lattice.rectilinear(*axes)
    rng = np.random.default_rng(order)
    f = [[Polynomial(rng.normal(size=order + 1)) for _ in range(3)] for _ in range(3)]
    x = lattice.points.T
    v = np.stack([f[i][0](x[0]) * f[i][1](x[1]) * f[i][2](x[2]) for i in range(3)], -1)
    expected = np.empty((len(v), 3, 3))
    for i in range(3):
        for j in range(3):
            parts = [(f[i][a].deriv() if a == j else f[i][a])(x[a]) for a in range(3)]
            expected[:, i, j] = parts[0] * parts[1] * parts[2]
    error = np.abs(gradients(lattice, v, order) - expected).max()
    assert error < 1e-11 * np.abs(expected).max()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize(
    "shape", [(10, 11, 12), (10, 11, 1), (10, 1, 12), (1, 11, 12), (10, 1, 1), (1, 11, 1), (1, 1, 12)]
)
def test_linear_fields_on_curvilinear_lattices_planes_and_lines(shape, location, order):
    grid = block(*shape)
    flat = [a for a in range(3) if shape[a] == 1]
    grid[..., flat] = 0  # the plane or line is straight
    lattice = Lattice.curvilinear(grid @ TURN.T)
    tangent = TURN @ np.diag([float(a not in flat) for a in range(3)]) @ TURN.T
    x = lattice.points if location == "points" else lattice.centroids
    expected = np.broadcast_to(L0 @ tangent, (len(x), 3, 3))
    found = gradients(lattice, x @ L0.T + 5, order, location)
    np.testing.assert_allclose(found, expected, atol=2e-11)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("order", ORDERS)
def test_images_in_any_direction(order, scale):
    lattice = Lattice.uniform((9, 10, 11), scale * np.array([0.1, 0.2, 0.3]), scale * np.array([3, -4, 5.0]), TURN)
    shear = lattice.points @ L0.T + 7 * scale
    np.testing.assert_allclose(gradients(lattice, shear, order), np.broadcast_to(L0, (990, 3, 3)), atol=1e-11)


# ---- invariance, for any field ----


@pytest.mark.parametrize("order", ORDERS)
def test_turned_shifted_scaled_and_moving_flows(order):
    values = np.random.default_rng(order).normal(size=(720, 3))
    plain = gradients(Lattice.uniform((8, 9, 10), 0.25), values, order)
    size = np.abs(plain).max()
    for scale in (1e-6, 1e6):
        far = Lattice.uniform((8, 9, 10), 0.25 * scale, scale * np.array([1e3, -2e3, 3e3]))
        np.testing.assert_allclose(gradients(far, values, order) * scale, plain, atol=1e-13 * size)
    turned = Lattice.uniform((8, 9, 10), 0.25, (1, 2, 3), TURN.T)
    found = gradients(turned, values @ TURN.T + 100, order)
    np.testing.assert_allclose(found, TURN @ plain @ TURN.T, atol=1e-11 * size)
    curved = Lattice.curvilinear(block(8, 9, 10))
    moved = Lattice.curvilinear(1e6 * (block(8, 9, 10) @ TURN.T + 2))
    own = gradients(curved, values, order)
    found = gradients(moved, values @ TURN.T + 100, order) * 1e6
    np.testing.assert_allclose(found, TURN @ own @ TURN.T, atol=1e-11 * np.abs(own).max())


def test_the_way_axes_run_does_not_matter():
    grid, values = block(9, 10, 11), np.random.default_rng(0).normal(size=(9, 10, 11, 3))
    plain = Lattice.curvilinear(grid)
    flow = Flow.on_lattice(plain, values)
    expected = plain.grid(lattice_operator(flow, 4).vectors(flow.velocity))
    other = Lattice.curvilinear(grid.transpose(2, 0, 1, 3)[::-1])
    flow = Flow.on_lattice(other, values.transpose(2, 0, 1, 3)[::-1])
    found = other.grid(lattice_operator(flow, 4).vectors(flow.velocity))
    np.testing.assert_allclose(found, expected.transpose(2, 0, 1, 3, 4)[::-1], atol=1e-11 * np.abs(expected).max())


# ---- order of convergence, the boundary included ----

SIZES = (24, 48)


def stretched(n):
    return np.tanh(np.linspace(-1, 1, n + 1)) / np.tanh(1)


MAKERS = {
    "uniform": lambda n: Lattice.uniform((n + 1, n + 1, n + 1), 2 / n, (-1, -1, -1)),
    "stretched": lambda n: Lattice.rectilinear(stretched(n), stretched(n) + 0.1, stretched(n)),
    "curvilinear": lambda n: Lattice.curvilinear(2 * block(n + 1, n + 1, n + 1) - 1),
}


def convergence(make, error, sizes=SIZES):
    coarse, fine = (error(make(n)) for n in sizes)
    assert (fine > 1e-11).all(), fine
    return np.log2(coarse / fine)


def parts(lattice, location, difference):
    """Root mean squares inside and on the boundary."""
    shape = lattice.shape if location == "points" else lattice.cell_shape
    square = (difference.reshape(len(difference), -1) ** 2).sum(axis=1)
    edge = np.zeros(shape[::-1], bool)
    for a in range(3):
        across = np.moveaxis(edge, a, 0)
        across[0] = across[-1] = True
    edge = edge.ravel()
    return np.sqrt([square[~edge].mean(), square[edge].mean(), square.max()])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("kind", MAKERS)
def test_observed_order(kind, location, order):
    """Inside, on the boundary, and in the largest error."""

    def error(lattice):
        v, L = smooth(lattice.points if location == "points" else lattice.centroids)
        return parts(lattice, location, gradients(lattice, v, order, location) - L)

    assert (convergence(MAKERS[kind], error) > order - 0.2).all()


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize(("kind", "loss"), [("uniform", 0), ("stretched", 0), ("curvilinear", 1)])
def test_observed_order_of_second_derivatives(kind, loss, order):
    def error(lattice):
        v, _ = smooth(lattice.points)
        found = lattice_operator(Flow(lattice, v, "points"), order).second(v)
        return parts(lattice, "points", found - curvature(lattice.points))

    inside, edge, _ = convergence(MAKERS[kind], error, (18, 36))
    assert inside > order - 0.2 - 0.5 * loss
    assert edge > order - 0.2 - loss


@pytest.mark.parametrize("order", [2, 4])
def test_second_derivatives_of_polynomials(order):
    x = Lattice.rectilinear(uneven(9), uneven(10), uneven(11)).points
    lattice = Lattice.rectilinear(uneven(9), uneven(10), uneven(11))
    v = np.stack([x[:, 0] ** order, x[:, 0] * x[:, 1], x[:, 2] ** 2], -1)
    H = lattice_operator(Flow(lattice, v, "points"), order).second(v)
    expected = np.zeros_like(H)
    expected[:, 0, 0, 0] = order * (order - 1) * x[:, 0] ** (order - 2)
    expected[:, 1, 0, 1] = expected[:, 1, 1, 0] = 1
    expected[:, 2, 2, 2] = 2
    np.testing.assert_allclose(H, expected, atol=1e-9)


# ---- periodic axes ----


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("repeated", [True, False])
def test_periodic_images_have_the_order_at_their_ends(order, repeated):
    def error(n):
        x = np.arange(n + repeated) * 2 * np.pi / n
        lattice = Lattice.uniform((n + repeated, n + repeated), 2 * np.pi / n, periodic=(2 * np.pi, 2 * np.pi))
        assert lattice.axes[0].repeats is repeated
        v = np.stack([np.sin(x)[:, None] * np.cos(x), np.cos(x)[:, None] + 0 * x], -1)
        flow = Flow.on_lattice(lattice, v)
        operator = lattice_operator(flow, order)
        L = lattice.grid(operator.vectors(flow.velocity))[:, :, 0]
        assert operator.one_sided is None
        exact = np.zeros_like(L)
        exact[..., 0, 0], exact[..., 0, 1] = np.cos(x)[:, None] * np.cos(x), -np.sin(x)[:, None] * np.sin(x)
        exact[..., 1, 0] = -np.sin(x)[:, None]
        for axis, matrix in enumerate(operator.matrices):
            np.testing.assert_allclose(lattice.grid(matrix @ flow.velocity)[:, :, 0], L[..., axis], atol=1e-12)
        return np.abs(L - exact).max(axis=(1, 2, 3))

    coarse, fine = error(16), error(32)
    np.testing.assert_allclose(fine.max(), fine[8], rtol=1e-2)  # the ends are as good as the middle
    assert np.log2(coarse.max() / fine.max()) > order - 0.2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("repeated", [True, False])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_linear_fields_around_a_cylinder_and_along_a_periodic_channel(order, repeated, location):
    angle = np.linspace(0, 2 * np.pi, 25)[: 25 if repeated else 24]
    r, t, z = np.meshgrid(uneven(9) + 1, angle, np.linspace(0, 1, 10), indexing="ij")
    ring = Lattice.curvilinear(np.stack([r * np.cos(t), r * np.sin(t), z], -1), (False, True, False))
    x = ring.points if location == "points" else ring.centroids
    found = gradients(ring, x @ L0.T, order, location)
    np.testing.assert_allclose(found, np.broadcast_to(L0, found.shape), atol=1e-11)
    channel = block(20, 9, 10)
    channel = np.concatenate([channel, channel[:1] + np.array([2, 0.5, 0])]) if repeated else channel
    lattice = Lattice.curvilinear(channel, ([2, 0.5, 0], False, False))
    # A field that is periodic with the channel, linear across the period: v = (y − x/4, 0, z).
    shear = np.array([[-0.25, 1, 0], [0, 0, 0], [0, 0, 1.0]])
    x = lattice.points if location == "points" else lattice.centroids
    found = gradients(lattice, x @ shear.T, order, location)
    np.testing.assert_allclose(found, np.broadcast_to(shear, found.shape), atol=1e-11)


def test_periods_that_contradict_the_values_are_noted():
    lattice = Lattice.uniform((9, 5), 0.25, periodic=(True, False))
    v = np.cos(np.linspace(0, 2 * np.pi, 9))[:, None, None] * np.ones((5, 2))
    v[-1] = v[0]
    (note,) = [each for each in lattice_operator(Flow.on_lattice(lattice, v), 2).notes if "axis i" in each]
    assert "give the distance" in note
    assert not any(
        "axis i" in each
        for each in lattice_operator(
            Flow.on_lattice(lattice, v[::-1] + lattice.grid(lattice.points)[:, :, 0, :2]), 2
        ).notes
    )


# ---- holes ----


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["uniform", "rectilinear", "curvilinear", "periodic"])
def test_only_the_holes_are_missing(kind, order):
    """A body in the middle, and single points: fields of the order's degree stay exact where it is kept."""
    lattice = {
        "uniform": Lattice.uniform((28, 25, 26), 0.1),
        "rectilinear": Lattice.rectilinear(uneven(28), uneven(25), uneven(26)),
        "curvilinear": Lattice.curvilinear(block(28, 25, 26)),
        "periodic": Lattice.uniform((28, 25, 26), 0.1, periodic=(True, True, True)),
    }[kind]
    x = lattice.points
    v = np.full_like(x, 3.0) if kind == "periodic" else x @ L0.T
    if kind in ("uniform", "rectilinear"):
        v = v + np.stack([x[:, 0] ** order, x[:, 1] ** order, x[:, 2] ** order], -1)
    expected = np.zeros((len(x), 3, 3)) + (L0 if kind != "periodic" else 0)
    if kind in ("uniform", "rectilinear"):
        expected[:, range(3), range(3)] += order * x ** (order - 1)
    holes = np.zeros(lattice.shape[::-1], bool)
    holes[10:14, 9:15, 9:16] = True
    holes[0, 12, 12] = holes[13, 15, 0] = True
    holes = holes.ravel()
    v[holes, 1] = np.nan
    operator = lattice_operator(Flow(lattice, v, "points"), order)
    L = operator.vectors(v)
    np.testing.assert_array_equal(np.isnan(L).all(axis=(1, 2)), holes)
    np.testing.assert_array_equal(np.isnan(L).any(axis=(1, 2)), holes)
    np.testing.assert_allclose(L[~holes], expected[~holes], atol=1e-9)
    # What stands in the holes is not used.
    filled = np.where(holes[:, None], 1e6, v)
    np.testing.assert_array_equal(operator.vectors(filled), L)
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ filled, L[:, :, axis], atol=1e-10)
    assert not operator.suits(Flow(lattice, filled, "points"))
    assert operator.suits(Flow(lattice, v + 1, "points"))


def test_short_runs_lower_the_order_and_are_counted():
    lattice = Lattice.uniform((13, 4), 0.5)
    x = lattice.points
    v = np.stack([x[:, 0] ** 2, x[:, 1], 0 * x[:, 0]], -1)
    v[x[:, 0] == 1.5] = np.nan  # leaves runs of 3 and 9 points
    v[x[:, 0] == 2.5] = np.nan  # and one of a single point
    operator = lattice_operator(Flow(lattice, v, "points"), 4)
    L = operator.vectors(v)
    alone = x[:, 0] == 2.0
    assert np.isnan(L[alone]).all()
    known = ~alone & np.isfinite(v[:, 0])
    np.testing.assert_allclose(L[known, 0, 0], 2 * x[known, 0], atol=1e-12)
    assert "order lowered at 12 points between missing ones" in operator.notes
    assert "4 points between missing ones have no neighbour along an axis" in operator.notes
    assert "order lowered to 3 along axis j, which has 4 points" in operator.notes
    assert "the lattice is a surface: derivatives out of it are taken as zero" in operator.notes


def test_a_hole_in_the_seam_of_a_periodic_axis():
    x = np.arange(17) * 2 * np.pi / 16
    lattice = Lattice.uniform((17, 3), 2 * np.pi / 16, periodic=(2 * np.pi, False))
    v = np.repeat(np.stack([np.sin(x), np.cos(x)], -1)[:, None], 3, axis=1)
    v[[0, -1]] = np.nan
    flow = Flow.on_lattice(lattice, v)
    L = lattice.grid(lattice_operator(flow, 6).vectors(flow.velocity))[:, 1, 0]
    assert np.isnan(L[[0, -1]]).all()
    np.testing.assert_allclose(L[1:-1, 0, 0], np.cos(x[1:-1]), atol=3e-3)


def test_later_values_that_are_missing_spoil_only_what_used_them():
    lattice = Lattice.uniform((15, 15, 15), 1.0)
    v = np.random.default_rng(0).normal(size=(15**3, 3))
    operator = lattice_operator(Flow(lattice, v, "points"), 4)
    expected = operator.vectors(v)
    spoiled = v.copy()
    spoiled[15**3 // 2, 2] = np.inf
    L = operator.vectors(spoiled)
    bad = np.isnan(L).all(axis=(1, 2))
    assert bad.sum() == 12  # two on each side along each axis; the point itself is not used
    np.testing.assert_array_equal(L[~bad], expected[~bad])


def test_points_that_lie_nowhere_are_holes_too():
    grid = block(9, 10, 11)
    grid[4, 5, 6] = np.nan
    lattice = Lattice.curvilinear(grid)
    flow = Flow(lattice, np.where(np.isnan(lattice.points), 0, lattice.points) @ L0.T, "points")
    L = lattice.grid(lattice_operator(flow, 4).vectors(flow.velocity))
    assert np.isnan(L).any(axis=(3, 4)).sum() == 1
    np.testing.assert_allclose(L[~np.isnan(L)], np.broadcast_to(L0, L.shape)[~np.isnan(L)], atol=1e-11)


# ---- matrices, notes, disguises ----


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("kind", MAKERS)
def test_the_matrices_are_the_operator(kind, location):
    lattice = MAKERS[kind](9)
    values = np.random.default_rng(3).normal(size=(1000 if location == "points" else 729, 3))
    operator = lattice_operator(Flow(lattice, values, location), 6)
    found = operator.apply(values)
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ values, found[:, :, axis], atol=1e-12 * np.abs(found).max())


@pytest.mark.parametrize(("order", "deviation"), [(2, 0.7071), (4, 0.9501)])
def test_noise_inside_a_uniform_lattice(order, deviation):
    """σ_L h/σ_v = √Σw²: √½ and √(130/144)."""
    h = 0.01
    lattice = Lattice.uniform((11, 11, 11), h)
    operator = lattice_operator(Flow(lattice, np.zeros((1331, 3)), "points"), order)
    for matrix in operator.matrices:
        assert h * np.sqrt((matrix[[665]].data ** 2).sum()) == pytest.approx(deviation, abs=5e-5)


def test_cells_at_an_open_end_are_one_sided():
    lattice = Lattice.uniform((6, 5), 1.0, periodic=(5.0, False))
    flow = Flow.on_lattice(lattice, np.ones((5, 4, 2)))
    assert lattice.of_centres.grid(lattice_operator(flow, 2).one_sided)[0, :, 0].tolist() == [True, False, False, True]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("location", ["points", "cells"])
def test_unstructured_meshes_that_are_lattices(kind, location):
    lattice = MAKERS[kind](9)
    rng = np.random.default_rng(5)
    order, turn = rng.permutation(1000), rng.permutation(729)
    rows = np.argsort(order)[lattice.corners([0, 1, 3, 2, 4, 5, 7, 6])][turn]
    mesh = Mesh(lattice.points[order], Cells.of_type(12, rows))
    place = order if location == "points" else turn
    values = rng.normal(size=(len(place), 3))
    expected = gradients(lattice, values, 4, location)
    operator = lattice_operator(Flow(mesh, values[place], location), 4)
    found = operator.vectors(values[place])
    np.testing.assert_allclose(found, expected[place], atol=1e-11 * np.abs(expected).max())
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ values[place], found[:, :, axis], atol=1e-12 * np.abs(found).max())
    H = lattice_operator(Flow(lattice, values, location), 4).second(values)
    np.testing.assert_allclose(operator.second(values[place]), H[place], atol=1e-10 * np.abs(H).max())


def test_what_is_no_lattice_has_no_operator():
    for name in ("tetra", "mixed", "hexahedron"):  # the hexahedra's points are moved at random
        mesh = meshes.SOLIDS[name]
        assert lattice_operator(Flow(mesh, np.zeros((len(mesh.points), 3)), "points"), 2) is None
    with pytest.raises(OptionError, match="1 at least"):
        lattice_operator(Flow(MAKERS["uniform"](4), np.zeros((125, 3)), "points"), 0)


def test_a_folded_lattice_has_no_gradient_where_it_is_folded():
    grid = block(8, 8, 8)
    grid[3:6] = grid[4:5]
    lattice = Lattice.curvilinear(grid)
    values = np.random.default_rng(0).normal(size=(512, 3))
    operator = lattice_operator(Flow(lattice, values, "points"), 2)
    L = lattice.grid(operator.vectors(values))
    assert np.isnan(L[4]).all()
    assert np.isfinite(np.delete(L, 4, axis=0)).all()
    assert any("not smooth" in note for note in operator.notes)
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(lattice.grid(matrix @ values), L[..., axis], atol=1e-11 * np.nanmax(np.abs(L)))


# ---- against others ----


def test_second_order_is_numpys():
    lattice = Lattice.rectilinear(uneven(9), uneven(10), uneven(11))
    v = np.random.default_rng(0).normal(size=(9, 10, 11, 3))
    flow = Flow.on_lattice(lattice, v)
    found = lattice.grid(lattice_operator(flow, 2).vectors(flow.velocity))
    axes = [axis.coordinates for axis in lattice.axes]
    theirs = np.stack(np.gradient(v, *axes, axis=(0, 1, 2), edge_order=2), -1)
    np.testing.assert_allclose(found, theirs, atol=1e-12 * np.abs(theirs).max())


def test_second_order_inside_a_curvilinear_lattice_is_vtks():
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkStructuredGrid
    from vtkmodules.vtkFiltersGeneral import vtkGradientFilter

    lattice = Lattice.curvilinear(block(7, 8, 9))
    values = np.random.default_rng(0).normal(size=(504, 3))
    twin, points, vectors = vtkStructuredGrid(), vtkPoints(), numpy_to_vtk(values, deep=True)
    points.SetData(numpy_to_vtk(lattice.points, deep=True))
    twin.SetDimensions(*lattice.shape)
    twin.SetPoints(points)
    vectors.SetName("v")
    twin.GetPointData().SetVectors(vectors)
    gradient = vtkGradientFilter()
    gradient.SetInputData(twin)
    gradient.SetInputScalars(0, "v")
    gradient.SetResultArrayName("L")
    gradient.Update()
    theirs = lattice.grid(vtk_to_numpy(gradient.GetOutput().GetPointData().GetArray("L")).reshape(-1, 3, 3))
    ours = lattice.grid(gradients(lattice, values, 2))
    inside = (slice(1, -1),) * 3
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-11 * np.abs(ours).max())
