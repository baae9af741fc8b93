"""Classes of cells on a slice, by colour and name: flow types, and labels and regions of a separation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.patches import Patch

from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.plot.axes import frame, inches, is_wide
from flowgrad.plot.cut import section_of
from flowgrad.plot.distribution import measure
from flowgrad.plot.field import draw_polygons, shaded
from flowgrad.plot.scalar_field import flow_of
from flowgrad.plot.slice import Slice
from flowgrad.plot.style import BLUE, GREEN, NO_VALUE, ORANGE, PURPLE, SKY, VERMILION

if TYPE_CHECKING:
    from flowgrad.separation import Separation

_COLOURS = (NO_VALUE, GREEN, BLUE, VERMILION, PURPLE)
_REGION_COLOURS = (NO_VALUE, PURPLE, BLUE, GREEN, VERMILION)
_FLOW_TYPES = {"at rest or unknown": NO_VALUE, "rotation (ξ < −½)": BLUE, "shear": SKY, "extension (ξ > ½)": ORANGE}
# Distance of a legend below the axes, in inches.
_BELOW = 0.42


@dataclass(frozen=True, eq=False)
class Classes:
    """Codes (n,) that index the ``names`` of classes, their ``colours`` and their ``shares`` ``of`` something."""

    codes: np.ndarray
    names: tuple[str, ...]
    colours: Mapping[str, str]
    shares: Mapping[str, float]
    of: str


def categories(gradient: VelocityGradient, classes: Classes, ax: Axes, section: Slice | None = None) -> Axes:
    """Classes of the gradient's tensors on a slice of its mesh, with a legend of those that there are.

    Classes at points colour what lies nearest to each of them: that part of a polygon whose vertex has most of its
    weight from the point. Raises OptionError for a gradient without a mesh.
    """
    section = section or section_of(flow_of(gradient).mesh)
    if gradient.location == "positions":
        raise OptionError("classes at positions cannot be drawn on a slice: take the gradient at points or cells")
    palette = to_rgba_array([classes.colours[name] for name in classes.names])
    if gradient.location == "points":
        owners, outlines, codes = section.owners, section.corners, classes.codes[section.main_points]
    else:
        owners = np.arange(len(section))
        outlines, codes = section.outlines, classes.codes[section.cells]
    shades = None if section.shades is None else section.shades[owners]
    draw_polygons(ax, outlines).set(facecolor=shaded(palette[codes], shades), edgecolor="face")
    frame(ax, section)
    _legend(ax, classes)
    return ax


def labels(separation: Separation, ax: Axes, section: Slice | None = None) -> Axes:
    """The label of each cell on a slice of its mesh, with a legend of their shares of the dissipation.

    Raises OptionError for a separation without a mesh, and where neither stress nor viscosity is known.
    """
    from flowgrad.separation import LABELS

    colours = dict(zip(LABELS, _COLOURS, strict=True))
    classes = Classes(separation.label, LABELS, colours, separation.shares, "dissipation")
    return categories(separation.gradient, classes, ax, section)


def regions(separation: Separation, ax: Axes, section: Slice | None = None) -> Axes:
    """The region of each cell (plug, plateaus, sheared) on a slice, with a legend of their shares of the volume.

    As ``labels`` otherwise.
    """
    from flowgrad.separation import REGIONS

    colours = dict(zip(REGIONS, _REGION_COLOURS, strict=True))
    shares = {name: volume for name, (volume, _) in separation.region_shares.items()}
    classes = Classes(separation.region, REGIONS, colours, shares, "volume")
    return categories(separation.gradient, classes, ax, section)


def flow_types(gradient: VelocityGradient, ax: Axes, section: Slice | None = None) -> Axes:
    """The motion nearest to each cell's by its flow type ξ: rotation (below −½), shear, or extension (above ½),
    with a legend of their shares of the volume. As ``labels`` otherwise."""
    xi = gradient["flow_type"]
    codes = np.where(np.isnan(xi), 0, 1 + np.searchsorted([-0.5, 0.5], xi))
    sums = np.bincount(codes, gradient.weights, minlength=len(_FLOW_TYPES))
    total = float(sums.sum())
    shares = {name: float(each) / total if total else 0.0 for name, each in zip(_FLOW_TYPES, sums, strict=True)}
    classes = Classes(codes, tuple(_FLOW_TYPES), _FLOW_TYPES, shares, measure(gradient))
    return categories(gradient, classes, ax, section)


def _legend(ax: Axes, classes: Classes) -> None:
    present = {classes.names[code] for code in np.unique(classes.codes)}
    handles = []
    for name, share in classes.shares.items():
        if name in present:
            text = f"{name}: " + ("< 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.3g} %")
            handles.append(Patch(facecolor=classes.colours[name], edgecolor="0.45", linewidth=0.4, label=text))
    (width, height), wide = inches(ax), is_wide(ax)
    ax.legend(
        handles=handles,
        title=f"share of the {classes.of}",
        title_fontsize=7,
        alignment="left",
        ncols=max(1, int(width / 1.2)) if wide else 1,
        loc="upper left",
        bbox_to_anchor=(0, -_BELOW / height) if wide else (1 + 0.05 / width, 1),
        borderaxespad=0,
        handlelength=1.2,
    )
