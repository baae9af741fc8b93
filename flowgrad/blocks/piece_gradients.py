"""Gradients in a piece of a mesh, the same as in the whole.

How far a gradient reaches is known for each scheme: the mesh's interpolant at cells takes the cell's own points, at
points the cells around it; order 1 at cells the cells that share a point with it, at points those of the cells around.
Local fits take as many rings of neighbours as hold enough samples, which no number bounds. There every search is
watched: one that comes upon a sample whose neighbours are not all there asks for more layers, until none does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from flowgrad.blocks.layers import Surroundings
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.autodiff import Autodiff
from flowgrad.gradient.directions import Directions
from flowgrad.gradient.least_squares import CellFits, PointMeans
from flowgrad.gradient.local_fits import LocalFits, Stencils
from flowgrad.gradient.neighbourhoods import Samples, Search
from flowgrad.gradient.one_sided import between_boundaries
from flowgrad.gradient.operator import Gradients, Operator, Scheme
from flowgrad.gradient.polynomial_fits import PolynomialFits
from flowgrad.mesh.cells import dimension_of
from flowgrad.typing import BoolArray

# Layers that fits begin with; the boundaries of the cells around a point are right with two.
_FIRST = 3
# Cells of blocks that may be a lattice, where finite differences would run along its axes.
_OF_LATTICES = frozenset((8, 9, 11, 12))


class NotEnoughLayersError(Exception):
    """A neighbourhood reaches beyond the layers that were read."""


def layers_of(scheme: Scheme, location: str, at: str) -> int:
    """The layers that a scheme needs around a piece; of local fits those to begin with."""
    if isinstance(scheme, Autodiff):
        return 1  # at cells for those of lower dimension, which carry a neighbour's
    compact = getattr(scheme, "order", 0) == 1 and getattr(scheme, "smoothing", 1) == 1 and location == "cells"
    if compact and getattr(scheme, "cell_values", "samples") == "samples":
        return 1 if at == "cells" else 2
    return _FIRST


def gradients(around: Surroundings, flow: Flow, scheme: Scheme, at: str) -> Gradients:
    """Gradients at the points or cells of a piece with its layers; those in the piece itself are right.

    Raises NotEnoughLayersError where they may not be, and OptionError where the piece does not tell.
    """
    operator = scheme.prepare(flow, at)
    _check_directions(operator, flow)
    if not isinstance(operator, PolynomialFits):
        return operator.gradients(flow)
    own = around.layer == 0
    wanted = own if at == "cells" else around.points_of(own)
    _check_layers(around, flow, at)
    fits = operator.fits
    watched = _Watched(
        fits.samples,
        fits.targets.without(~wanted),
        fits.directions,
        fits.order,
        fits.smoothing,
        fits.nodes,
        rim=_rim(around, fits.samples, flow.location),
        touched=np.zeros(len(fits.targets), bool),
    )
    found = replace(operator, fits=watched).gradients(flow)
    if watched.touched[wanted].any():
        raise NotEnoughLayersError
    return found


@dataclass(frozen=True, eq=False)
class _Watched(LocalFits):
    """Fits that note which targets (m,) have ``touched`` samples (n,) of the ``rim``."""

    rim: BoolArray = field(kw_only=True)
    touched: BoolArray = field(kw_only=True)

    def _fitted(self, chosen: np.ndarray, growth: float, second: bool, search: Search) -> Stencils:
        found = super()._fitted(chosen, growth, second, search)
        targets = self.targets[chosen]
        rows = np.arange(len(chosen))
        near = np.bincount(np.repeat(rows, np.diff(found.start)), self.rim[found.samples], len(chosen)) > 0
        seeded = np.bincount(np.repeat(rows, np.diff(targets.start)), self.rim[targets.seeds], len(chosen)) > 0
        own = (targets.own >= 0) & self.rim[targets.own]
        self.touched[chosen] |= near | seeded | own
        return found


def _rim(around: Surroundings, samples: Samples, location: str) -> BoolArray:
    """Samples whose neighbours are not all there, and those next to one that searches go through without a word."""
    inner = around.layer < around.depth
    rim = ~inner if location == "cells" else ~around.points_of(inner)
    owner = np.repeat(np.arange(len(rim)), np.diff(samples.start))
    while True:
        silent = rim & ~samples.usable
        more = np.bincount(owner, silent[samples.neighbours], len(rim)) > 0
        if not (more & ~rim).any():
            return rim
        rim = rim | more


def _check_directions(operator: Operator, flow: Flow) -> None:
    """OptionError where the piece looks thin and would be differentiated in other directions than the whole."""
    found: Directions | None = None
    if isinstance(operator, PointMeans):
        found = operator.cells.directions
    elif isinstance(operator, CellFits):
        found = operator.directions
    elif isinstance(operator, PolynomialFits):
        found = operator.fits.directions
    if found is not None and (found.free < 3 or found.turned or found.curved):
        raise OptionError(
            f"{flow.name}: a piece is one cell thick, so that it does not tell what the whole does: give a larger "
            "--block-memory to take the file as a whole"
        )


def _check_layers(around: Surroundings, flow: Flow, at: str) -> None:
    """OptionError for cells between two boundaries, of which the whole says whether they resolve a direction."""
    if flow.location != "cells":
        return
    chosen = around.layer <= (0 if at == "cells" else 1)
    if chosen[between_boundaries(flow.mesh)].any():
        raise OptionError(
            f"{flow.name}: has cells between two boundaries, layers one cell thick perhaps, which are not known by "
            "pieces: give a larger --block-memory to take the file as a whole"
        )


def check_scheme(
    name: str, scheme: Scheme, types: frozenset[int], is_thick: bool, axisymmetric: str | None, advice: str
) -> None:
    """OptionError for schemes and meshes of which the whole decides what is done."""
    if isinstance(scheme, Autodiff):
        if max(dimension_of(each) for each in types) == 3 and not is_thick and axisymmetric != "none":
            raise OptionError(
                f"{name}: the mesh may be a wedge, which pieces do not tell: say --axisymmetric none, or {advice}"
            )
        return
    order, lattice = getattr(scheme, "order", None), getattr(scheme, "lattice", None)
    if order is None:
        raise OptionError(f"{name}: a gradient taken from the file is not known by pieces: {advice}")
    if not is_thick:
        raise OptionError(
            f"{name}: the mesh is planar or one cell thick, where fits depend on the whole of it: choose --scheme "
            f"autodiff, or {advice}"
        )
    if lattice or (lattice is None and order > 1 and types <= _OF_LATTICES):
        raise OptionError(
            f"{name}: its cells may be a lattice, which pieces do not tell: say --scheme "
            f"'finite-difference(order={order}, lattice=False)', or {advice}"
        )
