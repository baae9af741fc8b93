"""Meshes and flows about an axis: meridian planes, and wedges as blockMesh makes them."""

import numpy as np

from flowgrad import Cells, Mesh

HEXAHEDRON, WEDGE, POLYHEDRON = 12, 13, 42


def rows(nx, nr):
    """Quads of a grid of points, x outer, r inner."""
    index = np.arange((nx + 1) * (nr + 1)).reshape(nx + 1, nr + 1)
    return np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)


def meridian(nx=6, nr=5, kind="quad", axis="x", low=0.0, jitter=0.0):
    """A meridian plane 0 ≤ x ≤ 2, low ≤ r ≤ 1 with the axis x or y; interior points moved by up to
    ``jitter`` spacings."""
    x, r = np.meshgrid(np.linspace(0, 2, nx + 1), np.linspace(low, 1, nr + 1), indexing="ij")
    rng = np.random.default_rng(0)
    moves = rng.uniform(-jitter, jitter, (2, nx - 1, nr - 1))
    x[1:-1, 1:-1] += moves[0] * 2 / nx
    r[1:-1, 1:-1] += moves[1] * (1 - low) / nr
    plane = [x.ravel(), r.ravel(), np.zeros(x.size)]
    points = np.column_stack(plane if axis == "x" else [plane[1], plane[0], plane[2]])
    quads = rows(nx, nr)
    if kind == "triangle":
        return Mesh(points, Cells.of_type(5, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])))
    return Mesh(points, Cells.of_type(9, quads))


def wedge(nx=4, nr=5, low=0.0, mid=0.0, collapsed=True, half=2.5, turn=None, origin=0.0):
    """A wedge of twice ``half`` degrees about the x axis, 0 ≤ x ≤ 2, low ≤ r ≤ 1, its mid-plane at the angle
    ``mid`` from the x-y plane; on the axis prisms (``collapsed``) or hexahedra with two points at each place."""
    x, r = (each.ravel() for each in np.meshgrid(np.linspace(0, 2, nx + 1), np.linspace(low, 1, nr + 1), indexing="ij"))
    sides = [np.column_stack([x, r * np.cos(mid + a), r * np.sin(mid + a)]) for a in np.radians([-half, half])]
    points, quads = np.vstack(sides), rows(nx, nr)
    cells = Cells.of_type(HEXAHEDRON, np.hstack([quads, quads + len(x)]))
    if collapsed and low == 0:
        points, cells = _collapsed(points, cells.connectivity.reshape(-1, 8), np.flatnonzero(r == 0), len(x))
    if turn is not None:
        points = points @ turn.T + origin
    return Mesh(points, cells)


def _collapsed(points, hexahedra, on_axis, layer):
    same = np.arange(len(points))
    same[on_axis + layer] = on_axis
    used, numbers = np.unique(same[hexahedra], return_inverse=True)
    lists = [(HEXAHEDRON, h) if h[0] != h[4] else (WEDGE, h[[0, 3, 7, 1, 2, 6]]) for h in numbers.reshape(-1, 8)]
    offsets = np.cumsum([0, *(len(points) for _, points in lists)])
    types = np.array([kind for kind, _ in lists], np.uint8)
    return points[used], Cells(types, offsets, np.concatenate([each for _, each in lists]))


def as_polyhedra(mesh):
    """The same cells as polyhedra."""
    cells = mesh.cells
    types = np.full(len(mesh), POLYHEDRON, np.uint8)
    return Mesh(mesh.points, Cells(types, cells.offsets, cells.connectivity, mesh.faces))


def linear(positions, extension=2.0, divergence=0.5, swirl=0.7, turn=None, origin=0.0):
    """A linear flow about the x axis, v = (εx, βy − Ωz, Ωy + βz) with 2β = div − ε: velocities and L."""
    radial = (divergence - extension) / 2
    L = np.array([[extension, 0, 0], [0, radial, -swirl], [0, swirl, radial]])
    L = L if turn is None else turn @ L @ turn.T
    return (positions - origin) @ L.T, L


def curved(positions):
    """A divergence-free flow with swirl about the x axis, ψ = r² exp(−r²) sin x, on the plane z = 0:
    velocities (n, 3) and L (n, 3, 3)."""
    x, r, _ = positions.T
    e, sin, cos = np.exp(-(r**2)), np.sin(x), np.cos(x)
    velocity = np.column_stack([2 * (1 - r**2) * e * sin, -r * e * cos, r * np.cos(r**2) * sin])
    L = np.empty((len(x), 3, 3))
    L[:, 0] = np.column_stack([2 * (1 - r**2) * e * cos, (4 * r**3 - 8 * r) * e * sin, 0 * x])
    L[:, 1] = np.column_stack([r * e * sin, (2 * r**2 - 1) * e * cos, -np.cos(r**2) * sin])
    L[:, 2] = np.column_stack([r * np.cos(r**2) * cos, (np.cos(r**2) - 2 * r**2 * np.sin(r**2)) * sin, -e * cos])
    return velocity, L
