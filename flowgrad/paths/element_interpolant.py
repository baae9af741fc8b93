"""Interpolant on meshes with curved cells: the shape functions of the cells, in the curved cells themselves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import product

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import PreparedGradient, Scheme
from flowgrad.mesh import Mesh, ReferenceCell
from flowgrad.mesh.bounding_tree import BoxTree
from flowgrad.mesh.cells import Cells, offsets
from flowgrad.mesh.locate import INSIDE, cell_boxes
from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.linear import LINEAR_TYPES
from flowgrad.mesh.simplices import normal_of_motion
from flowgrad.paths.field import Advance, Interpolant, Stages
from flowgrad.paths.mesh_interpolant import known_components, velocity_at_points
from flowgrad.paths.modal_kernels import evaluate_modes, step_elements, trace_elements
from flowgrad.paths.plane import PathPlane, in_plane
from flowgrad.typing import BoolArray, FloatArray, IntArray

# A mode is that of a cell if a coefficient of its functions is above this; others are rounding.
_ROUNDING = 1e-12


def has_curved_elements(mesh: Mesh) -> bool:
    """Whether cells have nodes besides their corners, and all of them shape functions."""
    full = [block.reference for block in mesh.blocks if block.reference.dimension == mesh.dimension]
    return any(each.is_curved for each in full) and all(each.has_interpolant for each in full)


@dataclass(frozen=True, eq=False)
class Modes:
    """The space of a reference cell in products of polynomials that keep their digits: their ``degrees`` (m, 4), and
    the coefficients ``of_nodes`` (k, m) of its shape functions. The first ``simplicial`` coordinates have powers, with
    those of the last barycentric coordinate (Bernstein's polynomials), the others Legendre polynomials.

    Those of a pyramid are polynomials of the coordinates of the unit cube that collapses into it, which then are its
    reference coordinates. ``walls`` (w, 4) are half-spaces, of which ξ is inside where walls·(ξ, 1) ≤ 0; from the
    ``starts`` (s, 3), the centre first, positions are looked for.
    """

    degrees: IntArray
    of_nodes: FloatArray
    walls: FloatArray
    starts: FloatArray
    simplicial: int

    @classmethod
    def of(cls, reference: ReferenceCell) -> Modes:
        """By least squares at Gauss's points, which fit the functions to rounding."""
        assert reference.family is not None
        is_cube = reference.family is shapes.PYRAMID
        shape = shapes.HEXAHEDRON if is_cube else reference.family
        dimension, p = reference.dimension, reference.degree
        sites, weights = shape.gauss(p + 1)
        values = reference.values(shapes.PYRAMID.collapse(sites) if is_cube else sites)
        degrees = _degrees(dimension, shape.simplicial, p)
        modes = np.empty((len(sites), len(degrees)))
        evaluate_modes(shape.simplicial, p, degrees, np.pad(sites, ((0, 0), (0, 3 - dimension))), modes)
        Q, R = np.linalg.qr(np.sqrt(weights)[:, None] * modes)
        of_nodes = np.linalg.solve(R, Q.T @ (np.sqrt(weights)[:, None] * values)).T
        own = np.abs(of_nodes).max(axis=0) > _ROUNDING
        starts = np.vstack([shape.center, (shape.center + shape.corners) / 2])
        flat = 3 - dimension
        starts = np.pad(starts, ((0, 0), (0, flat)))
        walls = np.insert(shape.walls, [dimension] * flat, 0.0, axis=1)
        return cls(degrees[own], of_nodes[:, own], walls, starts, shape.simplicial)


def _degrees(dimension: int, simplicial: int, p: int) -> IntArray:
    """The degrees (m, 4) of all modes of a degree."""
    shares = [row for row in product(range(p + 1), repeat=simplicial + 1) if sum(row) == p] if simplicial else [(0,)]
    rest = product(range(p + 1), repeat=dimension - simplicial)
    rows = [(*own[:-1], *others, *(0,) * (3 - dimension), own[-1]) for own, others in product(shares, rest)]
    return np.array(rows)


class ElementInterpolant(Interpolant):
    """The velocity v(ξ) = Σ N_a(ξ) v_a where x(ξ) = Σ N_a(ξ) x_a, with the shape functions N_a of the cells, and its
    gradient there.

    Exact for what the elements contain, linear fields at least; of the elements' order for others. Continuous where
    the cells share the nodes of their faces. Planar meshes carry particles in their own plane. Nodes without a velocity
    leave a hole, the cells around them. MeshError for a mesh on a curved surface.
    """

    # L jumps from cell to cell.
    rtol = 1e-4

    def __init__(self, flow: Flow, scheme: Scheme | str = "auto") -> None:
        mesh = flow.mesh.joined
        self.notes = mesh.cells.notes
        normal = normal_of_motion(mesh)
        if mesh.dimension == 2:
            area = float(mesh.measures[mesh.is_full].mean())
            self.plane = PathPlane.around(normal, mesh.structure.used_points, area)
        self._blocks = [block for block in mesh.blocks if block.reference.dimension == mesh.dimension]
        self._modes = [Modes.of(block.reference) for block in self._blocks]
        self._tabulate(mesh, normal)
        self._at_points, self._at_cells = PreparedGradient(scheme, "points"), PreparedGradient(scheme, "cells")

    def _tabulate(self, mesh: Mesh, normal: FloatArray) -> None:
        """The cells as the kernels read them, block after block."""
        sizes = [len(own.degrees) for own in self._modes]
        counts = [len(block.cells) for block in self._blocks]
        first = offsets(np.array(sizes))
        own_degrees = [(own.degrees.max(), own.simplicial) for own in self._modes]
        kinds = np.column_stack([first[:-1], first[1:], own_degrees])
        kind = np.repeat(np.arange(len(sizes)), counts)
        start = offsets(np.repeat(sizes, counts))[:-1]
        self._tables = (
            kinds,
            np.concatenate([own.degrees for own in self._modes]),
            _stacked([own.walls for own in self._modes], [0.0, 0.0, 0.0, -np.inf]),
            kind,
            start,
            self._of_nodes(mesh.points),
            normal,
        )
        self._starts = _stacked([own.starts for own in self._modes])
        numbers = np.concatenate([block.cells for block in self._blocks])
        low, high = (each[numbers] for each in cell_boxes(mesh, INSIDE))
        tree = BoxTree.of(low, high, np.arange(len(numbers)))
        self._search = np.hstack([low, high]), tree.boxes, tree.members
        self._beside = _neighbours(mesh, numbers)

    def _of_nodes(self, values: FloatArray) -> FloatArray:
        """Coefficients (t, 3) of the modes of all cells, of values at the points of the mesh."""
        parts = []
        for block, own in zip(self._blocks, self._modes, strict=True):
            assert block.rows is not None
            parts.append(np.matmul(own.of_nodes.T, values[block.rows]).reshape(-1, 3))
        return np.concatenate(parts)

    def nodal(self, flow: Flow) -> FloatArray:
        """Coefficients (t, 3) of the velocity, of a flow on the same mesh."""
        flow = flow.joined
        v = flow.velocity
        if flow.location == "cells":
            if self.plane is not None:
                flow = dataclasses.replace(flow, out_of_plane="zero")
            found = (known_components(each.of(flow)) for each in (self._at_points, self._at_cells))
            v = velocity_at_points(flow, *found)
        return self._of_nodes(v if self.plane is None else v @ self.plane.inward)

    def advance(self, nodal: FloatArray, weights: FloatArray, step: Stages, cells: IntArray) -> Advance:
        """Stages of a step through the cells."""
        made = step.made()
        origin = np.zeros(3) if self.plane is None else self.plane.origin
        places = self._tables, self._starts, self._search, origin
        step_elements(*places, nodal, weights, step.y, step.rates, step.h, cells, step.stages, step.within, made)
        return made

    def trace(self, nodal: FloatArray, way: FloatArray, cells: IntArray, inside: BoolArray) -> None:
        """From cell to cell across their faces: not through plates."""
        x = in_plane(way, self.plane)
        trace_elements(self._tables, self._starts, self._search, self._beside, nodal, x, cells, inside)


def _stacked(parts: list[FloatArray], fill: list[float] | None = None) -> FloatArray:
    """Arrays (n, c) of different lengths as one (parts, n, c), the shorter ones filled up, or by their first row."""
    length = max(len(part) for part in parts)
    rows = [np.vstack([part, *[part[0] if fill is None else fill] * (length - len(part))]) for part in parts]
    return np.ascontiguousarray(np.stack(rows))


def _neighbours(mesh: Mesh, numbers: IntArray) -> tuple[IntArray, IntArray]:
    """The cells that have a face in common with each of the cells ``numbers`` (n,): offsets (n + 1,) and their places
    in these. Faces are told by their corners: a straight cell may lie beside a curved one."""
    cells = mesh.cells
    types, keep = cells.types.copy(), np.ones(len(cells.connectivity), bool)
    for block in mesh.blocks:
        if block.reference.is_curved:
            assert block.reference.family is not None
            types[block.cells] = LINEAR_TYPES[block.reference.family.name]
            corners = len(block.reference.family.corners)
            keep[(cells.offsets[block.cells][:, None] + np.arange(corners, block.reference.size)).ravel()] = False
    start = np.append(0, np.cumsum(keep))[cells.offsets]
    straight = Mesh(mesh.points, Cells(types, start, cells.connectivity[keep]), plates=mesh.plates)
    straight.__dict__["joints"] = None  # they are joined already
    place = np.full(len(cells), -1)
    place[numbers] = np.arange(len(numbers))
    first, second = place[straight.topology.pairs].T
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.argsort(one, kind="stable")
    return offsets(np.bincount(one, minlength=len(numbers))), other[order]
