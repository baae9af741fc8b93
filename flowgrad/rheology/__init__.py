"""The fluid: viscosity laws, flow curves and fits, the separation of the stress, and the verdict."""

from flowgrad.rheology.fit import Fit, fit_models
from flowgrad.rheology.flow_curve_fit import FlowCurveFit, fit_flow_curve
from flowgrad.rheology.given import IDENTIFY, check_viscosity
from flowgrad.rheology.identify import Identification, identify_viscosity
from flowgrad.rheology.models import MODELS
from flowgrad.rheology.pipe import PipeFlow, pipe_flow
from flowgrad.rheology.regions import REGIONS
from flowgrad.rheology.separation import LABELS, Separation, separate
from flowgrad.rheology.verdict import Verdict

__all__ = [
    "IDENTIFY",
    "LABELS",
    "MODELS",
    "REGIONS",
    "Fit",
    "FlowCurveFit",
    "Identification",
    "PipeFlow",
    "Separation",
    "Verdict",
    "check_viscosity",
    "fit_flow_curve",
    "fit_models",
    "identify_viscosity",
    "pipe_flow",
    "separate",
]
