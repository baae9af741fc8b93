"""What a figure is to show: the texts of the command line, read and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.plot import ONE_COLUMN, TWO_COLUMN, Plane, plane
from flowgrad.spec import nearest

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
WIDTHS = {"one": ONE_COLUMN, "two": TWO_COLUMN}

# Kinds that options are for, where these are not all that lie on a section.
COLOURED = ("field", "contours", "uncertainty")
_ON_BODIES = ("field", "uncertainty", "flow-types", "labels", "regions")
_UNDER_ARROWS = ("field", "uncertainty", "ellipses", "flow-types", "labels", "regions")

Line = tuple[list[float], list[float]]


@dataclass(frozen=True)
class Request:
    """One figure: a ``kind``, a ``quantity``, and where: on a ``slice`` (z=0.5, or NX,NY,NZ@X,Y,Z: a normal and a
    point), along a ``line`` (X,Y,Z:X,Y,Z), or on the boundary seen from ``view``; by default on the section that shows
    the mesh best. ``limits`` (LOW:HIGH) are those of the colours, ``width`` is one or two columns.

    Raises OptionError for what cannot be right whatever the file.
    """

    quantity: str | None = None
    kind: str = "field"
    slice: str | None = None
    line: str | None = None
    view: str | None = None
    vectors: bool = False
    streamlines: bool = False
    limits: str | None = None
    width: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(
                f"--kind '{self.kind}' is unknown{nearest(self.kind, KINDS)}: known are {', '.join(KINDS)}"
            )
        if self.width not in (None, *WIDTHS):
            raise OptionError(f"--width '{self.width}' is unknown: give one or two (columns)")
        places = [name for name in ("slice", "line", "view") if getattr(self, name) is not None]
        if len(places) > 1:
            shown = {"slice": "--slice", "line": "--line", "view": "--boundary (or --view)"}
            raise OptionError(f"{' and '.join(shown[name] for name in places)} exclude each other: give one of them")
        if self.quantity is not None and self.kind not in OF_QUANTITY:
            raise OptionError(f"--kind {self.kind} shows no --quantity: leave one of them out")
        self._check_place()
        # Read once, so that mistakes show before any file is read.
        _ = (self.plane, self.ends, self.range, self.eye)

    def _check_place(self) -> None:
        if self.line is not None and self.kind != "field":
            raise OptionError(
                f"--line shows a quantity, and --kind {self.kind} none along a line: leave one of them out"
            )
        if not self.is_on_section:
            for name, given in (("--slice", self.slice), ("--boundary", self.view), ("--limits", self.limits)):
                if given is not None:
                    raise OptionError(f"{name} is for figures of a section of the mesh: leave it out")
        self._check_kind("--limits", self.limits is not None, COLOURED)
        self._check_kind("--boundary (or --view)", self.view is not None, _ON_BODIES)
        if (self.vectors or self.streamlines) and (not self.is_on_section or self.view is not None):
            raise OptionError("--vectors and --streamlines lie over a plane section: leave them out")
        self._check_kind("--vectors", self.vectors, _UNDER_ARROWS)

    def _check_kind(self, option: str, given: bool, kinds: tuple[str, ...]) -> None:
        if given and self.kind not in kinds:
            raise OptionError(f"{option} is for --kind {', '.join(kinds)}, not for {self.kind}: leave one of them out")

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
        return WIDTHS[self.width or ("two" if self.is_on_section else "one")]

    @property
    def plane(self) -> Plane | None:
        """That of the slice."""
        if self.slice is None:
            return None
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
        value = np.nan
    if not np.isfinite(value):
        raise OptionError(f"{option} is '{given}': '{text}' is no finite number")
    return value
