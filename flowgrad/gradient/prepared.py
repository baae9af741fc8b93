"""Velocity gradients of flows: a scheme is chosen, prepared for the mesh, and applied as often as there are flows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow, as_vectors
from flowgrad.gradient.element import Autodiff
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.first_cell import FirstCell
from flowgrad.gradient.function import gradient_of_function
from flowgrad.gradient.joined import on_joined
from flowgrad.gradient.noise import stencil_covariance
from flowgrad.gradient.rates import steady_rates, with_rates
from flowgrad.gradient.scheme import Gradients, Operator, Scheme, Where, parse_scheme, patch_faces
from flowgrad.gradient.smooth.scheme import SmoothFits, seen_noise, untold_noise
from flowgrad.gradient.symmetry.axisymmetric import prepare_axisymmetric
from flowgrad.gradient.symmetry.plane import prepare_plane
from flowgrad.gradient.symmetry.wedge import prepare_wedge
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice, Mesh
from flowgrad.noise import FoundNoise, noise_in_time
from flowgrad.series import Series, difference
from flowgrad.typing import BoolArray, FloatArray, IntArray


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

    One :class:`PreparedGradient` makes them all. ``rates`` supplies ∂v/∂t and ∂L/∂t
    to quantities (:func:`flowgrad.gradient.rates.with_rates` says how), ``steady`` declares that they are zero.
    Of a ``Series`` on a lattice or at scattered points without a known noise the first steps are compared: what differs
    between them and is not smooth is its noise (:func:`flowgrad.noise.noise_in_time`).
    Arguments and errors are those of :func:`velocity_gradient`; OptionError for both rates and steady, and one flow.
    """
    if isinstance(flows, Flow):
        raise OptionError("one flow is no series: give several in a list or a Series, or take velocity_gradient(flow)")
    if rates and steady:
        raise OptionError("rates=True and steady=True exclude each other: a steady flow has no rates; give one of them")
    noise = _noise_in_time(flows) if isinstance(flows, Series) and scheme in ("auto", "smooth", SmoothFits()) else None
    if noise is not None:
        flows = (dataclasses.replace(flow, noise=noise.of_samples) for flow in flows)
    prepared = PreparedGradient(scheme, at, error=error, second=second)
    gradients: Iterator[VelocityGradient] = map(prepared.of, flows)
    if noise is not None:
        note = f"by differences between the first steps of the series: {noise.sentence}"
        gradients = (dataclasses.replace(each, method_notes=(*each.method_notes, note)) for each in gradients)
    if steady:
        return map(steady_rates, gradients)
    return with_rates(gradients) if rates else gradients


# Steps of a series whose differences tell its noise.
_STEPS = 4


def _noise_in_time(series: Series) -> FoundNoise | None:
    """The noise that differences between the first steps of a series show, as instruments give them: on a lattice or at
    scattered points."""
    first = series[0]
    is_lattice = isinstance(first.mesh, Lattice) and not first.mesh.is_curved
    if first.noise is not None or first.boundary or len(series) < 2 or (first.mesh.dimension and not is_lattice):
        return None
    sites: Lattice | FloatArray = first.mesh.points if first.location == "points" else first.mesh.centroids
    if isinstance(first.mesh, Lattice):
        sites = first.mesh if first.location == "points" else first.mesh.of_centres
    return noise_in_time(sites, [flow.velocity for flow in series[:_STEPS]])


# Producers whose values at cells are those of a finite-volume solver.
FINITE_VOLUME = ("OpenFOAM", "Fluent")
# What ``auto`` chooses from.
_INTERPOLANT, _COMPACT = Autodiff(), FiniteDifference(order=1)
_QUADRATIC, _CUBIC = FiniteDifference(order=2), FiniteDifference(order=3)


def scheme_of(scheme: Scheme | str, flow: Flow, at: Where | None = None) -> tuple[Scheme, str]:
    """The scheme meant by an object, a text or ``auto``, and why; OptionError for a text that names none."""
    if isinstance(scheme, Scheme):
        return scheme, "as given"
    return choose(flow, at) if scheme == "auto" else (parse_scheme(scheme), "as given")


def choose(flow: Flow, at: Where | None = None) -> tuple[Scheme, str]:
    """The scheme for the gradient of a flow ``at`` a place, and the reason in one line."""
    where = flow.location if at is None else at
    # As instruments give velocities: never on the meshes of solvers.
    if (isinstance(flow.mesh, Lattice) or not flow.mesh.dimension) and (noise := seen_noise(flow)):
        return SmoothFits(), noise
    if isinstance(flow.mesh, Lattice) and not (flow.location == "cells" and flow.boundary):
        return _QUADRATIC, f"the velocity is on a lattice: differences along its axes{untold_noise(flow)}"
    if flow.location == "cells" and flow.mesh.joined.wall_layers is not None:
        return _QUADRATIC, "thin layers along curved walls: quadratic fits in the distance from the wall"
    if flow.location == "cells":
        with_walls = f" and {len(flow.boundary)} boundary patches" if flow.boundary else ""
        reason = f"the velocity is at cells: least squares over the neighbours{with_walls}, as in finite-volume solvers"
        return _COMPACT, f"{reason}; on smooth flows higher orders are nearer to the truth"
    if not flow.mesh.dimension:
        return _QUADRATIC, f"the velocity is at scattered points: quadratic fits to those around{untold_noise(flow)}"
    if flow.is_constant_by_cell:
        return _QUADRATIC, "the velocity is constant within each cell: fits go across the cells, to means at the points"
    is_curved = any(block.reference.is_curved for block in flow.mesh.blocks)
    if isinstance(where, str) and where == "points" and flow.mesh.dimension > 1 and not is_curved:
        if flow.mesh.joined.wall_layers is not None:
            return _CUBIC, "thin layers along curved walls: cubic fits in the distance from the wall"
        return _QUADRATIC, "at points quadratic fits are nearer to the truth than means over the cells around"
    return _INTERPOLANT, "the velocity is at points, so the mesh's own interpolant is differentiated"


def wall_scheme_of(scheme: Scheme | str, flow: Flow, faces: IntArray) -> tuple[Scheme, str]:
    """The same for gradients on boundary faces (k,), where ``auto`` is what the momentum balance of a finite-volume
    solver holds with, and else of higher order: the nearest samples stand a whole cell off the wall at points, half of
    one at cells."""
    if scheme != "auto":
        return scheme_of(scheme, flow)
    is_known = bool(np.isin(faces, patch_faces(flow.boundary)).all())
    if flow.location == "cells" and is_known and flow.producer in FINITE_VOLUME:
        return FirstCell(), f"{flow.producer} has the stress on walls from the first cell, and with it forces balance"
    if flow.location == "points":
        curved = [block.cells for block in flow.mesh.blocks if block.reference.is_curved]
        if curved and np.isin(flow.mesh.topology.boundary_cells[faces], np.concatenate(curved)).any():
            return _INTERPOLANT, "the cells are curved: their own interpolant on their own faces"
        return _CUBIC, "cubic fits through the points of the wall, for the next are a cell away"
    through = ", through the velocity on the wall" if is_known else ""
    if flow.mesh.joined.wall_layers is not None:
        return _CUBIC, f"thin layers along curved walls: cubic fits in the distance from the wall{through}"
    return _QUADRATIC, f"quadratic fits to the cells{through}"


class PreparedGradient:
    """A scheme at a place, prepared for the first flow that it is given and kept for those that follow.

    ``scheme`` is a scheme, its text, or ``auto``; ``at`` is ``points``, ``cells``, positions (m, 3), or None for where
    the velocity lives; ``error`` and ``second`` are those of :func:`velocity_gradient`. The scheme is chosen for the
    first flow and its geometry prepared; anew only for a flow that does not suit: on another mesh, with other faces of
    its boundary known, or other values missing. No result depends on the flows before it.

    >>> prepared = PreparedGradient("finite-difference(order=2)")
    >>> for flow in series: gradient = prepared.of(flow)  # doctest: +SKIP
    """

    def __init__(
        self,
        scheme: Scheme | str = "auto",
        at: str | ArrayLike | None = None,
        *,
        error: bool = False,
        second: bool = False,
    ) -> None:
        if isinstance(at, str) and at not in LOCATIONS:
            raise OptionError(f"at='{at}' is unknown: choose one of {', '.join(LOCATIONS)}, or give positions (m, 3)")
        self.scheme, self.error, self.second = scheme, error, second
        self.at = at if at is None or isinstance(at, str) else as_vectors(at, "at")
        self._mesh: Mesh | None = None  # what the rest was made for
        self._about: tuple[object, ...] = ()
        self._operator: Operator | None = None
        self._finer: PreparedGradient | None = None
        self._twice: PreparedGradient | None = None  # for the second derivatives
        self._noise: float | FloatArray | None = None
        self._covariance: FloatArray | None = None

    def of(self, flow: Flow) -> VelocityGradient:
        """The velocity gradient of a flow; errors are those of :func:`velocity_gradient`."""
        found = self.gradients(flow)
        flow = flow.with_found_noise if self._chosen.finds_noise else flow
        noise, notes, operator = flow.noise, [*flow.notes, *found.notes], self._operator
        if flow.boundary and not (found.operator and found.operator.boundary_count):
            notes.append("the velocities given on the boundary are not used by this scheme")
        if noise is not None and operator is None:
            notes.append("the noise of the velocity does not tell that of a gradient taken from the file")
        covariance = None
        if noise is not None and operator is not None:
            if self._noise is None or not np.array_equal(self._noise, noise):
                self._noise, self._covariance = noise, operator.covariance(noise)
            covariance = self._covariance
        gradient = VelocityGradient(
            found.L,
            flow,
            covariance=covariance,
            location=self._at if isinstance(self._at, str) else "positions",
            positions=None if isinstance(self._at, str) else self._at,
            scheme=str(self._chosen),
            reason=self._reason,
            method_notes=tuple(notes),
            one_sided=found.one_sided,
        )
        # The differences of lattices are closed with their own order at the ends.
        is_fitted = flow.location == gradient.location == "cells" and not isinstance(flow.mesh, Lattice)
        if is_fitted and found.one_sided is not None and found.one_sided.any():
            guessed = _guessed(found.L, found.one_sided, flow.mesh)
            gradient = dataclasses.replace(gradient, method_notes=(*notes, guessed))
        if self.second:
            gradient = _with_hessian(gradient, flow, found if self._twice is None else self._twice.gradients(flow))
        return gradient if self._finer is None else _with_error(gradient, flow, found, self._finer)

    def gradients(self, flow: Flow) -> Gradients:
        """L alone, with how it was found and the operator that did."""
        about, mesh = (flow.location, flow.axisymmetric, flow.out_of_plane, type(flow.mesh)), self._mesh
        if about != self._about or mesh is None or (mesh is not flow.mesh and difference(mesh, flow.mesh)):
            self._mesh = self._operator = self._noise = None
            self._at = flow.location if self.at is None else self.at
            self._chosen, self._reason = scheme_of(self.scheme, flow, self._at)
            self._finer = PreparedGradient(self._chosen.finer(), self._at) if self.error else None
            self._twice = None
            if self.second and self.scheme == "auto" and self._chosen in (_INTERPOLANT, _COMPACT, SmoothFits()):
                self._twice = PreparedGradient(_QUADRATIC, self._at)
                self._reason += f"; second derivatives by {_QUADRATIC}, as these have none"
            self._mesh, self._about = flow.mesh, about
        if not self._chosen.differentiates:
            refuse_stored(flow)
            return self._chosen.gradients(flow, self._at)
        operator, again = self._operator, True
        if operator is None or not operator.suits(flow):
            operator, again = prepare(self._chosen, flow, self._at), False
            self._operator, self._noise = operator, None
        return operator.gradients(flow, keep=again)


def prepare(scheme: Scheme, flow: Flow, at: Where) -> Operator:
    """The scheme prepared for a flow whose gradient may follow from that in a plane.

    ``flow.axisymmetric`` names the axis of a planar mesh; where it is None a wedge of OpenFOAM is taken
    as axisymmetric. ``flow.out_of_plane`` says what is known across a planar mesh. OptionError for a mesh
    that these do not fit.
    """
    if flow.joined is not flow and not (scheme.by_cell and flow.jump[1]):
        return on_joined(prepare(scheme, flow.joined, at), flow, at)
    if flow.is_meridian:
        return prepare_axisymmetric(scheme, flow, at)
    if flow.out_of_plane != "zero":
        return prepare_plane(scheme, flow, at)
    if flow.wedge is not None:
        return prepare_wedge(scheme, flow, at, flow.wedge)
    return scheme.prepare(flow, at)


def refuse_stored(flow: Flow) -> None:
    """OptionError where a gradient taken from the file would have to be completed."""
    if flow.is_meridian or flow.out_of_plane != "zero":
        raise OptionError(
            f"{flow.name}: a gradient taken from the file is used as it stands: leave out axisymmetric and out_of_plane"
        )


def _guessed(L: FloatArray, is_guess: BoolArray, mesh: Mesh) -> str:
    """How much of the gradient rests on what is not known: the velocity on the boundary beside cells."""
    squares = mesh.measures * mesh.is_full * np.nansum(L**2, axis=(1, 2))
    share = float(squares[is_guess].sum() / max(float(squares.sum()), 1e-300))
    return (
        f"{is_guess.sum()} of {len(L)} cells touch the boundary where the velocity is not known: {share:.2g} of "
        "∫|L|² rests on extrapolation (--boundary gives the values on patches)"
    )


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
    gradient = gradient.supply(hessian=hessian)
    return dataclasses.replace(gradient, method_notes=(*gradient.method_notes, note)) if missing else gradient


def _with_error(gradient: VelocityGradient, flow: Flow, found: Gradients, finer: PreparedGradient) -> VelocityGradient:
    better = finer.gradients(flow)
    masked = np.isnan(gradient.L) & gradient.valid[:, None, None]  # components that are not known
    error = np.sqrt((np.where(masked, 0.0, better.L - gradient.L) ** 2).sum(axis=(1, 2)))
    if found.order is not None and better.order is not None:
        # Two fits that were both lowered to the same order agree, and tell nothing.
        error[better.order <= found.order] = np.nan
    gradient = dataclasses.replace(gradient, error=error)
    unknown = int((gradient.valid & ~np.isfinite(error)).sum())
    note = f"error of L estimated against {finer.scheme}: {gradient.relative_error:.2g} of the rms |L|"
    if unknown:
        note += f"; not known at {unknown} of {len(gradient)} {gradient.location}"
    notes = (*gradient.method_notes, note, *_bias(gradient, flow, found.operator, better.operator))
    return dataclasses.replace(gradient, method_notes=notes)


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
