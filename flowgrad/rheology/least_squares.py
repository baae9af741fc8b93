"""Bounded non-linear least squares of a law's stresses from many starts, with exact derivatives.

Levenberg's and Marquardt's method (Marquardt 1963, J. SIAM 11, 431) with the damping of Nielsen (1999,
IMM-REP-1999-05); a parameter at a bound that wants to leave is held there. What a law must not do (a stress that
falls with the rate) is a residual that counts from where it would begin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowgrad.compiled import called, kernel
from flowgrad.rheology.replay import fill_constants, replay, replay_back
from flowgrad.rheology.tape import Tape
from flowgrad.typing import FloatArray

_FIRST_DAMPING = 1e-3
_LEAST_DAMPING = 1e-13
# A short step says that a minimum is near only where little damping shortens it.
_FREE_DAMPING = 1e-2
_MOST_DAMPING = 1e12
# No parameter's logarithm moves further in one step.
_LONGEST_STEP = 3.0
_SMALLEST_PIVOT = 1e-30
# A model may turn negative far from the data: misfit, not NaN.
_LEAST_RATIO = 1e-300
# By how much a law keeps from what is not admissible, and how many residuals of that size weigh as one that has the
# size of its stress.
_MARGIN = 1e-3
_GUARD_WEIGHT = 20.0
# The corner of the guard is a parabola over this on both sides: a slope, and no step at which searches would stay.
_ROUNDING = 1e-4
_NEWTON_STEPS = 100
_CONVERGED = 1e-13
_LONGEST_LOG = 50.0


class Problem(NamedTuple):
    """A law's ``tape`` and what it is fitted to: shear rates, stresses and scales of the residuals (n,).

    ``in_stress`` says that the tape is log η of log τ, which is solved for τ at each rate; ``logarithmic`` that
    residuals are log(model/stress), else model/stress − 1. ``guard`` is the tape of what has to be positive in an
    admissible law, of the parameters alone. ``lower`` and ``upper`` (p,) bound the logarithms of the parameters.
    """

    tape: Tape
    in_stress: bool
    guard: Tape
    guarded: bool
    rate: FloatArray
    stress: FloatArray
    scale: FloatArray
    logarithmic: bool
    lower: FloatArray
    upper: FloatArray


class _Work(NamedTuple):
    """Registers and their derivatives of the law (m, n) and of its guard (m, 1); residuals (n + 1,) and their
    derivatives (p, n + 1) now and at a trial."""

    V: FloatArray
    A: FloatArray
    guard_V: FloatArray
    guard_A: FloatArray
    r: FloatArray
    J: FloatArray
    trial_r: FloatArray
    trial_J: FloatArray


@called
def _workplace(problem: Problem) -> _Work:
    n, p = len(problem.rate), len(problem.lower)
    m, g = len(problem.tape.varies), len(problem.guard.varies)
    work = _Work(
        np.zeros((m, n)), np.zeros((m, n)), np.zeros((g, 1)), np.zeros((g, 1)),
        np.zeros(n + 1), np.zeros((p, n + 1)), np.zeros(n + 1), np.zeros((p, n + 1)),
    )  # fmt: skip
    fill_constants(problem.tape, work.V, n)
    fill_constants(problem.guard, work.guard_V, 1)
    return work


@called
def _copy(r: FloatArray, J: FloatArray, to_r: FloatArray, to_J: FloatArray) -> None:
    """Copy residuals and their derivatives, in loops: for slices numba compiles a message on shapes each time."""
    for j in range(len(r)):
        to_r[j] = r[j]
        for k in range(len(J)):
            to_J[k, j] = J[k, j]


@called
def _replayed(problem: Problem, V: FloatArray, A: FloatArray, slopes: bool) -> None:
    """Fill the registers from the parameters in their rows, and their derivatives where ``slopes`` are asked for."""
    n = len(problem.rate)
    if problem.in_stress:
        _solved_for_stress(problem, V, A)
        return
    for j in range(n):
        V[0, j] = problem.rate[j]
    replay(problem.tape, V, n)
    if slopes:
        replay_back(problem.tape, V, A, n)


@called
def _solved_for_stress(problem: Problem, V: FloatArray, A: FloatArray) -> None:
    """Fill the registers of a law in stress, and their derivatives, at the log τ, its first register, at which
    log τ − log η(log τ) is log γ̇: by Newton's method within what encloses the root; the left side rises, as the law is
    admissible."""
    tape, n = problem.tape, len(problem.rate)
    low, high, last = np.zeros(n), np.zeros(n), np.zeros(n)
    for j in range(n):
        V[0, j] = np.log(problem.stress[j])
        low[j], high[j], last[j] = -np.inf, np.inf, np.inf
    for _ in range(_NEWTON_STEPS):
        replay(tape, V, n)
        replay_back(tape, V, A, n)
        largest = 0.0
        for j in range(n):
            u = V[0, j]
            excess = u - V[tape.last, j] - np.log(problem.rate[j])
            if excess > 0:
                high[j] = u
            elif excess < 0:
                low[j] = u
            step = -excess / (1 - A[0, j])
            if not abs(step) < _LONGEST_LOG:
                step = -_LONGEST_LOG if excess > 0 else _LONGEST_LOG
            goal, middle = u + step, 0.5 * (low[j] + high[j])
            # Halved where Newton's steps leave the bounds or do not shrink (Press et al. 2007, section 9.4).
            slow = goal < low[j] or goal > high[j] or 2 * abs(step) > last[j]
            if np.isfinite(middle) and slow and abs(step) > _CONVERGED * max(1.0, abs(u)):
                goal = middle
            last[j] = abs(goal - u)
            largest = max(largest, abs(goal - u) / max(1.0, abs(goal)))
            V[0, j] = goal
        if largest <= _CONVERGED:
            return


@called
def _evaluate(problem: Problem, x: FloatArray, work: _Work, r: FloatArray, J: FloatArray, slopes: bool) -> float:
    """Half the sum of the squared residuals r (n + 1,) at log parameters x (p,), infinite where it is not known, with
    the residuals' derivatives J (p, n + 1) where ``slopes`` are asked for."""
    n, p, V, A = len(problem.rate), len(x), work.V, work.A
    last = problem.tape.last
    for k in range(p):
        for j in range(n):
            V[1 + k, j] = np.exp(x[k])
    _replayed(problem, V, A, slopes)
    cost = 0.0
    for j in range(n):
        eta = np.exp(V[last, j]) if problem.in_stress else V[last, j]
        ratio = eta * problem.rate[j] / problem.stress[j]
        positive = ratio > _LEAST_RATIO
        deviation = np.log(max(ratio, _LEAST_RATIO)) if problem.logarithmic else ratio - 1
        r[j] = deviation / problem.scale[j]
        cost += r[j] * r[j]
        if slopes:
            # d log η/d log p of a law in stress; dη/dp of one in rate.
            outer = (ratio / (1 - A[0, j])) if problem.in_stress else ratio / eta
            outer = outer / ratio if problem.logarithmic else outer
            for k in range(p):
                J[k, j] = A[1 + k, j] * V[1 + k, j] * outer / problem.scale[j] if positive else 0.0
    r[n] = 0.0
    for k in range(p):
        J[k, n] = 0.0
    if problem.guarded:
        cost += _guarded(problem, x, work, r, J)
    known = np.isfinite(cost)
    if slopes:
        for k in range(p):
            for j in range(n + 1):
                known = known and np.isfinite(J[k, j])
    return 0.5 * cost if known else np.inf


@called
def _guarded(problem: Problem, x: FloatArray, work: _Work, r: FloatArray, J: FloatArray) -> float:
    """The square of the last residual, by what a law lacks of being admissible."""
    n, V, A = len(problem.rate), work.guard_V, work.guard_A
    for k in range(len(x)):
        V[1 + k, 0] = np.exp(x[k])
    replay(problem.guard, V, 1)
    lack, weight = _MARGIN - V[problem.guard.last, 0], _GUARD_WEIGHT * np.sqrt(n)
    reached = lack + _ROUNDING
    if reached > 0:
        curved = min(reached, 2 * _ROUNDING)
        r[n] = weight * (curved**2 / (4 * _ROUNDING) + reached - curved)
        replay_back(problem.guard, V, A, 1)
        for k in range(len(x)):
            J[k, n] = -weight * curved / (2 * _ROUNDING) * A[1 + k, 0] * V[1 + k, 0]
    return float(r[n] * r[n])


@called
def _solved(
    normal: FloatArray, gradient: FloatArray, damping: float, fixed: np.ndarray, given: FloatArray, out: FloatArray
) -> None:
    """The damped step (p,) whose ``fixed`` components are ``given``: by Cholesky's factors of what is left."""
    p = len(gradient)
    root = np.empty(p)
    for k in range(p):
        root[k] = np.sqrt(max(normal[k, k], _SMALLEST_PIVOT) * (1 + damping + _LEAST_DAMPING))
    L, y = np.zeros((p, p)), np.zeros(p)
    for i in range(p):
        right = -gradient[i]
        for q in range(p):
            right -= normal[i, q] * given[q]
        y[i] = 0.0 if fixed[i] else right / root[i]
        for q in range(i + 1):
            value = 1.0 if i == q else (0.0 if fixed[i] or fixed[q] else normal[i, q] / root[i] / root[q])
            for s in range(q):
                value -= L[i, s] * L[q, s]
            if i == q:
                L[i, i] = np.sqrt(max(value, 1e-15))
            else:
                L[i, q] = value / L[q, q]
    for i in range(p):
        for s in range(i):
            y[i] -= L[i, s] * y[s]
        y[i] /= L[i, i]
    for i in range(p - 1, -1, -1):
        for s in range(i + 1, p):
            y[i] -= L[s, i] * y[s]
        y[i] /= L[i, i]
    for i in range(p):
        step = y[i] / root[i]
        out[i] = given[i] if fixed[i] else (step if np.isfinite(step) else 0.0)


@called
def _step(
    problem: Problem, x: FloatArray, r: FloatArray, J: FloatArray, damping: float, held: int, step: FloatArray
) -> float:
    """Put the damped Gauss–Newton step (p,) within the bounds into ``step``; the decrease of the cost it promises.

    Parameters that would leave go to their bound, and the others' step is the best one beside that.
    """
    p, n = J.shape
    gradient, normal = np.zeros(p), np.zeros((p, p))
    for k in range(p):
        for j in range(n):
            gradient[k] += J[k, j] * r[j]
        for q in range(k + 1):
            total = 0.0
            for j in range(n):
                total += J[k, j] * J[q, j]
            normal[k, q] = normal[q, k] = total
    fixed, given, low, high = np.zeros(p, np.bool_), np.zeros(p), np.zeros(p), np.zeros(p)
    for k in range(p):
        at_end = (x[k] <= problem.lower[k] and gradient[k] > 0) or (x[k] >= problem.upper[k] and gradient[k] < 0)
        fixed[k] = at_end or k == held
        if not fixed[k]:
            low[k] = max(problem.lower[k] - x[k], -_LONGEST_STEP)
            high[k] = min(problem.upper[k] - x[k], _LONGEST_STEP)
    _solved(normal, gradient, damping, fixed, given, step)
    leaves = False
    for k in range(p):
        if not fixed[k] and not low[k] <= step[k] <= high[k]:
            given[k] = min(max(step[k], low[k]), high[k])
            fixed[k] = leaves = True
    if leaves:
        _solved(normal, gradient, damping, fixed, given, step)
    predicted = 0.0
    for k in range(p):
        step[k] = min(max(step[k], low[k]), high[k])
    for k in range(p):
        predicted -= gradient[k] * step[k]
        for q in range(p):
            predicted -= 0.5 * step[k] * normal[k, q] * step[q]
    return predicted


@called
def _descended(
    problem: Problem, x: FloatArray, held: int, steps: int, enough: float, decrease: float, work: _Work
) -> float:
    """The cost of the minimum that a search reaches from x (p,), which it moves."""
    damping, growth, predicted, cost = _FIRST_DAMPING, 2.0, 0.0, np.inf
    step, goal = np.zeros(len(x)), np.zeros(len(x))
    for k in range(len(x)):
        goal[k] = x[k]
    for count in range(steps + 1):
        trial = _evaluate(problem, goal, work, work.trial_r, work.trial_J, steps > 0)
        gain, least = cost - trial, decrease * cost
        if count == 0 or gain > 0:
            part = min(max(gain / max(predicted, 1e-300), 0.0), 1.0)
            damping = damping * max(1 / 3, 1 - (2 * part - 1) ** 3) if count else damping
            growth, cost = 2.0, trial
            for k in range(len(x)):
                x[k] = goal[k]
            _copy(work.trial_r, work.trial_J, work.r, work.J)
        else:
            damping, growth = damping * growth, 2 * growth
        small = count > 0 and (predicted <= least or 0 < gain <= least)
        if (small and damping < _FREE_DAMPING) or damping > _MOST_DAMPING or cost <= enough or cost == np.inf:
            break
        if count < steps:
            predicted = _step(problem, x, work.r, work.J, damping, held, step)
            for k in range(len(x)):
                goal[k] = x[k] if k == held else min(max(x[k] + step[k], problem.lower[k]), problem.upper[k])
    return cost


@kernel()
def minimised(
    problem: Problem, x: FloatArray, held: NDArray[np.int64], steps: int, enough: float, decrease: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The costs (b,) of the minima that searches reach from x (b, p), which they move, in at most so many steps; and
    of the least of them the residuals (n + 1,) and their derivatives (p, n + 1).

    The parameters ``held`` (b,), −1 for none, do not move. A search ends where a step lowers its cost by no more than
    the part ``decrease``, and all end once a cost is below ``enough``: the costs of those after it are infinite.
    """
    work, found = _workplace(problem), np.zeros(len(x))
    r, J, least = np.zeros(len(problem.rate) + 1), np.zeros((x.shape[1], len(problem.rate) + 1)), np.inf
    ended = False
    for i in range(len(x)):
        found[i] = np.inf if ended else _descended(problem, x[i], held[i], steps, enough, decrease, work)
        ended = ended or found[i] <= enough
        if found[i] < least:
            least = found[i]
            _copy(work.r, work.J, r, J)
    return found, r, J


def descents(
    problem: Problem, x: FloatArray, steps: int, enough: float = 0.0, decrease: float = 1e-13, held: Any = -1
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``minimised`` with the same parameter held in all searches, or with none."""
    return minimised(problem, x, np.broadcast_to(held, len(x)).astype(np.int64), steps, enough, decrease)


def costs(problem: Problem, x: FloatArray) -> FloatArray:
    """Half the sums of squares (b,) at log parameters (b, p)."""
    return descents(problem, x.copy(), 0, -np.inf)[0]
