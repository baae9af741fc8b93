"""Eigenvalues beside LAPACK's, and all quantities of L beside L itself."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from flowgrad import QUANTITIES, VelocityGradient, velocity_gradient
from flowgrad.exact import Vortices
from flowgrad.kinematics import inputs_of
from flowgrad.kinematics.registry import INPUTS
from flowgrad.mesh.generate import block
from flowgrad.tensors import complex_eigenvalues, eigenvalues, norm, symmetric
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, fresh, median_time

# Spectra with repeated and nearly repeated eigenvalues, and the distances between these.
_SPECTRA = ([3, 1, 1], [1, 1, -2], [2, 2, 2], [1, 0, 0], [1e8, 1, 1], [5, 5, 0])
_GAPS = (0.0, 1e-14, 1e-10, 1e-6)
# Eigenvalues farther apart than this fraction of |A| are separated.
_SEPARATED = 0.05
_PEER_SECONDS = 4.0


def kinematics(sizes: Sizes) -> Rows:
    """Times and errors of eigenvalues of a million tensors, and the time of all quantities of L."""
    A = np.random.default_rng(0).normal(size=(sizes.positions, 3, 3))
    yield from _eigenvalues("symmetric", symmetric(A), eigenvalues, np.linalg.eigvalsh, 10.0)
    yield from _eigenvalues("general", A, complex_eigenvalues, np.linalg.eigvals, 5.0)
    yield _quantities(sizes)


def _eigenvalues(kind: str, A: np.ndarray, ours: Callable, peer: Callable, asked: float) -> Rows:
    name = f"numpy.linalg.{peer.__name__}"
    what = f"eigenvalues of {len(A):,} {kind} tensors"
    yield Speed(what, median_time(lambda: ours(A)), name, median_time(lambda: peer(A), _PEER_SECONDS), asked)
    hard = _multiple(len(A) // 20) if kind == "symmetric" else A
    also = ", repeated and nearly repeated ones too" if kind == "symmetric" else ", separated ones"
    errors = [_largest_error(each, ours(each), peer(each)) for each in (A, hard)]
    yield Accuracy(f"{what}{also}: largest difference over the norm", (max(errors),), name, (1e-12,))


def _multiple(count: int) -> np.ndarray:
    """Symmetric tensors with eigenvalues that coincide or nearly do."""
    rng = np.random.default_rng(1)
    Q = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    spectra = [np.array(s, float) + gap * rng.normal(size=(count, 3)) for s in _SPECTRA for gap in _GAPS]
    return symmetric(np.concatenate([(Q * each[:, None]) @ Q.swapaxes(1, 2) for each in spectra]))


def _largest_error(A: np.ndarray, found: np.ndarray, expected: np.ndarray) -> float:
    """Over |A|, where the eigenvalues of general tensors are separated; in whatever order."""
    if np.isrealobj(found):
        return float((np.abs(np.sort(found) - expected).max(axis=1) / norm(A)).max())
    orders = (list(order) for order in itertools.permutations(range(3)))
    errors = np.min([np.abs(found[:, order] - expected).max(axis=1) for order in orders], axis=0)
    pairs = ((0, 1), (1, 2), (0, 2))
    gaps = np.min([np.abs(expected[:, i] - expected[:, j]) for i, j in pairs], axis=0)
    separated = gaps > _SEPARATED * norm(A)
    return float((errors / norm(A))[separated].max())


def quantities_of_L() -> list[str]:
    """The quantities that need nothing else."""
    return [name for name in QUANTITIES if not inputs_of(name) & INPUTS.keys()]


def _quantities(sizes: Sizes) -> Speed:
    """On the points of a block of tetrahedra; the velocity's gradient with all topology."""
    mesh = block("tetra", round(sizes.positions ** (1 / 3)), 2 * np.pi)
    velocity = Vortices().velocity(mesh.points)
    gradient = velocity_gradient(fresh(mesh, velocity), at="points")
    names = quantities_of_L()

    def all_quantities() -> None:
        found = VelocityGradient(gradient.L)
        for name in names:
            found[name]

    what = f"all {len(names)} quantities of L, {len(gradient):,} points"
    whole = median_time(lambda: velocity_gradient(fresh(mesh, velocity), at="points"), _PEER_SECONDS)
    return Speed(what, median_time(all_quantities), f"12 times L itself ({gradient.scheme})", 12 * whole, 1.0)
