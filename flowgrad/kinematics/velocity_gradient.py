"""Velocity gradient as a result: L = D + W and all quantities that follow from it.

No mesh is needed for tensors without a flow: on_mesh is imported where a flow is asked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics.intervals import Spread, spread_of
from flowgrad.kinematics.registry import INPUTS, OF_FIELD, evaluate, inputs_of, select
from flowgrad.kinematics.uncertainty import why_not
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.flow import Flow


@dataclass(frozen=True, eq=False)
class VelocityGradient(
    ReprMixin,
    line="L flow location scheme",
    table="flow location scheme reason L shear_rate vorticity divergence relative_error notes",
):
    """Velocity gradients L (n, 3, 3), L_ij = ∂v_i/∂x_j, with or without the flow they come from.

    L is NaN where it could not be computed, and in components that are known nowhere. ``location`` says where
    in the flow's mesh L lives (``points`` or ``cells``), ``scheme`` and ``reason`` how it was
    obtained, ``method_notes`` what to know of that. ``one_sided`` (n,) is True where L lacks samples on
    one side, at an open boundary, and may be wrong by its own size. ``supplied`` are arrays that
    quantities may need beyond L, such as ``viscosity`` (n,) and ``hessian`` (n, 3, 3, 3).
    ``covariance`` holds C with cov(L_ij, L_kl) = δ_ik C_jl, (n, 3, 3), or (n, 3, 3, 3) with one C for
    each velocity component i, or (n, 3, 3, 3, 3) the whole cov(L_ij, L_kl); ``error`` (n,) the
    estimated size |L − L_true| (Frobenius norm). ``positions`` (n, 3) is where L lives if that is neither
    points nor cells: ``location`` is ``positions`` then. Raises OptionError for another shape of L, the
    covariance or the error.
    """

    L: FloatArray
    flow: Flow | None = None
    covariance: FloatArray | None = None
    error: FloatArray | None = None
    location: str | None = None
    scheme: str = ""
    reason: str = ""
    method_notes: tuple[str, ...] = ()
    one_sided: NDArray[np.bool_] | None = None
    supplied: Mapping[str, np.ndarray] = field(default_factory=dict)
    positions: FloatArray | None = None
    _known: dict[str, Any] = field(default_factory=dict, init=False)
    _spreads: dict[str, Spread] = field(default_factory=dict, init=False)
    # The gradient that this one is with further inputs; they have the same weights.
    _bare: VelocityGradient | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        gradients = np.ascontiguousarray(self.L, np.float64)
        if gradients.ndim != 3 or gradients.shape[1:] != (3, 3):
            raise OptionError(f"L has the shape {gradients.shape}: give velocity gradients (n, 3, 3)")
        object.__setattr__(self, "L", gradients)
        self._known["L"] = gradients
        for name, values, allowed in (
            ("covariance", self.covariance, [(3, 3), (3, 3, 3), (3, 3, 3, 3)]),
            ("error", self.error, [()]),
        ):
            shapes = [(len(gradients), *shape) for shape in allowed]
            if values is not None and np.shape(values) not in shapes:
                raise OptionError(f"{name} has the shape {np.shape(values)}: give {' or '.join(map(str, shapes))}")
        object.__setattr__(self, "supplied", _inputs(self.supplied, len(gradients)))
        if self.flow is not None and self.location is None:
            object.__setattr__(self, "location", self.flow.location)

    def __len__(self) -> int:
        return len(self.L)

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Where L is known (n,): all the components that are known anywhere."""
        if self._bare is not None:
            return self._bare.valid
        finite = np.isfinite(self.L).reshape(-1, 9)
        anywhere = [component for component in finite.T if component.any()]
        return np.logical_and.reduce(anywhere) if anywhere else np.zeros(len(self), bool)

    def __getitem__(self, name: str) -> np.ndarray:
        """Any registered quantity: (n,), (n, 3) or (n, 3, 3), each computed once; also its inputs, such as the
        ``velocity`` (n, 3) where the gradient is."""
        if self.flow is not None and "velocity" not in self.supplied and "velocity" in inputs_of(name):
            velocity, along_axes = self._velocity
            if name == "velocity":
                return velocity
            self._known["velocity"] = along_axes
        if self.flow is not None and "position" not in self.supplied and "position" in inputs_of(name):
            from flowgrad.kinematics.on_mesh import axes_of_gradient

            places = self.flow.mesh.places(self.location or "points") if self.positions is None else self.positions
            if name == "position":
                return places
            self._known["position"] = places @ axes_of_gradient(self.flow).T
        values: np.ndarray = evaluate(name, self._known, self.supplied)
        return values

    @cached_property
    def _velocity(self) -> tuple[FloatArray, FloatArray]:
        """The velocity (n, 3) where the gradient is, and its components along the axes of L."""
        from flowgrad.kinematics.on_mesh import axes_of_gradient, velocity_at

        assert self.flow is not None
        velocity = velocity_at(self.flow, self.L, self.location, self.positions)
        return velocity, velocity @ axes_of_gradient(self.flow).T

    @property
    def D(self) -> FloatArray:
        """Rate of deformation (n, 3, 3)."""
        return self["D"]

    @property
    def W(self) -> FloatArray:
        """Spin (n, 3, 3)."""
        return self["W"]

    def std(self, name: str) -> FloatArray:
        """Standard deviation of any registered quantity, of the quantity's own shape, where the noise of
        the velocity is known: propagated to first order with the derivatives of the quantity's own
        function, to second order for shear rate, swirling strength, quadratic forms of L such as Q, and eigenvalues;
        ``supplied`` arrays are taken as exact.

        NaN where the quantity has no derivative (the flow type at rest). Raises OptionError without
        noise and for quantities that do not derive from L alone.
        """
        return self._spread(name)[2]

    def interval(self, name: str) -> tuple[FloatArray, FloatArray]:
        """Ends of the 95 % interval of any registered quantity, each of its own shape, where the noise of the velocity
        is known: the true value lies between them in 95 of 100 measurements.

        1.96 deviations to either side of linear quantities. The value itself keeps what noise adds to it, as
        it does to every square: the shear rate of a fluid at rest is positive. The interval is without that, so it may
        lie below the value, or end at 0. NaN and errors are those of :meth:`std`.
        """
        return self._spread(name)[:2]

    def _spread(self, name: str) -> Spread:
        select([name])
        if self.covariance is None:
            raise OptionError(
                f"the noise of the velocity is not known, so neither is the deviation of {name}: give --noise "
                "(noise= of read or Flow.from_arrays in Python), the standard deviation of the velocity samples, "
                "and a scheme that computes L from them"
            )
        if name not in self._spreads:
            if reason := why_not(name, self.supplied):
                raise OptionError(f"the deviation of {name} is not known: {reason}")
            # What depends on the whole field is taken as exact.
            exact = {**self.supplied, **{each: self[each] for each in inputs_of(name) & OF_FIELD}}
            self._spreads[name] = spread_of(name, self[name], self.L, self.covariance, exact)
        return self._spreads[name]

    def carries_noise(self, name: str) -> bool:
        """Whether ``std`` knows the deviation of a registered quantity."""
        return self.covariance is not None and not why_not(name, self.supplied)

    @cached_property
    def relative_error(self) -> float:
        """Root mean square of the estimated error over that of |L|, both weighted with the measure;
        NaN where no error was estimated or L vanishes."""
        if self.error is None:
            return math.nan
        known = np.isfinite(self.error) & self.valid
        weights = self.weights[known]
        size = float(weights @ np.nansum(self.L[known] ** 2, axis=(1, 2)))
        return math.sqrt(float(weights @ self.error[known] ** 2) / size) if size > 0 else math.nan

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know: how L was obtained, and what was excluded and why."""
        if self.flow is None or self.location is None:
            return self.method_notes
        from flowgrad.kinematics.on_mesh import notes

        at = "positions" if self.positions is not None else self.location
        return (*self.method_notes, *notes(self.flow, at, self.valid))

    @cached_property
    def weights(self) -> FloatArray:
        """Measure that each tensor stands for (n,): its cell's, or at points a share of the cells
        around; the volume 2π r A of its ring in an axisymmetric flow; 1 without a mesh and at positions.
        Zero where L is not valid or the cell is of lower dimension."""
        if self._bare is not None:
            return self._bare.weights
        if self.flow is None or self.positions is not None:
            return self.valid.astype(float)
        from flowgrad.kinematics.on_mesh import measures_at

        return np.where(self.valid, measures_at(self.flow, self.location or "points"), 0.0)

    def supply(self, **arrays: np.ndarray) -> VelocityGradient:
        """The same gradient with further inputs for quantities, e.g. ``viscosity`` (n,); what is computed already and
        does not depend on them is kept."""
        supplied = dataclasses.replace(self, supplied={**self.supplied, **arrays})
        kept = {name: self._known[name] for name in self._known if arrays.keys().isdisjoint(inputs_of(name))}
        supplied._known.update(kept)
        object.__setattr__(supplied, "_bare", self)
        return supplied


def _inputs(supplied: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """Supplied arrays, one value for each place; a number is the same for all."""
    result = {}
    for name, given in supplied.items():
        shape = INPUTS[name].components if name in INPUTS else () if name in OF_FIELD else None
        values = np.asarray(given, float)
        if values.ndim == 0 and not shape:
            values = np.broadcast_to(values, count)
        if values.ndim == 0 or len(values) != count or (shape is not None and values.shape[1:] != shape):
            due = (count, *(shape or ()))
            raise OptionError(f"{name} has the shape {np.shape(given)}: give {due}" + ("" if shape else " or a number"))
        result[name] = values
    return result
