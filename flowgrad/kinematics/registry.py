"""Registry of quantities: one record each, from which names, labels, colours and docs come."""

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


@dataclass(frozen=True)
class Input:
    """Array that a quantity may ask for beyond L and other quantities: its components at one place, the ``advice`` to a
    user who has not given it, and the reason why the ``noise`` of L does not reach what is made of it, if so."""

    components: tuple[int, ...]
    advice: str
    noise: str = ""


_WITH_VELOCITY = "the noise of L goes with that of the velocity, which is not carried: choose a quantity of L"
_STEADY = "--steady (steady=True in Python) if the flow is steady, or a series with rates=True"
INPUTS = {
    "hessian": Input(
        (3, 3, 3),
        "second=True (the command line does it by itself where a quantity needs it)",
        "noise is carried to L, not to the second derivatives: choose a quantity of L",
    ),
    "viscosity": Input((), "--viscosity or --stress (flowgrad.separate in Python)"),
    "density": Input((), "--density (density= of separate); 1 for a viscosity that is kinematic and stays so"),
    "length": Input((), "--length, or supply(length=…)"),
    "velocity": Input(
        (3,), "a flow (a gradient that is made of L alone has no velocity), or supply(velocity=…)", _WITH_VELOCITY
    ),
    "position": Input((3,), "a flow (a gradient that is made of L alone is nowhere), or supply(position=…)"),
    "velocity_rate": Input((3,), _STEADY, _WITH_VELOCITY),
    "L_rate": Input((3, 3), _STEADY, _WITH_VELOCITY),
}


@dataclass(frozen=True, kw_only=True)
class Quantity(Record):
    """Quantity derived from the velocity gradient by a ``function``.

    ``inputs`` are the names of the function's arguments. ``of_field``: its value at one place depends on the
    others, so the function is given the whole field, else pieces of it. ``form`` tells how the noise of L reaches it
    where the first order does not serve: it is a ``quadratic`` form of L, the ``root`` of one that is never negative,
    an ``eigenvalue``, or ``swirl``, λ_ci.
    """

    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]
    of_field: bool = False
    form: str = ""


# Inputs that are drawn like quantities.
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
# Parts of several quantities that nobody asks for by name.
INTERNAL: dict[str, Quantity] = {}
# Quantities of the whole field.
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
    form: str = "",
) -> Callable[[Function], Function]:
    """Register a function of stacks as a quantity: its name is the quantity's, its argument names are its inputs
    (``L``, names in ``INPUTS``, other quantities), and the first paragraph of its docstring describes it.

    ``symbol``, ``dimension``, ``scale`` and ``reference`` are those of :class:`~flowgrad.records.Record`, ``form`` is
    that of :class:`Quantity`. A function ``of_field`` is given all places at once, others may be given parts.
    ``internal`` ones are inputs of others alone.
    Raises OptionError for a name that is taken; a module that is run again replaces its own.
    """

    def register(function: Function) -> Function:
        name = function.__name__
        taken = QUANTITIES.get(name) or INTERNAL.get(name)
        owner = taken.function.__module__ if taken else __name__ if name in INPUTS else function.__module__
        if owner != function.__module__:
            name_of = f"the quantity '{name}' of {function.__module__}"
            raise OptionError(f"{name_of} has a name that is taken by {owner}: rename the function")
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
            form=form,
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


def inputs_of(name: str) -> set[str]:
    """Inputs of a quantity, its own and those of its inputs, itself included."""
    if name == "L" or (name in INPUTS and name not in QUANTITIES):
        return {name}
    record = INTERNAL.get(name) or select([name])[0]
    return {name}.union(*(inputs_of(each) for each in record.inputs if each != name))


def components_of(name: str) -> tuple[int, ...]:
    """Components at one place of a quantity or an input: (), (3,), (3, 3), …"""
    if name in INPUTS:
        return INPUTS[name].components
    supplied = {each: np.ones((1, *about.components)) for each, about in INPUTS.items()}
    return evaluate(name, {"L": np.eye(3)[None]}, supplied).shape[1:]


def evaluate(name: str, known: dict[str, Any], supplied: Mapping[str, np.ndarray]) -> np.ndarray:
    """The quantity ``name``, computing each input once into ``known``.

    ``supplied`` holds arrays that are not derived from L. Raises OptionError for an unknown quantity and
    for an input that nobody supplied, naming the option that does.
    """
    if name in known:
        return known[name]
    if name in supplied:
        return supplied[name]
    if name in INPUTS:
        raise OptionError(f"{name} is needed and not known: give {INPUTS[name].advice}")
    record = INTERNAL.get(name) or select([name])[0]
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
