"""Rheology without a flow: viscosity models, their fits, flow curves and the verdict."""

from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.finding import Finding
from flowgrad.rheology.fit import Fit, fit_models
from flowgrad.rheology.measured_curve import FlowCurveFit, fit_flow_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import MODELS
from flowgrad.rheology.pipe import PipeFlow, pipe_flow

__all__ = [
    "MODELS",
    "Finding",
    "Fit",
    "FlowCurveFit",
    "Model",
    "PipeFlow",
    "Verdict",
    "fit_flow_curve",
    "fit_models",
    "pipe_flow",
]
