"""Tables of differentiation rules, and the errors where there is none: the rules_* modules fill them, dual numbers
read them, and no module of rules is imported here."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import DerivativeError

# A partial derivative of one, which needs no product.
ONE = 1.0
# For each ufunc the partial derivatives by its inputs: numbers, functions of the result and the inputs, or None where
# there is none.
UFUNC_RULES: dict[Any, tuple[Callable[..., Any] | float | None, ...]] = {}
# Functions of whole arrays.
FUNCTION_RULES: dict[Any, Callable[..., Any]] = {}
# Reductions of ufuncs, such as np.add.reduce.
METHOD_RULES: dict[tuple[Any, str], Callable[..., Any]] = {}
# Functions whose results are True or False, numbers of elements or shapes.
WITHOUT_DERIVATIVE: set[Any] = set()
# Rules of libraries that are not loaded before they are used, by the library's module.
ON_DEMAND = {"scipy.special": "flowgrad.autodiff.rules_special"}

# Files whose lines are not the user's: ours, and Python's.
_NOT_THE_USERS = (str(Path(__file__).resolve().parent), str(Path(traceback.__file__).parent), "<frozen")
_ELSEWHERE = "or differentiate with backend='torch' or 'jax'"


def rule(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate the rule of some functions of whole arrays: it takes their arguments and returns dual numbers."""

    def register(derived: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTION_RULES.update(dict.fromkeys(functions, derived))
        return derived

    return register


def partials_of(ufunc: np.ufunc, count: int) -> tuple[Any, ...]:
    """The rules of a ufunc of ``count`` inputs; DerivativeError where there are none."""
    if ufunc not in UFUNC_RULES:
        for library, rules in ON_DEMAND.items():
            if library in sys.modules:
                importlib.import_module(rules)
    if len(UFUNC_RULES.get(ufunc, ())) != count:
        raise no_rule(name_of(ufunc))
    return UFUNC_RULES[ufunc]


def name_of(function: Any, method: str = "__call__", options: Any = ()) -> str:
    """A function's name with its package, as a user writes it."""
    name = getattr(function, "__name__", str(function))
    special = sys.modules.get("scipy.special")
    if isinstance(function, np.ufunc) and not hasattr(np, name) and hasattr(special, name.lstrip("_")):
        name = f"scipy.special.{name.lstrip('_')}"
    else:
        name = f"{getattr(function, '__module__', 'numpy')}.{name}"
    return name + (f".{method}" if method != "__call__" else "") + (f" with {', '.join(options)}" if options else "")


def no_rule(call: str, advice: str = "write it with what `flowgrad list functions` shows") -> DerivativeError:
    """The error for a function, or an argument of it, without a rule."""
    return DerivativeError(
        f"no derivative is known for {call}{user_line(traceback.extract_stack())}: {advice}, {_ELSEWHERE}"
    )


def no_plain_array() -> DerivativeError:
    """The error for a cast, which would drop the derivative."""
    return DerivativeError(
        f"a plain number or array is asked for{user_line(traceback.extract_stack())}, which would drop the derivative: "
        "use NumPy's functions instead of math's, np.stack instead of np.array([...]), np.zeros_like(x) instead of "
        f"np.zeros for arrays that are written into, and leave out float() and np.asarray(), {_ELSEWHERE}"
    )


def in_place(what: str, advice: str) -> DerivativeError:
    """The error for writing into an array that has no room for derivatives."""
    return DerivativeError(
        f"an array is changed in place {what}{user_line(traceback.extract_stack())}, and its derivatives would be "
        f"lost: {advice}"
    )


def user_line(frames: Iterable[traceback.FrameSummary]) -> str:
    """The innermost line that is neither ours nor of an installed package, as messages show it."""
    for frame in reversed(list(frames)):
        file = Path(frame.filename)
        if not frame.filename.startswith(_NOT_THE_USERS) and not {"site-packages", "dist-packages"} & {*file.parts}:
            return f" (line {frame.lineno} of {file.name}: {(frame.line or '').strip()})"
    return ""
