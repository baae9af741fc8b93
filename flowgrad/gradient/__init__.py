"""Velocity gradients: one file a scheme, and the one call that uses them."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.gradient.auto import choose as choose_scheme
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.operator import Operator, Scheme
from flowgrad.gradient.stored import Stored
from flowgrad.kinematics import VelocityGradient
from flowgrad.spec import parse, unparse

__all__ = [
    "SCHEMES",
    "Autodiff",
    "FiniteDifference",
    "Operator",
    "Scheme",
    "Stored",
    "choose_scheme",
    "velocity_gradient",
]

SCHEMES: dict[str, type[Scheme]] = {
    "autodiff": Autodiff,
    "finite-difference": FiniteDifference,
    "file": Stored,
}


def velocity_gradient(flow: Flow, scheme: Scheme | str = "auto", at: str | None = None) -> VelocityGradient:
    """The velocity gradient L_ij = ∂v_i/∂x_j of a flow.

    ``scheme`` is one of ``SCHEMES``, as an object or as text (``finite-difference(order=1)``), or
    ``auto``; ``at`` is ``points`` or ``cells``, where the velocity lives unless given. L is NaN,
    and ``valid`` False, where the mesh or the values give none; the notes count these and say why.
    Raises OptionError for a scheme that does not fit the flow.
    """
    where = flow.location if at is None else at
    if where not in LOCATIONS:
        raise OptionError(f"at='{where}' is unknown: choose one of {', '.join(LOCATIONS)}")
    chosen, reason = _resolve(flow, scheme)
    found = chosen.gradients(flow, where)
    unused = flow.boundary and not isinstance(chosen, FiniteDifference)
    notes = (
        (*found.notes, "the velocities given on the boundary are not used by this scheme") if unused else found.notes
    )
    return VelocityGradient(
        found.L,
        flow,
        valid=np.isfinite(found.L[:, 0, 0]),  # every scheme gives whole tensors or none
        location=where,
        scheme=unparse(_name(chosen), chosen),
        reason=reason,
        method_notes=notes,
        one_sided=found.one_sided,
    )


def _resolve(flow: Flow, scheme: Scheme | str) -> tuple[Scheme, str]:
    if isinstance(scheme, Scheme):
        return scheme, "as given"
    if scheme == "auto":
        return choose_scheme(flow)
    return parse(scheme, SCHEMES, "scheme"), "as given"


def _name(scheme: Scheme) -> str:
    return next((name for name, kind in SCHEMES.items() if isinstance(scheme, kind)), type(scheme).__name__)
