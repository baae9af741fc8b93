"""The unit of length: that of the positions beside that of the velocity, and what is done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowgrad.errors import OptionError
from flowgrad.io.contents import Contents

_LENGTHS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "km": 1e3, "in": 0.0254, "ft": 0.3048}
_SAME = {"px": "pixel", "pix": "pixel", "pixels": "pixel", "μm": "µm", "um": "µm", "micron": "µm", "inch": "in"}
_WORD = re.compile(r"[^\W\d_]+")


def check_units(contents: Contents, velocity: str) -> None:
    """OptionError where the file says that its positions have another unit of length than its velocity.

    ``velocity`` is the name of its array or of its components.
    """
    said = next((contents.units[name] for name in _names(velocity) if name in contents.units), "")
    place, speed = _length(contents.units.get("x", "")), _length(said)
    if not place or not speed or place == speed:
        return
    known = place in _LENGTHS and speed in _LENGTHS
    factor = f"{_LENGTHS[place] / _LENGTHS[speed]:g}" if known else f"the number of {speed} in one {place}"
    raise OptionError(
        f"{contents.source}: its positions are in {place} and '{velocity}' in {said}, so that gradients would be in "
        f"neither: give --length-scale {factor} (1 to leave it)"
    )


def _names(velocity: str) -> Sequence[str]:
    return [part.strip() for part in velocity.split(",")]


def _length(unit: str) -> str:
    """The unit of length that a unit begins with: ``mm`` of ``mm/s``."""
    match = _WORD.match(unit)
    word = match[0] if match else ""
    return _SAME.get(word.lower(), _SAME.get(word, word))
