"""Decomposition of the stress against the rate of deformation: Newtonian, generalised Newtonian, unexplained parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.kinematics import VelocityGradient
from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds
from flowgrad.rheology.flow_curve import at_shear
from flowgrad.rheology.models.basic import Newtonian
from flowgrad.separation.inputs import Given
from flowgrad.separation.stress import (
    coherence,
    normal_stress_differences,
    shear_frame,
    unexplained_share,
)
from flowgrad.typing import FloatArray

LABELS = ("undetermined", "newtonian", "thinner", "thicker", "unexplained")


@dataclass(frozen=True, eq=False)
class Decomposition(ReprMixin, line="gradient given"):
    """The stress τ of a flow in parts, τ = 2η_N D + 2(η − η_N)D + τ⊥ with τ⊥:D = 0, and what each of them is of the
    whole; holds the ``gradient``, which knows the viscosity from here on, and what was ``given``.

    Fields are stacks (n, …), NaN where gradient or stress are unknown; OptionError without a stress or viscosity.
    """

    gradient: VelocityGradient
    given: Given

    @property
    def eta(self) -> FloatArray:
        """η = τ:D/(2 D:D) (n,), NaN where D = 0 unless the viscosity itself was known there."""
        return self.gradient["viscosity"]

    @cached_property
    def D(self) -> FloatArray:
        """Rate of deformation (n, 3, 3) of τ = 2ηD: its deviator where the stress that was given is one in a flow that
        is compressed."""
        if self.given.stress is None:
            return self.gradient.D
        return distortion(self.gradient.D, self.given.stress, self.gradient.weights)

    @cached_property
    def rate(self) -> FloatArray:
        """Shear rate √(2 D:D) of that (n,)."""
        return self.gradient["shear_rate"] if self.D is self.gradient.D else np.sqrt(self._deformation)

    @cached_property
    def stress(self) -> FloatArray:
        """Extra stress τ (n, 3, 3): as given, or 2ηD."""
        if self.given.stress is None:
            return (2 * self.eta)[:, None, None] * self.D
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
        mean, eta = self._viscosities
        constant = np.where(np.isnan(eta), np.nan, mean)
        return (2 * constant)[:, None, None] * self.D

    @cached_property
    def generalized_part(self) -> FloatArray:
        """2 (η − η_N) D (n, 3, 3); zero where D = 0."""
        mean, eta = self._viscosities
        return (2 * (eta - mean))[:, None, None] * self.D

    @cached_property
    def unexplained_part(self) -> FloatArray:
        """τ⊥ = τ − 2ηD (n, 3, 3), with τ⊥:D = 0."""
        return self.stress - (2 * self._viscosities[1])[:, None, None] * self.D

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
        unexplained = self.eta <= 0
        if self.given.stress is not None:
            perpendicular, whole = self._deviator_squares
            unexplained |= perpendicular > thresholds.UNEXPLAINED**2 * whole
        return np.select([undetermined, unexplained, near, deviation < 0], [0, 4, 1, 2], default=3).astype(np.uint8)

    @cached_property
    def shares(self) -> dict[str, float]:
        """Part of the dissipation Σ V |τ:D| in the tensors of each label, of those with a weight."""
        power = np.nan_to_num(self.weights * np.abs(self.power))
        sums = np.bincount(self.label, power, minlength=len(LABELS))
        return {name: _ratio(float(value), float(sums.sum())) for name, value in zip(LABELS, sums, strict=True)}

    @property
    def _compressed(self) -> tuple[str, ...]:
        """A note where the volume changes beside the rate of deformation."""
        if not self.known or self.D is self.gradient.D:
            return ()
        share = dilatation(self.gradient.D, self.gradient.weights)
        return (
            f"volumes change: |tr D|/√3 is {100 * share:.2g} % of |D| (root mean squares), by compression or by an "
            "error of the gradient; η and the shear rate are of the deviator of D",
        )

    @cached_property
    def moving(self) -> NDArray[np.bool_]:
        """Where the fluid deforms by more than rounding (n,)."""
        return at_shear(self.rate, np.sqrt(2) * tensors.norm(self.gradient.L))

    @cached_property
    def weights(self) -> FloatArray:
        """What each tensor counts for (n,): its volume, 0 where L is one-sided and the others are enough."""
        return np.where(self._left_out, 0.0, self.gradient.weights)

    @cached_property
    def nonpositive(self) -> float:
        """Part of Σ V |τ:D| where the fluid deforms and η is not positive."""
        size = np.where(self.moving, np.abs(self.power), 0.0)
        return _ratio(self.integral(np.where(self.eta <= 0, size, 0.0)), self.integral(size))

    @property
    def known(self) -> bool:
        """Whether a stress or a viscosity is known."""
        return bool(self.given.option)

    @cached_property
    def unexplained(self) -> float:
        """Σ V |dev τ⊥| / Σ V |dev τ|: 0 where a scalar viscosity explains the stress, and
        where nothing deforms."""
        if self.given.stress is None or not self.moving.any():
            return 0.0
        return unexplained_share(*self._scaled[:2], self.weights)

    @cached_property
    def coherence(self) -> float:
        """How much of τ⊥ keeps one direction with respect to the motion, as an elastic stress does."""
        if self.given.stress is None or not self.moving.any():
            return 0.0
        return coherence(self._scaled[0], self.D, self.gradient.W, self.weights)

    @cached_property
    def power(self) -> FloatArray:
        """τ:D = η 2D:D (n,)."""
        return self.eta * self._deformation

    @property
    def work(self) -> tuple[float, float]:
        """Σ V τ:D and Σ V |τ||D| where the fluid deforms."""
        size = np.abs(self.power)
        if self.given.stress is not None:
            size = np.sqrt(self._deviator_squares[1]) * self._scaled[2] * tensors.norm(self.D)
        power, whole = (self.integral(np.where(self.moving, each, 0.0)) for each in (self.power, size))
        return power, whole

    def integral(self, values: FloatArray) -> float:
        """Σ V values over the tensors where they are known and trusted."""
        return float(np.nansum(self.weights * values))

    @cached_property
    def _deformation(self) -> FloatArray:
        """2 D:D (n,)."""
        return 2 * tensors.double_dot(self.D, self.D)

    @cached_property
    def _viscosities(self) -> tuple[float, FloatArray]:
        """η_N, 0 where nothing deforms, since no part of a stress at rest is Newtonian, and η (n,), η_N where D = 0."""
        mean = 0.0 if np.isnan(self.eta_newtonian) else self.eta_newtonian
        return mean, np.where(self._deformation == 0, mean, self.eta)

    @cached_property
    def _normal_stress_differences(self) -> tuple[FloatArray, FloatArray]:
        stress = self.stress
        frame = shear_frame(self.gradient.L, self.gradient["principal_directions"])
        return normal_stress_differences(stress, frame)

    @cached_property
    def _scaled(self) -> tuple[FloatArray, FloatArray, float]:
        """τ⊥ and τ (n, 3, 3) over the largest component of τ, so that no square overflows, and that component."""
        scale = float(np.nanmax(np.abs(self.stress), initial=0.0)) or 1.0
        return self.unexplained_part / scale, self.stress / scale, scale

    @cached_property
    def _deviator_squares(self) -> tuple[FloatArray, FloatArray]:
        """|dev τ⊥|² and |dev τ|², (n,) each, to one scale."""
        perpendicular, whole = (tensors.deviator(each) for each in self._scaled[:2])
        return tensors.double_dot(perpendicular, perpendicular), tensors.double_dot(whole, whole)

    @cached_property
    def _left_out(self) -> NDArray[np.bool_]:
        """Where the gradient is one-sided (n,); nowhere if the others hold too little of the volume."""
        one_sided, weights = self.gradient.one_sided, self.gradient.weights
        if one_sided is None or weights[~one_sided].sum() < thresholds.TWO_SIDED * weights.sum():
            return np.zeros(len(weights), bool)
        return one_sided


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def dilatation(D: FloatArray, weights: FloatArray) -> float:
    """Root mean square of |tr D|/√3 over that of |D|, of rates of deformation (n, 3, 3) that stand for volumes (n,)."""
    whole = float(np.nansum(weights * tensors.double_dot(D, D)))
    return float(np.sqrt(np.nansum(weights * tensors.trace(D) ** 2) / 3 / whole)) if whole > 0 else 0.0


def distortion(D: FloatArray, stress: FloatArray, weights: FloatArray) -> FloatArray:
    """The rate of deformation (n, 3, 3) that a stress τ = 2ηD means: the deviator of D where volumes change and the
    stress (n, 3, 3) has no trace that would go with that, else D itself: schemes leave a divergence, too."""
    if dilatation(D, weights) <= thresholds.COMPRESSED:
        return D
    work, square = (float(np.nansum(weights * tensors.double_dot(each, D))) for each in (stress, 2 * D))
    traces = (float(np.nansum(weights * tensors.trace(each) ** 2)) for each in (stress, 2 * D))
    of_stress, of_D = traces
    goes_with_D = of_stress > (0.5 * work / square) ** 2 * of_D
    return D if goes_with_D else tensors.deviator(D)
