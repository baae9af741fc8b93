"""A velocity gradient that the file already holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad import tensors
from flowgrad.errors import FlowgradError, OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.prepared import choose
from flowgrad.gradient.scheme import Gradients, KnownGradients, Where, register_scheme
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray

# Share of ½|L − Lᵀ|/|L| below which an array is as good as symmetric and its convention untestable.
_SYMMETRIC = 1e-3
# A gradient that differs from the velocity's own by more than this many times its size is another
# velocity's (in wall cells two schemes may well differ by once their size).
_FOREIGN = 2.0


@dataclass(frozen=True)
class Stored(KnownGradients):
    """The array ``name`` of the file as the velocity gradient, or nine scalars, in a plane four, their names joined by
    commas: ∂u/∂x, ∂u/∂y, ∂u/∂z, ∂v/∂x, …

    OpenFOAM's ``grad(U)`` holds ∂v_j/∂x_i and is transposed; VTK's ``Gradients`` holds ∂v_i/∂x_j
    and is not. ``transposed`` says it for an array of another origin.
    """

    name: str
    transposed: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or self.transposed not in (None, True, False):
            raise OptionError(
                f"file(name={self.name!r}, transposed={self.transposed!r}): name an array, and True or False"
            )

    def gradients(self, flow: Flow, at: Where) -> Gradients:
        """The stored gradients (n, 3, 3); OptionError where there is no such array at ``at``, or
        where the velocity contradicts its convention."""
        if not isinstance(at, str):
            raise OptionError(f"'{self.name}' is stored at points or cells, not at positions: use another scheme")
        stored = tensors.as_tensors(self._array(flow, at), self.name)
        if self.transposed is None:
            of_solver = flow.producer == "OpenFOAM" or self.name.startswith("grad(")
            transposed = of_solver and "," not in self.name
            _check_convention(flow, at, self.name, stored, transposed)
        else:
            transposed = self.transposed
        note = "transposed from OpenFOAM's convention" if transposed else "as it stands, L_ij = ∂v_i/∂x_j"
        gradients = np.array(tensors.transpose(stored) if transposed else stored)
        gradients[~np.isfinite(gradients).all(axis=(1, 2))] = np.nan
        return Gradients(gradients, (f"the gradient is the file's own {self.name}, {note}",))

    def _array(self, flow: Flow, at: str) -> np.ndarray:
        data = flow.data(at)
        if self.name not in data and "," in self.name:
            return _of_scalars(flow, at, [each.strip() for each in self.name.split(",")])
        if self.name not in data:
            other = "cells" if at == "points" else "points"
            if self.name in flow.data(other):
                raise OptionError(f"{flow.name}: {self.name} is at {other}, not at {at}: use --at {other}")
            tensors9 = [name for name, values in data.items() if values[0].size == 9] if len(flow.velocity) else []
            raise OptionError(
                f"{flow.name}: no array '{self.name}' at {at}{nearest(self.name, data)}; "
                f"arrays of 9 components there: {', '.join(tensors9) or 'none'}"
            )
        values = data[self.name]
        if values.size != 9 * len(values):
            raise OptionError(f"{flow.name}: {self.name} has the shape {values.shape}: a gradient has 9 components")
        return values


def _of_scalars(flow: Flow, at: str, names: list[str]) -> FloatArray:
    """Nine components (n, 9) of scalars, of which four are those of a plane, zero beyond it."""
    data = flow.data(at)
    for name in names:
        if name not in data or data[name].size != len(data[name]):
            raise OptionError(f"{flow.name}: no scalar '{name}' at {at}{nearest(name, data)}: name nine, or four")
    if len(names) not in (4, 9):
        raise OptionError(f"{','.join(names)} names {len(names)} scalars: a gradient has nine, in a plane four")
    found = np.zeros((len(data[names[0]]), 9))
    found[:, [0, 1, 3, 4] if len(names) == 4 else range(9)] = np.stack([data[name].ravel() for name in names], axis=1)
    return found


def _check_convention(flow: Flow, at: str, name: str, stored: FloatArray, transposed: bool) -> None:
    """Compare with the gradient of the velocity itself: a transpose is this field's commonest bug."""
    try:
        own = choose(flow, at)[0].gradients(flow, at).L
    except FlowgradError:
        return  # Nothing to compare with: a cloud of points, say.
    finite = np.isfinite(own).all(axis=(1, 2)) & np.isfinite(stored).all(axis=(1, 2))
    own, stored = own[finite], stored[finite]
    size = np.linalg.norm(own)
    direct, turned = np.linalg.norm(own - stored), np.linalg.norm(own - tensors.transpose(stored))
    if min(direct, turned) > _FOREIGN * size:
        raise OptionError(
            f"{flow.name}: {name} is no gradient of {flow.velocity_name}: it differs from the velocity's own gradient, "
            f"whose norm is {size:.3g}, by {min(direct, turned):.3g}: choose another array"
        )
    if np.linalg.norm(tensors.skew(stored)) <= _SYMMETRIC * np.linalg.norm(stored):
        return
    taken, other = (turned, direct) if transposed else (direct, turned)
    if other < 0.5 * taken:
        raise OptionError(
            f"{flow.name}: {name} fits the velocity's own gradient better "
            f"{'as it stands' if transposed else 'transposed'} (misfit {other / size:.2g} instead of "
            f"{taken / size:.2g}): say --scheme \"file(name='{name}', transposed={not transposed})\""
        )


register_scheme("file", Stored, summary="the gradient stands in the file and was not computed here")
