"""Files: one module a format, a registry by suffix, and the way from a file's contents to a Flow."""

from flowgrad.io.contents import Contents
from flowgrad.io.registry import SUFFIXES, read, read_contents
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtu_writer import write_vtu

__all__ = ["SUFFIXES", "Contents", "choose_velocity", "read", "read_contents", "write_vtu"]
