"""Results as files that ParaView opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.io import write_vtu
from flowgrad.kinematics import VelocityGradient, select
from flowgrad.rheology import Separation
from flowgrad.statistics import SeriesStatistics
from flowgrad.walls import Walls


def write(
    path: Path | str,
    result: VelocityGradient | Separation | Walls | SeriesStatistics,
    quantities: Sequence[str] = ("L", "D", "W"),
    *,
    std: bool = False,
) -> None:
    """Write a gradient, or a separation with its fields, on its mesh as VTU; walls on their own faces, statistics of a
    series on its mesh, with the names of ``walls.arrays`` and ``statistics.arrays()``.

    Arrays carry the names of the registry; tensors are row-major 9 components. The velocity is
    written along (as ``velocity`` if its own name is taken), ``valid`` where some gradients are
    missing, and ``L_error`` where it was estimated; ``std`` adds the standard deviation of each quantity
    of L as ``NAME_std``, where the noise is known. Raises OptionError for a result without a mesh or at
    positions of its own, another suffix than .vtu and an unknown quantity.
    """
    path = Path(path)
    if path.suffix != ".vtu":
        raise OptionError(f"{path}: results are written as .vtu, not '{path.suffix}'")
    if isinstance(result, Walls):
        surface, arrays = result.surface()
        write_vtu(path, surface, {}, arrays, _time(result.flow))
    elif isinstance(result, SeriesStatistics):
        _write_statistics(path, result)
    else:
        _write_gradient(path, result, quantities, std)


def _write_statistics(path: Path, statistics: SeriesStatistics) -> None:
    if statistics.first is None or statistics.location not in LOCATIONS:
        raise OptionError(f"{path}: statistics at {statistics.location} have no mesh to be written on")
    data = {location: statistics.arrays() if location == statistics.location else {} for location in LOCATIONS}
    write_vtu(path, statistics.first.mesh, data["points"], data["cells"])


def _write_gradient(path: Path, result: VelocityGradient | Separation, quantities: Sequence[str], std: bool) -> None:
    gradient = result.gradient if isinstance(result, Separation) else result
    flow = gradient.flow
    if flow is None:
        raise OptionError(f"{path}: the result has no mesh to be written on (it was made from L alone)")
    if gradient.positions is not None:
        raise OptionError(f"{path}: gradients at positions have no mesh to be written on: take them at points or cells")
    data: dict[str, dict[str, np.ndarray]] = {"points": {}, "cells": {}}
    here = data[str(gradient.location)]
    here.update({each.name: gradient[each.name] for each in select(quantities)})
    if isinstance(result, Separation):
        here.update(result.fields())
    if std:
        here.update({f"{name}_std": gradient.std(name) for name in quantities if gradient.carries_noise(name)})
    if gradient.error is not None:
        here["L_error"] = gradient.error
    if not gradient.valid.all():
        here["valid"] = gradient.valid
    name = "velocity" if flow.velocity_name in here else flow.velocity_name
    data[flow.location][name] = flow.velocity
    write_vtu(path, flow.mesh, data["points"], data["cells"], _time(flow))


def _time(flow: Flow) -> dict[str, np.ndarray]:
    return {} if flow.time is None else {"TimeValue": np.array([flow.time])}
