"""Cubic splines through values along one axis of a lattice, each span's basis written as four cubic polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.mesh.axis import Axis
from flowgrad.typing import FloatArray

# Outside an axis by up to this fraction of a spacing is still inside.
BEYOND_END = 1e-9


@dataclass(frozen=True, eq=False)
class SplineAxis:
    """The not-a-knot cubic spline through values at the points of an axis (periodic where the axis is).

    Axes of one, two and three points have the polynomial through them. de Boor 2001, A Practical Guide to Splines,
    ch. IV (not-a-knot), IX and X.
    """

    axis: Axis

    @property
    def sign(self) -> float:
        """−1 where the coordinates fall: the spline runs along their negatives."""
        x = self.axis.coordinates
        return -1.0 if len(x) > 1 and x[1] < x[0] else 1.0

    @property
    def period(self) -> float:
        """Positive, 0 for an axis with two ends."""
        return abs(self.axis.period or 0.0)

    @cached_property
    def breaks(self) -> FloatArray:
        """The points along the axis, rising; once around where it is periodic."""
        x = self.sign * self.axis.unique.coordinates
        return np.append(x, x[0] + self.period) if self.period else x

    @cached_property
    def knots(self) -> FloatArray:
        """Of the B-splines (spans + 7,), for four points or more; round and round where the axis is periodic."""
        x = self.breaks
        if not self.period:
            return np.concatenate([np.repeat(x[0], 4), x[2:-2], np.repeat(x[-1], 4)])
        count = len(x) - 1
        turns, places = np.divmod(np.arange(-3, count + 4), count)
        return x[places] + turns * self.period

    @property
    def is_polynomial(self) -> bool:
        """Whether one polynomial goes through all points: there are too few for knots."""
        return not self.period and len(self.breaks) < 4

    @property
    def shift(self) -> int:
        """The span of a cell is the cell's number less this: not-a-knot leaves out the first inner point."""
        return 0 if self.period else 1

    @cached_property
    def basis(self) -> FloatArray:
        """Coefficients (spans, 4, 4) of the four functions of each span, in rising powers of the distance from
        its start."""
        if self.is_polynomial:
            return _lagrange(self.breaks)[None]
        return _b_splines(self.knots, len(self.knots) - 7)

    @property
    def starts(self) -> FloatArray:
        """Where each span starts (spans,)."""
        return self.breaks[:1] if self.is_polynomial else self.knots[3 : 3 + len(self.basis)]

    def coefficients(self, values: FloatArray) -> FloatArray:
        """Of values (n, …) at the axis' points, so that span s has those from s to s + 3."""
        values = values[: len(self.axis.unique)]
        if self.is_polynomial:
            return values
        return self._periodic(values) if self.period else self._not_a_knot(values)

    def _not_a_knot(self, values: FloatArray) -> FloatArray:
        from scipy.interpolate import make_interp_spline

        found: FloatArray = make_interp_spline(self.breaks, values, k=3, t=self.knots).c
        return found

    def _periodic(self, values: FloatArray) -> FloatArray:
        """Each point lies where a span starts, and has its first three functions; the last spans go on with the
        first coefficients."""
        from scipy.sparse import coo_array
        from scipy.sparse.linalg import splu

        count = len(self.basis)
        span, function = np.mgrid[:count, :3]
        entries = (self.basis[:, :3, 0].ravel(), (span.ravel(), (span + function).ravel() % count))
        solver = splu(coo_array(entries, shape=(count, count)).tocsc())
        found: FloatArray = solver.solve(values.reshape(count, -1)).reshape(values.shape)
        return found[np.arange(count + 3) % count]


def _b_splines(knots: FloatArray, spans: int) -> FloatArray:
    """The recursion of de Boor and Cox on polynomials: (spans, 4, 4), function then power."""
    span = np.arange(3, 3 + spans)
    start = knots[span]
    found = np.zeros((spans, 4, 4))
    found[:, 3, 0] = 1.0
    for degree in (1, 2, 3):
        lower, found = found, np.zeros_like(found)
        for r in range(3 - degree, 4):
            i = span - 3 + r
            found[:, r] += _times_line(lower[:, r], knots[i], knots[i + degree], start)
            if r < 3:
                found[:, r] += _times_line(lower[:, r + 1], knots[i + degree + 1], knots[i + 1], start)
    return found


def _times_line(polynomials: FloatArray, zero: FloatArray, one: FloatArray, start: FloatArray) -> FloatArray:
    """Polynomials (spans, 4) in u = x − start times (x − zero)/(one − zero); 0 where these coincide."""
    width = one - zero
    slope = np.divide(1.0, width, where=width != 0, out=np.zeros_like(width))
    found = polynomials * ((start - zero) * slope)[:, None]
    found[:, 1:] += polynomials[:, :-1] * slope[:, None]
    return found


def _lagrange(points: FloatArray) -> FloatArray:
    """The Lagrange polynomials (4, 4) of one to three points, in powers of the distance from the first."""
    found = np.zeros((4, 4))
    u = points - points[0]
    count = len(u)
    found[:count, :count] = np.linalg.inv(np.vander(u / max(u[-1], 1e-300), count, increasing=True)).T
    found[:, 1:count] /= np.maximum(u[-1:], 1e-300) ** np.arange(1, count)
    return found
