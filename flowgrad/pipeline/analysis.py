"""Analysis of one flow: read it or make it from a formula, differentiate, separate, summarise."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import platform
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.compiled import threads
from flowgrad.errors import MeshError, OptionError
from flowgrad.files import printable
from flowgrad.flow import Flow
from flowgrad.formula.arguments import VelocityFormula, axes
from flowgrad.gradient import Stored, velocity_gradient
from flowgrad.gradient.function import Function
from flowgrad.gradient.scheme import Scheme
from flowgrad.io import read
from flowgrad.io.contents import Contents
from flowgrad.io.registry import read_contents
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.mesh import Lattice
from flowgrad.pipeline.options import DEFAULT, Options
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.model import Model
from flowgrad.separation import IDENTIFY, Separation, separate
from flowgrad.walls import Walls, at_walls, walls_summary

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
    positions = flow.mesh.points if at == "points" else flow.mesh.centroids
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

_PERCENTILES = (5, 50, 95)


@dataclass(frozen=True)
class Statistics:
    """Measure-weighted statistics of one quantity: of its magnitude for vectors and tensors, of the
    ``component`` (x, y or z) of a vector of which no other is known."""

    minimum: float
    maximum: float
    mean: float
    percentile_5: float
    median: float
    percentile_95: float
    component: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class Deviation:
    """Measure-weighted root mean square of a quantity's standard deviation (of all its known components
    together), and the share of the measure where the quantity has no derivative and so no deviation."""

    rms: float
    undefined: float


@dataclass(frozen=True, eq=False)
class Analysis(ReprMixin, line="separation quantities", table="flow gradient separation quantities walls"):
    """A flow with its gradient and separation, the quantities asked for, and the walls if they were.

    ``digest`` is the SHA-256 of the input file, empty without one.
    """

    separation: Separation
    options: Options
    quantities: tuple[str, ...]
    digest: str = ""
    walls: Walls | None = None

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
        return {name: _deviation(gradient.std(name), gradient.weights) for name in names}

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """The quantities that need what is not known across a plane cut from a 3-D flow."""
        if self.flow.out_of_plane == "zero":
            return ()
        return tuple(name for name in self.quantities if not np.isfinite(self.gradient[name]).any())

    @cached_property
    def statistics(self) -> dict[str, Statistics]:
        """Statistics of each quantity but L, D and W; the sorting is shared among threads."""
        names = [name for name in self.quantities if name not in ("L", "D", "W")]
        stacks = [self.gradient[name] for name in names]
        weights = self.gradient.weights
        with ThreadPoolExecutor(threads()) as pool:
            return dict(zip(names, pool.map(lambda values: _statistics(values, weights), stacks), strict=True))

    def summary(self) -> dict[str, Any]:
        """Everything a machine may want to know of the run, as JSON types; NaN becomes null."""
        flow, gradient, separation = self.flow, self.gradient, self.separation
        return plain(
            {
                "file": flow.name,
                "verdict": str(separation.verdict.value),
                "origin": separation.origin,
                "statement": separation.sentence,
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
                "statistics": {name: _written(each) for name, each in self.statistics.items()},
                "provenance": {
                    "input": printable(flow.source) if flow.source else None,
                    "sha256": self.digest,
                    "options": self.options.given(),
                    "versions": versions(),
                },
            }
        )


def analyse(path: Path | str, options: Options = DEFAULT, differentiate: Differentiate = velocity_gradient) -> Analysis:
    """Read a file and analyse the flow in it; FlowgradError where that is not possible."""
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(digest_of, Path(path))
        if options.formula is not None:
            return _analyse_formula(Path(path), options, digest.result())
        return analyse_flow(read_flow(path, options), options, digest.result(), differentiate)


def read_flow(path: Path | str, options: Options) -> Flow:
    """Read a flow as the options say."""
    return read(
        path,
        options.velocity,
        options.location,
        options.boundary,
        noise=options.noise,
        axisymmetric=options.axisymmetric,
        out_of_plane=options.out_of_plane,
        length_scale=options.length_scale,
        y_down=options.y_down,
        time=options.time,
    )


def analyse_flow(
    flow: Flow, options: Options = DEFAULT, digest: str = "", differentiate: Differentiate = velocity_gradient
) -> Analysis:
    """Analyse a flow that is already in memory: everything is computed but the statistics."""
    second = _needs(options, "hessian")
    gradient = differentiate(
        flow, _scheme(options), options.at, error=options.error, second=second, steady=options.steady
    )
    return _analysis(flow, gradient, options, digest)


def _analyse_formula(path: Path, options: Options, digest: str) -> Analysis:
    """The flow of a formula, on a grid or on the points of a file."""
    assert options.formula is not None
    mesh = None if options.grid else path
    flow, scheme = prescribed_flow(options.formula, mesh, options.grid, options.time)
    flow = dataclasses.replace(flow, axisymmetric=options.axisymmetric, out_of_plane=options.out_of_plane)
    if not options.is_differentiated:
        return analyse_flow(flow, options, digest)
    rates = _needs(options, "velocity_rate", "L_rate")
    gradient = prescribed_gradient(flow, scheme, options.at, _needs(options, "hessian"), rates)
    return _analysis(flow, gradient, options, "" if options.grid else digest)


def _needs(options: Options, *inputs: str) -> bool:
    return any(inputs_of(name) & set(inputs) for name in options.quantities)


def _analysis(flow: Flow, gradient: VelocityGradient, options: Options, digest: str) -> Analysis:
    if not gradient.valid.any():
        raise MeshError(f"{flow.name}: there is no gradient anywhere: {'; '.join(gradient.notes)}")
    if options.length is not None:
        gradient = gradient.supply(length=np.full(len(gradient), options.length))
    separation = separate(
        gradient,
        options.stress,
        options.viscosity,
        options.density,
        body_force=options.force,
        pressure=None if options.force is None or options.viscosity == IDENTIFY else options.pressure,
    )
    names = options.quantities or _usual(separation)
    for name in names:
        separation.gradient[name]
        if separation.gradient.carries_noise(name):
            separation.gradient.std(name)
    return Analysis(separation, options, tuple(names), digest, _walls(separation, options))


def _walls(separation: Separation, options: Options) -> Walls | None:
    """The walls that were asked for, with the viscosity where that is known by itself."""
    if options.walls is None:
        return None
    flow = separation.gradient.flow
    assert flow is not None
    velocity = None if options.wall_velocity is None else [float(each) for each in options.wall_velocity.split(",")]
    return at_walls(
        flow,
        None if options.walls == "auto" else options.walls if "=" in options.walls else options.walls.split(","),
        scheme=options.scheme,
        viscosity=_of_walls(separation, options),
        pressure=options.pressure,
        density=options.density,
        wall_velocity=velocity[0] if velocity is not None and len(velocity) == 1 else velocity,
    )


def _of_walls(separation: Separation, options: Options) -> str | Model | None:
    """The viscosity at the walls, as it was given; or the law that was identified, per density as if given."""
    if options.viscosity != IDENTIFY:
        return options.viscosity
    if separation.fit is None or not separation.is_absolute:
        return None
    return separation.fit.model.scaled(1 / (options.density or 1.0))


def _written(statistics: Statistics) -> dict[str, Any]:
    return {name: value for name, value in asdict(statistics).items() if value != ""}


def _scheme(options: Options) -> Scheme | str:
    return Stored(options.gradient_field) if options.gradient_field else options.scheme


def _usual(separation: Separation) -> tuple[str, ...]:
    known = separation.gradient.supplied.keys()
    with_viscosity = ("dissipation",) if "viscosity" in known else ()
    with_length = ("reynolds_number",) if known >= {"viscosity", "density", "length"} else ()
    return (*DEFAULT_QUANTITIES, *with_viscosity, *with_length)


def _statistics(values: np.ndarray, weights: np.ndarray) -> Statistics:
    component = _only_known(values)
    if component:
        values = values[:, "xyz".index(component)]
    elif values.ndim > 1:
        values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
    chosen = (weights > 0) & np.isfinite(values)
    values, weights = values[chosen], weights[chosen]
    if not len(values):
        return Statistics(*[math.nan] * 6)
    mean = float((weights * values).sum() / weights.sum())
    percentiles = weighted_percentiles(values, weights)
    return Statistics(float(values.min()), float(values.max()), mean, *percentiles, component=component)


def _only_known(values: np.ndarray) -> str:
    """The axis of the one component of vectors (n, 3) that is known, as in a plane cut from a 3-D flow."""
    if values.ndim != 2:
        return ""
    known = np.flatnonzero(np.isfinite(values).any(axis=0))
    return "xyz"[known[0]] if len(known) == 1 else ""


def _deviation(values: np.ndarray, weights: np.ndarray) -> Deviation:
    components = values.reshape(len(values), -1)
    known = np.isfinite(components).any(axis=1)
    squares = np.nansum(components**2, axis=1)
    total, measure = float(weights[known].sum()), float(weights.sum())
    rms = math.sqrt(float((weights[known] * squares[known]).sum()) / total) if total > 0 else math.nan
    return Deviation(rms, 1 - total / measure if measure > 0 else math.nan)


def weighted_percentiles(values: np.ndarray, weights: np.ndarray) -> list[float]:
    """The 5th, 50th and 95th percentile of values that stand for the given measures."""
    order = np.argsort(values)
    share = np.cumsum(weights[order])
    positions = np.searchsorted(share, np.array(_PERCENTILES) / 100 * share[-1])
    return [float(values[order[min(i, len(order) - 1)]]) for i in positions]


def versions() -> dict[str, str]:
    """Versions of everything a result depends on."""
    packages = ("flowgrad", "numpy", "scipy", "numba", "meshio", "matplotlib")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def digest_of(path: Path) -> str:
    """SHA-256 of a file; empty for what is none or cannot be opened (the reader says why)."""
    if not path.is_file():
        return ""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def plain(value: Any) -> Any:
    """The same as JSON types: no NumPy scalars, no NaN."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
