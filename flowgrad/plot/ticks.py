"""Ticks that fit their axis, with labels in plain text: mathtext would take most of a figure's time."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axis import Axis, XAxis, YAxis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, ScalarFormatter

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STEPS = (1, 2, 2.5, 5, 10)
# Ratios of the limits up to which ticks are evenly spaced, and up to which 2 and 5 are labelled too.
_NARROW, _FEW = 5.0, 200.0
# Axes that leave this range have powers of ten.
_PLAIN = (1e-3, 1e5)


def linear(axis: Axis, count: int = 6, *, whole: bool = False) -> None:
    """At most about ``count`` ticks at round numbers, ``whole`` ones if asked for, with a common power of ten where
    that is shorter."""
    axis.set_major_locator(MaxNLocator(count, steps=_STEPS, integer=whole))
    axis.set_major_formatter(_Linear())


def logarithmic(axis: XAxis | YAxis, low: float, high: float) -> None:
    """A logarithmic axis from ``low`` to ``high`` (both positive), be it a part of a decade or twenty."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log", f"{axis.axis_name}lim": (low, high)})
    axis.set_minor_formatter(NullFormatter())
    plain = _PLAIN[0] <= low and high < _PLAIN[1]
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.5g}" if plain else _scientific(value)))
    if high < _NARROW * low:
        axis.set_major_locator(MaxNLocator(4 if plain else 2, steps=_STEPS))
        axis.set_minor_locator(LogLocator(subs=()))
    elif high < _FEW * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def named_ticks(named: Mapping[float, str], between: str) -> list[str]:
    """Labels of values that have a meaning: the number and its name."""
    return [f"{value:g}{between}{name}".replace("-", "−").strip() for value, name in named.items()]


class _Linear(ScalarFormatter):
    """Plain numbers, and the common power of ten as ×10⁴ instead of 1e4."""

    def __init__(self) -> None:
        super().__init__(useMathText=False, useOffset=False)

    def get_offset(self) -> str:
        """The common power of ten."""
        _, _, exponent = super().get_offset().partition("e")
        return "×" + _power(exponent.replace("−", "-")) if exponent else ""


def _scientific(value: float) -> str:
    """A multiple of a power of ten."""
    mantissa, exponent = f"{value:.2e}".split("e")
    factor = mantissa.rstrip("0").rstrip(".")
    return _power(exponent) if factor == "1" else f"{factor}×{_power(exponent)}"


def number(value: float, digits: int = 3) -> str:
    """A number for a text on a figure: few digits, a true minus sign, and a power of ten where that is shorter."""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    mantissa = mantissa.replace("-", "−")
    return f"{mantissa}×{_power(exponent)}" if e else mantissa


def _power(exponent: str) -> str:
    return "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
