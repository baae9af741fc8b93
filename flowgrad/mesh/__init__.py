"""Meshes: reference cells, points and cells, geometry, topology."""

from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.mesh import CellFaces, Cells, Mesh
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.reference.linear import REFERENCE_CELLS, cell_name

__all__ = ["LAGRANGE_CELLS", "REFERENCE_CELLS", "CellFaces", "Cells", "Lattice", "Mesh", "ReferenceCell", "cell_name"]
