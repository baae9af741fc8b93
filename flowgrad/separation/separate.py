"""Separation of the stress of a flow: the call, and what cannot be right about a stress and a flow together."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.momentum import identify_viscosity
from flowgrad.momentum.solvent import forces
from flowgrad.rheology import thresholds
from flowgrad.rheology.model import Model
from flowgrad.separation.inputs import IDENTIFY, Given, resolve
from flowgrad.separation.separation import Separation


def separate(
    gradient: VelocityGradient,
    stress: str | ArrayLike | None = None,
    viscosity: str | float | Model | ArrayLike | None = None,
    density: float | None = None,
    *,
    body_force: ArrayLike | None = None,
    pressure: str | float | ArrayLike | None = None,
) -> Separation:
    """Separate the stress τ = 2η_N D + 2(η − η_N)D + τ⊥ and say whether the fluid is Newtonian.

    ``stress`` is the extra stress, tension positive: the name of an array of the flow where the
    gradient lives (``-sigma`` turns its sign) or an array (n, 6) in VTK's order, (n, 9) or
    (n, 3, 3). ``viscosity`` is the name of an array, an array (n,), a number, or a law such as
    ``carreau(…)``, or ``identify`` to find it in the velocity alone. ``density`` makes dynamic values of
    kinematic ones (τ/ρ, η/ρ). With neither stress nor viscosity the verdict is ``no-stress-known``.

    ``body_force`` per mass, (3,) or (n, 3), asks for the viscosity that the balance of momentum needs beside the known
    stress, such as a solvent's (``balance``); ``pressure`` is a number, an array or its name, by default the array
    with a pressure's usual name; without one the pressure is taken out of the balance.

    Raises OptionError where both stress and viscosity are given, a name is not an array, a shape does not fit, the
    viscosity is a turbulent eddy viscosity, the stress works against the flow (Σ V τ:D < 0), which means the other
    sign, D is not known because the flow is a plane cut from a 3-D one, and for a body force without stress or
    viscosity or in an axisymmetric flow; MeshError for one without a mesh.
    """
    if isinstance(viscosity, str) and viscosity == IDENTIFY and stress is None:
        return _identified(gradient, body_force, pressure, density)
    known = dataclasses.replace(resolve(gradient, stress, viscosity, density), density=density)
    if body_force is not None and not known.option:
        raise OptionError(
            "a body force is for the momentum balance beside a known stress: give --stress or --viscosity as well"
        )
    if pressure is not None and body_force is None:
        raise OptionError("a pressure is for the momentum balance: give body_force as well, (0, 0, 0) for none")
    if not known.option:
        return Separation(gradient, known)
    _check_known(gradient)
    separation = _separation(gradient, known)
    _check_sign(separation)
    if body_force is None:
        return separation
    known_forces = forces(separation.gradient, separation.stress, body_force, pressure, density)
    return dataclasses.replace(separation, forces=known_forces)


def _separation(gradient: VelocityGradient, known: Given) -> Separation:
    """The separation, its gradient knowing η: as given, or τ:D/(2 D:D), NaN where D = 0."""
    if known.stress is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            power, square = tensors.double_dot(known.stress, gradient.D), tensors.double_dot(gradient.D, gradient.D)
            eta = power / (2 * square)
    else:
        eta = np.asarray(known.viscosity)
    eta = np.where(gradient.valid & np.isfinite(eta), eta, np.nan)
    return Separation(gradient.supply(viscosity=eta, **known.supplies(gradient.valid)), known)


def _check_known(gradient: VelocityGradient) -> None:
    """OptionError where L is known in part only, so that D, and with it the stress, is known nowhere."""
    flow = gradient.flow
    if flow is None or flow.out_of_plane == "zero" or np.isfinite(gradient["shear_rate"]).any():
        return
    raise OptionError(
        f"{flow.name}: the rate of deformation is known nowhere, since the derivatives across the plane are not "
        f"(out_of_plane={flow.out_of_plane}), so a stress or a viscosity tells nothing: leave them out, or say "
        "out_of_plane=zero if the flow is two-dimensional"
    )


def _check_sign(separation: Separation) -> None:
    """OptionError where Σ V τ:D is negative, and not by rounding: the sign of the stress is the other one."""
    power, size = separation.work
    if power >= -thresholds.WRONG_SIGN * size:
        return
    option, text = separation.given.option, separation.given.text
    flow = separation.gradient.flow
    where = f"{flow.name}: " if flow else ""
    if option == "viscosity":
        raise OptionError(f"{where}the viscosity {text} is negative over the flow (Σ V τ:D = {power:.3g}): check it")
    other = text.removeprefix("-") if text.startswith("-") else f"-{text}"
    advice = f"use --stress={other}" if text else "give its negative"
    name = text.removeprefix("-") or "the stress"
    raise OptionError(
        f"{where}the stress works against the deformation (Σ V τ:D = {power:.3g} < 0), so the sign of {name} is "
        f"opposite to that of an extra stress with tension positive: {advice}"
    )


def _identified(
    gradient: VelocityGradient,
    body_force: ArrayLike | None,
    pressure: str | float | ArrayLike | None,
    density: float | None,
) -> Separation:
    """The separation with η(γ̇) from the balance of momentum, NaN at rates where it was not found.

    With a scheme that ``auto`` chose, schemes that smooth are tried as well. Raises OptionError as
    :func:`flowgrad.identify_viscosity`.
    """
    flow = gradient.flow
    if flow is None:
        raise OptionError(f"--viscosity={IDENTIFY} needs a flow on a mesh, not L alone: give an array or a law")
    if pressure is not None:
        raise OptionError("the pressure drops out where the viscosity is found in the velocity: leave it out")
    source = gradient if gradient.reason == "as given" or gradient.location == "positions" else flow
    found = identify_viscosity(source, density=density, body_force=body_force)
    rate = gradient["shear_rate"]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_eta = np.interp(np.log(rate), np.log(found.rate), np.log(found.viscosity), left=np.nan, right=np.nan)
    eta = np.where(gradient.valid, np.exp(log_eta), np.nan)
    known = Given("viscosity", IDENTIFY, viscosity=eta, density=density, identification=found)
    return Separation(gradient.supply(viscosity=eta, **known.supplies(gradient.valid)), known)
