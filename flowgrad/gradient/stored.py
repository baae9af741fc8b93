"""A velocity gradient that the file already holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.operator import FloatArray, Operator, Scheme
from flowgrad.spec import nearest

# Share of ½|L − Lᵀ|/|L| below which an array is as good as symmetric and its convention untestable.
_SYMMETRIC = 1e-3


@dataclass(frozen=True)
class Stored(Scheme):
    """The array ``name`` of the file as the velocity gradient.

    OpenFOAM's ``grad(U)`` holds ∂v_j/∂x_i and is transposed; VTK's ``Gradients`` holds ∂v_i/∂x_j
    and is not. ``transposed`` says it for an array of another origin.
    """

    name: str
    transposed: bool | None = None

    def prepare(self, flow: Flow, at: str) -> Operator:
        """Nothing to prepare: OptionError."""
        raise OptionError(f"a gradient stored as '{self.name}' cannot differentiate other fields")

    def gradients(self, flow: Flow, at: str) -> tuple[FloatArray, tuple[str, ...]]:
        """The stored gradients (n, 3, 3); OptionError where there is no such array at ``at``, or
        where the velocity contradicts its convention."""
        stored = tensors.as_tensors(self._array(flow, at), self.name)
        if self.transposed is None:
            transposed = flow.producer == "OpenFOAM" or self.name.startswith("grad(")
            _check_convention(flow, at, self.name, stored, transposed)
        else:
            transposed = self.transposed
        note = "transposed from OpenFOAM's convention" if transposed else "as it stands, L_ij = ∂v_i/∂x_j"
        gradients = np.array(tensors.transpose(stored) if transposed else stored)
        gradients[~np.isfinite(gradients).all(axis=(1, 2))] = np.nan
        return gradients, (f"the gradient is the file's own {self.name}, {note}",)

    def _array(self, flow: Flow, at: str) -> np.ndarray:
        data = flow.data(at)
        if self.name not in data:
            other = "cells" if at == "points" else "points"
            if self.name in flow.data(other):
                raise OptionError(f"{flow.name}: {self.name} is at {other}, not at {at}: use --at {other}")
            raise OptionError(f"{flow.name}: no array '{self.name}' at {at}{nearest(self.name, data)}")
        return data[self.name]


def _check_convention(flow: Flow, at: str, name: str, stored: FloatArray, transposed: bool) -> None:
    """Compare with the gradient of the velocity itself: a transpose is this field's commonest bug."""
    from flowgrad.gradient.auto import choose

    own, _ = choose(flow)[0].gradients(flow, at)
    finite = np.isfinite(own).all(axis=(1, 2)) & np.isfinite(stored).all(axis=(1, 2))
    own, stored = own[finite], stored[finite]
    if np.linalg.norm(tensors.skew(stored)) <= _SYMMETRIC * np.linalg.norm(stored):
        return
    direct, turned = np.linalg.norm(own - stored), np.linalg.norm(own - tensors.transpose(stored))
    taken, other = (turned, direct) if transposed else (direct, turned)
    if other < 0.5 * taken:
        raise OptionError(
            f"{flow.name}: {name} fits the velocity's own gradient better "
            f"{'as it stands' if transposed else 'transposed'} (misfit {other / np.linalg.norm(own):.2g} instead of "
            f"{taken / np.linalg.norm(own):.2g}): say --scheme \"file(name='{name}', transposed={not transposed})\""
        )
