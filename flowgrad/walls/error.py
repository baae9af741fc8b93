"""Estimated error of the shear rate on walls: from other schemes' gradients there, or the decay of the cells' degrees.

No single comparison is honest on walls. A finer fit through the same velocity on the wall shares the fault of that
value: beside a finite-volume solver's walls, which the half-cell difference shifts, fits of all orders agree and are
wrong together. So a fit that does not know the wall takes part in it, and the squares of both differences add up
(:meth:`flowgrad.gradient.scheme.Scheme.rivals`). High-order cells have no finer fit: their degrees tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from flowgrad.errors import FlowgradError
from flowgrad.flow import Flow
from flowgrad.gradient import Autodiff, Scheme
from flowgrad.gradient.degree_decay import degree_changes, degrees
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.typing import FloatArray

# Above this part of the shear rate an estimate does not tell how large the error is, only that it is large.
ASYMPTOTIC = 0.3

# L (q, 3, 3) at the sites by a scheme, of the flow as it is or without the velocities known on its boundary.
Differentiate = Callable[[Flow, Scheme], FloatArray]


def shear_rates(L: FloatArray, normals: FloatArray) -> FloatArray:
    """Tangential part of −2D·n (q, 3)."""
    rate = np.einsum("nij,nj->ni", L + L.transpose(0, 2, 1), normals)
    return np.asarray((rate * normals).sum(axis=1, keepdims=True) * normals - rate)


def error_of_shear_rate(
    flow: Flow, sites: FaceSites, scheme: Scheme, L: FloatArray, differentiate: Differentiate
) -> tuple[FloatArray, str]:
    """Estimated error of the shear rate at the sites (q,), NaN where there is none, and what it is from."""
    if isinstance(scheme, Autodiff) and not sites.is_flat:
        return _of_degrees(flow, sites, L), "the decay of the cells' degrees"
    own, squares, names = shear_rates(L, sites.normals), np.zeros(len(L)), []
    try:
        for rival, knows_walls, weight in scheme.rivals(flow):
            seen = flow if knows_walls else replace(flow, boundary=())
            difference = shear_rates(differentiate(seen, rival), sites.normals) - own
            squares += weight * (difference**2).sum(axis=1)
            names.append(f"{rival}{'' if knows_walls else ' without the walls'}")
    except FlowgradError as error:
        return np.full(len(L), np.nan), str(error)
    return np.sqrt(squares), " and ".join(names)


def _of_degrees(flow: Flow, sites: FaceSites, L: FloatArray) -> FloatArray:
    """e_p = e_{p−1} (e_{p−1}/|D|)^{1/(p−1)}."""
    probes = sites.probes
    changes = degree_changes(flow.mesh.points, probes, sites.xi, flow.velocity, L)
    change = np.sqrt((shear_rates(changes, sites.normals) ** 2).sum(axis=1))
    # |D| in place of |∇v|: a flow that turns as one besides has the same shear rates and the same errors of them.
    size = 0.5 * np.sqrt(((L + L.transpose(0, 2, 1)) ** 2).sum(axis=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        # Where D vanishes, as where a flow separates, the change itself is what is known.
        decay = np.where(change < size, change / size, 1.0)
        return np.asarray(change * decay ** (1 / (degrees(probes) - 1)))
