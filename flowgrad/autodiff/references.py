"""What a function refers to: how a backend recognises the functions that are written for it."""

from __future__ import annotations

import dis
import functools
import sys
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

# Functions of these are not looked into: they are written for NumPy, or ask which package is at hand.
_CLOSED = frozenset(sys.stdlib_module_names) | {"numpy", "scipy", "numba", "sympy", "autograd", "matplotlib"}
_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME"}
# Objects looked at, and items of each container: a function may hold a whole program.
_MOST, _ITEMS = 2000, 64


def uses(function: Callable[..., Any], *packages: str) -> bool:
    """Whether a function, or one of the user's functions that it calls, names or holds something of a package."""
    return any(not packages_of(each).isdisjoint(packages) for each in referenced(function))


def referenced(function: Callable[..., Any]) -> Iterator[Any]:
    """The function, what its code names and its closure holds, and the same of the user's functions among them,
    the nearest first."""
    waiting, seen = deque([function]), {id(function): function}
    while waiting and len(seen) < _MOST:
        each = waiting.popleft()
        yield each
        if each is not function and not packages_of(each).isdisjoint(_CLOSED):
            continue
        new = {id(part): part for part in _parts(each) if id(part) not in seen}
        seen |= new
        waiting.extend(new.values())


def packages_of(thing: Any) -> set[str]:
    """Top-level packages of a module, of a function, or of the classes of an object; ``builtins`` left out."""
    if isinstance(thing, ModuleType):
        names: list[Any] = [thing.__name__]
    else:
        kind = thing if isinstance(thing, type) else type(thing)
        names = [getattr(thing, "__module__", None), *(each.__module__ for each in kind.__mro__)]
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
    for part in (*_globals(function), *_closure(function), *(function.__defaults__ or ())):
        yield part
        if isinstance(part, ModuleType) and packages_of(part).isdisjoint(_CLOSED):
            yield from (vars(part)[name] for name in function.__code__.co_names if name in vars(part))
    if wrapped := getattr(function, "__wrapped__", None):
        yield wrapped


def _globals(function: FunctionType) -> Iterator[Any]:
    for name in _names(function.__code__):
        top = name.split(".")[0]
        if name in function.__globals__ or top in sys.modules:
            yield function.__globals__.get(name, sys.modules.get(top))


def _closure(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # not yet filled


def _names(code: CodeType) -> Iterator[str]:
    """Global names that a code loads or imports, the functions inside it included."""
    yield from (each.argval for each in dis.get_instructions(code) if each.opname in _LOADS)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
