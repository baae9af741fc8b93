"""The registry of quantities: one record each, from which names, labels, colours and docs come."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.compiled import PIECE, over_rows
from flowgrad.errors import OptionError
from flowgrad.records import Record, table
from flowgrad.spec import nearest

# What a quantity may ask for that is not itself a quantity, and the option that supplies it.
SUPPLIERS = {
    "hessian": "second=True (the command line does it by itself where a quantity needs it)",
    "viscosity": "--viscosity or --stress (flowgrad.separate in Python)",
    "density": "--density (density= of separate); 1 for a viscosity that is kinematic and stays so",
    "length": "--length, or supply(length=…)",
    "velocity": "a flow (a gradient that is made of L alone has no velocity), or supply(velocity=…)",
    "velocity_rate": "--steady (steady=True in Python) if the flow is steady, or a series with rates=True",
    "L_rate": "--steady (steady=True in Python) if the flow is steady, or a series with rates=True",
}

# Components of inputs that are supplied: of these and of no other shape.
INPUT_SHAPES: dict[str, tuple[int, ...]] = {
    "viscosity": (),
    "density": (),
    "length": (),
    "omega_epsilon": (),
    "velocity": (3,),
    "velocity_rate": (3,),
    "L_rate": (3, 3),
    "hessian": (3, 3, 3),
}


@dataclass(frozen=True, kw_only=True)
class Quantity(Record):
    """A quantity derived from the velocity gradient by a ``function``.

    ``inputs`` are the names of the function's arguments. ``of_field``: its value at one place depends on the
    others, so the function is given the whole field, else pieces of it.
    """

    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]
    of_field: bool = False


# What is not derived from L and is drawn like what is.
GIVEN = table(
    Record("velocity", "v", "L/T", "magnitude", "Batchelor 1967, §2.1", "Velocity of the fluid."),
    Record(
        "viscosity",
        r"\eta",
        "M/(L T) or L²/T",
        "magnitude",
        "Bird, Armstrong & Hassager 1987, §4.1",
        "Viscosity η of the extra stress τ = 2ηD (divided by the density where it is kinematic).",
    ),
)

QUANTITIES: dict[str, Quantity] = {}
# What several quantities are made of, and nobody asks for by name.
INTERNAL: dict[str, Quantity] = {}
# Those that are made of the whole field.
OF_FIELD: set[str] = set()

Function = Callable[..., np.ndarray]


def quantity(
    symbol: str = "",
    dimension: str = "",
    *,
    scale: str = "magnitude",
    reference: str = "",
    of_field: bool = False,
    internal: bool = False,
) -> Callable[[Function], Function]:
    """Register a function of stacks: its name is the quantity's, its argument names are its inputs."""

    def register(function: Function) -> Function:
        name = function.__name__
        (INTERNAL if internal else QUANTITIES)[name] = Quantity(
            name=name,
            function=function,
            symbol=symbol,
            dimension=dimension,
            scale=scale,
            reference=reference,
            description=" ".join((inspect.getdoc(function) or "").split("\n\n")[0].split()),
            inputs=tuple(inspect.signature(function).parameters),
            of_field=of_field,
        )
        if of_field:
            OF_FIELD.add(name)
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


def record_of(name: str) -> Quantity:
    """The record of a quantity, internal ones included; OptionError for an unknown name."""
    return INTERNAL[name] if name in INTERNAL else select([name])[0]


def inputs_of(name: str) -> set[str]:
    """Everything that a quantity is made of, directly or through other quantities, itself included."""
    if name not in QUANTITIES and (name in SUPPLIERS or name == "L"):
        return {name}
    others = (each for each in record_of(name).inputs if each != name)
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
    record = record_of(name)
    try:
        inputs = [evaluate(each, known, supplied) for each in record.inputs]
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        known[name] = record.function(*inputs) if record.of_field else _in_pieces(record.function, inputs)
    return known[name]


def _in_pieces(function: Function, stacks: list[np.ndarray]) -> np.ndarray:
    """``function`` of stacks, row by row independent, in pieces whose temporaries stay in the cache."""
    count = len(stacks[0])
    first = function(*(stack[:PIECE] for stack in stacks))
    if count <= PIECE:
        return first
    result = np.empty((count, *first.shape[1:]))

    def fill(rows: slice) -> None:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            result[rows] = function(*(stack[rows] for stack in stacks)) if rows.start else first

    over_rows(fill, count)
    return result
