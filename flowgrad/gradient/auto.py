"""Which scheme suits a flow, and why."""

from __future__ import annotations

from flowgrad.flow import Flow
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.operator import Scheme, Where
from flowgrad.mesh import Mesh
from flowgrad.mesh.lattice import Lattice


def choose(flow: Flow, at: Where | None = None) -> tuple[Scheme, str]:
    """The scheme for the gradient of a flow ``at`` a place, and the reason in one line."""
    where = flow.location if at is None else at
    if isinstance(flow.mesh, Lattice) and not (flow.location == "cells" and flow.boundary):
        return FiniteDifference(), "the velocity is on a lattice: differences along its axes"
    if flow.location == "cells":
        with_walls = f" and {len(flow.boundary)} boundary patches" if flow.boundary else ""
        reason = f"the velocity is at cells: least squares over the neighbours{with_walls}, as in finite-volume solvers"
        return FiniteDifference(order=1), f"{reason}; on smooth flows higher orders are nearer to the truth"
    if not flow.mesh.dimension:
        return FiniteDifference(), "the velocity is at scattered points: quadratic fits to those around"
    if isinstance(where, str) and where == "points" and flow.mesh.dimension > 1 and not _has_curved_cells(flow.mesh):
        return FiniteDifference(), "at points quadratic fits are nearer to the truth than means over the cells around"
    return Autodiff(), "the velocity is at points, so the mesh's own interpolant is differentiated"


def _has_curved_cells(mesh: Mesh) -> bool:
    return any(block.reference.is_curved for block in mesh.blocks)
