"""What must be exact is looked at on every cell type, and what is not exact is seen."""

import numpy as np

from flowgrad.exact import Couette
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS
from scripts.convergence import exactness
from scripts.convergence.table import EXACT


def test_every_cell_type_with_a_gradient_is_looked_at():
    kinds = {c.vtk_type for c in REFERENCE_CELLS.values() if c.dimension > 1 or c.has_interpolant} | set(LAGRANGE_CELLS)
    assert {cell.vtk_type for cell in exactness.cells()} == kinds


def test_single_cells_are_proper_and_curved():
    for cell in exactness.cells():
        mesh = exactness.single(cell)
        assert mesh.measures[0] > 0.05, cell.name
        assert mesh.type_counts() == {cell.name: 1}
    edge = exactness.single(REFERENCE_CELLS[24]).points
    assert np.linalg.norm(edge[4] - (edge[0] + edge[1]) / 2) > 1e-3


def test_all_lines_pass():
    lines = list(exactness.lines())
    assert all(passed for _, passed in lines)
    assert len(lines) == 2 + 1 + 1 + 4 + 4


def test_a_wrong_gradient_of_an_exact_flow_is_seen():
    class Wrong(Couette):
        def rows(self, x, y, z, t):
            return (0.0, 1.0 + 1e-6, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)

    np.testing.assert_allclose(exactness.of_function(Wrong()), 1e-6, rtol=1e-3)
    assert exactness.of_function(Couette()) < EXACT


def test_an_error_above_rounding_is_named():
    line, passed = exactness._line("a scheme", "somewhere", {"fine": 1e-15, "bad": 1e-9})
    assert not passed
    assert line.endswith("FAIL: bad")
    assert not exactness._line("a scheme", "somewhere", {"none": np.nan})[1]
