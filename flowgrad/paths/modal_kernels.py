"""Compiled interpolation in curved cells: Newton's method for the reference coordinates of a position, v and L there.

Positions and velocities of a cell are sums of modes, products of polynomials of its reference coordinates:
x(ξ) = Σ x_m φ_m(ξ), v(ξ) = Σ v_m φ_m(ξ), L = (∂v/∂ξ) (∂x/∂ξ)⁻¹. On planar meshes the third coordinate is the distance
from the plane.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.mesh.bounding_tree import LEAF
from flowgrad.paths.dormand_prince import deform, finish, stage

# Columns of the table of kinds of cells: their first mode, the one after the last, the highest degree, and of how many
# coordinates there are powers.
FIRST_MODE, LAST_MODE, DEGREE, SIMPLICIAL = range(4)
# A position this far outside of the cell that held the last one is in it still; one in no cell is in the nearest up to
# this far outside, or, in a crack between two, up to this far outside of both; in units of a cell.
_WITHIN, _OUTSIDE, _CRACK = 1e-9, 1e-6, 1e-4
# Newton's iterations; a step below this ends them, as they converge quadratically, and none is longer than that.
_ITERATIONS, _SMALL_STEP, _LONGEST = 25, 1e-8, 0.5
# No iterate is farther outside than this, and one that is so many times is elsewhere.
_FARTHEST, _STRAYS = 0.5, 4
# A way between two cells that do not meet in a face is halved to this fraction before it goes across an edge, by way of
# so many others at most that it is beside of, up to this far outside; or has left, or met a plate.
_SHORTEST, _TURNS, _BESIDE = 1 / 1024, 4, 1e-2
# Deepest tree.
_DEEPEST = 64


@inlined
def _polynomials(xi: Any, simplicial: Any, degree: Any, P: Any, D: Any) -> None:
    """Powers of the first ``simplicial`` coordinates and, last, of the rest to 1; Legendre's polynomials of 2 ξ − 1 of
    the others (4, degree + 1); and their derivatives."""
    rest = 1.0
    for axis in range(4):
        is_power = axis < simplicial or axis == 3
        x = rest if axis == 3 else (xi[axis] if is_power else 2.0 * xi[axis] - 1.0)
        rest -= x if axis < simplicial else 0.0
        P[axis, 0], D[axis, 0], P[axis, 1], D[axis, 1] = 1.0, 0.0, x, 1.0 if is_power else 2.0
        for n in range(1, degree):
            if is_power:
                P[axis, n + 1], D[axis, n + 1] = x * P[axis, n], (n + 1) * P[axis, n]
            else:
                P[axis, n + 1] = ((2 * n + 1) * x * P[axis, n] - n * P[axis, n - 1]) / (n + 1)
                D[axis, n + 1] = D[axis, n - 1] + 2 * (2 * n + 1) * P[axis, n]


@inlined
def _sum_modes(
    modes: Any, first: Any, last: Any, simplicial: Any, P: Any, D: Any, weight: Any, own: Any, f: Any, J: Any
) -> None:
    """Add weight times the sum (3,) of modes with coefficients ``own`` (m, 3) to f, and of its derivatives to J."""
    f0, f1, f2, a0, a1, a2, b0, b1, b2, c0, c1, c2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for m in range(first, last):
        i, j, k, r = modes[m, 0], modes[m, 1], modes[m, 2], modes[m, 3]
        p, q, s, t = P[0, i], P[1, j], P[2, k], P[3, r]
        d0, d1, d2 = D[0, i] * q * s * t, p * D[1, j] * s * t, p * q * D[2, k] * t
        if simplicial > 0:
            fall = p * q * s * D[3, r]
            d0, d1, d2 = d0 - fall, d1 - fall, d2 - fall if simplicial == 3 else d2
        value = p * q * s * t
        x, y, z = own[m - first, 0], own[m - first, 1], own[m - first, 2]
        f0, f1, f2 = f0 + value * x, f1 + value * y, f2 + value * z
        a0, a1, a2 = a0 + d0 * x, a1 + d1 * x, a2 + d2 * x
        b0, b1, b2 = b0 + d0 * y, b1 + d1 * y, b2 + d2 * y
        c0, c1, c2 = c0 + d0 * z, c1 + d1 * z, c2 + d2 * z
    f[0], f[1], f[2] = f[0] + weight * f0, f[1] + weight * f1, f[2] + weight * f2
    J[0, 0], J[0, 1], J[0, 2] = J[0, 0] + weight * a0, J[0, 1] + weight * a1, J[0, 2] + weight * a2
    J[1, 0], J[1, 1], J[1, 2] = J[1, 0] + weight * b0, J[1, 1] + weight * b1, J[1, 2] + weight * b2
    J[2, 0], J[2, 1], J[2, 2] = J[2, 0] + weight * c0, J[2, 1] + weight * c1, J[2, 2] + weight * c2


@kernel()
def evaluate_modes(simplicial: Any, degree: Any, modes: Any, sites: Any, values: Any) -> None:
    """The modes of degrees (m, 4) at reference coordinates (q, 3), into ``values`` (q, m)."""
    P, D = np.empty((4, degree + 2)), np.empty((4, degree + 2))
    for q in range(len(sites)):
        _polynomials(sites[q], simplicial, degree, P, D)
        for m in range(len(modes)):
            values[q, m] = P[0, modes[m, 0]] * P[1, modes[m, 1]] * P[2, modes[m, 2]] * P[3, modes[m, 3]]


@inlined
def _inverse(J: Any, R: Any) -> None:
    """R (3, 3) the inverse of J; not finite where J is singular."""
    for i in range(3):
        p, q = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            r, s = (j + 1) % 3, (j + 2) % 3
            R[j, i] = J[p, r] * J[q, s] - J[p, s] * J[q, r]
    scale = 1.0 / (J[0, 0] * R[0, 0] + J[0, 1] * R[1, 0] + J[0, 2] * R[2, 0])
    for i in range(3):
        for j in range(3):
            R[i, j] *= scale


@called
def _map(cell: Any, tables: Any, xi: Any, work: Any) -> None:
    """The position x(ξ) in a cell, the polynomials there, ∂x/∂ξ and its inverse, into ``work``."""
    kinds, modes, _, kind, start, places, normal = tables
    P, D, f, J, R = work
    k = kind[cell]
    first, last = kinds[k, FIRST_MODE], kinds[k, LAST_MODE]
    _polynomials(xi, kinds[k, SIMPLICIAL], kinds[k, DEGREE], P, D)
    for i in range(3):
        f[i] = xi[2] * normal[i]
        J[i, 0], J[i, 1], J[i, 2] = 0.0, 0.0, normal[i]
    own = places[start[cell] : start[cell] + last - first]
    _sum_modes(modes, first, last, kinds[k, SIMPLICIAL], P, D, 1.0, own, f, J)
    _inverse(J, R)


@called
def _newton(cell: Any, tables: Any, x: Any, xi: Any, work: Any) -> Any:
    """How far outside of a cell a position lies, in its units, and its reference coordinates from a start ``xi``; ∞
    where there are none near."""
    walls, k, f, R, strays = tables[2], tables[3][cell], work[2], work[4], 0
    for _ in range(_ITERATIONS):
        _map(cell, tables, xi, work)
        size, strayed = 0.0, False
        for i in range(3):
            step = R[i, 0] * (x[0] - f[0]) + R[i, 1] * (x[1] - f[1]) + R[i, 2] * (x[2] - f[2])
            moved = xi[i] + min(max(step, -_LONGEST), _LONGEST)
            xi[i] = min(max(moved, -_FARTHEST), 1.0 + _FARTHEST)
            strayed |= moved != xi[i]
            size = max(size, abs(step)) if math.isfinite(step) else math.inf
        if not math.isfinite(size):
            return math.inf
        strays += strayed
        if size < _SMALL_STEP:
            outside = -math.inf
            for w in range(walls.shape[1]):
                outside = max(
                    outside, walls[k, w, 0] * xi[0] + walls[k, w, 1] * xi[1] + walls[k, w, 2] * xi[2] + walls[k, w, 3]
                )
            return outside
        if strays >= _STRAYS:
            return math.inf
    return math.inf


@inlined
def _is_beyond(x: Any, box: Any) -> Any:
    """Whether a position is outside of a box."""
    beyond = False
    for k in range(3):
        beyond |= not box[k] <= x[k] <= box[3 + k]
    return beyond


@called
def _best(tables: Any, starts: Any, many: Any, search: Any, x: Any, work: Any) -> Any:
    """The cell that a position is least outside of, of those whose boxes hold it, by how much, and by how much it is
    outside of the next; Newton's method from the centres, or from ``many`` starts."""
    boxes, tree, members = search
    leaves, top, found, least, next_least = len(tree) // 2, 1, -1, math.inf, math.inf
    stack, xi = np.ones(_DEEPEST, np.int64), np.empty(3)
    while top > 0 and least > -_WITHIN:
        top -= 1
        node = stack[top]
        if _is_beyond(x, tree[node]):
            continue
        if node < leaves:
            stack[top], stack[top + 1] = 2 * node, 2 * node + 1
            top += 2
            continue
        for cell in members[(node - leaves) * LEAF : (node - leaves + 1) * LEAF]:
            if _is_beyond(x, boxes[cell]):
                continue
            outside = math.inf
            for number in range(starts.shape[1] if many else 1):
                xi[:] = starts[tables[3][cell], number]
                outside = min(outside, _newton(cell, tables, x, xi, work))
            if outside < least:
                found, least, next_least = cell, outside, least
            else:
                next_least = min(next_least, outside)
    return found, least, next_least


@called
def _find(tables: Any, starts: Any, search: Any, x: Any, hint: Any, xi: Any, work: Any) -> Any:
    """The cell that holds a position, the ``hint`` first, and its reference coordinates, from those in ``xi``; −1 where
    none does."""
    if not math.isfinite(x[0] + x[1] + x[2]):
        return -1
    if hint >= 0 and _newton(hint, tables, x, xi, work) <= _WITHIN:
        return hint
    for many in range(2):
        cell, least, next_least = _best(tables, starts, many == 1, search, x, work)
        if least <= _OUTSIDE or next_least <= _CRACK:
            for number in range(starts.shape[1]):
                xi[:] = starts[tables[3][cell], number]
                if _newton(cell, tables, x, xi, work) <= least + _WITHIN:
                    return cell
    return -1


@kernel()
def step_elements(
    tables: Any,
    starts: Any,
    search: Any,
    origin: Any,
    nodal: Any,
    weights: Any,
    y: Any,
    first: Any,
    h: Any,
    cells: Any,
    stages: Any,
    within: Any,
    made: Any,
) -> None:
    """The ``stages`` (from, to) of a Runge–Kutta step of particles, from the modes ``nodal`` (k, t, 3) of velocities;
    ``cells`` (m,) are those found last. All else as in :meth:`~flowgrad.paths.field.Interpolant.advance`; ``origin``
    (3,) is in the plane of a planar mesh, on which positions are projected."""
    kinds, modes, _, kind, start, _, normal = tables
    reached, last, error, speed, inside, way = made
    P, D = np.empty((4, kinds[:, DEGREE].max() + 2)), np.empty((4, kinds[:, DEGREE].max() + 2))
    f, J, R, xi, G = np.empty(3), np.empty((3, 3)), np.empty((3, 3)), np.empty(3), np.empty((3, 3))
    work = P, D, f, J, R
    x, v, L = np.empty(3), np.empty(3), np.empty((3, 3))
    z, rates = np.empty(y.shape[1]), np.zeros((y.shape[1], 7))
    for p in range(len(y)):
        size, own = h[p if len(h) > 1 else 0], p if len(weights) > 1 else 0
        rates[:, 0] = first[p]
        if cells[p] >= 0:
            xi[:] = starts[kind[cells[p]], 0]
        for number in range(stages[0], stages[1]):
            stage(number, y[p], size, rates, z)
            off = 0.0
            for i in range(3):
                off += (z[i] - origin[i]) * normal[i]
            for i in range(3):
                x[i] = z[i] - off * normal[i]
            cell = _find(tables, starts, search, x, cells[p], xi, work)
            inside[p] = cell >= 0
            if cell < 0:
                break
            _map(cell, tables, xi, work)
            k = kind[cell]
            first_mode, last_mode = kinds[k, FIRST_MODE], kinds[k, LAST_MODE]
            v[:] = 0.0
            G[:] = 0.0
            for s in range(len(nodal)):
                part = nodal[s, start[cell] : start[cell] + last_mode - first_mode]
                weight = weights[own, number - stages[0], s]
                _sum_modes(modes, first_mode, last_mode, kinds[k, SIMPLICIAL], P, D, weight, part, v, G)
            total = v[0] + v[1] + v[2]
            for i in range(3):
                for j in range(3):
                    L[i, j] = G[i, 0] * R[0, j] + G[i, 1] * R[1, j] + G[i, 2] * R[2, j]
                    total += L[i, j]
            inside[p] = math.isfinite(total)
            if not inside[p]:
                break
            cells[p] = cell
            deform(v, L, z, rates[:, number])
        reached[p], last[p] = z, rates[:, stages[1] - 1]
        speed[p] = finish(y[p], size, rates, within, error[p], way[p])


@inlined
def _meet(beside: Any, a: Any, b: Any) -> Any:
    """Whether two cells have a face in common."""
    found = False
    for n in beside[1][beside[0][a] : beside[0][a + 1]]:
        found |= n == b
    return found


@called
def _nearest_beside(tables: Any, starts: Any, beside: Any, cell: Any, last: Any, x: Any, xi: Any, work: Any) -> Any:
    """Of the cells that have a face in common with one, but for the ``last``, that which x is least outside of, and by
    how much."""
    found, least = -1, math.inf
    for n in beside[1][beside[0][cell] : beside[0][cell + 1]]:
        xi[:] = starts[tables[3][n], 0]
        outside = math.inf if n == last else _newton(n, tables, x, xi, work)
        if outside < least:
            found, least = n, outside
    return found, least


@kernel()
def trace_elements(
    tables: Any, starts: Any, search: Any, beside: Any, nodal: Any, ways: Any, cells: Any, inside: Any
) -> None:
    """Set inside (m,) to False for ``ways`` (m, k, 3), polylines that start in ``cells`` (m,), which leave the mesh,
    meet a cell without a velocity, or go from one cell to another that it does not meet in a face, nor by way of cells
    that do; ``beside`` are the cells that have a face in common with each: offsets and numbers."""
    kinds, kinds_of, start = tables[0], tables[3], tables[4]
    P, D = np.empty((4, kinds[:, DEGREE].max() + 2)), np.empty((4, kinds[:, DEGREE].max() + 2))
    work = P, D, np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    xi, x = np.empty(3), np.empty(3)
    for p in range(len(ways)):
        cell, last, j, reached, size, turns = cells[p], np.int64(-1), 1, 0.0, 1.0, 0
        xi[:] = starts[kinds_of[cell], 0]
        while inside[p] and j < ways.shape[1]:
            ahead = min(reached + size, 1.0)
            for k in range(3):
                x[k] = ways[p, j - 1, k] + ahead * (ways[p, j, k] - ways[p, j - 1, k])
            found = _find(tables, starts, search, x, cell, xi, work)
            if found == cell or (found >= 0 and _meet(beside, cell, found)):
                cell, last, reached, turns = found, np.int64(-1), ahead, 0
                for s in range(len(nodal)):
                    inside[p] = inside[p] and math.isfinite(nodal[s, start[cell], 0])
                if reached == 1.0:
                    j, reached, size = j + 1, 0.0, 1.0
            elif size > _SHORTEST:
                size *= 0.5
                xi[:] = starts[kinds_of[cell], 0]
            else:
                # Across an edge: by way of a cell that x is beside.
                via, outside = _nearest_beside(tables, starts, beside, cell, last, x, xi, work)
                turns += 1
                inside[p] = found >= 0 and outside <= _BESIDE and turns <= _TURNS
                last, cell = cell, via
                xi[:] = starts[kinds_of[max(cell, 0)], 0]
