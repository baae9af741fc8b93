"""How accurate the schemes are, measured on the user's own machine and on the user's own mesh."""

from __future__ import annotations

from collections.abc import Iterator

from flowgrad.flow import Flow

__all__ = ["verify"]

_INTRODUCTION = (
    "The error of the velocity gradient L for smooth flows in closed form, on meshes that are refined:",
    "root mean square of |L - L_exact| over that of |L_exact|. The order observed between the two finest",
    "meshes (scattered points: over all four) must be the one due, less 0.2, inside and at the boundary;",
    "est./true is the estimated error (--error) over the true one on the finest, 0.7 to 1.4 if honest.",
)


def verify(flow: Flow | None = None) -> Iterator[tuple[str, bool]]:
    """Lines of text, each with whether what it says is as it must be: the order of convergence of all
    schemes, what must be exact, what others' code gives for the same, and the README's table of errors; or, on
    the mesh of a flow, the error of each scheme that fits it.

    MeshError for a mesh on which there is nothing to differentiate.
    """
    count, failed = 0, 0
    for line, passed in _everywhere() if flow is None else _on_mesh(flow):
        count, failed = count + 1, failed + (not passed)
        yield line, passed
    yield "", True
    yield _conclusion(flow, failed), not failed


def _everywhere() -> Iterator[tuple[str, bool]]:
    from flowgrad.verify import accuracy, exactness, orders, peers
    from flowgrad.verify.studies import studies

    yield from ((line, True) for line in _INTRODUCTION)
    for study in studies():
        yield from orders.lines(study)
    yield from exactness.lines()
    yield from peers.lines()
    yield from accuracy.lines()


def _on_mesh(flow: Flow) -> Iterator[tuple[str, bool]]:
    from flowgrad.verify.own_mesh_text import lines

    yield from lines(flow)


def _conclusion(flow: Flow | None, failed: int) -> str:
    lines = "1 line" if failed == 1 else f"{failed} lines"
    if flow is None:
        if failed:
            return f"FAILED: {lines} above: this machine's numpy, numba or scipy, or flowgrad itself, is at fault"
        return (
            "passed: orders are those due, what must be exact is, to rounding, the peers agree, no error is too large"
        )
    if failed:
        return f"FAILED: {lines} above: a linear flow is not reproduced to rounding on this mesh"
    return "passed: every scheme that fits reproduces linear flows on this mesh to rounding"
