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
    if not steps:
        raise ReadError(f"{path}: holds no time step: write it again")
    if time is None:
        if len(steps) > 1:
            log.info("%s: holds %d times (%s): the last is read", path, len(steps), _listed(steps))
        return steps[-1].contents()
    if len(steps) == 1 and steps[0].time is None:
        return _checked(steps[0].contents(), time, path)
    # Of a time that is there twice, as after a restart, the later one counts.
    found = min(reversed(steps), key=lambda step: math.inf if step.time is None else abs(step.time - time))
    if found.time is None or not is_same(found.time, time):
        raise OptionError(f"{path}: has no time {time:g}: it holds {_listed(steps)}")
    return found.contents()


def is_same(one: float, other: float) -> bool:
    """Whether two times are one, up to the digits that they are written with."""
    return math.isclose(one, other, rel_tol=SAME_TIME)


def _checked(contents: Contents, time: float, path: Path) -> Contents:
    if contents.time is None or not is_same(contents.time, time):
        there = "tells no time" if contents.time is None else f"holds the time {contents.time:g} only"
        raise OptionError(f"{path}: has no time {time:g}: it {there}; leave the time out")
    return contents


def _listed(steps: Sequence[Step]) -> str:
    times = ["?" if step.time is None else f"{step.time:g}" for step in steps]
    if len(times) > _LISTED:
        times = [*times[: _LISTED // 2], "…", *times[-(_LISTED // 2) :]]
    return ", ".join(times)
