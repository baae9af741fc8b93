"""Figure of the command plot: from files to one png, svg or pdf."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowgrad import plot
from flowgrad.cli.request import COLOURED, OF_FLUID, OF_QUANTITY, Request
from flowgrad.errors import OptionError, WriteError
from flowgrad.files import replacing, stem
from flowgrad.flow import Flow
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.pipeline.analysis import analyse_flow, read_flow
from flowgrad.pipeline.options import Options
from flowgrad.plot import Slice
from flowgrad.plot.axes import is_wide, number
from flowgrad.plot.scalar_field import ARRAY, Result, flow_of, scalar_field
from flowgrad.plot.style import GOLDEN, KINDS, figure_of
from flowgrad.separation import Separation
from flowgrad.spec import not_among

log = logging.getLogger("flowgrad")

# Below this ratio of height to width two panels are put below each other.
_LOW = 0.5
# Width that a second panel takes for its colour bar, beyond the margins of one, and between the two, in inches.
_BETWEEN, _GAP = 0.35, 0.15
# What of a gradient may be shown beside the quantities.
_BESIDE = ("viscosity", "error")


def draw(files: Sequence[Path], output: Path, request: Request, options: Options) -> Path:
    """Write the figure of a file, or along a line of several, as png, svg or pdf.

    Raises OptionError for several files without a line, another suffix and an output that is an input; a
    FlowgradError of the first file that cannot be read or drawn; WriteError where the system refuses.
    """
    _check(files, output, request)
    if request.line is not None:
        return _profile(files, output, request, options)
    result = _result(files[0], request, options)
    with _axes(result, request) as (panels, section):
        _draw(panels, section, result, request)
        _save(panels[0], output)
    return output


def _check(files: Sequence[Path], output: Path, request: Request) -> None:
    if output.suffix.lstrip(".").lower() not in KINDS:
        raise OptionError(f"{output}: figures are written as {', '.join(KINDS)}: choose one of these suffixes")
    if len(files) > 1 and request.line is None:
        raise OptionError(f"{len(files)} files: one figure shows several along a --line only: give that, or one file")
    if any(output.exists() and each.exists() and output.samefile(each) for each in files):
        raise OptionError(f"{output} is an input: choose another -o")


def _result(file: Path, request: Request, options: Options) -> Result | Separation:
    """What the kind of figure is of: the separation, its gradient, or just the flow where no gradient is needed."""
    flow = read_flow(file, options)
    is_of_quantity = request.kind in OF_QUANTITY
    if is_of_quantity and _is_of_flow(flow, request):
        return flow
    own = ""
    if is_of_quantity and request.name in {*flow.point_data, *flow.cell_data}:
        own = f"the file's own array of this name is --quantity {ARRAY}{request.name}"
    # What the figure needs and no more.
    name = _bare(request.name)
    quantity = name if is_of_quantity and name in QUANTITIES else "D"
    options = replace(options, quantities=(quantity,), error=options.error or name == "error")
    try:
        separation = analyse_flow(flow, options).separation
        if own:
            scalar_field(separation.gradient, request.name)
    except OptionError as error:
        raise OptionError(f"{error}{f'; {own}' if own else ''}") from None
    if own:
        log.info("%s: %s is computed; %s", flow.name, request.name, own)
    gradient = separation.gradient
    log.debug("%s: %s at %s: %s", flow.name, gradient.scheme, gradient.location, gradient.reason)
    log.debug("%s: %d of %d gradients are left out", flow.name, int((~gradient.valid).sum()), len(gradient))
    for note in gradient.notes:
        log.debug("%s: %s", flow.name, note)
    return separation if request.kind in OF_FLUID else gradient


def _is_of_flow(flow: Flow, request: Request) -> bool:
    """Whether the velocity or an array of the file is shown; OptionError for a name that nothing has."""
    name = _bare(request.name)
    arrays = sorted({*flow.point_data, *flow.cell_data})
    if name in QUANTITIES or name in _BESIDE:
        return False
    what, known = "quantity", [*arrays, "velocity", *_BESIDE, *QUANTITIES]
    if name.startswith(ARRAY):
        what, known, name = "array", arrays, name.removeprefix(ARRAY)
    if name not in known:
        raise OptionError(f"{flow.name}: {not_among(what, name, known)}")
    return request.kind in ("field", "contours")


def _bare(name: str) -> str:
    """``vorticity`` of ``std(vorticity)``."""
    match = re.fullmatch(r"std\((\w+)\)", name)
    return match[1] if match else name


@contextmanager
def _axes(result: Result | Separation, request: Request) -> Iterator[tuple[list[Axes], Slice | None]]:
    """The axes of a figure, two for the uncertainty, and the section that they show."""
    width, height = request.inches, GOLDEN * request.inches
    section = _section(result, request) if request.is_on_section else None
    rows = columns = 1
    if section is not None and request.kind == "uncertainty":
        # Below each other where the page or the section is narrow.
        wide, high = plot.size_for(section, request.inches)
        rows, columns = (2, 1) if request.inches <= plot.ONE_COLUMN or high < _LOW * wide else (1, 2)
    if section is not None:
        width, height = plot.size_for(section, width / columns - (columns - 1) * _BETWEEN)
    with plot.style():
        figure = Figure(figsize=(columns * width, rows * height))
        yield list(np.ravel(figure.subplots(rows, columns))), section


def _section(result: Result | Separation, request: Request) -> Slice:
    mesh = flow_of(result.gradient if isinstance(result, Separation) else result).mesh
    if request.view is not None:
        return plot.boundary(mesh, request.eye)
    plane = request.plane
    return plot.section_of(mesh) if plane is None else plot.cut(mesh, plane)


def _draw(panels: list[Axes], section: Slice | None, result: Result | Separation, request: Request) -> None:
    ax = panels[0]
    if isinstance(result, Separation):
        _OF_FLUID[request.kind](result, ax, *([section] if request.is_on_section else []))
    elif request.kind in _OF_MOTION:
        _OF_MOTION[request.kind](result, ax, *([section] if request.is_on_section else []))
    elif request.kind == "distribution":
        plot.distribution(_gradient(result, request), request.name, ax)
    elif request.kind == "contours":
        plot.gradient_arrows(result, request.name, ax, section, limits=request.range)
    else:
        plot.field(result, request.name, ax, section, limits=request.range)
        if request.kind == "uncertainty":
            plot.uncertainty(_gradient(result, request), request.name, panels[1], section)
    for over, wanted in ((plot.streamlines, request.streamlines), (plot.vectors, request.vectors)):
        if wanted:
            over(result.gradient if isinstance(result, Separation) else result, ax, section)
    if request.kind in COLOURED:
        for panel, name in zip(panels, (request.name, "how sure it is"), strict=False):
            bar = panel.child_axes[-1]
            low, high = bar.get_xlim() if is_wide(panel) else bar.get_ylim()
            _, _, note = (bar.get_xlabel() or bar.get_ylabel()).partition("\n")
            log.debug("colours of %s: %s to %s%s", name, number(low), number(high), f" {note}" if note else "")
    if len(panels) > 1:
        _move_apart(*panels)
    if section is not None:
        plot.say_where(ax, section)


def _move_apart(first: Axes, second: Axes) -> None:
    """Put the second one, which is below or to the right, to where nothing of the first one reaches."""
    figure = figure_of(first)
    one, other = first.get_tightbbox(), second.get_tightbbox()
    assert one is not None
    assert other is not None
    x, y, width, height = second.get_position().bounds
    if y + height / 2 < first.get_position().y0:
        y -= ((other.y1 - one.y0) / figure.dpi + _GAP) / figure.get_figheight()
    else:
        x += ((one.x1 - other.x0) / figure.dpi + _GAP) / figure.get_figwidth()
    second.set_position((x, y, width, height))


# Those of a separation and of a gradient, with a section where they lie on one.
_OF_FLUID: dict[str, Callable[..., Axes]] = {
    "labels": plot.labels,
    "regions": plot.regions,
    "flow-curve": plot.flow_curve,
    "viscosity": plot.viscosity,
}
_OF_MOTION: dict[str, Callable[..., Axes]] = {
    "ellipses": plot.ellipses,
    "flow-types": plot.flow_types,
    "invariants": plot.invariants,
}


def _gradient(result: Result | Separation, request: Request) -> VelocityGradient:
    if not isinstance(result, VelocityGradient):
        raise OptionError(f"--kind {request.kind} shows quantities of the gradient: choose one for --quantity")
    return result


def _profile(files: Sequence[Path], output: Path, request: Request, options: Options) -> Path:
    results: dict[str, Any] = {
        name: _result(file, request, options) for name, file in zip(_names(files), files, strict=True)
    }
    assert request.ends is not None
    start, end = request.ends
    with plot.figure(request.inches) as ax:
        plot.profile(results if len(files) > 1 else next(iter(results.values())), request.name, ax, start, end)
        _save(ax, output)
    return output


def _names(files: Sequence[Path]) -> list[str]:
    """Names for a legend: those of the files without suffix, with their folder where two are the same."""
    stems = [stem(file) for file in files]
    names = [
        each if stems.count(each) == 1 else f"{file.parent.name}/{each}"
        for each, file in zip(stems, files, strict=True)
    ]
    return names if len(set(names)) == len(names) else [f"{i + 1} {each}" for i, each in enumerate(names)]


def _save(ax: Axes, output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{output.parent}: cannot be made a folder ({error.strerror}): choose another -o") from None
    with replacing(output) as stream:
        plot.save(ax, stream, output.suffix.lstrip(".").lower())
