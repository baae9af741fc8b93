"""Files that hold several times: their steps, and the one that is meant."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowgrad.errors import OptionError, ReadError
from flowgrad.io.contents import Contents
from flowgrad.io.naming import system_errors

log = logging.getLogger("flowgrad")

# Times that differ by less are the same one written with fewer digits.
SAME_TIME = 1e-5
# More times than this do not fit into a message.
_LISTED = 12


@dataclass(frozen=True, eq=False)
class Step:
    """One time of a file, None where only the contents tell it, and the way to the contents."""

    path: Path
    time: float | None
    read: Callable[[], Contents]

    def contents(self) -> Contents:
        """What the file holds at this time; the time given here is the one that counts."""
        with system_errors(self.path):
            contents = self.read()
        return contents if self.time is None else dataclasses.replace(contents, time=self.time)


def at_time(steps: Sequence[Step], time: float | None, path: Path) -> Contents:
    """The contents of the step at a time, of the last one without; OptionError where no step has it."""
    if time is not None and len(steps) == 1 and steps[0].time is None:
        return _checked(steps[0].contents(), time, path)
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
    found = min(reversed(range(len(times))), key=lambda number: _distance(times[number], time))
    there = times[found]
    if there is None or not is_same(there, time):
        raise OptionError(f"{path}: has no time {time:g}: it holds {_listed(times)}")
    return found


def _distance(one: float | None, other: float) -> float:
    return math.inf if one is None else abs(one - other)


def is_same(one: float, other: float) -> bool:
    """Whether two times are one, up to the digits that they are written with."""
    return math.isclose(one, other, rel_tol=SAME_TIME)


def _checked(contents: Contents, time: float, path: Path) -> Contents:
    check_only_time(contents.time, time, path)
    return contents


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
