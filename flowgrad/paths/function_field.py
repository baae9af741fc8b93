"""A velocity that is given as a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from flowgrad.autodiff.backends import backend_of
from flowgrad.errors import OptionError
from flowgrad.exact.flow import ExactFlow, FlowFormula
from flowgrad.flow import as_vectors
from flowgrad.gradient.function import Function
from flowgrad.paths.dormand_prince import DenseOutput
from flowgrad.paths.field import Field, Sample
from flowgrad.paths.plane import NOT_ACROSS, XY_PLANE
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Where the path is looked at between the stages of a step, so that no more than a fifth of it is unseen, or a quarter
# where values alone cost as much as derivatives.
_WATCHED, _FEW_WATCHED = (0.47, 0.63), (0.55,)


class FunctionField(Field):
    """v(x) or v(x, t) for positions x (…, dimension); L by dual numbers, torch or JAX. Where it is not finite
    is outside; a step sees such holes where they are wider than a quarter of it.

    OptionError for a function of three coordinates where the dimension is 2.
    """

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
        self.watched = _WATCHED if self._is_numpy else _FEW_WATCHED
        if getattr(type(function), "fluid", None) is FlowFormula.fluid:
            self.watched = ()  # known everywhere

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

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """By the velocities at what is watched."""
        if not self.timed:
            positions = way.positions.reshape(-1, 3)
            inside &= self.sample(positions, 0.0, cells, need_L=False).inside.reshape(len(inside), -1).all(axis=1)
            return
        for number, positions in enumerate(way.positions.transpose(1, 0, 2)):
            inside &= self.sample(positions, way.time(number), cells, need_L=False).inside

    def _at_once(self, positions: FloatArray, time: float, need_L: bool) -> Sample:
        try:
            return self._sampled(positions, time if self.timed else None, need_L)
        except IndexError as error:
            if self._dimension == 3:
                raise
            raise OptionError(f"the function takes no positions of two coordinates ({error}): give three") from error

    def _sampled(self, positions: FloatArray, moment: float | None, need_L: bool) -> Sample:
        if not need_L and self._is_numpy:
            velocity = self._velocity(positions[:, : self._dimension], moment)
            return Sample(velocity, np.empty((len(positions), 3, 3)), finite_rows(velocity))
        scheme = Function(self._function, moment, self._dimension, self._backend)
        velocity, L = scheme.values_and_gradients(positions)
        if self.plane is not None:
            self._stay_in_plane(velocity)
            L[:, 2] = L[:, :, 2] = 0.0
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
            self._stay_in_plane(velocity)
        return velocity

    def _stay_in_plane(self, velocity: FloatArray) -> None:
        across = velocity[:, 2]
        if (np.isfinite(across) & (across != 0)).any():
            self.notes = (NOT_ACROSS,)
        across[:] = 0.0


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
