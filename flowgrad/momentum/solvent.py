"""Solvent viscosity beside a known stress, from the balance of momentum.

ρ Dv/Dt = ρ f − ∇p + ∇·(τ + 2η_s D), of which all but η_s is known. Multiplied with a smooth field w that vanishes at
the edge of its support and integrated by parts, with no derivative but that of v:

    η_s ∫ 2D:∇w dV = ∫ ρ(f − Dv/Dt)·w dV + ∫ p ∇·w dV − ∫ τ:∇w dV,

an equation for η_s from each w. Where p is not known, fields without divergence take it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.arrays import array_of, scalars
from flowgrad.momentum.test_functions import Bump, bumps
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import apply, norm
from flowgrad.typing import FloatArray

# The equations are left out by parts of the flow, so many of them, for the interval (jackknife), which is not below
# that of so many independent ones, for bumps overlap.
_PARTS = 10
_FEWEST = 4
# Two standard errors: 95 %.
_REACH = 2.0
# Of the work of 2D on the test fields (Σ|∫2D:∇w| over Σ∫|2D||∇w|) less than this is rounding and quadrature.
_SEEN = 1e-3


@dataclass(frozen=True)
class MomentumBalance:
    """What the balance of momentum says beside a known stress.

    ``viscosity`` is η_s with its 95 % ``interval``, NaN where the flow does not determine it; errors that all parts of
    the flow share, such as a change in time, are not in the interval. ``tests`` counts the equations, ``unbalanced``
    is what is left of them in the root mean square, as a fraction of the forces, with η_s, and ``without`` the same
    with η_s = 0; ``pressure`` says where p is from, empty where it was taken out.
    """

    viscosity: float
    interval: tuple[float, float]
    tests: int
    unbalanced: float
    without: float
    pressure: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_determined(self) -> bool:
        """Whether there is a viscosity."""
        return bool(np.isfinite(self.viscosity))


@dataclass(frozen=True, eq=False)
class Forces(ReprMixin):
    """What is known of the balance at the n tensors of a gradient: ``stress`` τ (n, 3, 3), ``momentum`` ρ(f − Dv/Dt)
    (n, 3), and ``pressure`` (n,) with its ``origin``, or None; ``notes`` say what was taken for granted."""

    stress: FloatArray
    momentum: FloatArray
    pressure: FloatArray | None
    origin: str = ""
    notes: tuple[str, ...] = ()


def momentum_balance(gradient: VelocityGradient, forces: Forces) -> MomentumBalance:
    """The constant viscosity η_s beside a known stress. Raises MeshError for a flow without cells."""
    parts = [gradient.L, forces.stress, forces.momentum, *([] if forces.pressure is None else [forces.pressure])]
    known = [np.isfinite(each.reshape(len(gradient), -1)).all(axis=1) for each in parts]
    rows, centres = [], []
    for bump in bumps(gradient, np.logical_and.reduce(known)):
        rows += list(_equations(gradient, forces, bump))
        centres += 3 * [bump.centre]
    return _solved(np.array(rows).reshape(-1, 4), np.array(centres).reshape(-1, 3), forces)


def _equations(gradient: VelocityGradient, forces: Forces, bump: Bump) -> FloatArray:
    """Of each of three test fields ∫2D:∇w, ∫2|D||∇w|, the right-hand side and the size of its terms, over ‖∇w‖
    (3, 4)."""
    at, V = bump.samples, gradient.weights[bump.samples]
    # ∇φ
    slopes = bump.along[:, None] * bump.arms
    rate, stress = _less_mean(2 * gradient.D[at], V), _less_mean(forces.stress[at], V)
    if forces.pressure is None:
        # w = ∇φ × e_k, which has no divergence: ∇w_k = ε_ijk ∂_j∂_lφ
        work, resist = _axial(bump.curved(rate, V)), _axial(bump.curved(stress, V))
        drive = _axial((V[:, None] * forces.momentum[at]).T @ slopes)
        size = bump.curvature
    else:
        # w = φ e_k
        pressure = _less_mean(forces.pressure[at], V)
        work, resist = V @ apply(rate, slopes), V @ apply(stress, slopes)
        drive = (V * bump.values) @ forces.momentum[at] + (V * pressure) @ slopes
        size = np.sqrt((slopes**2).sum(axis=1))
    reach = np.full(3, V @ (norm(rate) * size))
    return np.stack([work, reach, drive - resist, np.abs(drive) + np.abs(resist)], axis=1) / np.sqrt(V @ size**2)


def _axial(A: FloatArray) -> FloatArray:
    """ε_ijk A_ij (3,)."""
    return np.array([A[1, 2] - A[2, 1], A[2, 0] - A[0, 2], A[0, 1] - A[1, 0]])


def _less_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """What is constant does no work on a test field; taken off, neither do the errors of its quadrature."""
    return values - np.tensordot(weights, values, 1) / weights.sum()


def _solved(rows: FloatArray, centres: FloatArray, forces: Forces) -> MomentumBalance:
    work, reach, lack, size = rows.T
    seen = float(np.abs(work).sum() / reach.sum()) if len(rows) and reach.any() else 0.0
    if seen < _SEEN or len(rows) < 3 * _FEWEST:
        return _undetermined(len(rows), forces)
    eta = float(work @ lack / (work @ work))
    left = lack - eta * work
    alike = np.sqrt(np.mean(left**2) / np.mean(work**2) / _PARTS)
    error = max(_jackknife(work, lack, centres), float(alike))
    scale = np.sqrt(np.mean(size**2))
    if forces.pressure is None:
        note = "the pressure is not known: the momentum balance takes test fields without divergence"
    else:
        note = f"the momentum balance takes the pressure {forces.origin}"
    return MomentumBalance(
        viscosity=eta,
        interval=(eta - _REACH * error, eta + _REACH * error),
        tests=len(rows),
        unbalanced=float(np.sqrt(np.mean(left**2)) / scale),
        without=float(np.sqrt(np.mean(lack**2)) / scale),
        pressure=forces.origin,
        notes=(*forces.notes, note),
    )


def _undetermined(tests: int, forces: Forces) -> MomentumBalance:
    advice = (
        "the flow is too coarse, or deforms too uniformly"
        if forces.pressure is not None
        else "with the pressure unknown only forces that are no gradient tell: give --pressure"
    )
    note = f"the momentum balance ({tests} test fields) does not determine a viscosity: {advice}"
    return MomentumBalance(np.nan, (np.nan, np.nan), tests, np.nan, np.nan, forces.origin, (note, *forces.notes))


def _jackknife(work: FloatArray, lack: FloatArray, centres: FloatArray) -> float:
    """Standard error of the least squares, from leaving out one part of the flow after the other (Tukey 1958)."""
    axis = int(np.argmax(np.ptp(centres, axis=0)))
    parts = np.array_split(np.argsort(centres[:, axis], kind="stable"), _PARTS)
    products, squares = (np.array([(work[p] * each[p]).sum() for p in parts]) for each in (lack, work))
    left = (products.sum() - products) / np.maximum(squares.sum() - squares, 1e-300)
    return float(np.sqrt((_PARTS - 1) / _PARTS * ((left - left.mean()) ** 2).sum()))


# Names that pressures have in files; p_rgh and the like have a part of the body force in them.
_PRESSURES = ("p", "P", "pressure", "Pressure", "static_pressure", "StaticPressure")
_STEADY = "the momentum balance takes the flow as steady: say so by --steady, or give a series with rates"


def forces(
    gradient: VelocityGradient,
    stress: FloatArray,
    body_force: ArrayLike,
    pressure: str | float | ArrayLike | None,
    density: float | None,
) -> Forces:
    """The forces beside a stress (n, 3, 3).

    ``body_force`` f (3,) or (n, 3) is per mass; ``pressure`` a number, an array (n,), its name, or None for the
    array that has a pressure's usual name, if there is one; ``density`` makes a dynamic pressure of a kinematic one.
    Raises OptionError for flows that are axisymmetric or of which a plane is known only, for names that are not known
    and for shapes that do not fit.
    """
    flow = gradient.flow
    _check_flow(flow)
    f = np.asarray(body_force, np.float64)
    if f.shape not in ((3,), (len(gradient), 3)) or not np.isfinite(f).all():
        raise OptionError(f"the body force has the shape {f.shape}: give three finite numbers, or (n, 3) of them")
    f = np.broadcast_to(f, (len(gradient), 3))
    steady = "velocity_rate" not in gradient.supplied
    inertia = gradient["convective_acceleration" if steady else "acceleration"]
    factor = 1.0 if density is None else density
    p, origin = _pressure(gradient, pressure)
    momentum = factor * (f - inertia)
    return Forces(stress, momentum, None if p is None else factor * p, origin, (_STEADY,) if steady else ())


def _check_flow(flow: Flow | None) -> None:
    if flow is None:
        raise OptionError("a momentum balance needs the flow and its mesh, not L alone: leave out body_force")
    if flow.is_meridian or flow.wedge is not None:
        raise OptionError(f"{flow.name}: there is no momentum balance of axisymmetric flows: leave out --body-force")
    if flow.out_of_plane != "zero":
        raise OptionError(
            f"{flow.name}: a momentum balance needs the derivatives across the plane, which are {flow.out_of_plane}: "
            "leave out --body-force"
        )


def _pressure(gradient: VelocityGradient, pressure: str | float | ArrayLike | None) -> tuple[FloatArray | None, str]:
    named = _usual(gradient) if pressure is None else pressure
    if named is None:
        return None, ""
    if isinstance(named, str) and not _is_number(named):
        values, full = array_of(gradient, named, "pressure")
        return scalars(gradient, values, full, "pressure"), named
    if np.ndim(named) == 0:
        return np.full(len(gradient), float(named)), str(named)  # type: ignore[arg-type]
    return scalars(gradient, np.asarray(named, np.float64), "the pressure", "pressure"), "given"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _usual(gradient: VelocityGradient) -> str | None:
    """The array with a pressure's name where the gradient lives; OptionError for more than one."""
    assert gradient.flow is not None
    data = gradient.flow.data(gradient.location or "")
    found = [name for name in _PRESSURES if name in data]
    if len(found) > 1:
        raise OptionError(f"{gradient.flow.name}: {' and '.join(found)} may be the pressure: choose one by --pressure")
    return found[0] if found else None
