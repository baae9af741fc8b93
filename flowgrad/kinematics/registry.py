"""The registry of quantities: one record each, from which names, labels, colours and docs come."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.spec import nearest

# Tensors evaluated at a time.
_CHUNK = 8192

# What a quantity may ask for that is not itself a quantity, and the option that supplies it.
SUPPLIERS = {
    "hessian": "second=True (the command line does it by itself where a quantity needs it)",
    "viscosity": "--viscosity or --stress (flowgrad.separate in Python)",
}


@dataclass(frozen=True)
class Quantity:
    """One derived quantity.

    ``symbol`` is matplotlib mathtext, ``dimension`` a product of powers of M, L, T (``1/T``; ``1``
    for none), ``scale`` how its colours run: ``magnitude``, ``signed`` or ``flow-type``.
    ``inputs`` are the names of the function's arguments.
    """

    name: str
    function: Callable[..., np.ndarray]
    symbol: str
    dimension: str
    scale: str
    reference: str
    description: str
    inputs: tuple[str, ...]

    @property
    def label(self) -> str:
        """Axis label: name, symbol and dimension."""
        return axis_label(self.name.replace("_", " "), self.symbol, self.dimension)


def axis_label(name: str, symbol: str, dimension: str) -> str:
    """``name symbol [dimension]`` as written on the axes of figures."""
    unit = "–" if dimension == "1" else dimension
    return f"{name} ${symbol}$ [{unit}]"


QUANTITIES: dict[str, Quantity] = {}


def quantity(
    symbol: str, dimension: str, *, scale: str = "magnitude", reference: str = ""
) -> Callable[[Callable[..., np.ndarray]], Callable[..., np.ndarray]]:
    """Register a function of stacks: its name is the quantity's, its argument names are its inputs."""

    def register(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        name = function.__name__
        QUANTITIES[name] = Quantity(
            name=name,
            function=function,
            symbol=symbol,
            dimension=dimension,
            scale=scale,
            reference=reference,
            description=(inspect.getdoc(function) or "").split("\n")[0],
            inputs=tuple(inspect.signature(function).parameters),
        )
        return function

    return register


def select(names: Iterable[str]) -> list[Quantity]:
    """The records of the given names; OptionError with the nearest name for an unknown one."""
    chosen = []
    for name in names:
        if name not in QUANTITIES:
            hint = nearest(name, QUANTITIES) or f": known are {', '.join(QUANTITIES)}"
            raise OptionError(f"unknown quantity '{name}'{hint}")
        chosen.append(QUANTITIES[name])
    return chosen


def inputs_of(name: str) -> set[str]:
    """Everything that a quantity is made of, directly or through other quantities, itself included."""
    if name not in QUANTITIES and (name in SUPPLIERS or name == "L"):
        return {name}
    others = (each for each in select([name])[0].inputs if each != name)
    return {name}.union(*(inputs_of(each) for each in others))


def evaluate(name: str, known: dict[str, Any], supplied: Mapping[str, np.ndarray]) -> np.ndarray:
    """The quantity ``name``, computing each input once into ``known``.

    ``supplied`` holds what is not derived from L. Raises OptionError for an unknown quantity and
    for an input that nobody supplied, naming the option that does.
    """
    if name in known:
        return known[name]
    if name in supplied:
        return supplied[name]
    if name in SUPPLIERS:
        raise OptionError(f"{name} is needed and not known: give {SUPPLIERS[name]}")
    record = select([name])[0]
    try:
        inputs = [evaluate(each, known, supplied) for each in record.inputs]
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        known[name] = _in_chunks(record.function, inputs)
    return known[name]


def _in_chunks(function: Callable[..., np.ndarray], stacks: list[np.ndarray]) -> np.ndarray:
    """``function`` of stacks, row by row independent, in pieces whose temporaries stay in the cache."""
    count = len(stacks[0])
    first = function(*(stack[:_CHUNK] for stack in stacks))
    if count <= _CHUNK:
        return first
    result = np.empty((count, *first.shape[1:]))
    result[:_CHUNK] = first
    for start in range(_CHUNK, count, _CHUNK):
        piece = slice(start, start + _CHUNK)
        result[piece] = function(*(stack[piece] for stack in stacks))
    return result
