"""The velocity gradient as a result: L = D + W with everything that follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import exclusions
from flowgrad.kinematics.registry import evaluate

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VelocityGradient:
    """Velocity gradients L (n, 3, 3), L_ij = ∂v_i/∂x_j, with or without the flow they come from.

    ``valid`` (n,) is False where L could not be computed (L is NaN there). ``location`` says where
    in the flow's mesh L lives (``points`` or ``cells``), ``scheme`` and ``reason`` how it was
    obtained, ``method_notes`` what to know of that. ``one_sided`` (n,) is True where L lacks samples on
    one side, at an open boundary, and may be wrong by its own size. ``supplied`` are arrays (n,) that
    quantities may need beyond L, such as ``viscosity``. Raises OptionError for another shape of L.
    """

    L: FloatArray
    flow: Flow | None = None
    covariance: FloatArray | None = None
    error: FloatArray | None = None
    valid: NDArray[np.bool_] = None  # type: ignore[assignment]
    location: str | None = None
    scheme: str = ""
    reason: str = ""
    method_notes: tuple[str, ...] = ()
    one_sided: NDArray[np.bool_] | None = None
    supplied: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        gradients = np.ascontiguousarray(self.L, np.float64)
        if gradients.ndim != 3 or gradients.shape[1:] != (3, 3):
            raise OptionError(f"L has the shape {gradients.shape}: give velocity gradients (n, 3, 3)")
        object.__setattr__(self, "L", gradients)
        if self.valid is None:
            object.__setattr__(self, "valid", np.isfinite(gradients).all(axis=(1, 2)))
        if self.flow is not None and self.location is None:
            object.__setattr__(self, "location", self.flow.location)

    def __len__(self) -> int:
        return len(self.L)

    @cached_property
    def _known(self) -> dict[str, Any]:
        return {"L": self.L}

    def __getitem__(self, name: str) -> np.ndarray:
        """Any registered quantity: (n,), (n, 3) or (n, 3, 3), each computed once."""
        return evaluate(name, self._known, self.supplied)

    @property
    def D(self) -> FloatArray:
        """Rate of deformation (n, 3, 3)."""
        return self["D"]

    @property
    def W(self) -> FloatArray:
        """Spin (n, 3, 3)."""
        return self["W"]

    def std(self, name: str) -> FloatArray:
        """Standard deviation of a quantity where the noise of the velocity is known."""
        raise OptionError(f"the noise of the velocity is not known, so neither is the deviation of {name}")

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: how L was obtained, and what was excluded and why."""
        if self.flow is None or self.location is None:
            return self.method_notes
        return (*self.method_notes, *exclusions.notes(self.flow, self.location, self.valid))

    @cached_property
    def weights(self) -> FloatArray:
        """Measure that each tensor stands for (n,): its cell's, or at points a share of the cells
        around; 1 without a mesh. Zero where L is not valid or the cell is of lower dimension."""
        weights = np.ones(len(self)) if self.flow is None else self._measures(self.flow)
        return np.where(self.valid, weights, 0.0)

    def _measures(self, flow: Flow) -> FloatArray:
        mesh = flow.mesh
        measures = np.where(mesh.is_full, mesh.measures, 0.0)
        if self.location == "cells":
            return measures
        if not len(mesh):
            return np.ones(len(self))
        sizes = np.diff(mesh.cells.offsets)
        shares = np.repeat(measures / np.maximum(sizes, 1), sizes)
        return np.bincount(mesh.cells.connectivity, shares, minlength=len(mesh.points)).astype(float)

    def supply(self, **arrays: np.ndarray) -> VelocityGradient:
        """The same gradient with further inputs for quantities, e.g. ``viscosity`` (n,)."""
        return dataclasses.replace(self, supplied={**self.supplied, **arrays})
