"""Recognition of the node set of Lagrange cells: straight edges, and straight cells, show where their nodes sit.

VTK's definition says equispaced nodes and files do not say what they hold; but solvers write Gauss–Lobatto nodes as
they are (Neko's VTKHDF files since 2026, DOLFINx's from degree 3 on). Where no edge is straight VTK's definition holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from flowgrad.mesh.cells import Block, Cells
from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.reference.linear import off_straight
from flowgrad.mesh.reference.node_sets import EQUISPACED, NODE_SETS, TOLD_APART, gauss_lobatto, whole
from flowgrad.typing import FloatArray, IntArray

# Cells of a block that are looked at.
_MANY = 10_000
# Nodes lie where a set has them up to this fraction of an edge: float32 files with cells of a thousandth of their
# coordinates. They tell it from another that they fit worse by this factor; whole cells tell sets that are one along
# edges from the first of them by another.
_FITS, _WORSE, _WORSE_INSIDE = 1e-3, 10.0, 3.0
_GAUSS_LOBATTO = tuple(name for name in NODE_SETS if name != EQUISPACED.name)


def with_node_set(points: FloatArray, cells: Cells) -> Cells:
    """The cells with the node set that most of their straight edges show, equispaced nodes where none does."""
    fitting = np.zeros(2, int)
    for block in _told_apart(cells):
        nodes = points[_some(block)]
        for edge in block.reference.edges:
            fitting += _votes(nodes[:, list(edge)])
    name = EQUISPACED.name
    if fitting[1] > fitting[0]:
        name, *others = _GAUSS_LOBATTO
        first = _misfit(points, cells, name)
        name = next((each for each in others if _WORSE_INSIDE * _misfit(points, cells, each) < first), name)
    return dataclasses.replace(cells, node_set=name)


def _told_apart(cells: Cells) -> Iterator[Block]:
    for block in cells.blocks:
        reference = block.reference
        is_lagrange = reference.vtk_type in LAGRANGE_CELLS and reference.family is not shapes.PYRAMID
        if is_lagrange and reference.degree >= TOLD_APART:
            yield block


def _some(block: Block) -> IntArray:
    assert block.rows is not None
    return block.rows[np.unique(np.linspace(0, len(block.rows) - 1, _MANY).astype(int))]


def _votes(nodes: FloatArray) -> IntArray:
    """How many edges (m, p + 1, 3) have equispaced and how many Gauss–Lobatto nodes (2,)."""
    degree, way = nodes.shape[1] - 1, nodes[:, -1] - nodes[:, 0]
    if degree < TOLD_APART:
        return np.zeros(2, int)
    length = np.sqrt((way**2).sum(axis=1))
    off = []
    for marks in (whole(degree), gauss_lobatto(degree)):
        places = nodes[:, :1] + (marks / degree)[:, None] * way[:, None]
        off.append(np.sqrt(((nodes - places) ** 2).sum(axis=2)).max(axis=1))
    equal, uneven = off
    return np.array(
        [
            np.count_nonzero((own < _FITS * length) & (_WORSE * own < other))
            for own, other in ((equal, uneven), (uneven, equal))
        ]
    )


def _misfit(points: FloatArray, cells: Cells, name: str) -> float:
    """How far the nodes of the straightest cells are from where a set has them, over their diagonals; zero within
    rounding, by which sets differ that are one."""
    blocks = _told_apart(dataclasses.replace(cells, node_set=name))
    return max(round(float(off_straight(block.reference, points[_some(block)]).min()), 6) for block in blocks)
