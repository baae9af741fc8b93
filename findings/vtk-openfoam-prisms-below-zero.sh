#!/usr/bin/env bash
# Prisms of OpenFOAM's cases in VTK: volumes below zero.
#
# vtkWedge's documentation wants the triangle (0, 1, 2) with its normal pointing out of the cell, and vtkOpenFOAMReader
# orders the points so. vtkWedge's own parametric coordinates, and with them vtkCellSizeFilter, want it pointing in: of
# VTK 9.7.2 the prism of a case has a volume of -0.5 where it is 0.5, beside hexahedra whose volumes are positive. Sums over
# a mesh of both are too small, and sizes that serve as weights have both signs.
#
# flowgrad reads OpenFOAM's cases itself, with the triangle as the parametric coordinates have it.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q vtk==9.7.2
mkdir -p "$folder/case/constant/polyMesh" "$folder/case/1" "$folder/case/system"
cd "$folder/case"
write() { printf 'FoamFile\n{\n    version 2.0;\n    format ascii;\n    class %s;\n    object %s;\n}\n%s\n' "$2" "$(basename "$1")" "$3" > "$1"; }
write system/controlDict dictionary 'application simpleFoam; startTime 0; deltaT 1; writeInterval 1;'
write constant/polyMesh/points vectorField '6 ((0 0 0) (1 0 0) (0 1 0) (0 0 1) (1 0 1) (0 1 1))'
# The points of each face so that its normal points out of the cell.
write constant/polyMesh/faces faceList '5 (3(0 2 1) 3(3 4 5) 4(0 1 4 3) 4(1 2 5 4) 4(2 0 3 5))'
write constant/polyMesh/owner labelList '5 (0 0 0 0 0)'
write constant/polyMesh/neighbour labelList '0 ()'
write constant/polyMesh/boundary polyBoundaryMesh '1 (walls { type wall; nFaces 5; startFace 0; })'
write 1/p volScalarField 'dimensions [0 2 -2 0 0 0 0]; internalField uniform 1; boundaryField { walls { type zeroGradient; } }'
touch case.foam
cat > "$folder/try.py" <<'PY'
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import VTK_WEDGE, vtkUnstructuredGrid
from vtkmodules.vtkFiltersVerdict import vtkCellSizeFilter
from vtkmodules.vtkIOGeometry import vtkOpenFOAMReader


def volume(grid):
    sizes = vtkCellSizeFilter()
    sizes.SetInputData(grid)
    sizes.Update()
    return f"{sizes.GetOutput().GetCellData().GetArray('Volume').GetValue(0):.3f}"


reader = vtkOpenFOAMReader()
reader.SetFileName("case.foam")
reader.Update()
read = reader.GetOutput().GetBlock(0)
points, made = vtkPoints(), vtkUnstructuredGrid()
for i in range(read.GetNumberOfPoints()):
    points.InsertNextPoint(read.GetPoint(i))
made.SetPoints(points)
# The normal of (0, 1, 2) points up, into the cell.
made.InsertNextCell(VTK_WEDGE, 6, (0, 1, 2, 3, 4, 5))
print("read:", read.GetCell(0).GetClassName(), volume(read))
print("pointing in:", made.GetCell(0).GetClassName(), volume(made))
PY
"$folder/env/bin/python" "$folder/try.py" 2>/dev/null | tee "$folder/found"
diff "$folder/found" - <<'TEXT'
read: vtkWedge -0.500
pointing in: vtkWedge 0.500
TEXT
echo "as found: vtkOpenFOAMReader of VTK 9.7.2 gives prisms a negative volume"
