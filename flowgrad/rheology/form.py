"""Form in which a fit takes a law: its free parameters, and the caps of solvers where the data show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from flowgrad.rheology.model import Capped, Kind, Model, StressModel
from flowgrad.rheology.tape import Tape, recorded
from flowgrad.typing import FloatArray

# A plateau of η at an end of the data: d log η/d log γ̇ of this size at most over so many points, and a part of
# the steepest slope at most.
_PLATEAU_POINTS = 3
_PLATEAU_SLOPE = 0.25
_PLATEAU_PART = 0.35
# Between caps η changes by a factor of 2 at least.
_LEAST_CHANGE = float(np.log(2))
# A cap is looked for where the η below or above it stay within this of their log-mean.
_LEVEL = 0.3
_MOST_LEVELS = 6
# How far beyond the data's η a cap may be.
_BEYOND = 1.5


@dataclass(frozen=True)
class Form:
    """A law with the ``caps`` (names among ``eta_min`` and ``eta_max``) that are fitted like its parameters."""

    kind: type[Model]
    caps: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of all that is fitted."""
        return self.kind.free() | {name: self.kind.kinds()[name] for name in self.caps}

    def model(self, values: FloatArray) -> Model:
        """The model with the fitted values (p,)."""
        return self.kind(**dict(zip(self.kinds, values.tolist(), strict=True)))

    def bounds(self, rate: FloatArray, stress: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the least and largest parameters (p,) that a fit may find: caps on their side of the middle."""
        low, high = float(np.min(stress / rate)), float(np.max(stress / rate))
        middle = np.sqrt(low * high)
        of_caps = {"eta_min": (low / _BEYOND, middle), "eta_max": (middle, high * _BEYOND)}
        pairs = [each.bounds(rate, stress) for each in self.kind.free().values()]
        lower, upper = np.log(np.array(pairs + [of_caps[name] for name in self.caps])).T
        return np.ascontiguousarray(lower), np.ascontiguousarray(upper)

    def guesses(self, rate: FloatArray, stress: FloatArray) -> FloatArray:
        """Parameters (g, p) from which the fit may start: the law's own, of the points that no cap holds."""
        log_eta, found = np.log(stress / rate), []
        slow = [name for name in self.caps if _at_slow_end(name, log_eta)]
        fast = [name for name in self.caps if name not in slow]
        for first, last in product(_held(log_eta) if slow else [0], _held(log_eta[::-1]) if fast else [0]):
            inner = slice(first, len(rate) - last)
            if len(rate[inner]) > len(self.kind.free()):
                caps = {name: np.exp(np.mean(log_eta[:first])) for name in slow}
                caps |= {name: np.exp(np.mean(log_eta[len(rate) - last :])) for name in fast}
                each = self.kind.guesses(rate[inner], stress[inner])
                found += [(*guess, *(caps[name] for name in self.caps)) for guess in each]
        return np.array(found, float).reshape(-1, len(self.kinds))


def _at_slow_end(name: str, log_eta: FloatArray) -> bool:
    """Whether a cap holds η at the lowest rates: the upper one of a fluid that thins."""
    return bool((name == "eta_max") == (log_eta[0] > log_eta[-1]))


def _held(log_eta: FloatArray) -> list[int]:
    """Numbers of points at the start that a cap may hold, for η is level there."""
    level = [k for k in range(2, len(log_eta) - 1) if np.ptp(log_eta[:k]) <= _LEVEL]
    return level[:: max(1, -(-len(level) // _MOST_LEVELS))]


def forms(kind: type[Model], rate: FloatArray, stress: FloatArray) -> list[Form]:
    """The law as it is, and with the caps that the data, sorted by rate, may show: those at whose end η is level."""
    plain = [Form(kind)]
    if not issubclass(kind, Capped) or len(rate) < 2 * _PLATEAU_POINTS:
        return plain
    log_rate, log_eta = np.log(rate), np.log(stress / rate)
    if abs(log_eta[:_PLATEAU_POINTS].mean() - log_eta[-_PLATEAU_POINTS:].mean()) < _LEAST_CHANGE:
        return plain
    level = min(_PLATEAU_SLOPE, _PLATEAU_PART * np.ptp(log_eta) / max(np.ptp(log_rate), 1e-300))
    shown = []
    for name in ("eta_min", "eta_max"):
        end = slice(0, _PLATEAU_POINTS) if _at_slow_end(name, log_eta) else slice(-_PLATEAU_POINTS, None)
        x = log_rate[end] - log_rate[end].mean()
        if abs(float(np.sum(x * log_eta[end]))) <= level * np.sum(x**2):
            shown.append(name)
    each = [Form(kind, (name,)) for name in shown]
    return plain + each + ([Form(kind, tuple(shown))] if len(shown) > 1 else [])


@cache
def tapes(form: Form) -> tuple[Tape, Tape, bool]:
    """The tapes of a law, η of γ̇ or log η of log τ, and of what is positive where it is admissible, if not always."""
    names = tuple(form.kinds)

    def law(argument: Any, *values: Any) -> Any:
        model: Any = with_parameters(form.kind, dict(zip(names, values, strict=True)))
        if issubclass(form.kind, StressModel):
            return model.log_viscosity(argument)
        viscosity = model.law(argument)
        for name in form.caps:
            viscosity = (np.minimum if name == "eta_max" else np.maximum)(viscosity, getattr(model, name))
        return viscosity

    def guard(_: Any, *values: Any) -> Any:
        return with_parameters(form.kind, dict(zip(names, values, strict=True))).admissible()

    of_guard = recorded(guard, len(names))
    return recorded(law, len(names)), of_guard, bool(of_guard.active[of_guard.last])


def with_parameters(kind: type[Model], values: Mapping[str, Any]) -> Model:
    """A model whose parameters are symbols or arrays, without caps."""
    law = object.__new__(kind)
    for key, value in values.items():
        object.__setattr__(law, key, value)
    return law
