"""What can be differentiated: the names of the functions that have a rule."""

from __future__ import annotations

from collections.abc import Iterator

from flowgrad.autodiff.dual import FUNCTION_RULES, UFUNC_RULES, name_of


def known_functions() -> Iterator[tuple[str, str]]:
    """Names of the functions, sorted, and what is known of their derivatives."""
    import flowgrad.autodiff.special_rules  # noqa: F401  (fills the table)

    rules = {name_of(ufunc): _by_arguments(rule) for ufunc, rule in UFUNC_RULES.items()}
    rules |= {name_of(f): "of arrays" for f in FUNCTION_RULES if name_of(f).startswith("numpy.")}
    yield from sorted(rules.items())


def _by_arguments(partials: tuple[object, ...]) -> str:
    if all(partials):
        return "elementwise"
    known = [str(number + 1) for number, partial in enumerate(partials) if partial]
    return f"elementwise, by argument {', '.join(known)} of {len(partials)}"
