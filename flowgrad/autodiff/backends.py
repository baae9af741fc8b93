"""Choice of the backend for a function from what it refers to, and fallbacks within one: derivatives by PyTorch and
JAX are tried in several ways, and what to do is said where all of them fail.

A walk over what a function refers to stays necessary beside any trial: PyTorch takes the device, the dtype and the
mode (training or not) of the networks that it finds, and a network's float32 would pass through NumPy unseen.
"""

from __future__ import annotations

import dis
import functools
import importlib
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeVar

import numpy as np

from flowgrad.autodiff.rules import user_line
from flowgrad.errors import DerivativeError, FlowgradError, OptionError
from flowgrad.typing import FloatArray

T = TypeVar("T")

# Backends by the package that their users import, with the packages that a function written for one refers to.
BACKENDS = {"numpy": (), "torch": ("torch",), "jax": ("jax", "jaxlib")}
# Functions of these are not looked into: they are written for NumPy, or ask which package is at hand.
_CLOSED = frozenset(sys.stdlib_module_names) | {"numpy", "scipy", "numba", "sympy", "autograd", "matplotlib"}
_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"}
# Objects looked at, and items of each container: a function may hold a whole program.
_MOST, _ITEMS = 2000, 64


def backend_of(function: Callable[..., Any], backend: str | None = None) -> Any:
    """The module that differentiates a function: the one named, else that of the package it is written with.
    OptionError for an unknown name."""
    if backend is None:
        loaded = (name for name in BACKENDS if name in sys.modules)
        backend = next((name for name in loaded if uses(function, *BACKENDS[name])), "numpy")
    if backend not in BACKENDS:
        raise OptionError(f"backend '{backend}' is unknown: choose one of {', '.join(BACKENDS)}")
    return importlib.import_module(f"flowgrad.autodiff.{backend}_backend")


def uses(function: Callable[..., Any], *packages: str) -> bool:
    """Whether a function, or one of the user's functions that it calls, names or holds something of a package."""
    return any(not _packages_of(each).isdisjoint(packages) for each in referenced(function))


def referenced(function: Callable[..., Any]) -> Iterator[Any]:
    """The function, what its code names and its closure holds, and the same of the user's functions among them,
    the nearest first."""
    waiting, seen = deque([function]), {id(function): function}
    while waiting and len(seen) < _MOST:
        thing = waiting.popleft()
        yield thing
        if thing is function or _packages_of(thing).isdisjoint(_CLOSED):
            new = {id(part): part for part in _parts(thing) if id(part) not in seen}
            seen |= new
            waiting.extend(new.values())


def _packages_of(thing: Any) -> set[str]:
    """Top-level packages of a module, of a function, or of the classes of an object; ``builtins`` left out."""
    if isinstance(thing, ModuleType):
        names: list[Any] = [thing.__name__]
    else:
        kind = thing if isinstance(thing, type) else type(thing)
        names = [getattr(thing, "__module__", None), *(base.__module__ for base in kind.__mro__)]
    return {name.split(".")[0] for name in names if isinstance(name, str)} - {"builtins", "abc", "collections"}


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, FunctionType):
        yield from _parts_of_function(thing)
    elif isinstance(thing, MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, (list, tuple, dict)):
        yield from islice(thing.values() if isinstance(thing, dict) else thing, _ITEMS)
    elif callable(thing) and not isinstance(thing, (type, ModuleType)):
        yield from (type(thing).__call__, *getattr(thing, "__dict__", {}).values())


def _parts_of_function(function: FunctionType) -> Iterator[Any]:
    parts: list[Any] = []
    for name in _names(function.__code__):
        module = sys.modules.get(name.split(".")[0])
        if name in function.__globals__ or module is not None:
            parts.append(function.__globals__.get(name, module))
    for cell in function.__closure__ or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:
            continue  # not yet filled
    for part in (*parts, *(function.__defaults__ or ())):
        yield part
        if isinstance(part, ModuleType) and _packages_of(part).isdisjoint(_CLOSED):
            yield from (vars(part)[name] for name in function.__code__.co_names if name in vars(part))
    if wrapped := getattr(function, "__wrapped__", None):
        yield wrapped


def _names(code: CodeType) -> Iterator[str]:
    """Global names that a code loads or imports, the functions inside it included."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname in _LOADS)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@dataclass(frozen=True)
class WayOut:
    """What to do about an error whose text has one of the ``signs``; with a ``final`` one no other way is tried."""

    signs: tuple[str, ...]
    advice: str
    final: bool = True


def first_that_works(ways: Iterable[Callable[[], T]], advice: tuple[WayOut, ...], package: str) -> T:
    """The result of the first of some ways that raises nothing.

    Where all fail, a DerivativeError with the user's line, the package's message and the way out.
    """
    problems: list[tuple[Exception, WayOut | None]] = []
    for way in ways:
        try:
            return way()
        except Exception as problem:  # of any kind, as the function is the user's
            text = f"{type(problem).__name__}: {problem}"
            fitting = [each for each in advice if any(sign in text for sign in each.signs)]
            problems.append((problem, next(iter(fitting), None)))
            if any(each.final for each in fitting):
                break
    explained = next((each for each in problems if each[1] is not None), None)
    own = next((each for each in reversed(problems) if isinstance(each[0], FlowgradError)), None)
    cause, way_out = explained or own or problems[-1]
    if isinstance(cause, FlowgradError):
        raise cause
    general = f"write it with functions of {package}, for one point x[..., 0], x[..., 1], … or for many at once"
    raise DerivativeError(
        f"{package} cannot differentiate the function{user_line(traceback.extract_tb(cause.__traceback__))}: "
        f"{first_sentence(cause)}: {way_out.advice if way_out else general}"
    ) from cause


def in_order(inputs: int, outputs: int, forward: T, reverse: T) -> tuple[T, T]:
    """Forward mode before reverse where there are at most as many inputs as outputs, else the other way round."""
    return (forward, reverse) if inputs <= outputs else (reverse, forward)


def with_value(function: Callable[..., T]) -> Callable[..., tuple[T, T]]:
    """The function with its result as what is differentiated, and once more as what comes along."""

    def call(*arguments: Any) -> tuple[T, T]:
        result = function(*arguments)
        return result, result

    return call


def first_sentence(problem: Exception) -> str:
    """The beginning of another package's message, on one line."""
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return lines[0].split(". ")[0].rstrip(".:")[:200]


def in_chunks(
    evaluate: Callable[[FloatArray], tuple[FloatArray, ...]], points: FloatArray, size: int
) -> tuple[FloatArray, ...]:
    """What ``evaluate`` gives for all points, some at a time; for no points, arrays of no rows."""
    if not len(points):
        return tuple(each[:0] for each in evaluate(np.zeros((1, points.shape[1]))))
    first = evaluate(points[:size])
    results = tuple(np.empty((len(points), *each.shape[1:])) for each in first)
    for start in range(0, len(points), size):
        for result, found in zip(results, evaluate(points[start : start + size]) if start else first, strict=True):
            result[start : start + size] = found
    return results
