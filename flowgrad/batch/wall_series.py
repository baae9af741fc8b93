"""Averages over time on walls of files of one time each: merged from the walls that the analysis of each has written,
whoever did it and in which run."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.batch.files import OF_SERIES
from flowgrad.batch.manifest import DONE, FileRecord
from flowgrad.errors import FlowgradError, OptionError
from flowgrad.files import printable, replacing, size_of
from flowgrad.io import read_contents
from flowgrad.pipeline.summary import plain, versions
from flowgrad.pipeline.write import write
from flowgrad.walls import WallStatistics, WallSurface, wall_statistics_summary
from flowgrad.walls.result import VISCOUS_ALONE
from flowgrad.walls.statistics import VECTORS


def steps_of_series(folder: Path, records: Sequence[FileRecord]) -> list[FileRecord]:
    """The files that are steps of one series: those that were asked for averages over time and have one time each."""
    asked = [each for each in records if each.options.get("series_statistics")]
    return [each for each in asked if not (folder / f"{each.name}_{OF_SERIES}.vtu").exists()]


def write_averages(folder: Path, records: Sequence[FileRecord]) -> WallStatistics:
    """Averages over the steps of a series, written as walls_over_time.vtu and .json; the steps that failed are left
    out, and said.

    OptionError for fewer than two steps, steps without a time or two of one time, MeshError for other walls.
    """
    done = [each for each in records if each.state == DONE]
    if len(done) < 2:
        raise OptionError(
            f"--series-statistics: {printable(records[0].file)} has one time, which has no average: give the files of "
            "all times, or a file that holds or names them (.pvd)"
        )
    steps = sorted((_step(folder / each.name, each) for each in done), key=lambda step: step.time)
    for one, other in pairwise(steps):
        if one.time == other.time:
            raise OptionError(
                f"--series-statistics: {one.file} and {other.file} both have the time {one.time:g}: give one of them"
            )
    # One after the other, so that no more than two are held.
    found = steps[0].part()
    for step in steps[1:]:
        try:
            found = found.merge(step.part())
        except FlowgradError as error:
            raise type(error)(f"--series-statistics: {step.file}: {error}") from None
    if len(done) < len(records):
        note = f"{len(records) - len(done)} of {len(records)} files failed and are left out"
        found = dataclasses.replace(found, first_notes=(*found.first_notes, note))
    found.arrays  # noqa: B018 a period that does not fit is told before anything is written
    summary = {**wall_statistics_summary(found), "files": [each.file for each in steps], "versions": versions()}
    write(folder / f"{OF_SERIES}.vtu", found)
    with replacing(folder / f"{OF_SERIES}.json") as stream:
        stream.write((json.dumps(plain(summary), indent=2, ensure_ascii=False) + "\n").encode())
    return found


@dataclass(frozen=True)
class SeriesStep:
    """One file of a series: its name, its time, and where its results are with the ``options`` they were made with."""

    file: str
    time: float
    target: Path
    patches: tuple[str, ...]
    notes: tuple[str, ...]
    options: Mapping[str, Any]

    def part(self) -> WallStatistics:
        """The walls that its analysis has written, as a part of a series."""
        contents, options = read_contents(self.target.with_name(f"{self.target.name}_walls.vtu")), self.options
        arrays = contents.cell_data
        quantity = next(name for name, vector in VECTORS.items() if name in arrays and vector in arrays)
        surface = WallSurface(
            contents.mesh,
            arrays["normal"],
            arrays["area"],
            self.patches,
            np.asarray(arrays["patch"], np.int64),
            dynamic=options.get("density") is not None,
        )
        told: dict[str, Any] = {"period": options.get("period"), "first_notes": self.notes}
        told["memory"] = size_of(options.get("block_memory", "1G"), "--block-memory")
        return WallStatistics.of_step(surface, quantity, arrays[VECTORS[quantity]], self.time, **told)


def _step(target: Path, record: FileRecord) -> SeriesStep:
    summary = json.loads(target.with_name(f"{target.name}.json").read_text(encoding="utf-8"))
    file, time, walls = printable(record.file), summary["time"], summary["walls"]
    if time is None:
        raise OptionError(
            f"--series-statistics: {file} has no time: give a file that tells the times of the steps (.pvd), or leave "
            "--series-statistics out"
        )
    notes = tuple(note for note in walls["notes"] if note != VISCOUS_ALONE)
    return SeriesStep(file, float(time), target, tuple(walls["patches"]), notes, record.options)
