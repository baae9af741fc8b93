"""Corrections of one flow curve where shear rate or stress varies across the gap: tubes, plates, cylinders."""

from __future__ import annotations

from dataclasses import replace

from flowgrad.errors import OptionError
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.cylinders import NARROW, at_inner_wall, representative
from flowgrad.rheometer.local_slopes import slopes
from flowgrad.rheometer.options import CORRECTIONS


def corrected(curve: RheometerCurve, correction: str, radii: tuple[float, float] | None = None) -> RheometerCurve:
    """The curve after one of ``CORRECTIONS``.

    ``rabinowitsch``: rates are apparent ones 8U/D = 4Q/(πR³) of a capillary and stresses those at its wall; the rate
    at the wall is 8U/D (3n' + 1)/(4n') with n' = d log τ/d log(8U/D) at each point (Rabinowitsch 1929, Z. Phys. Chem.
    A 145, 1). ``parallel-plate``: rates are those at the rim and stresses 2M/(πR³); the stress at the rim is
    τ (3 + d log M/d log γ̇)/4 (Macosko 1994, Rheology, section 5.5). ``cylinders``: rates and stresses are the
    representative ones of ISO 3219 of cylinders with the ``radii`` (inner, outer) [m], and become those at the inner
    wall (:mod:`flowgrad.rheometer.cylinders`), unless the gap is narrow. Raises OptionError for another name, missing
    radii, too few points and a slope that is not positive.
    """
    if correction not in CORRECTIONS:
        raise OptionError(f"--correction '{correction}' is unknown: choose one of {', '.join(CORRECTIONS)}")
    if correction == "cylinders":
        return _of_cylinders(curve, radii)
    slope = slopes(curve.rate, curve.stress, curve.name)
    if correction == "parallel-plate":
        what, factor = "stresses", (3 + slope) / 4
        sigma = None if curve.sigma is None else curve.sigma * factor
        found = replace(curve, stress=curve.stress * factor, sigma=sigma)
    elif not (slope <= 0).any():
        what, factor = "shear rates", (3 * slope + 1) / (4 * slope)
        found = replace(curve, rate=curve.rate * factor)
    else:
        raise OptionError(
            f"{curve.name}: the stress falls with 8U/D at {int((slope <= 0).sum())} of {len(slope)} points, where "
            "Rabinowitsch's correction has no meaning: leave these rates out with --rates LOW:HIGH"
        )
    return found.noted(f"{what} corrected ({correction}) by factors from {factor.min():.4g} to {factor.max():.4g}")


def _of_cylinders(curve: RheometerCurve, radii: tuple[float, float] | None) -> RheometerCurve:
    if radii is None:
        raise OptionError("--correction cylinders needs the radii of both: give --radii INNER:OUTER in metres")
    strain_constant, stress_constant = representative(*radii)
    if radii[1] <= NARROW * radii[0]:
        return curve.noted(
            f"narrow gap (radii {radii[1] / radii[0]:.4g} to 1): the representative values of ISO 3219 hold in its "
            "middle and are kept"
        )
    speed, stress = curve.rate / strain_constant, curve.stress / stress_constant
    rate = at_inner_wall(speed, stress, radii[1] / radii[0], curve.name)
    factor = rate / curve.rate
    sigma = None if curve.sigma is None else curve.sigma / stress_constant
    return replace(curve, rate=rate, stress=stress, sigma=sigma).noted(
        f"shear rates corrected (cylinders) by factors from {factor.min():.4g} to {factor.max():.4g}, stresses by "
        f"{1 / stress_constant:.4g}: both are now those at the inner wall"
    )
