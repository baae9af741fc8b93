"""What comes from another tool becomes a Flow, by the rules of :func:`flowgrad.read`; nothing is dropped unsaid."""

from __future__ import annotations

import dataclasses
import importlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import MissingDependencyError, OptionError, ReadError
from flowgrad.flow import Flow
from flowgrad.io.contents import Arrays, Contents, native
from flowgrad.io.registry import flow_of

log = logging.getLogger("flowgrad")


def tool(name: str, extra: str) -> Any:
    """A module of an optional package; MissingDependencyError with the extra that brings it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingDependencyError(f"this needs {extra}: install flowgrad[{extra}]") from None


def flow_in(contents: Contents, about: Mapping[str, Any]) -> Flow:
    """The flow in Contents that no file holds, with the options of :func:`flowgrad.read`."""
    with as_options():
        return dataclasses.replace(flow_of(contents, **about), source=None)


@contextmanager
def as_options() -> Iterator[None]:
    """What a reader refuses in a file is here an argument that does not fit."""
    try:
        yield
    except ReadError as error:
        raise OptionError(str(error)) from None


def numeric(arrays: Mapping[str, Any], source: Path) -> Arrays:
    """The arrays of numbers as Contents keeps them, (n,) or (n, k); others are left out and said."""
    kept: Arrays = {}
    for name, given in arrays.items():
        values = np.asarray(given)
        if values.dtype.kind not in "fiub":
            log.warning("%s: '%s' is %s, not numeric, and is left out", source, name, values.dtype)
        else:
            kept[str(name)] = native(values.reshape(len(values), -1) if values.ndim > 2 else np.atleast_1d(values))
    return kept


def in_columns(values: np.ndarray) -> np.ndarray:
    """An array (n, …) as other tools hold it: (n,) or (n, k), numbers for truth."""
    rows = values.reshape(len(values), int(np.prod(values.shape[1:]))) if values.ndim > 2 else values
    return np.ascontiguousarray(rows, np.uint8 if rows.dtype.kind == "b" else None)
