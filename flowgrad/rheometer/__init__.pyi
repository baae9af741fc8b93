from .curve import RheometerCurve as RheometerCurve
from .options import CORRECTIONS as CORRECTIONS
from .options import Reading as Reading
from .quality import Hysteresis as Hysteresis
from .quality import hysteresis as hysteresis
from .read import read_flow_curves as read_flow_curves
