"""Public names and their signatures, as written down in ``public_surface.json``: a change there is a decision.

``python tests/test_public_surface.py`` writes the file anew.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

import flowgrad
from flowgrad.errors import MissingDependencyError

WRITTEN = Path(__file__).with_name("public_surface.json")
MODULES = ("autodiff", "exact", "formula", "paths", "plot")


def signature(value: Any) -> str | list[str]:
    """Names, kinds and defaults of the parameters; for a class those of its constructor and its public attributes."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return type(value).__name__
    parts = [
        re.sub(" at 0x[0-9a-f]+", "", str(each.replace(annotation=inspect.Parameter.empty))) for each in parameters
    ]
    kinds = [each.kind.name.lower() for each in parameters]
    call = ", ".join(f"{part} [{kind}]" for part, kind in zip(parts, kinds, strict=True))
    if not inspect.isclass(value):
        return call
    fields = {name for base in value.__mro__ for name in inspect.get_annotations(base)}
    return [call, *sorted(name for name in {*dir(value), *fields} if not name.startswith("_"))]


def agrees(now: Any, written: Any) -> bool:
    """Whether a signature is the one written down; a class may have gained attributes, and lost none."""
    if not isinstance(written, list):
        return bool(now == written)
    return bool(now[0] == written[0] and set(written[1:]) <= set(now[1:]))


def public_names() -> list[str]:
    """The names of the package and, with a dot, those of its public modules."""
    inner = [f"{module}.{name}" for module in MODULES for name in importlib.import_module(f"flowgrad.{module}").__all__]
    return [*flowgrad.__all__, *inner]


def test_every_public_name_is_written_down() -> None:
    assert sorted(public_names()) == sorted(json.loads(WRITTEN.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", json.loads(WRITTEN.read_text(encoding="utf-8")) if WRITTEN.exists() else [])
def test_signature(name: str) -> None:
    try:
        now = surface_of(name)
    except MissingDependencyError as missing:
        pytest.skip(str(missing))
    written = json.loads(WRITTEN.read_text(encoding="utf-8"))[name]
    assert agrees(now, written), f"{name} was {written} and is {now}"


def surface_of(name: str) -> Any:
    """The signature of one public name, ``plot.field`` for that of a module."""
    module, _, plain = name.rpartition(".")
    return signature(getattr(importlib.import_module(f"flowgrad.{module}" if module else "flowgrad"), plain))


if __name__ == "__main__":
    WRITTEN.write_text(
        json.dumps({name: surface_of(name) for name in public_names()}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
