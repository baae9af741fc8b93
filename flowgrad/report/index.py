"""Index of a run: verdicts, failures, curves over time, small pictures, and a table to sort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from flowgrad.files import replacing
from flowgrad.kinematics import QUANTITIES
from flowgrad.report import evidence, thumbnail, time_series
from flowgrad.report.entry import Entry
from flowgrad.report.flow_section import FAILED
from flowgrad.report.formatting import MISSING, html, number, percent
from flowgrad.report.page import FLOWS, timestamp
from flowgrad.report.template import render, script, stylesheet, written

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


def write_index(path: Path | str, entries: Sequence[Entry], command: Mapping[str, object] | str = "") -> None:
    """Write the page on all files, whole or not at all; WriteError where it cannot be written.

    ``command`` are the options that all files share.
    """
    shared = _shared_statements(entries)
    scale, small = _small_pictures(entries)
    every, chosen = time_series.progressions(entries), columns(entries)
    text = render(
        "index.html",
        entries=entries,
        groups=_groups(entries, shared),
        failures=_failures(entries),
        series=[(each, time_series.pictures(each)) for each in every[:_MOST_SERIES]],
        more_series=max(len(every) - _MOST_SERIES, 0),
        scale=scale,
        small=small,
        left_out=sum(entry.thumbnail is not None for entry in entries) - len(small),
        columns=chosen,
        rows=[(entry, [column.cell(entry) for column in chosen]) for entry in entries],
        shared=shared,
        wording=FLOWS,
        command=command if isinstance(command, str) else written(command),
        written=timestamp(),
        style=stylesheet(),
        script=script("sort.js"),
    )
    with replacing(Path(path)) as file:
        file.write(text.encode())


def _shared_statements(entries: Sequence[Entry]) -> frozenset[str]:
    counts = Counter(entry.statement for entry in entries)
    return frozenset(text for text, count in counts.items() if count > _ONCE)


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
    scale = thumbnail.common_scale([each for _, each in chosen])
    name = quantity.replace("_", " ")
    told = {
        "name": name,
        "symbol": html(QUANTITIES[quantity].symbol if quantity in QUANTITIES else "|v|"),
        "dimension": QUANTITIES[quantity].dimension if quantity in QUANTITIES else "L/T",
        "low": number(scale.low, 3),
        "high": number(scale.high, 3),
        "is_logarithmic": scale.is_logarithmic,
        "bar": thumbnail.bar(f"Colours from {number(scale.low, 3)} to {number(scale.high, 3)}"),
    }
    return told, [(entry, thumbnail.coloured(each, scale, f"{name} in {entry.name}")) for entry, each in chosen]


@dataclass(frozen=True)
class IndexColumn:
    """A column of numbers: heading, symbol, dimension, what it holds of an entry, and how that is written."""

    name: str
    symbol: Markup
    dimension: str
    value: Callable[[Entry], float | None]
    written: Callable[[float], str] = number

    def cell(self, entry: Entry) -> Cell:
        """The number of one file."""
        value = self.value(entry)
        return Cell(MISSING, "") if value is None else Cell(self.written(value), value)


def columns(entries: Sequence[Entry]) -> list[IndexColumn]:
    """Those in which some file has a number."""
    every = [
        IndexColumn("time", html("t"), "T", lambda entry: entry.time),
        *_of_quantity(entries),
        IndexColumn("viscosity", html(r"\eta_N"), "", lambda entry: entry.viscosity),
        IndexColumn("error of the gradient", Markup(), "", lambda entry: entry.error, percent),
        IndexColumn("left out", Markup(), "", _share_left_out, percent),
    ]
    return [column for column in every if any(column.value(entry) is not None for entry in entries)]


def _share_left_out(entry: Entry) -> float | None:
    return entry.excluded / entry.count if entry.count else None


def _of_quantity(entries: Sequence[Entry]) -> Iterator[IndexColumn]:
    """Mean and greatest shear rate, or of the first quantity that all files have."""
    done = [entry.statistics for entry in entries if entry.statistics]
    common = [name for name in (done[0] if done else ()) if all(name in each for each in done)]
    if not common:
        return
    quantity = "shear_rate" if "shear_rate" in common else common[0]
    record = QUANTITIES[quantity]
    for key, what in (("mean", "mean"), ("maximum", "greatest")):
        yield IndexColumn(
            f"{quantity.replace('_', ' ')}, {what}", html(record.symbol), record.dimension, _statistic(quantity, key)
        )


def _statistic(quantity: str, key: str) -> Callable[[Entry], float | None]:
    return lambda entry: entry.statistics.get(quantity, {}).get(key)
