"""Options that differ from file to file."""

from __future__ import annotations

import dataclasses
import fnmatch
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from flowgrad.errors import OptionError
from flowgrad.options import Options
from flowgrad.spec import nearest


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
