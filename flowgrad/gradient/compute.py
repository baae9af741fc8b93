"""The calls that give velocity gradients: of one flow, and of a series with one preparation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow, as_vectors
from flowgrad.gradient.auto import choose as choose_scheme
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.function import Function, gradient_of_function
from flowgrad.gradient.operator import Gradients, Operator, Scheme, Where
from flowgrad.gradient.propagation import stencil_covariance
from flowgrad.gradient.rates import steady_rates, with_rates
from flowgrad.gradient.stored import Stored
from flowgrad.gradient.symmetry import prepare, refuse_stored
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray

SCHEMES: dict[str, type[Scheme]] = {
    "autodiff": Autodiff,
    "finite-difference": FiniteDifference,
    "file": Stored,
}


def velocity_gradient(
    flow: Flow | Callable[..., Any],
    scheme: Scheme | str = "auto",
    at: str | ArrayLike | Mesh | None = None,
    *,
    error: bool = False,
    second: bool = False,
    rates: bool = False,
    steady: bool = False,
    time: float | None = None,
    backend: str | None = None,
) -> VelocityGradient:
    """The velocity gradient L_ij = ∂v_i/∂x_j of a flow, or of a velocity that is given as a function.

    A function v(x), or v(x, t) with ``time``, takes x of shape (…, 3) or (…, 2) and is differentiated exactly ``at``
    positions (m, 3) or (m, 2), or at the points of a mesh; ``backend`` is ``numpy``, ``torch`` or ``jax``, seen from
    the function unless given.

    For a flow ``scheme`` is one of ``SCHEMES``, as an object or as text (``finite-difference(order=1)``), or
    ``auto``; ``at`` is ``points`` or ``cells``, where the velocity lives unless given, or positions
    (m, 3) anywhere in the mesh. L is NaN, and ``valid`` False, where the mesh or the values give none;
    the notes count these and say why. ``error`` estimates the error of each L, as |L' − L| with L'
    from the scheme's finer one; ``second`` adds the second derivatives, ``gradient["hessian"]``. The
    covariance is there where the flow's noise is known. ``steady`` declares a flow steady: ∂v/∂t and ∂L/∂t are zero,
    and known so to quantities. A function v(x) is steady; of v(x, t) ``rates`` gives them, exactly, and of a series
    :func:`velocity_gradients` does. Raises OptionError for a scheme that does not
    fit the flow, has no error estimate or second derivatives where these are asked for, and for the rates of one flow.
    """
    if isinstance(flow, Flow):
        if time is not None or backend is not None or isinstance(at, Mesh):
            raise OptionError("time=, backend= and a mesh to differentiate at are for functions: leave them out")
        return next(velocity_gradients([flow], scheme, at, error=error, second=second, rates=rates, steady=steady))
    if not callable(flow) or at is None or isinstance(at, str) or scheme != "auto" or error:
        raise OptionError(
            f"{type(flow).__name__} given for the flow: give a Flow, or a function v(x) with at=, positions (m, 3) or "
            "a mesh, and no scheme: its derivatives are exact, which leaves no error to estimate"
        )
    if steady and time is not None:
        raise OptionError("steady=True and a time exclude each other: give rates=True for a function v(x, t)")
    return gradient_of_function(flow, at, time, backend, second, rates)


def velocity_gradients(
    flows: Iterable[Flow],
    scheme: Scheme | str = "auto",
    at: str | ArrayLike | None = None,
    *,
    error: bool = False,
    second: bool = False,
    rates: bool = False,
    steady: bool = False,
) -> Iterator[VelocityGradient]:
    """The velocity gradient of each flow of a ``Series``, one after the other as they are asked for.

    The scheme is chosen and its geometry prepared for the first flow, and again only where a flow does
    not suit (other faces of the boundary are known, other values are missing). ``rates`` supplies ∂v/∂t and ∂L/∂t
    to quantities (:func:`flowgrad.gradient.rates.with_rates` says how), ``steady`` declares that they are zero.
    Arguments and errors are those of :func:`velocity_gradient`; OptionError for both rates and steady.
    """
    if rates and steady:
        raise OptionError("rates=True and steady=True exclude each other: a steady flow has no rates; give one of them")
    found = _one_by_one(flows, scheme, at, error, second)
    if steady:
        return map(steady_rates, found)
    return with_rates(found) if rates else found


def _one_by_one(
    flows: Iterable[Flow], scheme: Scheme | str, at: str | ArrayLike | None, error: bool, second: bool
) -> Iterator[VelocityGradient]:
    chosen: Scheme | None = None
    for flow in flows:
        if chosen is None:
            where = _where(flow, at)
            chosen, reason = _resolve(flow, scheme, where, second)
            main, finer = _Prepared(chosen, where), _Prepared(chosen.finer(), where) if error else None
        yield _result(flow, main, finer, reason, second)


class _Prepared:
    """A scheme at a place, prepared for the first flow that it meets and kept as long as it suits."""

    def __init__(self, scheme: Scheme, at: Where) -> None:
        self.scheme, self.at = scheme, at
        self._operator: Operator | None = None
        self._noise: float | FloatArray | None = None
        self._covariance: FloatArray | None = None

    @property
    def name(self) -> str:
        """The scheme as text."""
        if isinstance(self.scheme, Function):
            return self.scheme.name
        kinds = (name for name, kind in SCHEMES.items() if isinstance(self.scheme, kind))
        return unparse(next(kinds, type(self.scheme).__name__), self.scheme, self.scheme.shown)

    def gradients(self, flow: Flow) -> Gradients:
        """Those of the flow, prepared anew only where that is needed."""
        if isinstance(self.scheme, (Stored, Function)):
            refuse_stored(flow)
            return self.scheme.gradients(flow, self.at)
        if self._operator is None or not self._suits(self._operator, flow):
            self._operator = prepare(self.scheme, flow, self.at)
            self._noise = None
        return self._operator.gradients(flow)

    @staticmethod
    def _suits(operator: Operator, flow: Flow) -> bool:
        """Values on the boundary that are no samples of the operator may be a part of it."""
        return operator.suits(flow) and (bool(operator.boundary_count) or not flow.boundary)

    def covariance(self, flow: Flow) -> FloatArray | None:
        """That of the gradients of the flow, where its noise and the weights are known."""
        if flow.noise is None or self._operator is None:
            return None
        if self._noise is None or not np.array_equal(self._noise, flow.noise):
            self._noise, self._covariance = flow.noise, self._operator.covariance(flow.noise)
        return self._covariance


def _result(flow: Flow, main: _Prepared, finer: _Prepared | None, reason: str, second: bool) -> VelocityGradient:
    found = main.gradients(flow)
    gradient = VelocityGradient(
        found.L,
        flow,
        covariance=main.covariance(flow),
        location=main.at if isinstance(main.at, str) else "positions",
        positions=None if isinstance(main.at, str) else main.at,
        scheme=main.name,
        reason=reason,
        method_notes=(*found.notes, *_unused(flow, found)),
        one_sided=found.one_sided,
    )
    if second:
        gradient = _with_hessian(gradient, flow, found)
    return gradient if finer is None else _with_error(gradient, flow, found, finer)


def _unused(flow: Flow, found: Gradients) -> tuple[str, ...]:
    """A note where the values on the boundary take no part, or the noise tells nothing."""
    notes = []
    if flow.boundary and not (found.operator and found.operator.boundary_count):
        notes.append("the velocities given on the boundary are not used by this scheme")
    if flow.noise is not None and found.operator is None:
        notes.append("the noise of the velocity does not tell that of a gradient taken from the file")
    return tuple(notes)


def _with_hessian(gradient: VelocityGradient, flow: Flow, found: Gradients) -> VelocityGradient:
    if found.operator is None:
        raise OptionError(
            f"{flow.name}: a gradient taken from the file comes without second derivatives: let a scheme compute it"
        )
    hessian = found.operator.second(found.operator.samples(flow))
    known = np.isfinite(hessian).all(axis=(1, 2, 3)) & gradient.valid
    hessian = np.where(known[:, None, None, None], hessian, np.nan)
    missing = int((gradient.valid & ~known).sum())
    note = f"no second derivatives at {missing} of {len(gradient)} {gradient.location} that have a gradient"
    return _noted(gradient.supply(hessian=hessian), *([note] if missing else []))


def _with_error(gradient: VelocityGradient, flow: Flow, found: Gradients, finer: _Prepared) -> VelocityGradient:
    better = finer.gradients(flow)
    masked = np.isnan(gradient.L) & gradient.valid[:, None, None]  # components that are not known
    error = np.sqrt((np.where(masked, 0.0, better.L - gradient.L) ** 2).sum(axis=(1, 2)))
    if found.order is not None and better.order is not None:
        # Two fits that were both lowered to the same order agree, and tell nothing.
        error[better.order <= found.order] = np.nan
    gradient = dataclasses.replace(gradient, error=error)
    unknown = int((gradient.valid & ~np.isfinite(error)).sum())
    note = f"error of L estimated against {finer.name}: {gradient.relative_error:.2g} of the rms |L|"
    if unknown:
        note += f"; not known at {unknown} of {len(gradient)} {gradient.location}"
    return _noted(gradient, note, *_bias(gradient, flow, found.operator, better.operator))


def _bias(gradient: VelocityGradient, flow: Flow, one: Operator | None, other: Operator | None) -> tuple[str, ...]:
    """How much of the estimated error the noise alone would give, and what remains: the bias of the fits.

    Both gradients carry the same noise, so what differs is that of the difference of their weights.
    """
    if flow.noise is None or one is None or other is None or one.boundary_count != other.boundary_count:
        return ()
    try:
        weights = tuple(b - a for a, b in zip(one.matrices, other.matrices, strict=True))
    except OptionError:
        return ()  # wedges have no matrices of their own
    C = stencil_covariance(weights, flow.noise, one.boundary_count)
    variance = np.trace(C, axis1=-2, axis2=-1)
    variance = variance.sum(axis=1) if variance.ndim == 2 else 3 * variance
    known = np.isfinite(gradient.error) & np.isfinite(variance)  # type: ignore[arg-type]
    shares = gradient.weights * known / max(float(gradient.weights @ known), 1e-300)
    noise = float(shares @ np.where(known, variance, 0))
    bias = max(float(shares @ np.where(known, gradient.error, 0) ** 2) - noise, 0.0)  # type: ignore[arg-type]
    size = np.sqrt(float(shares @ np.nansum(gradient.L**2, axis=(1, 2))))
    return (f"of this error the noise explains {np.sqrt(noise) / size:.2g}; the bias is {np.sqrt(bias) / size:.2g}",)


def _noted(gradient: VelocityGradient, *notes: str) -> VelocityGradient:
    return dataclasses.replace(gradient, method_notes=(*gradient.method_notes, *notes))


def _resolve(flow: Flow, scheme: Scheme | str, where: Where, second: bool) -> tuple[Scheme, str]:
    if isinstance(scheme, Scheme):
        return scheme, "as given"
    if scheme != "auto":
        return parse(scheme, SCHEMES, "scheme"), "as given"
    chosen, reason = choose_scheme(flow, where)
    if second and (isinstance(chosen, Autodiff) or chosen == FiniteDifference(order=1)):
        return FiniteDifference(order=2), "second derivatives are asked for, and these fits have them"
    return chosen, reason


def _where(flow: Flow, at: str | ArrayLike | None) -> Where:
    if at is None:
        return flow.location
    if isinstance(at, str):
        if at not in LOCATIONS:
            raise OptionError(f"at='{at}' is unknown: choose one of {', '.join(LOCATIONS)}, or give positions (m, 3)")
        return at
    return as_vectors(at, "at")
