"""Flow curves from the tables that rheometers export."""

from flowgrad.rheometer.curve import CORRECTIONS, RheometerCurve
from flowgrad.rheometer.options import Reading
from flowgrad.rheometer.quality import Hysteresis, hysteresis
from flowgrad.rheometer.read import read_flow_curves

__all__ = ["CORRECTIONS", "Hysteresis", "Reading", "RheometerCurve", "hysteresis", "read_flow_curves"]
