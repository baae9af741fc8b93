"""Conversion from and to PyVista: unstructured grids, surfaces, points, the three kinds of lattices, blocks of patches.

Points, cells, their order and all values pass unchanged. A straight lattice along x, y and z is an ImageData where its
points are evenly spaced and a RectilinearGrid where they are not, any other a StructuredGrid. What VTK does not know
goes along as field data: the periods of a lattice's axes, and which array is the velocity, its noise and symmetry.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.interop.convert import as_options, check_numbers, flow_in, in_columns, numeric, tool
from flowgrad.interop.metadata import RECORD, lengths, period_vectors, recalled, vectors
from flowgrad.io.formats import Contents, time_of
from flowgrad.io.ghosts import GHOSTS
from flowgrad.io.node_order import DEGREES
from flowgrad.io.pieces import with_patches
from flowgrad.io.velocity import choose_velocity
from flowgrad.io.vtk_grids import cells_in, put_mesh
from flowgrad.mesh import Cells, Lattice, Mesh
from flowgrad.pipeline.write import DEFAULT, OnMesh, Result, on_mesh
from flowgrad.walls.result import surface_mesh

# The name of a patch, and which rows of ``mesh.topology.boundary`` its cells are.
PATCH, FACES = "flowgrad_patch", "flowgrad_faces"
_VERTEX = 1

_SOURCE = Path("the PyVista data set")
_PERIODS = "flowgrad_periods"
_OURS = (RECORD, PATCH)


def with_patches_of(flow: Flow, pyvista: Any, grid: Any, velocity: str) -> Any:
    """A MultiBlock of the grid, ``internal``, and of the flow's patches by their names."""
    names = {patch.name for patch in flow.boundary}
    blocks = pyvista.MultiBlock()
    blocks.append(grid, next(name for n in count() if (name := "internal" + n * "_") not in names))
    for patch in flow.boundary:
        block = pyvista.UnstructuredGrid()
        put_mesh(_surface(flow.mesh, patch), block)
        put_array(block.cell_data, velocity, patch.velocity)
        if flow.mesh.plates is None:  # else the patches tell where these are, by their places
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


def patch_on(contents: Contents, part: Contents, name: str, velocity: str | None) -> Patch | None:
    """The patch whose cells are the very faces of the mesh that it tells; None where they are not, or not any more."""
    faces = part.cell_data.get(FACES)
    if faces is None or faces.ndim != 1 or GHOSTS in {*contents.point_data, *contents.cell_data}:
        return None
    mesh, surface = contents.mesh, part.mesh
    is_known = (faces >= 0) & (faces < len(mesh.topology.boundary))
    if len(faces) != len(surface) or faces.dtype.kind not in "iu" or not is_known.all():
        return None
    start, points = mesh.topology.face_points(faces.astype(np.int64))
    if not np.array_equal(start, surface.cells.offsets):
        return None
    if not np.array_equal(mesh.points[points], surface.points[surface.cells.connectivity]):
        return None
    known = velocity if velocity in part.cell_data else None
    return Patch(name, faces.astype(np.int64), choose_velocity(part, known, "cells")[2])


def put_array(target: Any, name: str, values: np.ndarray) -> None:
    """An array (n,) or (n, k), copied, into the point, cell or field data of a PyVista data set; OptionError for one
    without a name or components."""
    if not name or not all(values.shape[1:]):
        raise OptionError(f"VTK cannot store the array '{name}' of shape {values.shape}: give it a name and components")
    if values.size:
        target.set_array(values, name, deep_copy=True)
        return
    from vtkmodules.util.numpy_support import numpy_to_vtk

    # PyVista sets no empty arrays, which VTK has.
    array = numpy_to_vtk(values, deep=True)
    array.SetName(name)
    target.VTKObject.AddArray(array)


def from_pyvista(data: Any, velocity: str | None = None, location: str | None = None, **about: Any) -> Flow:
    """The flow in a PyVista (or VTK) data set; of a MultiBlock the mesh of the highest dimension, with the others as
    the patches of its boundary. The options are those of :func:`flowgrad.read`.

    Raises OptionError for what is not a data set, arrays that do not fit and an ambiguous velocity, MeshError for cells
    that are not differentiated, MissingDependencyError without PyVista.
    """
    data = tool("pyvista", "pyvista").wrap(data)
    about = {"velocity": velocity, "location": location, **about}
    if not hasattr(data, "get_block_name"):
        with as_options():
            contents = _contents(data)
        return flow_in(contents, about, recalled(data.field_data.get(RECORD, (None,))[0]))
    return _of_blocks(list(_named(data)), about)


def _of_blocks(blocks: list[tuple[str, Any]], about: Mapping[str, Any]) -> Flow:
    """The flow on the mesh among some blocks, with the patches among them."""
    own = [block for _, block in blocks if PATCH in block.field_data]
    with as_options():
        contents = with_patches(
            _SOURCE, _by_name([each for each in blocks if PATCH not in each[1].field_data]), unite=False
        )
    records = (recalled(block.field_data.get(RECORD, (None,))[0]) for _, block in blocks)
    record = next(filter(None, records), {})
    if own and about.get("y_down"):
        raise OptionError(f"{_SOURCE}: y_down= is for images, which have no patches: leave one out")
    patches: list[Patch] = []
    if not about.get("boundary"):
        contents, patches = _with_own(contents, own, about.get("velocity") or record.get("velocity"))
    flow = flow_in(contents, about, record)
    scale = about.get("velocity_scale") or 1.0
    own_patches = (dataclasses.replace(each, velocity=scale * each.velocity) for each in patches)
    return dataclasses.replace(flow, boundary=(*own_patches, *flow.boundary))


def _with_own(contents: Contents, blocks: Sequence[Any], velocity: str | None) -> tuple[Contents, list[Patch]]:
    """The patches that know their faces, and the contents with those that have to be found by their places."""
    patches, others = [], dict(contents.patches)
    for number, block in enumerate(blocks):
        part, name = _contents(block), str(json.loads(str(block.field_data[PATCH][0])))
        with as_options():
            patch = patch_on(contents, part, name, velocity)
        if patch is None:
            others[f"{name} {number}" if name in others else name] = part
        else:
            patches.append(patch)
    return dataclasses.replace(contents, patches=others), patches


def to_pyvista(result: Flow | Result, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> Any:
    """A flow with all its arrays, or a result with its ``quantities``, on its mesh: what :func:`flowgrad.write` puts
    into a file, tensors as 9 components row by row; ``std`` adds standard deviations. A flow with patches on its
    boundary is a MultiBlock: the mesh, ``internal``, and each patch by its name, with the velocity on its faces.

    Raises OptionError for a result without a mesh and for complex arrays, MissingDependencyError without PyVista.
    """
    pyvista = tool("pyvista", "pyvista")
    found = on_mesh(result, quantities, std=std)
    grid = _lattice(pyvista, found.mesh) if isinstance(found.mesh, Lattice) else pyvista.UnstructuredGrid()
    if not isinstance(found.mesh, Lattice):
        put_mesh(found.mesh, grid)
    _put_arrays(grid, found)
    if isinstance(result, Flow) and result.boundary:
        return with_patches_of(result, pyvista, grid, found.record["velocity"])
    return grid


def _put_arrays(grid: Any, found: OnMesh) -> None:
    if DEGREES in found.cell_data:
        raise OptionError(f"the array '{DEGREES}' has a name of VTK's own: rename it")
    groups = (grid.point_data, found.point_data), (grid.cell_data, found.cell_data), (grid.field_data, found.field_data)
    for target, arrays in groups:
        check_numbers(arrays)
        for name, values in arrays.items():
            put_array(target, name, in_columns(np.atleast_1d(values)))
    if isinstance(found.mesh, Lattice) and any(axis.period is not None for axis in found.mesh.axes):
        grid.field_data[_PERIODS] = period_vectors(found.mesh)
    if found.record:
        grid.field_data[RECORD] = [json.dumps(dict(found.record))]


def _lattice(pyvista: Any, lattice: Lattice) -> Any:
    """The simplest of VTK's lattices that has these very points."""
    if not lattice.is_curved:
        lines = [axis.coordinates for axis in lattice.axes]
        if all(np.array_equal(line - line[0], np.arange(len(line))) for line in lines):
            grid = _image(pyvista, lattice)
            if np.array_equal(grid.points, lattice.points):
                return grid
    if lattice.is_aligned:
        axes = zip(lattice.axes, lattice.steps.diagonal(), lattice.origin, strict=True)
        return pyvista.RectilinearGrid(*(start + axis.coordinates * step for axis, step, start in axes))
    grid = pyvista.StructuredGrid()
    grid.points = lattice.points.copy()
    grid.dimensions = lattice.shape
    return grid


def _image(pyvista: Any, lattice: Lattice) -> Any:
    """The image of an evenly spaced lattice, to rounding."""
    lengths = np.sqrt((lattice.steps**2).sum(axis=1))
    if lattice.is_aligned:
        lengths = np.abs(lattice.steps.diagonal())
    first = [axis.coordinates[0] for axis in lattice.axes]
    return pyvista.ImageData(
        dimensions=lattice.shape,
        spacing=lengths,
        origin=lattice.origin + first @ lattice.steps,
        direction_matrix=(lattice.steps / lengths[:, None]).T,
    )


def _by_name(blocks: Sequence[tuple[str, Any]]) -> dict[str, Contents]:
    """The data sets of a MultiBlock by their names, a number added where a name comes again."""
    found: dict[str, Contents] = {}
    for number, (name, block) in enumerate(blocks):
        found[f"{name} {number}" if name in found or not name else name] = _contents(block)
    return found


def _named(blocks: Any) -> Iterator[tuple[str, Any]]:
    for number in range(len(blocks)):
        block = blocks[number]
        if hasattr(block, "get_block_name"):
            yield from _named(block)
        elif block is not None and (block.n_points or PATCH in block.field_data):
            yield str(blocks.get_block_name(number) or ""), block


def _contents(data: Any) -> Contents:
    if not all(hasattr(data, name) for name in ("point_data", "cell_data", "field_data")):
        raise OptionError(
            f"{_SOURCE} is a {type(data).__name__}: give a grid, a surface, points or a MultiBlock of them"
        )
    fields = numeric({name: data.field_data[name] for name in data.field_data if name not in _OURS}, _SOURCE)
    mesh = _mesh(data, fields.pop(_PERIODS, None))
    cell_data = numeric(dict(data.cell_data), _SOURCE)
    if not isinstance(mesh, Lattice) and mesh.cells.degrees is not None:
        cell_data.pop(DEGREES, None)
    return Contents(mesh, _SOURCE, numeric(dict(data.point_data), _SOURCE), cell_data, fields, time_of(fields))


def _mesh(data: Any, periods: np.ndarray | None) -> Mesh:
    kind = data.GetClassName()
    if kind in ("vtkImageData", "vtkUniformGrid", "vtkStructuredPoints"):
        axes = np.array(data.direction_matrix, float).T
        spacing, low = np.array(data.spacing), np.array(data.extent[::2])
        steps = np.where((np.array(data.dimensions) == 1) & (spacing == 0), 1.0, spacing)
        origin = np.array(data.origin) + (spacing * low) @ axes
        return Lattice.uniform(data.dimensions, steps.tolist(), origin.tolist(), axes, lengths(periods))
    if kind == "vtkRectilinearGrid":
        x, y, z = (np.array(axis, np.float64) for axis in (data.x, data.y, data.z))
        return Lattice.rectilinear(x, y, z, periodic=lengths(periods))
    if kind == "vtkStructuredGrid":
        points = np.array(data.points, np.float64).reshape(*data.dimensions[::-1], 3)
        return Lattice.curvilinear(points.transpose(2, 1, 0, 3), vectors(periods))
    points = np.array(data.points, np.float64).reshape(-1, 3)
    if not data.n_cells or kind == "vtkPointSet":
        return Mesh(points, Cells.empty())
    grid = data if kind == "vtkUnstructuredGrid" else data.cast_to_unstructured_grid()
    return Mesh(points, cells_in(grid, np.array(grid.celltypes, np.uint8)))
