"""Exactness to rounding: exact flows by dual numbers, linear ones on every cell type, polynomials of a scheme's
order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowgrad.autodiff.numpy_backend import point_jacobians
from flowgrad.exact import EXACT_FLOWS, ExactFlow, Linear, NamedFlow, Polynomial
from flowgrad.gradient import Autodiff, FiniteDifference, Scheme
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, Cells, Lattice, Mesh, ReferenceCell, cell_name
from flowgrad.mesh.generate import block
from flowgrad.mesh.reference.lagrange import lagrange_cell
from flowgrad.typing import FloatArray
from flowgrad.verify import LINEAR, sampled
from scripts.convergence.cell_blocks import polyhedra
from scripts.convergence.table import EXACT, largest

_MAP = np.array([[1.1, 0.3, -0.2], [-0.4, 0.9, 0.1], [0.2, -0.3, 1.2]])
_BEND = 0.04
_POSITIONS = 1000
_BLOCKS = ("triangle", "quad", "tetra", "hexahedron", "wedge")


def lines() -> Iterator[tuple[str, bool]]:
    """One line for each kind of exactness, each with whether it passed."""
    yield "", True
    yield "what must be exact: the largest error of L, over the largest component", True
    known = {name: of_function(kind()) for name, kind in EXACT_FLOWS.items()}
    yield _line("dual numbers against the closed form", f"{len(known)} exact flows", known)
    yield _line("autodiff, linear flow", f"{len(cells())} cell types", {each.name: of_cell(each) for each in cells()})
    for p in (1, 2, 3, 4):
        found = {f"{kind}, {at}": of_fit(kind, at, p) for kind in _BLOCKS for at in ("points", "cells")}
        yield _line(f"finite-difference(order={p}), degree {p}", "points and cells", found)
    for p in (2, 4, 6, 8):
        yield _line(f"finite-difference(order={p}), degree {p}", "stretched lattice", {"lattice": of_lattice(p)})


def _line(what: str, where: str, errors: dict[str, float]) -> tuple[str, bool]:
    worst = max(errors, key=lambda name: np.inf if np.isnan(errors[name]) else errors[name])
    failed = [name for name, error in errors.items() if not error <= EXACT]
    named = f"  ({worst})" if len(errors) > 1 else ""
    verdict = "ok" if not failed else f"FAIL: {', '.join(failed)}"
    return f"  {what:<38}{where:<19}{errors[worst]:<9.0e}{verdict}{named if not failed else ''}", not failed


def of_function(flow: NamedFlow) -> float:
    """The error of dual numbers for an exact flow at random positions, at all its times."""
    x = flow.samples(_POSITIONS)
    return float(np.max([largest(point_jacobians(flow, x, t)[1], flow.gradient(x, t)) for t in flow.times]))


def cells() -> list[ReferenceCell]:
    """One of every type that has a gradient, Lagrange cells at degree 3, their pyramids at 2."""
    fixed = [cell for cell in REFERENCE_CELLS.values() if cell.has_interpolant or cell.is_fitted]
    lagrange = []
    for kind in LAGRANGE_CELLS.values():
        degree = 2 if cell_name(kind.vtk_type) == "lagrange_pyramid" else 3
        lagrange.append(lagrange_cell(kind.vtk_type, kind.count(degree, degree, degree), (degree,) * 3))
    return fixed + lagrange


def of_cell(cell: ReferenceCell) -> float:
    """The error of autodiff for a linear flow on one cell, curved in its own dimensions."""
    mesh, d = single(cell), cell.dimension
    matrix = LINEAR.copy()
    matrix[:, d:] = 0
    flow = Linear(matrix, np.zeros(3))
    return max(_error(flow, Autodiff(), mesh, "points", at) for at in ("cells", "points"))


def of_fit(kind: str, location: str, degree: int) -> float:
    """The error of a fit for a polynomial of its order's degree on a block of cells."""
    mesh = block(kind, 13 if kind in ("triangle", "quad") else 6, jitter=0.15)
    scheme = FiniteDifference(order=degree, lattice=False)
    return _error(_polynomial(degree, mesh.dimension), scheme, mesh, location, location)


def of_lattice(degree: int) -> float:
    """The error of differences for a polynomial of their order's degree."""
    s = np.linspace(0, 1, 11)
    mesh = Lattice.rectilinear(s * (1 + s) / 2, np.sinh(s), s)
    powers = degree * np.eye(3, dtype=np.int64)
    flow = Polynomial(powers, np.array([[1.0, 0.5, -0.4], [0.2, -1, 0.3], [0.1, 0.7, 1]]))
    return _error(flow, FiniteDifference(order=degree), mesh, "points", "points")


def _polynomial(degree: int, dimension: int) -> Polynomial:
    """Of all monomials in the directions that a mesh has."""
    whole = Polynomial.complete(degree)
    used = (whole.powers[:, dimension:] == 0).all(axis=1)
    return Polynomial(whole.powers[used], whole.coefficients[used])


def _error(flow: ExactFlow, scheme: Scheme, mesh: Mesh, location: str, at: str) -> float:
    return largest(scheme.gradients(sampled(flow, mesh, location), at).L, flow.gradient(mesh.places(at)))


def single(cell: ReferenceCell) -> Mesh:
    """A mesh of one cell, turned, sheared and bent in its own dimensions."""
    nodes = _nodes(cell)
    d = nodes.shape[1]
    points = np.zeros((len(nodes), 3))
    points[:, :d] = nodes @ _MAP[:d, :d].T
    points[:, :d] += _BEND * np.sin(1.3 * np.roll(points[:, :d], 1, axis=1) + np.arange(d))
    kind = 12 if cell.name == "polyhedron" else cell.vtk_type
    mesh = Mesh(points, Cells.of_type(kind, np.arange(len(nodes))[None]))
    return polyhedra(mesh) if cell.name == "polyhedron" else mesh


def _nodes(cell: ReferenceCell) -> FloatArray:
    """Those of the reference cell; a pentagon, a hexagon or a cube where the type leaves them open."""
    if cell.nodes is not None:
        return cell.nodes
    if cell.name == "polyhedron":
        cube = REFERENCE_CELLS[12].nodes
        assert cube is not None
        return cube
    sides = cell.size // 2 or 5
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    if cell.dimension == 2:
        return ring
    return np.vstack([np.column_stack([ring, np.full(sides, z)]) for z in (0.0, 1.0)])
