"""Public names of flowgrad, a line each; this file is read at run time."""

__version__: str

from . import autodiff as autodiff
from . import exact as exact
from . import formula as formula
from . import paths as paths
from . import plot as plot
from .errors import DerivativeError as DerivativeError
from .errors import FlowgradError as FlowgradError
from .errors import MeshError as MeshError
from .errors import OptionError as OptionError
from .errors import ReadError as ReadError
from .flow import Flow as Flow
from .flow import Patch as Patch
from .gradient import Autodiff as Autodiff
from .gradient import FiniteDifference as FiniteDifference
from .gradient import tensor_rate as tensor_rate
from .gradient import velocity_gradient as velocity_gradient
from .gradient import velocity_gradients as velocity_gradients
from .interop import from_meshio as from_meshio
from .interop import from_pandas as from_pandas
from .interop import from_pyvista as from_pyvista
from .interop import from_xarray as from_xarray
from .interop import to_meshio as to_meshio
from .interop import to_pandas as to_pandas
from .interop import to_pyvista as to_pyvista
from .interop import to_xarray as to_xarray
from .io import read as read
from .kinematics import QUANTITIES as QUANTITIES
from .kinematics import VelocityGradient as VelocityGradient
from .mesh import Cells as Cells
from .mesh import Lattice as Lattice
from .mesh import Mesh as Mesh
<<<<<<< HEAD
from .pipeline.analysis import Analysis as Analysis
from .pipeline.analysis import analyse as analyse
from .pipeline.options import Options as Options
from .pipeline.write import write as write
=======
from .momentum import Identification as Identification
from .momentum import identify_viscosity as identify_viscosity
from .options import Options as Options
from .output import write as write
>>>>>>> main
from .rheology import FlowCurveFit as FlowCurveFit
from .rheology import PipeFlow as PipeFlow
from .rheology import Verdict as Verdict
from .rheology import fit_flow_curve as fit_flow_curve
from .rheology import pipe_flow as pipe_flow
from .rheometer import RheometerCurve as RheometerCurve
from .rheometer import read_flow_curves as read_flow_curves
from .separation import Separation as Separation
from .separation import separate as separate
from .series import Series as Series
from .series import read_series as read_series
from .statistics import SeriesStatistics as SeriesStatistics
from .statistics import series_statistics as series_statistics
from .walls import Walls as Walls
from .walls import at_walls as at_walls
