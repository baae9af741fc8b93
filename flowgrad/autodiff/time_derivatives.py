"""Derivatives by the time of fields f(x, t), and of their Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from flowgrad.autodiff import numpy_backend
from flowgrad.autodiff.derivatives import backend_of
from flowgrad.errors import DerivativeError
from flowgrad.typing import FloatArray

Function = Callable[..., Any]


def time_derivatives(
    f: Function, points: FloatArray, time: float, backend: str | None = None
) -> tuple[FloatArray, FloatArray]:
    """∂f_i/∂t (m, k) and ∂²f_i/∂t∂x_j (m, k, d) of a field f(x, t) at points (m, d) and a time.

    Functions written with NumPy see the time as a dual number; those of torch and JAX as one more coordinate of each
    point. DerivativeError for a function that cannot be differentiated so.
    """
    module = backend_of(f, backend)
    if module is numpy_backend:
        return numpy_backend.time_derivatives(f, points, time)
    field, events = partial(_in_space_time, f), np.column_stack([points, np.full(len(points), time)])
    d = points.shape[1]
    slopes = module.point_jacobians(field, events)[1]
    return slopes[..., d], module.second_derivatives(field, events)[..., :d, d]


def _in_space_time(f: Function, event: Any) -> Any:
    """The field at one point (d + 1,), the time its last coordinate, or at a batch of one, (1, d + 1)."""
    if event.ndim == 2 and len(event) > 1:
        raise DerivativeError(
            "the field is seen at many points at once only, and not differentiated by its time so: write it for one "
            "point, x[..., 0], x[..., 1], …, without operations that torch.vmap refuses"
        )
    return f(event[..., :-1], event[..., -1].reshape(()))
