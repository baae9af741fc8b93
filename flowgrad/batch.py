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
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import replacing
from flowgrad.spec import nearest

if TYPE_CHECKING:
    from flowgrad.analysis import Analysis, Options
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
            raise OptionError(f"{path}: cannot be read as TOML ({error})") from None
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
        return dataclasses.replace(options, **{key: _typed(key, value) for key, value in values.items()})


def _typed(key: str, value: Any) -> Any:
    """A value of TOML as the option takes it: numbers may stand for texts (``viscosity = 0.1``)."""
    if key == "quantities":
        return tuple(value)
    return float(value) if key == "density" else str(value)


def expand(patterns: Iterable[str]) -> list[Path]:
    """Files of the given names and glob patterns (``**`` included), each once, in the order given.

    A name that matches nothing is kept, so that it fails by its name.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        matches = [] if os.path.exists(pattern) else sorted(glob.glob(pattern, recursive=True))
        for match in matches or [pattern]:
            found[Path(match)] = None
    return list(found)


def names(files: Sequence[Path], folder: Path) -> dict[Path, str]:
    """Name of each file's results: its stem, with the folders in front where two files share one.

    Raises OptionError where a result would overwrite an input.
    """
    counts = Counter(file.stem for file in files)
    chosen: dict[Path, str] = {}
    for file in files:
        name = file.stem if counts[file.stem] == 1 else _long_name(file)
        while name in chosen.values():
            name += "_"
        chosen[file] = name
    inputs = {file.resolve() for file in files}
    for file, name in chosen.items():
        for suffix in (".vtu", ".json"):
            if (folder / (name + suffix)).resolve() in inputs:
                raise OptionError(f"{file}: its result would overwrite an input in {folder}: choose another -o")
    return chosen


def _long_name(file: Path) -> str:
    return "-".join(part for part in file.with_suffix("").parts if part not in ("/", "..", "."))


def run(files: Sequence[Path], folder: Path, cases: Cases, report: bool = True) -> list[Outcome]:
    """Analyse files into ``folder``: NAME.vtu and NAME.json each, summary.csv and report.html for all.

    Every file is tried; the outcomes tell which failed and why. Raises OptionError where nothing
    can be started.
    """
    results = names(files, folder)
    _make(folder)
    outcomes = []
    for number, file in enumerate(files, 1):
        outcome = _attempt(file, folder / results[file], cases.of(file), report)
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
    reason = " ".join(reason.split()).removeprefix(f"{file}: ").removeprefix(f"{file.name}: ")
    return Outcome(file, time.perf_counter() - start, None, _failed(file, reason) if report else None, reason)


def _process(file: Path, target: Path, options: Options, report: bool) -> tuple[dict[str, Any], FileSection | None]:
    from flowgrad.analysis import analyse
    from flowgrad.output import write

    analysis = analyse(file, options)
    with ThreadPoolExecutor(1) as pool:
        # While the disk is busy, the statistics are computed.
        written = pool.submit(write, target.with_name(target.name + ".vtu"), analysis.separation, analysis.quantities)
        summary = analysis.summary()
        written.result()
    with replacing(target.with_name(target.name + ".json")) as stream:
        stream.write((json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())
    return summary, _section(analysis) if report else None


def _section(analysis: Analysis) -> FileSection:
    from flowgrad.report import file_section

    return file_section(analysis)


def _failed(file: Path, reason: str) -> FileSection:
    from flowgrad.report import failed_section

    return failed_section(file.name, reason)


def _line(outcome: Outcome) -> str:
    if outcome.summary is None:
        return f"{outcome.source}: FAILED: {outcome.error}"
    return f"{outcome.source}: {outcome.summary['verdict']} ({outcome.seconds:.1f} s)"


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
            "file": str(outcome.source),
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
