"""Options as fields of frozen dataclasses: each field carries its help, placeholder, choices and check, from which
signatures, the command's arguments, configuration files and the advice in errors follow.

@dataclass(frozen=True)
class ReadOptions(OptionRecord):
    time: float | None = option(None, "step of a file of several (default: the last)", metavar="NUMBER", check=finite)

@takes(ReadOptions)
def read(path, options): …              # read(path, time=2.5)
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

from flowgrad.errors import OptionError
from flowgrad.spec import nearest

if TYPE_CHECKING:
    import argparse

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")

Check = Callable[[str, Any], None]

# Choices of several options: where values live; the axis of symmetry of a planar mesh (``none``: a wedge is not
# axisymmetric); what is known of the derivatives across a planar mesh.
LOCATIONS = ("points", "cells")
AXES = ("x", "y", "none")
OUT_OF_PLANE = ("zero", "unknown", "incompressible")


@dataclass(frozen=True)
class Option:
    """What is said of an option wherever it is offered: ``help`` and ``metavar`` as argparse shows them, ``choices``,
    a ``check(flag, value)`` that raises OptionError, and the names of options it ``excludes`` or ``needs`` (one of)."""

    help: str
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    check: Check | None = None
    excludes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def option(default: Any, help: str, *, kw_only: bool = True, **about: Any) -> Any:
    """A field of an OptionRecord: its ``default`` and the fields of its :class:`Option`."""
    return dataclasses.field(default=default, kw_only=kw_only, metadata={"option": Option(help, **about)})


class OptionRecord:
    """Base of frozen dataclasses of options: checks each that is given, and what excludes or needs another; False
    stands for the choice ``none``. ``title`` heads the record's group of arguments in the command's help."""

    title: ClassVar[str] = ""

    def __post_init__(self) -> None:
        given = self.given()
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            about, value = field.metadata.get("option"), getattr(self, field.name)
            if about is None or field.name not in given:
                continue
            if value is False and "none" in (about.choices or ()):
                object.__setattr__(self, field.name, "none")
                continue
            if about.choices is not None and value not in about.choices:
                hint = nearest(str(value), about.choices)
                raise OptionError(f"{flag(field.name)} '{value}' is unknown{hint}: choose {_or(about.choices)}")
            if about.check is not None:
                about.check(flag(field.name), value)
            for other in about.excludes:
                if other in given:
                    raise OptionError(f"{flag(field.name)} and {flag(other)} exclude each other: give one of them")
            if about.needs and not given.keys() & set(about.needs):
                needed = _or(tuple(map(flag, about.needs)))
                raise OptionError(f"{flag(field.name)} has no effect without {needed}: add it, or leave it out")

    def given(self) -> dict[str, Any]:
        """The options that differ from their defaults."""
        found = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value, default = getattr(self, field.name), field.default
            # An array is never the default, None.
            if value is not default and (default is None or not bool(value == default)):
                found[field.name] = value
        return found


def united(order: str) -> Callable[[type[T]], type[T]]:
    """Decorate a class whose bases are option records: it takes the fields of all of them as arguments, by position
    too, the named ones first in this order."""

    def decorate(cls: type[T]) -> type[T]:
        known = {each.name: each for base in cls.__bases__ for each in dataclasses.fields(base)}
        names = list(dict.fromkeys([*order.split(), *known]))
        own: list[Any] = []
        for name in names:
            given = known[name]
            own.append((name, given.type, dataclasses.field(default=given.default, metadata=given.metadata)))
        check = {"__post_init__": cls.__post_init__}  # type: ignore[attr-defined]
        flat = dataclasses.make_dataclass(cls.__name__, own, namespace=check, frozen=True)
        for name in ("__init__", "__repr__", "__eq__", "__hash__", "__dataclass_fields__", "__match_args__"):
            setattr(cls, name, getattr(flat, name))
        return cls

    return decorate


def takes(record: Callable[P, R]) -> Callable[[Callable[[S, R], T]], Callable[Concatenate[S, P], T]]:
    """Decorate a function of a subject and an option record: it then takes the record's fields as arguments."""

    def decorate(function: Callable[[S, R], T]) -> Callable[Concatenate[S, P], T]:
        own = inspect.signature(function)
        subject = next(iter(own.parameters.values()))

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> T:
            if not args and subject.name in options:
                args = (options.pop(subject.name),)
            if not args:
                raise TypeError(f"{function.__name__}() needs the argument '{subject.name}'")
            return function(args[0], record(*args[1:], **options))

        fields = inspect.signature(record).parameters.values()
        call.__signature__ = own.replace(parameters=[subject, *fields])  # type: ignore[attr-defined]
        return cast(Callable[Concatenate[S, P], T], call)

    return decorate


def flag(name: str) -> str:
    """An option as the command line writes it: ``--length-scale``."""
    return f"--{name.replace('_', '-')}"


def check_symmetry(axisymmetric: str | None, out_of_plane: str) -> None:
    """OptionError for an unknown axis or closure, and for both at once."""
    if axisymmetric not in (None, *AXES):
        raise OptionError(f"axisymmetric '{axisymmetric}' is unknown: choose one of {', '.join(AXES)}")
    if out_of_plane not in OUT_OF_PLANE:
        raise OptionError(f"out_of_plane '{out_of_plane}' is unknown: choose one of {', '.join(OUT_OF_PLANE)}")
    if axisymmetric in ("x", "y") and out_of_plane != "zero":
        raise OptionError(
            f"axisymmetric={axisymmetric} and out_of_plane={out_of_plane} exclude each other: give one of them"
        )


def positive(name: str, value: float) -> None:
    """OptionError unless the value is a positive, finite number."""
    if not 0 < value < math.inf:
        raise OptionError(f"{name} is {value}: give a positive number")


def finite(name: str, value: float) -> None:
    """OptionError unless the value is a finite number."""
    if not math.isfinite(value):
        raise OptionError(f"{name} is {value}: give a finite number")


def not_empty(name: str, value: str) -> None:
    """OptionError for an empty text."""
    if value == "":
        raise OptionError(f"{name} is empty: give a name, or leave it out")


def _or(names: tuple[str, ...]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


Given = TypeVar("Given", bound=OptionRecord)


def add_options(
    parser: argparse.ArgumentParser,
    *records: type[OptionRecord],
    without: tuple[str, ...] = (),
    changed: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Add a group of arguments for each record, named by its ``title``; ``changed`` are arguments of
    ``add_argument`` by the option's name, for a command where it means something else."""
    for record in records:
        group = parser.add_argument_group(record.title)
        kinds = typing.get_type_hints(record)
        for field in dataclasses.fields(record):  # type: ignore[arg-type]
            if field.name not in without:
                about = _about(field.metadata["option"], kinds[field.name], field.default)
                group.add_argument(flag(field.name), **about | dict((changed or {}).get(field.name, {})))


def _about(option: Option, kind: Any, default: Any) -> dict[str, Any]:
    """What argparse is told of an option; several names are a text with commas, which :func:`options_of` parts."""
    if kind is bool:
        return {"action": "store_true", "help": option.help}
    number = [each for each in (int, float) if kind in (each, each | None)]
    # Choices are checked by the record, which knows the nearest one.
    metavar = option.metavar or (f"{{{','.join(option.choices)}}}" if option.choices else None)
    about = {"default": None if default == () else default, "help": option.help, "metavar": metavar}
    return about | ({"type": number[0]} if number else {})


def options_of(record: type[Given], args: argparse.Namespace, **others: Any) -> Given:
    """The record of a command's arguments, and of ``others`` in their place."""
    given = {each.name: getattr(args, each.name) for each in dataclasses.fields(record) if hasattr(args, each.name)}  # type: ignore[arg-type]
    given |= others
    for each in dataclasses.fields(record):  # type: ignore[arg-type]
        if isinstance(each.default, tuple) and isinstance(given.get(each.name), str | None):
            names = (given.get(each.name) or "").split(",")
            given[each.name] = tuple(name.strip() for name in names if name.strip())
    return record(**given)
