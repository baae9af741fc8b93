"""Settings of a batch: processes, limits, shards; options of single files and configuration files in TOML."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import os
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from flowgrad.errors import OptionError
from flowgrad.files import size_of
from flowgrad.option import OptionRecord, option, positive
from flowgrad.pipeline.options import Options
from flowgrad.spec import nearest

ENGINES = ("local", "dask")
# A worker with its libraries, before it has read anything.
_LEAST_MEMORY = 2**28
_PART = re.compile(r"\s*(\d+)\s*/\s*(\d+)\s*")


@dataclass(frozen=True)
class Limits:
    """What one file may take: ``timeout`` in seconds, ``memory`` in bytes (of the worker and what it starts)."""

    timeout: float | None = None
    memory: int | None = None


def _workers(name: str, jobs: int | str) -> None:
    if jobs != "auto" and not str(jobs).strip().isdecimal():
        raise OptionError(f"{name} is '{jobs}': give a number, or auto for one worker a core")
    if jobs != "auto":
        _one_or_more(name, int(jobs))


def _one_or_more(name: str, count: int) -> None:
    if count < 1:
        raise OptionError(f"{name} is {count}: give 1 or more")


def _enough_memory(name: str, text: str) -> None:
    size = size_of(str(text), name)
    if size < _LEAST_MEMORY:
        raise OptionError(f"{name} is {size} bytes: a worker alone takes more, give at least 256M")


def _part(name: str, text: str) -> None:
    match = _PART.fullmatch(text)
    if match is None:
        raise OptionError(f"{name} is '{text}': give I/N, such as 2/8")
    if not 1 <= int(match[1]) <= int(match[2]):
        raise OptionError(f"{name} is {text}: give I/N with I from 1 to N")


@dataclass(frozen=True)
class Settings(OptionRecord):
    """How many processes do the work, with how many threads each (by default the cores are divided among them), on
    which engine, and which part of the list is done."""

    title: ClassVar[str] = "many files: the same command goes on where it was stopped"

    no_report: bool = option(False, "no report.html")
    jobs: int | str | None = option(
        None, "worker processes (default 1; auto: one a core)", metavar="N|auto", check=_workers
    )
    threads: int | None = option(
        None, "of each worker (default: the cores divided among them)", metavar="N", check=_one_or_more
    )
    timeout: float | None = option(None, "of one file", metavar="SECONDS", check=positive)
    max_memory: str | None = option(
        None, "of a worker, with what it starts: 4G, 800M", metavar="SIZE", check=_enough_memory
    )
    shard: str = option(
        "1/1", "the I-th of N parts of the list; the last to end merges them", metavar="I/N", check=_part
    )
    engine: str = option("local", "dask: a cluster (flowgrad[dask])", choices=ENGINES)
    scheduler: str | None = option(
        None, "of Dask (default: a cluster on this machine)", metavar="ADDRESS", needs=("engine",)
    )

    @property
    def processes(self) -> int:
        """Workers at a time; one unless said."""
        return cores() if self.jobs == "auto" else int(self.jobs or 1)

    @property
    def threads_each(self) -> int:
        """Threads of the kernels in each worker; one where the workers are a scheduler's."""
        if self.threads:
            return self.threads
        return 1 if self.scheduler else max(1, cores() // self.processes)

    @property
    def limits(self) -> Limits:
        """What one file may take."""
        return Limits(self.timeout, None if self.max_memory is None else size_of(self.max_memory, "--max-memory"))

    def own(self, files: Sequence[Path]) -> list[Path]:
        """The files of the shard: of N parts every N-th."""
        part, count = map(int, self.shard.split("/"))
        return list(files[part - 1 :: count])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        known = {each.name: get_type_hints(Options)[each.name] for each in dataclasses.fields(Options)}
        if not isinstance(table, Mapping):
            raise OptionError(f"{path}: '{name}' is no table: write [{name}] above its options")
        values = {str(key).replace("-", "_"): value for key, value in table.items()}
        for key in values:
            if key not in known:
                raise OptionError(f"{path}: [{name}] has no option '{key}'{nearest(key, known)}: known are {[*known]}")
        where = f"{path}: [{name}]"
        typed = {}
        for key, value in values.items():
            hint = known[key]
            members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
            kinds = [get_origin(each) or each for each in members if each is not type(None)]
            typed[key] = _typed(f"{where}: {key}", value, kinds)
        try:
            return dataclasses.replace(options, **typed)
        except OptionError as error:
            raise OptionError(f"{where}: {error}") from None


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; OptionError for one that cannot be read."""
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: cannot be read as TOML ({error}): check its name and its lines") from None


_WANTED = {bool: "true or false", tuple: "a list of names", float: "a number", int: "a whole number"}


def _typed(where: str, value: Any, kinds: Sequence[Any]) -> Any:
    """A value of TOML as an option of these types takes it: a number may stand for a text (``viscosity = 0.1``)."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, bool) and bool in kinds:
        return value
    if tuple in kinds and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    if str in kinds and (is_number or isinstance(value, str)):
        return str(value)
    if int in kinds and isinstance(value, int) and is_number:
        return value
    if float in kinds and is_number:
        return float(value)
    wanted = "a text or a number" if str in kinds else _WANTED.get(kinds[0], "of its type")
    raise OptionError(f"{where} = {value!r} is not {wanted}")


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
        values[known[key].dest] = _of_action(f"{path}: {name}", value, known[key])
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


def _of_action(where: str, value: Any, action: argparse.Action) -> Any:
    """A value of TOML as the command's argument takes it."""
    if isinstance(value, list) and action.nargs != "*":
        value = ",".join(_typed(where, value, [tuple]))
    if action.nargs == "*":
        return list(_typed(where, value, [tuple])) if isinstance(value, list) else [_typed(where, value, [str])]
    kind: Any = bool if action.nargs == 0 else action.type if action.type in (int, float) else str
    if kind in (int, float) and isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = kind(value)
    found = _typed(where, value, [kind])
    return Path(found) if action.type is Path else found


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
