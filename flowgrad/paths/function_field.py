"""A velocity that is given as a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from flowgrad.autodiff.derivatives import backend_of
from flowgrad.errors import OptionError
from flowgrad.exact.exact_flow import ExactFlow
from flowgrad.flow import as_vectors
from flowgrad.gradient.function import Function
from flowgrad.paths.field import XY_PLANE, Field, FloatArray, IntArray, Sample
from flowgrad.tensors import finite_rows


class FunctionField(Field):
    """v(x) or v(x, t) for positions x (…, dimension); L by dual numbers, torch or JAX. Where it is not finite
    is outside."""

    def __init__(self, function: Callable[..., Any], dimension: int, backend: str | None = None) -> None:
        self.plane = XY_PLANE if dimension == 2 else None
        self._function = function
        self._dimension = 3 if isinstance(function, ExactFlow) else dimension
        self._backend = backend
        self.timed = takes_time(function)
        self.needs_time = self.timed and not isinstance(function, ExactFlow)
        self._is_numpy = self.threaded = backend_of(function, backend).__name__.endswith("numpy_backend")
        # Particles that go alone have times of their own, and need a call each.
        self.outliers = 0.0 if self.timed else Field.outliers
        # PyTorch and JAX have their own threads, and want many positions at once.
        self.chunk = 4096 if self._is_numpy else 131072

    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """Velocities and L at positions (m, 3)."""
        if not self.timed or np.ndim(time) == 0 or np.ptp(time) == 0:
            return self._at_once(positions, float(np.ravel(time)[0]), need_L)
        found = Sample(np.empty((len(positions), 3)), np.empty((len(positions), 3, 3)), np.empty(len(positions), bool))
        for moment in np.unique(time):
            same = time == moment
            for whole, part in zip(found, self._at_once(positions[same], moment, need_L), strict=True):
                whole[same] = part
        return found

    def _at_once(self, positions: FloatArray, time: float, need_L: bool) -> Sample:
        moment = time if self.timed else None
        if not need_L and self._is_numpy:
            velocity = self._velocity(positions[:, : self._dimension], moment)
            return Sample(velocity, np.empty((len(positions), 3, 3)), finite_rows(velocity))
        scheme = Function(self._function, moment, self._dimension, self._backend)
        velocity, L = scheme.values_and_gradients(positions)
        if self.plane is not None:
            velocity[:, 2] = L[:, 2] = L[:, :, 2] = 0.0
        return Sample(velocity, L, finite_rows(velocity) & np.isfinite(L).all(axis=(1, 2)))

    def _velocity(self, positions: FloatArray, time: float | None) -> FloatArray:
        found = self._function(positions) if time is None else self._function(positions, time)
        parts = np.stack(found, axis=-1) if isinstance(found, (list, tuple)) else np.asarray(found, float)
        if parts.ndim != 2 or len(parts) != len(positions):
            raise OptionError(
                f"the velocity has the shape {parts.shape} at positions {positions.shape}: write it for many points "
                "at once, with x[..., 0] for a coordinate and np.stack([...], axis=-1) for the components"
            )
        velocity = as_vectors(parts, "velocity")
        if self.plane is not None:
            velocity[:, 2] = 0.0
        return velocity


def takes_time(function: Callable[..., Any]) -> bool:
    """Whether a function is v(x, t): whether it has a second argument that must be given, or is called t or time."""
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [each for each in parameters if each.kind in kinds]
    if len(positional) < 2:
        return False
    return positional[1].default is inspect.Parameter.empty or positional[1].name in ("t", "time")
