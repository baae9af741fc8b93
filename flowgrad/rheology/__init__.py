"""Rheology without a flow: viscosity models, their fits, flow curves and the verdict."""

from flowgrad.rheology.fit import Fit, fit_models
from flowgrad.rheology.measured_curve import FlowCurveFit, fit_flow_curve
from flowgrad.rheology.models import MODELS
from flowgrad.rheology.pipe import PipeFlow, pipe_flow
from flowgrad.rheology.verdict import Verdict

__all__ = ["MODELS", "Fit", "FlowCurveFit", "PipeFlow", "Verdict", "fit_flow_curve", "fit_models", "pipe_flow"]
