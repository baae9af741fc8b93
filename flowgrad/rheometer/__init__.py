"""Rheometers: the tables that they export, as flow curves."""

from flowgrad.rheometer.corrections import CORRECTIONS
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.ramps import Hysteresis, hysteresis
from flowgrad.rheometer.read import read_flow_curves
from flowgrad.rheometer.reading import Reading

__all__ = ["CORRECTIONS", "Hysteresis", "Reading", "RheometerCurve", "hysteresis", "read_flow_curves"]
