"""Convergence studies, printed: python -m scripts.convergence, in the repository's root; fails where a line fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from scripts.convergence import accuracy, exactness, orders, peers
from scripts.convergence.studies import studies

_INTRODUCTION = (
    "The error of the velocity gradient L for smooth flows in closed form, on meshes that are refined:",
    "root mean square of |L - L_exact| over that of |L_exact|. The order observed between the two finest",
    "meshes (scattered points: over all four) must be the one due, less 0.2, inside and at the boundary;",
    "est./true is the estimated error (--error) over the true one on the finest, 0.7 to 1.4 if honest.",
)


def lines() -> Iterator[tuple[str, bool]]:
    """Lines of text, each with whether it says what it must: the order of convergence of all schemes, flows that must
    come out exactly, other people's code given the same, and the README's table of errors."""
    yield from ((line, True) for line in _INTRODUCTION)
    for study in studies():
        yield from orders.lines(study)
    yield from exactness.lines()
    yield from peers.lines()
    yield from accuracy.lines()


def main() -> int:
    """Print them; the exit status."""
    failed = 0
    for line, passed in lines():
        print(line, flush=True)
        failed += not passed
    print(f"\nFAILED: {failed} lines above" if failed else "\npassed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
