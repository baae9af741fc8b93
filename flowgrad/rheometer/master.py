"""Master curve: flow curves at several temperatures shifted along the shear rate to one reference temperature.

In a thermorheologically simple liquid all times scale alike with temperature, so that τ(γ̇, T) = τ(a_T γ̇, T_ref) and
η(γ̇, T) = a_T η(a_T γ̇, T_ref) (Ferry 1980, Viscoelastic Properties of Polymers, chapter 11; Dealy & Plazek 2009, Rheol.
Bull. 78, 16); stresses are not shifted (b_T = 1). The shift factors a_T and a polynomial, log τ = f(log a_T γ̇), are
found together by least squares; its degree is that of the least Bayesian information criterion (Schwarz 1978, Ann.
Stat. 6, 461).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.rheology.models.factors import GAS_CONSTANT, WLF, Arrhenius, Factor
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.reduction import Reduction
from flowgrad.typing import FloatArray

# Of the intervals of shift factors, and of the test whether the curves superpose.
_CONFIDENCE, _CERTAIN = 0.95, 0.99
# Degrees of the polynomial that are tried, and steps of Gauss and Newton.
_MOST, _STEPS, _ENOUGH = 9, 60, 1e-12
# Temperatures [K] that differ by less are one setting.
_SAME = 1.0
# Misfits below this are rounding, and curves whose shapes differ by less are alike for every use.
_ROUNDING, _NOTABLE = 1e-6, 0.01
_ZERO = 273.15
_IN_NAME = re.compile(r"(?<![\w.])(-?\d+(?:[.,]\d+)?)\s*(?:°\s*)?C(?![A-Za-z\d])")


@dataclass(frozen=True, eq=False)
class MasterCurve(Reduction, line="reference", table="temperatures factors misfit superposes"):
    """Flow curves at ``temperatures`` (m,) [°C] as one at ``reference`` [°C].

    ``factors`` (m,) are a_T, ``error`` (m,) the standard errors of log a_T (0 at the reference), ``curve`` all points
    at a_T γ̇, ``origin`` (n,) the position of each point's temperature; ``misfit`` is the root mean square of the points
    about the common curve, ``separate`` that about curves of their own, as parts of the stress; ``freedom`` and
    ``extra`` are the degrees of freedom of the first and those that the curves of their own take more.
    """

    temperatures: FloatArray
    reference: float
    factors: FloatArray
    error: FloatArray
    origin: NDArray[np.intp]
    misfit: float
    separate: float
    freedom: int
    extra: int

    name: ClassVar[str] = "master"
    headings: ClassVar[Mapping[str, str]] = {
        "temperature": "temperature [°C]",
        "a_T": "shift factor",
        "low": "from",
        "high": "to",
        "arrhenius": "Arrhenius",
        "wlf": "WLF",
    }
    captions: ClassVar[tuple[str, str]] = (
        "Stress against shear rate as measured (open) and times the shift factor (filled).",
        "Shift factors with 95 % intervals, and the laws fitted to them.",
    )

    @property
    def intervals(self) -> FloatArray:
        """Ends (m, 2) of the 95 % intervals of the shift factors, by Student's t."""
        from scipy.special import stdtrit

        reach = stdtrit(self.freedom, 0.5 + _CONFIDENCE / 2) * self.error
        return np.stack([self.factors * np.exp(-reach), self.factors * np.exp(reach)], axis=1)

    @cached_property
    def superposes(self) -> bool:
        """Whether the common curve misses the points no more than curves of their own do: by 1 % of the stress at most,
        or by what their scatter allows (F test at 99 %)."""
        from scipy.special import fdtri

        own = self.freedom - self.extra
        if self.misfit**2 - self.separate**2 < _NOTABLE**2 or self.extra <= 0 or own <= 0:
            return True
        count = len(self.curve)
        lost = count * (self.misfit**2 - self.separate**2) / self.extra
        return bool(lost <= fdtri(self.extra, own, _CERTAIN) * count * self.separate**2 / own)

    @cached_property
    def laws(self) -> dict[str, Factor]:
        """The laws of a_T that the factors allow: Arrhenius' from two temperatures, WLF's from three."""
        kelvin, reference = self.temperatures + _ZERO, self.reference + _ZERO
        # The reference has the factor 1 for certain.
        others = self.error > 0
        found: dict[str, Factor] = {}
        for law in (Arrhenius, WLF):
            try:
                found[law.name] = law.fitted(kelvin[others], self.factors[others], reference, self.error[others])
            except OptionError:
                continue
        return found

    @property
    def activation_energy(self) -> tuple[float, float] | None:
        """E [J/mol] of Arrhenius' law and its standard error; None where the factors do not fall with temperature."""
        law = self.laws.get("arrhenius")
        if not isinstance(law, Arrhenius):
            return None
        others = self.error > 0
        x = 1 / (self.temperatures[others] + _ZERO) - 1 / (self.reference + _ZERO)
        misses = (np.log(self.factors[others]) - law.E / GAS_CONSTANT * x) / self.error[others]
        # What the law misses beyond the errors of the factors widens the interval.
        scale = max(1.0, float(np.sqrt(np.sum(misses**2) / max(len(x) - 1, 1))))
        return law.E, float(GAS_CONSTANT * scale / np.sqrt(np.sum((x / self.error[others]) ** 2)))

    @property
    def notes(self) -> tuple[str, ...]:
        """Whether the curves superpose, and which stresses they do not share."""
        found = []
        if not self.superposes:
            found.append(
                f"the curves do not superpose: shifted they scatter by {100 * self.misfit:.2g} %, each for itself by "
                f"{100 * self.separate:.2g} %, so this fluid is not thermorheologically simple in this range"
            )
        ranges = [(each.stress.min(), each.stress.max()) for each in self.curves]
        order = np.argsort([each.temperature or 0 for each in self.curves], kind="stable")
        for a, b in pairwise(order):
            if max(ranges[a][0], ranges[b][0]) > min(ranges[a][1], ranges[b][1]):
                found.append(
                    f"the curves at {self.curves[a].temperature:.4g} and {self.curves[b].temperature:.4g} °C share no "
                    "stress: their shift rests on the form of the curve between them"
                )
        return tuple(found)

    def rows(self) -> list[dict[str, float]]:
        """The table of shift factors: temperature, a_T, ends of its interval, and what the laws say."""
        kelvin = self.temperatures + _ZERO
        laws = {name: law(kelvin) for name, law in self.laws.items()}
        return [
            {
                "temperature": float(self.temperatures[i]),
                "a_T": float(self.factors[i]),
                "low": float(low),
                "high": float(high),
                **{name: float(values[i]) for name, values in laws.items()},
            }
            for i, (low, high) in enumerate(self.intervals)
        ]

    @property
    def statement(self) -> str:
        """How far the factors reach, how well the curves superpose, and the activation energy."""
        ends = f"from {self.factors.max():.4g} to {self.factors.min():.4g}"
        span = f"{self.temperatures[0]:.4g} to {self.temperatures[-1]:.4g} °C"
        energy = self.activation_energy
        flow = "" if energy is None else f"; activation energy {energy[0] / 1e3:.4g} ± {energy[1] / 1e3:.2g} kJ/mol"
        how = f"superpose within {100 * self.misfit:.2g} %" if self.superposes else "do not superpose"
        return f"shift factors {ends} over {span}, 1 at {self.reference:.4g} °C: the curves {how}{flow}"

    def summary(self) -> dict[str, Any]:
        """Everything a machine may want to know, as Python types."""
        energy = self.activation_energy
        return {
            **super().summary(),
            "reference": self.reference,
            "laws": {name: str(law) for name, law in self.laws.items()},
            "activation_energy": None if energy is None else {"value": energy[0], "standard_error": energy[1]},
            "misfit": self.misfit,
            "misfit_of_separate_curves": self.separate,
            "superposes": self.superposes,
        }


def master_curve(curves: Sequence[RheometerCurve], reference: float | None = None) -> MasterCurve:
    """The master curve of flow curves whose ``temperature`` [°C] is known, by a column or their names (``40 °C``).

    ``reference`` [°C] is the temperature nearest to which has the factor 1; the middle one by default. Curves within
    1 K share one factor. Raises OptionError for fewer than two temperatures, a temperature that is not known, and
    factors that the data do not determine.
    """
    known = [_with_temperature(each) for each in curves]
    settings, place = _settings([each.temperature or 0.0 for each in known])
    if len(settings) < 2:
        listed = ", ".join(f"{each:.4g}" for each in settings)
        raise OptionError(
            f"the {len(known)} curves have the temperatures {listed} °C: a master curve needs two at least; give "
            "tables with a column of the temperature, or names such as '40 °C'"
        )
    middle = float(np.median(settings)) if reference is None else reference
    chosen = int(np.argmin(np.abs(settings - middle)))
    origin = np.repeat(place, [len(each) for each in known])
    x, y = (np.log(np.concatenate([getattr(each, name) for each in known])) for name in ("rate", "stress"))
    weights = np.concatenate([_weights(each) for each in known])
    fits = [_fitted(x, y, weights, origin, chosen, degree) for degree in range(1, _MOST + 1)]
    fit = min((each for each in fits if each is not None), key=lambda each: each.criterion, default=None)
    if fit is None:
        raise OptionError(
            f"the shift factors of {len(settings)} temperatures are not determined by {len(x)} points whose stress "
            "does not change with the shear rate: give curves that rise over the stresses they share"
        )
    factors, at = np.exp(fit.shift), float(settings[chosen])
    order = np.argsort(x + fit.shift[origin], kind="stable")
    return MasterCurve(
        tuple(known), _shifted(known, factors[place], order, at), settings, at, factors, fit.error, origin[order],
        fit.misfit, fit.separate, fit.freedom, fit.extra,
    )  # fmt: skip


def _shifted(
    curves: Sequence[RheometerCurve], factors: FloatArray, order: NDArray[np.intp], temperature: float
) -> RheometerCurve:
    """The points of curves at their rates times ``factors`` (m,), in an ``order`` (n,)."""
    rate = np.concatenate([each.rate * factor for each, factor in zip(curves, factors, strict=True)])
    sigmas = [each.sigma for each in curves if each.sigma is not None]
    name = f"master curve at {temperature:.4g} °C"
    return RheometerCurve(
        name,
        rate[order],
        np.concatenate([each.stress for each in curves])[order],
        np.concatenate(sigmas)[order] if len(sigmas) == len(curves) else None,
        temperature,
        notes=tuple(dict.fromkeys(note for each in curves for note in each.notes)),
        sample=name,
        is_si=all(each.is_si for each in curves),
    )


def _with_temperature(curve: RheometerCurve) -> RheometerCurve:
    """The curve with the temperature of its name, where its table has none."""
    if curve.temperature is not None:
        return curve
    stem = "" if curve.source is None else curve.source.stem.replace("_", " ")
    found = _IN_NAME.findall(curve.name.replace("_", " ")) or _IN_NAME.findall(stem)
    if len(set(found)) != 1:
        raise OptionError(
            f"{curve.name}: the temperature is not known: give a column of it, or the name of the sample or of the "
            "file as '40 °C'"
        )
    value = float(found[0].replace(",", "."))
    return replace(curve, temperature=value).noted(f"temperature by its name: {value:g} °C")


def _settings(temperatures: Sequence[float]) -> tuple[FloatArray, NDArray[np.intp]]:
    """Temperatures (m,), rising, of groups no further apart than 1 K, and the group of each given."""
    values = np.asarray(temperatures, float)
    order = np.argsort(values, kind="stable")
    group = np.zeros(len(values), np.intp)
    group[order] = np.concatenate([[0], np.cumsum(np.diff(values[order]) > _SAME)])
    return np.array([values[group == i].mean() for i in range(group.max() + 1)]), group


def _weights(curve: RheometerCurve) -> FloatArray:
    """1/relative error (n,) of each stress, 1 on average over a curve."""
    if curve.sigma is None:
        return np.ones(len(curve))
    weights = curve.stress / curve.sigma
    return weights / np.sqrt(np.mean(weights**2))


@dataclass(frozen=True, eq=False)
class _Superposition:
    """Logarithms of the factors (m,) with their standard errors, the misfits, and the information criterion."""

    shift: FloatArray
    error: FloatArray
    misfit: float
    separate: float
    freedom: int
    extra: int
    criterion: float


def _fitted(
    x: FloatArray, y: FloatArray, w: FloatArray, origin: NDArray[np.intp], chosen: int, degree: int
) -> _Superposition | None:
    """Shifts of log rates ``x`` (n,) that bring ``y`` (n,) onto one polynomial; None where they are not determined."""
    groups = int(origin.max()) + 1
    free = np.flatnonzero(np.arange(groups) != chosen)
    count, parameters = len(x), degree + groups
    if count - parameters < 1:
        return None
    shift = _first_shifts(x, y, origin, chosen)
    columns = (origin[:, None] == free).astype(float)
    for _ in range(_STEPS):
        at = x + shift[origin]
        domain = [at.min(), at.max()]
        scaled, size = 2 * (at - domain[0]) / np.ptp(at) - 1, 2 / np.ptp(at)
        basis = chebyshev.chebvander(scaled, degree)
        coefficients = np.linalg.lstsq(basis * w[:, None], y * w, rcond=None)[0]
        slope = size * chebyshev.chebval(scaled, chebyshev.chebder(coefficients))
        matrix = np.concatenate([basis, slope[:, None] * columns], axis=1) * w[:, None]
        residual = (y - basis @ coefficients) * w
        step, _, rank, _ = np.linalg.lstsq(matrix, residual, rcond=1e-10)
        if rank < parameters:
            return None
        change = np.clip(step[degree + 1 :], -2.0, 2.0)
        shift[free] += change
        if np.abs(change).max() < _ENOUGH:
            break
    else:
        if np.abs(change).max() > 1e-6:
            return None
    cost = float(residual @ residual)
    freedom = count - parameters
    variance = cost / freedom * np.diag(np.linalg.inv(matrix.T @ matrix))[degree + 1 :]
    error = np.zeros(groups)
    error[free] = np.sqrt(np.maximum(variance, 1e-32))
    own, extra = _own(x, y, w, origin, degree)
    floor = count * _ROUNDING**2
    return _Superposition(
        shift, error, np.sqrt(cost / count), np.sqrt(own / count), freedom, extra - parameters,
        count * np.log((cost + floor) / count) + parameters * np.log(count),
    )  # fmt: skip


def _first_shifts(x: FloatArray, y: FloatArray, origin: NDArray[np.intp], chosen: int) -> FloatArray:
    """Shifts at equal stress: log γ̇ = g(log τ) − log a_T, a parabola g, is linear in all that is looked for."""
    groups = int(origin.max()) + 1
    columns = np.delete(-(origin[:, None] == np.arange(groups)).astype(float), chosen, axis=1)
    scaled = (y - y.mean()) / (y.std() or 1.0)
    solution = np.linalg.lstsq(np.concatenate([np.vander(scaled, 3), columns], axis=1), x, rcond=None)[0]
    return np.insert(solution[3:], chosen, 0.0)


def _own(x: FloatArray, y: FloatArray, w: FloatArray, origin: NDArray[np.intp], degree: int) -> tuple[float, int]:
    """The sum of squares about a polynomial for each temperature, and the number of their coefficients."""
    cost, parameters = 0.0, 0
    for group in range(int(origin.max()) + 1):
        at = origin == group
        order = min(degree, len(np.unique(x[at])) - 1, max(int(at.sum()) - 2, 0))
        scaled = (x[at] - x[at].mean()) / (np.ptp(x[at]) or 1.0)
        basis = np.vander(scaled, order + 1) * w[at, None]
        missed = w[at] * y[at] - basis @ np.linalg.lstsq(basis, w[at] * y[at], rcond=None)[0]
        cost, parameters = cost + float(missed @ missed), parameters + order + 1
    return cost, parameters
