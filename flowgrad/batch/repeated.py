"""Files of one mesh, one after the other, as those of a time series: the gradient is prepared once."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import choose_scheme, velocity_gradient, velocity_gradients
from flowgrad.gradient.scheme import Scheme
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice, Mesh


class Repeated:
    """:func:`velocity_gradient`, which keeps what it has prepared from the second flow on a mesh on: one
    that comes once costs no memory beyond its own time, and no result depends on those before it."""

    def __init__(self) -> None:
        self._key: tuple[Any, ...] = ()
        self._flows: deque[Flow] = deque()
        self._gradients: Iterator[VelocityGradient] | None = None
        self._mesh: Mesh | None = None

    def __call__(self, flow: Flow, scheme: Scheme | str, at: str | None, **how: Any) -> VelocityGradient:
        """The gradient of a flow; arguments and errors are those of :func:`velocity_gradient`."""
        if isinstance(flow.mesh, Lattice):
            return velocity_gradient(flow, scheme, at, **how)
        key = (_digest(flow.mesh), *_circumstances(flow, scheme, at), *sorted(how.items()))
        if key != self._key:
            self._key = key
            self._forget()
            return velocity_gradient(flow, scheme, at, **how)
        if self._gradients is None:
            self._mesh = flow.mesh
            self._gradients = velocity_gradients(_given(self._flows), scheme, at, **how)
        assert self._mesh is not None
        self._flows.append(dataclasses.replace(flow, mesh=self._mesh))
        try:
            return next(self._gradients)
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._flows, self._gradients, self._mesh = deque(), None, None


def _given(flows: deque[Flow]) -> Iterator[Flow]:
    while flows:
        yield flows.popleft()


def _circumstances(flow: Flow, scheme: Scheme | str, at: str | None) -> tuple[Any, ...]:
    """What else decides how a flow is differentiated."""
    where = at or flow.location
    chosen = choose_scheme(flow, where) if scheme == "auto" else scheme
    return chosen, where, flow.location, flow.axisymmetric, flow.out_of_plane


def _digest(mesh: Mesh) -> bytes:
    """Of all numbers of a mesh."""
    cells, faces = mesh.cells, mesh.cells.polyhedra
    arrays: list[np.ndarray] = [mesh.points, cells.types, cells.offsets, cells.connectivity]
    arrays += [] if cells.degrees is None else [cells.degrees]
    arrays += [] if faces is None else [faces.connectivity, faces.offsets, faces.cell_offsets]
    digest = hashlib.sha256()
    for each in arrays:
        digest.update(f"{each.dtype}{each.shape}".encode())
        digest.update(np.ascontiguousarray(each).data.cast("B") if each.size else b"")
    return digest.digest()
