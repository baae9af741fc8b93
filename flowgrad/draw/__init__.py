"""One figure of files, as the command line asks for it."""

from flowgrad.draw.figure import draw
from flowgrad.draw.request import KINDS, Request

__all__ = ["KINDS", "Request", "draw"]
