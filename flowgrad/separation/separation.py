"""Separation: the decomposed stress of a flow with its flow curve, and the verdict on the fluid that follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowgrad.momentum.solvent import Forces, MomentumBalance, momentum_balance
from flowgrad.rheology import thresholds, wording
from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.finding import NOTHING_KNOWN, Doubts, Finding, HasFinding, judge, known, model_curve
from flowgrad.rheology.fit import Fit, fits_of
from flowgrad.rheology.flow_curve import FlowCurve, Numbers, Trend, flow_curve, trend
from flowgrad.separation.decomposition import Decomposition
from flowgrad.separation.homogeneity import certain_difference, departure
from flowgrad.separation.inputs import candidates, eddy_viscosities, suggested_by_case
from flowgrad.separation.rate_error import estimated, rate_error
from flowgrad.separation.regions import (
    REGIONS,
    model_for_regions,
    of_balance,
    of_elasticity,
    of_regions,
    regions_of,
)
from flowgrad.typing import FloatArray

_RELATIVE = "the viscosity is known up to a factor only: its mean is set to one, and so are stresses and dissipation"


@dataclass(frozen=True, eq=False)
class Separation(
    Decomposition, HasFinding, line="gradient given", table="verdict sentence origin fit eta_newtonian eta shares notes"
):
    """The stress of a flow separated, and the verdict on its fluid; holds its ``gradient``, which
    knows the viscosity from here on, what was ``given``, and the ``forces`` of a momentum balance.

    Fields are stacks (n, …), NaN where gradient or stress are unknown; OptionError without a stress or viscosity.
    """

    forces: Forces | None = None

    @cached_property
    def region(self) -> NDArray[np.uint8]:
        """Where the fluid is a plug, on a plateau of its viscosity, or just sheared (n,), a code that indexes
        ``REGIONS``; the rules are those of ``flowgrad.separation.regions``."""
        model = model_for_regions(self.finding, self.fit)
        stress = self.stress if model is not None and model.yield_stress else None
        return regions_of(self.rate, self.eta, self.moving, model, stress, self.weights)

    @cached_property
    def region_shares(self) -> dict[str, tuple[float, float]]:
        """Part of the volume, and of the dissipation Σ V |τ:D|, in each of the ``REGIONS``."""
        weights = self.gradient.weights
        measures = (weights, np.nan_to_num(weights * np.abs(self.power)))
        sums = np.array([np.bincount(self.region, each, minlength=len(REGIONS)) for each in measures])
        totals = sums.sum(axis=1, keepdims=True)
        parts = np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)
        return {name: (float(volume), float(power)) for name, (volume, power) in zip(REGIONS, parts.T, strict=True)}

    @cached_property
    def balance(self) -> MomentumBalance | None:
        """The viscosity that the balance of momentum needs beside the known stress, such as that of a solvent; None
        where no body force was given."""
        return None if self.forces is None else momentum_balance(self.gradient, self.forces)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of what was given, of compression, of the momentum balance, or of the identification."""
        if self.given.identification is None:
            of_balance = () if self.balance is None else self.balance.notes
            return (*self.given.notes, *self._compressed, *of_balance)
        notes = list(self.given.identification.notes)
        if not self.is_absolute:
            notes.append(_RELATIVE)
        unknown = int((self.gradient.valid & np.isnan(self.eta)).sum())
        if unknown:
            notes.append(
                f"{unknown} of {len(self.eta)} shear rates are outside of those at which the viscosity was found"
            )
        return tuple(notes)

    @cached_property
    def curve(self) -> FlowCurve:
        """The flow curve η(γ̇) in bins of the shear rate, or the one that was found in the velocity."""
        if self.given.identification is not None:
            return self.given.identification.curve
        return self._curve()

    @cached_property
    def judged(self) -> FlowCurve:
        """The bins of the curve that the verdict rests on: those whose shear rates are known to within the margin, or,
        where these leave open whether η is constant, to half of it."""
        known = self.curve.spanning()
        well_known = self.curve.spanning(thresholds.MARGIN / 2)
        is_open = trend([known]).shape() == "open" and trend([well_known]).shape() == "constant"
        return well_known if is_open else known

    @cached_property
    def trend(self) -> Trend:
        """How η changes with the shear rate: of the model that was given, or of the flow curve, beside which, where a
        stress was given and nothing is known of the error of the rates, the one in bins of |τ| has to agree (see
        ``flow_curve.trend``)."""
        if self.given.identification is not None:
            return self.given.identification.trend
        if self.given.law is not None:
            return trend([model_curve(self.given.law, self.curve)])
        if self.given.stress is None or self._rate_error is not None:
            return trend([self.judged])
        return trend([self.curve, self._curve(np.sqrt(0.5 * self._deviator_squares[1]))])

    @cached_property
    def fits(self) -> tuple[Fit, ...]:
        """Models fitted to the flow curve, the best first; the model alone where one was given, nothing
        where the curve has fewer than four bins or nothing is known."""
        if self.given.identification is not None:
            return self.given.identification.fits
        if self.given.law is not None:
            return (Fit(self.given.law),)
        return fits_of(self.curve.trusted()) if self.known else ()

    @property
    def fit(self) -> Fit | None:
        """The best model that agrees with the verdict, or the given one: within its margin a Newtonian
        fluid may suit a model with more parameters better."""
        if self.given.identification is not None:
            return self.given.identification.fit
        return self.finding.law

    @property
    def is_absolute(self) -> bool:
        """Whether the viscosity is known, and not up to a factor only."""
        return self.known if self.given.identification is None else self.given.identification.is_absolute

    @property
    def origin(self) -> str:
        """Whether the model was ``found`` in the data or ``given`` by the user; ``none`` without any."""
        if self.given.law:
            return "given"
        return "found" if self.known else "none"

    @cached_property
    def finding(self) -> Finding:
        """The verdict, with the curve, the fits and the numbers that it rests on."""
        if self.given.identification is not None:
            return self.given.identification.finding
        if not self.known:
            return NOTHING_KNOWN
        measured = self.given.stress is None or self._rate_error is not None
        return judge(
            self.curve,
            self.trend,
            self.fits,
            model=self.given.law,
            doubts=Doubts(
                unexplained=self.unexplained,
                coherence=self.coherence,
                nonpositive=self.nonpositive,
                error=0.0 if measured else thresholds.GRADIENT_ERROR,
                elsewhere=self.elsewhere,
                is_field=True,
            ),
            evidence=self._numbers(),
        )

    def _numbers(self) -> Numbers:
        """The curve's ends, its trend, the parts of the stress, the cells left out."""
        curve, model = self.curve, self.given.law
        yield "margin", thresholds.MARGIN
        yield "eta_newtonian", self.eta_newtonian
        yield from ((f"excluded_{reason}", count) for reason, count in curve.excluded.items())
        if len(curve):
            yield from curve.of_bins()
            yield from (self.judged if model is None else model_curve(model, curve)).numbers()
            yield from self.trend.numbers()
        if self.given.stress is not None and self.moving.any():
            yield "unexplained", self.unexplained
            yield "coherence", self.coherence
        if self.nonpositive:
            yield "nonpositive", self.nonpositive

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that the verdict rests on, and what follows from it: yield stress, elasticity, momentum balance,
        regions; those that this flow does not have are left out."""
        if self.given.identification is not None or not self.known:
            return dict(self.finding.evidence)
        return {**self._told, **known(of_regions(self.region_shares))}

    @cached_property
    def _told(self) -> dict[str, float]:
        """The evidence that the sentence tells."""
        more = list(self.finding.of_law())
        if self.verdict is Verdict.VISCOELASTIC:
            more += of_elasticity(self.N1, self.eta, self.rate, self.moving)
        if self.balance is not None:
            more += of_balance(self.balance, self.eta_newtonian)
        return {**self.finding.evidence, **known(more)}

    @cached_property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        if self.given.identification is not None:
            return self.given.identification.sentence
        if self.known:
            return wording.of_flow(self.finding, self._told, self.given.law)
        flow = self.gradient.flow
        data = flow.data(self.gradient.location or flow.location) if flow else {}
        suggested = [*suggested_by_case(flow.source if flow else None), *candidates(data)]
        return wording.nothing_known(suggested, eddy_viscosities(data))

    def fields(self) -> dict[str, np.ndarray]:
        """The fields for a file: eta, stress_newtonian, stress_generalized, label and region; N1, N2 and
        stress_unexplained where a stress tensor was given (without one they say nothing)."""
        if not self.known:
            return {}
        fields: dict[str, np.ndarray] = {"eta": self.eta}
        if self.given.stress is not None:
            fields |= {"N1": self.N1, "N2": self.N2, "stress_unexplained": self.unexplained_part}
        if self.verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
            fields["viscosity_departure"] = self.viscosity_departure
        return fields | {
            "stress_newtonian": self.newtonian_part,
            "stress_generalized": self.generalized_part,
            "label": self.label,
            "region": self.region,
        }

    def _curve(self, bin_by: FloatArray | None = None) -> FlowCurve:
        rate, weights = self.rate, self.gradient.weights
        of_stress = self.given.stress is not None
        return flow_curve(rate, self.eta, weights, bin_by, self.moving, self._left_out, self._rate_error, of_stress)

    @cached_property
    def _rate_error(self) -> FloatArray | None:
        """Systematic relative error of the shear rate (n,), where something is known of it. It is not estimated for a
        law that was given, which does not rest on it, nor for a viscosity that is within the margin everywhere."""
        if self.given.law is not None:
            return None
        eta = self.eta[self.moving & (self.weights > 0)]
        if (
            self.given.stress is None
            and len(eta)
            and eta.min() > 0
            and eta.max() <= (1 + thresholds.MARGIN) * eta.min()
        ):
            return rate_error(self.gradient)
        return rate_error(estimated(self.gradient))

    @cached_property
    def viscosity_departure(self) -> FloatArray:
        """η over the flow curve's median at the same shear rate (n,): 1 where η is a function of the rate."""
        if not len(self.curve):
            return np.full(len(self.eta), np.nan)
        return np.exp(departure(self.curve, self.rate, self.eta))

    @cached_property
    def elsewhere(self) -> float:
        """By how much log η certainly differs from place to place at equal shear rates; without a flow the order of
        the tensors stands for their places."""
        gradient = self.gradient
        if self.given.law is not None or not len(self.curve):
            return 0.0
        places = gradient.positions
        if gradient.flow is None:
            places = np.arange(float(len(gradient)))[:, None]
        elif places is None:
            places = gradient.flow.mesh.places(gradient.location or gradient.flow.location)
        rate, error = self.rate, self._rate_error
        usable = self.moving & (self.weights > 0) & (self.eta > 0)
        if error is not None:
            usable &= ~(error > thresholds.MARGIN)
        return certain_difference(self.curve, self.eta, rate, places, usable)
