"""Tape of a law: the elementary operations that its formula is made of, recorded once, replayed by compiled loops.

A law is written once, with NumPy, and called with symbols in place of arrays; what it does to them is the tape
(Wengert 1964, Comm. ACM 7, 463). Replayed forwards it gives the law at any rates and parameters, backwards its
derivatives by all parameters (Griewank & Walther 2008, Evaluating Derivatives, chapter 3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.typing import FloatArray

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, MINIMUM, MAXIMUM, LOGADDEXP, LESS, WHERE = range(10)
NEGATIVE, EXP, EXPM1, LOG, LOG1P, SQRT, SQUARE, ABSOLUTE, ARCSINH, SINH, COSH, TANH = range(20, 32)

_CODES: dict[np.ufunc, int] = {
    np.add: ADD, np.subtract: SUBTRACT, np.multiply: MULTIPLY, np.divide: DIVIDE, np.power: POWER,
    np.float_power: POWER, np.minimum: MINIMUM, np.maximum: MAXIMUM, np.logaddexp: LOGADDEXP, np.less: LESS,
    np.less_equal: LESS, np.negative: NEGATIVE, np.exp: EXP, np.expm1: EXPM1, np.log: LOG, np.log1p: LOG1P,
    np.sqrt: SQRT, np.square: SQUARE, np.absolute: ABSOLUTE, np.arcsinh: ARCSINH, np.sinh: SINH, np.cosh: COSH,
    np.tanh: TANH,
}  # fmt: skip
_MIRRORED = {np.greater: np.less, np.greater_equal: np.less}


class Tape(NamedTuple):
    """Operations ``ops`` (m, 4), each a code and the registers of what it takes; its result is the next register.

    The first registers are the argument (the shear rate), the parameters and the ``constants``. ``varies`` says of
    every register whether it depends on the argument, ``active`` whether it does on that or on a parameter; ``last``
    is the register of the result.
    """

    ops: NDArray[np.int64]
    constants: FloatArray
    parameters: int
    varies: NDArray[np.bool_]
    active: NDArray[np.bool_]
    last: int


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of a law that is being recorded."""

    __slots__ = ("key", "recording")

    def __init__(self, recording: _Recording, key: Any) -> None:
        self.recording, self.key = recording, key

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Symbol:
        if method != "__call__" or options:
            raise _unknown(f"{ufunc.__name__}.{method}")
        if ufunc is np.isnan:
            return self.recording.constant(0.0)
        if ufunc is np.reciprocal:
            return np.divide(1.0, inputs[0])
        if ufunc in _MIRRORED:
            return _MIRRORED[ufunc](inputs[1], inputs[0])
        if ufunc is np.power and isinstance(inputs[1], (int, float)):
            if inputs[1] == 2:
                return np.square(inputs[0])
            if inputs[1] == 0.5:
                return np.sqrt(inputs[0])
        if ufunc not in _CODES:
            raise _unknown(ufunc.__name__)
        return self.recording.note(_CODES[ufunc], inputs)

    def __array_function__(self, function: Callable[..., Any], types: Any, inputs: Any, options: Any) -> Any:
        if options or function not in (np.where, np.clip):
            raise _unknown(function.__name__)
        if function is np.where:
            return self.recording.note(WHERE, inputs)
        value, low, high = inputs
        return np.minimum(np.maximum(value, low), high)

    def __bool__(self) -> bool:
        raise _unknown("if")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise _unknown("array")


def _unknown(name: str) -> OptionError:
    return OptionError(
        f"a law uses '{name}', which a fit cannot record: write it with arithmetic, np.where and NumPy's exp, log, "
        "sqrt, power, arcsinh and the like, or as a law in stress"
    )


class _Recording:
    """Operations by what they are made of, each once."""

    def __init__(self) -> None:
        self.constants: dict[float, Symbol] = {}
        self.operations: dict[tuple[Any, ...], Symbol] = {}

    def constant(self, value: float) -> Symbol:
        return self.constants.setdefault(value, Symbol(self, ("constant", value)))

    def note(self, code: int, inputs: Sequence[Any]) -> Symbol:
        if any(np.ndim(each) for each in inputs if not isinstance(each, Symbol)):
            raise _unknown("an array")
        of = tuple(each if isinstance(each, Symbol) else self.constant(float(each)) for each in inputs)
        key = (code, *(each.key for each in of))
        return self.operations.setdefault(key, Symbol(self, key))


def recorded(formula: Callable[..., Any], parameters: int) -> Tape:
    """The tape of a formula of one argument and so many parameters."""
    recording = _Recording()
    inputs = [Symbol(recording, ("input", k)) for k in range(1 + parameters)]
    with np.errstate(all="ignore"):
        result = formula(*inputs)
    if not isinstance(result, Symbol):
        result = recording.constant(float(result))
    known = [*inputs, *recording.constants.values(), *recording.operations.values()]
    registers = {each.key: k for k, each in enumerate(known)}
    first = len(known) - len(recording.operations)
    ops = np.zeros((len(recording.operations), 4), np.int64)
    varies, active = np.zeros(len(known), bool), np.zeros(len(known), bool)
    varies[0], active[: 1 + parameters] = True, True
    for k, key in enumerate(recording.operations):
        of = [registers[each] for each in key[1:]]
        ops[k, : 1 + len(of)] = key[0], *of
        varies[first + k], active[first + k] = varies[of].any(), active[of].any()
    constants = np.array(list(recording.constants), float)
    return Tape(ops, constants, parameters, varies, active, registers[result.key])
