"""Files: one module a format, a registry by suffix, and the way from a file's contents to a Flow."""

from flowgrad.io.contents import Contents
from flowgrad.io.registry import FORMATS, SUFFIXES, flow_of, read, read_contents, steps_of
from flowgrad.io.steps import Step
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtu_writer import write_vtu

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Contents",
    "Step",
    "choose_velocity",
    "flow_of",
    "read",
    "read_contents",
    "steps_of",
    "write_vtu",
]
