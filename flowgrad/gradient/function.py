"""Gradients of a velocity that is given as a function: analytic, exact to rounding, no mesh needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.autodiff.backends import backend_of
from flowgrad.autodiff.derivatives import time_derivatives
from flowgrad.errors import OptionError
from flowgrad.flow import Flow, as_vectors
from flowgrad.gradient.rates import steady_rates
from flowgrad.gradient.scheme import Gradients, KnownGradients, Where
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Cells, Mesh
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Function(KnownGradients):
    """The derivatives of the function that gives the velocity: v(x), or v(x, t) where there is a ``time``.

    x has the shape (…, 2) or (…, 3), of ``dimension``, and so has the result. ``backend`` is ``numpy``, ``torch`` or
    ``jax``, seen from the function unless given.
    """

    function: Callable[..., Any]
    time: float | None = None
    dimension: int = 3
    backend: str | None = None

    def __str__(self) -> str:
        return f"autodiff of {getattr(self.function, '__name__', None) or type(self.function).__name__}"

    def gradients(self, flow: Flow, at: Where) -> Gradients:
        """Velocity gradients (m, 3, 3) at the points or centroids of the flow's mesh, or at positions."""
        if isinstance(at, str):
            at = flow.mesh.places(at)
        return self._gradients(self.values_and_gradients(at)[1])

    def values_and_gradients(self, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Velocities (m, 3) and L (m, 3, 3) at positions (m, 3); derivatives across a planar field are zero."""
        jacobians = backend_of(self.function, self.backend).point_jacobians
        values, slopes = jacobians(self.function, positions[:, : self.dimension], self.time)
        if values.shape[1] not in (2, 3):
            raise OptionError(f"the velocity has {values.shape[1]} components: give 2 or 3, or use flowgrad.autodiff")
        velocity = as_vectors(values, "velocity")
        L = _whole(_padded(slopes, 3))
        if not np.isfinite(velocity.sum()):
            L[~finite_rows(velocity)] = np.nan
        return velocity, L

    def second(self, positions: FloatArray) -> FloatArray:
        """∂²v_i/∂x_j∂x_k (m, 3, 3, 3) at positions (m, 3)."""
        derivatives = backend_of(self.function, self.backend).second_derivatives
        return _whole(_padded(derivatives(self.function, positions[:, : self.dimension], self.time), 3))

    def rates(self, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """∂v/∂t (m, 3) and ∂L/∂t (m, 3, 3) at positions (m, 3): zero for a function without a time."""
        if self.time is None:
            return np.zeros((len(positions), 3)), np.zeros((len(positions), 3, 3))
        found = time_derivatives(self.function, positions[:, : self.dimension], self.time, self.backend)
        return _padded(found[0], 3), _whole(_padded(found[1], 3))

    def _gradients(self, L: FloatArray) -> Gradients:
        missing = int(np.isnan(L[:, 0, 0]).sum())
        note = f"the velocity has no derivative at {missing} of {len(L)} points (a kink, a jump, or not a number)"
        planar = ("the function is planar: derivatives across are taken as zero",) if self.dimension == 2 else ()
        return Gradients(L, ((note,) if missing else ()) + planar)


def gradient_of_function(
    function: Callable[..., Any],
    at: ArrayLike | Mesh,
    time: float | None,
    backend: str | None,
    second: bool,
    rates: bool = False,
) -> VelocityGradient:
    """The velocity gradient of a function at positions (m, 2) or (m, 3), or at the points of a mesh; with ``rates``
    ∂v/∂t and ∂L/∂t besides, which a function without a time always has: zeros."""
    mesh, dimension = at if isinstance(at, Mesh) else None, 3
    if mesh is None:
        positions = np.asarray(at, float)
        if positions.ndim != 2 or positions.shape[1] not in (2, 3):
            raise OptionError(f"at has the shape {positions.shape}: give positions (m, 2) or (m, 3), or a mesh")
        mesh, dimension = Mesh(as_vectors(positions, "at"), Cells.empty()), positions.shape[1]
    scheme = Function(function, time, dimension, backend)
    velocity, L = scheme.values_and_gradients(mesh.points)
    found = scheme._gradients(L)
    flow = Flow(mesh, velocity, "points", time, velocity_name=getattr(function, "__name__", "velocity"))
    gradient = VelocityGradient(
        L, flow, location="points", scheme=str(scheme), reason="the velocity is a function", method_notes=found.notes
    )
    if time is None:
        gradient = steady_rates(gradient)
    elif rates:
        velocity_rate, L_rate = scheme.rates(mesh.points)
        gradient = gradient.supply(velocity_rate=velocity_rate, L_rate=L_rate)
    if not second:
        return gradient
    hessian = scheme.second(mesh.points)
    hessian[~gradient.valid] = np.nan
    return gradient.supply(hessian=hessian)


def _padded(slopes: FloatArray, size: int) -> FloatArray:
    """Zeros for the components and the derivatives that a planar field does not have."""
    missing = [(0, 0), *((0, size - n) for n in slopes.shape[1:])]
    return np.pad(slopes, missing) if any(after for _, after in missing) else slopes


def _whole(derivatives: FloatArray) -> FloatArray:
    """NaN in all components where one is not finite."""
    if not np.isfinite(derivatives.sum()):
        derivatives[~np.isfinite(derivatives).all(axis=tuple(range(1, derivatives.ndim)))] = np.nan
    return derivatives
