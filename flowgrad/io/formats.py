"""Formats of files: the contents that a reader gives, the times of a file, and the registry by suffix, in which each
format's module registers itself."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import logging
import math
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import MeshError, OptionError, ReadError
from flowgrad.files import CONTROLS
from flowgrad.io.compression import COMPRESSED, expanded
from flowgrad.io.unsupported import REASONS
from flowgrad.mesh import Mesh
from flowgrad.reprs import ReprMixin

log = logging.getLogger("flowgrad")

Arrays = dict[str, np.ndarray]

# Digits of a count, and names in a message.
_DIGITS, _NAMES = 18, 20
# Seconds in a unit of time.
SECONDS = {
    **dict.fromkeys(("second", "sec", "s"), 1.0),
    **dict.fromkeys(("minute", "min"), 60.0),
    **dict.fromkeys(("hour", "hr", "h"), 3600.0),
    **dict.fromkeys(("day", "d"), 86400.0),
    **dict.fromkeys(("millisecond", "msec", "ms"), 1e-3),
    **dict.fromkeys(("microsecond", "µs", "μs", "us"), 1e-6),
}
# Times that differ by less are the same one written with fewer digits.
SAME_TIME = 1e-5
# More times than this do not fit into a message.
_LISTED = 12


@dataclass(frozen=True, eq=False)
class Contents(ReprMixin):
    """All of a file: mesh, arrays by name in file order, time if the file tells it.

    Point arrays are (n_points,) or (n_points, k), cell arrays (n_cells,) or (n_cells, k), float64
    or integer, native byte order. ``producer`` is ``"OpenFOAM"`` where the file shows that
    OpenFOAM's tools wrote it (its gradients are transposed), else empty. ``patches`` are surfaces of
    the mesh's boundary that the file names, with the values on them; they become ``Flow.boundary``.
    ``units`` are those that the file tells, by array, ``x`` for the positions; ``attributes`` what else it tells of
    arrays, by CF's names (``flag_meanings``, ``standard_name``); ``no_flags`` are arrays that tell nothing of the
    velocity's validity whatever they are called. Raises ReadError for an array's name that holds control characters.
    """

    mesh: Mesh
    source: Path
    point_data: Arrays = field(default_factory=dict)
    cell_data: Arrays = field(default_factory=dict)
    field_data: Arrays = field(default_factory=dict)
    time: float | None = None
    producer: str = ""
    patches: Mapping[str, Contents] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    no_flags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in (*self.point_data, *self.cell_data, *self.field_data):
            if CONTROLS.search(name):
                raise ReadError(f"{self.source}: has the name {ascii(name)[:80]}, which cannot be written: rename it")

    def data(self, location: str) -> Arrays:
        """The arrays at the points or at the cells."""
        return self.point_data if location == "points" else self.cell_data


def native(values: np.ndarray) -> np.ndarray:
    """Values as Contents keeps them: float64, or their own integer type (uint8 for bool)."""
    if values.dtype.kind == "f":
        # A signalling NaN, as some solvers fill unset cells with, becomes a quiet one silently.
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(values, np.float64)
    return np.ascontiguousarray(values, np.uint8 if values.dtype.kind == "b" else values.dtype.newbyteorder("="))


@contextmanager
def naming(subject: object) -> Iterator[None]:
    """Errors about the data that leave this block are ReadErrors that begin with ``subject``."""
    try:
        yield
    except (ReadError, MeshError) as error:
        raise ReadError(f"{subject}: {error}") from None


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Errors of the operating system that leave this block are ReadErrors that name the file."""
    try:
        yield
    except OSError as error:
        raise ReadError(f"{path}: cannot be read ({error.strerror or error}): check its permissions") from None


def whole(text: str | bytes) -> int:
    """A count, of digits only; ReadError for one that no file can hold."""
    if len(text) > _DIGITS:
        raise ReadError(f"declares a count of {len(text)} digits: the file is damaged")
    return int(text)


def listed(names: Iterable[str]) -> str:
    """The first of some names, separated by commas."""
    every = list(names)
    more = f" and {len(every) - _NAMES} more" if len(every) > _NAMES else ""
    return ", ".join(every[:_NAMES]) + more


@dataclass(frozen=True, eq=False)
class Step:
    """One time of a file, None where only the contents tell it, and the way to the contents. ``is_start``: it holds
    what a solver began with, and is no step of the series; ``files``: what it is read from, where that is not the file
    itself."""

    path: Path
    time: float | None
    read: Callable[[], Contents]
    is_start: bool = False
    files: Callable[[], Sequence[Path]] | None = None

    def contents(self) -> Contents:
        """What the file holds at this time; the time given here is the one that counts."""
        with system_errors(self.path):
            contents = self.read()
        return contents if self.time is None else dataclasses.replace(contents, time=self.time)


def at_time(steps: Sequence[Step], time: float | None, path: Path) -> Contents:
    """The contents of the step at a time, of the last one without; OptionError where no step has it."""
    if time is not None and len(steps) == 1 and steps[0].time is None:
        contents = steps[0].contents()
        check_only_time(contents.time, time, path)
        return contents
    return steps[number_at([step.time for step in steps], time, path)].contents()


def number_at(times: Sequence[float | None], time: float | None, path: Path) -> int:
    """The number of the step at a time, of the last one without; errors are those of :func:`at_time`."""
    if not times:
        raise ReadError(f"{path}: holds no time step: write it again")
    if time is None:
        if len(times) > 1:
            log.info("%s: holds %d times (%s): the last is read", path, len(times), _listed(times))
        return len(times) - 1
    # Of a time that is there twice, as after a restart, the later one counts.
    gaps = [math.inf if there is None else abs(there - time) for there in times]
    found = min(reversed(range(len(times))), key=gaps.__getitem__)
    there = times[found]
    if there is None or not is_same(there, time):
        raise OptionError(f"{path}: has no time {time:g}: it holds {_listed(times)}")
    return found


def seconds_in(unit: str) -> float:
    """Seconds in a unit of time, in the singular or the plural; 1 for one that is not known."""
    unit = unit.strip().lower()
    return SECONDS.get(unit.rstrip("s") or unit, SECONDS.get(unit, 1.0))


def is_same(one: float, other: float) -> bool:
    """Whether two times are one, up to the digits that they are written with."""
    return math.isclose(one, other, rel_tol=SAME_TIME)


def check_only_time(there: float | None, time: float | None, path: Path) -> None:
    """OptionError where a time is asked for that is not the only one of a file, which may tell none."""
    if time is None or (there is not None and is_same(there, time)):
        return
    said = "tells no time" if there is None else f"holds the time {there:g} only"
    raise OptionError(f"{path}: has no time {time:g}: it {said}; leave the time out")


def _listed(times: Sequence[float | None]) -> str:
    texts = ["?" if time is None else f"{time:g}" for time in times]
    if len(texts) > _LISTED:
        texts = [*texts[: _LISTED // 2], "…", *texts[-(_LISTED // 2) :]]
    return ", ".join(texts)


def time_of(fields: Arrays) -> float | None:
    """The time in field data, if they tell one."""
    for name in ("TimeValue", "TIME"):
        if name in fields and fields[name].size == 1:
            value = float(fields[name].reshape(-1)[0])
            # A time kept as float32 is the decimal number that the solver printed, 0.1 and not
            # 0.10000000149.
            return float(str(np.float32(value))) if abs(value) < 1e38 and float(np.float32(value)) == value else value
    return None


Reader = Callable[[Path], Contents]
Steps = Callable[[Path], Sequence[Step]]


@dataclass(frozen=True)
class Format:
    """What belongs to a suffix: the ``reader`` of files of one time, or ``steps``, which finds the times of files of
    several; what it ``keeps`` of a file; the modules that it ``needs``, with what installs each, and what ``needs_for``
    if not for every file. ``refers``: files name others beside them, and so are not read from a compressed copy.
    ``folder``: whether a folder is one input of this format."""

    module: str
    reader: Reader | None = None
    steps: Steps | None = None
    keeps: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    needs_for: str = ""
    refers: bool = False
    folder: Callable[[Path], bool] | None = None

    def __str__(self) -> str:
        needed = f"needs {' or '.join(dict.fromkeys(self.needs.values()))}"
        return f"{self.keeps} ({self.needs_for + ': ' if self.needs_for else ''}{needed})" if self.needs else self.keeps


_FORMATS: dict[str, Format] = {}


def register_format(
    suffixes: Sequence[str],
    *,
    reader: Reader | None = None,
    steps: Steps | None = None,
    keeps: str = "",
    needs: Mapping[str, str] | None = None,
    needs_for: str = "",
    refers: bool = False,
    folder: Callable[[Path], bool] | None = None,
) -> None:
    """Make files of these suffixes readable: by ``reader(path)``, which gives the contents of a file of one time, or by
    ``steps(path)``, which gives its times, each with the way to its contents.

    ``keeps`` says in a few words what is kept of a file; ``needs`` are the modules without which it cannot be read and
    what installs them, ``{"netCDF4": "flowgrad[netcdf]"}``, ``needs_for`` which of the files need them; ``refers``
    tells that files name others beside them; ``folder`` tells of a folder whether it is one input of this kind. Raises
    OptionError for a suffix that another module has, naming both.
    """
    call = steps or reader
    if call is None or (steps and reader):
        raise OptionError(f"the format {' '.join(suffixes)} needs a reader or steps: give one of them")
    found = Format(call.__module__, reader, steps, keeps, needs or {}, needs_for, refers, folder)
    if not found.module.startswith("flowgrad.io."):
        formats()  # what flowgrad reads itself is taken
    for suffix in suffixes:
        if not suffix.startswith(".") or suffix != suffix.lower():
            raise OptionError(f"'{suffix}' of {found.module} is not a suffix: give it with its dot, in small letters")
        other = _FORMATS.get(suffix, found).module
        if other != found.module:
            raise OptionError(f"the suffix {suffix} of {found.module} is taken by {other}: choose another")
    _FORMATS.update(dict.fromkeys(suffixes, found))


@functools.cache
def formats() -> Mapping[str, Format]:
    """All formats by suffix: those of flowgrad, and those that were registered elsewhere."""
    # Each module of this package registers its own; VTK's own formats first, which messages then name first.
    for place in ("flowgrad.io.vtk_xml", "flowgrad.io"):
        modules = pkgutil.iter_modules(importlib.import_module(place).__path__, f"{place}.")
        for module in sorted(modules, key=lambda each: each.name, reverse=True):
            importlib.import_module(module.name)
    return _FORMATS


def folder_format(path: Path) -> Format | None:
    """The format of a folder that is one input; None for other folders, and for files."""
    if not path.is_dir():
        return None
    return next((each for each in formats().values() if each.folder is not None and each.folder(path)), None)


def format_of(path: Path) -> Format:
    """The format of a file's suffix, without that of its compression, or of a folder; ReadError if there is none."""
    known, of_folder = formats(), folder_format(path)
    if of_folder is not None:
        return of_folder
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    for count in (2, 1):
        suffix = "".join(plain.suffixes[-count:]).lower()
        if suffix in known:
            return known[suffix]
    if plain.suffix.lower() in REASONS:
        raise ReadError(f"{path}: {REASONS[plain.suffix.lower()]}")
    raise ReadError(f"{path}: files with the suffix '{plain.suffix}' are not read: convert to one of {' '.join(known)}")


def check_file(path: Path) -> None:
    """ReadError for what is not a file with something in it."""
    if not path.exists():
        raise ReadError(f"{path}: there is no such file: check the name")
    if path.is_dir() and folder_format(path) is not None:
        return
    if not path.is_file():
        raise ReadError(f"{path}: is {'a directory' if path.is_dir() else 'not a file'}: give a file")
    # A .foam only says which folder.
    if not path.stat().st_size and path.suffix.lower() != ".foam":
        raise ReadError(f"{path}: is empty: write it again")


def steps_of(path: str | Path) -> Sequence[Step]:
    """The times that a file holds, each with the way to its contents; ReadError for a file that is not read."""
    path = Path(path)
    with system_errors(path):
        check_file(path)
        kind = format_of(path)
        if path.suffix.lower() in COMPRESSED:
            return _compressed_steps(path, kind)
        if kind.steps is not None:
            return kind.steps(path)
        assert kind.reader is not None
        return (Step(path, None, partial(kind.reader, path)),)


def files_of(path: Path, time: float | None = None) -> Sequence[Path]:
    """The files that an input at a time is read from: itself, but of a folder, or of a file that stands for one."""
    if not path.exists() or format_of(path).folder is None:
        return (path,)
    steps = steps_of(path)
    step = next((each for each in steps if time is not None and each.time == time), steps[-1])
    return (path,) if step.files is None else step.files()


def _compressed_steps(path: Path, kind: Format) -> Sequence[Step]:
    """The steps of a compressed file, which is expanded anew for each."""
    if kind.refers:
        raise ReadError(f"{path}: names other files beside it: expand it first, where it is")

    def contents(number: int) -> Contents:
        with expanded(path) as copy:
            return dataclasses.replace(steps_of(copy)[number].contents(), source=path)

    if kind.steps is None:
        return (Step(path, None, partial(contents, 0)),)
    with expanded(path) as copy:
        times = [step.time for step in kind.steps(copy)]
    return [Step(path, time, partial(contents, number)) for number, time in enumerate(times)]


def read_contents(path: str | Path, time: float | None = None) -> Contents:
    """Everything a file holds at a time (default: the last), by the reader of its suffix.

    Raises ReadError for a file that is not read, OptionError for a time that it does not hold.
    """
    return at_time(steps_of(path), time, Path(path))
