"""Replay of a tape: a law's values at many points, forwards, and its derivatives, backwards, in compiled loops."""

from __future__ import annotations

import numpy as np

from flowgrad.compiled import called
from flowgrad.rheology.tape import (
    ABSOLUTE,
    ADD,
    ARCSINH,
    COSH,
    DIVIDE,
    EXP,
    EXPM1,
    LESS,
    LOG,
    LOG1P,
    LOGADDEXP,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    NEGATIVE,
    POWER,
    SINH,
    SQRT,
    SQUARE,
    SUBTRACT,
    WHERE,
    Tape,
)
from flowgrad.typing import FloatArray


@called
def fill_constants(tape: Tape, V: FloatArray, count: int) -> None:
    """Put the constants into their registers."""
    first = 1 + tape.parameters
    for k in range(len(tape.constants)):
        for j in range(count):
            V[first + k, j] = tape.constants[k]


@called
def replay(tape: Tape, V: FloatArray, count: int) -> None:
    """Forwards: fill the registers V (m, count) from argument, parameters and constants in the first rows."""
    first = 1 + tape.parameters + len(tape.constants)
    for i in range(len(tape.ops)):
        code, p, q, s, y = tape.ops[i, 0], tape.ops[i, 1], tape.ops[i, 2], tape.ops[i, 3], first + i
        width = count if tape.varies[y] else 1
        # The commonest have loops of their own, which vector registers take.
        if code == MULTIPLY:
            for j in range(width):
                V[y, j] = V[p, j] * V[q, j]
        elif code == DIVIDE:
            for j in range(width):
                V[y, j] = V[p, j] / V[q, j]
        elif code == ADD:
            for j in range(width):
                V[y, j] = V[p, j] + V[q, j]
        elif code == SUBTRACT:
            for j in range(width):
                V[y, j] = V[p, j] - V[q, j]
        else:
            for j in range(width):
                V[y, j] = _result(code, V[p, j], V[q, j], V[s, j])
        for j in range(width, count):
            V[y, j] = V[y, 0]


@called
def _result(code: int, a: float, b: float, c: float) -> float:
    """An operation at a point."""
    if code == ADD:
        return a + b
    if code == SUBTRACT:
        return a - b
    if code == MULTIPLY:
        return a * b
    if code == DIVIDE:
        return a / b
    if code == POWER:
        return a**b
    if code == SQRT:
        return np.sqrt(a)
    if code == SQUARE:
        return a * a
    if code == EXP:
        return np.exp(a)
    if code == EXPM1:
        return np.expm1(a)
    if code == LOG:
        return np.log(a)
    if code == LOG1P:
        return np.log1p(a)
    if code == NEGATIVE:
        return -a
    if code == MINIMUM:
        return b if b < a else a
    if code == MAXIMUM:
        return b if b > a else a
    if code == LESS:
        return 1.0 if a < b else 0.0
    if code == WHERE:
        return b if a != 0 else c
    if code == LOGADDEXP:
        return max(a, b) + np.log1p(np.exp(-abs(a - b)))
    if code == ABSOLUTE:
        return abs(a)
    if code == ARCSINH:
        return np.arcsinh(a)
    if code == SINH:
        return np.sinh(a)
    if code == COSH:
        return np.cosh(a)
    return np.tanh(a)


@called
def replay_back(tape: Tape, V: FloatArray, A: FloatArray, count: int) -> None:
    """Backwards: the derivatives A (m, count) of the result at each point by every register; V as after a replay."""
    first = 1 + tape.parameters + len(tape.constants)
    for k in range(len(tape.varies)):
        for j in range(count):
            A[k, j] = 1.0 if k == tape.last else 0.0
    for i in range(len(tape.ops) - 1, -1, -1):
        code, p, q, s, y = tape.ops[i, 0], tape.ops[i, 1], tape.ops[i, 2], tape.ops[i, 3], first + i
        if not tape.active[y]:
            continue
        with_a, with_b = tape.active[p], tape.active[q]
        for j in range(count):
            g = A[y, j]
            if g == 0:
                continue
            if code < WHERE:
                da, db = _slopes(code, V[p, j], V[q, j], V[y, j], with_b)
                if with_a:
                    A[p, j] += g * da
                if with_b:
                    A[q, j] += g * db
            elif code == WHERE:
                A[q if V[p, j] != 0 else s, j] += g
            else:
                A[p, j] += g * _slope(code, V[p, j], V[y, j])


@called
def _slopes(code: int, a: float, b: float, y: float, by_b: bool) -> tuple[float, float]:
    """Derivatives of an operation on two numbers by both; the second may be left out where it costs."""
    if code == ADD:
        return 1.0, 1.0
    if code == SUBTRACT:
        return 1.0, -1.0
    if code == MULTIPLY:
        return b, a
    if code == DIVIDE:
        return 1 / b, -y / b
    if code == POWER:
        return b * y / a if a != 0 else (1.0 if b == 1 else 0.0), y * np.log(a) if by_b and a > 0 else 0.0
    if code == MINIMUM:
        return (0.0, 1.0) if b < a else (1.0, 0.0)
    if code == MAXIMUM:
        return (0.0, 1.0) if b > a else (1.0, 0.0)
    if code == LOGADDEXP:
        return np.exp(a - y), np.exp(b - y)
    return 0.0, 0.0


@called
def _slope(code: int, a: float, y: float) -> float:
    """Derivative of an operation on one number."""
    if code == SQRT:
        return 0.5 / y
    if code == SQUARE:
        return 2 * a
    if code == EXP:
        return y
    if code == EXPM1:
        return y + 1
    if code == LOG:
        return 1 / a
    if code == LOG1P:
        return 1 / (1 + a)
    if code == NEGATIVE:
        return -1.0
    if code == ABSOLUTE:
        return 1.0 if a >= 0 else -1.0
    if code == ARCSINH:
        return 1 / np.sqrt(1 + a * a)
    if code == SINH:
        return np.cosh(a)
    if code == COSH:
        return np.sinh(a)
    return 1 - y * y
