"""Command curve: rheometers' tables to verdicts, models, NAME.json and figures of each flow curve, and one page."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import printable, replacing
from flowgrad.option import add_options, options_of

if TYPE_CHECKING:
    from flowgrad.report import FileSection
    from flowgrad.rheology import Fit
    from flowgrad.rheometer.fitted import Examined
    from flowgrad.rheometer.options import FitOptions, Reading
    from flowgrad.rheometer.reduction import Reduction
    from flowgrad.rheometer.together import Together

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad curve rheometer.csv -o out
  flowgrad curve 'screening/*.csv' -o out --jobs auto --no-figures
  flowgrad curve melt_*C.txt --master --reference 180 -o out
  flowgrad curve gaps.xlsx --mooney plates --sizes "A=0.5mm,B=1mm,C=2mm" -o out
"""
# Models of a ranking that are printed, and the weight below which the rest is as good as none.
_MOST, _LEAST = 4, 0.01


@dataclass(frozen=True, eq=False)
class _Result:
    """Curves of one file, or the reason why there are none."""

    source: Path
    examined: list[Examined]
    error: str = ""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from flowgrad.rheometer.options import FitOptions, Reading
    from flowgrad.rheometer.together import Together

    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="tables as text (CSV, TSV, TXT) or workbooks (.xlsx, .xls, .ods), or patterns in quotes",
    )
    verb.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder of the results")
    add_options(verb, Reading, FitOptions, Together)
    verb.add_argument("--explain", action="store_true", help="print the path that led to each verdict")
    verb.add_argument("--no-report", action="store_true", help="no report.html")
    verb.add_argument("--no-figures", action="store_true", help="no pictures, as files and in report.html")
    verb.add_argument("--jobs", metavar="N|auto", help="worker processes for many files (default 1; auto: one a core)")


def command(args: argparse.Namespace) -> int:
    """Run it; 0 all done, 1 some file failed. Raises OptionError for what fits no file."""
    from flowgrad.batch.files import expand
    from flowgrad.batch.settings import Settings
    from flowgrad.rheometer.options import FitOptions, Reading
    from flowgrad.rheometer.together import Together, corrects_late

    reading, fit, together = options_of(Reading, args), options_of(FitOptions, args), options_of(Together, args)
    given = reading.given() | fit.given() | together.given()
    options = {name: value for name, value in given.items() if value != {}}
    folder = args.output
    files = expand(args.files, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None
    taken: set[str] = set()
    late = corrects_late(together, reading.correction)
    written = _Written(folder, options, figures=not args.no_figures, reports=not args.no_report)
    reads = replace(reading, correction=None) if late else reading
    sections: list[FileSection | None] = []
    with _workers(Settings(jobs=args.jobs).processes) as mapped:
        results = list(mapped(partial(_examined, reads, fit), files))
        named = [(name, each, [result.source]) for result in results for name, each in _named(result, taken)]
        told = iter(mapped(written.curve, *zip(*named, strict=True))) if named else iter(())
        for result in results:
            if result.error:
                print(f"flowgrad: {printable(result.source)}: {result.error}", file=sys.stderr)
                sections.append(written.failed(result))
            for examined in result.examined:
                print("\n".join(_lines(examined, args.explain)))
                sections.append(next(told))
    reductions, problem = _reduced(results, fit, together, reading.correction if late else None, taken)
    if problem:
        print(f"flowgrad: {problem}", file=sys.stderr)
    of_reductions = []
    for name, (reduction, examined) in reductions.items():
        print("\n".join(_reduction_lines(reduction, examined, args.explain)))
        # All files are the source of what is made of them.
        sources = [each.source for each in results if each.examined]
        of_reductions.append(written.curve(name, examined, sources, reduction))
    written.page([*of_reductions, *sections])
    done = sum(not each.error for each in results)
    shown = folder if args.no_report else folder / "report.html"
    log.info("%d of %d files done: %s", done, len(results), shown)
    return 0 if done == len(results) and not problem else 1


@contextmanager
def _workers(count: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """``map`` in this process, or in so many others."""
    if count == 1:
        yield map
        return
    with ProcessPoolExecutor(count) as pool:
        yield pool.map


def _examined(reading: Reading, fit: FitOptions, file: Path) -> _Result:
    """The curves of a file, with all that is told of them."""
    from flowgrad.rheometer import read_flow_curves
    from flowgrad.rheometer.fitted import examine

    try:
        curves = examine(read_flow_curves(file, reading), fit.models, fit.margin, fit.sigma, fit.bootstrap)
        # What is found lazily is found here, where it may be in a worker.
        for each in curves:
            each.summary()
    except FlowgradError as error:
        reason = str(error)
    except Exception as error:
        log.debug("traceback of %s", file, exc_info=True)
        reason = f"unexpected {type(error).__name__} ({error}): please report it, with the output of -v"
    else:
        return _Result(file, curves)
    return _Result(file, [], " ".join(reason.split()).removeprefix(printable(file)).lstrip(":, "))


def _named(result: _Result, taken: set[str]) -> Iterator[tuple[str, Examined]]:
    """The curves of a file by names that are free: that of the file, and of the curve where there are several."""
    stem = result.source.stem
    for each in result.examined:
        name = each.curve.name if each.curve.name.startswith(stem) else f"{stem} {each.curve.name}"
        yield _free(name if len(result.examined) > 1 else stem, taken), each


def _reduced(
    results: Sequence[_Result], fit: FitOptions, together: Together, correction: str | None, taken: set[str]
) -> tuple[dict[str, tuple[Reduction, Examined]], str]:
    """What is made of all curves together, with its verdict, by names that are free; and why there is none."""
    from flowgrad.rheometer.fitted import examine
    from flowgrad.rheometer.together import reduced

    curves = [each.curve for result in results for each in result.examined]
    try:
        found = reduced(curves, together, correction) if curves else []
        examined = [examine([each.curve], fit.models, fit.margin, fit.sigma, fit.bootstrap)[0] for each in found]
    except OptionError as error:
        return {}, str(error)
    return {_free(each.curve.name, taken): (each, of) for each, of in zip(found, examined, strict=True)}, ""


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


def _lines(examined: Examined, explain: bool) -> Iterator[str]:
    """The verdict, the best model with intervals, the models after it, what was left out, notes; how it was decided."""
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
    if not explain:
        return
    for number, step in enumerate(fit.finding.path, 1):
        yield f"  step {number}. {step}"
    for name, (weight, drawn) in examined.probabilities.items():
        yield f"  class {name}: Akaike weight {weight:.3g}, probability by bootstrap {drawn:.2g}"


def _reduction_lines(reduction: Reduction, examined: Examined, explain: bool) -> Iterator[str]:
    """What was found on the way as a table, notes, and the verdict on the curve that was made."""
    yield f"{reduction.curve.name}: {reduction.statement}"
    rows = reduction.rows()
    headings = [reduction.headings[key] for key in rows[0]]
    cells = [headings, *([f"{value:.4g}" for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    for note in reduction.notes:
        yield f"  note: {note}"
    yield from _lines(examined, explain)


def _in_words(fit: Fit) -> str:
    """``bingham(tau0 = 1.02 [0.98, 1.05], eta = ?), weight 0.93, misfit 1.2 %``."""
    parts = []
    for name in fit.model.parameters:
        known = f"{fit.parameters[name]:.4g}" if name in fit.parameters else "?"
        ends = "[{:.4g}, {:.4g}]".format(*fit.intervals[name]) if name in fit.intervals else ""
        parts.append(f"{name} = {known} {ends}".rstrip())
    return f"{fit.model.name}({', '.join(parts)}), weight {fit.weight:.3g}, misfit {100 * fit.misfit:.2g} %"


@dataclass(frozen=True, eq=False)
class _Written:
    """Files of the curves in a folder, with ``figures``, and with sections of the report, where they are asked for."""

    folder: Path
    options: dict[str, Any]
    figures: bool
    reports: bool

    def failed(self, result: _Result) -> FileSection | None:
        """The file's line of the report."""
        from flowgrad.report import failed_section

        return failed_section(printable(result.source.name), result.error) if self.reports else None

    def curve(
        self, name: str, examined: Examined, sources: Sequence[Path], reduction: Reduction | None = None
    ) -> FileSection | None:
        """NAME.json, NAME-laws.csv and the figures of a curve, each drawn once; its section of the report."""
        from flowgrad.rheology.law_table import law_table

        digests = self._json(name, examined, sources, reduction)
        with replacing(self.folder / f"{name}-laws.csv") as stream:
            stream.write(law_table(examined.fit.ranking, examined.curve.is_si).encode())
        if not self.figures and not self.reports:
            return None
        from flowgrad.report.curve_section import curve_section, drawings_of

        drawings = drawings_of(examined, reduction) if self.figures else {}
        for end, each in drawings.items():
            for kind, content in (("png", each.png), ("svg", each.svg.encode())):
                with replacing(self.folder / f"{name}{end}.{kind}") as stream:
                    stream.write(content)
        return curve_section(examined, drawings, sources[0], ", ".join(digests), reduction) if self.reports else None

    def _json(self, name: str, examined: Examined, sources: Sequence[Path], reduction: Reduction | None) -> list[str]:
        """NAME.json; the digests of the sources."""
        from flowgrad.pipeline.summary import digest_of, plain, versions

        names, digests = [printable(each) for each in sources], [digest_of(each) for each in sources]
        several = len(sources) > 1
        provenance = {
            "input": names if several else names[0],
            "sha256": digests if several else digests[0],
            "options": self.options,
            "versions": versions(),
        }
        summary: dict[str, Any] = {"file": ", ".join(printable(each.name) for each in sources), **examined.summary()}
        summary |= ({} if reduction is None else {"reduction": reduction.summary()}) | {"provenance": provenance}
        with replacing(self.folder / f"{name}.json") as stream:
            stream.write((json.dumps(plain(summary), indent=2, ensure_ascii=False) + "\n").encode())
        return digests

    def page(self, sections: Iterable[FileSection | None]) -> None:
        """The report, where one is asked for."""
        if not self.reports:
            return
        from flowgrad.report import CURVES, write_report

        written = dict(self.options)
        for name in ("columns", "units"):
            if name in written:
                written[name] = ",".join(f"{role}={text}" for role, text in written[name].items())
        if "sizes" in written:
            written["sizes"] = ",".join(f"{name}={size:g}" for name, size in written["sizes"].items())
        if "radii" in written:
            written["radii"] = "{:g}:{:g}".format(*written["radii"])
        if "rates" in written:
            written["rates"] = "{:g}:{:g}".format(*written["rates"]).removesuffix("inf")
        write_report(self.folder / "report.html", [each for each in sections if each is not None], written, CURVES)
