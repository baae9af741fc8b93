"""Meshes: reference cells, points and cells, geometry, topology."""

from flowgrad.mesh.mesh import CellFaces, Cells, Mesh
from flowgrad.mesh.reference import REFERENCE_CELLS, ReferenceCell, cell_name

__all__ = ["REFERENCE_CELLS", "CellFaces", "Cells", "Mesh", "ReferenceCell", "cell_name"]
