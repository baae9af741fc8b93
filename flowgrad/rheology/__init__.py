"""The fluid: viscosity laws, flow curves and fits, the separation of the stress, and the verdict."""

from flowgrad.rheology.fit import Fit, fit_models
from flowgrad.rheology.given import check_viscosity
from flowgrad.rheology.models import MODELS
from flowgrad.rheology.separation import LABELS, Separation, separate
from flowgrad.rheology.verdict import Verdict

__all__ = ["LABELS", "MODELS", "Fit", "Separation", "Verdict", "check_viscosity", "fit_models", "separate"]
