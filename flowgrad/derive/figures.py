"""Figures of formulas: contours in the plane of the first two variables, and arrows of the gradient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.autodiff.numpy_backend import point_jacobians
from flowgrad.derive.answer import number
from flowgrad.derive.derivation import Derivation
from flowgrad.errors import OptionError, WriteError
from flowgrad.files import replacing
from flowgrad.formula import Formula
from flowgrad.formula.values import interval
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.plot import Landscape


_SUFFIXES = ("png", "svg", "pdf")
# Values along each axis, and how far the picture goes to each side of the point unless told.
_VALUES, _REACH = 241, 2.0


def draw(asked: Derivation, output: Path, ranges: str | None = None) -> list[Path]:
    """Write one figure a formula: the file ``output`` (png, svg or pdf), or files in a folder of this name.

    ``ranges`` is ``LOW:HIGH,LOW:HIGH`` for the first two variables; the others stay at the point. Returns the names of
    the files. Raises OptionError for formulas of one variable and other suffixes, WriteError where the system refuses.
    """
    from flowgrad import plot

    window = _window(asked, ranges)
    files = _files(asked, output)
    for (name, formula), file in zip(asked.named, files, strict=True):
        with plot.figure(plot.ONE_COLUMN * 1.25, plot.ONE_COLUMN) as ax, replacing(file) as stream:
            plot.contours(_landscape(asked, name, formula, window), ax)
            plot.save(ax, stream, file.suffix.lstrip(".").lower())
    return files


def _window(asked: Derivation, ranges: str | None) -> list[tuple[float, float]]:
    names = asked.variables
    if len(names) < 2:
        raise OptionError(f"a figure needs two variables, and there is {names[0]} only: name two by --variables")
    if len(names) > 2 and asked.point is None:
        raise OptionError(f"the figure is drawn in {names[0]} and {names[1]}: give --at, where the others stay")
    if ranges is None:
        middle = np.zeros(2) if asked.point is None else asked.point[:2]
        return [(float(each) - _REACH, float(each) + _REACH) for each in middle]
    window = [interval(piece, "--range") for piece in ranges.split(",")]
    if len(window) != 2:
        raise OptionError(f"--range has {len(window)} ranges: give two, for {names[0]} and {names[1]}")
    return window


def _files(asked: Derivation, output: Path) -> list[Path]:
    kind = output.suffix.lstrip(".").lower()
    is_file = bool(kind) and not output.is_dir()
    if is_file and kind not in _SUFFIXES:
        raise OptionError(f"{output}: figures are written as {', '.join(_SUFFIXES)}: choose one of these suffixes")
    if is_file and len(asked.named) > 1:
        raise OptionError(f"{output}: there are {len(asked.named)} figures: give a folder for them")
    folder = output.parent if is_file else output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None
    return [output] if is_file else [folder / f"{name}.png" for name, _ in asked.named]


def _landscape(asked: Derivation, name: str, formula: Formula, window: list[tuple[float, float]]) -> Landscape:
    from flowgrad.plot.contours import Landscape, nodes

    x, y = (np.linspace(low, high, _VALUES) for low, high in window)
    values = formula(_in_plane(asked, np.stack(np.meshgrid(x, y), -1)))
    places = nodes(window)
    slopes = point_jacobians(lambda p: np.stack([formula(p)], -1), _in_plane(asked, places))[1][:, 0, :2]
    names, point = asked.variables, None if asked.point is None else asked.point[:2]
    fixed = [f"{each} = {number(value)}" for each, value in list(asked.place.items())[2:]] if len(names) > 2 else []
    label = f"{name}  ({', '.join(fixed)})" if fixed else name
    return Landscape(x, y, values, places, slopes, (names[0], names[1], label), point)


def _in_plane(asked: Derivation, places: FloatArray) -> FloatArray:
    """Points (…, d): the first two variables at the places (…, 2), the others as they are given."""
    rest = asked.point[2:] if asked.point is not None else np.empty(0)
    return np.concatenate([places, np.broadcast_to(rest, (*places.shape[:-1], len(rest)))], axis=-1)
