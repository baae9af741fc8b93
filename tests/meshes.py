"""Meshes for the tests: blocks of every cell type, distorted, mixed, planar, with lower cells."""

from __future__ import annotations

import numpy as np

from flowgrad import Cells, Mesh
from flowgrad.mesh import CellFaces

FLAT = np.eye(3)
TETRAHEDRA = ((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6))
WEDGES = ((0, 1, 2, 4, 5, 6), (0, 2, 3, 4, 6, 7))
QUADS = ((3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
VOXEL = (0, 1, 3, 2, 4, 5, 7, 6)
VTK = {"triangle": 5, "polygon": 7, "pixel": 8, "quad": 9, "tetra": 10, "voxel": 11, "hexahedron": 12, "wedge": 13}
VTK |= {"pyramid": 14, "pentagonal_prism": 15, "hexagonal_prism": 16, "polyhedron": 42, "line": 3}


def build(points, cells):
    """A mesh of (name, points) cells; a polyhedron is given as a list of faces."""
    types, rows, faces, face_counts = [], [], [], []
    for name, row in cells:
        types.append(VTK[name])
        own = [list(face) for face in row] if name == "polyhedron" else []
        rows.append(sorted({p for face in own for p in face}) if own else list(row))
        faces += own
        face_counts.append(len(own))
    offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    polyhedra = None
    if faces:
        polyhedra = CellFaces(
            np.concatenate(faces).astype(np.int64),
            np.concatenate([[0], np.cumsum([len(f) for f in faces])]).astype(np.int64),
            np.concatenate([[0], np.cumsum(face_counts)]).astype(np.int64),
        )
    connectivity = np.concatenate(rows).astype(np.int64)
    return Mesh(points, Cells(np.array(types, np.uint8), offsets, connectivity, polyhedra))


def lattice(n, seed=0, distortion=0.15):
    """Points of an n × n × n block of cells, moved at random, and its hexahedra as rows."""
    axis = np.arange(n + 1.0)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    points = points + np.random.default_rng(seed).uniform(-distortion, distortion, points.shape)
    index = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    corners = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))
    rows = np.stack([index[i : n + i, j : n + j, k : n + k].ravel() for i, j, k in corners], axis=1)
    return points, rows


def solid(name, n=3):
    """A block of one solid type."""
    points, rows = lattice(n, distortion=0.0 if name == "voxel" else 0.15)
    if name == "pyramid":
        return _pyramids(points, rows)
    parts = {
        "hexahedron": lambda h: [h],
        "voxel": lambda h: [h[list(VOXEL)]],
        "tetra": lambda h: [h[list(t)] for t in TETRAHEDRA],
        "wedge": lambda h: [h[list(w)] for w in WEDGES],
        "polyhedron": lambda h: [[h[list(q)] for q in QUADS]],
    }[name]
    return build(points, [(name, part) for row in rows for part in parts(row)])


def _pyramids(points, rows):
    centers = points[rows].mean(axis=1)
    cells = [("pyramid", [*row[list(q)][::-1], len(points) + i]) for i, row in enumerate(rows) for q in QUADS]
    return build(np.vstack([points, centers]), cells)


def prisms(sides, layers=4):
    """A ring of pentagonal or hexagonal prisms in layers, each cell sharing faces with its neighbours."""
    rng = np.random.default_rng(1)
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    edge = ring + np.roll(ring, -1, axis=0)
    plane = np.vstack([ring, 1.6 * ring, 1.6 * edge])
    # One polygon in the middle and around it, across each edge, a polygon of as many sides.
    polygons = [list(range(sides))]
    for i in range(sides):
        j = (i + 1) % sides
        outer = [sides + j, 2 * sides + i, sides + i]
        if sides == 6:
            plane = np.vstack([plane, 0.5 * (plane[sides + i] + plane[2 * sides + i])])
            outer = [sides + j, 2 * sides + i, len(plane) - 1, sides + i]
        polygons.append([j, i, *outer[::-1]])
    count = len(plane)
    points = np.vstack([np.column_stack([plane, np.full(count, float(k))]) for k in range(layers + 1)])
    points += rng.uniform(-0.05, 0.05, points.shape)
    name = "pentagonal_prism" if sides == 5 else "hexagonal_prism"
    cells = [
        (name, [p + k * count for p in polygon] + [p + (k + 1) * count for p in polygon])
        for k in range(layers)
        for polygon in polygons
    ]
    return build(points, cells)


def mixed(n=4):
    """Hexahedra, polyhedra, wedges and pyramids in one conforming block, with boundary triangles,
    quads and a line among them."""
    points, rows = lattice(n)
    cells, extra = [], []
    for row in rows:
        i = min(points[row][:, 0].round().min(), n - 1)
        if i == 0:
            cells.append(("hexahedron", row))
        elif i == 1:
            cells.append(("polyhedron", [row[list(q)] for q in QUADS]))
        elif i == 2:
            cells += [("wedge", row[list(w)]) for w in WEDGES]
        else:
            extra.append(points[row].mean(axis=0))
            cells += [("pyramid", [*row[list(q)][::-1], len(points) + len(extra) - 1]) for q in QUADS]
    first = rows[0]
    lower = [("quad", first[[0, 3, 7, 4]]), ("line", first[[0, 4]])]
    return build(np.vstack([points, extra]), [lower[0], *cells, lower[1]])


def tetra_with_boundary(n=3):
    """Tetrahedra with triangles on their boundary, between the tetrahedra in the file."""
    mesh = solid("tetra", n)
    rows = mesh.cells.connectivity.reshape(-1, 4)
    _start, points = mesh.topology.boundary_polygons
    triangles = points.reshape(-1, 3)
    half = len(rows) // 2
    cells = [("tetra", r) for r in rows[:half]] + [("triangle", t) for t in triangles]
    return build(mesh.points, cells + [("tetra", r) for r in rows[half:]])


def planar(name, n=4, plane=FLAT):
    """A planar block of one surface type, in the plane of the first two rows of an orthogonal matrix."""
    rng = np.random.default_rng(2)
    axis = np.arange(n + 1.0)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    if name != "pixel":
        points = points + rng.uniform(-0.2, 0.2, points.shape)
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    rows = np.stack([index[i : n + i, j : n + j].ravel() for i, j in corners], axis=1)
    parts = {
        "quad": lambda q: [q],
        "polygon": lambda q: [q],
        "pixel": lambda q: [q[[0, 1, 3, 2]]],
        "triangle": lambda q: [q[[0, 1, 2]], q[[0, 2, 3]]],
    }[name]
    return build(points @ plane[:2], [(name, part) for row in rows for part in parts(row)])


def pentagons(plane=FLAT):
    """A pentagon, triangles and quads around it, as polygons."""
    angle = 2 * np.pi * np.arange(5) / 5
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    points = np.vstack([ring, 2.1 * ring + 0.1])
    cells = [("polygon", range(5))]
    for i in range(5):
        j = (i + 1) % 5
        cells.append(("polygon", [i, 5 + i, 5 + j, j]) if i % 2 else ("polygon", [i, 5 + i, j]))
        if not i % 2:
            cells.append(("triangle", [5 + i, 5 + j, j]))
    return build(points @ plane[:2], cells)


SOLIDS = {name: solid(name) for name in ("hexahedron", "voxel", "tetra", "wedge", "pyramid", "polyhedron")}
SOLIDS |= {
    "pentagonal_prism": prisms(5),
    "hexagonal_prism": prisms(6),
    "mixed": mixed(),
    "tetra_with_boundary": tetra_with_boundary(),
}


def dual(mesh):
    """Polyhedra around the points of a mesh of tetrahedra, cut off at its boundary: centroids of the
    tetrahedra, and on the boundary centroids of triangles, midpoints of edges and points."""
    rows = mesh.cells.connectivity.reshape(-1, 4)
    _start, flat = mesh.topology.boundary_polygons
    triangles = flat.reshape(-1, 3)
    points = [*mesh.points[rows].mean(axis=1), *mesh.points[triangles].mean(axis=1)]
    number = {}

    def extra(*corners):
        key = tuple(sorted(corners))
        if key not in number:
            number[key] = len(points)
            points.append(mesh.points[list(key)].mean(axis=0))
        return number[key]

    at_face = {}
    for own, row in [*enumerate(rows), *((len(rows) + i, t) for i, t in enumerate(triangles))]:
        for a in range(len(row)):
            face = np.delete(row, a) if len(row) == 4 else row
            if len(row) == 4 or a == 0:
                at_face.setdefault(tuple(sorted(face)), []).append(own)
    around_edge = {}
    for face, (one, other) in at_face.items():
        for i, j in ((0, 1), (0, 2), (1, 2)):
            around_edge.setdefault((face[i], face[j]), []).append((one, other))
    faces = [[] for _ in mesh.points]
    for (a, b), links in around_edge.items():
        ring = _chain(links)
        ring = [*ring, extra(a, b)] if ring[0] != ring[-1] else ring[:-1]
        faces[a].append(ring)
        faces[b].append(ring)
    for i, (a, b, c) in enumerate(triangles):
        for p, q, r in ((a, b, c), (b, c, a), (c, a, b)):
            faces[p].append([extra(p), extra(p, q), len(rows) + i, extra(r, p)])
    points = np.array(points)
    return build(points, [("polyhedron", _outward(points, own)) for own in faces])


def _outward(points, faces):
    """The faces with their normals away from the midst of them."""
    inside, turned = np.mean([points[face].mean(axis=0) for face in faces], axis=0), []
    for face in faces:
        mean = points[face].mean(axis=0)
        ring = points[face] - mean
        normal = np.cross(ring, np.roll(ring, -1, axis=0)).sum(axis=0)
        turned.append(face if normal @ (mean - inside) > 0 else face[::-1])
    return turned


def _chain(links):
    """Pairs of neighbours as one path, closed where it has no end."""
    after = {}
    for one, other in links:
        after.setdefault(one, []).append(other)
        after.setdefault(other, []).append(one)
    ends = [node for node, near in after.items() if len(near) == 1]
    path, last = [ends[0] if ends else links[0][0]], None
    while len(path) <= len(links):
        following = next(node for node in after[path[-1]] if node != last) if len(path) > 1 else after[path[0]][0]
        last = path[-1]
        path.append(following)
    return path
