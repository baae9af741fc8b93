"""Reprs of results: one line at the prompt, a small table in a notebook; arrays only by their shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from enum import Enum
from html import escape
from typing import Any

from flowgrad.errors import FlowgradError

# A text in a line may be so long; a list or mapping of more entries is counted.
_LONG, _MANY = 60, 6


class ReprMixin:
    """A result whose attributes, methods without arguments or items named ``line`` are its repr, and those named
    ``table`` its table in a notebook; by default the fields of the dataclass."""

    _line: tuple[str, ...] = ()
    _table: tuple[str, ...] = ()

    def __init_subclass__(cls, line: str = "", table: str = "", **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls._line, cls._table = tuple(line.split()) or cls._line, tuple(table.split()) or cls._table
        # Defined in the class itself, so that the dataclass makes none that prints its arrays.
        common = ReprMixin.__repr__
        bases = [base for base in cls.__mro__[:-1] if issubclass(base, ReprMixin) and base is not ReprMixin]
        if all(base.__dict__.get("__repr__", common) is common for base in bases):
            cls.__repr__ = common  # type: ignore[method-assign]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={in_line(_value(self, name))}" for name in self._line or _fields(self))
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        names = self._table or self._line or _fields(self)
        return html_table(type(self).__name__, [(name.replace("_", " "), _text(self, name)) for name in names])


def html_table(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Names and values as a table of HTML, escaped."""
    left = 'style="text-align:left"'
    lines = (f'<tr><th scope="row" {left}>{escape(a)}</th><td {left}>{escape(b)}</td></tr>' for a, b in rows)
    return f"<table><caption><b>{escape(title)}</b></caption><tbody>{''.join(lines)}</tbody></table>"


def in_line(value: Any) -> str:
    """A value in few characters: an array by its type and shape, a text cut, many entries by their number."""
    if hasattr(value, "dtype") and getattr(value, "ndim", None):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return repr(value if len(value) <= _LONG else value[: _LONG - 1] + "…")
    if isinstance(value, Mapping):
        named = ", ".join(f"{key}: {in_line(each)}" for key, each in value.items())
        return f"{{{named}}}" if len(value) <= _MANY else f"{len(value)} entries"
    if isinstance(value, list | tuple) and len(value) > _MANY:
        return f"{len(value)} entries"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(in_line, value)) + "]"
    return repr(value) if value is None or isinstance(value, bool | int | ReprMixin) else str(value)


def in_table(value: Any) -> str:
    """A value in a table: an array by its range, of vectors and tensors that of their sizes; a text whole."""
    if hasattr(value, "dtype") and getattr(value, "ndim", None):
        return _range(value)
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return "; ".join(value) or "none"
    if isinstance(value, Mapping) and value and all(hasattr(each, "dtype") for each in value.values()):
        return ", ".join(map(str, value))
    unknown = value is None or value == "" or (isinstance(value, float) and value != value)
    return "–" if unknown else value if isinstance(value, str) else in_line(value)


def _range(values: Any) -> str:
    import numpy as np

    if values.dtype.kind not in "fiu":
        return in_line(values)
    sizes = np.sqrt((values.astype(float) ** 2).sum(axis=tuple(range(1, values.ndim)))) if values.ndim > 1 else values
    known = sizes[np.isfinite(sizes)]
    missing = f", {len(sizes) - len(known)} missing" if len(known) < len(sizes) else ""
    kind = "sizes of " if values.ndim > 1 else ""
    if not len(known):
        return f"{len(sizes)} values{missing}"
    return f"{known.min():.4g} … {known.max():.4g} ({kind}{len(sizes)}{missing})"


def _text(result: Any, name: str) -> str:
    """A value in a table, or why there is none."""
    try:
        return in_table(_value(result, name))
    except FlowgradError as error:
        return f"– ({error})"


def _value(result: Any, name: str) -> Any:
    """An attribute, what a method without arguments gives, or an item of that name."""
    if name in result.__dict__ or hasattr(type(result), name):
        value = getattr(result, name)
        return value() if callable(value) and not isinstance(value, ReprMixin) else value
    return result[name]


def _fields(result: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(result) if field.repr)
