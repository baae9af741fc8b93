"""The separation of a flow whose viscosity was found in its velocity alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.rheology.curve import FlowCurve
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.given import IDENTIFY, Given
from flowgrad.rheology.identify import Identification, identify_viscosity
from flowgrad.rheology.separation import Separation
from flowgrad.rheology.trend import Trend
from flowgrad.rheology.verdict import Verdict

_RELATIVE = "the viscosity is known up to a factor only: its mean is set to one, and so are stresses and dissipation"


@dataclass(frozen=True, eq=False)
class IdentifiedSeparation(Separation):
    """A separation with the viscosity that ``identification`` found, whose curve, laws and verdict are these."""

    identification: Identification = field(kw_only=True)

    @property
    def curve(self) -> FlowCurve:
        """The curve that was found."""
        return self.identification.curve

    @property
    def trend(self) -> Trend:
        """That of the curve."""
        return self.identification.trend

    @property
    def fits(self) -> tuple[Fit, ...]:
        """Laws fitted to the curve."""
        return self.identification.fits

    @property
    def fit(self) -> Fit | None:
        """The best law that agrees with the verdict."""
        return self.identification.fit

    @property
    def verdict(self) -> Verdict:
        """What the fluid is."""
        return self.identification.verdict

    @property
    def evidence(self) -> Mapping[str, float]:  # type: ignore[override]
        """The numbers that the verdict rests on."""
        return self.identification.evidence

    @property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        return self.identification.sentence

    @property
    def is_absolute(self) -> bool:
        """Whether the viscosity is known, and not up to a factor only."""
        return self.identification.is_absolute

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the identification."""
        unknown = int((self.gradient.valid & np.isnan(self.eta)).sum())
        beyond = f"{unknown} of {len(self.eta)} shear rates are outside of those at which the viscosity was found"
        return (
            *self.identification.notes,
            *(() if self.identification.is_absolute else (_RELATIVE,)),
            *((beyond,) if unknown else ()),
        )


def identified(
    gradient: VelocityGradient,
    body_force: ArrayLike | None,
    pressure: str | float | ArrayLike | None,
    density: float | None,
) -> IdentifiedSeparation:
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
    known = Given("viscosity", IDENTIFY, viscosity=eta, density=density)
    supplied = gradient.supply(viscosity=eta, **known.supplies(gradient.valid))
    return IdentifiedSeparation(supplied, known, identification=found)
