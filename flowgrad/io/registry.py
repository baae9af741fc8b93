"""Registry of file formats by suffix; each format's module ends in its own :func:`register_format`."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flowgrad.errors import OptionError, ReadError
from flowgrad.io.compression import COMPRESSED, expanded
from flowgrad.io.contents import Contents, Step, at_time, system_errors
from flowgrad.io.unsupported import REASONS

Reader = Callable[[Path], Contents]
Steps = Callable[[Path], Sequence[Step]]


@dataclass(frozen=True)
class Format:
    """What belongs to a suffix: the ``reader`` of files of one time, or ``steps``, which finds the times of files of
    several; what it ``keeps`` of a file; the modules that it ``needs``, with what installs each, and what ``needs_for``
    if not for every file. ``refers``: files name others beside them, and so are not read from a compressed copy."""

    module: str
    reader: Reader | None = None
    steps: Steps | None = None
    keeps: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    needs_for: str = ""
    refers: bool = False

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
) -> None:
    """Make files of these suffixes readable: by ``reader(path)``, which gives the contents of a file of one time, or by
    ``steps(path)``, which gives its times, each with the way to its contents.

    ``keeps`` says in a few words what is kept of a file; ``needs`` are the modules without which it cannot be read and
    what installs them, ``{"netCDF4": "flowgrad[netcdf]"}``, ``needs_for`` which of the files need them; ``refers``
    tells that files name others beside them. Raises OptionError for a suffix that another module has, naming both.
    """
    call = steps or reader
    if call is None or (steps and reader):
        raise OptionError(f"the format {' '.join(suffixes)} needs a reader or steps: give one of them")
    found = Format(call.__module__, reader, steps, keeps, needs or {}, needs_for, refers)
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


def format_of(path: Path) -> Format:
    """The format of a file's suffix, without that of its compression; ReadError if there is none."""
    known = formats()
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
