"""Figures embedded in a page: minified SVG with its letters as text, and pictures of fields as WebP or PNG."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from io import BytesIO
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from flowgrad.plot.style import Pixels, as_svg, cropped

# What WebP loses at this quality cannot be seen.
_QUALITY = 60
# Dots per inch of pictures: a little more than the page's pixels.
_DPI = 125
# Pixels on the page for a point (1/72 inch) of a figure: its type, of 7 and 8 points, is then readable.
_PIXELS = 1.65

# What the whole drawing inherits: the joints of lines, which matplotlib states in a style sheet, and the letters.
# Verdana is as wide as DejaVu Sans.
_INHERITED = (
    "stroke-linejoin:round;stroke-linecap:butt;white-space:pre;"
    "font-family:'DejaVu Sans','Bitstream Vera Sans',Verdana,sans-serif"
)
_FAMILY = re.compile(r";?font-family:[^;]*")
_NO_TURN = re.compile(r"rotate\(-?0 [^)]*\)")


def address(pixels: Pixels) -> str:
    """Colours (height, width, 3 or 4) as ``data:image/…``: those with transparency exactly, others as well as can be
    seen."""
    from PIL import Image, features

    kind, stream = "webp" if features.check("webp") else "png", BytesIO()
    Image.fromarray(pixels).save(stream, kind, quality=_QUALITY, lossless=pixels.shape[2] == 4)
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}"


def pixels_of(encoded: str) -> Pixels:
    """The colours of a picture in base64."""
    from PIL import Image

    return np.asarray(Image.open(BytesIO(base64.b64decode(encoded))))


def shortened(drawing: str, prefix: str) -> str:
    """The same picture with hundredths of a point, short names that begin with ``prefix``, and no empty groups."""
    # Without namespaces, metadata and the style sheet, whose one rule is inherited.
    drawing = re.sub(r"<(metadata|style).*?</\1>", "", drawing, flags=re.DOTALL)
    root = fromstring(re.sub(r' xmlns(:xlink)?="[^"]*"', "", drawing, count=2).replace(' xlink:href="', ' href="'))
    for element in root.iter():
        shorter = ((key, _short(key, value)) for key, value in element.attrib.items())
        element.attrib = {key: value for key, value in shorter if value or key != "transform"}
        element.tail = None
        if element.tag not in ("text", "tspan") or len(element):
            element.text = None
    _rename(root, prefix)
    # A used shape has its own style, so that the same one beside it says nothing.
    own = {"#" + str(each.get("id")): each.get("style") for each in root.iter("path") if each.get("id")}
    for use in root.iter("use"):
        if use.get("style") is not None and own.get(str(use.get("href"))) == use.get("style"):
            del use.attrib["style"]
    for image in root.iter("image"):
        kind, _, data = image.get("href", "").partition(",")
        if kind == "data:image/png;base64":
            image.set("href", address(pixels_of(data)))
    _unwrap(root)
    for text in root.iter("text"):
        _set_type(text)
    root.set("style", _INHERITED)
    root.attrib.pop("version", None)
    return tostring(root, encoding="unicode").replace(" />", "/>").replace("<defs/>", "")


def _short(key: str, value: str) -> str:
    """A value with fewer digits and no needless spaces."""
    if key == "d":
        return re.sub(r" ?([A-Za-z]) ?", r"\1", _rounded(value.strip())).replace("\n", "")
    if key in ("x", "y", "points"):
        return _rounded(value)
    if key == "transform":
        return re.sub(r"translate\([^)]*\)", lambda found: _rounded(found[0]), _NO_TURN.sub("", value)).strip()
    if key == "style":
        return _FAMILY.sub("", re.sub(r"([:;]) ", r"\1", value)).strip(";")
    return value


def _rounded(text: str) -> str:
    return re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)


def _rename(root: Element, prefix: str) -> None:
    """Names that nothing refers to go, the others are short ones of this drawing."""
    names: dict[str, str] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            if (key == "href" and value.startswith("#")) or value.startswith("url(#"):
                name = value.partition("#")[2].removesuffix(")")
                element.set(key, value.replace(name, names.setdefault(name, f"{prefix}{len(names)}")))
    for element in root.iter():
        if (name := element.attrib.pop("id", "")) in names:
            element.attrib = {"id": names[name], **element.attrib}


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
    letters = sorted(text, key=lambda span: float(span.get("x", "0")))
    text[:] = []
    for letter in letters:
        letter.text = (letter.text or "").replace("\u00a0", " ")
    run: Element | None = None
    for letter in letters:
        if run is not None and unicodedata.combining((letter.text or " ")[0]):
            run.text, run = f"{run.text}{letter.text}", None
        elif run is not None and all(run.get(key) == letter.get(key) for key in ("y", "style")):
            run.text = f"{run.text}{letter.text}"
            run.set("x", f"{run.get('x')} {letter.get('x')}")
        else:
            run = SubElement(text, "tspan", letter.attrib)
            run.text = letter.text


def raster(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as an image that holds its own data."""
    return image(cropped(ax, _DPI)[0][..., :3], description, _PIXELS * 72 / _DPI)


def image(pixels: Pixels, description: str, scale: float = 1.0) -> Markup:
    """Colours (height, width, 3 or 4) as a picture that holds its own data, ``scale`` of their number wide and high."""
    height, width = (round(each * scale) for each in pixels.shape[:2])
    place = Markup('<img alt="{}" width="{}" height="{}" src="{}">')
    return place.format(description, width, height, address(pixels))


def svg(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as inline SVG."""
    ax.minorticks_off()
    return inline(as_svg(ax), description)


def inline(drawing: str, description: str) -> Markup:
    """A drawing as inline SVG, whose names do not clash with those of others."""
    drawing = shortened(drawing, "f" + hashlib.sha256(drawing.encode()).hexdigest()[:8] + "-")
    label = Markup('<svg role="img" aria-label="{}"').format(description)
    # With the size in pixels instead of points.
    sides = re.compile(r'\b(width|height)="([\d.]+)pt"')
    drawing = sides.sub(lambda side: f'{side[1]}="{float(side[2]) * _PIXELS:.0f}"', drawing, count=2)
    return label + Markup(drawing.removeprefix("<svg"))
