"""Conversion of flows and results from and to meshio, pandas, PyVista and xarray.

flow = flowgrad.from_pyvista(grid)
flowgrad.to_pyvista(flowgrad.velocity_gradient(flow), ["vorticity"]).plot()

A function for each tool and way; each imports its tool when it is called.
"""

from flowgrad.interop.meshio import from_meshio, to_meshio
from flowgrad.interop.pandas import from_pandas, to_pandas
from flowgrad.interop.pyvista import from_pyvista, to_pyvista
from flowgrad.interop.xarray import from_xarray, to_xarray

__all__ = [
    "from_meshio",
    "from_pandas",
    "from_pyvista",
    "from_xarray",
    "to_meshio",
    "to_pandas",
    "to_pyvista",
    "to_xarray",
]
