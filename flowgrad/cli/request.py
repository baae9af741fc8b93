"""Request of a figure: kind, quantity, place and colours as the command plot gives them, read and checked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flowgrad.errors import OptionError
from flowgrad.option import OptionRecord, option

if TYPE_CHECKING:
    from flowgrad.plot import Plane

# Kinds of figures, what they show, and whether they lie on a section of the mesh.
KINDS: dict[str, tuple[str, bool]] = {
    "field": ("the quantity in colours", True),
    "contours": ("its contours, with arrows of its gradient", True),
    "uncertainty": ("the quantity, and beside it how sure it is", True),
    "ellipses": ("what small circles of fluid become: D and its principal directions", True),
    "flow-types": ("rotation, shear or extension", True),
    "labels": ("what each part shows of the fluid", True),
    "regions": ("plug, plateaus, sheared", True),
    "distribution": ("how much of the flow has which value", False),
    "invariants": ("the map of Q and R", False),
    "flow-curve": ("stress against shear rate", False),
    "viscosity": ("viscosity against shear rate", False),
}
# Those that show the quantity asked for, and those that need the fluid's stress or viscosity.
OF_QUANTITY = ("field", "contours", "uncertainty", "distribution")
OF_FLUID = ("labels", "regions", "flow-curve", "viscosity")
DEFAULT_QUANTITY = "shear_rate"

# Kinds that options are for, where these are not all that lie on a section.
COLOURED = ("field", "contours", "uncertainty")
_ON_BODIES = ("field", "uncertainty", "flow-types", "labels", "regions")
_UNDER_ARROWS = ("field", "uncertainty", "ellipses", "flow-types", "labels", "regions")

Line = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Request(OptionRecord):
    """One figure: a ``kind``, a ``quantity``, and where: on a ``slice`` (z=0.5, or NX,NY,NZ@X,Y,Z: a normal and a
    point), along a ``line`` (X,Y,Z:X,Y,Z), or on the boundary seen from ``view``; by default on the section that shows
    the mesh best. ``limits`` (LOW:HIGH) are those of the colours, ``width`` is one or two columns.

    Raises OptionError for what cannot be right whatever the file.
    """

    title: ClassVar[str] = "what is drawn, and where"

    quantity: str | None = option(
        None,
        "of `flowgrad list quantities`, velocity, viscosity, error, std(NAME), or an array of the file, "
        "array:NAME where a quantity has its name (default: shear_rate)",
        metavar="NAME",
    )
    kind: str = option("field", "of figure, see below (default: field)", metavar="KIND", choices=tuple(KINDS))
    slice: str | None = option(
        None, "plane through a solid mesh, or NX,NY,NZ@X,Y,Z: normal@point", metavar="z=0.5", excludes=("line",)
    )
    line: str | None = option(None, "profile from one point to another, of several files too", metavar="X,Y,Z:X,Y,Z")
    view: str | None = option(None, "the boundary of a solid mesh, seen from x, -x, …, or X,Y,Z", metavar="DIRECTION")
    vectors: bool = option(False, "arrows of the velocity over it")
    streamlines: bool = option(False, "streamlines over it")
    limits: str | None = option(None, "of the colours (default: all but outliers)", metavar="LOW:HIGH")
    width: str | None = option(None, "columns of print: 3.4 or 7 inches", metavar="one|two", choices=("one", "two"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.view is not None and (self.slice or self.line):
            other = "--slice" if self.slice else "--line"
            raise OptionError(f"{other} and --boundary (or --view) exclude each other: give one of them")
        if self.quantity is not None and self.kind not in OF_QUANTITY:
            raise OptionError(f"--kind {self.kind} shows no --quantity: leave one of them out")
        if self.line is not None and self.kind != "field":
            raise OptionError(
                f"--line shows a quantity, and --kind {self.kind} none along a line: leave one of them out"
            )
        if not self.is_on_section:
            for name, given in (("--slice", self.slice), ("--boundary", self.view), ("--limits", self.limits)):
                if given is not None:
                    raise OptionError(f"{name} is for figures of a section of the mesh: leave it out")
        if (self.vectors or self.streamlines) and (not self.is_on_section or self.view is not None):
            raise OptionError("--vectors and --streamlines lie over a plane section: leave them out")
        for name, is_given, kinds in (
            ("--limits", self.limits is not None, COLOURED),
            ("--boundary (or --view)", self.view is not None, _ON_BODIES),
            ("--vectors", self.vectors, _UNDER_ARROWS),
        ):
            if is_given and self.kind not in kinds:
                known = ", ".join(kinds)
                raise OptionError(f"{name} is for --kind {known}, not for {self.kind}: leave one of them out")
        # Read once, so that mistakes show before any file is read.
        _ = (self.plane, self.ends, self.range, self.eye)

    @property
    def is_on_section(self) -> bool:
        """Whether the figure lies on a section of the mesh."""
        return KINDS[self.kind][1] and self.line is None

    @property
    def name(self) -> str:
        """The quantity, or the one that is shown unless told."""
        return self.quantity or DEFAULT_QUANTITY

    @property
    def inches(self) -> float:
        """Width of the figure: two columns for what lies on a section, one for curves."""
        from flowgrad.plot import ONE_COLUMN, TWO_COLUMN

        return TWO_COLUMN if (self.width or ("two" if self.is_on_section else "one")) == "two" else ONE_COLUMN

    @property
    def plane(self) -> Plane | None:
        """That of the slice."""
        if self.slice is None:
            return None
        import numpy as np

        from flowgrad.plot import plane

        text = self.slice.replace(" ", "")
        if match := re.fullmatch(r"([xyz])=([^@]+)", text):
            normal = np.eye(3)["xyz".index(match[1])]
            return plane(normal, _number(match[2], "--slice", self.slice))
        normal_text, at, point = text.partition("@")
        if not at:
            raise OptionError(f"--slice is '{self.slice}': write z=0.5, or a normal and a point, 1,1,0@0,0,0.5")
        normal, place = (np.array(_numbers(each, "--slice", self.slice)) for each in (normal_text, point))
        if not normal.any() or len(normal) != 3 or len(place) != 3:
            raise OptionError(f"--slice is '{self.slice}': give a normal that is not zero and a point, 1,1,0@0,0,0.5")
        return plane(normal, float(normal @ place))

    @property
    def ends(self) -> Line | None:
        """Those of the line, with two coordinates each or three."""
        if self.line is None:
            return None
        ends = [_numbers(each, "--line", self.line) for each in self.line.split(":")]
        if len(ends) != 2 or {len(each) for each in ends} not in ({2}, {3}) or ends[0] == ends[1]:
            raise OptionError(f"--line is '{self.line}': give two points, X,Y,Z:X,Y,Z or X,Y:X,Y")
        return ends[0], ends[1]

    @property
    def range(self) -> tuple[float, float] | None:
        """The limits of the colours."""
        if self.limits is None:
            return None
        ends = [_number(each, "--limits", self.limits) for each in self.limits.split(":")]
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise OptionError(f"--limits is '{self.limits}': give two numbers that rise, LOW:HIGH")
        return ends[0], ends[1]

    @property
    def eye(self) -> str | list[float]:
        """Where the boundary is seen from."""
        text = (self.view or "auto").replace(" ", "")
        if re.fullmatch(r"auto|[+-]?[xyz]", text):
            return text
        vector = _numbers(text, "--view", text) if "," in text else []
        if len(vector) != 3 or not any(vector):
            raise OptionError(f"--view is '{text}': give auto, x, -x, y, -y, z, -z, or a direction X,Y,Z")
        return vector


def _numbers(text: str, option: str, given: str) -> list[float]:
    return [_number(each, option, given) for each in text.split(",")]


def _number(text: str, option: str, given: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise OptionError(f"{option} is '{given}': '{text}' is no finite number")
    return value
