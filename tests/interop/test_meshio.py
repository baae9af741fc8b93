"""Round trips through meshio keep points, cells, their order and all values, or refuse the cells by name."""

import dataclasses

import meshio
import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError
from flowgrad.series import difference
from tests.interop.conftest import (
    LATTICES,
    MESHES,
    assert_same_flow,
    assert_same_values,
    crowded_flow,
    flow_on,
    patched_flow,
)

# As meshio has no block for them, or would lose their faces, degrees or kind.
REFUSED = {
    "polyhedron": "27 of the type polyhedron",
    "mixed": "polyhedron",
    "pentagonal_prism": "pentagonal_prism",
    "hexagonal_prism": "hexagonal_prism",
    "triquadratic_pyramid": "triquadratic_pyramid",
    "quadratic_linear_wedge": "quadratic_linear_wedge",
    "poly_line": "poly_line",
    **{name: name for name in ("quadratic_wedge", "quadratic_pyramid", "quadratic_linear_quad")},
    **{name: name for name in ("biquadratic_quadratic_hexahedron", "biquadratic_triangle")},
    **{name: "degrees" for name in MESHES if name.startswith("lagrange")},
}


@pytest.mark.parametrize("name", [name for name in MESHES if name not in REFUSED])
def test_a_mesh_comes_back_as_it_went(name):
    mesh = MESHES[name]
    flow = flow_on(mesh)
    back = flowgrad.from_meshio(flowgrad.to_meshio(flow))
    assert_same_values(flow, back)
    if name in ("pixel", "voxel"):
        assert back.mesh.type_counts() == {{"pixel": "quad", "voxel": "hexahedron"}[name]: len(mesh)}
        np.testing.assert_allclose(back.mesh.signed_measures, mesh.signed_measures)
    else:
        assert difference(mesh, back.mesh) == ""


@pytest.mark.parametrize("name", REFUSED)
def test_cells_that_meshio_does_not_hold_are_refused_by_name(name):
    with pytest.raises(OptionError, match=REFUSED[name]):
        flowgrad.to_meshio(flow_on(MESHES[name]))


def test_meshio_writes_what_flowgrad_reads(tmp_path):
    flow = flow_on(MESHES["tetra_with_boundary"], "cells")
    meshio.write(tmp_path / "a.vtu", flowgrad.to_meshio(flow))
    back = flowgrad.read(tmp_path / "a.vtu")
    assert difference(flow.mesh, back.mesh) == ""
    np.testing.assert_array_equal(back.velocity, flow.velocity)


def test_a_mesh_in_the_plane():
    mesh = meshio.Mesh([[0.0, 0], [1, 0], [0, 1]], {"triangle": [[0, 1, 2]]}, {"velocity": np.eye(3)[:, :2]})
    flow = flowgrad.from_meshio(mesh)
    assert flow.mesh.points.shape == flow.velocity.shape == (3, 3)
    with pytest.raises(OptionError, match="polyhedron4"):
        flowgrad.from_meshio(
            meshio.Mesh(
                np.vstack([np.eye(3), np.zeros(3)]),
                [("polyhedron4", [[[0, 1, 2], [0, 1, 3], [1, 2, 3], [0, 2, 3]]])],
                {"velocity": np.zeros((4, 3))},
            )
        )


@pytest.mark.parametrize("location", ["points", "cells"])
def test_names_types_and_what_a_flow_is_told_come_back(location):
    flow = crowded_flow(MESHES["tetra_with_boundary"], location)
    back = flowgrad.from_meshio(flowgrad.to_meshio(flow).copy())
    assert back.velocity_name == "mine"
    assert_same_flow(flow, back)


@pytest.mark.parametrize("name", LATTICES)
def test_a_lattice_comes_back_as_one(name):
    lattice = LATTICES[name]
    flow = flow_on(lattice)
    mesh = flowgrad.to_meshio(flow)
    back = flowgrad.from_meshio(mesh)
    assert_same_flow(flow, back)
    np.testing.assert_array_equal(back.mesh.points, lattice.points)
    assert back.mesh.shape == lattice.shape
    assert [axis.period is None for axis in back.mesh.axes] == [axis.period is None for axis in lattice.axes]
    mesh.points[-1, 0] += 0.5
    changed = flowgrad.from_meshio(mesh)
    np.testing.assert_array_equal(changed.mesh.points, mesh.points)
    mesh.cells[0].data[0] = mesh.cells[0].data[-1]
    assert not isinstance(flowgrad.from_meshio(mesh).mesh, flowgrad.Lattice)


@pytest.mark.parametrize("tool", ["meshio", "pyvista"])
def test_points_alone_have_cell_data_without_rows(tool):
    flow = dataclasses.replace(flow_on(MESHES["points"]), cell_data={"a": np.empty((0, 3)), "b": np.empty(0)})
    pytest.importorskip(tool, reason=f"{tool} is not installed")
    back = getattr(flowgrad, f"from_{tool}")(getattr(flowgrad, f"to_{tool}")(flow))
    np.testing.assert_array_equal(back.velocity, flow.velocity)
    nothing = flowgrad.Flow(flowgrad.Mesh(np.empty((0, 3)), flowgrad.Cells.empty()), np.empty((0, 3)), "points")
    with pytest.raises(OptionError, match="has no points"):
        getattr(flowgrad, f"from_{tool}")(getattr(flowgrad, f"to_{tool}")(nothing))


def test_patches_are_not_lost_in_silence():
    flow = patched_flow(MESHES["tetra"], ("wall", "inlet", "outlet"))
    with pytest.raises(OptionError, match=r"\(wall, inlet, outlet\): use flowgrad.to_pyvista, or .* boundary=False"):
        flowgrad.to_meshio(flow)
    back = flowgrad.from_meshio(flowgrad.to_meshio(flow, boundary=False))
    assert_same_flow(flow, back)


def test_what_is_refused_says_why():
    points = np.eye(3)
    for name in ("point_data", "cell_data"):
        mesh = meshio.Mesh(points, {"triangle": [[0, 1, 2]]}, {"velocity": points})
        getattr(mesh, name)["c"] = np.ones(3, complex) if name == "point_data" else [np.ones(1, complex)]
        with pytest.raises(OptionError, match="the meshio mesh: 'c' is complex"):
            flowgrad.from_meshio(mesh)
    with pytest.raises(OptionError, match=r"NoneType.*meshio\.Mesh"):
        flowgrad.from_meshio(None)
    flow = flowgrad.Flow(MESHES["tetra"], np.zeros((64, 3)), "points", point_data={"c": np.ones(64, complex)})
    with pytest.raises(OptionError, match="the flow: 'c' is complex"):
        flowgrad.to_meshio(flow)
