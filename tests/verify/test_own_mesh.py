"""The errors on a user's mesh are those that a user would find, and the trouble spots are found."""

from dataclasses import replace

import numpy as np
import pytest

from flowgrad import Cells, Flow, Lattice, Mesh, MeshError, Patch, velocity_gradient
from flowgrad import verify as module
from flowgrad.gradient.local_fits.fits import LocalFits
from flowgrad.mesh.generate import block
from flowgrad.verify import Manufactured, Trial, verify
from tests import axial, meshes

TURN = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]


def flow_on(mesh, location="points", **fields):
    return Flow(mesh, np.zeros((mesh.point_count if location == "points" else len(mesh), 3)), location, **fields)


def trial(user, at=None):
    return Trial(Manufactured.of(user), at or user.location)


def text(user):
    return [line for line, _ in verify(user)]


@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_errors_are_those_of_velocity_gradient(location):
    tried = trial(flow_on(block("tetra", 7, seed=2), location))
    flow, exact = tried.waves, tried.made.waves.gradient(tried.places)
    rms = np.sqrt((exact**2).sum(axis=(1, 2)).mean())
    assert len(tried.tried) == 5  # four orders of fits, and autodiff or green-gauss
    for each in tried.tried:
        found = velocity_gradient(flow, each.scheme, error=True)
        error = np.linalg.norm(found.L - exact, axis=(1, 2))
        np.testing.assert_allclose(each.deviation.largest, error.max() / rms, rtol=1e-10)
        np.testing.assert_allclose(each.deviation.overall, np.sqrt(np.mean(error**2)) / rms, rtol=1e-10)
        np.testing.assert_allclose(each.estimated, np.sqrt(np.mean(found.error**2)) / rms, rtol=0.05)
        assert each.deviation.worst == error.argmax()
        assert each.linear < 1e-11


def test_some_places_give_the_same_as_all(monkeypatch):
    user = flow_on(block("tetra", 8, seed=2))
    monkeypatch.setattr(module, "MOST", 100)
    few = trial(user)
    assert len(few.chosen) == 100
    for each in few.tried:
        L = velocity_gradient(few.waves, each.scheme).L[few.chosen]
        exact = few.made.waves.gradient(few.places[few.chosen])
        rms = np.sqrt((exact**2).sum(axis=(1, 2)).mean())
        np.testing.assert_allclose(each.deviation.largest, np.linalg.norm(L - exact, axis=(1, 2)).max() / rms)
    assert any("100 of 512 points, chosen at random" in line for line in text(user))


def test_meshes_of_all_kinds_pass():
    plane = block("triangle", 12, jitter=0.2)
    wall = Patch("wall", np.arange(4), np.zeros((4, 3)))
    users = [
        flow_on(Mesh(1e6 * plane.points @ TURN.T, plane.cells)),
        flow_on(Mesh(1e-6 * plane.points @ TURN.T, plane.cells), "cells"),
        flow_on(meshes.mixed(), "cells"),
        flow_on(meshes.tetra_with_boundary()),
        flow_on(block("quad", 12), axisymmetric="x"),
        flow_on(block("quad", 12), "cells", axisymmetric="y"),
        flow_on(axial.wedge(12, 10), "cells"),
        flow_on(plane, out_of_plane="unknown"),
        flow_on(block("hexahedron", 7), "cells", boundary=(wall,)),
        flow_on(Lattice.uniform((12, 13, 14), 0.1)),
        flow_on(Mesh(np.random.default_rng(0).uniform(size=(600, 3)), Cells.empty())),
    ]
    for user in users:
        lines = list(verify(user))
        assert all(passed for _, passed in lines), user
        assert lines[-1][0].startswith("passed")
        assert any("order 4" in line for line, _ in lines)
        assert max(len(line) for line, _ in lines) <= 130


def test_the_flow_is_resolved_and_moves_with_the_mesh():
    mesh = block("tetra", 8)
    made = Manufactured.of(flow_on(mesh))
    assert made.wavelength >= 16 * made.spacing
    far = Manufactured.of(flow_on(Mesh(mesh.points + 100, mesh.cells)))
    np.testing.assert_allclose(far.flow(far.waves).velocity, made.flow(made.waves).velocity, atol=1e-11)
    long = Manufactured.of(flow_on(Mesh(mesh.points * [30, 1, 1], mesh.cells)))
    assert long.wavelength < 30


def test_curved_surfaces_are_measured_along_themselves():
    plane = block("triangle", 15)
    points = plane.points.copy()
    points[:, 2] = 0.1 * np.sin(3 * points[:, 0])
    tried = trial(flow_on(Mesh(points, plane.cells))).tried
    errors = [each.deviation.overall for each in tried if each.name.startswith("fits")]
    assert errors[0] > 5 * errors[2] > 0
    assert any("curved" in line for line in text(flow_on(Mesh(points, plane.cells))))


def test_trouble_spots_are_named():
    mesh = block("tetra", 6)
    points = np.vstack([mesh.points, [[9.0, 9, 9]]])
    inner = np.flatnonzero((np.abs(mesh.points - 0.5) < 0.4).all(axis=1))[0]
    points[inner] += 0.5
    lines = text(flow_on(Mesh(points, mesh.cells)))
    start = lines.index("trouble spots")
    assert any("cells inverted" in line for line in lines[start:])
    assert any("1 of 217 points in no cell: 216 (9, 9, 9)" in line for line in lines[start:])
    assert "trouble spots: none" in text(flow_on(mesh))


def test_lowered_orders_are_named():
    lines = text(flow_on(block("tetra", 3)))
    (line,) = (line for line in lines if "27 of 27 points have too few samples around for fits, order 4" in line)
    assert line.endswith(": 0 (0, 0, 0), 1 (0, 0, 0.5), 2 (0, 0, 1), …")


def test_what_auto_takes_is_marked_and_the_best_is_named():
    lines = text(flow_on(block("tetra", 9)))
    assert sum("<- auto" in line for line in lines) == 2
    assert sum("best here: --scheme 'finite-difference(order=4)'" in line for line in lines) == 2


def test_an_inexact_scheme_fails(monkeypatch):
    first = LocalFits.first

    def wrong(self, stencils, values):
        L, order = first(self, stencils, values)
        return L * (1 + 1e-6), order

    monkeypatch.setattr(LocalFits, "first", wrong)
    lines = list(verify(flow_on(block("tetra", 6), "cells")))
    failed = [line for line, passed in lines if not passed]
    assert any("fits, order 2" in line and "FAIL" in line for line in failed)
    assert failed[-1].startswith("FAILED")


def test_what_there_is_no_time_for_is_said(monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 0.0)
    lines = text(flow_on(block("tetra", 6)))
    assert any(line.startswith("  left out, to be done in time: autodiff, fits, order 1") for line in lines)


@pytest.mark.parametrize("points", [np.zeros((3, 3)), np.zeros((0, 3))])
def test_nothing_to_differentiate(points):
    with pytest.raises(MeshError, match="nothing to differentiate"):
        text(flow_on(Mesh(points, Cells.empty())))


def test_generated_meshes_have_the_orders_due():
    coarse, fine = next(module.generated())
    assert (len(fine.mesh) / len(coarse.mesh)) ** 0.5 == 2
    made = Manufactured.of(fine)
    few, many = Trial(replace(Manufactured.of(coarse), waves=made.waves), "points"), Trial(made, "points")
    for a, b in zip(few.tried, many.tried, strict=True):
        order = np.log2(a.deviation.boundary / b.deviation.boundary)
        assert order >= getattr(b.scheme, "order", 1) - module.SLACK
