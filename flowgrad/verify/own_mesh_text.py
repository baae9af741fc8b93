"""What the schemes do on a user's mesh, as text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference, Scheme
from flowgrad.kinematics.on_mesh import inverted_cells
from flowgrad.typing import FloatArray, IntArray
from flowgrad.verify.own_mesh import Trial, Tried, trials
from flowgrad.verify.table import short

# Places that are named, of those of a kind.
_NAMED = 3


def lines(user: Flow) -> Iterator[tuple[str, bool]]:
    """The mesh, a table for each place, and the trouble spots; each line with whether it passed."""
    groups = list(trials(user))
    made = groups[0].made
    kinds = ", ".join(f"{count} {name}" for name, count in user.mesh.type_counts().items()) or "no cells"
    yield f"{user.name}: {user.mesh.point_count} points, {kinds}; velocity at {user.location}", True
    yield (
        f"put on it: a smooth flow with waves of {made.wavelength:.3g}, {made.wavelength / made.spacing:.0f} times "
        f"the spacing of the {user.location}",
        True,
    )
    for trial in groups:
        yield from _table(trial)
    yield from ((line, True) for line in _trouble(groups))


def _table(trial: Trial) -> Iterator[tuple[str, bool]]:
    user, count = trial.made.user, len(trial.chosen)
    yield "", True
    yield f"gradient at {trial.at}, from values at {user.location}: errors over the rms |L|", True
    if count < trial.usable.sum():
        yield f"  (at {count} of {trial.usable.sum()} {trial.at}, chosen at random)", True
    if not len(user.mesh):
        yield "  (points without cells do not tell which lie at a boundary)", True
    yield f"  {'':<18}{'inside':<9}{'boundary':<10}{'largest':<9}{'estimated':<11}{'est./true':<11}linear flow", True
    for each in trial.tried:
        passed = each.linear <= trial.tolerance
        yield _row(trial, each, passed), passed
    if trial.left_out:
        yield f"  left out, to be done in time: {', '.join(trial.left_out)}", True
    yield from ((f"  not here: {reason}", True) for reason in trial.refused)
    if trial.tried:
        yield from ((f"  {line}", True) for line in _advice(trial))


def _row(trial: Trial, each: Tried, passed: bool) -> str:
    d = each.deviation
    linear = "curved" if trial.made.directions.curved else f"{each.linear:.0e} {'ok' if passed else 'FAIL'}"
    auto = "  <- auto" if each.scheme == trial.auto else ""
    return (
        f"  {each.name:<18}{_number(d.interior):<9}{_number(d.boundary):<10}{_number(d.largest):<9}"
        f"{_number(each.estimated):<11}{each.effectivity:<11.2f}{linear}{auto}"
    )


def _number(value: float) -> str:
    return "-" if np.isnan(value) else short(value)


def _advice(trial: Trial) -> Iterator[str]:
    """Which scheme is best, where it is worst, and how the one that is taken by itself compares."""
    best = min(trial.tried, key=_overall)
    worst = trial.chosen[best.deviation.worst]
    ratio = best.deviation.largest / best.deviation.overall
    yield f"best {'of these' if trial.left_out else 'here'}: --scheme '{_typed(best.scheme)}'"
    yield f"its largest error, {ratio:.0f} times its mean, is at {trial.at[:-1]} {worst} {_at(trial.places[worst])}"
    taken = next((each for each in trial.tried if each.scheme == trial.auto), None)
    if taken is best:
        yield "auto takes it"
    elif taken is not None:
        ratio = taken.deviation.overall / best.deviation.overall
        yield f"auto takes {_typed(taken.scheme)}, whose error is {ratio:.3g} times as large"


def _overall(each: Tried) -> float:
    error = each.deviation.overall
    return np.inf if np.isnan(error) else error


def _typed(scheme: Scheme) -> str:
    """A scheme as it is typed."""
    if isinstance(scheme, FiniteDifference):
        return f"finite-difference(order={scheme.order})"
    return "autodiff"


def _trouble(groups: list[Trial]) -> Iterator[str]:
    """Cells and points that deserve a look."""
    found = list(_cells(groups[0].made.user)) + [line for trial in groups for line in _fits(trial)]
    yield ""
    yield "trouble spots" if found else "trouble spots: none"
    yield from (f"  {line}" for line in found)


def _cells(user: Flow) -> Iterator[str]:
    mesh = user.mesh
    if not len(mesh):
        return
    kinds = {
        "inverted (negative volume)": inverted_cells(mesh),
        "without volume, which have no gradient": mesh.is_full & ~(mesh.measures > 0),
    }
    for what, mask in kinds.items():
        if mask.any():
            yield _named(f"cells {what}", np.flatnonzero(mask), len(mesh), mesh.centroids)
    used = np.zeros(mesh.point_count, bool)
    used[mesh.cells.connectivity] = True
    if not used.all():
        yield _named("points in no cell", np.flatnonzero(~used), len(used), mesh.points)


def _fits(trial: Trial) -> Iterator[str]:
    total = len(trial.chosen)
    for each in trial.tried:
        if len(each.lowered):
            what = f"{trial.at} have too few samples around for {each.name}"
            yield _named(what, each.lowered, total, trial.places)
        if each.deviation.missing:
            yield f"{each.deviation.missing} of {total} {trial.at} have no gradient with {each.name}"


def _named(what: str, numbers: IntArray, total: int, where: FloatArray) -> str:
    first = ", ".join(f"{n} {_at(where[n])}" for n in numbers[:_NAMED])
    return f"{len(numbers)} of {total} {what}: {first}{', …' if len(numbers) > _NAMED else ''}"


def _at(position: FloatArray) -> str:
    return "(" + ", ".join(f"{x:.4g}" for x in position) + ")"
