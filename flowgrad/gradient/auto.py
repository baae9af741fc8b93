"""Which scheme suits a flow, and why."""

from __future__ import annotations

from flowgrad.flow import Flow
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.operator import Scheme


def choose(flow: Flow) -> tuple[Scheme, str]:
    """The scheme for a flow and the reason in one line."""
    if flow.location == "points":
        return Autodiff(), "the velocity is at points, so the mesh's own interpolant is differentiated"
    with_walls = f" and {len(flow.boundary)} boundary patches" if flow.boundary else ""
    return FiniteDifference(order=1), f"the velocity is at cells: least squares over the neighbouring cells{with_walls}"
