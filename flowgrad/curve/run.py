"""Tables to results: NAME.json and figures of each curve, and one page."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowgrad.curve.arguments import models_of, reading_of
from flowgrad.curve.printed import lines
from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import printable, replacing
from flowgrad.rheometer import Reading, read_flow_curves
from flowgrad.rheometer.fitted import Examined, examine, sigma_of

log = logging.getLogger("flowgrad")


@dataclass(frozen=True)
class Asked:
    """What is asked of every file: how it is read, and what is fitted."""

    reading: Reading
    models: tuple[str, ...] | None = None
    margin: float = 0.05
    sigma: str | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What became of one file: its curves with the names of their results, or the reason why there are none."""

    source: Path
    examined: Sequence[Examined] = ()
    error: str = ""
    names: tuple[str, ...] = ()


def run(args: argparse.Namespace) -> int:
    """The command; 0 all done, 1 some file failed. Raises OptionError for what fits no file."""
    asked = Asked(reading_of(args), models_of(args.models), args.margin, args.sigma)
    _check(asked)
    files = _expanded(args.files, args.output)
    _make(args.output)
    results = _named([_attempt(file, asked) for file in files])
    for result in results:
        _written(result, args.output, asked)
    if not args.no_report:
        _write_page(results, args.output, asked)
    failed = sum(bool(each.error) for each in results)
    shown = args.output if args.no_report else args.output / "report.html"
    log.info("%d of %d files done: %s", len(results) - failed, len(results), shown)
    return 1 if failed else 0


def _check(asked: Asked) -> None:
    """OptionError for a margin or a standard deviation that is none, whatever the file."""
    import numpy as np

    if not 0 < asked.margin < 1:
        raise OptionError(f"--margin is {asked.margin}: give a fraction between 0 and 1, such as 0.05")
    if asked.sigma is not None:
        sigma_of(asked.sigma, np.ones(1))


def _expanded(patterns: Sequence[str], folder: Path) -> list[Path]:
    from flowgrad.batch.files import expand

    return expand(patterns, folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None


def _attempt(file: Path, asked: Asked) -> Result:
    try:
        curves = read_flow_curves(file, asked.reading)
        return Result(file, examine(curves, asked.models, asked.margin, asked.sigma))
    except FlowgradError as error:
        reason = str(error)
    except Exception as error:
        log.debug("traceback of %s", file, exc_info=True)
        reason = f"unexpected {type(error).__name__} ({error}): please report it, with the output of -v"
    return Result(file, (), " ".join(reason.split()).removeprefix(printable(file)).lstrip(":, "))


def _named(results: Sequence[Result]) -> list[Result]:
    """The results with a name for those of each curve: that of the file, and of the curve where there are several; with
    a number where two would share one."""
    taken: set[str] = set()
    return [replace(each, names=tuple(_free(name, taken) for name in _names(each))) for each in results]


def _names(result: Result) -> list[str]:
    own = result.source.stem
    if len(result.examined) == 1:
        return [_slug(own)]
    return [
        _slug(each.curve.name if each.curve.name.startswith(own) else f"{own} {each.curve.name}")
        for each in result.examined
    ]


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken; file systems may ignore case."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.casefold())
    return found


def _slug(text: str) -> str:
    """A name that every file system takes."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.+]+", "-", plain).strip("-.")[:100] or "curve"


def _written(result: Result, folder: Path, asked: Asked) -> None:
    name = printable(result.source)
    if result.error:
        print(f"flowgrad: {name}: {result.error}", file=sys.stderr)
        return
    for each, own in zip(result.examined, result.names, strict=True):
        print("\n".join(lines(each)))
        _write_json(folder / own, each, result.source, asked)
        _write_figures(folder / own, each)


def _write_json(target: Path, examined: Examined, source: Path, asked: Asked) -> None:
    from flowgrad.pipeline.summary import plain, versions

    provenance = {
        "input": printable(source),
        "sha256": _digest(source),
        "options": options_given(asked),
        "versions": versions(),
    }
    summary: dict[str, Any] = {"file": printable(source.name), **examined.summary(), "provenance": provenance}
    with replacing(target.with_name(target.name + ".json")) as stream:
        stream.write((json.dumps(plain(summary), indent=2, ensure_ascii=False) + "\n").encode())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def options_given(asked: Asked) -> dict[str, Any]:
    """The options that differ from their defaults, by their names on the command line."""
    default, reading = Reading(), asked.reading
    found = {key: value for key, value in vars(reading).items() if value != getattr(default, key)}
    found |= {key: value for key, value in vars(asked).items() if key != "reading" and value != getattr(_DEFAULT, key)}
    return found


_DEFAULT = Asked(Reading())


def _write_figures(target: Path, examined: Examined) -> None:
    from flowgrad import plot

    figures = {"": plot.rheometer_curve, "-viscosity": plot.rheometer_viscosity}
    for suffix, draw in figures.items():
        with plot.figure(plot.ONE_COLUMN * 1.25, plot.ONE_COLUMN) as ax:
            draw(examined, ax)
            for kind in ("png", "svg"):
                with replacing(target.with_name(f"{target.name}{suffix}.{kind}")) as stream:
                    plot.save(ax, stream, kind)


def _write_page(results: Sequence[Result], folder: Path, asked: Asked) -> None:
    from flowgrad.report import CURVES, failed_section, write_report
    from flowgrad.report.curve_section import curve_section

    sections = []
    for result in results:
        name = printable(result.source.name)
        if result.error:
            sections.append(failed_section(name, result.error))
        sections += [curve_section(each, result.source, _digest(result.source)) for each in result.examined]
    write_report(folder / "report.html", sections, _as_written(options_given(asked)), CURVES)


def _as_written(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they stand on the command line."""
    written = {}
    for key, value in options.items():
        if isinstance(value, Mapping):
            value = ",".join(f"{role}={name}" for role, name in value.items())
        elif key == "rates":
            value = "{:g}:{:g}".format(*value).removesuffix("inf")
        written["unit" if key == "units" else key] = value
    return written
