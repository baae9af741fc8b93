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
from flowgrad.gradient.choose import scheme_of
from flowgrad.gradient.operator import Operator
from flowgrad.gradient.prepared import prepare, velocity_gradient
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
    if callable(tensor):
        if rate is not None:
            raise OptionError("rate= is for samples: give a function T(x, t), and time=, instead")
        if steady and time is not None:
            raise OptionError("steady=True and a time exclude each other: a function T(x, t) has its rate of change")
        gradient = flow if isinstance(flow, VelocityGradient) else velocity_gradient(flow, scheme or "auto")
        _check_plane(_flow_of(gradient))
        T, DT = _of_function(tensor, _positions(gradient), gradient["velocity"], time, backend)
        return convected_rate(kind, DT, gradient.L, T)
    if time is not None or backend is not None:
        raise OptionError("time= and backend= are for tensors that are given as functions: leave them out")
    return _of_samples(flow, tensor, kind, _known_rate(rate, steady), scheme)


def _flow_of(source: VelocityGradient | Flow) -> Flow:
    if not isinstance(source, (Flow, VelocityGradient)):
        raise OptionError(f"{type(source).__name__} given for the flow: give a Flow or its VelocityGradient")
    flow = source if isinstance(source, Flow) else source.flow
    if flow is None:
        raise OptionError(
            "the gradient has no flow that carries the tensor: use the functions of flowgrad.kinematics.dynamics"
        )
    return flow


def _check_plane(flow: Flow) -> None:
    if flow.out_of_plane != "zero":
        raise OptionError(
            f"{flow.name}: the derivatives across the plane are {flow.out_of_plane}, so tensors have no known rate: "
            "leave out out_of_plane for a 2-D flow"
        )


def _positions(gradient: VelocityGradient) -> FloatArray:
    if gradient.positions is not None:
        return gradient.positions
    return _flow_of(gradient).mesh.places(gradient.location or "cells")


def _of_function(
    tensor: Callable[..., Any], positions: FloatArray, v: FloatArray, time: float | None, backend: str | None
) -> tuple[FloatArray, FloatArray]:
    """T and DT/Dt (m, 3, 3) of a function at positions (m, 3) with the velocities v (m, 3)."""
    field = _Components(tensor)
    values, slopes = backend_of(tensor, backend).point_jacobians(field, positions, time)
    rates = np.einsum("mkj,mj->mk", slopes, v)
    if time is not None:
        rates += time_derivatives(field, positions, time, backend)[0]
    return tensors.as_tensors(values, "the function's result"), tensors.as_tensors(rates)


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
    tensor: ArrayLike | str,
    kind: str,
    rate: FloatArray | None,
    scheme: Scheme | str | None,
) -> FloatArray:
    flow = _flow_of(source)
    _check_plane(flow)
    _check_samples(source, flow)
    T = _samples(flow, tensor)
    chosen = _scheme(source, flow, scheme)
    operator = _operator(chosen, flow, T)
    DT = _advected(operator, T, flow.velocity)
    if rate is not None:
        DT += _of_length(rate, flow, "rate")
    return convected_rate(kind, DT, _gradients(source, flow, operator, chosen), T)


def _check_samples(source: VelocityGradient | Flow, flow: Flow) -> None:
    if flow.is_meridian or flow.wedge is not None:
        raise OptionError(
            f"{flow.name}: the flow is axisymmetric, and the components of a tensor turn with the angle: give the "
            "tensor as a function T(x)"
        )
    if isinstance(source, VelocityGradient) and (source.positions is not None or source.location != flow.location):
        raise OptionError(
            f"{flow.name}: the tensor's samples are at {flow.location} as the velocity's, and the gradient is at "
            f"{source.location}: take it at='{flow.location}', or give the tensor as a function T(x)"
        )


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


def _known_rate(rate: ArrayLike | None, steady: bool) -> FloatArray | None:
    """∂T/∂t (n, 3, 3), None for zero."""
    if (rate is None) != steady:
        how = "is given twice" if steady else "is not known"
        raise OptionError(f"∂T/∂t {how}: give rate=, (n, 3, 3) or 0, or else steady=True, which says that it is zero")
    if rate is None or (np.ndim(rate) == 0 and rate == 0):
        return None
    return tensors.as_tensors(rate, "rate")


def _scheme(source: VelocityGradient | Flow, flow: Flow, given: Scheme | str | None) -> Scheme:
    """The one given, else the gradient's where that differentiates any field, else the one that suits the flow."""
    if given is not None:
        return scheme_of(given, flow)[0]
    own = source.scheme if isinstance(source, VelocityGradient) else ""
    kind = SCHEMES.get(own.split("(")[0])
    return scheme_of(own if kind is not None and kind.differentiates else "auto", flow)[0]


def _operator(scheme: Scheme, flow: Flow, T: FloatArray) -> Operator:
    """The scheme on the samples of T, of which nothing is known on the boundary."""
    # Schemes look at which velocities are missing, not at their values.
    known = np.where(np.isfinite(T).all(axis=(1, 2)), 0.0, np.nan)
    bare = dataclasses.replace(flow, velocity=np.column_stack([known] * 3), boundary=(), noise=None)
    return prepare(scheme, bare, flow.location)


def _advected(operator: Operator, T: FloatArray, v: FloatArray) -> FloatArray:
    """v·∇T (n, 3, 3): v_k ∂T_ij/∂x_k, a row of T at a time."""
    rows = (np.einsum("njk,nk->nj", operator.apply(T[:, i]), v) for i in range(3))
    return np.stack(list(rows), axis=1)


def _gradients(source: VelocityGradient | Flow, flow: Flow, operator: Operator, scheme: Scheme) -> FloatArray:
    """L (n, 3, 3): the one given, else by the operator of T where it suits the velocity too."""
    if isinstance(source, VelocityGradient):
        return source.L
    if flow.boundary or not operator.suits(flow):
        return velocity_gradient(flow, scheme).L
    return operator.gradients(flow).L
