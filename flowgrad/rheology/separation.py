"""The stress against the rate of deformation: what is Newtonian, generalised Newtonian, unexplained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad import tensors
from flowgrad.kinematics import VelocityGradient
from flowgrad.reprs import ReprMixin
from flowgrad.rheology import sentence as words
from flowgrad.rheology import thresholds
from flowgrad.rheology.checks import check_balance, check_known, check_sign
from flowgrad.rheology.curve import FlowCurve, at_shear, flow_curve
from flowgrad.rheology.elasticity import coherence, unexplained_share
from flowgrad.rheology.evidence import numbers
from flowgrad.rheology.fit import MIN_POINTS, Fit, fit_models
from flowgrad.rheology.forces import forces
from flowgrad.rheology.given import IDENTIFY, Given, candidates, eddy_viscosities, resolve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import Newtonian
from flowgrad.rheology.momentum import Forces, MomentumBalance, momentum_balance
from flowgrad.rheology.normal_stress import normal_stress_differences, shear_frame
from flowgrad.rheology.rate_error import rate_error
from flowgrad.rheology.regions import region_of, shares_of_regions
from flowgrad.rheology.trend import Trend, trend
from flowgrad.rheology.verdict import Observed, Verdict, decide, law_curve, of_law
from flowgrad.typing import FloatArray

LABELS = ("undetermined", "newtonian", "thinner", "thicker", "unexplained")


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
        from flowgrad.rheology.identified import identified

        return identified(gradient, body_force, pressure, density)
    known = dataclasses.replace(resolve(gradient, stress, viscosity, density), density=density)
    check_balance(known, body_force, pressure)
    if not known.option:
        return Separation(gradient, known)
    check_known(gradient)
    eta = _projected(gradient, known.stress) if known.stress is not None else np.asarray(known.viscosity)
    eta = np.where(gradient.valid & np.isfinite(eta), eta, np.nan)
    supplied = gradient.supply(viscosity=eta, **known.supplies(gradient.valid))
    separation = Separation(supplied, known)
    check_sign(separation)
    if body_force is None:
        return separation
    return dataclasses.replace(separation, forces=forces(supplied, separation.stress, body_force, pressure, density))


@dataclass(frozen=True, eq=False)
class Separation(ReprMixin, line="gradient given", table="verdict sentence origin fit eta_newtonian eta shares notes"):
    """The stress of a flow separated, and the verdict on its fluid; holds its ``gradient``, which
    knows the viscosity from here on, what was ``given``, and the ``forces`` of a momentum balance.

    Fields are stacks (n, …), NaN where gradient or stress are unknown; OptionError without a stress or viscosity.
    """

    gradient: VelocityGradient
    given: Given
    forces: Forces | None = None

    @property
    def eta(self) -> FloatArray:
        """η = τ:D/(2 D:D) (n,), NaN where D = 0 unless the viscosity itself was known there."""
        return self.gradient["viscosity"]

    @cached_property
    def stress(self) -> FloatArray:
        """Extra stress τ (n, 3, 3): as given, or 2ηD."""
        if self.given.stress is None:
            return _times(2 * self.eta, self.gradient.D)
        return self.gradient["stress"]

    @cached_property
    def eta_newtonian(self) -> float:
        """η_N = Σ V τ:D / Σ V 2 D:D, weighted by dissipation, or the constant given; NaN where nothing deforms."""
        if isinstance(self.given.law, Newtonian):
            return self.given.law.eta
        if not self.moving.any():
            return np.nan
        known = np.isfinite(self.eta)
        return _ratio(self.integral(self.power), self.integral(np.where(known, self._deformation, 0.0)))

    @cached_property
    def newtonian_part(self) -> FloatArray:
        """2 η_N D (n, 3, 3)."""
        constant = np.where(np.isnan(self._eta_or_mean), np.nan, self._mean)
        return _times(2 * constant, self.gradient.D)

    @cached_property
    def generalized_part(self) -> FloatArray:
        """2 (η − η_N) D (n, 3, 3); zero where D = 0."""
        return _times(2 * (self._eta_or_mean - self._mean), self.gradient.D)

    @cached_property
    def unexplained_part(self) -> FloatArray:
        """τ⊥ = τ − 2ηD (n, 3, 3), with τ⊥:D = 0."""
        return self.stress - _times(2 * self._eta_or_mean, self.gradient.D)

    @property
    def N1(self) -> FloatArray:
        """First normal stress difference τ11 − τ22 in the shear frame (n,)."""
        return self._normal_stress_differences[0]

    @property
    def N2(self) -> FloatArray:
        """Second normal stress difference τ22 − τ33 in the shear frame (n,)."""
        return self._normal_stress_differences[1]

    @cached_property
    def label(self) -> NDArray[np.uint8]:
        """What each tensor shows (n,), a code that indexes ``LABELS``."""
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.log(self.eta / self.eta_newtonian)
        undetermined = ~(np.isfinite(self.eta) & self.moving)
        near = np.abs(deviation) <= thresholds.LOG_MARGIN
        codes = np.select([undetermined, self._is_unexplained, near, deviation < 0], [0, 4, 1, 2], default=3)
        return codes.astype(np.uint8)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Part of the dissipation Σ V |τ:D| in the tensors of each label, of those with a weight."""
        power = np.nan_to_num(self.weights * np.abs(self.power))
        sums = np.bincount(self.label, power, minlength=len(LABELS))
        return {name: _ratio(float(value), float(sums.sum())) for name, value in zip(LABELS, sums, strict=True)}

    @cached_property
    def region(self) -> NDArray[np.uint8]:
        """Where the fluid is a plug, on a plateau of its viscosity, or just sheared (n,), a code that indexes
        ``REGIONS``; the rules are those of ``flowgrad.rheology.regions``."""
        return region_of(self)

    @cached_property
    def region_shares(self) -> dict[str, tuple[float, float]]:
        """Part of the volume, and of the dissipation, in each of the ``REGIONS``."""
        return shares_of_regions(self)

    @cached_property
    def balance(self) -> MomentumBalance | None:
        """The viscosity that the balance of momentum needs beside the known stress, such as that of a solvent; None
        where no body force was given."""
        return None if self.forces is None else momentum_balance(self.gradient, self.forces)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the momentum balance."""
        return () if self.balance is None else self.balance.notes

    @cached_property
    def moving(self) -> NDArray[np.bool_]:
        """Where the fluid deforms by more than rounding (n,)."""
        return at_shear(self.gradient["shear_rate"], np.sqrt(2) * tensors.norm(self.gradient.L))

    @cached_property
    def weights(self) -> FloatArray:
        """What each tensor counts for (n,): its volume, 0 where L is one-sided and the others are enough."""
        return np.where(self._left_out, 0.0, self.gradient.weights)

    @cached_property
    def nonpositive(self) -> float:
        """Part of Σ V |τ:D| where the fluid deforms and η is not positive."""
        size = np.where(self.moving, np.abs(self.power), 0.0)
        return _ratio(self.integral(np.where(self.eta <= 0, size, 0.0)), self.integral(size))

    @cached_property
    def curve(self) -> FlowCurve:
        """The flow curve η(γ̇) in bins of the shear rate."""
        return self._curve()

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Laws fitted to the flow curve, the best first; the law alone where one was given, nothing
        where the curve has fewer than four bins or nothing is known."""
        if self.given.law is not None:
            return (Fit(self.given.law),)
        if not self.known or len(self.curve) < MIN_POINTS:
            return ()
        sigma = self.curve.stress * np.hypot(self.curve.uncertainty, thresholds.CURVE_ERROR)
        return fit_models(self.curve.rate, self.curve.stress, sigma, known_to=thresholds.CURVE_ERROR)

    @property
    def fit(self) -> Fit | None:
        """The best law that agrees with the verdict, or the given one: within its margin a Newtonian
        fluid may suit a law with more parameters better."""
        if self.verdict is Verdict.NEWTONIAN and self.given.law is None:
            return next((fit for fit in self.fits if isinstance(fit.model, Newtonian)), None)
        return self.fits[0] if self.fits else None

    @property
    def known(self) -> bool:
        """Whether a stress or a viscosity is known."""
        return bool(self.given.option)

    @property
    def is_absolute(self) -> bool:
        """Whether the viscosity is known, and not up to a factor only."""
        return self.known

    @property
    def origin(self) -> str:
        """Whether the law was ``found`` in the data or ``given`` by the user; ``none`` without any."""
        return self.given.origin

    @cached_property
    def trend(self) -> Trend:
        """How η changes with the shear rate: of the law that was given, or of the curve."""
        if self.given.law is not None:
            return trend([law_curve(self.given.law, self.curve)])
        return trend(self._curves)

    @cached_property
    def verdict(self) -> Verdict:
        """What the fluid is, as far as this flow shows."""
        if not self.known:
            return Verdict.NO_STRESS_KNOWN
        if self.given.law is not None:
            return of_law(self.given.law, self.curve, self.trend)
        measured = self.given.stress is None or self._rate_error is not None
        error = 0.0 if measured else thresholds.GRADIENT_ERROR
        return decide(
            Observed(self.curve, self.trend, self.fits, self.unexplained, self.coherence, error, self.nonpositive)
        )

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that the verdict rests on; those that this flow does not have are left out."""
        return numbers(self) if self.known else {}

    @cached_property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        if self.known:
            return words.sentence(self.verdict, self.evidence, self.fit, self.given.law)
        flow = self.gradient.flow
        data = flow.data(self.gradient.location or flow.location) if flow else {}
        return words.nothing_known(candidates(data), eddy_viscosities(data))

    @cached_property
    def unexplained(self) -> float:
        """Σ V |dev τ⊥| / Σ V |dev τ|: 0 where a scalar viscosity explains the stress, and
        where nothing deforms."""
        if self.given.stress is None or not self.moving.any():
            return 0.0
        return unexplained_share(*self._scaled_stresses, self.weights)

    @cached_property
    def coherence(self) -> float:
        """How much of τ⊥ keeps one direction with respect to the motion, as an elastic stress does."""
        if self.given.stress is None or not self.moving.any():
            return 0.0
        return coherence(self._scaled_stresses[0], self.gradient.D, self.gradient.W, self.weights)

    def fields(self) -> dict[str, np.ndarray]:
        """The fields for a file: eta, stress_newtonian, stress_generalized, label and region; N1, N2 and
        stress_unexplained where a stress tensor was given (without one they say nothing)."""
        if not self.known:
            return {}
        fields: dict[str, np.ndarray] = {"eta": self.eta}
        if self.given.stress is not None:
            fields |= {"N1": self.N1, "N2": self.N2, "stress_unexplained": self.unexplained_part}
        return fields | {
            "stress_newtonian": self.newtonian_part,
            "stress_generalized": self.generalized_part,
            "label": self.label,
            "region": self.region,
        }

    @cached_property
    def power(self) -> FloatArray:
        """τ:D = η 2D:D (n,)."""
        return self.eta * self._deformation

    @property
    def work(self) -> tuple[float, float]:
        """Σ V τ:D and Σ V |τ||D| where the fluid deforms."""
        size = np.abs(self.power)
        if self.given.stress is not None:
            size = np.sqrt(self._deviator_squares[1]) * self._scale * tensors.norm(self.gradient.D)
        power, whole = (self.integral(np.where(self.moving, each, 0.0)) for each in (self.power, size))
        return power, whole

    @cached_property
    def _deformation(self) -> FloatArray:
        """2 D:D (n,)."""
        return 2 * tensors.double_dot(self.gradient.D, self.gradient.D)

    @cached_property
    def _eta_or_mean(self) -> FloatArray:
        return np.where(self._deformation == 0, self._mean, self.eta)

    @property
    def _mean(self) -> float:
        """η_N, 0 where nothing deforms: no part of a stress at rest is Newtonian."""
        return 0.0 if np.isnan(self.eta_newtonian) else self.eta_newtonian

    @cached_property
    def _normal_stress_differences(self) -> tuple[FloatArray, FloatArray]:
        stress = self.stress
        frame = shear_frame(self.gradient.L, self.gradient["principal_directions"])
        return normal_stress_differences(stress, frame)

    @cached_property
    def _scaled_stresses(self) -> tuple[FloatArray, FloatArray]:
        """τ⊥ and τ (n, 3, 3) over the largest component of τ, so that no square overflows."""
        return self.unexplained_part / self._scale, self.stress / self._scale

    @cached_property
    def _scale(self) -> float:
        return float(np.nanmax(np.abs(self.stress), initial=0.0)) or 1.0

    @cached_property
    def _deviator_squares(self) -> tuple[FloatArray, FloatArray]:
        """|dev τ⊥|² and |dev τ|², (n,) each, to one scale."""
        perpendicular, whole = (tensors.deviator(each) for each in self._scaled_stresses)
        return tensors.double_dot(perpendicular, perpendicular), tensors.double_dot(whole, whole)

    @property
    def _is_unexplained(self) -> NDArray[np.bool_]:
        if self.given.stress is None:
            return self.eta <= 0
        perpendicular, whole = self._deviator_squares
        return (self.eta <= 0) | (perpendicular > thresholds.UNEXPLAINED**2 * whole)

    @property
    def _curves(self) -> list[FlowCurve]:
        """The flow curve, and where a stress was given the one in bins of |τ| (see ``trend``)."""
        if self.given.stress is None:
            return [self.curve]
        size = np.sqrt(0.5 * self._deviator_squares[1])
        return [self.curve, self._curve(size)]

    def _curve(self, bin_by: FloatArray | None = None) -> FlowCurve:
        rate, weights = self.gradient["shear_rate"], self.gradient.weights
        of_stress = self.given.stress is not None
        return flow_curve(rate, self.eta, weights, bin_by, self.moving, self._left_out, self._rate_error, of_stress)

    @cached_property
    def _rate_error(self) -> FloatArray | None:
        """Systematic relative error of the shear rate (n,), where something is known of it."""
        return rate_error(self.gradient)

    @cached_property
    def _left_out(self) -> NDArray[np.bool_]:
        """Where the gradient is one-sided (n,); nowhere if the others hold too little of the volume."""
        one_sided, weights = self.gradient.one_sided, self.gradient.weights
        if one_sided is None or weights[~one_sided].sum() < thresholds.TWO_SIDED * weights.sum():
            return np.zeros(len(weights), bool)
        return one_sided

    def integral(self, values: FloatArray) -> float:
        """Σ V values over the tensors where they are known and trusted."""
        return float(np.nansum(self.weights * values))


def _times(factors: FloatArray, stack: FloatArray) -> FloatArray:
    return factors[:, None, None] * stack


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _projected(gradient: VelocityGradient, stress: FloatArray) -> FloatArray:
    """τ:D/(2 D:D), NaN where D = 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return tensors.double_dot(stress, gradient.D) / (2 * tensors.double_dot(gradient.D, gradient.D))
