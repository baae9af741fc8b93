"""Pass over the flows of a series for averages over time on their walls, and the summary of these."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import Scheme
from flowgrad.gradient.rates import time_of
from flowgrad.mesh import Mesh
from flowgrad.moments import Statistics
from flowgrad.rheology.model import Model
from flowgrad.typing import IntArray
from flowgrad.walls.at_walls import PreparedWalls
from flowgrad.walls.result import Walls
from flowgrad.walls.selection import Where
from flowgrad.walls.series_records import OVER_TIME
from flowgrad.walls.statistics import MEMORY, VECTORS, WallStatistics, check_alike, copied, followed
from flowgrad.walls.surface import WallSurface

WallStep: TypeAlias = Flow | Walls


def wall_statistics(
    steps: Iterable[WallStep],
    where: Where = None,
    *,
    scheme: Scheme | str = "auto",
    viscosity: str | float | Model | ArrayLike | None = None,
    density: float | None = None,
    wall_velocity: ArrayLike | None = None,
    period: float | None = None,
    memory: int = MEMORY,
) -> WallStatistics:
    """Averages over time on the walls of a series, in one pass: TAWSS, OSI, RRT, transWSS, as
    :mod:`flowgrad.walls.statistics` defines them.

    ``steps`` are flows, a ``Series`` above all, whose walls are found ``where`` and differentiated as
    :func:`flowgrad.at_walls` does, prepared once, or ``Walls`` that are known. Without a ``viscosity`` the averages are
    those of the wall shear rate, and there is no residence time. Of a flow of a ``period`` whose last step is not the
    first of the next period again, the interval between the two counts too. The vectors of all steps are kept for
    transWSS while they take no more than ``memory`` bytes; the sums take 250 for each face, however many steps there
    are. Parts of a series, taken on several workers, merge to the whole (:meth:`WallStatistics.merge`).

    Raises OptionError for no steps, steps without a time or out of order, and as :func:`flowgrad.at_walls` does,
    MeshError for walls that are others at another step.
    """
    if isinstance(steps, (Flow, Walls)):
        raise OptionError("a single step has no average over time: give several in a list, or a Series")
    told: dict[str, Any] = {"viscosity": viscosity, "density": density, "wall_velocity": wall_velocity}
    if period is not None and not 0 < period < np.inf:
        raise OptionError(f"period is {period}: give a positive number, the time after which the flow repeats itself")
    is_told = where is not None or scheme != "auto" or any(each is not None for each in told.values())
    told["scheme"] = scheme
    running: WallStatistics | None = None
    first: tuple[Mesh, IntArray, WallSurface] | None = None
    for number, walls in enumerate(_walls_of(steps, where, told, is_told)):
        one = _of_walls(walls, number, first, period=period, memory=memory)
        if running is None:
            # Its sums are those that the others are added to.
            first, running = (walls.flow.mesh, walls.faces, one.surface), copied(one)
            continue
        check_alike(running, one, f"step {number} ({walls.flow.name})")
        if one.start <= running.end:
            raise OptionError(
                f"step {number} ({walls.flow.name}) has the time {one.start:g}, the one before {running.end:g}: give "
                "the steps in the order of their times"
            )
        running = followed(running, one)
    if running is None:
        raise OptionError("there are no steps: give flows, or walls")
    return running


def _walls_of(steps: Iterable[WallStep], where: Where, told: dict[str, Any], is_told: bool) -> Iterator[Walls]:
    """The walls of each step. A fluid at rest, as in the beginning, shows none: it has those of the first that moves,
    for which such steps wait."""
    prepared, waiting = PreparedWalls(where, **told), deque[Flow]()
    of_rest: PreparedWalls | None = None
    found: tuple[str, ...] = ()
    for step in steps:
        if isinstance(step, Walls):
            if is_told:
                raise OptionError("where=, scheme=, viscosity= and others are for flows: the walls have theirs")
            yield step
            continue
        is_at_rest = where is None and isinstance(step, Flow) and not np.nan_to_num(step.velocity).any()
        moving = None if is_at_rest else prepared.of(step)
        if moving is None:
            waiting.append(step)
        elif of_rest is None:
            of_rest, found = PreparedWalls(_same_walls(moving), **told), moving.selection_notes
        while waiting and of_rest is not None:
            yield dataclasses.replace(of_rest.of(waiting.popleft()), selection_notes=found)
        if moving is not None:
            yield moving
    if waiting:
        prepared.of(waiting[0])


def _same_walls(walls: Walls) -> Where:
    """The patches that walls are, or a mask of their faces."""
    if {patch.name for patch in walls.flow.boundary} >= set(walls.names):
        return list(walls.names)
    mask = np.zeros(len(walls.flow.mesh.topology.boundary), bool)
    mask[walls.faces] = True
    return mask


def _of_walls(
    walls: Walls, number: int, first: tuple[Mesh, IntArray, WallSurface] | None, **more: Any
) -> WallStatistics:
    """The part that is one step; its surface is that of the ``first`` step, where it has the same faces."""
    quantity = "wall_shear_rate" if walls.viscosity is None else "wall_shear_stress"
    vectors, time = getattr(walls, VECTORS[quantity]), time_of(walls.flow, number)
    if first is None:
        notes = (*walls.selection_notes, *walls.gradient.notes)
        return WallStatistics.of_step(WallSurface.of(walls), quantity, vectors, time, first_notes=notes, **more)
    mesh, faces, surface = first
    if walls.flow.mesh is not mesh or not np.array_equal(walls.faces, faces):
        surface = WallSurface.of(walls)
    return WallStatistics.of_step(surface, quantity, vectors, time, **more)


def wall_statistics_summary(found: WallStatistics) -> dict[str, Any]:
    """The steps and their times, for each patch its faces and area and the statistics of each average over it, weighted
    by area, and the notes; JSON types but for NumPy's and NaN."""
    names = [name for name, values in found.arrays.items() if name in OVER_TIME and values.ndim == 1]
    patches = {}
    for patch in found.surface.names:
        chosen = found.surface.on(patch)
        areas = found.surface.areas[chosen]
        each = {name: asdict(Statistics.of(found.arrays[name][chosen], areas)) for name in names}
        for values in each.values():
            del values["component"]
        patches[patch] = {"faces": int(chosen.sum()), "area": float(areas.sum()), **each}
    about = {"quantity": found.quantity, "steps": found.steps, "start": found.start, "end": found.end}
    return {**about, "period": found.period, "patches": patches, "notes": list(found.notes)}
