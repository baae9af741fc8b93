"""Units of rheometer tables: their texts, what they measure, and their factors to SI."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit: what it measures, and value·factor + offset in SI (temperatures in °C)."""

    dimension: str
    factor: float = 1.0
    offset: float = 0.0


# SI units of what is read, as they are printed.
SI = {"rate": "1/s", "stress": "Pa", "viscosity": "Pa s", "torque": "N m", "temperature": "°C"}

_PREFIXES = {"": 1.0, "M": 1e6, "k": 1e3, "h": 1e2, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9}
# Units that take a prefix.
_PREFIXED = (
    (r"Pa-?s(ec)?|Ns/m2|Nsm-2", "viscosity", 1.0),
    (r"P(oise)?", "viscosity", 0.1),
    (r"Pa(scal)?|N/m2|Nm-2", "stress", 1.0),
    (r"N-?m", "torque", 1.0),
)
_POUND = 0.45359237 * 9.80665
# What is measured, the factor, and texts without spaces, dots and carets.
_FIXED = (
    ("rate", 1.0, "1/s s-1 /s 1/sec sec-1 1/second"),
    ("rate", 1 / 60, "1/min min-1 /min"),
    ("stress", 1.0, "PA pa pascal"),
    ("stress", 0.1, "dyn/cm2 dyne/cm2 dynes/cm2 dyncm-2"),
    ("stress", _POUND / (100 * 0.3048**2), "lbf/100ft2 lb/100ft2 lbs/100ft2"),
    ("stress", _POUND / 0.0254**2, "psi lbf/in2"),
    ("stress", 1e5, "bar"),
    ("stress", 1e6, "N/mm2"),
    ("viscosity", 1.0, "kg/ms kgm-1s-1 PaS pas PAS Pascalsecond pascalsecond"),
    ("viscosity", 0.1, "g/cms gcm-1s-1 dyns/cm2 dynes/cm2s poise"),
    ("viscosity", 1e-3, "cps cPs CPS cp CP cPoise centipoise mpas"),
    ("torque", 1e-7, "dyncm dynecm"),
    ("temperature", 1.0, "°C C degC oC °c"),
    ("kinematic viscosity", 1.0, "mm2/s cSt m2/s St"),
    ("other", 1.0, "s sec min h % ° rad rad/s mrad Hz mm um N mN 1 - K/min °C/min mm/s m/s rpm V As Pa/s"),
)
_KNOWN = {text: Unit(dimension, factor) for dimension, factor, texts in _FIXED for text in texts.split()}
_KNOWN |= {"K": Unit("temperature", 1.0, -273.15)}
_KNOWN |= {text: Unit("temperature", 5 / 9, -160 / 9) for text in ("°F", "degF", "F")}


def unit(text: str) -> Unit | None:
    """The unit of a text such as ``mPa·s``, ``s⁻¹`` or ``dyn/cm²``; None for one that is not known."""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub("[−–]", "-", plain).replace("\u03bc", "u")
    plain = re.sub(r"[\[\](){}\s·⋅∙•×*.^_]", "", plain)
    if plain in _KNOWN:
        return _KNOWN[plain]
    for pattern, dimension, factor in _PREFIXED:
        match = re.fullmatch(f"([Mkhdcmun]?)({pattern})", plain)
        if match:
            return Unit(dimension, factor * _PREFIXES[match[1]])
    return None
