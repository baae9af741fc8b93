"""Flows on every kind of mesh, with arrays that no rounding can pass unseen."""

from __future__ import annotations

import numpy as np

from flowgrad import Flow, Lattice
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, Cells, Mesh
from tests import high_order, meshes

TURNED = np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
SKEWED = np.array([[0.8, 0.1, 0.0], [-0.3, 0.6, 0.2], [0.0, 0.1, 1.0]])
UNEVEN = np.array([0.0, 0.1, 0.35, 1.0])


def ring():
    """A curvilinear lattice around a cylinder, closed, its last points repeating the first."""
    r, angle = np.meshgrid(np.linspace(1, 2, 4), np.linspace(0, 2 * np.pi, 9), indexing="ij")
    return np.stack([r * np.cos(angle), r * np.sin(angle)], -1)


LATTICES = {
    "uniform": Lattice.uniform((4, 3, 5), (0.1, 0.2, 0.3), (1, 2, 3)),
    "periodic": Lattice.uniform((4, 3, 5), 0.1, periodic=(True, 0.2, False)),
    "turned": Lattice.uniform((4, 3), 0.1, directions=TURNED),
    "skewed": Lattice.uniform((4, 3, 3), 0.1, directions=SKEWED),
    "centres": Lattice.uniform((4, 3, 5), (0.1, 0.2, 0.3), (1, 2, 3)).of_centres,
    "uneven": Lattice.rectilinear(UNEVEN, UNEVEN, UNEVEN**2),
    "falling": Lattice.rectilinear(UNEVEN, UNEVEN[::-1], UNEVEN),
    "uneven, periodic": Lattice.rectilinear(UNEVEN, UNEVEN, 2.0, periodic=(1.2, False, False)),
    "upright plane": Lattice.rectilinear(UNEVEN, 0.5, UNEVEN),
    "line": Lattice.rectilinear(UNEVEN),
    "curvilinear": Lattice.curvilinear(ring()[:, :-2]),
    "closed": Lattice.curvilinear(ring(), periodic=(False, True, False)),
}


def of_every_type():
    """A mesh of each cell type that is read, Lagrange cells at degrees of their own."""
    found = dict(meshes.SOLIDS)
    found |= {name: meshes.planar(name) for name in ("triangle", "quad", "pixel")}
    found["polygons"] = meshes.pentagons()
    for cell in REFERENCE_CELLS.values():
        if cell.is_curved:
            found[cell.name] = high_order.straight(cell)
    for kind in LAGRANGE_CELLS.values():
        degrees = (3, 2, 2) if kind.name in ("lagrange_quadrilateral", "lagrange_hexahedron") else (2, 2, 2)
        found[kind.name] = high_order.straight(high_order.reference(kind.vtk_type, degrees), 1, None, degrees)
    lines = Cells(np.array([4, 2], np.uint8), np.array([0, 3, 5]), np.array([2, 0, 1, 0, 2]))
    found["poly_line"] = Mesh(np.eye(3), lines)
    found["points"] = Mesh(np.random.default_rng(4).normal(size=(9, 3)), Cells.empty())
    return found


MESHES = of_every_type()


def flow_on(mesh, location="points"):
    """Random velocities and arrays of several shapes and types, one of them with holes."""
    rng = np.random.default_rng(0)
    velocity = rng.normal(size=(mesh.point_count if location == "points" else len(mesh), 3))
    velocity[0] = np.nan
    point_data = {"p": rng.normal(size=mesh.point_count), "two": rng.normal(size=(mesh.point_count, 2))}
    cell_data = {"number": np.arange(len(mesh)), "six": rng.normal(size=(len(mesh), 6))} if len(mesh) else {}
    return Flow(mesh, velocity, location, 0.3, point_data, cell_data, {"k": np.array([1.0, 2.5])})


def assert_same_values(one, other):
    """Bit for bit, whatever the names of the velocity."""
    assert one.location == other.location
    assert one.time == other.time
    np.testing.assert_array_equal(one.velocity, other.velocity)
    for here, there in ((one.point_data, other.point_data), (one.cell_data, other.cell_data)):
        for name, values in here.items():
            np.testing.assert_array_equal(values, there[name], strict=True)
