"""What is known of the forces on a fluid: its body force, its inertia and its pressure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.rheology.given import array_of, scalars
from flowgrad.rheology.momentum import Forces
from flowgrad.typing import FloatArray

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
    f = _body_force(gradient, body_force)
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


def _body_force(gradient: VelocityGradient, body_force: ArrayLike) -> FloatArray:
    f = np.asarray(body_force, np.float64)
    if f.shape not in ((3,), (len(gradient), 3)) or not np.isfinite(f).all():
        raise OptionError(f"the body force has the shape {f.shape}: give three finite numbers, or (n, 3) of them")
    return np.broadcast_to(f, (len(gradient), 3))


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
