"""Meshes along round walls: closed, conforming, and as near to the wall as they say."""

import numpy as np
import pytest

from flowgrad import OptionError
from scripts.round_meshes import KINDS, pipe, sphere_shell

BOTH = [pytest.param(sphere_shell, id="sphere"), pytest.param(pipe, id="pipe")]


@pytest.mark.parametrize("touch", ["points", "faces"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", BOTH)
def test_the_cells_fill_what_their_boundary_encloses(make, kind, touch):
    mesh = make(kind, 6, 3, touch=touch)
    area, center = mesh.topology.boundary_geometry
    assert (mesh.signed_measures > 0).all()
    np.testing.assert_allclose(area.sum(axis=0), 0, atol=1e-12)
    assert mesh.measures.sum() == pytest.approx((area * center).sum() / 3, rel=1e-12)
    faces_of_a_cell = {"hexahedron": 6, "wedge": 5, "tetra": 4}[kind]
    assert 2 * len(mesh.topology.pairs) + len(area) == faces_of_a_cell * len(mesh)


@pytest.mark.parametrize("kind", KINDS)
def test_points_lie_on_the_sphere_and_the_pipe(kind):
    shell, tube = sphere_shell(kind, 4, 2, radius=3.0, outer=2.0), pipe(kind, 4, 2, radius=3.0, length=5.0)
    np.testing.assert_allclose(np.sort(np.linalg.norm(shell.points, axis=1))[[0, -1]], [3, 6], rtol=1e-14)
    assert np.hypot(*tube.points[:, :2].T).max() == pytest.approx(3, rel=1e-14)
    assert np.ptp(tube.points[:, 2]) == 5


def test_the_middles_of_faces_touch_the_wall():
    for kind, tolerance in (("hexahedron", 1e-4), ("tetra", 2e-3)):
        center = sphere_shell(kind, 8, 2, touch="faces").topology.boundary_geometry[1]
        r = np.linalg.norm(center, axis=1)
        np.testing.assert_allclose(r[r < 1.5], 1, atol=tolerance)
    for kind in KINDS:
        area, center = pipe(kind, 8, 2, touch="faces").topology.boundary_geometry
        r = np.hypot(*center[np.abs(area[:, 2]) < 1e-12, :2].T)
        np.testing.assert_allclose(r, 1, rtol=1e-12)


@pytest.mark.parametrize("make", BOTH)
def test_finer_meshes_approach_the_volume(make):
    volume = {sphere_shell: 28 / 3 * np.pi, pipe: np.pi}[make]
    off = [1 - make("hexahedron", n, n // 2).measures.sum() / volume for n in (4, 8, 16)]
    np.testing.assert_allclose(np.log2(off[:-1]) - np.log2(off[1:]), 2, atol=0.15)


@pytest.mark.parametrize("option", [{"kind": "pyramid"}, {"touch": "edges"}])
@pytest.mark.parametrize("make", BOTH)
def test_unknown_options_are_refused(make, option):
    with pytest.raises(OptionError, match="is unknown: choose one of"):
        make(**option)
