"""Earlier name of :mod:`flowgrad.rheometer.fitted`, kept for scripts."""

from flowgrad.rheometer.fitted import Examined, examine

__all__ = ["Examined", "examine"]
