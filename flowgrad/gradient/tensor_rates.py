"""Rates of any tensor field along the flow: DT/Dt = ∂T/∂t + v·∇T, and from it the convected rates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.autodiff.backends import backend_of
from flowgrad.autodiff.derivatives import time_derivatives
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.prepared import prepare, scheme_of, velocity_gradient
from flowgrad.gradient.scheme import SCHEMES, Scheme
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.dynamics import convected_rate
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray


def tensor_rate(
    flow: VelocityGradient | Flow,
    tensor: ArrayLike | str | Callable[..., Any],
    kind: str = "upper-convected",
    *,
    rate: ArrayLike | None = None,
    steady: bool = False,
    time: float | None = None,
    scheme: Scheme | str | None = None,
    backend: str | None = None,
) -> FloatArray:
    """A rate (n, 3, 3) of a tensor field along the flow, of T's dimension by time, where the gradient is.

    ``kind`` is ``upper-convected``, ``lower-convected``, ``corotational`` or ``material``
    (:mod:`flowgrad.kinematics.dynamics` has their definitions and sources). ``tensor`` is (n, 3, 3), (n, 9) or (n, 6)
    (symmetric, in VTK's order) where the velocity lives, or the name of such an array of the file: ``scheme``,
    that of the gradient unless given, differentiates it, and ``rate`` is its ∂T/∂t, of the same shapes, or 0, or
    ``steady`` says that it is zero. Or ``tensor`` is a function T(x), or T(x, t) with ``time``, of positions
    x (…, 3), with a result (…, 3, 3) or (…, 9), and is differentiated exactly, by t too.

    NaN where T, the velocity or L is not known, or T has no derivative. Raises OptionError where ∂T/∂t is not known,
    where the samples of T are not where the gradient is, for samples on a meridian plane or a wedge, whose
    components turn with the angle, and on a plane with unknown derivatives across it.
    """
    chosen = _flow_of(flow)
    if not callable(tensor):
        if time is not None or backend is not None:
            raise OptionError("time= and backend= are for tensors that are given as functions: leave them out")
        if (rate is None) != steady:
            how = "is given twice" if steady else "is not known"
            raise OptionError(
                f"∂T/∂t {how}: give rate=, (n, 3, 3) or 0, or else steady=True, which says that it is zero"
            )
        is_zero = rate is None or (np.ndim(rate) == 0 and rate == 0)
        known = None if is_zero else tensors.as_tensors(rate, "rate")  # type: ignore[arg-type]
        return _of_samples(flow, chosen, tensor, kind, known, scheme)
    if rate is not None:
        raise OptionError("rate= is for samples: give a function T(x, t), and time=, instead")
    if steady and time is not None:
        raise OptionError("steady=True and a time exclude each other: a function T(x, t) has its rate of change")
    gradient = flow if isinstance(flow, VelocityGradient) else velocity_gradient(flow, scheme or "auto")
    positions = gradient.positions
    if positions is None:
        positions = chosen.mesh.places(gradient.location or "cells")
    field = _Components(tensor)
    values, slopes = backend_of(tensor, backend).point_jacobians(field, positions, time)
    DT = np.einsum("mkj,mj->mk", slopes, gradient["velocity"])
    if time is not None:
        DT += time_derivatives(field, positions, time, backend)[0]
    T = tensors.as_tensors(values, "the function's result")
    return convected_rate(kind, tensors.as_tensors(DT), gradient.L, T)


def _flow_of(source: VelocityGradient | Flow) -> Flow:
    if not isinstance(source, (Flow, VelocityGradient)):
        raise OptionError(f"{type(source).__name__} given for the flow: give a Flow or its VelocityGradient")
    flow = source if isinstance(source, Flow) else source.flow
    if flow is None:
        raise OptionError(
            "the gradient has no flow that carries the tensor: use the functions of flowgrad.kinematics.dynamics"
        )
    if flow.out_of_plane != "zero":
        raise OptionError(
            f"{flow.name}: the derivatives across the plane are {flow.out_of_plane}, so tensors have no known rate: "
            "leave out out_of_plane for a 2-D flow"
        )
    return flow


@dataclasses.dataclass(frozen=True)
class _Components:
    """A tensor-valued function as a field of its components on the last axis."""

    function: Callable[..., Any]

    def __call__(self, x: Any, *time: Any) -> Any:
        try:
            result = self.function(x, *time)
        except TypeError as error:
            if time or "positional argument" not in str(error):
                raise
            raise OptionError(f"the tensor cannot be called with positions alone ({error}): give time=") from None
        return result.reshape((*x.shape[:-1], -1)) if getattr(result, "ndim", 0) > x.ndim else result


def _of_samples(
    source: VelocityGradient | Flow,
    flow: Flow,
    tensor: ArrayLike | str,
    kind: str,
    rate: FloatArray | None,
    scheme: Scheme | str | None,
) -> FloatArray:
    if flow.is_meridian or flow.wedge is not None:
        raise OptionError(
            f"{flow.name}: the flow is axisymmetric, and the components of a tensor turn with the angle: give the "
            "tensor as a function T(x)"
        )
    gradient = source if isinstance(source, VelocityGradient) else None
    if gradient is not None and (gradient.positions is not None or gradient.location != flow.location):
        raise OptionError(
            f"{flow.name}: the tensor's samples are at {flow.location} as the velocity's, and the gradient is at "
            f"{gradient.location}: take it at='{flow.location}', or give the tensor as a function T(x)"
        )
    T = _samples(flow, tensor)
    if scheme is None:
        # That of the gradient, where it differentiates any field.
        own = "" if gradient is None else gradient.scheme
        kind_of_own = SCHEMES.get(own.split("(")[0])
        scheme = own if kind_of_own is not None and kind_of_own.differentiates else "auto"
    chosen = scheme_of(scheme, flow)[0]
    # Schemes look at which velocities are missing, not at their values; nothing of T is known on the boundary.
    known = np.where(np.isfinite(T).all(axis=(1, 2)), 0.0, np.nan)
    bare = dataclasses.replace(flow, velocity=np.column_stack([known] * 3), boundary=(), noise=None)
    operator = prepare(chosen, bare, flow.location)
    # v·∇T, v_k ∂T_ij/∂x_k, a row of T at a time.
    DT = np.stack([np.einsum("njk,nk->nj", operator.apply(T[:, i]), flow.velocity) for i in range(3)], axis=1)
    if rate is not None:
        DT += _of_length(rate, flow, "rate")
    if gradient is not None:
        L = gradient.L
    elif flow.boundary or not operator.suits(flow):
        L = velocity_gradient(flow, chosen).L
    else:
        L = operator.gradients(flow).L
    return convected_rate(kind, DT, L, T)


def _samples(flow: Flow, tensor: ArrayLike | str) -> FloatArray:
    """T (n, 3, 3) where the velocity lives."""
    if not isinstance(tensor, str):
        return _of_length(tensors.as_tensors(tensor), flow, "tensor")
    data = flow.data(flow.location)
    if tensor not in data:
        other = "cells" if flow.location == "points" else "points"
        where = f"; it is at {other}: read with location={other}" if tensor in flow.data(other) else ""
        raise OptionError(
            f"{flow.name}: no array '{tensor}' at {flow.location}, where the velocity is"
            f"{where or nearest(tensor, data) or f': there are {list(data)}'}"
        )
    return _of_length(tensors.as_tensors(data[tensor], tensor), flow, tensor)


def _of_length(values: FloatArray, flow: Flow, name: str) -> FloatArray:
    if len(values) != len(flow.velocity):
        raise OptionError(
            f"{name} has {len(values)} tensors and the flow {len(flow.velocity)} velocities at {flow.location}: "
            "give one for each"
        )
    return values
