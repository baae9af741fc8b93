"""Meshes: reference cells, points and cells, geometry, topology."""

from flowgrad.mesh.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.mesh import CellFaces, Cells, Mesh
from flowgrad.mesh.reference import REFERENCE_CELLS, cell_name
from flowgrad.mesh.reference_cell import ReferenceCell

__all__ = ["LAGRANGE_CELLS", "REFERENCE_CELLS", "CellFaces", "Cells", "Lattice", "Mesh", "ReferenceCell", "cell_name"]
