"""The patches of a flow's boundary as blocks beside its mesh: surfaces with the velocity on their faces."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.io.contents import Contents
from flowgrad.io.ghosts import GHOSTS
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtk_memory import put_mesh
from flowgrad.mesh import Cells, Mesh
from flowgrad.walls.result import surface_mesh

# The name of a patch, and which rows of ``mesh.topology.boundary`` its cells are.
PATCH, FACES = "flowgrad_patch", "flowgrad_faces"
_VERTEX = 1


def with_patches_of(flow: Flow, pyvista: Any, grid: Any, velocity: str) -> Any:
    """A MultiBlock of the grid, ``internal``, and of the flow's patches by their names."""
    names = {patch.name for patch in flow.boundary}
    blocks = pyvista.MultiBlock()
    blocks.append(grid, next(name for n in count() if (name := "internal" + n * "_") not in names))
    for patch in flow.boundary:
        block = pyvista.UnstructuredGrid()
        put_mesh(_surface(flow.mesh, patch), block)
        put_array(block.cell_data, velocity, patch.velocity)
        put_array(block.cell_data, FACES, np.asarray(patch.faces, np.int64))
        block.field_data[PATCH] = [json.dumps(patch.name)]
        blocks.append(block, patch.name)
    return blocks


def _surface(mesh: Mesh, patch: Patch) -> Mesh:
    if not len(patch.faces):
        return Mesh(np.empty((0, 3)), Cells.empty())
    if mesh.dimension > 1:
        return surface_mesh(mesh, patch.faces)
    ends = mesh.topology.face_points(patch.faces)[1]
    return Mesh(mesh.points[ends], Cells.of_type(_VERTEX, np.arange(len(ends))[:, None]))


def patch_name(block: Any) -> str:
    """The name of the patch that a block is."""
    return str(json.loads(str(block.field_data[PATCH][0])))


def patch_on(contents: Contents, part: Contents, name: str, velocity: str | None) -> Patch | None:
    """The patch whose cells are the very faces of the mesh that it tells; None where they are not, or not any more."""
    faces = part.cell_data.get(FACES)
    if faces is None or faces.ndim != 1 or GHOSTS in {*contents.point_data, *contents.cell_data}:
        return None
    if not _are(contents.mesh, faces, part.mesh):
        return None
    known = velocity if velocity in part.cell_data else None
    return Patch(name, faces.astype(np.int64), choose_velocity(part, known, "cells")[2])


def _are(mesh: Mesh, faces: np.ndarray, surface: Mesh) -> bool:
    """Whether boundary faces have the points of the cells of a surface, in their order."""
    known = (faces >= 0) & (faces < len(mesh.topology.boundary))
    if len(faces) != len(surface) or faces.dtype.kind not in "iu" or not known.all():
        return False
    start, points = mesh.topology.face_points(faces.astype(np.int64))
    same = np.array_equal(start, surface.cells.offsets)
    return same and np.array_equal(mesh.points[points], surface.points[surface.cells.connectivity])


def put_array(target: Any, name: str, values: np.ndarray) -> None:
    """An array (n,) or (n, k), copied, into the point, cell or field data of a PyVista data set; OptionError for one
    without a name or components."""
    if not name or not all(values.shape[1:]):
        raise OptionError(f"the array '{name}' {values.shape} is none for VTK: give it a name and components")
    if values.size:
        target.set_array(values, name, deep_copy=True)
        return
    from vtkmodules.util.numpy_support import numpy_to_vtk

    # PyVista sets no empty arrays, which VTK has.
    array = numpy_to_vtk(values, deep=True)
    array.SetName(name)
    target.VTKObject.AddArray(array)
