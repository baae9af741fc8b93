"""The one parser of texts such as ``carreau(eta0=0.056, n=0.36)`` and ``finite-difference(order=4)``."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from flowgrad.errors import OptionError

T = TypeVar("T")

_CALL = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:\((.*)\))?\s*", re.DOTALL)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known name closest to a mistyped one, or an empty text."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def not_among(what: str, name: str, known: Sequence[str]) -> str:
    """``unknown array 'pp' (did you mean 'p'?)``, or all that there are."""
    return f"unknown {what} '{name}'{nearest(name, known) or ': known are ' + (', '.join(known) or 'none')}"


def parse(text: str, known: Mapping[str, type[T]], what: str) -> T:
    """Build one of the ``known`` dataclasses from the text ``name(key=value, …)``.

    ``what`` names the kind in messages. Raises OptionError for a text that is not of the form, an
    unknown name, an unknown or missing key, and a value that is not a literal.
    """
    match = _CALL.fullmatch(text)
    if match is None:
        raise OptionError(f"{what} '{text}' is not of the form name(key=value, …)")
    name, arguments = match.groups()
    if name not in known:
        raise OptionError(f"unknown {what} '{name}'{nearest(name, known)}: known are {', '.join(known)}")
    texts = {f.name for f in dataclasses.fields(known[name]) if "str" in str(f.type)}  # type: ignore[arg-type]
    try:
        keywords = _keywords(arguments or "", texts)
    except (SyntaxError, ValueError) as error:
        why = getattr(error, "msg", error)
        raise OptionError(f"{what} '{text}' cannot be read ({why}): write it as name(key=value, …)") from None
    return _build(known[name], name, keywords, what)


def _keywords(arguments: str, texts: set[str]) -> dict[str, Any]:
    """The values by their keys; a bare word stands for itself where the key is among the ``texts``."""
    call = ast.parse(f"f({arguments})", mode="eval").body
    if not isinstance(call, ast.Call) or call.args:
        raise ValueError("every value needs its key")
    found: dict[str, Any] = {}
    for keyword in call.keywords:
        key, value = str(keyword.arg), keyword.value
        try:
            found[key] = value.id if isinstance(value, ast.Name) and key in texts else ast.literal_eval(value)
        except ValueError:
            raise ValueError(f"{key}={ast.unparse(value)} is no value") from None
    return found


def _build(kind: type[T], name: str, keywords: dict[str, Any], what: str) -> T:
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}  # type: ignore[arg-type]
    for key in keywords:
        if key not in fields:
            raise OptionError(f"{what} {name} has no '{key}'{nearest(key, fields)}: it has {', '.join(fields)}")
    missing = [
        key
        for key, f in fields.items()
        if key not in keywords and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise OptionError(f"{what} {name} needs {', '.join(missing)}: write {name}({missing[0]}=…)")
    return kind(**keywords)


def unparse(name: str, value: Any, always: tuple[str, ...] = ()) -> str:
    """The text form of a dataclass, fields at their default left out unless they are to be shown ``always``:
    the inverse of :func:`parse`."""
    shown = [
        f"{f.name}={getattr(value, f.name)!r}"
        for f in dataclasses.fields(value)
        if f.init and (f.name in always or getattr(value, f.name) != f.default)
    ]
    return f"{name}({', '.join(shown)})" if shown else name
