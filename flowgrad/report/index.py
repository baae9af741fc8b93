"""Index of a run: verdicts, failures, curves over time, small pictures, and a table to sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flowgrad.files import replacing
from flowgrad.kinematics import QUANTITIES
from flowgrad.report import evidence, pictures, time_series
from flowgrad.report.entry import FAILED, Entry
from flowgrad.report.page import FLOWS
from flowgrad.report.template import FOLDER, MISSING, html, number, percent, render, written
from flowgrad.report.walls_section import over_time
from flowgrad.walls import WallStatistics

# More small pictures than these are a sample, evenly spread; more series likewise are not drawn.
_MOST_PICTURES, _MOST_SERIES = 60, 4
# A sentence that is said of more files than these is written once.
_ONCE = 1
# Names of failed files under one reason.
_MOST_NAMES = 20


@dataclass(frozen=True)
class VerdictGroup:
    """A verdict, what it means, how many files have it, and sentences that are the same for several of them."""

    verdict: str
    meaning: str
    count: int
    statements: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Failure:
    """A reason with the names of the files that failed for it, and how many more there are."""

    kind: str
    reason: str
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True)
class Cell:
    """A number of the table, as it is written and as it is sorted."""

    text: str
    key: float | str


def write_index(
    path: Path | str,
    entries: Sequence[Entry],
    command: Mapping[str, object] | str = "",
    walls: WallStatistics | None = None,
) -> None:
    """Write the page on all files, whole or not at all; WriteError where it cannot be written.

    ``command`` are the options that all files share, ``walls`` the averages over the series that they are.
    """
    statements = Counter(entry.statement for entry in entries)
    shared = frozenset(text for text, count in statements.items() if count > _ONCE)
    scale, small = _small_pictures(entries)
    every, chosen = time_series.progressions(entries), columns(entries)
    rows: list[tuple[Entry, list[Cell]]] = [(entry, []) for entry in entries]
    for column in chosen:
        for (_, cells), value in zip(rows, column.values, strict=True):
            cells.append(Cell(MISSING, "") if value is None else Cell(column.written(value), value))
    text = render(
        "index.html",
        entries=entries,
        groups=_groups(entries, shared),
        failures=_failures(entries),
        series=[(each, time_series.pictures(each)) for each in every[:_MOST_SERIES]],
        more_series=max(len(every) - _MOST_SERIES, 0),
        walls_over_time="" if walls is None else over_time(walls),
        scale=scale,
        small=small,
        left_out=sum(entry.thumbnail is not None for entry in entries) - len(small),
        columns=chosen,
        rows=rows,
        shared=shared,
        wording=FLOWS,
        command=command if isinstance(command, str) else written(command),
        script=(FOLDER / "sort.js").read_text(encoding="utf-8"),
    )
    with replacing(Path(path)) as file:
        file.write(text.encode())


def _groups(entries: Sequence[Entry], shared: frozenset[str]) -> list[VerdictGroup]:
    counts = Counter(entry.verdict for entry in entries)
    return [
        VerdictGroup(
            verdict,
            evidence.VERDICTS.get(verdict, ""),
            count,
            tuple(
                (number, text)
                for text, number in Counter(each.statement for each in entries if each.verdict == verdict).items()
                if text in shared and verdict != FAILED
            ),
        )
        for verdict, count in counts.items()
    ]


def _failures(entries: Sequence[Entry]) -> list[Failure]:
    """The reasons, those of most files first."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if entry.verdict == FAILED:
            found.setdefault((entry.kind, entry.statement), []).append(entry.name)
    return [
        Failure(evidence.FAILURES.get(kind, kind), reason, tuple(names[:_MOST_NAMES]), max(len(names) - _MOST_NAMES, 0))
        for (kind, reason), names in sorted(found.items(), key=lambda item: -len(item[1]))
    ]


def _small_pictures(entries: Sequence[Entry]) -> tuple[dict[str, Any], list[tuple[Entry, Markup]]]:
    """The common scale in words and colours, and the pictures of the quantity that most files have."""
    having = [entry for entry in entries if entry.thumbnail is not None]
    if len(having) < 2:
        return {}, []
    quantity = Counter(entry.thumbnail["quantity"] for entry in having if entry.thumbnail).most_common(1)[0][0]
    alike = [entry for entry in having if entry.thumbnail and entry.thumbnail["quantity"] == quantity]
    step = -(-len(alike) // _MOST_PICTURES)
    chosen = [(entry, entry.thumbnail) for entry in alike[::step] if entry.thumbnail]
    scale = pictures.common_scale([each for _, each in chosen])
    name = quantity.replace("_", " ")
    told = {
        "name": name,
        "symbol": html(QUANTITIES[quantity].symbol if quantity in QUANTITIES else "|v|"),
        "dimension": QUANTITIES[quantity].dimension if quantity in QUANTITIES else "L/T",
        "low": number(scale.low, 3),
        "high": number(scale.high, 3),
        "is_logarithmic": scale.is_logarithmic,
        "bar": pictures.bar(f"Colours from {number(scale.low, 3)} to {number(scale.high, 3)}"),
    }
    return told, [(entry, pictures.coloured(each, scale, f"{name} in {entry.name}")) for entry, each in chosen]


@dataclass(frozen=True)
class IndexColumn:
    """A column of numbers: heading, symbol, dimension, the value of each entry, and how that is written."""

    name: str
    symbol: Markup
    dimension: str
    values: Sequence[float | None]
    written: Callable[[float], str] = number


def columns(entries: Sequence[Entry]) -> list[IndexColumn]:
    """Those in which some file has a number: among them mean and greatest of the shear rate, or of the first quantity
    that all files have."""
    every = [IndexColumn("time", html("t"), "T", [entry.time for entry in entries])]
    done = [entry.statistics for entry in entries if entry.statistics]
    common = [name for name in (done[0] if done else ()) if all(name in each for each in done)]
    for quantity in ("shear_rate",) if "shear_rate" in common else common[:1]:
        record = QUANTITIES[quantity]
        for key, what in (("mean", "mean"), ("maximum", "greatest")):
            heading = f"{quantity.replace('_', ' ')}, {what}"
            values = [entry.statistics.get(quantity, {}).get(key) for entry in entries]
            every.append(IndexColumn(heading, html(record.symbol), record.dimension, values))
    left_out = [entry.excluded / entry.count if entry.count else None for entry in entries]
    every += [
        IndexColumn("viscosity", html(r"\eta_N"), "", [entry.viscosity for entry in entries]),
        IndexColumn("error of the gradient", Markup(), "", [entry.error for entry in entries], percent),
        IndexColumn("left out", Markup(), "", left_out, percent),
    ]
    return [column for column in every if any(value is not None for value in column.values)]
