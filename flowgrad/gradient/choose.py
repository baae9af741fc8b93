"""Choice of the scheme: the one that is named, or the one that suits a flow, with the reason in one line."""

from __future__ import annotations

from flowgrad.flow import Flow
from flowgrad.gradient.element import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.scheme import Scheme, Where, parse_scheme
from flowgrad.mesh.lattice import Lattice


def scheme_of(scheme: Scheme | str, flow: Flow, at: Where | None = None, second: bool = False) -> tuple[Scheme, str]:
    """The scheme meant by an object, a text or ``auto``, and why; OptionError for a text that names none.

    ``second`` asks for a scheme with second derivatives.
    """
    if isinstance(scheme, Scheme):
        return scheme, "as given"
    if scheme != "auto":
        return parse_scheme(scheme), "as given"
    chosen, reason = choose(flow, at)
    if second and chosen in (Autodiff(), FiniteDifference(order=1)):
        return FiniteDifference(order=2), "second derivatives are asked for, and these fits have them"
    return chosen, reason


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
    is_curved = any(block.reference.is_curved for block in flow.mesh.blocks)
    if isinstance(where, str) and where == "points" and flow.mesh.dimension > 1 and not is_curved:
        return FiniteDifference(), "at points quadratic fits are nearer to the truth than means over the cells around"
    return Autodiff(), "the velocity is at points, so the mesh's own interpolant is differentiated"


def wall_scheme_of(scheme: Scheme | str, flow: Flow) -> tuple[Scheme, str]:
    """The same for gradients on walls, where ``auto`` is of higher order: the nearest samples stand a whole cell off
    the wall at points, half of one at cells."""
    if scheme != "auto":
        return scheme_of(scheme, flow)
    if flow.location == "points":
        return FiniteDifference(order=3), "cubic fits through the points of the wall, for the next are a cell away"
    return FiniteDifference(order=2), "quadratic fits to the cells, through the velocity on the wall"
