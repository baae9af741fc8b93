"""How sure a field is: its standard deviation, or the estimated error of the gradient."""

from __future__ import annotations

from matplotlib.axes import Axes

from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.plot.field import field
from flowgrad.plot.section import Section


def uncertainty(gradient: VelocityGradient, name: str, ax: Axes, section: Section | None = None) -> Axes:
    """The standard deviation of a quantity where the noise of the velocity is known, else the estimated error of the
    gradient, on a section of its mesh: to be put beside ``field`` of the quantity.

    Raises OptionError where neither is known.
    """
    return field(gradient, measure_of(gradient, name), ax, section)


def measure_of(gradient: VelocityGradient, name: str) -> str:
    """What tells how sure a quantity is: ``std(NAME)`` or ``error``, as ``field`` takes them."""
    if name not in QUANTITIES:
        raise OptionError(f"how sure {name} is cannot be said: it is no quantity of the gradient, choose one")
    if gradient.carries_noise(name):
        return f"std({name})"
    if gradient.error is not None:
        return "error"
    raise OptionError(
        f"how sure {name} is cannot be said: give the noise of the velocity (--noise, noise= in Python) or ask for an "
        "estimate of the error (--error, error=True)"
    )
