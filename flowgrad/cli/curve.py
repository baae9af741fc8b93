"""Command curve: rheometers' tables to verdicts, models, NAME.json and figures of each flow curve, and one page."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import printable, replacing
from flowgrad.option import add_options, options_of

if TYPE_CHECKING:
    from flowgrad.rheology import Fit
    from flowgrad.rheometer.fitted import Examined
    from flowgrad.rheometer.options import FitOptions, Reading

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad curve rheometer.csv -o out
"""
# Models of a ranking that are printed, and the weight below which the rest is as good as none.
_MOST, _LEAST = 4, 0.01


@dataclass(frozen=True, eq=False)
class _Result:
    """Curves of one file by the names of their results, or the reason why there are none."""

    source: Path
    examined: dict[str, Examined]
    error: str = ""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from flowgrad.rheometer.options import FitOptions, Reading

    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="tables as text (CSV, TSV, TXT) or workbooks (.xlsx, .xls, .ods), or patterns in quotes",
    )
    verb.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the results")
    add_options(verb, Reading, FitOptions)
    verb.add_argument("--no-report", action="store_true", help="no report.html")


def command(args: argparse.Namespace) -> int:
    """Run it; 0 all done, 1 some file failed. Raises OptionError for what fits no file."""
    from flowgrad.batch.files import expand
    from flowgrad.rheometer.options import FitOptions, Reading

    reading, fit = options_of(Reading, args), options_of(FitOptions, args)
    options = {name: value for name, value in (reading.given() | fit.given()).items() if value != {}}
    folder = args.output
    files = expand(args.files, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None
    taken: set[str] = set()
    results = [_examined(file, reading, fit, taken) for file in files]
    for result in results:
        if result.error:
            print(f"flowgrad: {printable(result.source)}: {result.error}", file=sys.stderr)
        for name, examined in result.examined.items():
            print("\n".join(_lines(examined)))
            _write_json(folder / f"{name}.json", examined, result.source, options)
            _write_figures(folder / name, examined)
    if not args.no_report:
        _write_page(folder / "report.html", results, options)
    failed = sum(bool(each.error) for each in results)
    shown = folder if args.no_report else folder / "report.html"
    log.info("%d of %d files done: %s", len(results) - failed, len(results), shown)
    return 1 if failed else 0


def _examined(file: Path, reading: Reading, fit: FitOptions, taken: set[str]) -> _Result:
    """The curves of a file by names that are free: that of the file, and of the curve where there are several."""
    from flowgrad.rheometer import read_flow_curves
    from flowgrad.rheometer.fitted import examine

    try:
        curves = examine(read_flow_curves(file, reading), fit.models, fit.margin, fit.sigma)
    except FlowgradError as error:
        reason = str(error)
    except Exception as error:
        log.debug("traceback of %s", file, exc_info=True)
        reason = f"unexpected {type(error).__name__} ({error}): please report it, with the output of -v"
    else:
        found = {}
        for each in curves:
            name = each.curve.name if each.curve.name.startswith(file.stem) else f"{file.stem} {each.curve.name}"
            found[_free(name if len(curves) > 1 else file.stem, taken)] = each
        return _Result(file, found)
    return _Result(file, {}, " ".join(reason.split()).removeprefix(printable(file)).lstrip(":, "))


def _free(text: str, taken: set[str]) -> str:
    """A name that every file system takes, with a number behind it if it is taken; file systems may ignore case."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = slug = re.sub(r"[^A-Za-z0-9_.+]+", "-", plain).strip("-.")[:100] or "curve"
    number = 1
    while name.casefold() in taken:
        number += 1
        name = f"{slug}-{number}"
    taken.add(name.casefold())
    return name


def _lines(examined: Examined) -> Iterator[str]:
    """The verdict, the best model with intervals, the models after it, what was left out, and notes."""
    from flowgrad.rheometer.curve import counted

    curve, fit = examined.curve, examined.fit
    span = f"shear rates {curve.rate[0]:.4g} to {curve.rate[-1]:.4g}{' 1/s' if curve.is_si else ''}"
    warm = "" if curve.temperature is None else f", {curve.temperature:.3g} °C"
    yield f"{curve.name}: {fit.verdict.value} ({len(curve)} points, {span}{warm})"
    yield f"  {fit.sentence}"
    for place, each in enumerate(fit.ranking[:_MOST], 1):
        if place == 1 or each.weight >= _LEAST:
            yield f"  {place}. {_in_words(each)}"
    for reason, count in curve.excluded.items():
        yield f"  left out: {counted(count)} {reason}"
    for note in examined.notes:
        yield f"  note: {note}"


def _in_words(fit: Fit) -> str:
    """``bingham(tau0 = 1.02 [0.98, 1.05], eta = ?), weight 0.93, misfit 1.2 %``."""
    parts = []
    for name in fit.model.parameters:
        known = f"{fit.parameters[name]:.4g}" if name in fit.parameters else "?"
        ends = "[{:.4g}, {:.4g}]".format(*fit.intervals[name]) if name in fit.intervals else ""
        parts.append(f"{name} = {known} {ends}".rstrip())
    return f"{fit.model.name}({', '.join(parts)}), weight {fit.weight:.3g}, misfit {100 * fit.misfit:.2g} %"


def _write_json(target: Path, examined: Examined, source: Path, options: dict[str, Any]) -> None:
    from flowgrad.pipeline.summary import digest_of, plain, versions

    provenance = {
        "input": printable(source),
        "sha256": digest_of(source),
        "options": options,
        "versions": versions(),
    }
    summary: dict[str, Any] = {"file": printable(source.name), **examined.summary(), "provenance": provenance}
    with replacing(target) as stream:
        stream.write((json.dumps(plain(summary), indent=2, ensure_ascii=False) + "\n").encode())


def _write_figures(target: Path, examined: Examined) -> None:
    from flowgrad import plot

    for suffix, draw in {"": plot.rheometer_curve, "-viscosity": plot.rheometer_viscosity}.items():
        with plot.figure(plot.ONE_COLUMN * 1.25, plot.ONE_COLUMN) as ax:
            draw(examined, ax)
            for kind in ("png", "svg"):
                with replacing(target.with_name(f"{target.name}{suffix}.{kind}")) as stream:
                    plot.save(ax, stream, kind)


def _write_page(target: Path, results: Sequence[_Result], options: dict[str, Any]) -> None:
    from flowgrad.pipeline.summary import digest_of
    from flowgrad.report import CURVES, failed_section, write_report
    from flowgrad.report.curve_section import curve_section

    sections = []
    for result in results:
        if result.error:
            sections.append(failed_section(printable(result.source.name), result.error))
        sections += [curve_section(each, result.source, digest_of(result.source)) for each in result.examined.values()]
    written = dict(options)
    for name in ("columns", "units"):
        if name in written:
            written[name] = ",".join(f"{role}={text}" for role, text in written[name].items())
    if "rates" in written:
        written["rates"] = "{:g}:{:g}".format(*written["rates"]).removesuffix("inf")
    write_report(target, sections, written, CURVES)
