"""Drawings of matplotlib as short SVG for a page: without what says nothing, their letters as text."""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import numpy as np
from numpy.typing import NDArray

from flowgrad.report.compressed import small_address

# What the whole drawing inherits: the joints of lines, which matplotlib states in a style sheet, and the letters.
# Verdana is as wide as DejaVu Sans.
_INHERITED = (
    "stroke-linejoin:round;stroke-linecap:butt;white-space:pre;"
    "font-family:'DejaVu Sans','Bitstream Vera Sans',Verdana,sans-serif"
)
_FAMILY = re.compile(r";?font-family:[^;]*")
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)")


def shortened(drawing: str, prefix: str) -> str:
    """The same picture with hundredths of a point, short names that begin with ``prefix``, and no empty groups."""
    root = fromstring(drawing)
    for parent in [*root.iter()]:
        for child in [*parent]:
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(key): _short(key, value) for key, value in element.attrib.items()}
        element.tail = None
        if element.tag not in ("text", "tspan") or len(element):
            element.text = None
    _rename(root, prefix)
    _without_repeated_styles(root)
    _pack(root)
    _unwrap(root)
    for text in root.iter("text"):
        _set_type(text)
    root.set("style", _INHERITED)
    root.attrib.pop("version", None)
    return tostring(root, encoding="unicode").replace(" />", "/>").replace("<defs/>", "")


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _short(key: str, value: str) -> str:
    """A value with fewer digits and no needless spaces."""
    if key == "d":
        return re.sub(r" ?([A-Za-z]) ?", r"\1", _rounded(value.strip())).replace("\n", "")
    if key in ("x", "y", "points"):
        return _rounded(value)
    if key == "transform":
        return re.sub(r"translate\([^)]*\)", lambda found: _rounded(found[0]), _NO_TURN.sub("", value)).strip()
    return re.sub(r"([:;]) ", r"\1", value) if key == "style" else value


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)


def _rename(root: Element, prefix: str) -> None:
    """Names that nothing refers to go, the others are short ones of this drawing."""
    used = dict.fromkeys(name for element in root.iter() for name in _references(element))
    names = {name: f"{prefix}{number}" for number, name in enumerate(used)}
    for element in root.iter():
        if element.get("id") is not None and (name := element.attrib.pop("id")) in names:
            element.attrib = {"id": names[name], **element.attrib}
        for key, value in element.attrib.items():
            if "#" in value and key != "style":
                element.set(key, re.sub(r"#([\w-]+)", lambda found: "#" + names.get(found[1], found[1]), value))


def _references(element: Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if key == "href" and value.startswith("#"):
            yield value[1:]
        elif value.startswith("url(#"):
            yield value[5:-1]


def _without_repeated_styles(root: Element) -> None:
    """A used shape has its own style, so that the same one beside it says nothing."""
    own = {"#" + str(each.get("id")): each.get("style") for each in root.iter("path") if each.get("id")}
    for use in root.iter("use"):
        if use.get("style") is not None and own.get(str(use.get("href"))) == use.get("style"):
            del use.attrib["style"]


def _pack(root: Element) -> None:
    """Pictures inside the drawing, such as clouds of points, with few colours."""
    for image in root.iter("image"):
        kind, _, data = image.get("href", "").partition(",")
        if kind == "data:image/png;base64":
            image.set("href", small_address(_pixels(data)))


def _pixels(data: str) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(Image.open(BytesIO(base64.b64decode(data))))


def _unwrap(parent: Element) -> None:
    """Groups that say nothing give way to what they hold."""
    children: list[Element] = []
    for child in parent:
        _unwrap(child)
        children += [*child] if child.tag == "g" and not child.attrib else [child]
    parent[:] = children


def _set_type(text: Element) -> None:
    """Letters that stand on one line in one type become one run, from left to right, each where it was; an accent
    joins its letter."""
    _drop_family(text)
    letters = sorted(text, key=lambda span: float(span.get("x", "0")))
    text[:] = []
    for letter in letters:
        letter.text = (letter.text or "").replace("\u00a0", " ")
    run: Element | None = None
    for letter in letters:
        _drop_family(letter)
        if run is not None and unicodedata.combining((letter.text or " ")[0]):
            run.text, run = f"{run.text}{letter.text}", None
        elif run is not None and all(run.get(key) == letter.get(key) for key in ("y", "style")):
            run.text = f"{run.text}{letter.text}"
            run.set("x", f"{run.get('x')} {letter.get('x')}")
        else:
            run = SubElement(text, "tspan", letter.attrib)
            run.text = letter.text


def _drop_family(element: Element) -> None:
    if element.get("style") is not None:
        element.set("style", _FAMILY.sub("", element.attrib["style"]).strip(";"))
    if element.get("transform") == "":
        del element.attrib["transform"]
