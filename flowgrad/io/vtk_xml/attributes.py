"""Numbers in the attributes of VTK XML's elements, as VTK and other writers give them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from flowgrad.errors import ReadError

_DIGITS = 40


def natural(element: ET.Element, attribute: str, default: int) -> int:
    """A whole number from an attribute; ReadError if it is anything else."""
    text = element.get(attribute)
    if text is None:
        return default
    digits = text.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(text) < _DIGITS):
        raise ReadError(f"{attribute} of <{element.tag}> is '{text[:40]}', not a number: the file is damaged")
    return int(digits)


def layout_of(element: ET.Element) -> str:
    """``ascii``, ``binary`` or ``appended``, which uvw 0.7.0 calls ``append``; VTK takes it by the offset."""
    layout = element.get("format", "ascii")
    return "appended" if layout == "append" and "offset" in element.attrib else layout


def components_of(element: ET.Element) -> int:
    """Components of an array: 1 where it does not say; VTK leaves it out for scalars, PyFR 3.1 empty."""
    if not element.get("NumberOfComponents", "").strip():
        return 1
    count = natural(element, "NumberOfComponents", 1)
    if not count:
        raise ReadError("NumberOfComponents is 0: the file is damaged")
    return count


def tuples_of(element: ET.Element, count: int | None) -> int | None:
    """Rows of an array of which there must be ``count`` (None: the file leaves it open); None where it does not say.

    uvw 0.7.0 writes the number of values instead.
    """
    rows = natural(element, "NumberOfTuples", -1)
    if count is None:
        return None if rows < 0 else rows
    if rows not in (-1, count, count * components_of(element)):
        raise ReadError(f"NumberOfTuples is {rows} instead of {count}: the file is damaged")
    return count
