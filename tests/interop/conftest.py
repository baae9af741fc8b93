"""Flows on every kind of mesh, with arrays that no rounding can pass unseen."""

from __future__ import annotations

import numpy as np

from flowgrad import Cells, Flow, Lattice, Mesh, Patch
from flowgrad.io.formats import native
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, cell_name
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
        name = cell_name(kind.vtk_type)
        degrees = (3, 2, 2) if name in ("lagrange_quadrilateral", "lagrange_hexahedron") else (2, 2, 2)
        found[name] = high_order.straight(high_order.reference(kind.vtk_type, degrees), 1, None, degrees)
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


# Names that tools have other uses for, in an order that makes all of them collide.
TAKEN = (
    "x",
    "x_",
    "X",
    "velocity_x",
    "velocity",
    "component",
    "time",
    "p",
    "p_0",
    "x_cell",
    "flag",
    "mask",
    "u,v",
    "ä b",
)


def crowded_flow(mesh, location="points"):
    """Arrays with names that collide with those of coordinates, components, flags and of each other, of all types;
    a velocity under no usual name beside one of a usual name, its noise, and all that a flow is told."""
    rng = np.random.default_rng(5)
    counts = {"points": mesh.point_count, "cells": len(mesh)}
    data = {where: {name: of_type(rng, k, count) for k, name in enumerate(TAKEN)} for where, count in counts.items()}
    data["cells"]["p"] = rng.normal(size=(len(mesh), 4))
    data["points"]["U"] = rng.normal(size=(mesh.point_count, 3))
    velocity, noise = rng.normal(size=(counts[location], 3)), rng.random((counts[location], 3))
    about = {"velocity_name": "mine", "producer": "OpenFOAM", "noise": noise}
    fields = {"Re": np.array([100.0]), "x": np.arange(3), "none": np.empty(0), "on": np.array([True, False])}
    return Flow(mesh, velocity, location, 0.1234567890123, data["points"], data["cells"], fields, **about)


def of_type(rng, number, count):
    """An array of real, whole, true or short numbers, or of tensors, by its number."""
    values = rng.normal(size=(count, 3, 3) if number % 5 == 4 else (count, 2) if number % 5 == 3 else count)
    return [values, (9 * values).astype(int), values > 0, values, values.astype(np.float32)][number % 5]


def assert_same_flow(one, other, places=("points", "cells")):
    """Every value of every array, and all that is known beside them."""
    assert (other.location, other.time, other.producer) == (one.location, one.time, one.producer)
    assert (other.axisymmetric, other.out_of_plane) == (one.axisymmetric, one.out_of_plane)
    np.testing.assert_array_equal(one.velocity, other.velocity)
    np.testing.assert_array_equal(one.noise, other.noise)
    for here, there in [(one.data(place), other.data(place)) for place in places] + [
        (one.field_data, other.field_data)
    ]:
        for name, values in here.items():
            kept = native(np.asarray(values).reshape(len(values), -1) if values.ndim > 2 else values)
            np.testing.assert_array_equal(kept, there[name], name, strict=True)


def patched_flow(mesh, names=("wall", "inlet", "none")):
    """A flow with its boundary in three patches, of which the last has no faces."""
    rng = np.random.default_rng(6)
    faces = rng.permutation(len(mesh.topology.boundary))
    parts = np.split(faces, [len(faces) // 3, len(faces)])
    patches = tuple(Patch(name, part, rng.normal(size=(len(part), 3))) for name, part in zip(names, parts, strict=True))
    return Flow(mesh, rng.normal(size=(len(mesh), 3)), "cells", boundary=patches)


def assert_same_patches(one, other):
    assert [patch.name for patch in one.boundary] == [patch.name for patch in other.boundary]
    for here, there in zip(one.boundary, other.boundary, strict=True):
        np.testing.assert_array_equal(here.faces, there.faces)
        np.testing.assert_array_equal(here.velocity, there.velocity)
