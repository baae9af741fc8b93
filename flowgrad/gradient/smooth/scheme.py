"""Smoothing of noisy velocities: at each place the local polynomial fit of least estimated mean square error."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.lattice import lattice_operator, without_repeats
from flowgrad.gradient.scheme import (
    Operator,
    Scheme,
    Where,
    on_rows,
    register_scheme,
)
from flowgrad.gradient.smooth.choice import Key, choose_fits
from flowgrad.gradient.smooth.lattice_fits import LatticeFits, MadeFits, made_on
from flowgrad.gradient.smooth.nearest_choice import by_nearest_samples
from flowgrad.gradient.smooth.parts import LatticePart, Smoothed, chosen_text
from flowgrad.gradient.smooth.windows import halved_wave
from flowgrad.mesh import Lattice
from flowgrad.noise import FoundNoise
from flowgrad.noise.pseudo_residuals import predictions
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Noise matters that makes differences wrong by more than this part of the rms |L|.
MATTERS = 0.01
# Noise that is given and that which is seen are told apart by such a factor.
_UNLIKE = 1.5
# Missing samples in groups of this size at most are replaced by what is around; larger ones are bodies.
_GROUP = 12


@dataclass(frozen=True)
class SmoothFits(Scheme):
    """For noisy velocities: fits of order and neighbourhood chosen at each place, so that the mean square error of L,
    estimated from the noise and from the fits themselves, is least. The noise is the flow's, or found in the velocity;
    outliers have no part. Where no noise is found L is that of finite-difference(order=2)."""

    finds_noise = True

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for the velocity of a flow, chosen for it."""
        noise = flow.noise
        found = flow.found_noise
        if noise is None and not found.found:
            operator = FiniteDifference(order=2).prepare(flow, at)
            advice = "; give it with noise= to smooth" if found.doubt else ""
            return replace(operator, notes=(*operator.notes, f"{found.sentence}: nothing is smoothed{advice}"))
        deviation = _by_component(found.of_samples if noise is None else noise, len(flow.velocity))
        outlier = found.outlier if found.found else np.zeros(len(flow.velocity), bool)
        notes = [found.sentence if noise is None else _as_given(deviation, found)]
        share = np.nansum(np.nanmean(deviation**2, axis=0)) / max(np.nansum(np.nanvar(flow.velocity, axis=0)), 1e-300)
        if share > 0.5:
            notes.append("the noise is larger than what is left of the velocity without it: little of L is known")
        if outlier.any():
            notes.append(
                f"{outlier.sum()} of {len(outlier)} velocities are outliers by the median test of Westerweel & Scarano "
                "(threshold 2, ε twice the noise) and by what is around: they have no part in any gradient"
            )
        notes += _drowned(flow.velocity, deviation, outlier)
        own = isinstance(at, str) and at == flow.location and not (flow.location == "cells" and flow.boundary)
        if own and isinstance(flow.mesh, Lattice) and not flow.mesh.is_curved:
            return _on_lattice(flow, deviation, outlier, found.window if found.found else 1.0, notes)
        return by_nearest_samples(flow, at, deviation, outlier, notes)


def seen_noise(flow: Flow) -> str:
    """Why the velocity of a flow on a lattice or at scattered points must be smoothed, in one line; empty where it need
    not."""
    is_lattice = isinstance(flow.mesh, Lattice) and not flow.mesh.is_curved
    if flow.boundary or (flow.mesh.dimension and not is_lattice):
        return ""
    found = flow.found_noise
    if not found.found and not (found.doubt and flow.noise is not None):
        return ""
    why = found.sentence if found.found else f"{found.doubt}, and is as given"
    if is_lattice:
        share = _error_of_differences(flow, found.of_samples if found.found else np.asarray(flow.noise))
        if share < MATTERS:
            return ""
        why += f"; it alone makes differences along the axes wrong by {share:.2g} of the rms |L|"
    return f"{why}: fits are chosen by their estimated error at each place"


def untold_noise(flow: Flow) -> str:
    """What to add to a reason for differences where noise may be there that cannot be told; else nothing."""
    return "" if flow.noise is not None or not flow.found_noise.doubt else f"; {flow.found_noise.sentence}"


def _error_of_differences(flow: Flow, deviation: FloatArray) -> float:
    """The error of central differences on a lattice that noise alone makes, over the rms |L| without it."""
    whole = _lattice_of(flow)
    active = list(whole.active)
    spacings = [np.abs(np.diff(whole.axes[a].coordinates)) * np.linalg.norm(whole.steps[a]) for a in active]
    square = np.nansum(np.nanmean(np.atleast_2d(_by_component(deviation, len(flow.velocity))) ** 2, axis=0))
    noise = float(square * sum(np.mean(0.5 / h**2) for h in spacings))
    operator = lattice_operator(flow, 2)
    L = np.empty((0, 3, 3)) if operator is None else operator.vectors(flow.velocity)
    total = float(np.nanmean(np.nansum(L**2, axis=(1, 2)))) if len(L) else 0.0
    return float(np.sqrt(noise / max(total - noise, 1e-6 * noise))) if noise else 0.0


def _as_given(deviation: FloatArray, found: FoundNoise) -> str:
    """That the noise is given, and what the velocity itself says of it."""
    size, own = (float(np.sqrt(np.nanmean(np.square(each).sum(axis=1)))) for each in (deviation, found.of_samples))
    text = f"the noise of the velocity is as given, {size:.3g} (root mean square)"
    if not found.found:
        return text + (f"; at most {own:.3g} can be told from the flow" if found.doubt and own else "")
    apart = max(own / size, size / own) if size else np.inf
    return text + (f", unlike what is seen in it, {own:.3g}" if apart > _UNLIKE else f"; {own:.3g} is seen in it")


def _by_component(noise: float | FloatArray, count: int) -> FloatArray:
    """Standard deviations (n, 3)."""
    given = np.asarray(noise, float)
    return np.broadcast_to(given[:, None] if given.ndim == 1 else given, (count, 3))


def _on_lattice(flow: Flow, deviation: FloatArray, outlier: BoolArray, window: float, notes: list[str]) -> Operator:
    whole = _lattice_of(flow)
    lattice, used, rows = without_repeats(whole)
    values = flow.velocity
    if used is not None:
        values, outlier, deviation = values[used], outlier[used], deviation[used]
    kept = np.where(outlier[:, None], np.nan, values)
    filled, holes = _filled(lattice, kept)
    made = MadeFits() if holes is not None else made_on(lattice, window)
    fits = LatticeFits(lattice, filled, holes, np.full(3, window), made=made)
    few = fits.at_few_places()
    choice = choose_fits(few, np.nan_to_num(deviation[few.numbers][:, fits.components]))
    dual = np.zeros((3, 3))
    active = list(lattice.active)
    dual[active] = np.linalg.pinv(lattice.steps[active]).T
    number = choice.number[few.nearest]
    parts = tuple(LatticePart(np.flatnonzero(number == i), fits, fits.keys[i], dual) for i in np.unique(number))
    bias = np.zeros((len(values), 3, 3))
    bias[:, fits.components] = (choice.bias @ dual[active] ** 2)[few.nearest]
    missing = ~finite_rows(values) if holes is None else ~finite_rows(values) | holes
    chosen = [(part.key, len(part.rows)) for part in parts]
    form = "order {}, " + " × ".join(["{}"] * fits.rank) + " places to each side"
    about = (*notes, chosen_text(chosen, form), _resolution(lattice, chosen))
    operator = Smoothed(values, filled, parts, bias, missing, outlier, notes=about, faces=_no_faces(flow))
    return operator if used is None else on_rows(operator, rows, used)  # type: ignore[arg-type]


def _resolution(lattice: Lattice, chosen: list[tuple[Key, int]]) -> str:
    """What the fits leave of waves along each axis, at the median of their places (r,), by degree and reaches."""
    told = []
    for i, a in enumerate(lattice.active):
        lengths = np.array([halved_wave(key[0], key[1 + i]) for key, _ in chosen])
        order = np.argsort(lengths)
        counts = np.cumsum(np.array([count for _, count in chosen])[order])
        median = lengths[order][np.searchsorted(counts, counts[-1] / 2)]
        spacing = np.abs(np.diff(lattice.axes[a].coordinates)).mean() * np.linalg.norm(lattice.steps[a])
        told.append(f"{median:.2g} spacings ({median * spacing:.2g} in the unit of the file) along {'xyz'[a]}")
    waves = ", ".join(told)
    return f"at half of the places the fits leave half or less of the gradient of waves shorter than {waves}"


def _drowned(velocity: FloatArray, deviation: FloatArray, outlier: BoolArray) -> list[str]:
    """A warning where there is more noise (n, 3) than flow in velocities (n, 3)."""
    known = finite_rows(velocity) & ~outlier
    noise = float(np.sqrt((deviation[known] ** 2).sum(axis=1).mean())) if known.any() else 0.0
    total = float(np.sqrt(velocity[known].var(axis=0).sum())) if known.any() else 0.0
    flow = np.sqrt(max(total**2 - noise**2, 0.0))
    if noise <= flow or not noise:
        return []
    return [
        f"the noise, {noise:.3g}, is larger than what is left of the differences between velocities without it, "
        f"{flow:.3g}: gradients of this flow are mostly noise; average repeated fields, or take larger windows"
    ]


def _lattice_of(flow: Flow) -> Lattice:
    """The lattice of the samples of a flow that is on one."""
    assert isinstance(flow.mesh, Lattice)
    return flow.mesh if flow.location == "points" else flow.mesh.of_centres


def _no_faces(flow: Flow) -> IntArray | None:
    return np.empty(0, np.int64) if flow.location == "cells" else None


def _filled(lattice: Lattice, values: FloatArray) -> tuple[FloatArray, BoolArray | None]:
    """Values (n, 3) with those that are missing in small groups replaced by predictions from around, and zero in the
    holes (n,) that are left, None where there are none."""
    missing = ~finite_rows(values)
    if not missing.any():
        return values, None
    from scipy.ndimage import label

    groups, _ = label(missing.reshape(lattice.shape[::-1]), np.ones((3, 3, 3)))
    small = missing & (np.bincount(groups.ravel())[groups.ravel()] <= _GROUP)
    result = values.copy()
    if small.any():
        result[small] = predictions(lattice.points, values, np.flatnonzero(small), ~missing)[0]
    holes = missing & ~small
    result[holes] = 0.0
    return result, holes if holes.any() else None


register_scheme(
    "smooth",
    SmoothFits,
    summary="for noisy velocities: polynomials whose order and neighbourhood are chosen at each place from the noise",
)
