"""flowgrad: from a velocity field to the deformation of the fluid, and to whether it is Newtonian.

flow = flowgrad.read("case.vtu")
gradient = flowgrad.velocity_gradient(flow)
separation = flowgrad.separate(gradient, viscosity="nu")
separation.verdict
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowgrad.errors import DerivativeError, FlowgradError, MeshError, OptionError, ReadError
    from flowgrad.flow import Flow, Patch
    from flowgrad.gradient import Autodiff, FiniteDifference, tensor_rate, velocity_gradient, velocity_gradients
    from flowgrad.interop import (
        from_meshio,
        from_pandas,
        from_pyvista,
        from_xarray,
        to_meshio,
        to_pandas,
        to_pyvista,
        to_xarray,
    )
    from flowgrad.io import read
    from flowgrad.kinematics import QUANTITIES, VelocityGradient
    from flowgrad.mesh import Cells, Lattice, Mesh
    from flowgrad.pipeline.analysis import Analysis, analyse
    from flowgrad.pipeline.options import Options
    from flowgrad.pipeline.write import write
    from flowgrad.rheology import (
        FlowCurveFit,
        Identification,
        PipeFlow,
        Separation,
        Verdict,
        fit_flow_curve,
        identify_viscosity,
        pipe_flow,
        separate,
    )
    from flowgrad.rheometer import RheometerCurve, read_flow_curves
    from flowgrad.series import Series, read_series
    from flowgrad.statistics import SeriesStatistics, series_statistics
    from flowgrad.walls import Walls, at_walls

# Public name → module; resolved on first access, so that importing flowgrad costs next to nothing.
_HOMES = {
    "Analysis": "pipeline.analysis",
    "Autodiff": "gradient",
    "Cells": "mesh",
    "DerivativeError": "errors",
    "FiniteDifference": "gradient",
    "Flow": "flow",
    "FlowCurveFit": "rheology",
    "FlowgradError": "errors",
    "Identification": "rheology",
    "Lattice": "mesh",
    "Mesh": "mesh",
    "MeshError": "errors",
    "OptionError": "errors",
    "Options": "pipeline.options",
    "Patch": "flow",
    "PipeFlow": "rheology",
    "QUANTITIES": "kinematics",
    "ReadError": "errors",
    "RheometerCurve": "rheometer",
    "Separation": "rheology",
    "Series": "series",
    "SeriesStatistics": "statistics",
    "VelocityGradient": "kinematics",
    "Verdict": "rheology",
    "Walls": "walls",
    "analyse": "pipeline.analysis",
    "at_walls": "walls",
    "fit_flow_curve": "rheology",
    "from_meshio": "interop",
    "from_pandas": "interop",
    "from_pyvista": "interop",
    "from_xarray": "interop",
    "identify_viscosity": "rheology",
    "pipe_flow": "rheology",
    "read": "io",
    "read_flow_curves": "rheometer",
    "read_series": "series",
    "separate": "rheology",
    "series_statistics": "statistics",
    "tensor_rate": "gradient",
    "to_meshio": "interop",
    "to_pandas": "interop",
    "to_pyvista": "interop",
    "to_xarray": "interop",
    "velocity_gradient": "gradient",
    "velocity_gradients": "gradient",
    "write": "pipeline.write",
}

# Modules with names of their own, such as flowgrad.paths.ftle.
_MODULES = ("autodiff", "exact", "formula", "paths", "plot")

__all__ = [
    "QUANTITIES",
    "Analysis",
    "Autodiff",
    "Cells",
    "DerivativeError",
    "FiniteDifference",
    "Flow",
    "FlowCurveFit",
    "FlowgradError",
    "Identification",
    "Lattice",
    "Mesh",
    "MeshError",
    "OptionError",
    "Options",
    "Patch",
    "PipeFlow",
    "ReadError",
    "RheometerCurve",
    "Separation",
    "Series",
    "SeriesStatistics",
    "VelocityGradient",
    "Verdict",
    "Walls",
    "analyse",
    "at_walls",
    "fit_flow_curve",
    "from_meshio",
    "from_pandas",
    "from_pyvista",
    "from_xarray",
    "identify_viscosity",
    "pipe_flow",
    "read",
    "read_flow_curves",
    "read_series",
    "separate",
    "series_statistics",
    "tensor_rate",
    "to_meshio",
    "to_pandas",
    "to_pyvista",
    "to_xarray",
    "velocity_gradient",
    "velocity_gradients",
    "write",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("flowgrad")
    if name in _MODULES:
        return importlib.import_module(f"flowgrad.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'flowgrad' has no attribute '{name}'")
    return getattr(importlib.import_module(f"flowgrad.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])
