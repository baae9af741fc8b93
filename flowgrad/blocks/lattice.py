"""A lattice in a file, slab by slab, into another file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from flowgrad.analysis import DEFAULT_QUANTITIES
from flowgrad.blocks.gradients import Counts, Slab, notes_of, reach_of, shares, slabs
from flowgrad.blocks.refusals import advice, check_options
from flowgrad.blocks.result import PartsResult
from flowgrad.blocks.statistics import RunningStatistics
from flowgrad.blocks.velocity import SlabVelocity, check_location
from flowgrad.errors import MeshError, OptionError
from flowgrad.files import replacing, size_of, size_text
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.compute import SCHEMES
from flowgrad.gradient.rates import steady_rates
from flowgrad.io.slabs import SlabFile, SlabWriter, plane_count, plane_size, suffix_of
from flowgrad.kinematics import inputs_of
from flowgrad.mesh.reference.linear import cell_name
from flowgrad.options import Options
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray

_AUTO = "the velocity is on a lattice: differences along its axes"
# Bytes a place: the velocity as it is read, as it is kept and as it is differentiated, L, weights, statistics and what
# is written; and those of the sparse matrices of second derivatives.
_EACH, _EACH_SECOND = 128, 1200


def write_lattice(file: SlabFile, target: Path, options: Options) -> PartsResult:
    """Differentiate a lattice slab by slab and write the quantities as ``target`` with ``_blocks`` and the suffix of
    its kind, in float32 where the velocity is.

    Raises OptionError for what cannot be done in slabs, and MeshError where there is no gradient anywhere.
    """
    check_options(file.path, options, file.size)
    velocity = SlabVelocity.of(file, options)
    check_location(velocity, options, advice(file.size))
    scheme, reason = _scheme(options, velocity, file.size)
    names = options.quantities or DEFAULT_QUANTITIES
    second = any("hessian" in inputs_of(name) for name in names)
    thickness = _thickness(velocity, names, reach_of(scheme.order, second), second, options)
    found = slabs(velocity, scheme.order, second, thickness)
    path = target.with_name(f"{target.name}_blocks{suffix_of(velocity.lattice)}")
    with replacing(path) as handle:
        run = _Run(velocity, names, handle)
        for slab in found:
            run.add(slab, options.steady)
        run.finish()
    lattice, reach = velocity.lattice, reach_of(scheme.order, second)
    count = -(-plane_count(lattice, velocity.location) // thickness)
    return PartsResult(
        *(velocity.name, velocity.location, velocity.location),
        {
            "points": lattice.point_count,
            "cells": len(lattice),
            "types": {cell_name(lattice.cell_type): len(lattice)},
            "measure": run.measure,
        },
        file.time,
        unparse("finite-difference", scheme, scheme.shown),
        reason,
        run.count,
        run.excluded,
        (*notes_of(velocity, scheme.order, run.counts), *run.exclusions()),
        {name: each.result() for name, each in run.statistics.items()},
        f"takes {size_text(file.size)} of arrays, more than --block-memory {options.block_memory}, and was done in "
        f"{count} blocks of {thickness} planes, each with {reach} more on both sides",
        {"count": count, "planes": thickness, "overlap": reach},
    )


def _scheme(options: Options, velocity: SlabVelocity, size: int) -> tuple[FiniteDifference, str]:
    """Differences along axes, of the order that is wanted; OptionError for other schemes."""
    if options.scheme == "auto":
        return FiniteDifference(), _AUTO
    scheme = parse(options.scheme, SCHEMES, "scheme")
    plain = isinstance(scheme, FiniteDifference) and scheme.smoothing == 1
    if not isinstance(scheme, FiniteDifference) or not plain or not _along_axes(scheme, velocity):
        raise OptionError(
            f"{velocity.file.path}: --scheme {options.scheme} is not known in blocks, which have differences along the "
            f"axes of a lattice, finite-difference(order=2) or higher: {advice(size)}"
        )
    return scheme, "as given"


def _along_axes(scheme: FiniteDifference, velocity: SlabVelocity) -> bool:
    samples = scheme.cell_values == "samples" or velocity.location == "points"
    return scheme.lattice is not False and (scheme.order > 1 or bool(scheme.lattice)) and samples


def _thickness(velocity: SlabVelocity, names: tuple[str, ...], reach: int, second: bool, options: Options) -> int:
    """Planes of a slab that stay within the memory with those around it, one at least."""
    made = set().union(*(inputs_of(name) for name in names))
    each = _EACH + sum(8 * _components(name) for name in made) + (_EACH_SECOND if second else 0)
    planes = size_of(options.block_memory, "--block-memory") // (each * plane_size(velocity.lattice, velocity.location))
    return max(planes - 2 * reach, 1)


def _components(name: str) -> int:
    """Components of a quantity, or of what one is made of."""
    return int(np.prod(_example([name])[name].shape[1:], dtype=int)) if name not in _INPUTS else _INPUTS[name]


_INPUTS = {"velocity": 3, "hessian": 27, "L_rate": 9, "velocity_rate": 3, "viscosity": 1, "density": 1, "length": 1}


def _example(names: list[str]) -> dict[str, np.ndarray]:
    """Quantities of one gradient, for their shapes."""
    from flowgrad.kinematics import VelocityGradient

    supplied = {"velocity": np.zeros((1, 3)), "hessian": np.zeros((1, 3, 3, 3))}
    given = {name: np.ones(1) for name in ("viscosity", "density", "length")}
    gradient = steady_rates(VelocityGradient(np.eye(3)[None], supplied={**supplied, **given}))
    return {name: gradient[name] for name in names}


class _Run:
    """What is written and counted while slabs come."""

    def __init__(self, velocity: SlabVelocity, names: tuple[str, ...], handle) -> None:  # type: ignore[no-untyped-def]
        self._velocity, self._names = velocity, names
        components = {name: _components(name) for name in names}
        dtype = np.dtype(np.float32 if velocity.dtype == np.float32 else np.float64)
        self._writer = SlabWriter(handle, velocity.lattice, velocity.location, components, dtype, velocity.file.time)
        self._shares = shares(velocity.lattice, velocity.location)
        self.statistics = {name: RunningStatistics() for name in names if name not in ("L", "D", "W")}
        self.counts, self.count, self.excluded, self.measure = Counts(), 0, 0, 0.0

    def add(self, slab: Slab, steady: bool) -> None:
        """Write the quantities of a slab, and count them in."""
        gradient = steady_rates(slab.gradient) if steady else slab.gradient
        weights = np.where(gradient.valid, self._weights(slab), 0.0)
        arrays = {name: gradient[name] for name in self._names}
        for name, each in self.statistics.items():
            each.add(arrays[name], weights)
        self._writer.write(arrays, gradient.valid)
        self.counts += slab.counts
        self.count += len(gradient)
        self.excluded += int((~gradient.valid).sum())
        self.measure += float(weights.sum())

    def finish(self) -> None:
        """Complete the file; MeshError where there is no gradient anywhere."""
        if self.excluded == self.count:
            why = "; ".join(self.exclusions())
            raise MeshError(f"{self._velocity.file.path.name}: there is no gradient anywhere: {why}")
        self._writer.finish()

    def exclusions(self) -> Iterator[str]:
        """What has no gradient, in the words of whole results."""
        missing, where = self.counts.missing, self._velocity.location
        if missing:
            yield f"{missing} of {self.count} velocities at {where} are not finite"
        if self.excluded:
            why = "that use values that are not finite, or " if missing else ""
            yield (
                f"{self.excluded} of {self.count} {where} have no gradient and are excluded: {self.excluded} "
                f"{why}where the velocity determines none"
            )

    def _weights(self, slab: Slab) -> FloatArray:
        factors = list(self._shares)
        a = self._velocity.lattice.active[-1]
        factors[a] = factors[a][slab.start : slab.stop]
        x, y, z = factors
        return (z[:, None, None] * y[:, None] * x).ravel()
