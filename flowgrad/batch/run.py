"""Many files: each analysed and written on its own; a file that fails costs only itself."""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
import glob
import io
import json
import logging
import os
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import printable, replacing
from flowgrad.spec import nearest

if TYPE_CHECKING:
    from flowgrad.analysis import Analysis
    from flowgrad.options import Options
    from flowgrad.report import FileSection

log = logging.getLogger("flowgrad")


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of one file: its summary and its part of the report, or the reason why not."""

    source: Path
    seconds: float
    summary: dict[str, Any] | None = None
    section: FileSection | None = None
    error: str = ""


@dataclass(frozen=True)
class Cases:
    """The options of each file: those of the command line, then those of the tables whose name
    matches the file's stem (``fnmatch`` patterns; later tables win)."""

    options: Options
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, options: Options) -> Cases:
        """Tables of a TOML file; OptionError for a file that is not TOML or an unknown option."""
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OptionError(f"{path}: cannot be read as TOML ({error}): check its name and its lines") from None
        cases = cls(options, tables)
        for name, table in tables.items():
            cases._apply(options, name, table, path)
        return cases

    def of(self, file: Path) -> Options:
        """The options of one file."""
        options = self.options
        for name, table in self.tables.items():
            if fnmatch.fnmatchcase(file.stem, name):
                options = self._apply(options, name, table, file)
        return options

    def _apply(self, options: Options, name: str, table: Any, path: Path) -> Options:
        known = [f.name for f in dataclasses.fields(options)]
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: '{name}' is no table: write [{name}] above its options")
        values = {str(key).replace("-", "_"): value for key, value in table.items()}
        for key in values:
            if key not in known:
                raise OptionError(f"{path}: [{name}] has no option '{key}'{nearest(key, known)}: known are {known}")
        where = f"{path}: [{name}]"
        typed = {key: _typed(key, value, where) for key, value in values.items()}
        try:
            return dataclasses.replace(options, **typed)
        except OptionError as error:
            raise OptionError(f"{where}: {error}") from None

    def unused(self, files: Sequence[Path]) -> list[str]:
        """Tables that match none of the files."""
        return [name for name in self.tables if not any(fnmatch.fnmatchcase(file.stem, name) for file in files)]


_WANTED = {"quantities": "a list of names", "density": "a number", "time": "a number", "error": "true or false"}


def _typed(key: str, value: Any, where: str) -> Any:
    """A value of TOML as the option takes it: a number may stand for a text (``viscosity = 0.1``)."""
    if key == "quantities" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if key in ("density", "time") and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if key == "error" and isinstance(value, bool):
        return value
    if key not in _WANTED and isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    wanted = _WANTED.get(key, "a text or a number")
    raise OptionError(f"{where}: {key} = {value!r} is not {wanted}")


def expand(patterns: Iterable[str], folder: Path | None = None) -> list[Path]:
    """Files of the given names and glob patterns (``**`` included), each once, in the order given.

    A name that matches nothing is kept, so that it fails by its name; what a pattern finds in the
    ``folder`` of the results is left out, so that the same command runs again.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
        inputs = [match for match in matches if folder is None or folder.resolve() not in Path(match).resolve().parents]
        for match in inputs or [pattern]:
            found[Path(match)] = None
    return list(found)


def names(files: Sequence[Path], folder: Path) -> dict[Path, str]:
    """Name of each file's results: its stem; with the suffix, then with the folders in front, where
    two files would share one.

    Raises OptionError where a result would overwrite an input, or a file that is no result of ours.
    """
    inputs = {file.resolve() for file in files}
    for name_of in (lambda file: file.stem, lambda file: file.name.replace(".", "-"), _long_name):
        chosen = {file: name_of(file) for file in files}
        if len(set(chosen.values())) == len(files):
            break
    else:
        raise OptionError("some files are given twice under different names: give each once")
    for file, name in chosen.items():
        result, summary = folder / f"{name}.vtu", folder / f"{name}.json"
        if result.resolve() in inputs or summary.resolve() in inputs:
            raise OptionError(f"{file}: its result would overwrite an input in {folder}: choose another -o")
        if result.exists() and not summary.exists():
            raise OptionError(f"{result} is there and is no result of flowgrad's: choose another -o")
    return chosen


def _long_name(file: Path) -> str:
    parts = [part for part in file.parts if part not in ("/", "..", ".")]
    return "-".join(parts).replace(".", "-").removesuffix("-vtu")


def run(files: Sequence[Path], folder: Path, cases: Cases, report: bool = True) -> list[Outcome]:
    """Analyse files into ``folder``: NAME.vtu and NAME.json each, summary.csv and report.html for all.

    Every file is tried; the outcomes tell which failed and why. Raises OptionError where nothing
    can be started.
    """
    results = names(files, folder)
    options = {file: cases.of(file) for file in files}
    for name in cases.unused(files):
        log.warning("the table [%s] of the cases matches none of the files", name)
    _make(folder)
    outcomes = []
    for number, file in enumerate(files, 1):
        outcome = _attempt(file, folder / results[file], options[file], report)
        log.log(logging.ERROR if outcome.error else logging.INFO, "[%d/%d] %s", number, len(files), _line(outcome))
        outcomes.append(outcome)
    _write_csv(folder / "summary.csv", outcomes)
    if report:
        from flowgrad.report import write_report

        write_report(folder / "report.html", [each.section for each in outcomes if each.section], cases.options.given())
    return outcomes


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None


def _attempt(file: Path, target: Path, options: Options, report: bool) -> Outcome:
    start = time.perf_counter()
    try:
        summary, section = _process(file, target, options, report)
        return Outcome(file, time.perf_counter() - start, summary, section)
    except FlowgradError as error:
        reason = str(error)
    except MemoryError:
        reason = "not enough memory: use a machine with more, or --at cells and fewer --quantities"
    except Exception as error:
        log.debug("traceback of %s", file, exc_info=True)
        reason = f"unexpected {type(error).__name__} ({error}): please report it, with the output of -v"
    for suffix in (".vtu", "_walls.vtu", ".json"):
        # Results of an earlier run with other options would pass for those of this one.
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    reason = " ".join(reason.split()).removeprefix(f"{file}: ").removeprefix(f"{file.name}: ")
    return Outcome(file, time.perf_counter() - start, None, _failed(file, reason) if report else None, reason)


def _process(file: Path, target: Path, options: Options, report: bool) -> tuple[dict[str, Any], FileSection | None]:
    from flowgrad.analysis import analyse
    from flowgrad.output import write

    analysis = analyse(file, options)
    with ThreadPoolExecutor(1) as pool:
        # While the disk is busy, the statistics are computed.
        file_name, std = target.with_name(target.name + ".vtu"), analysis.gradient.covariance is not None
        written = pool.submit(write, file_name, analysis.separation, analysis.quantities, std=std)
        summary = analysis.summary()
        written.result()
        if analysis.walls is not None:
            write(target.with_name(target.name + "_walls.vtu"), analysis.walls)
    with replacing(target.with_name(target.name + ".json")) as stream:
        stream.write((json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())
    return summary, _section(analysis) if report else None


def _section(analysis: Analysis) -> FileSection:
    from flowgrad.report import file_section

    return file_section(analysis)


def _failed(file: Path, reason: str) -> FileSection:
    from flowgrad.report import failed_section

    return failed_section(printable(file.name), printable(reason))


def _line(outcome: Outcome) -> str:
    if outcome.summary is None:
        return f"{printable(outcome.source)}: FAILED: {outcome.error}"
    gradient = outcome.summary["gradient"]
    left_out = (
        f", {gradient['excluded']} of {gradient['count']} {gradient['at']} excluded" if gradient["excluded"] else ""
    )
    return f"{printable(outcome.source)}: {outcome.summary['verdict']}{left_out} ({outcome.seconds:.1f} s)"


def _write_csv(path: Path, outcomes: Sequence[Outcome]) -> None:
    rows = list(_rows(outcomes))
    with replacing(path) as stream, io.TextIOWrapper(stream, encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else [])
        writer.writeheader()
        writer.writerows(rows)


def _rows(outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    for outcome in outcomes:
        summary = outcome.summary or {}
        gradient = summary.get("gradient", {})
        rate = summary.get("statistics", {}).get("shear_rate", {})
        yield {
            "file": printable(outcome.source),
            "status": "done" if outcome.summary else "failed",
            "verdict": summary.get("verdict", ""),
            "origin": summary.get("origin", ""),
            "statement": summary.get("statement", ""),
            "velocity": summary.get("velocity", {}).get("name", ""),
            "at": gradient.get("at", ""),
            "scheme": gradient.get("scheme", ""),
            "count": gradient.get("count", ""),
            "excluded": gradient.get("excluded", ""),
            "shear_rate_mean": rate.get("mean", ""),
            "shear_rate_max": rate.get("maximum", ""),
            "seconds": f"{outcome.seconds:.3f}",
            "error": outcome.error,
        }
