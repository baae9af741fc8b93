"""Separation of the stress of a flow: the call, and the checks of what is given of the fluid."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.arrays import array_of, scalars, sized, tensor_of
from flowgrad.momentum import identify_viscosity
from flowgrad.momentum.solvent import forces
from flowgrad.rheology import thresholds
from flowgrad.rheology.flow_curve import NEGLIGIBLE_RATE
from flowgrad.rheology.model import MODELS, Model, parse_model
from flowgrad.rheology.models.basic import Newtonian
from flowgrad.separation.decomposition import distortion
from flowgrad.separation.inputs import IDENTIFY, OF_CASE, Given, eddy_viscosities, is_effective
from flowgrad.separation.separation import Separation
from flowgrad.tensors import as_tensors
from flowgrad.typing import FloatArray


def separate(
    gradient: VelocityGradient,
    stress: str | ArrayLike | None = None,
    viscosity: str | float | Model | ArrayLike | None = None,
    density: float | str | ArrayLike | None = None,
    *,
    body_force: ArrayLike | None = None,
    pressure: str | float | ArrayLike | None = None,
) -> Separation:
    """Separate the stress τ = 2η_N D + 2(η − η_N)D + τ⊥ and say whether the fluid is Newtonian.

    ``stress`` is the extra stress, tension positive: the name of an array of the flow where the
    gradient lives (``-sigma`` turns its sign), names of its components there (``txx,tyy,tzz,txy,tyz,txz``), or an
    array (n, 6) in VTK's order, (n, 9) or (n, 3, 3); of a whole stress −pI + τ the deviator is taken, and a note says
    so. ``viscosity`` is the name of an array, an array (n,), a number, or a law such as
    ``carreau(…)``, or ``identify`` to find it in the velocity alone, or ``case``, the law that the OpenFOAM case was
    solved with. ``density``, a number, an array (n,) or
    its name, makes dynamic values of kinematic ones (τ/ρ, η/ρ). With neither stress nor viscosity the verdict is
    ``no-stress-known``.

    ``body_force`` per mass, (3,) or (n, 3), asks for the viscosity that the balance of momentum needs beside the known
    stress, such as a solvent's (``balance``); ``pressure`` is a number, an array or its name, by default the array
    with a pressure's usual name; without one the pressure is taken out of the balance.

    Raises OptionError where both stress and viscosity are given, a name is not an array, a shape does not fit, the
    viscosity is a turbulent eddy viscosity, the stress works against the flow (Σ V τ:D < 0), which means the other
    sign, D is not known because the flow is a plane cut from a 3-D one, and for a body force without stress or
    viscosity or in an axisymmetric flow; MeshError for one without a mesh.
    """
    if isinstance(viscosity, str) and viscosity == IDENTIFY and stress is None:
        return _identified(gradient, body_force, pressure, _number(density, "--viscosity=identify"))
    rho = _density(gradient, density)
    known = dataclasses.replace(resolve(gradient, stress, viscosity, rho), density=rho)
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
    known_forces = forces(
        separation.gradient, separation.stress, body_force, pressure, _number(density, "the momentum balance")
    )
    return dataclasses.replace(separation, forces=known_forces)


def resolve(
    gradient: VelocityGradient,
    stress: str | ArrayLike | None,
    viscosity: str | float | Model | ArrayLike | None,
    density: float | FloatArray | None,
) -> Given:
    """What the options of ``separate`` say about the fluid. Raises OptionError as ``separate`` does."""
    if stress is not None and viscosity is not None:
        raise OptionError(
            "both a stress and a viscosity were given: choose --stress for a verdict from the stress field, "
            "or --viscosity; the stress of a polymer and of its solvent have to be added before"
        )
    factor = 1.0 if density is None else density
    if stress is not None:
        return _stress(gradient, stress, factor)
    if viscosity is not None:
        return _viscosity(gradient, viscosity, factor)
    return Given()


def _density(gradient: VelocityGradient, density: float | str | ArrayLike | None) -> float | FloatArray | None:
    """The density as a number or (n,); OptionError where it is not positive."""
    if density is None:
        return None
    if isinstance(density, str):
        values, name = array_of(gradient, density, "density")
        rho = scalars(gradient, values, name, "density")
    elif np.ndim(density):
        rho = scalars(gradient, np.asarray(density, float), "the density", "density")
    else:
        rho = np.asarray(float(density))  # type: ignore[arg-type]
    known = rho[gradient.valid] if rho.ndim else rho
    if not np.all((known > 0) & np.isfinite(known)):
        least = float(np.min(known))
        raise OptionError(f"the density is {least:g}: give a positive number or array, or none for kinematic values")
    return rho if rho.ndim else float(rho)


def _number(density: float | str | ArrayLike | None, what: str) -> float | None:
    """A density that is one number; OptionError for a field."""
    if density is not None and (isinstance(density, str) or np.ndim(density)):
        raise OptionError(f"the density is a field, and {what} takes one number: give that, or leave it out")
    return None if density is None else float(density)  # type: ignore[arg-type]


def check_viscosity(text: str) -> None:
    """Raise OptionError for a viscosity that cannot be right whatever the file: a law that cannot be
    read, a number that is not positive, an eddy viscosity (an effective one serves stresses on walls)."""
    if text not in (IDENTIFY, OF_CASE) and _model(text) is None and not is_effective(text):
        _refuse_eddy(text)


def _stress(gradient: VelocityGradient, stress: str | ArrayLike, factor: float | FloatArray) -> Given:
    """The stress, NaN throughout where one component is not finite; its deviator where the isotropic part is larger."""
    if isinstance(stress, str):
        data = gradient.flow.data(gradient.location or "") if gradient.flow else {}
        opposite = stress.startswith("-") and stress not in data
        stack, _ = tensor_of(gradient, stress.removeprefix("-") if opposite else stress, "stress")
        text, factor = stress, -factor if opposite else factor
    else:
        text, stack = "", sized(gradient, as_tensors(stress, "the stress"), "the stress")
    finite = np.isfinite(stack).all(axis=(1, 2), keepdims=True)
    known = np.where(finite, stack, np.nan) * np.reshape(factor, (-1, 1, 1))
    if (deviator := _in_plane(known, gradient)) is not None:
        note = (
            "the stress has no component across the plane of the flow, and both of its principal values in it have one "
            "sign, as a whole stress −pI + τ has: all that follows is of the deviator in the plane"
        )
        return Given("stress", text, deviator, notes=(note,))
    isotropic = _isotropic(known, gradient.weights)
    if isotropic <= thresholds.ISOTROPIC:
        return Given("stress", text, known)
    note = (
        f"the stress has an isotropic part {isotropic:.3g} times its deviator (root mean squares), as a whole stress "
        "−pI + τ has: all that follows is of the deviator"
    )
    return Given("stress", text, tensors.deviator(known), notes=(note,))


def _in_plane(stress: FloatArray, gradient: VelocityGradient) -> FloatArray | None:
    """The deviator in the plane of the flow of a whole stress (n, 3, 3) of which the part across was left out; None for
    other flows, and for stresses as an elastic fluid's, tensile along the flow alone (τxx τyy < τxy²)."""
    empty = [not np.nan_to_num(each[:, axis]).any() for each in (stress, gradient.D) for axis in range(3)]
    across = [axis for axis in range(3) if empty[axis] and empty[3 + axis]]
    if len(across) != 1:
        return None
    half = tensors.trace(stress)[:, None, None] / 2 * np.diag(np.arange(3) != across[0])
    part, whole = (float(np.nansum(gradient.weights * tensors.norm(each) ** 2)) for each in (half, stress - half))
    return stress - half if part > whole else None


def _isotropic(stress: FloatArray, weights: FloatArray) -> float:
    """Root mean square of the isotropic part of a stress (n, 3, 3) over that of its deviator, weighted by volume."""
    scale = float(np.nanmax(np.abs(stress), initial=0.0)) or 1.0
    part, whole = (
        float(np.nansum(weights * np.nan_to_num(square)))
        for square in (tensors.trace(stress / scale) ** 2 / 3, tensors.norm(tensors.deviator(stress / scale)) ** 2)
    )
    return float(np.sqrt(part / whole)) if whole > 0 else 0.0


def _viscosity(
    gradient: VelocityGradient, viscosity: str | float | Model | ArrayLike, factor: float | FloatArray
) -> Given:
    viscosity = of_case(viscosity, gradient.flow)
    model = _model(viscosity)
    if model is not None and np.ndim(factor):
        raise OptionError(f"the density is a field, and {model} a law per density: give a law of dynamic values alone")
    if model is not None:
        # At rest its value at the least rate that counts: a model that diverges leaves no spike that rounding makes.
        model, rate = model.scaled(float(factor)), gradient["shear_rate"]
        largest = np.max(rate, where=np.isfinite(rate), initial=0.0)
        eta = model.viscosity(np.maximum(rate, NEGLIGIBLE_RATE * largest))
        return Given("viscosity", str(model), viscosity=eta, law=model)
    if not isinstance(viscosity, str):
        values = np.asarray(viscosity, float)
        return Given("viscosity", "", viscosity=scalars(gradient, values, "the viscosity") * factor)
    _refuse_eddy(viscosity)
    values, name = array_of(gradient, viscosity, "viscosity")
    return Given("viscosity", viscosity, viscosity=scalars(gradient, values, name) * factor)


def of_case(viscosity: Any, flow: Flow | None) -> Any:
    """A viscosity, of ``case`` the law of the case that a flow is of; errors are those of ``case_law``."""
    if not isinstance(viscosity, str) or viscosity != OF_CASE:
        return viscosity
    from flowgrad.io.foam.law import case_law

    return case_law(flow.source if flow else None)


def is_number_or_model(text: str) -> bool:
    """Whether a text is a number, or a model such as ``carreau(…)``, and not the name of an array."""
    try:
        float(text)
    except ValueError:
        return text.split("(")[0].strip() in MODELS or ("(" in text and "=" in text)
    return True


def _model(viscosity: str | float | Model | ArrayLike) -> Model | None:
    """The model that was meant, a number being the Newtonian one; None for an array or its name."""
    if isinstance(viscosity, Model):
        return viscosity
    if isinstance(viscosity, str):
        if not is_number_or_model(viscosity):
            return None
        if "(" in viscosity or viscosity.strip() in MODELS:
            return parse_model(viscosity)
        viscosity = float(viscosity)
    return Newtonian(viscosity) if np.ndim(viscosity) == 0 else None  # type: ignore[arg-type]


def _refuse_eddy(name: str) -> None:
    if eddy_viscosities([name]):
        kind = "an effective viscosity, with that of turbulent eddies in it," if is_effective(name) else ""
        kind = kind or "a turbulent eddy viscosity,"
        raise OptionError(
            f"{name} is {kind} a property of the flow and not of the fluid, and says nothing "
            f"about whether the fluid is Newtonian: give the fluid's own viscosity, e.g. --viscosity=1e-5"
        )


def _separation(gradient: VelocityGradient, known: Given) -> Separation:
    """The separation, its gradient knowing η: as given, or τ:D/(2 D:D) of the deviators, NaN where D = 0."""
    if known.stress is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            D = distortion(gradient.D, known.stress, gradient.weights)
            eta = tensors.double_dot(known.stress, D) / (2 * tensors.double_dot(D, D))
    else:
        eta = np.asarray(known.viscosity)
    return _supplied(gradient, known, np.where(gradient.valid & np.isfinite(eta), eta, np.nan))


def _supplied(gradient: VelocityGradient, known: Given, eta: FloatArray) -> Separation:
    """The separation, its gradient knowing η and, where they were given, the density and the whole stress."""
    supplied = {"viscosity": eta}
    if known.density is not None:
        supplied["density"] = np.broadcast_to(known.density, len(eta)).astype(float)
    if known.stress is not None:
        supplied["stress"] = np.where(gradient.valid[:, None, None], known.stress, np.nan)
    return Separation(gradient.supply(**supplied), known)


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
    change = gradient.supplied.get("velocity_rate")
    steady = None if change is None else not np.any(change)
    as_is = gradient.reason == "as given" or gradient.location == "positions" or steady is False
    found = identify_viscosity(gradient if as_is else flow, density=density, body_force=body_force, steady=steady)
    rate = gradient["shear_rate"]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_eta = np.interp(np.log(rate), np.log(found.rate), np.log(found.viscosity), left=np.nan, right=np.nan)
    eta = np.where(gradient.valid, np.exp(log_eta), np.nan)
    known = Given("viscosity", IDENTIFY, viscosity=eta, density=density, identification=found)
    return _supplied(gradient, known, eta)
