"""Settings of a batch: processes, limits, shards; options of single files and configuration files in TOML."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import json
import math
import os
import re
import tomllib
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from flowgrad.errors import OptionError
from flowgrad.files import size_of
from flowgrad.pipeline.options import Options
from flowgrad.spec import nearest

ENGINES = ("local", "dask")
# A worker with its libraries, before it has read anything.
_LEAST_MEMORY = 2**28


@dataclass(frozen=True)
class Limits:
    """What one file may take: ``timeout`` in seconds, ``memory`` in bytes (of the worker and what it starts)."""

    timeout: float | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise OptionError(f"--timeout is {self.timeout:g}: give a positive number of seconds")
        if self.memory is not None and self.memory < _LEAST_MEMORY:
            raise OptionError(f"--max-memory is {self.memory} bytes: a worker alone takes more, give at least 256M")

    def __bool__(self) -> bool:
        return self.timeout is not None or self.memory is not None


@dataclass(frozen=True)
class Settings:
    """How many processes do the work, with how many threads each (``None``: the cores divided among them), on
    which engine, and which part of the list is done: ``shard`` (I, N), I from 1 to N."""

    jobs: int | None = None
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    shard: tuple[int, int] = (1, 1)
    engine: str = "local"
    scheduler: str | None = None
    report: bool = True

    def __post_init__(self) -> None:
        for name in ("jobs", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"--{name} is {value}: give 1 or more")
        if self.engine not in ENGINES:
            raise OptionError(f"--engine '{self.engine}' is unknown: choose one of {', '.join(ENGINES)}")
        if self.scheduler and self.engine != "dask":
            raise OptionError("--scheduler is for --engine dask: give both, or leave it out")
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise OptionError(f"--shard is {self.shard[0]}/{self.shard[1]}: give I/N with I from 1 to N")

    @property
    def processes(self) -> int:
        """Workers at a time; one unless said."""
        return self.jobs or 1

    @property
    def threads_each(self) -> int:
        """Threads of the kernels in each worker; one where the workers are a scheduler's."""
        if self.threads:
            return self.threads
        return 1 if self.scheduler else max(1, cores() // self.processes)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jobs_of(text: str | int | None) -> int | None:
    """A number of workers from its text; ``auto`` is one for each core."""
    if text is None or isinstance(text, int):
        return text
    if text == "auto":
        return cores()
    if not text.strip().isdecimal():
        raise OptionError(f"--jobs is '{text}': give a number, or auto for one worker a core")
    return int(text)


def memory_of(text: str | None) -> int | None:
    """Bytes from a text such as ``4G`` or ``800M`` (powers of 1024)."""
    if text is None:
        return None
    return size_of(str(text), "--max-memory")


def shard_of(text: str | None) -> tuple[int, int]:
    """(I, N) from ``I/N``."""
    if text is None:
        return 1, 1
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    if match is None:
        raise OptionError(f"--shard is '{text}': give I/N, such as 2/8")
    return int(match[1]), int(match[2])


@dataclass(frozen=True)
class Cases:
    """The options of each file: those of the command line, then those of the tables whose name
    matches the file's stem (``fnmatch`` patterns; later tables win)."""

    options: Options
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, options: Options) -> Cases:
        """Tables of a TOML file; OptionError for a file that is not TOML or an unknown option."""
        cases = cls(options, read_toml(path))
        for name, table in cases.tables.items():
            cases._apply(options, name, table, path)
        return cases

    def of(self, file: Path) -> Options:
        """The options of one file."""
        options = self.options
        for name, table in self.tables.items():
            if fnmatch.fnmatchcase(file.stem, name):
                options = self._apply(options, name, table, file)
        return options

    def _apply(self, options: Options, name: str, table: Any, path: Path) -> Options:
        known = get_type_hints(Options)
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: '{name}' is no table: write [{name}] above its options")
        values = {str(key).replace("-", "_"): value for key, value in table.items()}
        for key in values:
            if key not in known:
                raise OptionError(f"{path}: [{name}] has no option '{key}'{nearest(key, known)}: known are {[*known]}")
        where = f"{path}: [{name}]"
        typed = {key: _typed(key, value, known[key], where) for key, value in values.items()}
        try:
            return dataclasses.replace(options, **typed)
        except OptionError as error:
            raise OptionError(f"{where}: {error}") from None

    def unused(self, files: Sequence[Path]) -> list[str]:
        """Tables that match none of the files."""
        return [name for name in self.tables if not any(fnmatch.fnmatchcase(file.stem, name) for file in files)]


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; OptionError for one that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: cannot be read as TOML ({error}): check its name and its lines") from None


_WANTED = {bool: "true or false", tuple: "a list of names", float: "a number", int: "a whole number"}


def _typed(key: str, value: Any, hint: Any, where: str) -> Any:
    """A value of TOML as the option takes it: a number may stand for a text (``viscosity = 0.1``)."""
    kinds = _kinds(hint)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, bool) and bool in kinds:
        return value
    if tuple in kinds and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if int in kinds and isinstance(value, int) and is_number:
        return value
    if float in kinds and is_number:
        return float(value)
    if str in kinds and (is_number or isinstance(value, str)):
        return str(value)
    wanted = "a text or a number" if str in kinds else _WANTED.get(kinds[0], "of its type")
    raise OptionError(f"{where}: {key} = {value!r} is not {wanted}")


def _kinds(hint: Any) -> list[Any]:
    """The types that an option may have, None left out."""
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return [get_origin(each) or each for each in members if each is not type(None)]


_WANTED_config: dict[Any, str] = {int: "a whole number", float: "a number"}
# Of one call, not of the run.
_OF_THE_CALL = ("help", "config", "dry_run", "json", "quiet", "verbose", "shard")


def read_config(path: Path, actions: Iterable[argparse.Action]) -> dict[str, Any]:
    """Values by the names of the parser's ``actions``, of their types.

    Raises OptionError for a file that is not TOML, an unknown option and a value of another type.
    """
    known = {_key(action): action for action in actions if action.dest not in ("help", "config")}
    values: dict[str, Any] = {}
    for name, value in read_toml(path).items():
        key = name.replace("_", "-")
        if key not in known:
            raise OptionError(f"{path}: there is no option '{name}'{nearest(key, known)}: known are {', '.join(known)}")
        values[known[key].dest] = _typed_config(f"{path}: {name}", value, known[key])
    return values


def config_text(values: Mapping[str, Any], actions: Iterable[argparse.Action]) -> str:
    """The options that differ from their defaults as TOML, which :func:`read_config` takes."""
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


def _typed_config(where: str, value: Any, action: argparse.Action) -> Any:
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
        raise OptionError(f"{where} = {value!r} is not {_WANTED_config.get(kind, 'valid')}") from None
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
