"""What dual numbers refuse, with the line of the user's function and the way out."""

from __future__ import annotations

import traceback
from pathlib import Path

from flowgrad.errors import DerivativeError

_HERE = str(Path(__file__).resolve().parent)
_ELSEWHERE = "or differentiate with backend='torch' or 'jax'"


def no_rule(call: str) -> DerivativeError:
    """For a function without a rule."""
    return DerivativeError(
        f"no derivative is known for {call}{_where()}: write it with what `flowgrad list functions` shows, {_ELSEWHERE}"
    )


def nothing_of_order(call: str, number: int) -> DerivativeError:
    """For an argument that a function cannot be differentiated by."""
    return DerivativeError(
        f"no derivative of {call} with respect to its argument {number + 1} is known{_where()}: keep that argument "
        f"constant, {_ELSEWHERE}"
    )


def no_plain_array() -> DerivativeError:
    """For a cast, which would drop the derivative."""
    return DerivativeError(
        f"a plain number or array is asked for{_where()}, which would drop the derivative: use NumPy's functions "
        "instead of math's, np.stack instead of np.array([...]), np.zeros_like(x) instead of np.zeros for arrays that "
        f"are written into, and leave out float() and np.asarray(), {_ELSEWHERE}"
    )


def in_place(what: str, way_out: str) -> DerivativeError:
    """For writing into an array that has no room for derivatives."""
    return DerivativeError(
        f"an array is changed in place {what}{_where()}, and its derivatives would be lost: {way_out}"
    )


def _where() -> str:
    """The innermost line that is neither ours nor NumPy's."""
    for frame in reversed(traceback.extract_stack()):
        if not frame.filename.startswith(_HERE) and f"{Path('/numpy/').as_posix()}" not in frame.filename:
            return f" (line {frame.lineno} of {Path(frame.filename).name}: {(frame.line or '').strip()})"
    return ""
