"""Nodes and shape functions of every cell type, by themselves and against VTK's own cells."""

import numpy as np
import pytest

from flowgrad import MeshError
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS
from flowgrad.mesh.reference import pyramids, shapes
from flowgrad.mesh.reference.lagrange import lagrange_cell
from flowgrad.mesh.reference.shape_functions import gradients, nodal
from tests.high_order import reference

VTK_CLASSES = {
    21: "vtkQuadraticEdge",
    22: "vtkQuadraticTriangle",
    23: "vtkQuadraticQuad",
    24: "vtkQuadraticTetra",
    25: "vtkQuadraticHexahedron",
    26: "vtkQuadraticWedge",
    28: "vtkBiQuadraticQuad",
    29: "vtkTriQuadraticHexahedron",
    30: "vtkQuadraticLinearQuad",
    31: "vtkQuadraticLinearWedge",
    32: "vtkBiQuadraticQuadraticWedge",
    33: "vtkBiQuadraticQuadraticHexahedron",
    34: "vtkBiQuadraticTriangle",
    35: "vtkCubicLine",
    37: "vtkTriQuadraticPyramid",
    68: "vtkLagrangeCurve",
    69: "vtkLagrangeTriangle",
    70: "vtkLagrangeQuadrilateral",
    71: "vtkLagrangeTetra",
    72: "vtkLagrangeHexahedron",
    73: "vtkLagrangeWedge",
}
LAGRANGE = [(t, (p, p, p)) for t in range(68, 74) for p in range(1, 7)] + [(70, (3, 2, 1)), (72, (4, 3, 2))]
ENRICHED = [(69, 7), (71, 15), (73, 21)]


def vtk_cell(cell, degrees=None):
    from vtkmodules import vtkCommonDataModel

    made = getattr(vtkCommonDataModel, VTK_CLASSES[cell.vtk_type])()
    if cell.vtk_type in LAGRANGE_CELLS:
        made.GetPointIds().SetNumberOfIds(cell.size)
        made.GetPoints().SetNumberOfPoints(cell.size)
        if cell.vtk_type in (70, 72):
            made.SetOrder(*degrees[: cell.dimension])
        elif cell.vtk_type == 73:
            made.SetUniformOrderFromNumPoints(cell.size)
        else:
            made.Initialize()
    return made


def in_vtk(cell, xi):
    """VTK's parametric coordinates of ours: its cubic line runs from -1, its pyramid of 19 points from z = 1/2."""
    coordinates = np.zeros(3)
    coordinates[: cell.dimension] = xi
    if cell.vtk_type == 35:
        coordinates[0] = 2 * coordinates[0] - 1
    if cell.vtk_type == 37:
        coordinates[2] = (1 + coordinates[2]) / 2
    return coordinates


def assert_like_vtk(cell, degrees=None):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    other = vtk_cell(cell, degrees)
    places = np.array(other.GetParametricCoords()).reshape(-1, 3)
    np.testing.assert_allclose([in_vtk(cell, node) for node in cell.nodes], places, atol=1e-15)
    sites = cell.family.gauss(3)[0]
    functions = np.zeros((len(sites), cell.size))
    for site, row in zip(sites, functions, strict=True):
        other.InterpolateFunctions(in_vtk(cell, site), row)
    np.testing.assert_allclose(cell.values(sites), functions, atol=1e-13)


@pytest.mark.parametrize("vtk_type", [t for t in VTK_CLASSES if t < 60])
def test_quadratic_cells_are_those_of_vtk(vtk_type):
    assert_like_vtk(REFERENCE_CELLS[vtk_type])


@pytest.mark.parametrize(("vtk_type", "degrees"), LAGRANGE)
def test_lagrange_cells_are_those_of_vtk(vtk_type, degrees):
    assert_like_vtk(reference(vtk_type, degrees), degrees)


@pytest.mark.parametrize(("vtk_type", "count"), ENRICHED)
def test_quadratic_lagrange_cells_with_points_in_their_faces_are_those_of_vtk(vtk_type, count):
    assert_like_vtk(lagrange_cell(vtk_type, count))


@pytest.mark.parametrize("degree", [1, 2, 3, 6])
def test_the_functions_of_high_degree_keep_their_digits(degree):
    cells = [reference(t, (degree,) * 3) for t in LAGRANGE_CELLS if t != 74 or degree < 3]
    for cell in cells:
        np.testing.assert_allclose(cell.values(cell.nodes), np.eye(cell.size), atol=1e-14)
        identity = np.einsum("mkd,ke->mde", cell.gradients(cell.nodes), cell.nodes)
        np.testing.assert_allclose(identity, np.broadcast_to(np.eye(cell.dimension), identity.shape), atol=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 4, 6])
def test_pyramids_hold_the_polynomials_of_their_degree_up_to_the_apex(degree):
    places = [(i, j, k) for k in range(degree + 1) for i in range(degree + 1 - k) for j in range(degree + 1 - k)]
    nodes = (np.array(places) + np.array(places)[:, 2:] * [0.5, 0.5, 0]) / degree
    shape = nodal(nodes, pyramids.complete_pyramid(degree))
    assert nodes[-1].tolist() == [0.5, 0.5, 1]
    np.testing.assert_allclose(shape(nodes.T).T, np.eye(len(nodes)), atol=1e-13)
    x, y, z = nodes.T
    field, slope = x ** (degree - 1) * (y - z), (degree - 1) * x ** max(degree - 2, 0) * (y - z)
    exact = np.column_stack([slope, x ** (degree - 1), -(x ** (degree - 1))])
    np.testing.assert_allclose(np.einsum("mkd,k->md", gradients(shape, nodes), field), exact, atol=2e-13)


@pytest.mark.parametrize(
    "cell", [REFERENCE_CELLS[27], REFERENCE_CELLS[37], lagrange_cell(74, 14)], ids=lambda c: c.size
)
def test_on_its_faces_a_pyramid_has_the_functions_of_its_neighbours(cell):
    """Only nodes of the face matter there, and they give what a quad's or triangle's would."""
    base = np.column_stack([shapes.QUAD.gauss(4)[0], np.zeros(16)])
    in_base = np.flatnonzero(cell.nodes[:, 2] == 0)
    N = cell.values(base)
    assert np.abs(np.delete(N, in_base, axis=1)).max() < 1e-14
    quad = REFERENCE_CELLS[23 if len(in_base) == 8 else 28]
    np.testing.assert_allclose(N[:, in_base], quad.values(base[:, :2]), atol=1e-14)


@pytest.mark.parametrize("family", [shapes.LINE, shapes.QUAD, shapes.TRIANGLE, shapes.TETRA, shapes.WEDGE])
def test_gauss_rules_integrate_powers(family):
    sites, weights = family.gauss(4)
    assert weights.sum() == pytest.approx(family.volume, rel=1e-14)
    assert (family.outside(sites) < 0).all()
    # ∫ xⁿ over the simplex of dimension d is n!/(n + d)!.
    exact = {"triangle": 6 / 120, "tetra": 6 / 720, "wedge": 6 / 120}.get(family.name, 1 / 4)
    assert (weights * sites[:, 0] ** 3).sum() == pytest.approx(exact, rel=1e-13)


FAMILIES = [
    *(shapes.LINE, shapes.QUAD, shapes.TRIANGLE),
    *(shapes.TETRA, shapes.HEXAHEDRON, shapes.WEDGE, shapes.PYRAMID),
]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_gauss_rules_are_exact_to_twice_their_number_less_one(family, count):
    sites, weights = family.gauss(count)
    finer, fine = family.gauss(6)
    degree = 2 * count - 1
    for powers in np.ndindex(*[degree + 1] * family.dimension):
        if sum(powers) <= degree:
            found, exact = weights @ (sites**powers).prod(axis=1), fine @ (finer**powers).prod(axis=1)
            assert found == pytest.approx(exact, rel=1e-13)


def test_numbers_of_points_that_fit_no_degree_are_refused():
    with pytest.raises(MeshError, match="11 points has no degree"):
        lagrange_cell(71, 11)
    with pytest.raises(MeshError, match=r"of degrees \(2, 2, 2\) has not 8 points"):
        lagrange_cell(72, 8, (2, 2, 2))
    with pytest.raises(MeshError, match="does not define the order"):
        lagrange_cell(74, 30)
