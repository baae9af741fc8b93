"""Where an operation has no derivative: each function takes the numbers and says why, or says nothing."""

from __future__ import annotations


def zero(a: float) -> str:
    """Of |a|, the signs, logarithms and roots."""
    return "its argument is 0" if a == 0 else ""


def unit(a: float) -> str:
    """Of inverse functions whose slope is infinite at ±1."""
    return f"its argument is {a:g}" if abs(a) == 1 else ""


def pole(a: float, b: float) -> str:
    """Of a quotient."""
    return "it divides by 0" if b == 0 else ""


def origin(a: float, b: float) -> str:
    """Of the angle and the distance of a point."""
    return "both arguments are 0" if a == b == 0 else ""


def equal(a: float, b: float) -> str:
    """Of what depends on a comparison."""
    return "both sides are equal" if a == b else ""


def tie(*arguments: float) -> str:
    """Of the least and the largest."""
    return "arguments are equal" if len(set(arguments)) < len(arguments) else ""


def power(a: float, b: float) -> str:
    """Of 0 to an exponent below 1 other than 0 (its slope is infinite)."""
    return f"0 is raised to {b:g}" if a == 0 and b < 1 and b != 0 else ""
