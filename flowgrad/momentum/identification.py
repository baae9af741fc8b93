"""Identified viscosity: the curve η(γ̇) found in a velocity field, how certain it is, and the verdict on the fluid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowgrad.kinematics import VelocityGradient
from flowgrad.momentum.cross_validation import Inference, LogCurve, standard_errors
from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds, wording
from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.finding import Doubts, Finding, HasFinding, judge
from flowgrad.rheology.fit import Fit, fits_of
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Identification(
    ReprMixin,
    HasFinding,
    line="gradient rate is_absolute margin",
    table="verdict sentence fit rate viscosity is_absolute scale_from improvement notes",
):
    """η(γ̇) of a fluid from its velocity; ``gradient`` is the (first) velocity gradient it comes from.

    ``whole`` is log η at the nodes with its covariance, its mean arbitrary; ``share`` (b,) of the volume and ``count``
    (b,) of the samples at each; ``log_scale`` and ``scale_error`` what to add to log η and the standard error of that,
    NaN where the scale is not known, and ``scale_from`` what it comes from. ``may_change`` says that the flow, along
    one direction, may change in time for all that is known.
    """

    gradient: VelocityGradient
    inference: Inference
    whole: LogCurve
    share: FloatArray
    count: NDArray[np.int64]
    log_scale: float
    scale_from: str
    log_errors: FloatArray
    margin: float
    may_change: bool = False
    notes: tuple[str, ...] = ()

    @cached_property
    def _known(self) -> slice:
        return self.whole.known()

    @cached_property
    def shape(self) -> LogCurve:
        """log η, of arbitrary mean, at the rates where it is known."""
        return self.whole.part(self._known)

    @property
    def is_absolute(self) -> bool:
        """Whether η is known with its factor: from the inertia or from what was given."""
        return bool(np.isfinite(self.log_scale))

    @property
    def rate(self) -> FloatArray:
        """Shear rates (b,), rising, where η is known."""
        return np.exp(self.shape.log_rates)

    @property
    def viscosity(self) -> FloatArray:
        """η (b,): dynamic with a density, else divided by it; of geometric mean one where its factor is not known."""
        return np.exp(self._log_eta)

    @property
    def _log_eta(self) -> FloatArray:
        if self.is_absolute:
            return self.shape.log_eta + self.log_scale
        return self.shape.log_eta - self.shape.log_eta.mean()

    @property
    def _errors(self) -> FloatArray:
        errors = self.log_errors[self._known] if self.is_absolute else self.shape.errors
        # What the equations leave over is no chance: the number of equations does not make it less.
        is_closed = self._unbalanced <= thresholds.UNBALANCED
        return errors if is_closed else np.maximum(errors, np.log(thresholds.UNTOLD) / thresholds.BOUND)

    @property
    def _unbalanced(self) -> float:
        """What is left of the equations, as a fraction of the terms that cancel in them."""
        return self.inference.misfit / max(self.inference.terms, 1e-300)

    @property
    def lower(self) -> FloatArray:
        """Lower ends of the 95 % intervals of η (b,)."""
        return self.viscosity * np.exp(-thresholds.BOUND * self._errors)

    @property
    def upper(self) -> FloatArray:
        """Upper ends of the 95 % intervals of η (b,)."""
        return self.viscosity * np.exp(thresholds.BOUND * self._errors)

    @cached_property
    def curve(self) -> FlowCurve:
        """The flow curve, with the errors of its shape."""
        return FlowCurve(
            self.rate,
            self.viscosity,
            self.lower,
            self.upper,
            self.share[self._known],
            self.count[self._known],
            self.shape.errors,
            {},
        )

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Models fitted to the curve, the best first; their viscosities and stresses share its unknown factor if it has
        one. Nothing where fewer than four rates are known."""
        return fits_of(self.curve)

    @cached_property
    def finding(self) -> Finding:
        """The verdict, with the curve, the fits and the numbers that it rests on."""
        trend, inference, eta = self.shape.trend, self.inference, self.viscosity
        unbalanced = self._unbalanced
        evidence: dict[str, float] = {
            "margin": self.margin,
            "equations": inference.equations,
            "unbalanced": unbalanced,
            "unbalanced_constant": unbalanced * self.improvement,
            "improvement": self.improvement,
            "inertia": inference.inertia_share / max(inference.terms, 1e-300),
            "smoothing": inference.smoothing,
            "coarse_unbalanced": inference.fit.coarse,
            "coarse_growth": inference.fit.growth,
            "coarse_improvement": inference.fit.improvement,
            "beside_place": inference.fit.beside_place,
            "of_place": np.expm1(inference.fit.of_place),
            "departure_least": np.expm1(trend.at_least),
            "departure_most": np.expm1(trend.at_most),
            "fall_factor": np.exp(trend.fall.size),
            "rise_factor": np.exp(trend.rise.size),
            "stress_fall_factor": np.exp(self.shape.stress_fall),
            "rate_min": self.rate[0],
            "rate_max": self.rate[-1],
            "eta_first": eta[0],
            "eta_last": eta[-1],
            "eta_mean": np.exp(self._log_eta.mean()),
        }
        doubts = None
        if self.differs_by_place and inference.fit.beside_place < thresholds.CLOSED_BY_PLACE:
            doubts = Doubts(elsewhere=2 * inference.fit.of_place, is_field=True)
        return judge(
            self.curve,
            trend,
            self.fits,
            self.margin,
            contradiction="" if doubts else self._contradiction(unbalanced),
            certain_class=False,
            doubts=doubts,
            evidence=evidence.items(),
        )

    @property
    def differs_by_place(self) -> bool:
        """Whether a viscosity that differs from place to place explains what η(γ̇) leaves of the balance, which is more
        in large parts of the flow than in small ones."""
        fit = self.inference.fit
        explains = fit.beside_place < thresholds.BESIDE_PLACE and fit.of_place > 2 * np.log1p(self.margin)
        return bool(explains and fit.growth > thresholds.GROWING)

    def _contradiction(self, unbalanced: float) -> str:
        """Why the balance tells nothing, where it does not."""
        fit, varies = self.inference.fit, self.shape.trend.at_least > np.log1p(self.margin)
        if self.may_change:
            return "a parallel flow that may change in time"
        if unbalanced > thresholds.UNBALANCED:
            return f"{unbalanced:.2g} of the momentum is left over (limit {thresholds.UNBALANCED:g})"
        if self.differs_by_place:
            return f"a viscosity that differs from place to place leaves {fit.beside_place:.2g} of the squares only"
        if fit.growth > thresholds.GROWN and fit.coarse > thresholds.COARSE:
            return f"{fit.growth:.3g} times as much is left over in large balls as in small ones"
        if self.shape.stress_fall > thresholds.FALLING:
            return f"a stress that falls with the rate by a factor of {np.exp(self.shape.stress_fall):.3g}"
        if varies and fit.improvement < thresholds.EXPLAINED:
            return f"a constant viscosity leaves only {fit.improvement:.3g} times as much in large balls"
        return "a stress that is the same at all rates" if self.curve.is_level(self.margin) else ""

    @property
    def evidence(self) -> Mapping[str, float]:
        """The numbers that the verdict rests on."""
        return self.finding.evidence

    @property
    def fit(self) -> Fit | None:
        """The best model that agrees with the verdict."""
        return None if self.verdict is Verdict.NOT_DECIDED else self.finding.law

    @property
    def improvement(self) -> float:
        """How many times better a viscosity that varies explains the motion than a constant one (1: no better)."""
        return self.inference.misfit_constant / max(self.inference.misfit, 1e-300)

    @cached_property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        return wording.of_velocity(self.finding, self.evidence, self.scale_from)

    def __str__(self) -> str:
        return self.sentence

    @classmethod
    def of(
        cls,
        gradient: VelocityGradient,
        inference: Inference,
        log_rates: FloatArray,
        inner: slice,
        share: FloatArray,
        count: NDArray[np.int64],
        density: float,
        margin: float,
        may_change: bool,
        notes: tuple[str, ...],
    ) -> Identification:
        """What an inference says at the ``inner`` nodes, with the scale that inertia gives."""
        covariance = inference.covariance
        whole = LogCurve(log_rates[inner], inference.log_eta[inner], covariance[:-1, :-1][inner, inner])
        scale, errors = np.nan, np.full(len(whole), np.nan)
        if inference.beta > 0:
            # log η less log β, whatever their common mean
            to_beta = np.hstack([np.eye(len(log_rates))[inner], np.full((len(whole), 1), -1 / inference.beta)])
            mean = to_beta[whole.known()].mean(axis=0, keepdims=True)
            error = float(standard_errors(mean, covariance)[0])
            # The inertia is above what is left of the balance, and the scale that it gives is certain.
            if thresholds.CERTAIN * error < 1 and inference.inertia_share > inference.misfit:
                scale = float(np.log(density / inference.beta))
                errors = standard_errors(to_beta, covariance)
        origin = "the inertia" if np.isfinite(scale) else ""
        contents = share[inner], count[inner]
        return cls(gradient, inference, whole, *contents, scale, origin, errors, margin, may_change, notes)
