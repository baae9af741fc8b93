"""The derivatives as symbols, and their check against dual numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from flowgrad import autodiff
from flowgrad.derive.derivation import Derivation
from flowgrad.errors import DerivativeError
from flowgrad.formula import Formula, symbols
from flowgrad.typing import FloatArray

# Numbers and symbols agree to this fraction of the largest derivative and, times the second, of the largest
# number met on the way to the value; else to so many times what a change of x in its last digit makes.
_RELATIVE, _ABSOLUTE, _SPREAD = 1e-9, 1e-12, 100.0


class Symbolic:
    """The derivatives of the formulas of a derivation as formulas."""

    def __init__(self, asked: Derivation) -> None:
        self.asked = asked

    @cached_property
    def jacobian(self) -> list[list[Formula]]:
        """∂f_i/∂x_j in row i and column j."""
        return [symbols.gradient(each) for each in self.asked.formulas.formulas]

    @cached_property
    def hessians(self) -> list[list[list[Formula]]]:
        """∂/∂x_k (∂f_i/∂x_j)."""
        return [symbols.hessian(each) for each in self.asked.formulas.formulas]

    @cached_property
    def along(self) -> list[Formula]:
        """The directional derivative of each formula."""
        direction = np.asarray(self.asked.direction).tolist()
        return [symbols.directional_derivative(each, direction) for each in self.asked.formulas.formulas]

    @property
    def mixed_agree(self) -> bool:
        """Whether the second derivatives do not depend on the order (Schwarz), in their text or at many points."""
        d = len(self.asked.variables)
        pairs = [(H[i][j], H[j][i]) for H in self.hessians for i in range(d) for j in range(i)]
        return all(a.text == b.text or _coincide(a, b) for a, b in pairs)

    def check(self) -> None:
        """DerivativeError where the symbols, evaluated at the point, are other numbers than dual numbers give."""
        self._compare("Jacobian", autodiff.jacobian, self.asked.jacobian, self.jacobian)
        if self.asked.hessian:
            self._compare("Hessian", autodiff.hessian, self.asked.hessians, self.hessians)

    def _compare(self, what: str, derivative: Callable[..., FloatArray], found: FloatArray, formulas: Any) -> None:
        for (name, formula), one, rows in zip(self.asked.named, found, formulas, strict=True):
            other = np.array(list(_numbers(rows, self.asked.place))).reshape(one.shape)
            known = np.isfinite(one) & np.isfinite(other)
            largest = np.max(np.abs(one), initial=0.0, where=known)
            room = _RELATIVE * largest + _ABSOLUTE * formula.size(self.asked.place)
            with np.errstate(invalid="ignore"):
                difference = np.max(np.abs(one - other), initial=0.0, where=known)
            if difference > room and difference > room + _SPREAD * self._spread(formula, derivative):
                raise DerivativeError(
                    f"the {what} of {name} is {one.tolist()} by dual numbers and {other.tolist()} by symbols: one of "
                    "them is wrong, please report it with the formula"
                )

    def _spread(self, formula: Formula, derivative: Callable[..., FloatArray]) -> float:
        """How much a derivative changes where the point changes in its last digit: rounding, as after 1 − cos x."""
        x = np.asarray(self.asked.point)
        here = derivative(formula, x, backend="numpy")
        near = [derivative(formula, np.nextafter(x, end), backend="numpy") for end in (-np.inf, np.inf)]
        return float(np.nan_to_num(np.abs(np.array(near) - here), nan=0.0, posinf=0.0).max())


def _numbers(formulas: Any, place: dict[str, float]) -> Iterator[float]:
    """The values of formulas in nested lists, one after the other."""
    if isinstance(formulas, Formula):
        yield float(formulas.evaluate(place, ()))
    else:
        for each in formulas:
            yield from _numbers(each, place)


def _coincide(a: Formula, b: Formula) -> bool:
    points = np.random.default_rng(0).uniform(-2, 2, (100, len(a.variables)))
    one, other = a(points), b(points)
    known = np.isfinite(one) & np.isfinite(other)
    return bool(
        np.allclose(one[known], other[known], rtol=1e-8, atol=1e-8 * np.max(np.abs(one), initial=0.0, where=known))
    )
