"""Standard deviation of the noise of velocities, estimated from themselves with what is uncertain in it.

It is sought where differences, or residuals of local polynomials, no longer fall with their order: those of a smooth
flow go on falling, those of noise have one size. Outliers are left out first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.mesh import Lattice
from flowgrad.noise.differences import (
    SHORTEST,
    WINDOWS,
    differences_along,
    differences_of,
    falls_with_order,
    plateau,
    window_chances,
)
from flowgrad.noise.median_test import median_outliers
from flowgrad.noise.pseudo_residuals import pseudo_residuals
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray

# Noise is found where its size is this part of the velocity's at least: below it are rounding and the tolerances of
# solvers.
_SMALLEST = 1e-3
# Independent noise is preferred where it explains this part of what correlated noise does, or has this chance.
_PREFERRED, _CHANCE = 0.7, 0.01
# More outliers than this part are no outliers, but another flow.
_MOST_OUTLIERS = 0.25
# Places along an axis in a block whose noise is compared with that of others, and by how many standard errors the
# blocks must differ for the noise to change over the field.
_BLOCK, _CHANGES = 12, 2.0
_UNTOLD = "noise of the velocity cannot be told from the flow, whose smallest structures span few samples"
_MAD = 0.6744897501960817


@dataclass(frozen=True, eq=False)
class FoundNoise:
    """Noise of velocities (n, 3): the standard ``deviation`` (3,) by component, its relative standard ``error`` (3,),
    the ``window`` in spacings over which it is a running mean (1: independent), ``local`` (n, 3) where it changes over
    the field, else None, and what is an ``outlier`` (n,). ``found`` is False where the samples show none: the deviation
    is then an upper bound, and ``doubt`` says why none is told, empty where there is none to tell."""

    deviation: FloatArray
    error: FloatArray
    window: float
    found: bool
    outlier: BoolArray
    local: FloatArray | None = None
    doubt: str = ""

    @property
    def of_samples(self) -> FloatArray:
        """The standard deviation of each sample (n, 3)."""
        return np.broadcast_to(self.deviation, (len(self.outlier), 3)) if self.local is None else self.local

    @property
    def sentence(self) -> str:
        """What was found, in one line."""
        if not self.found:
            most = ", ".join(f"{name} {s:.3g}" for name, s in zip("xyz", self.deviation, strict=True) if s > 0)
            doubt = self.doubt + (f": at most {most} (standard deviation)" if most else "")
            return doubt if self.doubt else "no noise is seen in the velocity"
        parts = zip("xyz", self.deviation, self.error, strict=True)
        sizes = ", ".join(f"{name} {s:.3g} ± {100 * e:.0f} %" for name, s, e in parts if s > 0)
        more = f", running means over {self.window:.2g} spacings" if self.window > 1 else ""
        more += ", changing over the field" if self.local is not None else ""
        return f"noise of the velocity found in it: {sizes} (standard deviation){more}"


def noise_of(sites: Lattice | FloatArray, velocity: FloatArray) -> FoundNoise:
    """The noise of velocities (n, 3) at the points of a lattice or at positions (n, 3); NaN are missing, and vectors
    that are exactly zero, of masks and walls, tell nothing."""
    none = np.zeros(len(velocity), bool)
    at_rest = np.logical_and.reduce([column == 0 for column in velocity.T])
    if at_rest.any():
        velocity = np.where(at_rest[:, None], np.nan, velocity)
    # A few samples tell it mostly.
    known = [k for k, column in enumerate(velocity.T) if any(_moves(part) for part in (column[::1009], column))]
    parts = velocity if len(known) == 3 else velocity[:, known]
    if isinstance(sites, Lattice) and (not parts.size or falls_with_order(sites, parts)):
        short = f"noise is not looked for on lattices of fewer than {SHORTEST} places along each axis"
        is_short = parts.size and max(sites.shape) < SHORTEST
        return FoundNoise(np.zeros(3), np.zeros(3), 1.0, False, none, doubt=short if is_short else "")
    first = _estimate(sites, velocity, none)
    if not finite_rows(velocity).any():
        return first
    for _ in range(2):  # outliers that make the noise look larger hide others
        outlier = median_outliers(sites, velocity, first.deviation)
        if outlier.sum() > _MOST_OUTLIERS * len(outlier) or (outlier == first.outlier).all():
            return first
        first = _estimate(sites, np.where(outlier[:, None], np.nan, velocity), outlier)
        if not first.found:
            return first
    return first


def _moves(column: FloatArray) -> bool:
    return bool(((column != 0) & ~np.isnan(column)).any())


def _estimate(sites: Lattice | FloatArray, velocity: FloatArray, outlier: BoolArray) -> FoundNoise:
    parts = [k for k in range(3) if np.nanmax(np.abs(velocity[:, k]), initial=0.0) > 0]
    size = np.sqrt(np.nansum(np.nanvar(velocity[:, parts], axis=0))) if parts else 0.0
    estimate = _on_lattice if isinstance(sites, Lattice) else _scattered
    deviation, error, window, agrees = estimate(sites, velocity[:, parts])  # type: ignore[arg-type]
    matters = bool(size > 0 and np.linalg.norm(deviation) > _SMALLEST * size)
    found = agrees and matters
    three, errors = np.zeros(3), np.zeros(3)
    three[parts], errors[parts] = deviation, error
    local = _local(sites, velocity, three, window) if found and isinstance(sites, Lattice) else None
    return FoundNoise(three, errors, window, found, outlier, local, _UNTOLD if matters and not found else "")


def _on_lattice(lattice: Lattice, velocity: FloatArray) -> tuple[FloatArray, FloatArray, float, bool]:
    found = [differences_of(lattice, column) for column in velocity.T]
    found = [each for each in found if any(stride == 1 for _, _, stride in each.kinds)]
    if len(found) < velocity.shape[1] or not found:
        nothing = np.zeros(velocity.shape[1])
        return nothing, nothing, 1.0, False
    chances = window_chances(lattice, velocity)
    if np.isnan(chances).any():  # a single axis: the window for which most differences agree
        counts = np.array([sum(plateau(each, window)[2] for each in found) for window in WINDOWS])
        chances = np.eye(len(WINDOWS))[0 if counts[0] >= _PREFERRED * counts.max() else int(np.argmax(counts))]
    best = int(np.argmax(chances)) if chances.any() else len(WINDOWS) - 1
    best = 0 if chances[0] > _CHANCE else best
    levels = np.array([[plateau(each, window)[0] for each in found] for window in WINDOWS])
    logs, error, _, seen = zip(*(plateau(each, WINDOWS[best]) for each in found), strict=True)
    spread = chances @ (levels - levels[best]) ** 2
    return np.exp(logs), np.sqrt(np.square(error) + spread), WINDOWS[best], bool(all(seen) and chances.any())


def _scattered(at: FloatArray, velocity: FloatArray) -> tuple[FloatArray, FloatArray, float, bool]:
    residuals = [each for _, each in pseudo_residuals(at, velocity).values()] if velocity.shape[1] else []
    if len(residuals) < 3:
        nothing = np.zeros(velocity.shape[1])
        return nothing, nothing, 1.0, False
    scales = np.stack([np.median(np.abs(each), axis=0) for each in residuals]) / _MAD
    errors = 1.5 / np.sqrt([len(each) for each in residuals])
    least = np.argmin(scales * (1 + errors)[:, None], axis=0)
    lowest = scales[least, np.arange(scales.shape[1])]
    agree = np.abs(scales - lowest) < 0.05 * lowest + 3 * errors[:, None] * lowest
    weights = agree * errors[:, None] ** -2.0
    deviation = (weights * scales).sum(axis=0) / weights.sum(axis=0)
    return deviation, np.full(len(deviation), errors.min()), 1.0, bool((agree.sum(axis=0) >= 3).all())


def _local(lattice: Lattice, velocity: FloatArray, deviation: FloatArray, window: float) -> FloatArray | None:
    """The standard deviation (n, 3) where blocks of the lattice differ in it by more than chance; else None."""
    from scipy.ndimage import map_coordinates

    shape = np.array(lattice.shape[::-1])
    counts = np.maximum(shape // _BLOCK, 1)
    if counts.prod() < 4:
        return None
    edges = [np.linspace(0, n, m + 1).astype(int) for n, m in zip(shape, counts, strict=True)]
    order, axes = 4, [2 - a for a in lattice.active if lattice.shape[a] > 8]
    logs = np.zeros((3, *counts))
    for k in np.flatnonzero(deviation > 0):
        parts = [differences_along(velocity[:, k].reshape(tuple(shape)), axis, order, 1) for axis in axes]
        overall = [np.nanmedian(np.abs(each)) for each in parts]
        for block in np.ndindex(*counts):
            inside = tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, block, strict=True))
            sizes = np.concatenate([np.abs(p[inside]).ravel() / s for p, s in zip(parts, overall, strict=True)])
            sizes = sizes[np.isfinite(sizes)]
            logs[(k, *block)] = np.log(max(float(np.median(sizes)), 1e-3)) if len(sizes) > 20 else 0.0
    samples = len(axes) * np.prod(shape / counts)
    chance = 1.17 * np.sqrt((1 + 0.5 * order) * window / samples)
    active = logs[deviation > 0]
    if active.std() < _CHANGES * chance:
        return None
    centres = [(e[1:] + e[:-1] - 1) / 2 for e in edges]
    places = [np.interp(np.arange(n), c, np.arange(len(c))) for n, c in zip(shape, centres, strict=True)]
    grid = np.stack(np.meshgrid(*places, indexing="ij"))
    maps = [map_coordinates(each, grid, order=1, mode="nearest").ravel() for each in logs]
    shrunk = max(0.0, 1 - (chance / active.std()) ** 2)
    return deviation * np.exp(shrunk * np.stack(maps, axis=1))
