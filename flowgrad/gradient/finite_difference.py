"""Finite differences: along the axes of lattices, and by local polynomial fits everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.cell_least_squares import prepare_compact
from flowgrad.gradient.lattice import lattice_operator
from flowgrad.gradient.local_fits.operator import prepare_fits, prepare_on_boundary
from flowgrad.gradient.scheme import Operator, Scheme, Where, register_scheme
from flowgrad.mesh import Lattice
from flowgrad.typing import IntArray

# Orders of local fits. The error of order 4 is estimated with order 5.
_HIGHEST = 5
_ON_LATTICES = (2, 4, 6, 8)
CELL_VALUES = ("samples", "averages")


@dataclass(frozen=True)
class FiniteDifference(Scheme):
    """Differences along the axes of a lattice, or local polynomial fits; exact for degree ``order``.

    On lattices the order is even, elsewhere 1 to 4 (5 is there to tell the error of 4): what a
    neighbourhood cannot support is lowered there and counted. ``lattice`` insists on the one (True) or
    the other (False); None takes the lattice where the data form one. ``cell_values`` says whether
    values at cells are ``samples`` at the centroids or ``averages`` over the cells. ``smoothing`` fits to so
    many times the samples that are needed, and no longer through the target's own value: for noisy data.
    """

    shown: ClassVar[tuple[str, ...]] = ("order",)

    order: int = 2
    cell_values: str = "samples"
    smoothing: float = 1.0
    lattice: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.order, int) or isinstance(self.order, bool) or self.order < 1:
            raise OptionError(f"finite-difference(order={self.order!r}): give 1 to 4, or on lattices 2, 4, 6, 8")
        if self.cell_values not in CELL_VALUES:
            raise OptionError(f"cell_values='{self.cell_values}' is unknown: choose one of {', '.join(CELL_VALUES)}")
        if not 1 <= self.smoothing <= 100:
            raise OptionError(f"smoothing={self.smoothing}: give 1 (none) to 100 times the samples that are needed")
        if self.lattice not in (None, True, False):
            raise OptionError(f"lattice={self.lattice!r}: give True or False, or leave it out")

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for the mesh of a flow; its boundary values take part in fits to cell values.

        Raises OptionError for an order or an option that does not fit the data.
        """
        mesh, with_walls = flow.mesh, flow.location == "cells" and bool(flow.boundary)
        wanted = self.may_use_lattice(flow.location, at) and not with_walls
        if wanted and (isinstance(mesh, Lattice) or mesh.structure.lattice is not None):
            found = lattice_operator(flow, self.order)
            if found is not None:
                return found
        if self.lattice:
            raise OptionError(f"{flow.name}: {self._why_no_lattice(flow, at)}: use finite-difference(lattice=False)")
        self._check_order(flow)
        if self.is_compact and flow.location == "cells":
            return prepare_compact(flow, at)
        return prepare_fits(flow, at, self.order, self.smoothing, averages=self.cell_values == "averages")

    def prepare_on_boundary(self, flow: Flow, faces: IntArray) -> Operator:
        """The operator for gradients on boundary faces (k,), rows of ``mesh.topology.boundary``: local fits through
        the values known there. OptionError for an order or an option that does not fit the data."""
        if self.lattice:
            raise OptionError(f"{flow.name}: walls need local fits: use finite-difference(lattice=False)")
        self._check_order(flow)
        return prepare_on_boundary(flow, faces, self.order, self.smoothing, averages=self.cell_values == "averages")

    @property
    def is_compact(self) -> bool:
        """Whether values at cells are fitted over the nearest neighbours alone."""
        return self.order == 1 and self.smoothing == 1 and self.cell_values == "samples"

    def _check_order(self, flow: Flow) -> None:
        if self.order > _HIGHEST:
            raise OptionError(
                f"{flow.name}: finite-difference(order={self.order}) needs a lattice, which the values here do not "
                f"form: choose an order from 1 to 4{', or autodiff' if flow.location == 'points' else ''}"
            )

    def may_use_lattice(self, location: str, at: Where) -> bool:
        """Differences along axes are taken where the values are, and of no averages."""
        plain = self.smoothing == 1 and (self.cell_values == "samples" or location == "points")
        wanted = self.lattice is not False and (self.order > 1 or bool(self.lattice))
        return wanted and plain and isinstance(at, str) and at == location

    def _why_no_lattice(self, flow: Flow, at: Where) -> str:
        if not isinstance(at, str) or at != flow.location:
            return f"on a lattice the gradient is taken where the velocity is, at {flow.location}"
        if self.smoothing != 1 or self.cell_values != "samples":
            return "smoothing and averages are for local fits, not for lattices"
        if flow.location == "cells" and flow.boundary:
            return "the velocities given on the boundary do not lie on the lattice of the cells"
        return f"the {flow.location} do not form a lattice"

    def variants(self, flow: Flow, on_lattice: bool) -> Mapping[str, Scheme]:
        """Every order, along the axes of a lattice and by local fits, which order 1 takes there too."""
        along = {f"lattice, order {p}": FiniteDifference(order=p) for p in _ON_LATTICES if on_lattice}
        lattices = {p: False if on_lattice and p > 1 else None for p in range(1, _HIGHEST)}
        return along | {f"fits, order {p}": FiniteDifference(order=p, lattice=use) for p, use in lattices.items()}


def _finer(scheme: FiniteDifference) -> FiniteDifference:
    """The next higher odd order: where samples lie evenly, the fits of an odd order and the even one after it
    agree, and their difference would say nothing."""
    return replace(scheme, order=scheme.order + 1 + scheme.order % 2)


def _reach(scheme: FiniteDifference, location: str, at: str) -> int:
    """Of compact fits the cells that share a point with one; others search until they have enough samples, beginning
    with three layers, for the boundaries of the cells around a point are right with two."""
    return (1 if at == "cells" else 2) if location == "cells" and scheme.is_compact else 3


register_scheme(
    "finite-difference",
    FiniteDifference,
    summary="a polynomial is fitted to neighbouring values of the velocity, and differentiated",
    finer=_finer,  # type: ignore[arg-type]
    reach=_reach,  # type: ignore[arg-type]
)
