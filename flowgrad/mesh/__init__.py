"""Meshes: reference cells, points and cells, geometry, topology."""

from flowgrad.mesh.cells import CellFaces, Cells
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.reference.cell import ReferenceCell, cell_name
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.reference.linear import REFERENCE_CELLS

__all__ = ["LAGRANGE_CELLS", "REFERENCE_CELLS", "CellFaces", "Cells", "Lattice", "Mesh", "ReferenceCell", "cell_name"]
