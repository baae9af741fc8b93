"""Options from a TOML file, by the names of the command line; and the options of a run as such a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowgrad.batch.cases import read_toml
from flowgrad.errors import OptionError
from flowgrad.spec import nearest

_WANTED: dict[Any, str] = {int: "a whole number", float: "a number"}
# Of one call, not of the run.
_OF_THE_CALL = ("help", "config", "dry_run", "json", "quiet", "verbose", "shard")


def read(path: Path, actions: Iterable[argparse.Action]) -> dict[str, Any]:
    """Values by the names of the parser's ``actions``, of their types.

    Raises OptionError for a file that is not TOML, an unknown option and a value of another type.
    """
    known = {_key(action): action for action in actions if action.dest not in ("help", "config")}
    values: dict[str, Any] = {}
    for name, value in read_toml(path).items():
        key = name.replace("_", "-")
        if key not in known:
            raise OptionError(f"{path}: there is no option '{name}'{nearest(key, known)}: known are {', '.join(known)}")
        values[known[key].dest] = _typed(f"{path}: {name}", value, known[key])
    return values


def text(values: Mapping[str, Any], actions: Iterable[argparse.Action]) -> str:
    """The options that differ from their defaults as TOML, which :func:`read` takes."""
    shown = [action for action in actions if action.dest not in _OF_THE_CALL]
    lines = [
        f"{_key(action)} = {_toml(value)}"
        for action in shown
        if (value := values.get(action.dest)) not in (None, False, []) and value != action.default
    ]
    return "# flowgrad run --config with this file is the same run again.\n" + "".join(f"{each}\n" for each in lines)


def _key(action: argparse.Action) -> str:
    """The name without its dashes."""
    long = [each for each in action.option_strings if each.startswith("--")]
    return (long[0].lstrip("-") if long else action.dest).replace("_", "-")


def _typed(where: str, value: Any, action: argparse.Action) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise OptionError(f"{where} = {value!r} is not true or false")
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value if action.nargs == "*" else ",".join(value)
    if not (is_number or isinstance(value, str)):
        raise OptionError(f"{where} = {value!r} is not a text or a number")
    if action.nargs == "*":
        return [str(value)]
    return _of_type(where, value, action)


def _of_type(where: str, value: Any, action: argparse.Action) -> Any:
    kind: Any = action.type or str
    try:
        if kind is int and isinstance(value, float):
            raise ValueError
        found = kind(value)
    except (TypeError, ValueError):
        raise OptionError(f"{where} = {value!r} is not {_WANTED.get(kind, 'valid')}") from None
    if action.choices is not None and found not in action.choices:
        raise OptionError(f"{where} = {value!r} is unknown: choose one of {', '.join(map(str, action.choices))}")
    return found


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
