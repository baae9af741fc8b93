"""Round trips through meshio keep points, cells, their order and all values, or refuse the cells by name."""

import meshio
import numpy as np
import pytest

import flowgrad
from flowgrad.errors import OptionError
from flowgrad.series import difference
from tests.interop.conftest import MESHES, assert_same_values, flow_on

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
