"""Choice among local fits at scattered points, on meshes, and at places other than the samples'.

Fits are compared at some of the places; others take the fit of the nearest of these.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.gradient.local_fits.operator import samples_of, spread_of, targets_at
from flowgrad.gradient.scheme import Operator, Where, boundary_samples, on_owners, patch_faces
from flowgrad.gradient.smooth.choice import choose_fits
from flowgrad.gradient.smooth.nearest_fits import NearestFits
from flowgrad.gradient.smooth.nearest_ladder import NearestLadder, ladder_keys
from flowgrad.gradient.smooth.neighbours import Grown, Nearest, Neighbours
from flowgrad.gradient.smooth.parts import NearestPart, Smoothed, chosen_text
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Places at which fits are compared.
_PLACES = 1200
# Places are seeds of their fits, which do not go through the samples there.
_SEEDED = 1.5


def by_nearest_samples(flow: Flow, at: Where, deviation: FloatArray, outlier: BoolArray, notes: list[str]) -> Operator:
    """Fits to the nearest samples, for noise of the standard deviation (n, 3); an ``outlier`` (n,) has no part.
    MeshError on curved surfaces."""
    from scipy.spatial import cKDTree

    known = samples_of(flow, 1, _SEEDED)
    left_out = np.append(outlier, np.zeros(len(known.usable) - len(outlier), bool))
    known = replace(known, usable=known.usable & ~left_out)
    along = directions(flow.mesh, spread_of(flow, known))
    if along.curved or not along.free:
        raise MeshError(f"{flow.name}: smooth takes no curved surfaces: choose finite-difference(order=1)")
    basis, used = along.basis[: along.free], np.flatnonzero(known.usable)
    values = boundary_samples(flow) if flow.location == "cells" else flow.velocity
    targets, exact = targets_at(flow, at, known, _SEEDED), used >= len(deviation)
    samples, places = (np.ascontiguousarray(x @ basis.T) for x in (known.positions[used], targets.positions))
    tree, has_place = cKDTree(samples), finite_rows(places)
    around: Neighbours = Grown(known, targets, used) if flow.mesh.dimension else Nearest(tree, places)
    if isinstance(at, str) and at == "cells":
        has_place &= flow.mesh.is_full
    if isinstance(at, str) and at == flow.location:
        has_place &= finite_rows(flow.velocity)
    good = np.flatnonzero(has_place)
    some = good[_some(places[good])]
    components = np.flatnonzero((values[used] != 0).any(axis=0))
    most = max(k for _, k in ladder_keys(along.free, len(used)))
    given = (samples, np.ascontiguousarray(values[used][:, components]), exact)
    ladder = NearestLadder(*given, places[some], *around[some].nearest(most + 1)[::-1])
    noisy = cKDTree(samples[~exact]).query(places[some])[1]
    choice = choose_fits(ladder, np.nan_to_num(deviation)[used[~exact][noisy]][:, components])
    nearest = cKDTree(places[some]).query(places[good])[1]
    parts = []
    for i in np.unique(choice.number[nearest]):
        rows = good[choice.number[nearest] == i]
        fits = NearestFits(samples, exact, places[rows], around[rows], ladder.keys[i])
        parts.append(NearestPart(rows, fits, used, basis))
    bias = np.zeros((len(places), 3, 3))
    bias[np.ix_(good, components)] = choice.bias[nearest] @ basis**2
    missing = np.ones(len(places), bool)
    missing[good] = False
    text = chosen_text([(part.fits.key, len(part.rows)) for part in parts], "order {}, {} nearest samples")
    faces = patch_faces(flow.boundary) if flow.location == "cells" else None
    about = {"notes": (*notes, *along.notes, text), "faces": faces}
    operator = Smoothed(values, values, tuple(parts), bias, missing, outlier, **about)  # type: ignore[arg-type]
    return on_owners(flow.mesh, operator) if isinstance(at, str) and at == "cells" else operator


def _some(places: FloatArray) -> IntArray:
    """Rows of some of many places (m, r), spread over them: by their distance from the middle, so that neither a
    rotation nor another numbering changes them."""
    if len(places) <= _PLACES:
        return np.arange(len(places))
    order = np.argsort(((places - places.mean(axis=0)) ** 2).sum(axis=1), kind="stable")
    return np.sort(order[np.linspace(0, len(places) - 1, _PLACES).astype(np.int64)])
