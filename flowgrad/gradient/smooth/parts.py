"""Smoothed gradients as an operator: at each place the fit that was chosen there, of one or another part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from flowgrad.gradient.scheme import Operator
from flowgrad.gradient.smooth.choice import Key
from flowgrad.gradient.smooth.lattice_fits import LatticeFits
from flowgrad.gradient.smooth.nearest_fits import NearestFits
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class ChosenFit(Protocol):
    """A fit at those places where it was chosen."""

    @property
    def rows(self) -> IntArray:
        """These places (r,)."""
        ...

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (r, 3, 3) of the samples (n, 3)."""
        ...

    def covariance(self, noise: FloatArray) -> FloatArray:
        """C (r, 3, 3, 3) by component for noise of the standard deviation (n, 3)."""
        ...

    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (r, n)."""
        ...


@dataclass(frozen=True, eq=False)
class LatticePart:
    """A fit on a lattice; ``dual`` (3, 3) are the gradients of its axes' coordinates."""

    rows: IntArray
    fits: LatticeFits
    key: Key
    dual: FloatArray

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (r, 3, 3)."""
        known = values is self.fits.source
        along = self.fits.gradient(self.key) if known else self.fits.derivatives(np.nan_to_num(values), self.key)
        full = np.zeros((len(self.rows), 3, along.shape[2]))
        full[:, self.fits.components if known else slice(None)] = along[self.rows]
        return full @ self.dual[list(self.fits.lattice.active)]

    def fitted(self, values: FloatArray) -> FloatArray:
        """What the fits along all axes make of values (n, k), at the places (r, k)."""
        for a in self.fits.lattice.active:
            values = self.fits.whole(a, "value", self.key) @ values
        return values[self.rows]

    def covariance(self, noise: FloatArray) -> FloatArray:
        """C (r, 3, 3, 3): the noise around a place is that at the place."""
        unit = self.fits.covariance(self.key)[self.rows]
        dual = self.dual[list(self.fits.lattice.active)]
        spread = np.einsum("ai,rab,bj->rij", dual, unit, dual, optimize=True)
        return np.asarray(noise[self.rows][:, :, None, None] ** 2 * spread[:, None])

    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (r, n)."""
        active = self.fits.lattice.active
        along = [
            reduce(
                lambda part, matrix: part @ matrix,
                [
                    self.fits.whole(a, "slope", self.key),
                    *(self.fits.whole(b, "value", self.key) for b in active if b != a),
                ],
            )[self.rows]
            for a in active
        ]
        return tuple(
            sum(self.dual[a, j] * each for a, each in zip(active, along, strict=True)).tocsr() for j in range(3)
        )


@dataclass(frozen=True, eq=False)
class NearestPart:
    """A fit to the nearest samples; those ``used`` (s,) have coordinates along the rows of ``basis`` (r, 3)."""

    rows: IntArray
    fits: NearestFits
    used: IntArray
    basis: FloatArray

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (r, 3, 3)."""
        return self.fits.differentiate(values[self.used]) @ self.basis

    def covariance(self, noise: FloatArray) -> FloatArray:
        """C (r, 3, 3, 3) for noise of the samples that are not on the boundary."""
        each = np.zeros((len(self.used), 3))
        known = self.used < len(noise)
        each[known] = np.nan_to_num(noise)[self.used[known]]
        return np.asarray(self.basis.T @ self.fits.covariance(each) @ self.basis)

    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (r, n)."""
        from scipy.sparse import csr_array

        along = list(self.fits.matrices())
        count = int(self.used.max()) + 1
        spread = csr_array(
            (np.ones(len(self.used)), (np.arange(len(self.used)), self.used)), shape=(len(self.used), count)
        )
        turned = (sum(self.basis[a, j] * each for a, each in enumerate(along)) for j in range(3))
        return tuple(csr_array(each @ spread) for each in turned)


@dataclass(frozen=True, eq=False)
class Smoothed(Operator):
    """Gradients at places (m,) by the ``parts`` that were chosen for the ``values`` (n, 3) of one flow; ``filled`` are
    these without outliers. ``bias`` (m, 3, 3) is the square of what the fits themselves are wrong by, ``missing`` (m,)
    where there is no gradient, ``outlier`` (n,) what was left out."""

    values: FloatArray
    filled: FloatArray
    parts: tuple[ChosenFit, ...]
    bias: FloatArray
    missing: BoolArray
    outlier: BoolArray

    def takes(self, values: FloatArray) -> bool:
        """The choice was made for these values and no others."""
        return np.array_equal(values, self.values, equal_nan=True)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3); outliers among those of the flow have no part in them."""
        values = self.filled if values is self.values or self.takes(values) else values
        return self._together(lambda part: part.vectors(values), (3, 3))

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """C (m, 3, 3, 3) for each component, the squared bias of the fits included: of the mean square error."""
        given = np.asarray(noise, float)
        each = np.broadcast_to(
            given[:, None] if given.ndim == 1 else given, (len(self.values) - self.boundary_count, 3)
        )
        C = self._together(lambda part: part.covariance(each), (3, 3, 3))
        axes = np.arange(3)
        C[:, :, axes, axes] += self.bias
        return C

    @property
    def residual(self) -> FloatArray | None:
        """What the fits on a lattice leave of its velocities (n, 3), NaN at outliers and where there are none; None
        elsewhere."""
        parts = [part for part in self.parts if isinstance(part, LatticePart)]
        if len(parts) < len(self.parts):
            return None
        result = self.values.copy()
        for part in parts:
            result[part.rows] -= part.fitted(self.filled)
        result[self.missing | self.outlier] = np.nan
        return result

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n) of the fits chosen; rows of NaN where there is no gradient."""
        from scipy.sparse import csr_array, vstack

        rows = np.concatenate([part.rows for part in self.parts])
        stacked = [vstack(each, format="csr") for each in zip(*(part.matrices() for part in self.parts), strict=True)]
        order, kept = np.argsort(rows), np.where(self.missing, np.nan, 1.0)
        results = []
        for each in stacked:
            sorted_rows = csr_array(each[order])
            sorted_rows.data = sorted_rows.data * np.repeat(kept, np.diff(sorted_rows.indptr))
            # The last samples may have no part in any fit.
            sorted_rows.resize(len(kept), len(self.values))
            results.append(sorted_rows)
        return tuple(results)

    def _together(self, of: Callable[[ChosenFit], FloatArray], shape: tuple[int, ...]) -> FloatArray:
        result = np.full((len(self.missing), *shape), np.nan)
        for part in self.parts:
            result[part.rows] = of(part)
        result[self.missing] = np.nan
        return result


def chosen_text(chosen: Sequence[tuple[tuple[float, ...], int]], form: str) -> str:
    """The fits chosen most often, of keys and at how many places, in one line."""
    total = sum(count for _, count in chosen)
    largest = sorted(chosen, key=lambda each: -each[1])[:3]
    named = ", ".join(f"{form.format(*key)} at {100 * count / total:.0f} %" for key, count in largest)
    return f"fits chosen by their estimated error from {len(chosen)} that are best somewhere: {named}"
