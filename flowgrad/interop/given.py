"""What comes from another tool becomes a Flow, by the rules of :func:`flowgrad.read`; nothing is dropped unsaid."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import MissingDependencyError, OptionError, ReadError
from flowgrad.flow import Flow
from flowgrad.interop.remembered import with_record
from flowgrad.io.contents import Arrays, Contents, native
from flowgrad.io.options import ReadOptions
from flowgrad.io.registry import flow_of

log = logging.getLogger("flowgrad")

# The options in the advice of readers, with the values that they propose.
_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)(?: (?:(NAME|u,v,w|points|cells)\b|(\d[\d.e+-]*\b)))?")


def tool(name: str, extra: str) -> Any:
    """A module of an optional package; MissingDependencyError with the extra that brings it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingDependencyError(f"this needs {extra}: install flowgrad[{extra}]") from None


def flow_in(contents: Contents, about: Mapping[str, Any], record: Mapping[str, Any] | None = None) -> Flow:
    """The flow in Contents that no file holds, with the options of :func:`flowgrad.read` and those of a record."""
    if about.get("time") is not None:
        raise OptionError(f"{contents.source} holds one time, which is taken: leave out time")
    contents, told = with_record(contents, about, record or {})
    with as_options():
        return dataclasses.replace(flow_of(contents, ReadOptions(**told)), source=None)


@contextmanager
def as_options() -> Iterator[None]:
    """What a reader refuses in a file is here an argument that does not fit, and advice names arguments."""
    try:
        yield
    except (ReadError, OptionError) as error:
        raise OptionError(_in_python(str(error))) from None


def _in_python(advice: str) -> str:
    """``--velocity u,v,w`` as ``velocity="u,v,w"``, ``--boundary`` as ``boundary=``."""
    return _OPTION.sub(_argument, advice)


def _argument(option: re.Match[str]) -> str:
    name, text, number = option.groups()
    return name.replace("-", "_") + "=" + (f'"{text}"' if text else number or "")


def numeric(arrays: Mapping[str, Any], source: Path) -> Arrays:
    """The arrays of numbers as Contents keeps them, (n,) or (n, k); texts and dates are left out and said.

    Raises OptionError for complex numbers.
    """
    refuse_complex(arrays, source)
    kept: Arrays = {}
    for name, given in arrays.items():
        values = np.asarray(given)
        if values.dtype.kind not in "fiub":
            log.warning("%s: '%s' is %s, not numeric, and is left out", source, name, values.dtype)
        else:
            kept[str(name)] = native(_rows(values) if values.ndim > 2 else np.atleast_1d(values))
    return kept


def check_numbers(arrays: Mapping[str, np.ndarray]) -> None:
    """OptionError for arrays of a flow that would not come back: complex ones and texts."""
    refuse_complex(arrays, "the flow")
    for name, values in arrays.items():
        if np.asarray(values).dtype.kind not in "fiub":
            raise OptionError(f"the flow: '{name}' is {np.asarray(values).dtype}, not numeric: leave it out")


def refuse_complex(arrays: Mapping[str, Any], source: Path | str) -> None:
    """OptionError for complex numbers, of which a gradient knows nothing."""
    for name, values in arrays.items():
        if np.iscomplexobj(values):
            raise OptionError(f"{source}: '{name}' is complex: give its real and its imaginary part as two arrays")


def refuse_patches(result: Any, boundary: bool, tool: str) -> None:
    """OptionError for a flow with patches, of which a tool has none, unless they are to be left out."""
    patches = result.boundary if isinstance(result, Flow) else ()
    if patches and boundary:
        raise OptionError(
            f"{tool} has no place for the patches of the flow's boundary ({', '.join(each.name for each in patches)}): "
            "use flowgrad.to_pyvista, or leave them out with boundary=False"
        )


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), int(np.prod(values.shape[1:])))


def in_columns(values: np.ndarray) -> np.ndarray:
    """An array (n, …) as other tools hold it: (n,) or (n, k), numbers for truth."""
    rows = _rows(values) if values.ndim > 2 else values
    return np.ascontiguousarray(rows, np.uint8 if rows.dtype.kind == "b" else None)
