"""Arguments of the command line made from option records: a group for each record, an argument for each field."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from flowgrad.option import Option, OptionRecord, flag

R = TypeVar("R", bound=OptionRecord)


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


def options_of(record: type[R], args: argparse.Namespace, **others: Any) -> R:
    """The record of a command's arguments, and of ``others`` in their place."""
    given = {each.name: getattr(args, each.name) for each in dataclasses.fields(record) if hasattr(args, each.name)}  # type: ignore[arg-type]
    given |= others
    for each in dataclasses.fields(record):  # type: ignore[arg-type]
        if isinstance(each.default, tuple) and isinstance(given.get(each.name), str | None):
            names = (given.get(each.name) or "").split(",")
            given[each.name] = tuple(name.strip() for name in names if name.strip())
    return record(**given)
