"""Analysis of one flow: read it or make it from a formula, differentiate, separate, summarise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.compiled import threads
from flowgrad.errors import MeshError, OptionError
from flowgrad.files import size_of
from flowgrad.flow import Flow
from flowgrad.formula.arguments import VelocityFormula, axes
from flowgrad.gradient import Stored, velocity_gradient
from flowgrad.gradient.function import Function
from flowgrad.io import ReadOptions, flow_of, read_contents
from flowgrad.io.formats import Contents
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.mesh import Lattice
from flowgrad.moments import Statistics
from flowgrad.pipeline.options import DEFAULT, Options
from flowgrad.pipeline.summary import WITHOUT_STATISTICS, Deviation, digest_of_input, summary_of
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.model import Model
from flowgrad.separation import IDENTIFY, Separation, separate
from flowgrad.series import read_series
from flowgrad.walls import (
    Walls,
    WallStatistics,
    at_walls,
    wall_statistics,
    wall_statistics_summary,
    walls_summary,
)

# What the results of a formula on a grid are called.
NAME = "formula"


def prescribed_flow(
    formula: str, mesh: Path | None, grid: str | None = None, time: float | None = None
) -> tuple[Flow, Function]:
    """The flow of a formula such as ``u=-y; v=x``, and the scheme that differentiates the formula itself.

    The flow lives on the points of the file ``mesh``, whose arrays it keeps, or on a ``grid`` such as
    ``-1:1:41,-1:1:41,0:1:11``. ``time`` is t, the file's unless given; points where the velocity is no finite
    number get NaN. Raises OptionError where t is needed and not known, ReadError for a file that cannot be read.
    """
    velocity = VelocityFormula.parse(formula)
    if grid is None:
        assert mesh is not None
        contents = read_contents(mesh)
    else:
        x, y, *z = axes(grid, "--grid")
        contents = Contents(Lattice.rectilinear(x, y, z[0] if z else 0.0), Path(NAME))
    time = contents.time if time is None else time
    if velocity.uses_time and time is None:
        raise OptionError("--formula depends on t: give --time")
    t = time if velocity.uses_time else None
    v = velocity(contents.mesh.points, t)
    flow = Flow(
        contents.mesh,
        np.where(np.isfinite(v), v, np.nan),
        "points",
        time,
        contents.point_data,
        contents.cell_data,
        contents.field_data,
        source=contents.source,
    )
    return flow, Function(velocity, t)


def prescribed_gradient(
    flow: Flow, scheme: Function, at: str | None, second: bool = False, rates: bool = False
) -> VelocityGradient:
    """The velocity gradient of such a flow at its ``points`` or ``cells``, with second derivatives and rates of change
    in time where asked for."""
    at = at or flow.location
    found = scheme.gradients(flow, at)
    gradient = VelocityGradient(
        found.L,
        flow,
        location=at,
        scheme="autodiff",
        reason="the velocity is a formula, which is differentiated itself",
        method_notes=found.notes,
    )
    positions = flow.mesh.places(at)
    if rates:
        velocity_rate, L_rate = scheme.rates(positions)
        gradient = gradient.supply(velocity_rate=velocity_rate, L_rate=L_rate)
    return gradient.supply(hessian=scheme.second(positions)) if second else gradient


# As velocity_gradient does.
Differentiate = Callable[..., VelocityGradient]

# What a run writes unless told otherwise.
DEFAULT_QUANTITIES = (
    "L",
    "D",
    "W",
    "divergence",
    "vorticity",
    "shear_rate",
    "q_criterion",
    "lambda2",
    "principal_rates",
    "flow_type",
    "kinematic_vorticity_number",
)


@dataclass(frozen=True, eq=False)
class Analysis(
    ReprMixin, line="separation quantities", table="flow gradient separation quantities walls walls_over_time"
):
    """A flow with its gradient and separation, the quantities asked for, the walls if they were, and averages over time
    on them, of all times of its file, if it has several.

    ``digest`` is the SHA-256 of the input file, empty without one.
    """

    separation: Separation
    options: Options
    quantities: tuple[str, ...]
    digest: str = ""
    walls: Walls | None = None
    walls_over_time: WallStatistics | None = None

    @property
    def gradient(self) -> VelocityGradient:
        """The velocity gradient."""
        return self.separation.gradient

    @property
    def flow(self) -> Flow:
        """The flow."""
        assert self.gradient.flow is not None
        return self.gradient.flow

    @cached_property
    def deviations(self) -> dict[str, Deviation]:
        """The standard deviation of each quantity of L, over the mesh; empty where the noise is not known."""
        gradient = self.gradient
        names = [name for name in self.quantities if gradient.carries_noise(name)]
        return {name: Deviation.of(gradient.std(name), gradient.weights) for name in names}

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """The quantities that need what is not known across a plane cut from a 3-D flow."""
        if self.flow.out_of_plane == "zero":
            return ()
        return tuple(name for name in self.quantities if not np.isfinite(self.gradient[name]).any())

    @cached_property
    def statistics(self) -> dict[str, Statistics]:
        """Statistics of each quantity but L, D and W; the sorting is shared among threads."""
        names = [name for name in self.quantities if name not in WITHOUT_STATISTICS]
        stacks = [self.gradient[name] for name in names]
        weights = self.gradient.weights
        with ThreadPoolExecutor(threads()) as pool:
            return dict(zip(names, pool.map(lambda values: Statistics.of(values, weights), stacks), strict=True))

    @property
    def _over_time(self) -> dict[str, Any]:
        found = self.walls_over_time
        return {} if found is None else {"walls_over_time": wall_statistics_summary(found)}

    def summary(self) -> dict[str, Any]:
        """Everything a machine may want to know of the run, as JSON types; NaN becomes null."""
        flow, gradient, separation = self.flow, self.gradient, self.separation
        facts = {
            "evidence": separation.evidence,
            **({"notes": list(separation.notes)} if separation.notes else {}),
            "velocity": {"name": flow.velocity_name, "location": flow.location},
            "mesh": {
                "points": len(flow.mesh.points),
                "cells": len(flow.mesh),
                "types": flow.mesh.type_counts(),
                "measure": float(gradient.weights.sum()),
                "patches": [patch.name for patch in flow.boundary],
            },
            "time": flow.time,
            "gradient": {
                "scheme": gradient.scheme,
                "reason": gradient.reason,
                "at": gradient.location,
                "count": len(gradient),
                "excluded": int((~gradient.valid).sum()),
                "notes": list(gradient.notes),
                **({"unknown": list(self.unknown)} if self.unknown else {}),
                **({"relative_error": gradient.relative_error} if gradient.error is not None else {}),
            },
            **({"noise": flow.noise_size} if flow.noise is not None else {}),
            **({"deviations": {k: asdict(each) for k, each in self.deviations.items()}} if self.deviations else {}),
            **({"walls": walls_summary(self.walls)} if self.walls is not None else {}),
            **self._over_time,
        }
        about: dict[str, Any] = {"source": flow.source, "digest": self.digest, "options": self.options}
        return summary_of(flow.name, separation, facts, self.statistics, **about)


def analyse(path: Path | str, options: Options = DEFAULT, differentiate: Differentiate = velocity_gradient) -> Analysis:
    """Read a file and analyse the flow in it; FlowgradError where that is not possible."""
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of_input, Path(path), options.time)
        if options.formula is not None:
            return _analyse_formula(Path(path), options, digest.result())
        analysis = analyse_flow(read_flow(path, options), options, digest.result(), differentiate)
        return _with_series(analysis, path, options) if options.series_statistics else analysis


def read_flow(path: Path | str, options: Options) -> Flow:
    """Read a flow as the options say."""
    return flow_of(read_contents(path, options.time), options)


def analyse_flow(
    flow: Flow, options: Options = DEFAULT, digest: str = "", differentiate: Differentiate = velocity_gradient
) -> Analysis:
    """Analyse a flow that is already in memory: everything is computed but the statistics."""
    scheme = Stored(options.gradient_field) if options.gradient_field else options.scheme
    second = any("hessian" in inputs_of(name) for name in options.quantities)
    gradient = differentiate(flow, scheme, options.at, error=options.error, second=second, steady=options.steady)
    return _analysis(flow, gradient, options, digest)


def _analyse_formula(path: Path, options: Options, digest: str) -> Analysis:
    """The flow of a formula, on a grid or on the points of a file."""
    assert options.formula is not None
    flow, scheme = prescribed_flow(options.formula, None if options.grid else path, options.grid, options.time)
    flow = dataclasses.replace(flow, axisymmetric=options.axisymmetric, out_of_plane=options.out_of_plane)
    if not options.is_differentiated:
        return analyse_flow(flow, options, digest)
    needed = set().union(*(inputs_of(name) for name in options.quantities))
    rates = bool(needed & {"velocity_rate", "L_rate"})
    gradient = prescribed_gradient(flow, scheme, options.at, "hessian" in needed, rates)
    return _analysis(flow, gradient, options, "" if options.grid else digest)


def _analysis(flow: Flow, gradient: VelocityGradient, options: Options, digest: str) -> Analysis:
    if not gradient.valid.any():
        raise MeshError(f"{flow.name}: there is no gradient anywhere: {'; '.join(gradient.notes)}")
    if options.length is not None:
        gradient = gradient.supply(length=np.full(len(gradient), options.length))
    separation = separate(
        gradient,
        options.stress,
        None if options.serves_walls_only else options.viscosity,
        options.density,
        body_force=options.force,
        pressure=None if options.force is None or options.viscosity == IDENTIFY else options.pressure,
    )
    known = separation.gradient.supplied.keys()
    with_viscosity = ("dissipation",) if "viscosity" in known else ()
    with_length = ("reynolds_number",) if known >= {"viscosity", "density", "length"} else ()
    names = options.quantities or (*DEFAULT_QUANTITIES, *with_viscosity, *with_length)
    for name in names:
        separation.gradient[name]
        if separation.gradient.carries_noise(name):
            separation.gradient.std(name)
    walls = None
    if options.walls is not None:
        walls = at_walls(
            flow,
            pressure=options.pressure,
            reference_density=options.reference_density,
            reference_speed=options.reference_speed,
            **_wall_options(separation, options),
        )
    return Analysis(separation, options, tuple(names), digest, walls)


def _wall_options(separation: Separation, options: Options) -> dict[str, Any]:
    """The walls that were asked for, and the viscosity where that is known by itself: as it was given, or the law
    that was identified, per density as if given."""
    viscosity: str | Model | None = None if options.viscosity == IDENTIFY else options.viscosity
    if options.viscosity == IDENTIFY and separation.fit is not None and separation.is_absolute:
        viscosity = separation.fit.model.scaled(1 / float(options.density or 1.0))
    velocity = [float(each) for each in (options.wall_velocity or "").split(",") if each]
    return {
        "where": options.wall_regions,
        "scheme": options.wall_scheme or options.scheme,
        "viscosity": viscosity,
        "density": options.density,
        "wall_velocity": velocity[0] if len(velocity) == 1 else velocity or None,
    }


def _with_series(analysis: Analysis, path: Path | str, options: Options) -> Analysis:
    """With averages over all times of a file on the same walls, where it has more than one."""
    told = {each.name: getattr(options, each.name) for each in dataclasses.fields(ReadOptions) if each.name != "time"}
    series = read_series(path, **told)
    if len(series) < 2:
        return analysis
    how = _wall_options(analysis.separation, options)
    memory = size_of(options.block_memory, "--block-memory")
    found = wall_statistics(series, period=options.period, memory=memory, **how)
    return dataclasses.replace(analysis, walls_over_time=found)
