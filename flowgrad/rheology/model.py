"""Viscosity models: frozen dataclasses whose fields are the parameters, each of a kind; the registry of all models."""

from __future__ import annotations

import dataclasses
import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.autodiff.dual import Dual, is_at, next_level, plain
from flowgrad.errors import OptionError
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray

# Models that diverge at rest are evaluated at this rate (1/T) there, so that no field gets inf or NaN.
# Solvers do the same, and then apply their caps. It is as near to 0 as a yield stress of 1e28 allows, for
# the rates of glaciers and of the Earth's mantle are below 1e-10. separate() raises it to a fraction of
# the flow's rates.
SMALLEST_RATE = 1e28 * float(np.finfo(float).tiny)

# How far beyond the data a fit may look for a plateau, a time or a yield stress.
_REACH = 1e6
_TIME_REACH = 1e4


@dataclass(frozen=True)
class Kind:
    """What a parameter is: its dimension, whether it may be zero, whether it grows with the density
    when kinematic values become dynamic, whether a fit may choose it, and its ``least`` value."""

    name: str
    dimension: str
    may_be_zero: bool = False
    per_density: bool = False
    fitted: bool = True
    least: float = 0.0

    def bounds(self, rate: FloatArray, stress: FloatArray) -> tuple[float, float]:
        """Where a fit to the data looks for such a parameter."""
        viscosity = stress / rate
        return {
            "viscosity": (viscosity.min() / _REACH, viscosity.max() * _REACH),
            # So small that its part of χ² is lost in that of any data.
            "stress": (stress.min() / _REACH**1.5, stress.max()),
            "critical stress": (stress.min() / _TIME_REACH, stress.max() * _TIME_REACH),
            # A decade of the rates at least shows the yield stress.
            "regularisation": (10 / rate.max(), _TIME_REACH / rate.min()),
            "time": (1 / (rate.max() * _TIME_REACH), _TIME_REACH / rate.min()),
            "rate": (rate.min() / _TIME_REACH, rate.max() * _TIME_REACH),
            "exponent": (1e-3, 10.0),
            "flow index": (1e-3, 3.0),
            "steepness": (self.least, 20.0),
            # Casson's 1/2, Heinz's 2/3 and Bingham's 1 lie within.
            "mixing exponent": (1 / 3, 1.5),
        }.get(self.name, (1e-100, 1e100))


Viscosity = Annotated[float, Kind("viscosity", "M/(L T)", per_density=True)]
Plateau = Annotated[float, Kind("viscosity", "M/(L T)", may_be_zero=True, per_density=True)]
Stress = Annotated[float, Kind("stress", "M/(L T²)", may_be_zero=True, per_density=True)]
CriticalStress = Annotated[float, Kind("critical stress", "M/(L T²)", per_density=True)]
Consistency = Annotated[float, Kind("consistency", "M T^(n-2)/L", per_density=True)]
Time = Annotated[float, Kind("time", "T")]
Regularisation = Annotated[float, Kind("regularisation", "T")]
Rate = Annotated[float, Kind("rate", "1/T")]
Exponent = Annotated[float, Kind("exponent", "1")]
FlowIndex = Annotated[float, Kind("flow index", "1")]
MixingExponent = Annotated[float, Kind("mixing exponent", "1")]
Steepness = Annotated[float, Kind("steepness", "1", least=1.0)]
Cap = Annotated[float, Kind("cap", "M/(L T)", may_be_zero=True, per_density=True, fitted=False)]

MODELS: dict[str, type[Model]] = {}


@dataclass(frozen=True)
class Model(ABC):
    """A viscosity model η(γ̇).

    A frozen dataclass ``class Casson(Model, name="casson", citation="…")`` with annotated fields, ``law``
    and ``guesses`` is all it takes to add one: the text form, the fit and the lists follow. Raises
    OptionError for a name that another model has, and for a parameter that is not a number, is infinite or
    negative, or is zero where the model needs more.
    """

    name: ClassVar[str]
    citation: ClassVar[str]
    ranked: ClassVar[bool] = True
    """Whether it is among the models that are compared where none are named: not one whose curves are another's by
    other parameters, or nearly so, which would count them twice."""

    def __init_subclass__(cls, name: str = "", citation: str = "", ranked: bool = True) -> None:
        if not name:
            return
        new, old = (f"{each.__module__}.{each.__qualname__}" for each in (cls, MODELS.get(name, cls)))
        if new != old:
            raise OptionError(f"the viscosity model '{name}' of {new} has the name of {old}: choose another name")
        cls.name, cls.citation, cls.ranked = name, citation, ranked
        MODELS[name] = cls

    def __post_init__(self) -> None:
        for key, kind in self.kinds().items():
            value = getattr(self, key)
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise OptionError(f"{self.name}: {key} = {value!r} is not a number: write {key}=1.0") from None
            allowed = number >= 0 if kind.may_be_zero else number > 0
            if not (allowed and number >= kind.least) or (np.isinf(number) and kind.fitted):
                needs = "finite and not negative" if kind.may_be_zero else "finite and positive"
                needs = f"finite and {kind.least:g} at least" if kind.least else needs
                raise OptionError(f"{self.name}: {key} = {number:g} is impossible: this {kind.name} has to be {needs}")
            object.__setattr__(self, key, number)

    @classmethod
    @functools.cache
    def kinds(cls) -> dict[str, Kind]:
        """The kind of every parameter, caps included, in the order of the fields."""
        hints = get_type_hints(cls, include_extras=True)
        return {field.name: hints[field.name].__metadata__[0] for field in dataclasses.fields(cls)}

    @classmethod
    def free(cls) -> dict[str, Kind]:
        """The parameters that a fit determines."""
        return {key: kind for key, kind in cls.kinds().items() if kind.fitted}

    @property
    def parameters(self) -> dict[str, float]:
        """Values of the parameters: those that a fit determines, and caps that are set."""
        values = {key: getattr(self, key) for key in self.kinds()}
        return {key: value for key, value in values.items() if self.kinds()[key].fitted or 0 < value < np.inf}

    @property
    def yield_stress(self) -> float:
        """Stress below which the fluid does not flow, the parameter ``tau0``; 0 for a model without one."""
        return float(getattr(self, "tau0", 0.0))

    def yielded(self, rate: FloatArray) -> FloatArray:
        """What the yield stress adds to the stress at positive shear rates."""
        return np.full_like(rate, self.yield_stress)

    @abstractmethod
    def law(self, rate: FloatArray) -> FloatArray:
        """η at positive shear rates, without caps."""

    def admissible(self) -> Any:
        """A number made of the parameters that is positive where η ≥ 0 and the stress rises over all shear rates; of
        an order of 1, and 1 for models that always are."""
        return 1.0

    @classmethod
    @abstractmethod
    def guesses(cls, rate: FloatArray, stress: FloatArray) -> Iterable[tuple[float, ...]]:
        """Parameter values (in the order of ``free``) from which a fit to the data may start."""

    def viscosity(self, rate: ArrayLike) -> FloatArray:
        """η at shear rates (any shape, 1/T): finite also at rest; NaN where the rate is NaN."""
        return self.limited(self.law(np.maximum(np.abs(np.asarray(rate, float)), SMALLEST_RATE)))

    def stress(self, rate: ArrayLike) -> FloatArray:
        """|τ| = ηγ̇ at shear rates (any shape, 1/T)."""
        return self.viscosity(rate) * np.abs(np.asarray(rate, float))

    def viscosity_slope(self, rate: ArrayLike) -> FloatArray:
        """dη/dγ̇ at shear rates (any shape): 0 at rest and within the caps, where η is held."""
        return self._slope(rate, lambda eta, size: eta)

    def stress_slope(self, rate: ArrayLike) -> FloatArray:
        """d|τ|/dγ̇ at shear rates (any shape): η at rest."""
        slope = self._slope(rate, lambda eta, size: eta * size)
        at_rest = np.abs(np.asarray(rate, float)) <= SMALLEST_RATE
        return np.where(at_rest, self.viscosity(rate), slope)

    def viscosity_sensitivity(self, rate: ArrayLike) -> dict[str, FloatArray]:
        """∂η/∂p at shear rates (any shape), of each of the ``parameters`` p."""
        size = np.maximum(np.abs(np.asarray(rate, float)), SMALLEST_RATE)
        level, count = next_level(), len(self.parameters)
        unit = np.eye(count)
        carried = {key: Dual(value, unit[k], level) for k, (key, value) in enumerate(self.parameters.items())}
        model = self.with_values(carried)
        found: Any = model.limited(model.law(size))
        derivative = found.derivative if is_at(found, level) else np.zeros((count, *size.shape))
        return dict(zip(carried, np.broadcast_to(derivative, (count, *size.shape)), strict=True))

    def stress_sensitivity(self, rate: ArrayLike) -> dict[str, FloatArray]:
        """∂|τ|/∂p at shear rates (any shape), of each of the ``parameters`` p."""
        size = np.abs(np.asarray(rate, float))
        return {key: slope * size for key, slope in self.viscosity_sensitivity(rate).items()}

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """The model with other values, arrays and dual numbers too, which are not checked."""
        other = object.__new__(type(self))
        for key in self.kinds():
            object.__setattr__(other, key, values.get(key, getattr(self, key)))
        return other

    def _slope(self, rate: ArrayLike, of: Callable[[Any, Any], Any]) -> FloatArray:
        """d/dγ̇ of what is made of η and γ̇, by dual numbers."""
        signed = np.asarray(rate, float)
        size = np.maximum(np.abs(signed), SMALLEST_RATE)
        level = next_level()
        carried = Dual(size, np.ones((1, *size.shape)), level)
        with np.errstate(over="ignore", invalid="ignore"):
            found = of(self.limited(self.law(carried)), carried)  # type: ignore[arg-type]
        slope = found.derivative[0] if is_at(found, level) else np.where(np.isnan(size), np.nan, 0.0)
        return np.where(np.abs(signed) <= SMALLEST_RATE, 0.0, slope)

    def limited(self, viscosity: FloatArray) -> FloatArray:
        """The viscosity within the caps of the model, if it has any."""
        return viscosity

    def uncapped(self, rate: FloatArray) -> NDArray[np.bool_]:
        """Where no cap holds the viscosity, at positive shear rates."""
        viscosity = self.law(rate)
        return self.limited(viscosity) == viscosity

    def scaled(self, density: float) -> Self:
        """The model in dynamic values where its own are kinematic (divided by the density)."""
        changes = {key: getattr(self, key) * density for key, kind in self.kinds().items() if kind.per_density}
        return dataclasses.replace(self, **changes)

    def __str__(self) -> str:
        return unparse(self.name, self)


class Capped(Model):
    """A model that diverges at rest or at high rates: ``eta_min`` and ``eta_max`` as solvers have them."""

    eta_min: float
    eta_max: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eta_min > self.eta_max:
            raise OptionError(
                f"{self.name}: eta_min = {self.eta_min:g} is above eta_max = {self.eta_max:g}: exchange them"
            )

    def limited(self, viscosity: FloatArray) -> FloatArray:
        """The viscosity clipped to [eta_min, eta_max]."""
        return np.clip(viscosity, self.eta_min, self.eta_max)


class StressModel(Model):
    """A law in stress, η(τ): its viscosity at a shear rate is that of the stress τ = η(τ)γ̇.

    The fit and the viscosity follow from ``log_viscosity``; the stress has to rise with the rate (see ``admissible``).
    """

    @abstractmethod
    def log_viscosity(self, log_stress: Any) -> Any:
        """log η of log τ."""

    def law(self, rate: FloatArray) -> FloatArray:
        """η at positive shear rates, by Newton's method within bounds of the root x = log τ of x − log η(x) = log γ̇.

        Two more steps with what rates and parameters carry give the derivatives, as of any implicit function.
        """
        plain_values: Any = self.with_values({key: plain(getattr(self, key)) for key in self.kinds()})
        log_rate: Any = np.log(rate)
        with np.errstate(all="ignore"):
            x, slope = _log_stress(plain_values, plain(log_rate))
            for _ in range(2):
                x = x - (x - self.log_viscosity(x) - log_rate) / slope
            return np.exp(self.log_viscosity(x))


_NEWTON_STEPS = 200
_CONVERGED = 1e-14
_LONGEST_STEP = 50.0
# Over which a secant gives the slope of a law in stress: Newton's method needs no better one.
_SECANT = 1e-6


def _log_stress(model: StressModel, log_rate: FloatArray) -> tuple[FloatArray, FloatArray]:
    """log τ of a law in stress and d log γ̇/d log τ there, of the shape of all that they depend on."""
    x = np.array(log_rate + model.log_viscosity(log_rate))
    low, high, last = np.full(x.shape, -np.inf), np.full(x.shape, np.inf), np.full(x.shape, np.inf)
    for _ in range(_NEWTON_STEPS):
        found = model.log_viscosity(x)
        excess, slope = x - found - log_rate, 1 - (model.log_viscosity(x + _SECANT) - found) / _SECANT
        low, high = np.where(excess < 0, x, low), np.where(excess > 0, x, high)
        step = np.where(np.isfinite(excess), -excess / slope, -_LONGEST_STEP)
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        # Halved where Newton's steps leave the bounds of the root or do not shrink (Press et al. 2007, section 9.4).
        middle, least = 0.5 * (low + high), _CONVERGED * np.maximum(1.0, np.abs(x))
        slow = (x + step < low) | (x + step > high) | (2 * np.abs(step) > last)
        halved = np.isfinite(middle) & slow & (np.abs(step) > least)
        goal = np.where(halved, middle, x + step)
        last = np.abs(goal - x)
        moved = last > least
        x = np.where(np.isnan(log_rate), np.nan, goal)
        if not moved.any():
            break
    level = next_level()
    return x, 1 - model.log_viscosity(Dual(x, np.ones((1, *x.shape)), level)).derivative[0]


def parse_model(text: str) -> Model:
    """The model of a text such as ``carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)``.

    Raises OptionError for an unknown model, an unknown or missing parameter and an impossible value.
    """
    return parse(text, MODELS, "viscosity law")
