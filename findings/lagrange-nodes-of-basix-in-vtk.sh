#!/usr/bin/env bash
# FEniCS' default Lagrange nodes, read by VTK's Lagrange cells.
#
# fenics-basix 0.11.0 (with fenics-ufl 2026.1.0) places the nodes of Lagrange elements of degree 3 and more, unless told
# otherwise, near the Gauss-Lobatto points ("gll_warped"). A VTK file cannot say where the nodes of a Lagrange cell are:
# vtkLagrangeQuadrilateral of VTK 9.7.2 takes them as equispaced. A field x³ on the unit square, which a cubic cell holds
# exactly, then has a derivative that is wrong by up to 2.1 times its largest value (9.4 for 3 at x = 1), x⁴ at degree 4
# by 1.3 times; x² at degree 2, where both place the nodes alike, and x³ with the variant "equispaced" are right to
# rounding. So files of a higher order may be worse than quadratic ones, and nothing in them tells.
#
# flowgrad recognises such nodes where the cells are straight, and says so.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q fenics-basix==0.11.0 fenics-ufl==2026.1.0 vtk==9.7.2 numpy
cat > "$folder/try.py" <<'PY'
import basix
import basix.ufl
import numpy as np
from vtkmodules.vtkCommonCore import reference
from vtkmodules.vtkCommonDataModel import vtkLagrangeQuadrilateral


def worst_slope(nodes, degree):
    """Largest error of d(x^degree)/dx over the largest value, by a VTK cell of the nodes (n, 2) of the unit square."""
    levels = np.unique(np.round(nodes[:, 0], 12))
    index = {tuple(np.searchsorted(levels + 1e-9, p)): p for p in nodes}
    cell = vtkLagrangeQuadrilateral()
    cell.GetPointIds().SetNumberOfIds(len(nodes))
    cell.GetPoints().SetNumberOfPoints(len(nodes))
    cell.SetOrder(degree, degree)
    values = np.empty(len(nodes))
    for j in range(degree + 1):
        for i in range(degree + 1):
            n = cell.PointIndexFromIJK(i, j, 0)
            x, y = index[i, j]
            cell.GetPoints().SetPoint(n, x, y, 0.0)
            cell.GetPointIds().SetId(n, n)
            values[n] = x**degree
    worst = 0.0
    for xi in np.linspace(0.0, 1.0, 21):
        place, weights, slope = [0.0] * 3, [0.0] * len(nodes), [0.0] * 3
        cell.EvaluateLocation(reference(0), [xi, 0.5, 0.0], place, weights)
        cell.Derivatives(0, [xi, 0.5, 0.0], values, 1, slope)
        worst = max(worst, abs(slope[0] - degree * place[0] ** (degree - 1)) / degree)
    return worst


for degree, variant in ((2, None), (3, None), (4, None), (3, basix.LagrangeVariant.equispaced)):
    named = {} if variant is None else {"lagrange_variant": variant}
    element = basix.ufl.element("Lagrange", "quadrilateral", degree, **named)
    worst = worst_slope(element.basix_element.points, degree)
    print(degree, element.lagrange_variant.name, "right" if worst < 1e-12 else f"wrong by {worst:.1f}")
PY
"$folder/env/bin/python" "$folder/try.py" | tee "$folder/found"
diff "$folder/found" - <<'TEXT'
2 gll_warped right
3 gll_warped wrong by 2.1
4 gll_warped wrong by 1.3
3 equispaced right
TEXT
echo "as found: vtk 9.7.2 takes the nodes of fenics-basix 0.11.0 as equispaced"
