"""Identification of the viscosity of a fluid from its velocity: the call."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import velocity_gradient, velocity_gradients
from flowgrad.kinematics import VelocityGradient
from flowgrad.momentum.cross_validation import Inference, LogCurve, infer, spread_by, weighted
from flowgrad.momentum.flow_samples import FlowSamples, samples
from flowgrad.momentum.identification import Identification
from flowgrad.momentum.regression import OVERLAP, Equations, Nodes
from flowgrad.momentum.test_functions import balls, stretches
from flowgrad.momentum.weak_form import Balance, SampledBalance, balance, plug
from flowgrad.rheology import thresholds
from flowgrad.series import Series
from flowgrad.typing import FloatArray

# Schemes beside the flow's own one, of which that is taken with which the balance closes best.
_SMOOTHING = ("finite-difference(order=3, smoothing=8)",)
_OF_CELLS = ("finite-difference(order=2)",)
# A scheme later in the list has to do better by this factor.
_BETTER = 0.8
# Velocities across less than this part of those along (root mean squares) are none.
_PARALLEL = 1e-3
# Fewer balls than these say nothing of each other.
_FEWEST_BALLS = 16


def identify_viscosity(
    flow: Flow | Series | VelocityGradient,
    *,
    density: float | None = None,
    body_force: ArrayLike | None = None,
    steady: bool | None = None,
    scheme: str = "auto",
    known: tuple[float, float] | None = None,
    power: float | None = None,
    margin: float = thresholds.MARGIN,
) -> Identification:
    """The viscosity η(γ̇) of a fluid for which ρ Dv/Dt = ρ f − ∇p + ∇·(2ηD), from its velocity alone.

    The balance is taken in its weak form, ∫ 2η D:∇w dV = ∫ ρ (f − Dv/Dt)·w dV, on hundreds of test functions without
    divergence, each within a ball inside the flow, so that the pressure drops out. η is a curve of log η over log γ̇
    whose smoothness is chosen by cross-validation between parts of the flow, which also give its error.

    With ``density`` η is dynamic, without it divided by the density. ``body_force`` f (3,) or (n, 3), where the
    velocity is, is per mass; a constant one is a gradient, which the pressure balances, and tells nothing. A single
    flow is taken as ``steady``, and where it is along one direction, so that nothing tests that, decides nothing unless
    it is said to be; a ``Series`` gives ∂v/∂t, and the equations of all its steps are solved together. A
    ``VelocityGradient`` is taken as it is. ``scheme`` is that of :func:`flowgrad.velocity_gradient`; ``auto`` tries
    the flow's own one and some that smooth, and takes the one with which the balance closes best.

    Where inertia does not tell it, η is known up to a factor, unless one is given: ``known`` is a shear rate and the
    viscosity there (a plateau, or a wall stress over the shear rate at the wall), ``power`` the work that drives the
    flow, which is dissipated in it: pressure drop times flow rate.

    A flow about an axis, in a meridian plane or a wedge, with swirl or without, is balanced in that plane.

    Raises OptionError for flows without cells, of unknown derivatives across the plane, or too coarse, and for options
    that cannot be. Kinematic values go with a kinematic ``power``.
    """
    _check(density, known, power, margin)
    candidates = _candidates(flow, scheme, steady)
    tried = [_Tried.of(gradients, _problem(gradients, body_force)) for gradients in candidates]
    best = _best(tried)
    chosen, problem = best.gradients, best.problem
    inference = infer(problem.parts, float(problem.nodes.log_rates[problem.nodes.inner][0]))
    for each in tried:
        if each is not best:
            inference = each.apart(inference, best)
    told = bool(steady) or (not isinstance(flow, Flow) and "velocity_rate" in chosen[0].supplied)
    notes = _notes(chosen, problem, body_force, told, len(candidates), inference.left_out)
    found = Identification.of(
        chosen[0],
        inference,
        problem.nodes.log_rates,
        problem.nodes.inner,
        problem.share,
        problem.count,
        1.0 if density is None else float(density),
        margin,
        not told and _is_parallel(chosen[0]),
        notes,
    )
    return found if known is None and power is None else _scaled(found, problem, known, power)


@dataclasses.dataclass(frozen=True, eq=False)
class _Problem:
    """The equations, and what is at each node: share of the volume (b,), samples (b,), Σ V 2D:D (b,)."""

    balance: Balance
    parts: tuple[SampledBalance, ...]
    nodes: Nodes
    share: FloatArray
    count: NDArray[np.int64]
    work: FloatArray


def _check(density: float | None, known: tuple[float, float] | None, power: float | None, margin: float) -> None:
    numbers = {"density": density, "power": power, "margin": margin}
    numbers |= {} if known is None else {"known shear rate": known[0], "known viscosity": known[1]}
    for name, value in numbers.items():
        if value is not None and not (np.isfinite(value) and value > 0):
            raise OptionError(f"the {name} is {value}: give a positive number")
    if known is not None and power is not None:
        raise OptionError("a known viscosity and a power are two scales: give one of them")


def _candidates(
    flow: Flow | Series | VelocityGradient, scheme: str, steady: bool | None
) -> list[list[VelocityGradient]]:
    """The gradients of all steps, by each scheme that is tried."""
    if isinstance(flow, VelocityGradient):
        return [[flow]]
    first = flow if isinstance(flow, Flow) else flow[0]
    others = (*(_OF_CELLS if first.location == "cells" else ()), *_SMOOTHING) if scheme == "auto" else ()
    return [_gradients(flow, each, steady) for each in (scheme, *others)]


def _gradients(flow: Flow | Series, scheme: str, steady: bool | None) -> list[VelocityGradient]:
    if isinstance(flow, Flow):
        return [velocity_gradient(flow, scheme, steady=True)]
    if steady:
        return list(velocity_gradients(flow, scheme, steady=True))
    return list(velocity_gradients(flow, scheme, rates=len(flow) > 1, steady=len(flow) == 1))


def _problem(gradients: Sequence[VelocityGradient], body_force: ArrayLike | None) -> _Problem:
    found = []
    for each in gradients:
        force = np.zeros((len(each), 3)) if body_force is None else np.asarray(body_force, float)
        if force.shape not in ((3,), (len(each), 3)):
            raise OptionError(f"the body force has the shape {force.shape}: give (3,) or ({len(each)}, 3), per mass")
        rate = each.supplied.get("velocity_rate", np.zeros(3))
        found.append(samples(each, np.broadcast_to(force - rate, (len(each), 3))))
    nodes = Nodes.of(found)
    parts = [part for own in found for part in _balances(own, nodes)]
    joined = parts[0].balance.joined([each.balance for each in parts[1:]])
    if len(joined) < _FEWEST_BALLS:
        flow = gradients[0].flow
        assert flow is not None
        raise OptionError(
            f"{flow.name}: only {len(joined)} balls of several cells fit into the flow, {_FEWEST_BALLS} are needed for "
            "a viscosity from the velocity alone: give a finer mesh"
        )
    return _Problem(joined, tuple(parts), nodes, *nodes.contents(found))


def _balances(own: FlowSamples, nodes: Nodes) -> Iterator[SampledBalance]:
    """The balances of one step, of each stretch of the balls."""
    mesh, axes = own.mesh, own.basis[: own.positions.shape[1]]
    unknown = own.positions[~np.isfinite(own.volumes + own.velocity.sum(axis=1) + own.D.sum(axis=(1, 2)))]
    plugs = plug(own, nodes.log_rates)
    for family, stretch in enumerate(stretches(mesh, axes)):
        inside = balls(mesh, own.own, stretch @ axes, unknown @ stretch.T, plugs @ stretch.T, family)
        stretched = own.stretched(stretch)
        yield SampledBalance(stretched, balance(stretched, inside, nodes.log_rates), bool(len(plugs)))


@dataclasses.dataclass(frozen=True, eq=False)
class _Tried:
    """The gradients by one scheme, with a first solution, and what it leaves as a fraction of the work."""

    gradients: list[VelocityGradient]
    problem: _Problem
    solution: LogCurve
    beta: float
    left: float

    @classmethod
    def of(cls, gradients: list[VelocityGradient], problem: _Problem) -> _Tried:
        start = np.zeros(len(problem.nodes.log_rates) + 1)
        equations, unknowns = weighted(Equations.of(problem.balance), OVERLAP, start)
        left = float(np.median(np.sqrt((equations.residuals(unknowns) ** 2).mean(axis=1))))
        beta = unknowns[-1] / (equations.scale or 1.0)
        return cls(gradients, problem, LogCurve(problem.nodes.log_rates, unknowns[:-1], np.zeros((0, 0))), beta, left)

    def apart(self, inference: Inference, best: _Tried) -> Inference:
        """The inference from the best, with how far this one is from it in its errors: the less, the more it leaves."""
        part = min(1.0, best.left / max(self.left, 1e-300)) ** 2
        return spread_by(inference, best.problem.nodes.log_rates, self.solution, self.beta, part)


def _best(tried: list[_Tried]) -> _Tried:
    """The first, unless another one closes the balance better."""
    best = tried[0]
    for each in tried[1:]:
        if each.left < _BETTER * best.left:
            best = each
    return best


def _is_parallel(gradient: VelocityGradient) -> bool:
    """Whether all velocities are along one direction."""
    v = gradient["velocity"][gradient.valid]
    square = np.linalg.eigvalsh(v.T @ v)
    return bool(square[-2] <= _PARALLEL**2 * square[-1])


def _notes(
    gradients: list[VelocityGradient],
    problem: _Problem,
    body_force: ArrayLike | None,
    told: bool,
    tried: int,
    left_out: int,
) -> tuple[str, ...]:
    first = gradients[0]
    inside = len(problem.balance) - left_out
    notes = [f"momentum balanced on {inside} balls inside the flow; log η smoothed by cross-validation"]
    if left_out:
        notes.append(
            f"{left_out} more balls are left out: so much momentum is carried through them that its error hides the "
            "work of the stress"
        )
    if tried > 1:
        notes.append(f"of {tried} schemes {first.scheme} closes the balance best")
    if not told:
        notes.append(
            "the flow is taken as steady, though nobody said so: a balance that does not close speaks against it"
        )
    if body_force is not None and np.ndim(body_force) == 1:
        notes.append("a constant body force is balanced by the pressure: it tells nothing of the viscosity")
    return (*notes, *first.notes)


def _scaled(
    found: Identification, problem: _Problem, known: tuple[float, float] | None, power: float | None
) -> Identification:
    """With the factor that a known viscosity or the power gives, whatever inertia says."""
    shape = found.shape
    if known is not None:
        rate, eta = known
        low, high = found.rate[[0, -1]]
        if not low <= rate <= high:
            raise OptionError(
                f"the viscosity is known at the shear rate {rate:g}, but the flow determines it from {low:.3g} to "
                f"{high:.3g} only: give one of these rates"
            )
        weights = np.array([np.interp(np.log(rate), shape.log_rates, row) for row in np.eye(len(shape))])
        scale, origin = float(np.log(eta) - weights @ shape.log_eta), f"the viscosity given at {rate:g}"
    else:
        assert power is not None
        dissipated = problem.work * np.exp(found.inference.log_eta)
        shares = (dissipated / dissipated.sum())[problem.nodes.inner][found.whole.known()]
        weights = shares / shares.sum()
        scale, origin = float(np.log(power / dissipated.sum())), "the power given"
    combined = np.eye(len(shape)) - weights
    square = np.einsum("ij,jk,ik->i", combined, shape.covariance, combined)
    errors = np.full(len(found.whole), np.nan)
    errors[found.whole.known()] = np.sqrt(np.maximum(square, 0.0))
    return dataclasses.replace(found, log_scale=scale, scale_from=origin, log_errors=errors)
