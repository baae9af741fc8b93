"""Numbers for readers: three or four digits, thin spaces, powers of ten, real minus signs."""

from __future__ import annotations

import math

THIN = "\u202f"
MISSING = "–"

# Numbers outside these are written with a power of ten.
_SMALL, _LARGE = 1e-3, 1e5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 4) -> str:
    """The value to so many significant digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.{digits - 1}e}")
    if not rounded:
        return "0"
    if _SMALL <= abs(rounded) < _LARGE:
        return _plain(rounded, digits)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    factor = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    return {"1": power, "−1": "−" + power}.get(factor, f"{factor}{THIN}×{THIN}{power}")


def _plain(value: float, digits: int) -> str:
    places = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    text = f"{value:,.{places}f}"
    whole, _, rest = text.partition(".")
    rest = rest.rstrip("0")
    whole = whole.replace(",", THIN if abs(value) >= 1e4 else "").replace("-", "−")
    return f"{whole}.{rest}" if rest else whole


def count(value: float) -> str:
    """A whole number, its thousands apart."""
    return f"{int(value):,}".replace(",", THIN).replace("-", "−")


def percent(value: float) -> str:
    """A share of 1 in percent; shares that are not quite none or all stay so."""
    return f"{number(100 * value, 3)}{THIN}%"
