"""VTK's gradients of the same flow: those that ``flowgrad verify`` compares with."""

from flowgrad.verify.vtk_peer import vtk_cell_data_gradients, vtk_cell_gradients, vtk_grid, vtk_point_gradients

__all__ = ["vtk_cell_data_gradients", "vtk_cell_gradients", "vtk_grid", "vtk_point_gradients"]
