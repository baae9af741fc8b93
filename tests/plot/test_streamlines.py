"""Streamlines follow the velocity, keep apart, and show its direction."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.quiver import Quiver

from flowgrad import Flow, plot
from flowgrad.mesh.generate import block
from flowgrad.plot.field import spacing_of
from tests.meshes import SOLIDS, planar


def lines_of(flow, section=None, count=14):
    with plot.figure(4, 4) as ax:
        assert plot.streamlines(flow, ax, section, count) is ax
        found = [each for each in ax.collections if isinstance(each, LineCollection)]
        return [np.asarray(path) for path in found[-1].get_segments()], ax


def turning(mesh, at="points"):
    places = mesh.points if at == "points" else mesh.centroids
    return Flow(mesh, np.cross([0, 0, 1.0], places - mesh.points.mean(axis=0)), at)


@pytest.mark.parametrize("at", ["points", "cells"])
def test_rotation_has_circles(at):
    flow = turning(block("triangle", 25), at)
    lines, _ = lines_of(flow)
    assert len(lines) > 5
    middle = flow.mesh.points.mean(axis=0)[:2]
    for line in lines:
        radius = np.hypot(*(line - middle).T)
        # Values of cells are averaged to the vertices, which those at the edge are not in the middle of.
        inside = radius < 0.4 if at == "cells" else radius < np.inf
        assert np.ptp(radius[inside], axis=0) < (1e-5 if at == "points" else 0.03) if inside.any() else True


def test_lines_keep_apart():
    flow = turning(block("quad", 15))
    section = plot.section_of(flow.mesh)
    lines, _ = lines_of(flow, section)
    spacing = spacing_of(section, 14)
    squares = [set(map(tuple, np.floor(line * 2 / spacing).astype(int).tolist())) for line in lines]
    for i, own in enumerate(squares):
        assert not any(own & other for other in squares[i + 1 :])


def test_heads_point_downstream():
    flow = turning(block("triangle", 15))
    _, ax = lines_of(flow)
    (heads,) = [each for each in ax.collections if isinstance(each, Quiver)]
    middle = flow.mesh.points.mean(axis=0)[:2]
    arms = heads.XY - middle
    turn = arms[:, 0] * heads.V - arms[:, 1] * heads.U
    assert (turn > 0).all()


@pytest.mark.parametrize("name", SOLIDS)
def test_slices_of_every_solid_have_lines(name):
    mesh = SOLIDS[name]
    lines, _ = lines_of(turning(mesh))
    assert lines


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_does_not_matter(scale):
    mesh = planar("quad")
    one, other = (lines_of(turning(type(mesh)(s * mesh.points, mesh.cells)))[0] for s in (1.0, scale))
    assert len(one) == len(other)
    np.testing.assert_allclose(scale * one[0], other[0], rtol=1e-6)


def test_fluid_at_rest_and_unknown_fluid_has_none():
    mesh = planar("quad")
    for velocity in (0.0, np.nan):
        with plot.figure() as ax:
            plot.streamlines(Flow(mesh, np.full((len(mesh.points), 3), velocity), "points"), ax)
            assert not any(isinstance(each, Quiver | PolyCollection) for each in ax.collections)
            assert ax.get_xlabel() == "x [L]"
