"""Profiles are cut exactly, not sampled: linear fields stay linear, cells make steps, holes are gaps."""

import numpy as np
import pytest

from flowgrad import Flow, Mesh, OptionError, plot, velocity_gradient
from flowgrad.plot.profile import Line, along
from tests.meshes import SOLIDS, pentagons, planar

SLOPE = np.array([0.3, -1.7, 2.2])
TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_linear_point_values_are_exact_along_the_way(name, scale):
    mesh = Mesh(scale * SOLIDS[name].points @ TURN, SOLIDS[name].cells)
    low, high = mesh.centroids.min(axis=0), mesh.centroids.max(axis=0)
    line = Line.between(low + 0.1 * (high - low), high - 0.2 * (high - low))
    met = along(mesh, line, mesh.points @ SLOPE, "points")
    direction = (line.end - line.start) / line.length
    for ways, values in ((met.first, met.values[:, 0]), (met.last, met.values[:, 1])):
        exact = (line.start + ways[:, None] * direction) @ SLOPE
        np.testing.assert_allclose(values, exact, atol=2e-6 * scale)
    assert (met.last - met.first).sum() <= line.length * (1 + 1e-9)


@pytest.mark.parametrize("name", ["hexahedron", "tetra", "polyhedron"])
def test_the_way_through_a_block_has_no_gaps(name):
    mesh = Mesh(np.round(SOLIDS[name].points), SOLIDS[name].cells)
    line = Line.between((-1, 1.1, 0.7), (5, 1.4, 2.2))
    met = along(mesh, line, np.arange(len(mesh)), "cells")
    np.testing.assert_allclose(met.first[1:], met.last[:-1], rtol=1e-9)
    inside = line.length * 3 / 6
    assert (met.last - met.first).sum() == pytest.approx(inside, rel=1e-9)
    assert (met.values[:, 0] == met.values[:, 1]).all()


@pytest.mark.parametrize("y", [0.0, 1.0, 1.3, 4.0])
def test_lines_along_mesh_lines_and_edges_are_met_once(y):
    mesh = Mesh(np.round(planar("quad").points), planar("quad").cells)
    met = along(mesh, Line.between((0, y), (4, y)), mesh.points @ SLOPE, "points")
    assert (met.last - met.first).sum() == pytest.approx(4, rel=1e-12)
    np.testing.assert_allclose(met.values[:, 0], [0.3 * x - 1.7 * y for x in met.first], atol=1e-12)


def test_a_hole_is_a_gap():
    mesh = planar("quad")
    kept = np.flatnonzero(np.hypot(*(mesh.centroids[:, :2] - mesh.centroids[:, :2].mean(axis=0)).T) > 0.9)
    holed = Mesh(mesh.points, mesh.cells.take(kept))
    middle = mesh.centroids.mean(axis=0)[1]
    with plot.figure() as ax:
        plot.profile(Flow(holed, np.ones((len(holed), 3)), "cells"), "velocity", ax, (-1, middle), (6, middle))
        assert np.isnan(ax.lines[0].get_ydata()).sum() == 1


def test_axes_are_coordinates_along_an_axis_and_distances_else():
    flow = Flow(planar("quad"), planar("quad").points, "points")
    with plot.figure() as ax:
        plot.profile(flow, "velocity", ax, (1, 3), (1, 0.5))
        assert ax.get_xlabel() == "y [L]"
        assert ax.get_title(loc="left") == "x = 1, z = 0"
        assert ax.get_xlim() == (3, 0.5)
        x = ax.lines[0].get_xdata()
        assert x.max() == pytest.approx(3)
    with plot.figure() as ax:
        plot.profile(flow, "velocity", ax, (0.5, 0.5), (3, 2.5))
        assert ax.get_xlabel() == "distance from the start [L]"


def test_noise_is_a_band():
    flow = Flow(planar("quad"), planar("quad").points[:, [1, 0, 2]] ** 2, "points", noise=0.01)
    gradient = velocity_gradient(flow, at="cells")
    with plot.figure() as ax:
        plot.profile(gradient, "vorticity", ax, (0.2, 1.1), (3.8, 1.2))
        (band,) = ax.collections
        heights = band.get_paths()[0].vertices[:, 1]
        assert np.ptp(heights) > np.ptp(ax.lines[0].get_ydata())


@pytest.mark.parametrize("count", [2, 5, 50])
def test_legends_of_many_files_do_not_overlap(count):
    flow = Flow(pentagons(), pentagons().points, "points")
    names = {f"case {i:03d} of the series": flow for i in range(count)}
    low, high = pentagons().points.min(axis=0), pentagons().points.max(axis=0)
    middle = (low + high) / 2
    with plot.figure() as ax:
        plot.profile(names, "velocity", ax, [low[0], middle[1] + 0.01], [high[0], middle[1] + 0.01])
        ax.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in ax.get_legend().get_texts()]
        assert len(boxes) == count
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[i + 1 :])
        frame = ax.get_legend().get_window_extent()
        assert frame.y1 < ax.xaxis.label.get_window_extent().y0
        assert (
            len(
                {
                    line.get_color() if isinstance(line.get_color(), str) else tuple(line.get_color())
                    for line in ax.lines
                }
            )
            == count
        )


def test_ends_of_two_coordinates_lie_in_the_plane_of_the_mesh():
    mesh = planar("quad")
    flow = Flow(Mesh(mesh.points + np.array([0, 0, 7]), mesh.cells), mesh.points, "points")
    with plot.figure() as ax:
        plot.profile(flow, "velocity", ax, (0.5, 0.1), (0.5, 0.9))
        assert ax.get_title(loc="left") == "x = 0.5, z = 7"
    with plot.figure() as ax, pytest.raises(OptionError, match=r"not in the plane of the mesh \(z = 7\)"):
        plot.profile({"a": flow}, "velocity", ax, (0.5, 0.1, 0), (0.5, 0.9, 0))


def test_lines_that_are_none_are_refused():
    flow = Flow(planar("quad"), planar("quad").points, "points")
    with plot.figure() as ax:
        for ends in (((0, 0), (0, 0)), ((0, 0, 0, 0), (1, 1)), ((0, np.nan), (1, 1))):
            with pytest.raises(OptionError, match="line"):
                plot.profile(flow, "velocity", ax, *ends)
        with pytest.raises(OptionError, match="meets no cell"):
            plot.profile(flow, "velocity", ax, (50, 50), (60, 60))
        with pytest.raises(OptionError, match="not in the plane of the mesh"):
            plot.profile(flow, "velocity", ax, (1, 1, 0), (1, 1, 1))


def test_rounding_of_a_constant_is_not_spread_over_the_axis():
    mesh = planar("quad")
    wiggles = 1 + 1e-13 * np.random.default_rng(0).normal(size=mesh.point_count)
    flow = Flow(mesh, mesh.points, "points", point_data={"a": wiggles})
    with plot.figure() as ax:
        plot.profile(flow, "a", ax, (0.1, 0.5), (2.9, 0.5))
        low, high = ax.get_ylim()
    assert low == pytest.approx(0.5, abs=0.01)
    assert high == pytest.approx(1.5, abs=0.01)
