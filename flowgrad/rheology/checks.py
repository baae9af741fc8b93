"""What cannot be right about a stress and a flow taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.rheology import thresholds

if TYPE_CHECKING:
    from flowgrad.rheology.given import Given
    from flowgrad.rheology.separation import Separation


def check_balance(known: Given, body_force: ArrayLike | None, pressure: str | float | ArrayLike | None) -> None:
    """OptionError for a body force beside which no stress is known, and for a pressure without one."""
    if body_force is not None and not known.option:
        raise OptionError(
            "a body force is for the momentum balance beside a known stress: give --stress or --viscosity as well"
        )
    if pressure is not None and body_force is None:
        raise OptionError("a pressure is for the momentum balance: give body_force as well, (0, 0, 0) for none")


def check_known(gradient: VelocityGradient) -> None:
    """OptionError where L is known in part only, so that D, and with it the stress, is known nowhere."""
    flow = gradient.flow
    if flow is None or flow.out_of_plane == "zero" or np.isfinite(gradient["shear_rate"]).any():
        return
    raise OptionError(
        f"{flow.name}: the rate of deformation is known nowhere, since the derivatives across the plane are not "
        f"(out_of_plane={flow.out_of_plane}), so a stress or a viscosity tells nothing: leave them out, or say "
        "out_of_plane=zero if the flow is two-dimensional"
    )


def check_sign(separation: Separation) -> None:
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
