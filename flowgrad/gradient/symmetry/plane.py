"""Planes cut from 3-D flows: what a planar velocity field says of the whole gradient, and what it does not.

The field gives the derivatives in its plane. Across it, along the normal n, they are ``zero`` in a 2-D
flow. In a plane that was cut out of (or measured in) a 3-D flow they are ``unknown``: NaN; where the flow
is ``incompressible`` one of them follows, n·∂v/∂n = −(the divergence in the plane).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import TAKEN_AS_ZERO
from flowgrad.gradient.noise import expanded, mapped
from flowgrad.gradient.scheme import Composed, Scheme, Where, handed_on
from flowgrad.mesh.planar import frame_of
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def prepare_plane(scheme: Scheme, flow: Flow, at: Where) -> PlaneOperator:
    """The scheme on a flow in a plane whose derivatives across it are not zero; OptionError for a mesh
    that is not planar."""
    normal, closure = flow.mesh.structure.normal, flow.out_of_plane
    if normal is None:
        raise OptionError(f"{flow.name}: out_of_plane={closure} needs a planar mesh and this one is none: leave it out")
    is_oblique = np.abs(normal).max() < 1
    frame, along = frame_of(normal) if is_oblique else None, 2 if is_oblique else int(np.argmax(np.abs(normal)))
    across = "xyz"[along]
    notes = [f"the derivatives across the plane, ∂v/∂{across}, are not known, nor what needs them"]
    if closure == "incompressible":
        notes = [
            f"of the derivatives across the plane only ∂v_{across}/∂{across} is known (from incompressibility), "
            "nor is what needs the others"
        ]
    if frame is not None:
        axes = (", ".join(f"{part + 0.0:.4g}" for part in row) for row in np.round(frame, 12))
        rows = "; ".join(f"{name} = ({axis})" for name, axis in zip("xyz", axes, strict=True))
        notes.append(f"tensors and vectors of the gradient are given in the frame of the plane: {rows}")
    inner = scheme.prepare(flow, at)
    in_plane = [each for each in inner.notes if not each.endswith(TAKEN_AS_ZERO)]
    about = handed_on(inner, notes=(*notes, *in_plane))
    return PlaneOperator(inner, normal, closure, along, frame, **about)


@dataclass(frozen=True, eq=False)
class PlaneOperator(Composed):
    """Gradients on a plane with the ``normal`` (3,), ``unknown`` across it or ``incompressible``.

    A normal along x, y or z leaves the components as they are. With an oblique one every Cartesian
    component would take a part of the unknown ones, so the tensors are given in the ``frame`` of the plane:
    two axes in it, then the normal. ``across`` is the component along the normal.
    """

    normal: FloatArray
    closure: str
    across: int
    frame: FloatArray | None

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz in the plane: without the part across it, which is not known."""
        return self.inner.matrices

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3); a component along the normal that is zero everywhere was
        not measured, and its derivatives are not known either."""
        L = np.array(self.inner.vectors(values))
        if self.frame is not None:
            L = self.frame @ L @ self.frame.T
        across = self.across
        L[:, :, across] = np.nan
        if not np.nan_to_num(values @ self.normal).any():
            L[:, across] = np.nan
        if self.closure == "incompressible":
            L[:, across, across] = -sum(L[:, i, i] for i in range(3) if i != across)
        return L

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """cov(L_ij, L_kl) (m, 3, 3, 3, 3) of what is known, in the frame of L; zero for the rest."""
        change = np.eye(9) if self.frame is None else np.kron(self.frame, self.frame)
        closed = np.eye(9).reshape(3, 3, 9)
        closed[:, self.across] = 0
        if self.closure == "incompressible":
            closed[self.across, self.across] = -sum(closed[i, i] for i in range(3) if i != self.across)
        return mapped(expanded(self.inner.covariance(noise)), closed.reshape(9, 9) @ change)

    def second(self, values: FloatArray) -> FloatArray:
        """OptionError: those across the plane are not known."""
        raise OptionError(
            f"second derivatives across the plane are not known (out_of_plane={self.closure}): leave them out"
        )
